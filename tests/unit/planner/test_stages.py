"""Which machines each stage takes."""

from __future__ import annotations

from collections import Counter

from orchestrator.inventory.model import Machine, Os
from orchestrator.planner.stages import assign
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


def test_what_covers_nothing_new_is_taken_in_proportion() -> None:
    """Regions, configurations and sets: none is more than two off its share of a stage."""
    fleet = [
        vm(
            f"m{n:03}",
            location="westeurope" if n < 80 else "northeurope",
            os=Os.WINDOWS if n % 4 else Os.LINUX,
            availability_set=set_id(f"as-{n % 5}"),
        )
        for n in range(100)
    ]
    machines = {machine.id: machine for machine in fleet}
    for count in (10, 20, 50):
        taken = assign(fleet, [Stage("some", count=count)], "monthly").stages[0]
        chosen = [machines[machine] for machine in taken]
        regions = Counter(machine.location for machine in chosen)
        systems = Counter(machine.os for machine in chosen)
        assert len(chosen) == count
        assert abs(regions["westeurope"] - count * 0.8) <= 2
        assert abs(systems[Os.LINUX] - count * 0.25) <= 2
        assert len({machine.availability_set for machine in chosen}) == 5


def test_sets_give_machines_by_their_size() -> None:
    """Of machines that are alike in all else."""
    fleet = [vm(f"m{n:02}", availability_set=set_id("large" if n < 30 else "small")) for n in range(40)]
    sets = {machine.id: machine.availability_set for machine in fleet}
    taken = assign(fleet, [Stage("some", count=8)], "monthly").stages[0]

    assert Counter(sets[machine] for machine in taken) == {set_id("large"): 6, set_id("small"): 2}


def test_neighbours_by_name_are_no_neighbours_in_choice() -> None:
    """Names that count up say nothing of the choice."""
    fleet = [vm(f"m{n:02}") for n in range(40)]
    taken = assign(fleet, [Stage("some", count=8)], "monthly").stages[0]

    assert taken != tuple(machine.id for machine in fleet[:8])


def test_a_canary_covers_what_weighs_most() -> None:
    """A rare size goes first in no region: two canaries try both systems and both sizes, on the frequent ones of each."""
    fleet = [
        *(vm(f"a{n}", os=Os.LINUX, size="D2") for n in range(10)),
        *(vm(f"b{n}", os=Os.WINDOWS, size="D4") for n in range(6)),
        *(vm(f"c{n}", os=Os.LINUX, size="D4") for n in range(7)),
    ]
    taken = assign(fleet, [Stage("canary", count=2), Stage("broad")], "monthly").stages[0]

    assert {machine.rpartition("/")[2][0] for machine in taken} == {"a", "b"}


def test_a_later_stage_tries_what_earlier_ones_have_not() -> None:
    """Nothing is tried twice while something is untried."""
    fleet = [vm(f"m{n}", size=f"D{n % 4}") for n in range(40)]
    sizes_of = {machine.id: machine.size for machine in fleet}
    stages = [Stage("one", count=2), Stage("two", count=2), Stage("broad")]
    staged = assign(fleet, stages, "monthly")
    tried = [{sizes_of[machine] for machine in taken} for taken in staged.stages]

    assert len(tried[0]) == 2
    assert tried[0] | tried[1] == {"D0", "D1", "D2", "D3"}
    assert [len(coverage.untried) for coverage in staged.coverage] == [2, 0]


def test_what_a_ring_leaves_untried_is_told_too() -> None:
    """A canary that people chose may cover little; the plan says so."""
    fleet = [vm(f"m{n}", size=f"D{n % 3}", tags={"ring": "canary"} if n in {0, 3} else {}) for n in range(9)]
    ring = Stage("canary", select=Selector(tags=(("ring", ("canary",)),)))
    (coverage,) = assign(fleet, [ring, Stage("broad")], "monthly").coverage

    assert (coverage.stage, coverage.configurations) == ("canary", 3)
    assert [(one.size, count) for one, count in coverage.untried] == [("D1", 3), ("D2", 3)]


def test_a_campaign_of_one_stage_tries_nothing_first() -> None:
    """And so says nothing of it; nor does a stage that takes the last machines."""
    assert assign(FLEET, [Stage("all")], "monthly").coverage == ()
    assert assign(FLEET[:1], [Stage("canary", count=1), Stage("broad")], "monthly").coverage == ()


def test_later_stages_of_nothing_get_nothing() -> None:
    """After a stage that takes all that are left."""
    assert sizes(FLEET, Stage("all"), Stage("more"), Stage("rest", count=3)) == [120, 0, 0]
