"""What policies say of stages and of single machines, as it comes about when their plan runs."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from orchestrator.inventory.model import Inventory
from orchestrator.rollout.state import MachineStatus, RolloutStatus, StageStatus
from orchestrator.service.look import look
from orchestrator.service.verbs import carry_out, command
from orchestrator.store.memory import MemoryJournal
from tests.fleet import inventory, vm, vm_id
from tests.virtual import START, Stage, script, statuses, virtual

CAMPAIGN = """
version: 1
name: monthly
select: {names: "*"}
change: {patches: {}}
health: {min_healthy_time: 1m, healthy_deadline: 20m}
replaces: availability-first
"""


def alike(count: int) -> Inventory:
    """So many machines under no rule."""
    return inventory(*(vm(f"m{number:02}") for number in range(count)))


def well_at_each_opening(stage: Stage) -> list[int]:
    """How many machines were done when each stage opened."""
    done, found = 0, []
    for line in stage.story:
        done += ": done" in line
        if " opened (" in line:
            found.append(done)
    return found


@virtual
async def test_a_stage_that_grows_begins_no_step_before_all_of_the_last_are_well() -> None:
    """One, then two, then four, then the three that are left."""
    stage = Stage.of(await script(alike(10), CAMPAIGN + "stages: [{name: broad, growing: true}]\n"))

    rollout = await stage.run()

    assert rollout.status is RolloutStatus.FINISHED
    assert well_at_each_opening(stage) == [0, 1, 3, 7]
    assert len(stage.installs()) == 10
    stage.judge(complete=True)


@virtual
async def test_machines_that_are_alone_wait_for_a_persons_yes() -> None:
    """The others are done; without the yes they are never touched, and with it they are changed."""
    fleet = inventory(vm("alone", tags={"app": "a"}), *(vm(f"web{n}", tags={"app": "web"}) for n in range(3)))
    rule = "rules: [{min_available: majority, per: 'tag:app', singletons: approve}]\n"
    stage = Stage.of(await script(fleet, CAMPAIGN + rule + "stages: [{name: broad}]\n"))

    rollout = await stage.run()

    assert (rollout.status, rollout.stage_status) == (RolloutStatus.RUNNING, StageStatus.AWAITING)
    assert set(stage.installs()) == {"web0", "web1", "web2"}
    journal = MemoryJournal(stage.disk)
    wanted = command(await look(journal), "approve", None, "grace", "tonight is fine")
    await carry_out(journal, wanted, stage.clock.now(), "grace")
    rollout = await stage.run()
    assert rollout.status is RolloutStatus.FINISHED
    assert statuses(rollout)["alone"] is MachineStatus.DONE
    stage.judge(complete=True)


@virtual
async def test_a_campaign_of_machines_that_are_alone_touches_none_before_the_yes() -> None:
    """Its own stages are empty, and the approval is asked for all the same."""
    fleet = inventory(vm("alone", tags={"app": "a"}))
    rule = "rules: [{min_available: 1, per: 'tag:app', singletons: approve}]\n"
    stage = Stage.of(await script(fleet, CAMPAIGN + rule))

    rollout = await stage.run()

    assert rollout.stage_status is StageStatus.AWAITING
    assert stage.clock.now() - START < timedelta(hours=1)
    assert stage.installs() == {}


@virtual
async def test_a_hold_that_came_after_the_plan_keeps_its_machine_out() -> None:
    """It is left out by name, goes on serving, and the others are changed."""
    made = await script(alike(30), CAMPAIGN + "stages: [{name: broad}]\n")
    held = tuple(
        replace(machine, tags={"wavekeeper-hold": "2026-12-01 disk"}) if machine.name == "m07" else machine
        for machine in made.fleet.machines
    )
    stage = Stage.of(made)

    rollout = await stage.run(live=replace(made.fleet, machines=held))

    assert rollout.status is RolloutStatus.FINISHED
    run = rollout.machines[rollout.planned.index[vm_id("m07")]]
    assert (run.status, run.detail) == (
        MachineStatus.LEFT_OUT,
        "it is on hold until 2026-12-01: disk (tag wavekeeper-hold)",
    )
    assert sorted(stage.installs()) == [f"m{number:02}" for number in range(30) if number != 7]
