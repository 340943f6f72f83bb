"""What makes machines alike to a change."""

from __future__ import annotations

from types import MappingProxyType

from orchestrator.inventory.model import Image, Os
from orchestrator.planner.configurations import Configuration, by_configuration, in_words, traits
from tests.fleet import vm

UBUNTU = Image("canonical", "ubuntu", "22_04-lts", "1.0")


def test_machines_are_divided_by_everything_that_differs() -> None:
    """Region, system, image, size and role; not the version of the image, which patches change."""
    base = {"os": Os.LINUX, "image": UBUNTU, "size": "D2", "tags": {"role": "db"}}
    others = [
        {"location": "eastus"},
        {"os": Os.WINDOWS},
        {"image": Image("canonical", "ubuntu", "24_04-lts")},
        {"size": "D4"},
        {"tags": {"role": "web"}},
    ]
    fleet = [vm("m", **base), *(vm(f"m{n}", **{**base, **other}) for n, other in enumerate(others))]

    assert len(by_configuration(fleet)) == 6
    assert len(by_configuration([vm("a", **base), vm("b", **base, zone="2")])) == 1
    newer = Image("canonical", "ubuntu", "22_04-lts", "2.0")
    assert len(by_configuration([vm("a", **base), vm("b", **{**base, "image": newer})])) == 1


def test_groups_are_sorted_and_hold_everyone() -> None:
    """Whatever the order of the inventory."""
    fleet = [vm(f"m{n}", size=f"D{n % 3}") for n in range(9)]
    groups = by_configuration(reversed(fleet))

    assert [one.size for one in groups] == ["D0", "D1", "D2"]
    assert sorted(m.name for held in groups.values() for m in held) == [m.name for m in fleet]


def test_the_role_is_a_tag_in_any_spelling() -> None:
    """`role` before `tier`; Azure compares names of tags without regard to case."""

    def role(tags: dict[str, str]) -> str:
        return next(iter(by_configuration([vm("m", tags=MappingProxyType(tags))]))).role

    assert role({"Tier": "Web"}) == "web"
    assert role({"tier": "web", "ROLE": "db"}) == "db"
    assert role({"app": "shop"}) == ""


def test_a_configuration_in_words() -> None:
    """The system stands only where no image tells it."""
    told = Configuration("westeurope", "linux", "ubuntu 22_04-lts", "Standard_D2s_v5", "db")

    assert in_words(told) == "ubuntu 22_04-lts, Standard_D2s_v5, westeurope, role db"
    bare = Configuration("westeurope", "windows", "", "", "")
    assert in_words(bare) == "windows (no marketplace image), unknown size, westeurope, no role"


def test_traits_say_which_field_a_value_is_of() -> None:
    """A size and a role of one name are two things to try."""
    assert len(set(traits(Configuration("x", "x", "x", "x", "x")))) == 5
