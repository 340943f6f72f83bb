"""The loop: order, durability, rest, and what becomes of errors."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest

from orchestrator.clock import LoopClock
from orchestrator.cloud.port import Target
from orchestrator.errors import AccessDenied, JournalError, Refused
from orchestrator.executor.log import Decided
from orchestrator.hosts.resting import Pace
from orchestrator.planner.document import dump
from orchestrator.planner.model import Plan
from orchestrator.rollout import events as e
from orchestrator.rollout import messages as m
from orchestrator.rollout.state import MachineStatus, Rollout, RolloutStatus
from orchestrator.service.ending import ExitCode, exit_code
from orchestrator.store.memory import MemoryJournal
from orchestrator.store.port import Letter, Moving
from orchestrator.wiring.rollout import Running, begin
from tests.builders import budget, lane, plan_of, stage
from tests.fleet import inventory, vm
from tests.virtual import START, Script, Stage, facts_of, statuses, virtual

NAMES = "a b c d e f g h"


class SlowJournal(MemoryJournal):
    """Rows become durable a second after they were queued, in order."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._turn = asyncio.Lock()
        self.durable = 0

    async def append(
        self,
        expected_seq: int,
        rollout: str,
        at: datetime,
        body: bytes,
        *,
        documents: Mapping[str, bytes] | None = None,
        letters: Sequence[str] = (),
        drops: Sequence[str] = (),
        moving: Moving | None = None,
    ) -> int:
        """After the ones before it, and a second."""
        async with self._turn:
            await asyncio.sleep(1)
            self.durable = await super().append(
                expected_seq,
                rollout,
                at,
                body,
                documents=documents,
                letters=letters,
                drops=drops,
                moving=moving,
            )
        return self.durable


def staged(plan: Plan | None = None, faults: str = "", **parts: Any) -> Stage:
    """Eight machines alone, in one wave, under whatever rules."""
    chosen = plan or plan_of(lane("west", NAMES))
    fleet = inventory(*(vm(machine.name) for machine in chosen.machines))
    script = Script(fleet, dump(chosen))
    return Stage.of(script, faults, **parts)


class Hosted:
    """A stage whose journal and process the test holds in its hands; the plan by hand isn't judged."""

    def __init__(self, made: Stage, journal: MemoryJournal | None = None) -> None:
        self.stage = made
        self.journal = journal or MemoryJournal(made.disk)

    async def begin(self) -> Running:
        """A process that has the lock and knows where it stands."""
        await self.journal.acquire("ada", self.stage.clock.now())
        self.services = self.stage.services()
        return await begin(
            self.journal, self.services, self.stage.script.plan, who="ada", pace=self.stage.pace
        )


# Order and durability ---------------------------------------------------------------------------------------


@virtual
async def test_no_request_leaves_before_its_intent_is_durable() -> None:
    """Whenever a machine is asked to begin, the row that says so is on the disk."""
    made = staged()
    hosted = Hosted(made, SlowJournal(made.disk))
    running = await hosted.begin()
    start, early = running.services.cloud.start, []

    async def watched(target: Target, *rest: Any) -> Any:
        durable = [f for f in facts_of(made.disk) if isinstance(f, e.Intended)]
        if running.rollout.planned.index[target.id] not in {fact.machine for fact in durable}:
            early.append(target.name)
        return await start(target, *rest)

    running.services.cloud.start = watched  # type: ignore[method-assign]  # a witness in between
    await running.run()
    assert (early, running.rollout.status) == ([], RolloutStatus.FINISHED)


@virtual
async def test_listeners_hear_of_durable_rows_alone_and_in_order() -> None:
    """What is told to a person can't be unsaid."""
    made = staged()
    journal = SlowJournal(made.disk)
    running = await Hosted(made, journal).begin()
    heard: list[tuple[int, int]] = []
    running.host.listen(lambda decided: heard.append((decided.seq, journal.durable)))
    await running.run()
    assert [seq for seq, _ in heard] == list(range(2, journal.durable + 1))
    assert all(seq <= durable for seq, durable in heard)


@virtual
async def test_decisions_do_not_wait_for_the_disk() -> None:
    """Eight machines are looked at at once: eight rows queue, and none of them waits for another."""
    made = staged()
    running = await Hosted(made, SlowJournal(made.disk)).begin()
    queued = 0

    async def look() -> None:
        nonlocal queued
        while True:
            queued = max(queued, len(running.host._commits))
            await asyncio.sleep(0.2)

    watching = asyncio.create_task(look())
    await running.run()
    watching.cancel()
    assert queued >= 8


