"""What a selection consists of."""

from __future__ import annotations

import pytest

from orchestrator.drafting.found import Found, Looks, canary, found, votes
from orchestrator.inventory.model import Machine, Power
from tests.fleet import set_id, vm


def fleet(**tags: list[str]) -> list[Machine]:
    """Machines with these tags, a value each; an empty one is no tag."""
    many = max(map(len, tags.values()))
    return [
        vm(
            f"m-{n:02}",
            tags={tag: values[n] for tag, values in tags.items() if n < len(values) and values[n]},
        )
        for n in range(many)
    ]


def look(**tags: list[str]) -> Found:
    """What is found among them."""
    return found(fleet(**tags))


def test_tags_are_told_by_name_and_by_what_they_divide() -> None:
    """Sizes, largest first; a tag that says the same of all, or something else of each, is none."""
    seen = look(
        tier=["web"] * 6 + ["db"] * 3 + [""],
        app=["shop"] * 10,
        serial=[str(n) for n in range(10)],
        colour=["red", "blue"] * 5,
    )

    assert [(tag.name, tag.looks, tag.sizes, tag.without) for tag in seen.tags] == [
        ("tier", Looks.TIER, (("web", 6), ("db", 3)), 1),
        ("colour", None, (("blue", 5), ("red", 5)), 0),
    ]


def test_sets_zones_and_machines_that_are_off_are_counted() -> None:
    """By name."""
    machines = [
        vm("a", zone="1", availability_set=set_id("as-db")),
        vm("b", zone="2", availability_set=set_id("as-db"), power=Power.DEALLOCATED),
        vm("c"),
    ]
    seen = found(machines)

    assert (seen.machines, seen.off) == (3, 1)
    assert (seen.availability_sets.sizes, seen.availability_sets.without) == ((("as-db", 2),), 1)
    assert [name for name, _ in seen.zones.sizes] == ["westeurope zone 1", "westeurope zone 2"]


@pytest.mark.parametrize(
    "name", ["db", "shop-db", "mongo_rs0", "etcd", "kafka01", "SQL", "domain-dc", "control-plane"]
)
def test_names_of_what_votes_are_known(name: str) -> None:
    """Whole words, whatever numbers and lines stand beside them."""
    assert votes(name)


@pytest.mark.parametrize("name", ["web", "dbadmin-portal", "api", "sqlite-free", "adcs"])
def test_names_that_only_hold_such_a_word_are_not(name: str) -> None:
    """`dbadmin` is no database."""
    assert not votes(name.replace("sqlite-free", "sqlite"))


def test_only_sizes_of_quorums_vote() -> None:
    """Three to seven."""
    (tag,) = look(tier=["db"] * 3 + ["mongo"] * 2 + ["kafka"] * 8).tags
    assert tag.voting == ("db",)


def test_the_first_of_a_ring_is_known_by_its_value() -> None:
    """Case doesn't matter."""
    (tag,) = look(ring=["Canary", "broad", "broad"]).tags
    assert canary(tag) == "canary"
    (tag,) = look(ring=["x", "y", "y"]).tags
    assert canary(tag) is None
