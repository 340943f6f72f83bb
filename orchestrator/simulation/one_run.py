"""One run of a plan under assumptions, and what is kept of it: little enough to bring back hundreds from other processes."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from orchestrator.assumptions.model import Settled, Spread
from orchestrator.availability.model import Budget
from orchestrator.emulator.faults import NO_FAULTS, Faults, TimedFault
from orchestrator.emulator.state import Happening
from orchestrator.executor.settings import Settings
from orchestrator.inventory.model import AppHealth, Inventory, machine_id
from orchestrator.planner.model import Plan
from orchestrator.rollout.state import MachineStatus, Rollout, RolloutStatus, StageStatus
from orchestrator.service.status import what_is_next
from orchestrator.service.timeline import Timeline
from orchestrator.simulation.chances import draw
from orchestrator.simulation.judgement import NOTICE
from orchestrator.simulation.loop import Stuck, run
from orchestrator.simulation.rollout import NO_WORDS, Played, Script, Words, play

GRACE: Final = timedelta(days=7)
"""How long a run is watched beyond the campaign's deadline."""


SELDOM: Final = Settings(watch_least=timedelta(minutes=10))
"""The whole fleet is looked at as seldom as a large one is: looks are most of what a run costs."""


class Ending(StrEnum):
    """How a run ended."""

    FINISHED = "finished"
    STOPPED = "stopped"  # by what it saw
    WAITING = "waiting"  # for a person, or for something that never comes; watched no longer
    REFUSED = "refused"  # before anything was begun


class Why(StrEnum):
    """What stopped a run."""

    UNHEALTHY = "unhealthy"
    NOT_CHANGED = "not changed"
    OTHER = "something else"


@dataclass(frozen=True, slots=True)
class Ground:
    """What is run, over and over: all but the seed. `faults` are those that strike in every run alike, by the seed."""

    plan: Plan
    text: bytes  # the plan's file
    fleet: Inventory
    start: datetime
    settled: Settled
    approvals: Spread | None
    faults: Faults = NO_FAULTS
    words: Words = NO_WORDS


@dataclass(frozen=True, slots=True)
class Run:
    """What became of one. `done`: when machines were done, in seconds from the start. `lows`: for each budget of the plan, in order, how
    many of its machines served when the fewest did. `unhealthy` are those that turned so and that nobody has acknowledged, `begun` and the others are counted at the end.
    """

    seed: int
    ending: Ending
    took: timedelta
    stage: str = ""
    why: Why | None = None
    cause: str = ""
    done: tuple[float, ...] = ()
    begun: int = 0
    unhealthy: int = 0
    not_changed: int = 0
    left_out: int = 0
    approvals: int = 0
    waited: timedelta = timedelta(0)
    lows: tuple[int, ...] = ()
    broken: tuple[str, ...] = ()


def budgets_of(plan: Plan) -> tuple[Budget, ...]:
    """The groups whose availability is looked at, in the plan's order."""
    return tuple(one for one in plan.constraints if isinstance(one, Budget))


def play_once(ground: Ground, seed: int) -> Run:
    """Carry out one run."""
    drawn = draw(ground.plan, ground.fleet, ground.settled, ground.approvals, seed)
    faults = (*drawn.faults, *ground.faults.faults)
    script = Script(
        ground.text,
        ground.fleet,
        ground.start,
        ground.start + ground.plan.deadline + GRACE,
        Faults(faults),
        seed=seed,
        answers=drawn.answers,
        tempos=drawn.tempos,
        patience=ground.plan.deadline + GRACE,
        settings=SELDOM,
        words=ground.words,
        notice=NOTICE if any(isinstance(fault, TimedFault) for fault in faults) else timedelta(0),
    )
    try:
        played = run(play(script))
    except Stuck as stuck:
        return Run(seed, Ending.WAITING, timedelta(0), cause=f"it can never go on: {stuck}")
    if played.rollout is None or played.timeline is None:
        return Run(seed, Ending.REFUSED, timedelta(0), cause=played.refusal)
    return _told(ground, seed, played, played.rollout, played.timeline)