@virtual
async def test_a_request_that_has_just_ended_is_not_sent_again_by_what_touches_everything() -> None:
    """A pause that becomes durable between an answer and the decision on it asks everybody anew."""
    made = staged()
    running = await Hosted(made).begin()
    host, start = running.host, running.services.cloud.start

    async def paused(target: Target, *rest: Any) -> Any:
        answer = await start(target, *rest)
        if running.rollout.status is RolloutStatus.RUNNING:
            host.post(m.Pause(running.rollout.id, "ada", "in the very moment"))
        return answer

    running.services.cloud.start = paused  # type: ignore[method-assign]  # the moment
    await running.run()
    assert running.rollout.status is RolloutStatus.PAUSED
    assert set(made.installs().values()) == {1}


# Room -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "plan",
    [
        plan_of(lane("west", NAMES), rules=[budget(2, NAMES)]),
        plan_of(lane("west", NAMES), max_in_flight=2),
    ],
)
def test_as_many_machines_are_asked_as_there_is_room_for(plan: Plan) -> None:
    """Eight want two places: never more than two are looked at or under way."""

    @virtual
    async def story() -> None:
        made = staged(plan)
        running = await Hosted(made).begin()
        rollout, read = running.rollout, running.services.views.read
        asked: set[str] = set()
        most = 0

        async def counted(target: Target) -> Any:
            nonlocal most
            if rollout.machines[rollout.planned.index[target.id]].status is MachineStatus.PENDING:
                asked.add(target.id)
            most = max(most, len(asked) + rollout.in_flight)
            try:
                return await read(target)
            finally:
                asked.discard(target.id)

        running.services.views.read = counted  # type: ignore[method-assign]  # a witness in between
        await running.run()
        assert (most, rollout.status) == (2, RolloutStatus.FINISHED)

    story()


# Rest -------------------------------------------------------------------------------------------------------


@virtual
async def test_it_rests_when_only_somebodys_recovery_can_move_it() -> None:
    """After half an hour of that, and not before."""
    made = staged(
        plan_of(lane("west", "a", "b"), rules=[budget(1, "a b c")]), "- goes_off: {machines: [c], at: 1m}"
    )
    rollout = await _run(made)
    assert (rollout.status, statuses(rollout)["b"]) == (RolloutStatus.RUNNING, MachineStatus.PENDING)
    assert made.clock.now() - START > timedelta(minutes=30)


@virtual
async def test_its_patience_can_be_told() -> None:
    """A daemon waits for days; a command for minutes."""
    made = staged(
        plan_of(lane("west", "a", "b"), rules=[budget(1, "a b c")]),
        "- goes_off: {machines: [c], at: 1m, for: 5h}",
        pace=Pace(patience=timedelta(hours=6), inbox_every_s=0),
    )
    rollout = await _run(made)
    assert rollout.status is RolloutStatus.FINISHED


@virtual
async def test_a_bake_is_waited_for_whatever_ones_patience() -> None:
    """It ends by itself."""
    made = staged(
        plan_of(
            lane("one", "a", stage="canary"),
            lane("two", "b"),
            stages=[stage("canary", bake=timedelta(hours=8)), stage("broad")],
        ),
        pace=Pace(patience=timedelta(minutes=1), inbox_every_s=0),
    )
    assert (await _run(made)).status is RolloutStatus.FINISHED
    assert made.clock.now() - START > timedelta(hours=8)


@virtual
async def test_one_that_was_away_for_longer_than_a_wave_waits_finds_who_is_well_again() -> None:
    """The place that its wave waited for was given back meanwhile."""
    made = staged(
        plan_of(lane("west", "a", "b"), rules=[budget(1, "a b c")]),
        "- goes_off: {machines: [c], at: 1m, for: 5h}",
    )
    assert (await _run(made)).status is RolloutStatus.RUNNING
    await made.clock.sleep(timedelta(hours=30).total_seconds())
    rollout = await _run(made)
    assert (rollout.status, statuses(rollout)["b"]) == (RolloutStatus.FINISHED, MachineStatus.DONE)


@virtual
async def test_it_stays_to_the_end_of_its_look_whatever_ones_patience() -> None:
    """Or each process would begin anew with it, and none would ever give up."""
    made = staged(
        plan_of(lane("west", "a", "b"), rules=[budget(1, "a b c")]),
        "- goes_off: {machines: [c], at: 1m}",
        pace=Pace(patience=timedelta(minutes=1), inbox_every_s=0),
    )
    assert (await _run(made)).status is RolloutStatus.RUNNING
    await made.clock.sleep(timedelta(hours=30).total_seconds())
    back = made.clock.now()
    rollout = await _run(made)
    assert (rollout.status, statuses(rollout)["b"]) == (RolloutStatus.FINISHED, MachineStatus.LEFT_OUT)
    assert made.clock.now() - back > timedelta(minutes=10)


