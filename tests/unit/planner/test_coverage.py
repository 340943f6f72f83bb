"""What a plan says of what its first stages try."""

from __future__ import annotations

from orchestrator.inventory.model import Machine
from orchestrator.planner.coverage import Coverage, no_machine_with, verdict, warnings
from orchestrator.planner.stages import assign
from orchestrator.policy.model import Origin, Stage
from tests.fleet import vm

ORIGIN = Origin("policies/monthly.yaml", 9)


def canary(fleet: list[Machine], count: int) -> Coverage:
    """What a canary of so many tries."""
    stages = [Stage("canary", count=count, origin=ORIGIN), Stage("broad")]
    return assign(fleet, stages, "monthly").coverage[0]


def sized(**sizes: int) -> list[Machine]:
    """Machines of these sizes, so many of each."""
    return [vm(f"{size}-{n}".lower(), size=size) for size, count in sizes.items() for n in range(count)]


def test_what_is_untried_is_told_with_its_machines() -> None:
    """The most frequent first, and where the stage is written."""
    (warned,) = warnings([canary(sized(D2=6, D4=3, D8=1), 1)])

    assert warned.origin == ORIGIN
    assert warned.what == (
        "when canary has ended, 1 of 3 configurations (image, size, region, role) will have been tried; "
        "4 machines of the other 2 come after it; "
        "none of those tried has D4 (3 machines); D8 (1 machine); "
        "untried: linux (no marketplace image), D4, westeurope, no role (3 machines); "
        "linux (no marketplace image), D8, westeurope, no role (1 machine)"
    )


def test_a_canary_that_covers_all_is_no_warning() -> None:
    """But it is worth a sentence."""
    covered = canary(sized(D2=6, D4=3), 2)

    assert list(warnings([covered])) == []
    assert verdict(covered) == "when canary has ended, all 2 configurations will have been tried"
    assert no_machine_with(covered, 3) == ""
    assert (
        verdict(canary(sized(D2=2), 1))
        == "when canary has ended, its only configuration will have been tried"
    )


def test_a_warning_names_a_few_and_counts_the_others() -> None:
    """So that the plan of a large fleet stays readable."""
    (warned,) = warnings([canary(sized(D2=9, D3=8, D4=7, D5=6, D6=5, D7=4), 1)])

    assert "D3 (8 machines); D4 (7 machines); D5 (6 machines) and 2 more; untried:" in warned.what
    assert warned.what.endswith("(6 machines) and 2 more")


def test_untried_combinations_of_tried_values() -> None:
    """Every value is tried, and two configurations aren't: only these are told."""
    fleet = [
        vm(f"{size}-{role}-{n}", size=size, tags={"role": role})
        for size, role, count in (("d2", "a", 5), ("d4", "b", 5), ("d2", "b", 1), ("d4", "a", 1))
        for n in range(count)
    ]
    covered = canary(fleet, 2)

    assert no_machine_with(covered, 3) == ""
    assert covered.untried_machines == 2
    assert len(covered.to_json()["untried"]) == 2


def test_programs_get_all_of_it() -> None:
    """Every configuration, by its fields."""
    told = canary(sized(D2=6, D4=3), 1).to_json()

    assert told["tried"] == 1
    assert told["untried"] == [
        {"region": "westeurope", "os": "linux", "image": "", "size": "D4", "role": "", "machines": 3}
    ]
    assert told["untried_values"] == [{"value": "D4", "machines": 3}]
