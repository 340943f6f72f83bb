"""Was every promise kept? *Never*: what must not have happened. *Eventually*: what must have come true by the end.

Judged by what the world witnessed and by what processes were told, never by what Wavekeeper says of itself: its journal is only
held against that.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, Final

import orjson

from orchestrator.emulator.audit import audit_line
from orchestrator.emulator.state import Happening
from orchestrator.inventory import native
from orchestrator.rollout import events as e
from orchestrator.rollout.codec import decode
from orchestrator.rollout.state import MachineStatus, Rollout
from orchestrator.simulation.fleets import Premises
from orchestrator.simulation.people import Verb, means
from orchestrator.simulation.theatre import Theatre
from orchestrator.store.port import Row
from orchestrator.verify.audit import TOUCHED, judge_audit
from orchestrator.verify.floor import judge_floor
from orchestrator.verify.holds import judge_holds
from orchestrator.verify.plan import judge_plan
from orchestrator.verify.steps import EARLY

NOTICE: Final = timedelta(minutes=31)
"""How long an outage that isn't ours may go unnoticed: three looks at the whole fleet, each ten minutes."""

STOP_SHOWS: Final = timedelta(seconds=95)
"""What had an intent when a stop was decided on may still be sent for a minute, and be half a minute on its way."""

TAIL: Final = timedelta(hours=6)
"""How far the world is let run after the end: work that nobody followed would show."""


WORK: Final = frozenset({"install", "restart", "run_command"})
"""What the witness calls the beginning of a change. No trial has scripts around machines, which would look the same."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What is wrong, in sentences; nothing if all is well."""

    never: tuple[str, ...]
    eventually: tuple[str, ...]

    @property
    def well(self) -> bool:
        """Whether all promises were kept."""
        return not (self.never or self.eventually)


@dataclass(slots=True)
class _Told:
    """What the journal says."""

    rows: dict[int, Row] = field(default_factory=dict)
    intents: dict[str, tuple[datetime, str]] = field(default_factory=dict)  # key -> when, of which rollout
    again: set[tuple[str, int]] = field(
        default_factory=set
    )  # rollout, machine: tried more than once, as it may be
    stops: dict[str, list[tuple[datetime, datetime | None]]] = field(
        default_factory=dict
    )  # rollout -> from, to
    holds: dict[str, dict[str, str]] = field(default_factory=dict)  # as `verify.holds` has them

    def read(self, row: Row) -> None:
        """One decision more."""
        self.rows[row.seq] = row
        stopped = self.stops.setdefault(row.rollout, [])
        for fact in _facts(row.body, row.seq, row.rollout):
            match fact:
                case e.Intended(key=key):
                    self.intents[key] = row.at, row.rollout
                case e.MachineRetried(machine=machine):
                    self.again.add((row.rollout, machine))
                case e.MachineEnded(machine=machine, outcome=e.Outcome.PENDING):
                    self.again.add((row.rollout, machine))
                case e.HoldPlaced(number, select, until):
                    told = {"id": number, "select": select, "from": row.at.isoformat()}
                    self.holds[number] = {**told, "until": until.isoformat()}
                case e.HoldLifted(number):
                    self.holds[number]["until"] = row.at.isoformat()
                case e.RolloutStopped() | e.RolloutPaused() if not stopped or stopped[-1][1]:
                    stopped.append((row.at, None))
                case e.RolloutResumed() if stopped and stopped[-1][1] is None:
                    stopped[-1] = (stopped[-1][0], row.at)
                case _:
                    pass


_facts = lru_cache(maxsize=4096)(decode)
"""Of most rows of a copy, which are those that were there before it was taken."""


def _line(happening: Happening) -> Mapping[str, Any]:
    """A happening as the judge reads it. Copies share theirs, too."""
    found = _LINES.get(id(happening))
    if found is None:
        found = _LINES[id(happening)] = happening, orjson.loads(audit_line(happening))
    return found[1]


_LINES: Final = dict[int, tuple[Happening, Mapping[str, Any]]]()
"""By identity: what is held keeps its own."""


@lru_cache(maxsize=64)
def documents(premises: Premises) -> tuple[Sequence[Mapping[str, Any]], Mapping[str, Any], tuple[str, ...]]:
    """The plans and the fleet as JSON, and what the judge has against the plans themselves."""
    plans, fleet = [orjson.loads(plan) for plan in premises.plans], orjson.loads(native.dump(premises.fleet))
    wrong = [
        found
        for plan in plans
        for found in (*judge_plan(plan).violations, *judge_floor(plan, fleet).violations)
    ]
    return plans, fleet, tuple(map(str, wrong))


