"""One plan, rolled out in virtual time: the real start, core, executor and journal on the emulated cloud."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, Final

import orjson

from orchestrator.clock import LoopClock
from orchestrator.emulator.audit import audit_line
from orchestrator.emulator.faults import NO_FAULTS, Faults, RequestFault
from orchestrator.emulator.state import Happening
from orchestrator.emulator.tempo import Tempo
from orchestrator.emulator.world import World
from orchestrator.errors import Refused
from orchestrator.executor.log import Decided, Log
from orchestrator.executor.settings import Settings
from orchestrator.inventory import native
from orchestrator.inventory.model import Inventory, MachineId
from orchestrator.rollout import events as e
from orchestrator.rollout import messages
from orchestrator.rollout.holds import found_in
from orchestrator.rollout.hours import next_opening
from orchestrator.rollout.state import MachineStatus, Rollout, RolloutStatus, Scope, StageStatus
from orchestrator.service.look import look
from orchestrator.service.timeline import Timeline, timeline
from orchestrator.service.verbs import carry_out
from orchestrator.simulation.catalogue import by_class
from orchestrator.verify.audit import judge_audit
from orchestrator.verify.floor import judge_floor
from orchestrator.verify.holds import judge_holds
from orchestrator.verify.model import Verdict, together
from orchestrator.verify.plan import judge_plan
from orchestrator.wiring.rollout import Running, begin
from orchestrator.wiring.virtual import NO_INBOX, UNHURRIED, Disk, Face, MemoryStore, virtual_services

WHO: Final = "simulation"


@dataclass(frozen=True, slots=True)
class Words:
    """What people have said before it begins: the holds that stand, and why it is begun in an emergency, if it is."""

    holds: tuple[e.HoldPlaced, ...] = ()
    emergency: str = ""


NO_WORDS: Final = Words()


@dataclass(frozen=True, slots=True)
class Script:
    """What is rolled out, on which fleet, from when on, and what goes wrong. `until`: how long anybody watches.

    `answers` says of stages that wait for approval how long they wait for it; without, they are approved at once, if at all.
    `tempos` are what is known of machines, `notice` is how long an outage of somebody else's may go unnoticed, `patience` how long
    the command stays while only a person, or somebody's recovery, can move the rollout on.
    """

    plan: bytes
    fleet: Inventory
    start: datetime
    until: datetime
    faults: Faults = NO_FAULTS
    seed: int = 1
    approve: bool = True
    answers: Mapping[str, timedelta] = field(default_factory=dict)
    tempos: Mapping[MachineId, Tempo] = field(default_factory=dict)
    notice: timedelta = timedelta(0)
    patience: timedelta = NO_INBOX.patience
    settings: Settings = UNHURRIED
    words: Words = NO_WORDS


@dataclass(frozen=True, slots=True)
class Played:
    """What became of it, and what the witness saw. Without a rollout it was refused before it began, and `refusal` says why."""

    rollout: Rollout | None
    timeline: Timeline | None
    verdict: Verdict
    ended: datetime
    refusal: str = ""
    happened: tuple[Happening, ...] = ()


@dataclass(slots=True)
class _Theatre:
    """What outlives a process of the rollout."""

    script: Script
    world: World
    clock: LoopClock
    disk: Disk = field(default_factory=MemoryStore)


async def play(script: Script) -> Played:
    """The whole rollout. To be run in a loop of virtual time, in which it takes as long as its events take to compute."""
    world = World(
        script.fleet, seed=script.seed, start=script.start, faults=script.faults, tempos=script.tempos
    )
    theatre = _Theatre(script, world, LoopClock(script.start))
    rollout: Rollout | None = None
    told: Timeline | None = None
    await _hold(theatre)
    try:
        async with asyncio.timeout((script.until - script.start).total_seconds()):
            while True:
                rollout, told = await _process(theatre)
                if _answered(theatre, rollout):
                    await _answer(theatre, rollout)
                    continue
                wake = _goes_on_at(rollout, theatre.clock.now())
                if wake is None:
                    break
                await theatre.clock.sleep((wake - theatre.clock.now()).total_seconds())
    except Refused as refused:
        return Played(None, None, Verdict((), {}), theatre.clock.now(), str(refused))
    except TimeoutError:
        rollout, told = await _as_it_stands(theatre)
    assert rollout is not None
    happened = tuple(theatre.world.advance(theatre.clock.now()))
    verdict = _verdict(script, happened, told)
    return Played(rollout, told, verdict, rollout.ended_at or theatre.clock.now(), happened=happened)


async def _hold(theatre: _Theatre) -> None:
    """Write down the holds that stand, as they were."""
    holds = theatre.script.words.holds
    if not holds:
        return
    journal = await theatre.disk.journal()
    try:
        await journal.acquire(WHO, theatre.clock.now())
        _, commit = Log(Scope(), journal).record("", holds, theatre.clock.now())
        await commit
    finally:
        await journal.close()


async def _process(theatre: _Theatre) -> tuple[Rollout, Timeline]:
    """One process: begins the rollout or goes on with it, until it rests or is over."""
    script = theatre.script
    face = Face.PROVIDER if any(isinstance(f, RequestFault) for f in script.faults.faults) else Face.GLANCES
    journal = await theatre.disk.journal()
    doors = virtual_services(theatre.world, theatre.clock, face=face, settings=script.settings)
    try:
        await journal.acquire(WHO, theatre.clock.now())
        pace = replace(NO_INBOX, patience=script.patience)
        running = await begin(
            journal,
            doors,
            by_class(script.plan),
            who=WHO,
            live=script.fleet,
            pace=pace,
            emergency=script.words.emergency,
        )
        if script.approve:
            running.host.listen(_approver(running, script.answers))
        await running.run()
        return running.rollout, await timeline(journal, running.rollout)
    finally:
        await doors.views.close()
        await doors.cloud.close()
        await journal.close()


def _approver(running: Running, answers: Mapping[str, timedelta]) -> Callable[[Decided], None]:
    """Says yes as soon as a stage waits for it, unless the answer takes a while."""

    def listen(decided: Decided) -> None:
        if any(isinstance(fact, e.StageAwaiting) for fact in decided.facts) and (
            _stage(running.rollout) not in answers
        ):
            running.host.post(messages.Approve(running.rollout.id, WHO, "approved at once"))

    return listen


def _stage(rollout: Rollout) -> str:
    return rollout.planned.plan.stages[rollout.stage].name


def _answered(theatre: _Theatre, rollout: Rollout) -> bool:
    """Whether a stage waits for approval and somebody will give it."""
    script = theatre.script
    waits = not rollout.over and rollout.stage_status is StageStatus.AWAITING
    return script.approve and waits and _stage(rollout) in script.answers


async def _answer(theatre: _Theatre, rollout: Rollout) -> None:
    """The person who approves comes to it."""
    await theatre.clock.sleep(theatre.script.answers[_stage(rollout)].total_seconds())
    journal = await theatre.disk.journal()
    try:
        await carry_out(journal, messages.Approve(rollout.id, WHO, "looked at it"), theatre.clock.now(), WHO)
    finally:
        await journal.close()


def _goes_on_at(rollout: Rollout, now: datetime) -> datetime | None:
    """When whoever runs the command again would see it go on; None where time alone changes nothing."""
    if rollout.over or rollout.status is RolloutStatus.STOPPED:
        return None
    opening = next_opening(rollout, now)
    return opening[0] if opening is not None and opening[0] > now else None


async def _as_it_stands(theatre: _Theatre) -> tuple[Rollout, Timeline]:
    """The rollout as its journal tells it, after nobody watches any more."""
    journal = await theatre.disk.journal()
    try:
        scope = await look(journal)
        rollout = next(reversed(scope.rollouts.values()))
        return rollout, await timeline(journal, rollout)
    finally:
        await journal.close()


def _verdict(script: Script, happened: Sequence[Happening], told: Timeline) -> Verdict:
    """The independent judge on the plan and on what the witness saw."""
    audit = [orjson.loads(audit_line(happening)) for happening in happened]
    document, fleet, on_paper = _on_paper(script.plan, native.dump(script.fleet))
    again = {told_of.machine for told_of in told.disruptions if told_of.outcome == MachineStatus.PENDING}
    machines = list(document["machines"])
    retried = [machines[index] for index in sorted(again)]
    return together(
        *on_paper,
        judge_audit(audit, document, fleet, retried=retried, notice=script.notice),
        *([judge_holds(audit, _meant(script))] if script.words.holds else []),
    )


def _meant(script: Script) -> list[Mapping[str, Any]]:
    """The holds as their judge reads them, with whom they mean in this fleet."""
    return [
        {
            "id": hold.hold,
            "machines": [*hold.matched, *found_in(script.fleet, hold.select)],
            "from": script.start.isoformat(),
            "until": hold.until.isoformat(),
        }
        for hold in script.words.holds
    ]


@lru_cache(maxsize=4)
def _on_paper(
    plan: bytes, fleet: bytes
) -> tuple[Mapping[str, Any], Mapping[str, Any], tuple[Verdict, Verdict]]:
    """The plan and the fleet as JSON, and what the judge says of them before anything happens: the same each time they are played."""
    document, inventory = orjson.loads(plan), orjson.loads(fleet)
    return document, inventory, (judge_plan(document), judge_floor(document, inventory))
