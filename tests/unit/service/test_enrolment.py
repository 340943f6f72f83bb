"""What an enrolment sets, and what of it stands there."""

from __future__ import annotations

from dataclasses import replace

import pytest

from orchestrator.errors import Refused, UsageError
from orchestrator.inventory.model import PatchSettings
from orchestrator.planner.enrolment import BYPASS, MODE, PLATFORM
from orchestrator.policy.change import Enrolment, Settings
from orchestrator.rollout.state import MachineStatus, Rollout, RolloutStatus
from orchestrator.service.enrolment import (
    Transition,
    done_by,
    moved_since,
    read_back,
    transitions,
    written_by,
)
from tests.fleet import inventory, vm, vm_id
from tests.unit.service.test_compliance import rollout


def settings(name: str, mode: str | None = "AutomaticByOS") -> Settings:
    """What enrols a machine that was of this mode."""
    return Settings(vm_id(name), ((BYPASS, True), (MODE, PLATFORM)), ((BYPASS, None), (MODE, mode)))


CHANGE = Enrolment((settings("a"), settings("b"), settings("c", None)))


def enrolling(over: RolloutStatus = RolloutStatus.FINISHED, **statuses: MachineStatus) -> Rollout:
    """A rollout of it."""
    made = rollout(**statuses)
    plan = replace(made.planned.plan, change=CHANGE)
    return replace(made, status=over, planned=replace(made.planned, plan=plan))


def test_what_goes_from_what_to_what() -> None:
    """A line a setting and former value, absent by that word."""
    assert transitions(CHANGE) == (
        Transition(BYPASS, "absent", "true", 3),
        Transition(MODE, "AutomaticByOS", PLATFORM, 2),
        Transition(MODE, "absent", PLATFORM, 1),
    )


def test_what_was_begun_may_have_been_written() -> None:
    """Whoever was given the request counts, done or not; whoever wasn't is left out."""
    made = enrolling(a=MachineStatus.DONE, b=MachineStatus.NOT_CHANGED, c=MachineStatus.PENDING)
    assert [one.machine for one in done_by(made).change.settings] == [vm_id("a"), vm_id("b")]
    assert written_by(made) == (vm_id("a"),)


def test_only_an_enrolment_that_is_over_is_taken_back() -> None:
    """Patches are none, and one that goes on would write again."""
    with pytest.raises(UsageError, match="wrote no settings"):
        done_by(rollout(a=MachineStatus.DONE))
    with pytest.raises(Refused, match="isn't over: abort it first"):
        done_by(enrolling(RolloutStatus.RUNNING, a=MachineStatus.DONE))


def test_reading_back() -> None:
    """As wanted, otherwise, or gone."""
    fleet = inventory(
        vm("a", patch_mode=PLATFORM, patch_settings=PatchSettings(bypasses_safety_checks=True)),
        vm("b", patch_mode=PLATFORM),
    )
    seen = read_back(CHANGE.settings, fleet)
    assert (seen.right, seen.gone) == (1, 1)
    assert seen.differing == {"b": "bypassPlatformSafetyChecksOnUserSchedule is absent, not true"}


def test_what_moved_since_the_plan() -> None:
    """Neither as it was found nor as it is wanted. As it was, or as it is wanted already, is fine; another change moves nothing."""
    plan = enrolling(a=MachineStatus.PENDING, b=MachineStatus.PENDING, c=MachineStatus.PENDING).planned.plan
    fleet = inventory(
        vm("a", patch_mode="Manual"),
        vm("b", patch_mode="AutomaticByOS"),
        vm("c", patch_mode=PLATFORM, patch_settings=PatchSettings(bypasses_safety_checks=True)),
    )
    ((index, why),) = moved_since(plan, fleet)
    assert plan.machines[index].id == vm_id("a")
    assert why == "its settings were changed since the plan: patchMode is Manual, not AutomaticByOS"
    assert moved_since(rollout(a=MachineStatus.PENDING).planned.plan, fleet) == ()