def _told(ground: Ground, seed: int, played: Played, rollout: Rollout, told: Timeline) -> Run:
    ending = _ending(rollout)
    finished = ending is Ending.FINISHED
    counts = Counter(held.status for held in rollout.machines)
    waits = _waits(told, rollout, played.ended)
    stopped_at = rollout.status_since or played.ended
    return Run(
        seed=seed,
        ending=ending,
        took=(stopped_at if ending is Ending.STOPPED else played.ended) - ground.start,
        stage="" if finished else ground.plan.stages[rollout.stage].name,
        why=_why(rollout.cause) if ending is Ending.STOPPED else None,
        cause="" if finished else rollout.cause or what_is_next(rollout, played.ended),
        done=_done(told, ground.start),
        begun=len({one.machine for one in told.disruptions if one.begun is not None}),
        unhealthy=len(rollout.unacknowledged),
        not_changed=counts[MachineStatus.NOT_CHANGED],
        left_out=counts[MachineStatus.LEFT_OUT],
        approvals=len(waits),
        waited=sum(waits, timedelta(0)),
        lows=lows(budgets_of(ground.plan), ground.fleet, played.happened),
        broken=tuple(map(str, played.verdict.violations)),
    )


def _ending(rollout: Rollout) -> Ending:
    match rollout.status:
        case RolloutStatus.FINISHED:
            return Ending.FINISHED
        case RolloutStatus.STOPPED:
            return Ending.STOPPED
        case RolloutStatus.REFUSED:
            return Ending.REFUSED
        case _:
            return Ending.WAITING


_STOPS: Final = re.compile(r"\d+ (unhealthy|not changed) of ")


def _why(cause: str) -> Why:
    """By the sentence of `rollout.stopping`, which is what people are told too."""
    found = _STOPS.match(cause)
    return Why(found[1]) if found else Why.OTHER


def _done(told: Timeline, start: datetime) -> tuple[float, ...]:
    """Each machine once: when it was last done."""
    ended = {
        one.machine: (one.until - start).total_seconds()
        for one in told.disruptions
        if one.outcome == MachineStatus.DONE and one.until is not None
    }
    return tuple(sorted(ended.values()))


def _waits(told: Timeline, rollout: Rollout, ended: datetime) -> list[timedelta]:
    """How long each stage that needed an approval waited for it: from the end of its bake until the next opened."""
    stages = rollout.planned.plan.stages
    waits = []
    for span in told.stages:
        gate = stages[span.stage]
        here = span.stage == rollout.stage and not rollout.over
        if (
            not gate.approve
            or span.baking is None
            or (here and rollout.stage_status is not StageStatus.AWAITING)
        ):
            continue
        waits.append(max((span.ended or ended) - span.baking - gate.bake, timedelta(0)))
    return waits


# What each group saw --------------------------------------------------------------------------------------------

_UP: Final = frozenset({"healthy"})
_DOWN: Final = frozenset({"out", "unhealthy", "vanished"})


def lows(budgets: Sequence[Budget], fleet: Inventory, happened: Sequence[Happening]) -> tuple[int, ...]:
    """How many machines of each budget served when the fewest did, by what the witness saw, whoever's doing it was.

    A machine serves from when its application is healthy until it stops answering or its application fails.
    """
    down = {machine.id for machine in fleet.machines if machine.app_health is AppHealth.UNHEALTHY}
    groups: defaultdict[str, list[int]] = defaultdict(list)
    for number, budget in enumerate(budgets):
        for machine in budget.machines:
            groups[machine].append(number)
    serving = [sum(machine not in down for machine in budget.machines) for budget in budgets]
    fewest = list(serving)
    for happening in happened:
        machine, event = machine_id(happening.machine), happening.event
        if event in _UP and machine in down:
            down.discard(machine)
            for number in groups[machine]:
                serving[number] += 1
        elif event in _DOWN and machine not in down:
            down.add(machine)
            for number in groups[machine]:
                serving[number] -= 1
                fewest[number] = min(fewest[number], serving[number])
    return tuple(fewest)
