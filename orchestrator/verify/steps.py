"""Were the steps around machines, waves, stages and the rollout done when they had to be? Judged from a receiver's own record.

Whoever receives a plan's webhooks writes each call into the audit, in the order in which they came: `{"at": "...", "event": "webhook", "name":
"lb-drain", "key": "<idempotency key>", "ok": true, "body": {...}}`. Held against it are three things: no work begins on a machine before all
steps before are done around it, and around its wave, its stage and the rollout; no step after is done while such work goes on; and, of
a rollout that is over, no step before is left without its steps after.

A step that is called again is no fault: a process may die between a call and the moment at which it writes down that it was made.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from orchestrator.verify.document import Lane, id_of
from orchestrator.verify.model import Findings
from orchestrator.verify.timeline import Step, What

WEBHOOK = "webhook"  # the event of such a line

BEFORE, EARLY, LEFT = "step_before", "step_after_early", "step_left"  # the rules that can be broken

Key = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a webhook, as its receiver saw it."""

    at: datetime
    stretch: Key
    name: str
    after: bool
    ok: bool


@dataclass(slots=True)
class _Stretch:
    """A machine, a wave, a stage or the rollout with steps around it, and how they stand. `after`: name -> whether it runs always."""

    title: str
    machines: set[str] = field(default_factory=set)
    before: set[str] = field(default_factory=set)
    after: dict[str, bool] = field(default_factory=dict)
    begun: bool = False  # a step before was called, or work began: its steps after are owed
    before_done: set[str] = field(default_factory=set)
    after_done: set[str] = field(default_factory=set)
    working: set[str] = field(default_factory=set)


def read_calls(audit: Iterable[Mapping[str, object]]) -> list[Call]:
    """The calls of an audit, in the order of its lines."""
    calls = []
    for line in audit:
        body = line.get("body")
        if line.get("event") != WEBHOOK or not isinstance(body, Mapping) or body.get("phase") is None:
            continue
        at = datetime.fromisoformat(str(line.get("at")))
        moment = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
        after = body.get("phase") == "after"
        calls.append(Call(moment, _key(body), str(line.get("name")), after, line.get("ok") is True))
    return calls


def _key(body: Mapping[str, Any]) -> Key:
    match body.get("each", "machine"):
        case "wave":
            return "wave", str(body.get("lane")), str(body.get("wave"))
        case "stage":
            return "stage", str(body.get("stage"))
        case "rollout":
            return ("rollout",)
        case _:
            return "machine", id_of(body.get("machine"))


def hold_to_steps(
    plan: Mapping[str, Any],
    lanes: Sequence[Lane],
    calls: Sequence[Call],
    steps: Sequence[Step],
    found: Findings,
    *,
    complete: bool,
    over: bool,
) -> None:
    """Hold calls and work to the plan's steps. `over`: the rollout has ended; `complete`: and all of it was done well."""
    stretches = _stretches(plan, lanes, found)
    if not stretches:
        return
    if not calls:
        found.note(
            "no receiver of webhooks wrote an audit, so steps around machines and waves were not judged"
        )
        return
    found.judged("webhook calls", len(calls))
    of: defaultdict[str, list[_Stretch]] = defaultdict(list)
    for stretch in stretches.values():
        for machine in stretch.machines:
            of[machine].append(stretch)
    for moment in _in_order(calls, steps):
        if isinstance(moment, Call):
            if (called := stretches.get(moment.stretch)) is not None:
                _hold_call(called, moment, found)
        else:
            for stretch in of[moment.machine]:
                _hold_work(stretch, moment, found)
    if over or complete:
        for stretch in stretches.values():
            _hold_end(stretch, found, complete=complete)


def _in_order(calls: Sequence[Call], steps: Sequence[Step]) -> Iterator[Call | Step]:
    """By time; of one moment, calls come before the work that waited for them."""
    both: list[tuple[datetime, int, int, Call | Step]] = [(c.at, 0, i, c) for i, c in enumerate(calls)]
    both += [(s.at, 1, i, s) for i, s in enumerate(steps)]
    for *_, moment in sorted(both, key=lambda one: one[:3]):
        yield moment