class Leaping(LoopClock):
    """A clock of a host that is asleep at times."""

    asleep = timedelta(0)

    def now(self) -> datetime:
        """The time that others have, which went on meanwhile."""
        return super().now() + self.asleep


@virtual
async def test_one_whose_host_was_asleep_looks_before_it_gives_anybody_up() -> None:
    """The process never died, and nobody looked all the same."""
    made = staged(
        plan_of(lane("west", "a", "b"), rules=[budget(1, "a b c")]),
        "- goes_off: {machines: [c], at: 1m, for: 5h}",
        pace=Pace(patience=timedelta(days=2), inbox_every_s=0),
    )
    made.clock = clock = Leaping(START)
    running = await Hosted(made).begin()
    process = asyncio.create_task(running.run())
    await asyncio.sleep(timedelta(hours=2).total_seconds())
    clock.asleep = timedelta(hours=30)
    await process
    assert statuses(running.rollout)["b"] is MachineStatus.DONE


@virtual
async def test_a_bake_that_nobody_saw_ends_once_the_fleet_was_looked_at() -> None:
    """Who fell ill meanwhile stops the rollout, before its next stage opens."""
    made = staged(
        plan_of(
            lane("one", "a", stage="canary"),
            lane("two", "b"),
            stages=[stage("canary", bake=timedelta(hours=8)), stage("broad")],
        ),
        "- goes_off: {machines: [a], at: 4h}",
    )
    running = await (hosted := Hosted(made)).begin()
    process = asyncio.create_task(running.run())
    await made.clock.sleep(timedelta(hours=3).total_seconds())
    process.cancel()
    await asyncio.gather(process, return_exceptions=True)
    await hosted.journal.close()
    await made.clock.sleep(timedelta(hours=20).total_seconds())
    rollout = await _run(made)
    assert (rollout.status, rollout.stage) == (RolloutStatus.STOPPED, 0)


@virtual
async def test_one_that_is_over_ends_at_once() -> None:
    """Nothing is asked of anybody."""
    made = staged()
    await _run(made)
    before = made.clock.now()
    assert (await _run(made)).status is RolloutStatus.FINISHED
    assert made.clock.now() == before


async def _run(made: Stage, hosted: Hosted | None = None) -> Rollout:
    running = await (hosted := hosted or Hosted(made)).begin()
    await running.run()
    await hosted.journal.close()
    return running.rollout


# Commands and letters ---------------------------------------------------------------------------------------


@virtual
async def test_a_command_is_answered_when_its_facts_are_durable() -> None:
    """Or with the reason why it can't be done."""
    made = staged()
    journal = SlowJournal(made.disk)
    running = await Hosted(made, journal).begin()
    going = asyncio.create_task(running.run())
    await asyncio.sleep(60)
    await running.host.ask(m.Pause(running.rollout.id, "ada", "tea"))
    assert any(isinstance(fact, e.RolloutPaused) for fact in facts_of(made.disk))
    with pytest.raises(Refused, match="is paused and can't be paused"):
        await running.host.ask(m.Pause(running.rollout.id, "ada", "tea"))
    await going


@virtual
async def test_a_command_that_nobody_will_decide_on_is_refused() -> None:
    """The process rests before its turn comes."""
    made = staged()
    running = await Hosted(made).begin()
    going = asyncio.create_task(running.run())
    await asyncio.sleep(60)
    going.cancel()
    await asyncio.gather(going, return_exceptions=True)
    with pytest.raises(Refused, match="is not driven any more"):
        await running.host.ask(m.Pause(running.rollout.id, "ada", "tea"))


@virtual
async def test_a_letter_that_nobody_can_read_is_answered_and_taken() -> None:
    """It doesn't stop the process, and isn't read again and again."""
    made = staged(pace=Pace(inbox_every_s=5))
    hosted = Hosted(made)
    running = await hosted.begin()
    await MemoryJournal(made.disk).post(Letter("l1", START, "grace", b"{}"))
    await running.run()
    refusals = [fact for fact in facts_of(made.disk) if isinstance(fact, e.CommandRefused)]
    assert [(fact.letter, fact.who) for fact in refusals] == [("l1", "grace")]
    assert await hosted.journal.inbox() == ()


# Errors -----------------------------------------------------------------------------------------------------


@virtual
async def test_a_journal_that_fails_ends_the_process() -> None:
    """What is in memory then never happened; the error is whoever drives it to tell."""

    class Full(MemoryJournal):
        async def append(self, expected_seq: int, *args: Any, **options: Any) -> int:
            if expected_seq == 5:
                raise JournalError("the disk is full")
            return await super().append(expected_seq, *args, **options)

    made = staged()
    running = await Hosted(made, Full(made.disk)).begin()
    with pytest.raises(JournalError, match="the disk is full"):
        await running.run()
    assert len(made.disk.scopes["default"].rows) == 5


