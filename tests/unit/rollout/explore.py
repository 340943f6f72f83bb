"""All that can become of one machine: every message, told in every state that messages lead to."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from orchestrator.errors import Refused
from orchestrator.planner.model import Plan
from orchestrator.rollout import events as e
from orchestrator.rollout import messages as m
from orchestrator.rollout.codec import encode
from orchestrator.rollout.decide import decide
from orchestrator.rollout.planned import index_plan
from orchestrator.rollout.state import MachineRun, Rollout, Scope
from orchestrator.rollout.state import MachineStatus as M
from tests.builders import NOON
from tests.diary import NEW, OLD, URL, WHO, WHY, Row, replay

ID, A = "r1", 0


@dataclass(frozen=True)
class Move:
    """What an event made of a machine (or, with `machine` -1, of the rollout)."""

    machine: int
    before: str
    label: str
    after: str


@dataclass
class Explored:
    """Every state that was reached, as the rows that lead there, and every move that was made."""

    states: list[Scope] = field(default_factory=list)
    moves: set[Move] = field(default_factory=set)
    refusals: set[str] = field(default_factory=set)


def explore(plan: Plan, *, most: int = 20_000) -> Explored:
    """Go everywhere. The first machine is the one that is talked about; the others stand for the rest of the fleet."""
    planned = index_plan(plan)
    found = Explored()
    first = Scope()
    start = m.Start(ID, planned, "digest", WHO, WHY)
    rows = [Row(ID, NOON, encode(decide(first, start, NOON)))]
    waiting: deque[list[Row]] = deque([rows])
    known = {_key(replay(rows, {ID: planned}))}
    while waiting:
        rows = waiting.popleft()
        here = replay(rows, {ID: planned})
        found.states.append(here)
        assert len(found.states) < most, "there is no end to it"
        for message, now in _messages(here.rollouts[ID], here.last or NOON):
            try:
                facts = decide(here, message, now)
            except Refused as refused:
                found.refusals.add(str(refused))
                continue
            if not facts:
                continue
            row = Row(ID, now, encode(facts))
            there = replay(rows, {ID: planned})
            for fact in facts:
                found.moves.add(_moved(there, fact, now, planned_rows=row))
            key = _key(there)
            if key not in known:
                known.add(key)
                waiting.append([*rows, row])
    return found


def _moved(scope: Scope, fact: e.Event, now: datetime, planned_rows: Row) -> Move:
    rollout = scope.rollouts[ID]
    machine = getattr(fact, "machine", -1) if not isinstance(fact, e.RolloutStopped) else -1
    label = label_of(fact, rollout)
    before = rollout.machines[machine].status if machine >= 0 else rollout.status
    one = Row(ID, planned_rows.at, encode((fact,)))
    replay([one], {ID: rollout.planned}, onto=scope)
    after = rollout.machines[machine].status if machine >= 0 else rollout.status
    return Move(machine, before, label, after)


def label_of(fact: e.Event, rollout: Rollout) -> str:
    """The fact as the tables of legal moves call it."""
    name = type(fact).__name__
    match fact:
        case e.StepEnded(_, after, _, ok) if not after and not ok:
            return name + " failed"
        case e.AttemptRejected(retry_at=None):
            return name + " for good"
        case e.MachineEnded(_, outcome):
            return f"{name} {outcome}"
        case e.RolloutResumed() if not rollout.prepared:
            return name + " unprepared"
        case _:
            return name


MATTERS: dict[M, tuple[str, ...]] = {
    M.PENDING: ("tries", "forced", "retry_at"),
    M.GRANTED: ("tries", "step", "retry_at", "part"),
    M.INTENDED: ("tries", "part"),
    M.UNSETTLED: ("tries", "part"),
    M.RUNNING: ("tries", "sure", "part"),
    M.VERIFYING: ("tries", "sure", "changed", "passing", "verdict", "step"),
    M.DONE: (),
    M.NOT_CHANGED: ("attempt",),
    M.UNHEALTHY: ("changed", "verdict", "step", "late"),
    M.UNDECIDED: (),
    M.GONE: (),
    M.LEFT_OUT: ("verdict", "step", "late"),
    M.SKIPPED: ("verdict", "step", "late"),
    M.WRITTEN_OFF: (),
}
"""What of a machine can still make a difference, by where it stands."""


def _told_apart(run: MachineRun, name: str) -> object:
    value = getattr(run, name)
    match name:
        case "tries":
            return min(value, 2)
        case "attempt":
            return min(value, 1)
        case "retry_at":
            return value is not None
        case _:
            return value


def _key(scope: Scope) -> object:
    """What tells states apart: not times, not how often something was tried, nor in which words."""
    rollout = scope.rollouts[ID]
    runs = tuple(
        (run.status, *(_told_apart(run, name) for name in MATTERS[run.status])) for run in rollout.machines
    )
    return (
        runs,
        rollout.status,
        rollout.prepared,
        rollout.stage,
        rollout.stage_status,
        tuple((lane.wave, lane.open, lane.finished) for lane in rollout.lanes),
        frozenset(rollout.stragglers),
        frozenset(scope.ledger.grants),
        frozenset(scope.ledger.others),
        bool(rollout.unacknowledged),
    )


def _messages(rollout: Rollout, now: datetime) -> Iterator[tuple[m.Message, datetime]]:
    run = rollout.machines[A]
    where, who = (ID, A, run.attempt), (WHO, WHY)
    told: list[m.Message] = [
        m.FleetLooked(ID, (), 10, 0),
        m.FleetLooked(ID, (A,), 10, 0),
        m.FleetLooked(ID, (), 8, 2, "no address"),
        m.FleetChanged(ID, (A,), (), "503"),
        m.FleetChanged(ID, (), (A,)),
        m.FoundWell(ID, A, OLD),
        m.FoundOut(ID, A, "503"),
        m.FoundBusy(ID, A),
        m.FoundGone(ID, A),
        m.SendAccepted(*where, URL, URL + "&monitor=true"),
        m.SendRejected(*where, "TooManyRequests", "no", True, 60),
        m.SendRejected(*where, "InvalidParameter", "no", False, None),
        m.SendRejected(*where, "ResourceNotFound", "no", False, None),
        m.SendLapsed(*where),
        m.SendUnsettled(*where, "reset"),
        m.ReadBack(*where, NEW, URL, certain=True, sure=True),
        m.ReadBack(*where, NEW, URL, certain=True, sure=False),
        m.ReadBack(*where, OLD, "", certain=True, sure=False),
        m.ReadBack(*where, OLD, "", certain=False, sure=False),
        m.ChangeReported(*where, changed=True, passing=False, stops=False, detail="ok"),
        m.ChangeReported(*where, changed=False, passing=True, stops=False, detail="busy"),
        m.ChangeReported(*where, changed=False, passing=False, stops=True, detail="what?"),
        m.FollowLost(*where, "it never ended"),
        m.AssessmentReported(*where, 0),
        m.AssessmentReported(*where, 2),
        m.AssessmentReported(*where, -1),
        m.HealthReported(*where, well=True, evidence=""),
        m.HealthReported(*where, well=False, evidence="503"),
        m.ClockStepped(ID, now),
        m.Pause(ID, *who),
        m.Resume(ID, *who),
        m.Abort(ID, *who),
        m.Approve(ID, *who),
        m.Retry(ID, A, *who),
        m.Skip(ID, A, *who),
        m.WriteOff(ID, A, *who),
        m.Advance(ID),
        *(m.Advance(ID, lane) for lane in range(len(rollout.lanes))),
    ]
    for after in (False, True):
        steps = rollout.planned.steps_after(A) if after else rollout.planned.steps_before(A)
        told += [
            m.StepReported(*where, after, step, ok, "told")
            for step in range(len(steps))
            for ok in (True, False)
        ]
    for message in told:
        yield message, now
    much_later = now + timedelta(hours=25)
    yield m.Advance(ID), much_later
    for lane in range(len(rollout.lanes)):
        yield m.Advance(ID, lane), much_later
