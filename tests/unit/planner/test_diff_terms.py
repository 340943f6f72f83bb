"""What plans lay down besides machines, constraints and lanes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from orchestrator.planner.diff_terms import term_changes
from orchestrator.planner.model import Plan, PlannedMachine
from orchestrator.policy.model import Health, Patches, Probe, ProbeKind, Restart, Share, StopWhen
from tests.builders import lane, plan_of, stage, step

PLAN = plan_of(
    lane("broad-1", "a b", "c"), stages=[stage("broad", bake=timedelta(hours=4))], before=[step("drain")]
)


def told(new: Plan, old: Plan = PLAN) -> list[tuple[str, str, str, tuple[str, ...]]]:
    """The changes as tuples."""
    return [(term.what, term.was, term.now, term.machines) for term in term_changes(old, new)]


def test_the_same_plan_lays_down_the_same() -> None:
    """Whatever it was made of."""
    other = replace(PLAN, taken_at=None, inventory_fingerprint="x", policies_fingerprint="y")

    assert told(other) == []


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"name": "other"}, ("the campaign", "test", "other")),
        (
            {"stop_when": StopWhen(Share(count=2), Share(count=1000))},
            ("it stops at unhealthy", "1000", "2"),
        ),
        ({"replaces": ("zones",)}, ("built-in rules replaced", "nothing", "zones")),
        ({"solver": "ortools 9.15"}, ("lanes searched to the end by", "nothing", "ortools 9.15")),
        ({"max_in_flight": 50}, ("in flight at most", "any number", "50")),
        ({"max_wait": timedelta(hours=2)}, ("longest wait", "24h", "2h")),
        (
            {"stages": (stage("broad", bake=timedelta(hours=2), approve=True),)},
            ("after stage broad", "bakes 4h", "bakes 2h, waits for approval"),
        ),
        (
            {"change": Patches(published_until=datetime(2026, 11, 22, 1, tzinfo=UTC))},
            ("patches published until", "any time", "2026-11-22 01:00 UTC"),
        ),
        ({"change": Patches(only_kbs=("1", "2"))}, ("KBs that assessments found", "nothing", "1, 2")),
        ({"change": Patches(only_packages=())}, ("packages that assessments found", "nothing", "none")),
    ],
)
def test_what_holds_for_the_whole_plan(change: dict[str, object], expected: tuple[str, str, str]) -> None:
    """Each term by its name, as it was and as it is."""
    assert told(replace(PLAN, **change)) == [(*expected, ())]  # type: ignore[arg-type]  # a field each


def test_another_change_and_another_stage_are_told() -> None:
    """A restart publishes nothing; a stage that comes has a gate where there was none."""
    new = replace(PLAN, change=Restart(), stages=(stage("canary"), *PLAN.stages))

    assert [what for what, *_ in told(new)] == ["the change", "the stages", "patches published until"]


def machines(edit: Callable[[PlannedMachine], PlannedMachine], names: str) -> tuple[PlannedMachine, ...]:
    """The plan's machines, those of these names edited."""
    return tuple(edit(machine) if machine.name in names.split() else machine for machine in PLAN.machines)


def test_health_is_compared_machine_by_machine() -> None:
    """However the tables are ordered, and told once for all to which the same happened."""
    slow = Health(min_healthy_time=timedelta(minutes=8))
    new = replace(PLAN, health=(slow, Health()), machines=machines(lambda m: replace(m, health=1), "c"))

    (what, was, now, whom), *others = told(new)
    assert others == []
    assert (what, whom) == ("health", ("a", "b"))
    assert (was.split(" within ")[0], now.split(" within ")[0]) == ("well for 5m", "well for 8m")


def test_probes_and_steps_are_told_in_words() -> None:
    """What is asked, and what is done around the change."""
    asked = replace(
        PLAN,
        probes=(Probe(ProbeKind.VM_AGENT),),
        machines=machines(lambda m: replace(m, probes=(0,), around=()), "b"),
    )

    assert told(asked) == [
        ("probes", "nothing", "vm_agent", ("b",)),
        ("steps around", "before: drain (10m)", "nothing", ("b",)),
    ]


def test_an_address_of_its_own_is_told_once_for_all() -> None:
    """So is what rules read, unless the two plans read different tags: then the digests say nothing."""
    moved = replace(PLAN, machines=machines(lambda m: replace(m, private_ip=m.name, facts=m.name), "a c"))
    both = [
        ("name, address or tags that probes read", "", "changed", ("a", "c")),
        ("zone, set, domains or tags that rules read", "", "changed", ("a", "c")),
    ]

    assert told(moved) == both
    assert told(replace(moved, read_tags=("tier",))) == both[:1]


def test_machines_that_one_plan_only_counts_are_passed_over() -> None:
    """What they are asked makes no difference to what runs."""
    new = replace(PLAN, machines=machines(lambda m: replace(m, change=False, policies=("x",)), "a"))

    assert told(new) == []
