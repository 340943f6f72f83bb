"""One plan, rolled out in virtual time: the real start, core, executor and journal on the emulated cloud."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

import orjson

from orchestrator.clock import LoopClock
from orchestrator.emulator.audit import audit_line
from orchestrator.emulator.faults import NO_FAULTS, Faults
from orchestrator.emulator.state import Happening
from orchestrator.emulator.world import World
from orchestrator.errors import Refused
from orchestrator.executor.log import Decided
from orchestrator.inventory import native
from orchestrator.inventory.model import Inventory
from orchestrator.rollout import events as e
from orchestrator.rollout import messages
from orchestrator.rollout.hours import next_opening
from orchestrator.rollout.state import Rollout, RolloutStatus
from orchestrator.service.look import look
from orchestrator.service.timeline import Timeline, timeline
from orchestrator.verify.audit import judge_audit
from orchestrator.verify.floor import judge_floor
from orchestrator.verify.model import Verdict, together
from orchestrator.verify.plan import judge_plan
from orchestrator.wiring.rollout import Running, begin
from orchestrator.wiring.virtual import NO_INBOX, Disk, MemoryStore, virtual_services

WHO: Final = "simulation"


@dataclass(frozen=True, slots=True)
class Script:
    """What is rolled out, on which fleet, from when on, and what goes wrong. `until`: how long anybody watches."""

    plan: bytes
    fleet: Inventory
    start: datetime
    until: datetime
    faults: Faults = NO_FAULTS
    seed: int = 1
    approve: bool = True


@dataclass(frozen=True, slots=True)
class Played:
    """What became of it. Without a rollout it was refused before it began, and `refusal` says why."""

    rollout: Rollout | None
    timeline: Timeline | None
    verdict: Verdict
    ended: datetime
    refusal: str = ""


@dataclass(slots=True)
class _Theatre:
    """What outlives a process of the rollout."""

    script: Script
    world: World
    clock: LoopClock
    disk: Disk = field(default_factory=MemoryStore)


async def play(script: Script) -> Played:
    """The whole rollout. To be run in a loop of virtual time, in which it takes as long as its events take to compute."""
    world = World(script.fleet, seed=script.seed, start=script.start, faults=script.faults)
    theatre = _Theatre(script, world, LoopClock(script.start))
    rollout: Rollout | None = None
    told: Timeline | None = None
    try:
        async with asyncio.timeout((script.until - script.start).total_seconds()):
            while True:
                rollout, told = await _process(theatre)
                wake = _goes_on_at(rollout, theatre.clock.now())
                if wake is None:
                    break
                await theatre.clock.sleep((wake - theatre.clock.now()).total_seconds())
    except Refused as refused:
        return Played(None, None, Verdict((), {}), theatre.clock.now(), str(refused))
    except TimeoutError:
        rollout, told = await _as_it_stands(theatre)
    assert rollout is not None
    return Played(rollout, told, _verdict(theatre), rollout.ended_at or theatre.clock.now())


async def _process(theatre: _Theatre) -> tuple[Rollout, Timeline]:
    """One process: begins the rollout or goes on with it, until it rests or is over."""
    journal, doors = await theatre.disk.journal(), virtual_services(theatre.world, theatre.clock)
    script = theatre.script
    try:
        await journal.acquire(WHO, theatre.clock.now())
        running = await begin(journal, doors, script.plan, who=WHO, live=script.fleet, pace=NO_INBOX)
        if script.approve:
            running.host.listen(_approver(running))
        await running.run()
        return running.rollout, await timeline(journal, running.rollout)
    finally:
        await doors.views.close()
        await doors.cloud.close()
        await journal.close()


def _approver(running: Running) -> Callable[[Decided], None]:
    """Says yes as soon as a stage waits for it."""

    def listen(decided: Decided) -> None:
        if any(isinstance(fact, e.StageAwaiting) for fact in decided.facts):
            running.host.post(messages.Approve(running.rollout.id, WHO, "approved at once"))

    return listen


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


def _verdict(theatre: _Theatre) -> Verdict:
    """The independent judge on the plan and on what the witness saw."""
    script = theatre.script
    happened: list[Happening] = theatre.world.advance(theatre.clock.now())
    audit = [orjson.loads(audit_line(happening)) for happening in happened]
    document, fleet = orjson.loads(script.plan), orjson.loads(native.dump(script.fleet))
    return together(judge_plan(document), judge_floor(document, fleet), judge_audit(audit, document, fleet))
