"""Restarts and scripts as changes of their own, and scripts as steps: done once, whatever the process and the network do.

The reference fleet: sets as-a and as-b of four machines, of which one at a time may be out; a1 and b1 are the canary.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from orchestrator.executor.log import replay
from orchestrator.inventory.model import Inventory, PatchState
from orchestrator.rollout import messages as m
from orchestrator.rollout.patch_results import installed_kbs
from orchestrator.rollout.state import MachineStatus, Rollout, RolloutStatus
from orchestrator.store.memory import MemoryJournal
from orchestrator.wiring.rollout import Running
from tests.fleet import vm_id
from tests.simulation.reference import CAMPAIGN, twins
from tests.virtual import START, Script, Stage, die_at_every_append, script, statuses, virtual

AWAY = (timedelta(0), timedelta(minutes=4), timedelta(hours=2))
"""How long nobody drives it after a crash."""

RESTART = CAMPAIGN.replace("{patches: {}}", "{restart: {}}")
PENDING = CAMPAIGN.replace("{patches: {}}", "{restart: {only: pending}}")
SCRIPT = CAMPAIGN.replace("{patches: {}}", "{run_command: {script: cache.ps1, timeout: 10m}}")
DRAINED = """
version: 1
name: drained
select: {names: "*"}
around: [{before: {run_command: {script: drain.ps1}}, after: {run_command: {script: undrain.ps1}}}]
"""
TEXTS = {
    "cache.ps1": "Clear-Cache\n",
    "drain.ps1": "Write-Output gone\n",
    "undrain.ps1": "Write-Output here\n",
}


def pending(*names: str) -> Inventory:
    """The fleet with a restart pending on these, and on no other."""
    fleet = twins()
    at = START - timedelta(hours=1)
    states = {
        m.id: PatchState(assessed_at=at, critical_and_security=0, other=0, reboot_pending=m.name in names)
        for m in fleet.machines
    }
    return replace(fleet, machines=tuple(replace(m, patches=states[m.id]) for m in fleet.machines))


_MADE: dict[tuple[str, ...], Script] = {}


async def made(*policies: str) -> Script:
    """The script of these policies, made once."""
    if policies not in _MADE:
        _MADE[policies] = await script(twins(), *policies, scripts=TEXTS)
    return _MADE[policies]


def all_done(rollout: Rollout) -> bool:
    """Whether every machine is done."""
    return set(statuses(rollout).values()) == {MachineStatus.DONE}


def detail(rollout: Rollout, name: str) -> str:
    """What came of a machine."""
    return rollout.machines[rollout.planned.index[vm_id(name)]].detail


# Restarts ---------------------------------------------------------------------------------------------------


@virtual
async def test_every_machine_is_restarted_once() -> None:
    """One of each set at a time, as with patches."""
    stage = Stage.of(await made(RESTART))
    rollout = await stage.run()
    assert all_done(rollout)
    assert stage.begun("restart") == dict.fromkeys(statuses(rollout), 1)
    stage.judge(complete=True)


@virtual
async def test_only_machines_with_a_restart_pending_are_planned() -> None:
    """The others are left out by name."""
    stage = Stage.of(await script(pending("a2", "b1"), PENDING))
    rollout = await stage.run()
    assert stage.begun("restart") == {"a2": 1, "b1": 1}
    left = {one.machine: one.reason for one in rollout.planned.plan.left_out}
    assert left[vm_id("a1")] == "no restart is pending on it"


@virtual
async def test_a_restart_that_somebody_else_has_done_meanwhile_is_not_done_again() -> None:
    """It is read anew before the grant: the machine is left out by name, and nothing is sent."""
    stage = Stage.of(await script(pending("a2", "b1"), PENDING))
    stage.world.restart(vm_id("a2"), stage.clock.now())
    await stage.clock.sleep(3600)
    stage.world.assess(vm_id("a2"), stage.clock.now())  # which is what says so, in Azure as here
    await stage.clock.sleep(3600)
    stage.audit()
    stage.happened.clear()
    rollout = await stage.run()
    assert stage.begun("restart") == {"b1": 1}
    assert detail(rollout, "a2") == "no restart is pending on it any more"
    assert statuses(rollout)["a2"] is MachineStatus.LEFT_OUT


@virtual
async def _restart_and_die(number: int, *, durable: bool) -> bool:
    stage = Stage.of(await made(RESTART))
    rollout = await stage.survive(number, durable=durable, away=AWAY[number % len(AWAY)])
    assert all(count == 1 for count in stage.begun("restart").values()), stage.story[-20:]
    undecided = [name for name, status in statuses(rollout).items() if status is MachineStatus.UNDECIDED]
    assert all_done(rollout) or (undecided and rollout.status is RolloutStatus.STOPPED)
    stage.judge()
    return stage.crashes == 1


@pytest.mark.parametrize("durable", [False, True])
def test_a_crash_at_any_append_restarts_nothing_twice(durable: bool) -> None:
    """A restart leaves no id to compare: where nobody knows whether it was taken, it is a person's."""
    die_at_every_append(lambda number: _restart_and_die(number, durable=durable), every=2, least=8 * 3)


# Scripts ----------------------------------------------------------------------------------------------------


@virtual
async def test_a_script_is_run_once_on_every_machine_and_taken_away_after() -> None:
    """Its managed command is a resource of the machine, of which Azure keeps no more than a few."""
    stage = Stage.of(await made(SCRIPT))
    rollout = await stage.run()
    assert all_done(rollout)
    assert stage.begun("run_command") == dict.fromkeys(statuses(rollout), 1)
    assert detail(rollout, "a2") == "the script went well"
    names = stage.world.list_commands(vm_id("a2"), stage.clock.now()).body
    assert names == {"value": []}
    stage.judge(complete=True)


