"""What a person asks while it runs: pause, resume, skip, retry, write off, approve, abort, from here and from another process."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from orchestrator.errors import Refused
from orchestrator.hosts.resting import Pace
from orchestrator.rollout import events as e
from orchestrator.rollout import messages as m
from orchestrator.rollout.state import MachineStatus, Rollout, RolloutStatus, StageStatus
from orchestrator.service.ending import ExitCode, exit_code
from orchestrator.service.look import look
from orchestrator.service.verbs import carry_out, command
from orchestrator.store.memory import MemoryJournal
from orchestrator.wiring.rollout import Running
from tests.fleet import vm_id
from tests.simulation.reference import CAMPAIGN, STEPS, reference, twins
from tests.virtual import Stage, facts_of, script, statuses, virtual

WHO, WHY = "grace", "because"
APPROVED = CAMPAIGN.replace("bake: 10m}", "then: approve}")
LISTENING = Pace(inbox_every_s=10)


async def until(stage: Stage, condition: Callable[[], bool]) -> None:
    """Wait, in virtual time, for something to become true."""
    while not condition():
        await stage.clock.sleep(5)


def machine(rollout: Rollout, name: str) -> int:
    """A machine's place in the plan."""
    return rollout.planned.index[vm_id(name)]


def status(rollout: Rollout, name: str) -> MachineStatus:
    """Where a machine stands."""
    return rollout.machines[machine(rollout, name)].status


async def ask(stage: Stage, verb: str, name: str | None = None) -> tuple[e.Event, ...]:
    """Have something done from another process."""
    journal = MemoryJournal(stage.disk)
    wanted = command(await look(journal), verb, name, WHO, WHY)
    return await carry_out(journal, wanted, stage.clock.now(), WHO)


# Pause and resume -------------------------------------------------------------------------------------------


@virtual
async def test_a_pause_carries_through_what_has_begun_and_begins_nothing() -> None:
    """Paused in mid-wave: two machines are followed to their end, then the process rests with exit code 6."""
    stage = Stage.of(await reference())

    async def person(running: Running) -> None:
        await until(stage, lambda: status(running.rollout, "a2") is MachineStatus.RUNNING)
        await running.host.ask(m.Pause(running.rollout.id, WHO, WHY))

    rollout = await stage.run(meanwhile=person)
    assert (rollout.status, exit_code(rollout), rollout.in_flight) == (
        RolloutStatus.PAUSED,
        ExitCode.NOT_FINISHED,
        0,
    )
    done = {name for name, at in statuses(rollout).items() if at is MachineStatus.DONE}
    assert done == {"a1", "b1", "a2", "b2"} == set(stage.installs())
    assert (await stage.run()).status is RolloutStatus.PAUSED
    await ask(stage, "resume")
    rollout = await stage.run()
    assert rollout.status is RolloutStatus.FINISHED
    stage.judge(complete=True)


@virtual
async def test_a_pause_from_another_process_reaches_the_one_that_writes() -> None:
    """Through the inbox: whoever sent it gets its answer, and the letter is taken once."""
    stage = Stage.of(await reference(), pace=LISTENING)
    answers: list[tuple[e.Event, ...]] = []

    async def other(running: Running) -> None:
        await until(stage, lambda: status(running.rollout, "a1") is MachineStatus.RUNNING)
        answers.append(await ask(stage, "pause"))

    rollout = await stage.run(meanwhile=other)
    assert rollout.status is RolloutStatus.PAUSED
    assert answers == [(e.RolloutPaused(WHO, WHY),)]
    assert await MemoryJournal(stage.disk).inbox() == ()