def judge(theatre: Theatre, rollouts: Sequence[Rollout], never_ends: str = "") -> Judgement:
    """Judge a trial that was played to its end; or that found none, and has no rollouts to show then."""
    told = _Told()
    for row in theatre.rows().values():
        told.read(row)
    theatre.happened += theatre.world.advance(theatre.now + TAIL)
    audit = list(map(_line, theatre.happened))
    never = [*_lost(theatre, told), *_doubled(theatre), *_unforeseen(told, audit)]
    if not theatre.trial.clocked:
        never += [*_after_a_stop(told, audit), *_while_held(theatre, told, audit)]
    never += _while_sick(theatre, audit)
    never += _broken(theatre, told, audit, rollouts)
    eventually = [never_ends] if never_ends else []
    for rollout in rollouts:
        eventually += _untrue(rollout, audit)
    return Judgement(tuple(never), tuple(eventually))


def _lost(theatre: Theatre, told: _Told) -> Iterator[str]:
    """Each row that was acknowledged is there, as it was."""
    for seq, body in theatre.acknowledged.rows.items():
        if seq not in told.rows:
            yield f"row {seq} was acknowledged, and is lost"
        elif told.rows[seq].body != body:
            yield f"row {seq} was acknowledged, and another one stands in its place"
    for seq in theatre.acknowledged.conflicts:
        yield f"two processes were told that their row {seq} is durable"
    if theatre.intruders:
        yield f"{theatre.intruders} more processes became the writer beside the first"


def _doubled(theatre: Theatre) -> Iterator[str]:
    """No request that starts work leaves twice, and none is taken twice."""
    for key, times in sorted(theatre.sent.items()):
        if times > 1:
            yield f"attempt {key} was sent {times} times"


def _unforeseen(told: _Told, audit: list[Mapping[str, Any]]) -> Iterator[str]:
    """What was begun under our name was written down as an intent before."""
    for line in audit:
        key = line.get("request_id", "")
        if line["event"] in WORK and "by" not in line and key not in told.intents:
            yield f"{line['event']} {key} at {line['at']} has no intent in the journal"


def _after_a_stop(told: _Told, audit: list[Mapping[str, Any]]) -> Iterator[str]:
    """While it stood still, nothing was begun that had no intent before."""
    for line in audit:
        if line["event"] not in WORK or "by" in line:
            continue
        at = datetime.fromisoformat(line["at"])
        intent, rollout = told.intents.get(line.get("request_id", ""), (at, ""))
        stops = told.stops.get(rollout, [])
        for begin, end in stops:
            if begin + STOP_SHOWS < at and (end is None or at < end):
                yield f"{line['event']} on {_name(line)} began {line['at']}, after the stop of {begin}"
        if any(begin < intent and (end is None or intent < end) for begin, end in stops):
            yield f"{line['event']} on {_name(line)} was intended {intent}, while the rollout stood still"


def _while_held(theatre: Theatre, told: _Told, audit: list[Mapping[str, Any]]) -> Iterator[str]:
    """From when a hold stood, nothing was begun on whom it means in the world: not before a look found out, either.

    Of machines whose tags people change meanwhile nobody but the product knows since when a look had found them to be meant: they are held to
    holds by name and by region.
    """
    fleet = theatre.trial.premises.live.machines
    changed = {word.what.partition(".")[0] for word in theatre.trial.words if word.verb is Verb.TAG}
    steady = [machine for machine in fleet if machine.name not in changed]
    holds = [
        {
            **hold,
            "machines": [
                machine.id
                for machine in (steady if hold["select"].startswith("tag:") else fleet)
                if means(hold["select"], machine)
            ],
        }
        for hold in told.holds.values()
    ]
    if holds:
        yield from map(str, judge_holds(audit, holds, scripts=True).violations)


def _while_sick(theatre: Theatre, audit: list[Mapping[str, Any]]) -> Iterator[str]:
    """While groups that are asked weren't well, nothing was begun on their machines, once there was time to hear of it.

    One that a person has had a word on may be the very reason, and is mended.
    """
    plans, _, _ = documents(theatre.trial.premises)
    asked = {name for plan in plans for name, one in plan["machines"].items() if one.get("groups")}
    asked -= {machine for _, machine, _ in theatre.said}
    for line in audit:
        if line["event"] not in WORK or "by" in line or line["machine"].lower() not in asked:
            continue
        at = datetime.fromisoformat(line["at"])
        for since, until in theatre.sick:
            if since + STOP_SHOWS < at < until:
                yield f"{line['event']} on {_name(line)} began {line['at']}, while its group wasn't well since {since}"


