"""What a rollout installed is taken back by a plan of its own: under the same rules, once, whatever the process does."""

from __future__ import annotations

from datetime import timedelta

import pytest

from orchestrator.cloud.simulated import SimulatedProvider
from orchestrator.errors import Refused
from orchestrator.inventory.regions import with_regions
from orchestrator.planner.document import dump
from orchestrator.planner.plan import plan
from orchestrator.planner.undoing import rollback_of
from orchestrator.policy.model import EVERYTHING
from orchestrator.rollout.state import MachineStatus, Rollout
from orchestrator.service.taking_back import what_can_be_taken_back
from orchestrator.topology.graph import build
from orchestrator.wiring.files import floor
from tests.fleet import vm_id
from tests.simulation.reference import reference
from tests.virtual import Script, Stage, statuses, virtual

AWAY = (timedelta(0), timedelta(minutes=4), timedelta(hours=2))


async def patched(faults: str = "") -> tuple[Stage, Rollout]:
    """The reference rollout, done."""
    stage = Stage.of(await reference(), faults)
    return stage, await stage.run()


async def taking_back(stage: Stage, rollout: Rollout) -> Stage:
    """The same world, with a plan that takes back what the rollout installed, on a disk of its own."""
    back = what_can_be_taken_back(rollout)
    cloud = SimulatedProvider(stage.world, stage.clock)
    subscriptions = sorted({machine.subscription for machine in stage.script.fleet.machines})
    fleet = with_regions(await cloud.inventory(subscriptions))
    change = rollback_of(rollout.id, back.installed)
    made = plan(build(fleet), (), floor(), change=change, select=EVERYTHING)
    stage.audit()
    return Stage(Script(fleet, dump(made)), stage.world, stage.clock)


def lacking(stage: Stage, name: str) -> int:
    """How many critical and security updates the machine lacks, by its own assessment."""
    stage.world.assess(vm_id(name), stage.clock.now())
    view = stage.world.view(vm_id(name), stage.clock.now() + timedelta(hours=1))
    return int(view["patchStatus"]["availablePatchSummary"]["criticalAndSecurityPatchCount"])


@virtual
async def test_what_was_installed_is_taken_back_everywhere_under_the_same_rules() -> None:
    """Uninstalled, restarted, checked, verified; one of each set at a time."""
    stage, rollout = await patched()
    before = lacking(stage, "a2")
    back = await taking_back(stage, rollout)
    done = await back.run()
    assert set(statuses(done).values()) == {MachineStatus.DONE}
    assert back.begun("restart") == dict.fromkeys(statuses(done), 1)
    assert back.begun("run_command") == dict.fromkeys(statuses(done), 2)
    assert lacking(back, "a2") > before
    back.judge(complete=True)
    detail = done.machines[done.planned.index[vm_id("a2")]].detail
    assert detail.startswith("the script went well, saying: taken back: KB")
    assert "; restarted; the script went well, saying: none of KB" in detail


@virtual
async def test_only_machines_that_the_rollout_changed_are_in_its_plan() -> None:
    """The others are none of its business, and aren't even listed."""
    stage, rollout = await patched("- install_fails: {machines: [a2], operation: true, code: '0x80070643'}")
    back = await taking_back(stage, rollout)
    made = await back.run()
    assert set(statuses(made)) == set(statuses(rollout)) - {"a2"}
    assert made.planned.plan.left_out == ()


@virtual
async def test_a_rollout_that_installed_nothing_has_nothing_to_take_back() -> None:
    """It says so, instead of planning nothing."""
    _, rollout = await patched("- install_fails: {operation: true, code: '0x80070643'}")
    with pytest.raises(Refused, match="has installed nothing that can be taken back"):
        what_can_be_taken_back(rollout)


@virtual
async def _die(number: int, *, durable: bool) -> bool:
    stage, rollout = await patched()
    back = await taking_back(stage, rollout)
    done = await back.survive(number, durable=durable, away=AWAY[number % len(AWAY)])
    commands, restarts = back.begun("run_command"), back.begun("restart")
    assert all(count <= 2 for count in commands.values()), back.story[-20:]
    assert all(count == 1 for count in restarts.values()), back.story[-20:]
    told = statuses(done)
    finished = {name for name, status in told.items() if status is MachineStatus.DONE}
    assert finished == set(told) or MachineStatus.UNDECIDED in told.values()
    assert all(commands[name] == 2 for name in finished)
    back.judge()
    return back.crashes == 1


@pytest.mark.parametrize("durable", [False, True])
def test_a_crash_at_any_append_takes_nothing_back_twice(durable: bool) -> None:
    """Each of the requests goes out once; only a restart that nobody can settle is a person's."""
    number = 1
    while _die(number, durable=durable):
        number += 7
    assert number > 8 * 4