def _hold_call(stretch: _Stretch, call: Call, found: Findings) -> None:
    if not call.after:
        stretch.begun = True
        stretch.after_done.clear()
        if call.ok:
            stretch.before_done.add(call.name)
        return
    if stretch.working:
        what = (
            f"{call.name} was called after {stretch.title} {_at(call.at)}, "
            f"while work on {found.listed(stretch.working)} was going on"
        )
        found.broken(EARLY, stretch.title, stretch.working, what)
    stretch.before_done.clear()  # whoever is begun next needs them anew
    if call.ok:
        stretch.after_done.add(call.name)


def _hold_work(stretch: _Stretch, step: Step, found: Findings) -> None:
    if step.what is What.OVER:
        stretch.working.discard(step.machine)
    elif step.what is What.BEGIN:
        stretch.begun = True
        stretch.after_done.clear()
        stretch.working.add(step.machine)
        missing = sorted(stretch.before - stretch.before_done)
        if missing:
            what = (
                f"work on {found.name(step.machine)} began {_at(step.at)}, "
                f"before {', '.join(missing)} was done before {stretch.title}"
            )
            found.broken(BEFORE, stretch.title, [step.machine], what)


def _hold_end(stretch: _Stretch, found: Findings, *, complete: bool) -> None:
    """Of a rollout that ended badly only the steps that run always are owed: what was sick may stay drained."""
    owed = {
        name for name, always in stretch.after.items() if complete or (always and len(stretch.machines) > 1)
    }
    left = sorted(owed - stretch.after_done)
    if stretch.begun and left:
        what = f"{', '.join(left)} was never done after {stretch.title}, which had been begun"
        found.broken(LEFT, stretch.title, stretch.machines, what)


# The plan's steps ---------------------------------------------------------------------------------------------


def _stretches(plan: Mapping[str, Any], lanes: Sequence[Lane], found: Findings) -> dict[Key, _Stretch]:
    """Everything that the plan has steps around."""
    rows = plan.get("around") or []
    entries = {id_of(key): entry for key, entry in (plan.get("machines") or {}).items()}
    named: dict[Key, set[int]] = defaultdict(set)
    members: dict[Key, set[str]] = defaultdict(set)
    for lane in lanes:
        for number, wave in enumerate(lane.waves, start=1):
            for machine in wave:
                for each, key in _keys(lane, number, machine).items():
                    members[key].add(machine)
                    places = entries.get(machine, {}).get("around") or []
                    named[key].update(p for p in places if rows[p].get("each", "machine") == each)
    stretches = {}
    for key, places in named.items():
        if places:
            stretch = _Stretch(_title(key, found), members[key])
            for place in sorted(places):
                stretch.before.update(step["webhook"] for step in _webhooks(rows[place], "before"))
                for step in _webhooks(rows[place], "after"):
                    always = step.get("when") == "always"
                    stretch.after[step["webhook"]] = always or stretch.after.get(step["webhook"], False)
            stretches[key] = stretch
    return stretches


def _webhooks(row: Mapping[str, Any], side: str) -> list[Mapping[str, Any]]:
    """The steps of one side that a receiver witnesses. What a script on a machine did, nobody told the audit."""
    return [step for step in row.get(side) or () if "webhook" in step]


def _keys(lane: Lane, wave: int, machine: str) -> dict[str, Key]:
    return {
        "machine": ("machine", machine),
        "wave": ("wave", lane.id, str(wave)),
        "stage": ("stage", lane.stage),
        "rollout": ("rollout",),
    }


def _title(key: Key, found: Findings) -> str:
    match key:
        case ("machine", machine):
            return found.name(machine)
        case ("wave", lane, wave):
            return f"wave {wave} of lane {lane}"
        case ("stage", stage):
            return f"stage {stage}"
        case _:
            return "the rollout"


def _at(moment: datetime) -> str:
    return f"at {moment.isoformat().replace('+00:00', 'Z')}"
