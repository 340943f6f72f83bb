"""The fleet as a tree, coloured by state."""

from __future__ import annotations

import pytest

from orchestrator.inventory.model import AppHealth, Inventory, Machine, Power
from orchestrator.rollout.state import Scope
from orchestrator.service.overview import STANDINGS, Places, Topology, Tree, members, topology
from tests.builders import lane, plan_of
from tests.diary import Diary
from tests.fleet import availability_set, inventory, set_id, vm


def fleet() -> Inventory:
    """Two machines in a set in a zone, one of an application, one in nothing, one elsewhere."""
    return inventory(
        vm("a", zone="1", availability_set=set_id("as-web")),
        vm("b", zone="1", availability_set=set_id("as-web")),
        vm("c", tags={"App": "shop"}),
        vm("d"),
        vm("e", location="northeurope"),
        availability_sets=(availability_set("as-web", "a", "b"),),
    )


def counts(scope: Scope, group: str) -> dict[str, int]:
    """How machines of a group stand."""
    return next(dict(one.counts) for one in topology(scope, Tree(Places(fleet()))).groups if one.id == group)


def test_each_group_comes_after_the_one_it_is_in() -> None:
    """Leftover machines last."""
    found = [
        (one.kind, one.id, one.parent, one.machines)
        for one in topology(Scope(), Tree(Places(fleet()))).groups
    ]
    assert found == [
        ("region", "northeurope", "", 1),
        ("zone", "northeurope/in no zone", "northeurope", 1),
        ("rest", "northeurope/in no zone/in no set", "northeurope/in no zone", 1),
        ("region", "westeurope", "", 4),
        ("zone", "westeurope/zone 1", "westeurope", 2),
        ("availability_set", "westeurope/zone 1/as-web", "westeurope/zone 1", 2),
        ("zone", "westeurope/in no zone", "westeurope", 2),
        ("application", "westeurope/in no zone/shop", "westeurope/in no zone", 1),
        ("rest", "westeurope/in no zone/in no set", "westeurope/in no zone", 1),
    ]


def test_a_set_that_the_inventory_does_not_hold_is_called_by_the_end_of_its_id() -> None:
    """Rather than by nothing."""
    alone = inventory(vm("a", availability_set=set_id("as-lost")))
    assert topology(Scope(), Tree(Places(alone))).groups[-1].name == "as-lost"


def test_what_is_done_to_machines_is_told_of_their_groups() -> None:
    """Waiting, changing, changed, and the worst of all: unhealthy."""
    diary = Diary(plan_of(lane("one", "a b", "c")))
    assert counts(diary.scope, "westeurope") == {"waiting": 3, "serves": 1}
    diary.follow("a")
    assert counts(diary.scope, "westeurope/zone 1/as-web") == {"changing": 1, "waiting": 1}
    diary.ended("a")
    diary.healthy("a")
    diary.change("b")
    diary.unhealthy("b")
    assert counts(diary.scope, "westeurope") == {"unhealthy": 1, "waiting": 1, "changed": 1, "serves": 1}


def test_machines_that_others_took_down_are_out() -> None:
    """Whatever the inventory said of them when it was read."""
    diary = Diary(plan_of(lane("one", "a"), counted="d"))
    diary.fleet(out="d")
    assert counts(diary.scope, "westeurope/in no zone/in no set") == {"out": 1}


def test_a_machine_that_was_left_down_stays_out_when_its_rollout_is_over() -> None:
    """It counts until it is seen well, or written off."""
    diary = Diary(plan_of(lane("one", "a", "b")))
    diary.change("a")
    diary.unhealthy("a")
    diary.skip("a")
    assert counts(diary.scope, "westeurope/zone 1/as-web") == {"out": 1, "waiting": 1}
    diary.abort()
    assert counts(diary.scope, "westeurope/zone 1/as-web") == {"out": 1, "serves": 1}


@pytest.mark.parametrize(
    ("machine", "standing"),
    [
        (vm("a", power=Power.DEALLOCATED), "off"),
        (vm("a", app_health=AppHealth.UNHEALTHY), "ailing"),
        (vm("a", power=Power.UNKNOWN), "unknown"),
        (vm("a"), "serves"),
    ],
)
def test_machines_of_no_rollout_stand_as_the_inventory_has_them(machine: Machine, standing: str) -> None:
    """Off, ailing, unknown, serving."""
    assert topology(Scope(), Tree(Places(inventory(machine)))).groups[0].counts == {standing: 1}


def test_members_are_told_worst_first() -> None:
    """With the rollout whose they are."""
    diary = Diary(plan_of(lane("one", "a b", "c")))
    diary.follow("b")
    found = members(diary.scope, Tree(Places(fleet())), "westeurope")
    assert found is not None
    assert list(zip(found.name, (STANDINGS[x] for x in found.standing), found.rollout, strict=True)) == [
        ("b", "changing", "r1"),
        ("a", "waiting", "r1"),
        ("c", "waiting", "r1"),
        ("d", "serves", ""),
    ]


def test_before_the_fleet_was_read_there_is_nothing_to_show() -> None:
    """And a group that isn't there has no members."""
    assert topology(Scope(), None).groups == ()
    assert members(Scope(), None, "westeurope") is None
    assert members(Scope(), Tree(Places(fleet())), "mars") is None


def test_a_tree_that_is_kept_up_tells_what_one_that_is_made_now_tells() -> None:
    """After each thing that happens: to machines of a rollout, to others, to whole rollouts."""
    diary = Diary(plan_of(lane("one", "a b", "c"), counted="d e"))
    tree = Tree(Places(fleet()))

    def alike(*, differs: bool = True) -> None:
        before = tree.topology(diary.scope)
        made = Tree(Places(fleet()))
        assert before == made.topology(diary.scope)
        for group in tree.places.order:
            assert tree.members(diary.scope, group) == made.members(diary.scope, group)
        told.append(before)
        assert (len(told) < 2 or told[-1] != told[-2]) is differs

    told: list[Topology] = []
    alike()
    diary.follow("a")
    alike()
    diary.ended("a")
    diary.healthy("a")
    alike()
    diary.fleet(out="d")
    alike()
    diary.change("b")
    alike()
    diary.unhealthy("b")
    alike()
    diary.skip("b")
    alike()
    diary.fleet(out="e", back="d")
    alike()
    diary.abort()
    alike()
    alike(differs=False)


def test_a_look_that_finds_little_changed_makes_little_anew() -> None:
    """Groups in which nobody stands otherwise are the very same."""
    diary = Diary(plan_of(lane("one", "a b", "c")))
    tree = Tree(Places(fleet()))
    before = {one.id: one for one in tree.topology(diary.scope).groups}
    diary.follow("a")
    anew = [one.id for one in tree.topology(diary.scope).groups if one is not before[one.id]]
    assert anew == ["westeurope", "westeurope/zone 1", "westeurope/zone 1/as-web"]