@virtual
async def test_a_letter_that_is_refused_is_answered_with_the_reason() -> None:
    """What can't be done is told to whoever asked, and changes nothing."""
    stage = Stage.of(await reference(), pace=LISTENING)

    async def other(running: Running) -> None:
        await until(stage, lambda: status(running.rollout, "a1") is MachineStatus.RUNNING)
        with pytest.raises(Refused, match=r"a1 is running since .*; wait until it is verified"):
            await ask(stage, "skip", "a1")
        with pytest.raises(Refused, match="waits for no approval now"):
            await ask(stage, "approve")

    rollout = await stage.run(meanwhile=other)
    assert rollout.status is RolloutStatus.FINISHED
    stage.judge(complete=True)


# Stop, retry, skip, write off -------------------------------------------------------------------------------


@virtual
async def test_after_a_stop_a_person_retries_and_resumes() -> None:
    """The machine gets another attempt under a fresh grant, though its probes say no; then all goes on to the end."""
    stage = Stage.of(await reference(), "- unhealthy: {machines: [a1], times: 1, recovers_after: 30m}")
    rollout = await stage.run()
    assert rollout.status is RolloutStatus.STOPPED
    await ask(stage, "retry", "a1")
    await ask(stage, "resume")
    rollout = await stage.run()
    assert (rollout.status, exit_code(rollout)) == (RolloutStatus.FINISHED, ExitCode.DONE)
    assert stage.installs()["a1"] == 2
    stage.judge(complete=True, retried=[vm_id("a1")])


@virtual
async def test_a_skipped_machine_goes_on_counting_as_out_until_it_is_well() -> None:
    """Skipped while it is unhealthy: its wave passes, and its set waits all the same."""
    stage = Stage.of(await reference(), "- unhealthy: {machines: [a2], recovers_after: 3h}")

    async def person(running: Running) -> None:
        await until(stage, lambda: status(running.rollout, "a2") is MachineStatus.UNHEALTHY)
        await running.host.ask(m.Skip(running.rollout.id, machine(running.rollout, "a2"), WHO, WHY))

    rollout = await stage.run(meanwhile=person)
    assert (status(rollout, "a2"), status(rollout, "a3")) == (MachineStatus.SKIPPED, MachineStatus.PENDING)
    assert exit_code(rollout) is ExitCode.NOT_FINISHED
    await stage.clock.sleep(3 * 3600)
    rollout = await stage.run()
    assert (rollout.status, exit_code(rollout)) == (RolloutStatus.FINISHED, ExitCode.NOT_ALL)
    assert [name for name, at in statuses(rollout).items() if at is not MachineStatus.DONE] == ["a2"]
    stage.judge(complete=True)


@virtual
async def test_a_machine_that_is_written_off_holds_nobody_back() -> None:
    """It never comes back; a named person closes its grant, and its set goes on without it."""
    stage = Stage.of(await reference(), "- stays_out: {machines: [a2]}")
    rollout = await stage.run()
    assert exit_code(rollout) is ExitCode.NOT_FINISHED
    await ask(stage, "write-off", "a2")
    rollout = await stage.run()
    assert (rollout.status, status(rollout, "a2")) == (RolloutStatus.FINISHED, MachineStatus.WRITTEN_OFF)
    assert [fact for fact in facts_of(stage.disk) if isinstance(fact, e.MachineWrittenOff)] == [
        e.MachineWrittenOff(machine(rollout, "a2"), WHO, WHY)
    ]


@virtual
async def test_an_undecided_machine_is_a_persons_and_moves_on_by_its_word() -> None:
    """Nobody could tell what became of its request: it counts as out, and only a person's retry begins another."""
    stage = Stage.of(
        await reference(),
        "- drop: {on: [install], machines: [a2], times: 1}\n"
        "- server_error: {on: [view], machines: [a2], from: 29m45s, for: 2h, status: 500}",
    )
    rollout = await stage.run()
    assert (rollout.status, status(rollout, "a2")) == (RolloutStatus.STOPPED, MachineStatus.UNDECIDED)
    assert rollout.cause.startswith("a2 is undecided: installing patches on a2: no answer")
    assert "a2" not in stage.installs()
    await stage.clock.sleep(2 * 3600)
    await ask(stage, "retry", "a2")
    await ask(stage, "resume")
    rollout = await stage.run()
    assert (rollout.status, exit_code(rollout)) == (RolloutStatus.FINISHED, ExitCode.DONE)
    assert set(stage.installs().values()) == {1}
    stage.judge(complete=True)