def _broken(
    theatre: Theatre, told: _Told, audit: list[Mapping[str, Any]], rollouts: Sequence[Rollout]
) -> Iterator[str]:
    """The rules of plans and floor, and the steps, over all that was done by any of the rollouts.

    A person's word allows what it says, from then on, and no more. *Retry*: nobody waits for the attempt before, and another one
    may be made wherever there is room for it. *Skip*: nobody waits for what goes on at that machine, and what it is still out for holds no domain, order or stage
    back; while it is out it counts in budgets. *Write-off*: that it doesn't count any more either.
    """
    plans, fleet, wrong = documents(theatre.trial.premises)
    yield from wrong
    seen = [*_counted(theatre, audit), *(_word(*said) for said in theatre.said)]
    persons = {machine for _, machine, _ in theatre.said}
    changed = [_changed(plan) for plan in plans]
    for number, plan in enumerate(plans):
        rollout = rollouts[number] if number < len(rollouts) else None
        ids = list(plan["machines"])
        others = frozenset().union(*changed[:number], *changed[number + 1 :])
        verdict = judge_audit(
            [*seen, *_heard_of(theatre, rollout)],
            plan,
            fleet,
            retried=[ids[machine] for of, machine in told.again if rollout is None or of == rollout.id],
            written_off=sorted({machine for _, machine, verb in theatre.said if verb != "retry"}),
            over=rollout is not None and rollout.over,
            notice=NOTICE,
        )
        for found in verdict.violations:
            if found.rule == TOUCHED and set(found.machines) <= others:
                continue  # by the other rollout, whose plan says so
            if found.rule == "max_in_flight" and others:
                continue  # the audit doesn't tell whose work it was
            if found.rule == EARLY and persons.issuperset(found.machines):
                continue  # steps after a stage don't wait for one that is undecided until a person has a word on it
            yield str(found)


_WORDS: Final = {"write-off": "vanished", "skip": "end", "retry": "end"}


def _counted(theatre: Theatre, audit: list[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    """What is judged: one that was written off counts no more, whatever its last request, which nobody knew of, does to it later."""
    off = {machine: at for at, machine, verb in theatre.said if verb == "write-off"}
    for line in audit:
        at = off.get(line["machine"].lower())
        if line["event"] != "out" or at is None or datetime.fromisoformat(line["at"]) < at:
            yield line


def _word(at: datetime, machine: str, verb: str) -> Mapping[str, Any]:
    """A person's word as the judge knows it: a machine that isn't there any more, or all that goes on at it being over."""
    return {"at": at.isoformat(), "machine": machine, "event": _WORDS[verb]}


def _changed(plan: Mapping[str, Any]) -> frozenset[str]:
    return frozenset(
        machine for lane in plan["lanes"] for wave in lane["waves"] for machine in wave["machines"]
    )


def _heard_of(theatre: Theatre, rollout: Rollout | None) -> Iterator[Mapping[str, Any]]:
    """What receivers of webhooks heard of one rollout: stages and waves of another may have the same names."""
    for line in map(orjson.loads, theatre.heard):
        if rollout is None or line["body"].get("rollout") == rollout.id:
            yield line


def _untrue(rollout: Rollout, audit: list[Mapping[str, Any]]) -> Iterator[str]:
    """What the rollout says of each machine at its end is what became of it."""
    if not rollout.over:
        yield f"it rests as {rollout.status}, and is not over"
        return
    succeeded: set[str] = set()
    going: dict[str, str] = {}
    for line in audit:
        if line["event"].endswith("_end"):
            going.pop(line["operation"], None)
            if line.get("status") == "Succeeded":
                succeeded.add(line["machine"].lower())
        elif line["event"] in WORK:
            going[line["operation"]] = line["machine"].lower()
    for planned, run in zip(rollout.planned.plan.machines, rollout.machines, strict=True):
        if not planned.change:
            continue
        if run.status is MachineStatus.DONE and planned.id not in succeeded:
            yield f"{planned.name} is called done, and no change of it ever succeeded"
        if (
            run.status not in _ENDS and not run.late
        ):  # one that failed after its end is told, and holds up nobody
            yield f"it is over, and {planned.name} is {run.status}"


_ENDS: Final = frozenset(
    {
        MachineStatus.DONE,
        MachineStatus.NOT_CHANGED,
        MachineStatus.GONE,
        MachineStatus.LEFT_OUT,
        MachineStatus.SKIPPED,
        MachineStatus.WRITTEN_OFF,
    }
)


def _name(line: Mapping[str, Any]) -> str:
    return str(line["machine"]).rpartition("/")[2]