def _broken_read(services: Any) -> None:
    async def broken(*_: Any, **__: Any) -> Any:
        raise ValueError("a bug in an adapter")

    services.cloud.view = broken


def _denied(services: Any) -> None:
    async def denied(*_: Any) -> Any:
        raise AccessDenied("no role on this subscription")

    services.cloud.sweep = denied


@pytest.mark.parametrize(
    ("hurt", "error", "said"),
    [(_broken_read, ValueError, "a bug in an adapter"), (_denied, AccessDenied, "no role")],
)
def test_what_an_activity_cannot_bear_ends_the_process(
    hurt: Callable[[Any], None], error: type[Exception], said: str
) -> None:
    """With its own words, and with nothing left running."""

    @virtual
    async def story() -> None:
        made = staged()
        running = await Hosted(made).begin()
        hurt(running.services)
        with pytest.raises(error, match=said):
            await running.run()
        assert running.host.activities() == []

    story()


@virtual
async def test_a_listener_that_breaks_ends_the_process() -> None:
    """Nobody would hear of what it missed."""
    made = staged()
    running = await Hosted(made).begin()

    def broken(_: Decided) -> None:
        raise BrokenPipeError("nobody reads any more")

    running.host.listen(broken)
    with pytest.raises(BrokenPipeError):
        await running.run()


@virtual
async def test_an_inbox_that_fails_ends_the_process() -> None:
    """A person's word would be lost in silence."""

    class Deaf(MemoryJournal):
        async def inbox(self) -> tuple[Letter, ...]:
            raise JournalError("the inbox can't be read")

    made = staged(pace=Pace(inbox_every_s=5))
    running = await Hosted(made, Deaf(made.disk)).begin()
    with pytest.raises(JournalError, match="the inbox can't be read"):
        await running.run()


@virtual
async def test_a_clock_that_steps_back_stops_the_rollout() -> None:
    """By more than five seconds: nothing new is begun, what is in flight is carried through."""

    class Stepping(LoopClock):
        back = timedelta(0)

        def now(self) -> datetime:
            return super().now() - self.back

    made = staged(plan_of(lane("west", "a", "b")))
    made.clock = clock = Stepping(START)
    running = await Hosted(made).begin()

    async def step() -> None:
        await asyncio.sleep(30)
        clock.back = timedelta(hours=1)

    stepping = asyncio.create_task(step())
    await running.run()
    await stepping
    assert running.rollout.status is RolloutStatus.STOPPED
    assert running.rollout.cause.startswith("the clock went back")
    assert set(made.installs()) == {"a"}


# After a restart --------------------------------------------------------------------------------------------


@virtual
async def test_who_went_out_while_nobody_looked_counts_before_the_next_grant() -> None:
    """Killed while a stage bakes, and meanwhile a machine of the group goes off: nobody else of it is touched."""
    made = staged(
        plan_of(
            lane("one", "a", stage="canary"),
            lane("two", "b"),
            stages=[stage("canary", bake=timedelta(hours=1)), stage("broad")],
            rules=[budget(1, "a b c")],
        ),
        "- goes_off: {machines: [c], at: 30m}",
    )
    going = asyncio.create_task(_run(made))
    await asyncio.sleep(20 * 60)
    going.cancel()
    await asyncio.gather(going, return_exceptions=True)
    made.disk.scopes["default"].holder = None
    await asyncio.sleep(2 * 3600)
    rollout = await _run(made)
    assert statuses(rollout) == {"a": MachineStatus.DONE, "b": MachineStatus.PENDING}
    assert (set(made.installs()), exit_code(rollout)) == ({"a"}, ExitCode.NOT_FINISHED)


@virtual
async def test_what_is_in_flight_does_not_wait_for_that_look() -> None:
    """Lists are throttled for an hour: a machine that was under way is followed and verified all the same."""
    made = staged(
        plan_of(lane("west", "a", "b")), "- throttle: {on: [list], from: 1m, for: 1h, retry_after: 60}"
    )
    going = asyncio.create_task(_run(made))
    await asyncio.sleep(90)
    going.cancel()
    await asyncio.gather(going, return_exceptions=True)
    made.disk.scopes["default"].holder = None
    rollout = await _run(made)
    assert rollout.status is RolloutStatus.FINISHED
    verified = next(row.at for row in made.disk.scopes["default"].rows if b'["M",' in row.body)
    granted = [row.at for row in made.disk.scopes["default"].rows if b'["G",' in row.body]
    assert verified < START + timedelta(minutes=30)
    assert granted[1] > START + timedelta(hours=1)
