"""Which machines each stage takes."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

from orchestrator.inventory.model import Machine, Os
from orchestrator.planner.stages import assign, spread
from orchestrator.policy.model import Selector, Share, Stage
from tests.fleet import set_id, vm, vm_id

FLEET = [
    vm(f"m{n:03}", location=["westeurope", "northeurope", "eastus"][n % 3], size=f"D{2 + n % 2 * 2}")
    for n in range(120)
]

DEFAULT = (
    Stage("canary", count=5, per_region=1),
    Stage("pilot", up_to=Share(percent=10)),
    Stage("broad"),
)


def sizes(machines: list[Machine], *stages: Stage) -> list[int]:
    """How many machines each stage takes."""
    return [len(taken) for taken in assign(machines, stages, "monthly").stages]


def test_the_default_stages() -> None:
    """One canary a region; the pilot goes up to a tenth, canaries included; broad is the rest."""
    assert sizes(FLEET, *DEFAULT) == [3, 9, 108]


def test_every_machine_is_in_one_stage_or_left() -> None:
    """What no stage takes is told, never lost."""
    staged = assign(FLEET, [Stage("half", up_to=Share(percent=50))], "monthly")

    assert len(staged.stages[0]) == 60
    assert sorted(machine.id for machine in FLEET) == sorted((*staged.stages[0], *staged.left))


def test_canaries_are_at_most_so_many_in_all() -> None:
    """Twelve regions, one a region, and five in all."""
    fleet = [vm(f"m{n}", location=f"region{n % 12}") for n in range(48)]
    staged = assign(fleet, DEFAULT, "monthly")

    assert len(staged.stages[0]) == 5
    regions = {machine.id: machine.location for machine in fleet}
    assert len({regions[machine] for machine in staged.stages[0]}) == 5


def test_a_share_rounds_down_and_is_at_least_one() -> None:
    """A tenth of three machines is one, which the canary has been already."""
    assert sizes(FLEET[:9:3], *DEFAULT) == [1, 0, 2]
    assert sizes(FLEET[:29], Stage("pilot", up_to=Share(percent=10)), Stage("broad")) == [2, 27]


def test_up_to_is_cumulative() -> None:
    """Of the whole campaign, with what earlier stages took."""
    stages = [Stage(f"s{p}", up_to=Share(percent=p)) for p in (10, 25, 50, 100)]

    assert sizes(FLEET, *stages) == [12, 18, 30, 60]


def test_a_stage_takes_from_what_it_selects() -> None:
    """By tag; each stage from what the ones before it left."""
    fleet = [vm(f"m{n}", tags={"ring": "canary"} if n < 4 else {}) for n in range(20)]
    canaries = Selector(tags=(("ring", ("canary",)),))

    assert sizes(fleet, Stage("canary", select=canaries), Stage("broad")) == [4, 16]
    assert sizes(fleet, Stage("few", select=canaries, count=3), Stage("more", select=canaries)) == [3, 1]


def test_the_choice_ignores_the_order_of_the_inventory() -> None:
    """And is the same each time."""
    assert assign(FLEET, DEFAULT, "monthly") == assign(reversed(FLEET), DEFAULT, "monthly")


def test_another_campaign_has_other_canaries() -> None:
    """Not always the first by name; the same campaign always the same."""
    first = assign(FLEET, DEFAULT, "monthly").stages[0]
    other = assign(FLEET, DEFAULT, "hotfix").stages[0]

    assert first != other
    assert first != tuple(vm_id(f"m{n:03}") for n in range(3))


def test_every_beginning_is_spread_in_proportion() -> None:
    """Regions, configurations and sets: none is more than one ahead of its share of any beginning."""
    fleet = [
        vm(
            f"m{n:03}",
            location="westeurope" if n < 80 else "northeurope",
            os=Os.WINDOWS if n % 4 else Os.LINUX,
            availability_set=set_id(f"as-{n % 5}"),
        )
        for n in range(100)
    ]
    ordered = spread(fleet, "monthly")

    assert sorted(machine.id for machine in ordered) == [machine.id for machine in fleet]
    for count in (10, 20, 50):
        regions = Counter(machine.location for machine in ordered[:count])
        systems = Counter(machine.os for machine in ordered[:count])
        assert abs(regions["westeurope"] - count * 0.8) <= 1
        assert abs(systems[Os.LINUX] - count * 0.25) <= 2
    assert len({machine.availability_set for machine in ordered[:10]}) == 5


def test_neighbours_by_name_are_no_neighbours_in_choice() -> None:
    """Names that count up say nothing of the order."""
    ordered = [machine.name for machine in spread([vm(f"m{n}") for n in range(9)], "monthly")]

    assert any(one > other for one, other in pairwise(ordered))