@virtual
async def test_a_script_that_fails_leaves_its_machine_not_changed_and_its_command_to_be_read() -> None:
    """With the exit code and the last line of what it said."""
    fault = "- command_fails: {machines: [a2], exit_code: 3, message: no such service}"
    stage = Stage.of(await made(SCRIPT), fault)
    rollout = await stage.run()
    assert statuses(rollout)["a2"] is MachineStatus.NOT_CHANGED
    assert detail(rollout, "a2") == "the script ended with exit code 3: no such service"
    assert stage.begun("run_command")["a2"] == 1
    told = stage.world.list_commands(vm_id("a2"), stage.clock.now()).body or {}
    assert len(told["value"]) == 1


@virtual
async def test_a_script_that_hangs_is_ended_at_its_timeout() -> None:
    """Azure ends it; the machine isn't changed."""
    stage = Stage.of(await made(SCRIPT), "- command_hangs: {machines: [a2]}")
    rollout = await stage.run()
    assert statuses(rollout)["a2"] is MachineStatus.NOT_CHANGED
    assert detail(rollout, "a2") == "The script didn't end within 10 minutes"


@virtual
async def script_and_die(number: int, *, durable: bool, faults: str = "", **parts: Any) -> bool:
    """Die at that append of a campaign that runs a script. Whether there was such an append."""
    stage = Stage.of(await made(SCRIPT), faults, **parts)
    rollout = await stage.survive(number, durable=durable, away=AWAY[number % len(AWAY)])
    assert all_done(rollout), stage.story[-20:]
    assert stage.begun("run_command") == dict.fromkeys(statuses(rollout), 1), stage.story[-20:]
    stage.judge(complete=True)
    return stage.crashes == 1


@pytest.mark.parametrize("durable", [False, True])
def test_a_crash_at_any_append_runs_no_script_twice(durable: bool) -> None:
    """Its name tells whether it was taken: nothing is ever undecided."""
    die_at_every_append(lambda number: script_and_die(number, durable=durable), every=2, least=8 * 3)


LOST = "- lost_answer: {on: [run_command], share: 0.5}"
REFUSED = "- server_error: {on: [run_command], status: 503, per: machine, times: 1}"
CUT = "- drop: {on: [run_command], per: machine, times: 1}"


@pytest.mark.parametrize("number", range(2, 40, 6))
@pytest.mark.parametrize("faults", [LOST, REFUSED, CUT], ids=["lost", "refused", "cut"])
def test_a_crash_while_answers_are_lost_or_no_help_runs_no_script_twice(number: int, faults: str) -> None:
    """Whatever becomes of the answer, the name is asked for before anything is sent again."""
    script_and_die(number, durable=bool(number % 4), faults=faults)


@pytest.mark.parametrize("number", range(3, 40, 9))
def test_the_same_holds_with_the_sdk_on_the_way(number: int) -> None:
    """The SDK's own codec between us and the world."""
    script_and_die(number, durable=bool(number % 2), sdk=True)


@virtual
async def _drain_and_die(number: int, *, durable: bool) -> bool:
    stage = Stage.of(await made(CAMPAIGN, DRAINED))
    rollout = await stage.survive(number, durable=durable, away=AWAY[number % len(AWAY)])
    assert all_done(rollout), stage.story[-20:]
    assert stage.begun("run_command") == dict.fromkeys(statuses(rollout), 2), stage.story[-20:]
    assert stage.installs() == dict.fromkeys(statuses(rollout), 1)
    stage.judge(complete=True)
    return stage.crashes == 1


@pytest.mark.parametrize("durable", [False, True])
def test_a_crash_at_any_append_runs_no_script_around_a_machine_twice(durable: bool) -> None:
    """Before and after the change, each once: a step's key is the name of its command."""
    die_at_every_append(lambda number: _drain_and_die(number, durable=durable), every=5, least=8 * 4)


@virtual
async def test_a_script_before_that_fails_keeps_the_change_from_being_begun() -> None:
    """The machine isn't changed, and its script after runs only where it says `when: always`."""
    stage = Stage.of(await made(CAMPAIGN, DRAINED), "- command_fails: {machines: [a2], times: 1}")
    rollout = await stage.run()
    assert statuses(rollout)["a2"] is MachineStatus.NOT_CHANGED
    assert "a2" not in stage.installs()


# Updates that people keep out -------------------------------------------------------------------------------


@virtual
async def test_a_blocked_update_is_installed_nowhere_from_then_on() -> None:
    """The canary has it; a person blocks it while the canary bakes; nobody else gets it, and the rollout goes on."""
    stage = Stage.of(await made(CAMPAIGN))
    blocked: list[str] = []

    async def when_the_canary_is_done(running: Running) -> None:
        while not running.rollout.patches:
            await stage.clock.sleep(60)
        (kb, *_) = installed_kbs(running.rollout.patches[0])
        blocked.append(kb)
        await running.host.ask(m.Block(kb, "ada", "it breaks the shop"))

    rollout = await stage.run(meanwhile=when_the_canary_is_done)
    (kb,) = blocked
    have = {
        machine.name
        for machine, run in zip(rollout.planned.plan.machines, rollout.machines, strict=True)
        if run.patches >= 0 and kb in installed_kbs(rollout.patches[run.patches])
    }
    assert have <= {"a1", "b1"}
    assert have
    assert all_done(rollout)
    again = await replay(MemoryJournal(stage.disk))
    assert again.blocked[kb].reason == "it breaks the shop"
