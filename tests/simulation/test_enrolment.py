"""Enrolment as a rollout: a write that may be sent twice, so that nothing of it is ever undecided."""

from __future__ import annotations

from dataclasses import replace

import pytest

from orchestrator.inventory.model import Inventory, PatchSettings
from orchestrator.planner.document import dump
from orchestrator.planner.enrolment import enrol, unenrol
from orchestrator.planner.plan import plan
from orchestrator.policy.change import Enrolment
from orchestrator.policy.model import EVERYTHING
from orchestrator.rollout.state import MachineStatus, RolloutStatus
from orchestrator.service.enrolment import done_by, read_back, transitions
from orchestrator.topology.graph import build
from orchestrator.wiring.files import floor
from tests.simulation.reference import twins
from tests.virtual import Crashed, Script, Stage, live_fleet, virtual


async def enrolling(mode: str = "AutomaticByPlatform") -> tuple[Enrolment, Script]:
    """Eight machines that Azure patches by itself, and the plan that enrols them."""
    fleet = twins()
    patched = replace(
        fleet,
        machines=tuple(
            replace(
                one,
                patch_mode=mode,
                patch_settings=PatchSettings(assessment_mode="ImageDefault"),
            )
            for one in fleet.machines
        ),
    )
    live = await live_fleet(patched)
    change = enrol(live.machines).change
    made = plan(build(live), [], floor(), change=change, select=EVERYTHING)
    return change, Script(live, dump(made))


async def fleet_of(stage: Stage) -> Inventory:
    """The fleet as it is now."""
    cloud = stage.cloud()
    return await cloud.inventory(sorted({one.subscription for one in stage.script.fleet.machines}))


@pytest.mark.parametrize("sdk", [False, True])
@pytest.mark.parametrize(
    "fault",
    [
        "",
        "- lost_answer: {on: [update], times: 3}",
        "- drop: {on: [update], times: 3}",
        "- server_error: {on: [update], status: 503, times: 3}",
        "- throttle: {on: [update], from: 0m, for: 10m, retry_after: 60}",
    ],
)
def test_it_is_done_whatever_becomes_of_answers(fault: str, *, sdk: bool) -> None:
    """A lost answer is no reason to ask a person: the settings are sent again. All machines read back as wanted, and nobody was down."""

    @virtual
    async def story() -> None:
        change, script = await enrolling()
        stage = Stage.of(script, fault, sdk=sdk)
        rollout = await stage.run()
        assert rollout.status is RolloutStatus.FINISHED
        seen = read_back(change.settings, await fleet_of(stage))
        assert (seen.right, seen.differing, seen.gone) == (8, {}, 0)
        assert not [line for line in stage.audit() if line["event"] in {"out", "install"}]

    story()


@virtual
async def test_it_goes_on_after_a_crash_and_is_taken_back() -> None:
    """A process dies in the middle; the next one ends it. What it set is taken back to what stood there, to the letter."""
    _, script = await enrolling()
    stage = Stage.of(script)
    before = {one.id: one for one in (await fleet_of(stage)).machines}
    with pytest.raises(Crashed):
        await stage.run(crash_at=12)
    rollout = await stage.run()
    done = done_by(rollout).change
    assert [(one.before, one.after, one.machines) for one in transitions(done)] == [("absent", "true", 8)]
    now = await fleet_of(stage)
    back = unenrol(done, rollout.id, {one.id: one for one in now.machines}).change
    made = plan(build(now), [], floor(), change=back, select=EVERYTHING)
    again = replace(stage, script=replace(script, plan=dump(made)))
    assert (await again.run()).status is RolloutStatus.FINISHED
    after = {one.id: one for one in (await fleet_of(stage)).machines}
    assert {one: after[one].patch_settings for one in after} == {
        one: before[one].patch_settings for one in before
    }


@virtual
async def test_what_was_changed_since_the_review_is_left_alone() -> None:
    """Somebody set a machine otherwise after the plan was made: what the plan keeps of it isn't so any more, and it is not touched."""
    _, script = await enrolling("AutomaticByOS")
    moved = tuple(
        replace(one, patch_mode="Manual") if one.name == "a2" else one for one in script.fleet.machines
    )
    stage = Stage.of(script)
    rollout = await stage.run(live=replace(script.fleet, machines=moved))
    (left,) = [run for run in rollout.machines if run.status is MachineStatus.LEFT_OUT]
    assert left.detail.startswith("its settings were changed since the plan: ")
    assert rollout.counts[MachineStatus.DONE] == 7


@virtual
async def test_a_machine_that_azure_never_takes_settings_for_ends_too() -> None:
    """It is tried a few times and is not changed; the others are."""
    _, script = await enrolling()
    stage = Stage.of(script, "- server_error: {on: [update], machines: [a2], status: 503}")
    rollout = await stage.run()
    assert rollout.counts[MachineStatus.DONE] == 7
    assert rollout.counts[MachineStatus.UNDECIDED] == 0
    assert rollout.status is RolloutStatus.FINISHED