# Approval, abort --------------------------------------------------------------------------------------------


@virtual
async def test_a_stage_that_wants_a_yes_waits_for_it_across_processes() -> None:
    """The process rests with exit code 6; after the approval the same command goes on."""
    stage = Stage.of(await script(twins(), APPROVED))
    rollout = await stage.run()
    assert (rollout.stage_status, exit_code(rollout)) == (StageStatus.AWAITING, ExitCode.NOT_FINISHED)
    assert set(stage.installs()) == {"a1", "b1"}
    await ask(stage, "approve")
    rollout = await stage.run()
    assert rollout.status is RolloutStatus.FINISHED
    stage.judge(complete=True)


@virtual
async def test_an_abort_carries_through_what_has_begun_and_ends() -> None:
    """Reverts nothing, begins nothing; exit code 5; the steps after are done."""
    stage = Stage.of(await reference(STEPS))

    async def person(running: Running) -> None:
        await until(stage, lambda: status(running.rollout, "a2") is MachineStatus.RUNNING)
        await running.host.ask(m.Abort(running.rollout.id, WHO, WHY))

    rollout = await stage.run(meanwhile=person)
    assert (rollout.status, exit_code(rollout), rollout.in_flight) == (
        RolloutStatus.ABORTED,
        ExitCode.ABORTED,
        0,
    )
    assert set(stage.installs()) == {"a1", "b1", "a2", "b2"}
    drained = [body["name"] for name, _, body in stage.webhooks.calls if name == "drain"]
    undrained = [body["name"] for name, _, body in stage.webhooks.calls if name == "undrain"]
    assert sorted(drained) == sorted(undrained)
    stage.judge()


@virtual
async def test_what_was_in_flight_when_nobody_wrote_is_carried_through_after_an_abort() -> None:
    """Killed, aborted by hand, the same command: it follows what was under way, and begins neither it nor a new rollout."""
    stage = Stage.of(await reference())

    async def killer(running: Running) -> None:
        await until(stage, lambda: status(running.rollout, "a2") is MachineStatus.RUNNING)
        raise_in_run.cancel()

    raise_in_run = asyncio.ensure_future(stage.run(meanwhile=killer))
    with pytest.raises(asyncio.CancelledError):
        await raise_in_run
    await ask(stage, "abort")
    rollout = await stage.run()
    assert (rollout.status, rollout.in_flight) == (RolloutStatus.ABORTED, 0)
    assert len([fact for fact in facts_of(stage.disk) if isinstance(fact, e.RolloutStarted)]) == 1
    assert set(stage.installs()) == {"a1", "b1", "a2", "b2"}
    stage.judge()


@virtual
async def test_a_machine_of_an_older_rollout_is_written_off_while_a_new_one_runs() -> None:
    """The letter is decided on for the rollout that it names, and the room it gives is taken by the one that runs."""
    stage = Stage.of(await reference(), "- stays_out: {machines: [a1]}", pace=LISTENING)
    rollout = await stage.run()
    assert status(rollout, "a1") is MachineStatus.UNHEALTHY
    await ask(stage, "abort")
    rest = twins()
    second = await script(
        rest, CAMPAIGN.replace('names: "*"', "names: [a2, a3, a4]").replace("name: monthly", "name: rest")
    )
    stage.script = second

    async def other(running: Running) -> None:
        await stage.clock.sleep(600)
        assert "a2" not in stage.installs()
        await ask(stage, "write-off", "a1")

    rollout = await stage.run(meanwhile=other)
    assert (rollout.status, set(statuses(rollout).values())) == (RolloutStatus.FINISHED, {MachineStatus.DONE})
