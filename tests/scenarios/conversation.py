"""A conversation with the core: what is said to it, a line at a time, and what it answers.

    plan                 the plan that follows, indented; then it is started
    looked [out x y]     the preparation has looked at everything
    a well               what the world reports on machine a (see `_Reports`)
    around 0 1 done      the step around wave 1 of lane 0 (both from 0) ended; `around 0`: stage 0, `around`: the rollout; or `failed`
    fleet out x          the watch saw x go out; `fleet back x`
    group db well        what is asked about group db is answered well again
    replanned            the planner has planned anew what was asked, and the judge has read it
    wait 90m             time passes
    hold name=a 6h       a person holds whom an expression selects; `unhold h1`
    held h1 a b          a look at the fleet found whom a hold means
    emergency            a person declares one
    pause, resume, abort, approve, retry a, skip a, write-off a
    crash                the process dies and starts again from the rows, before anybody misses it
    away 30h             the same, after so long; `caught-up`: it has looked at the fleet
    show                 where everything stands

An answer is the facts that were written down, each with its time, then what is newly to be done.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import MISSING, fields
from datetime import datetime, timedelta
from enum import Enum
from typing import Any

from orchestrator.errors import Refused
from orchestrator.planner.model import Plan
from orchestrator.policy.model import Each, Health, Share, Step, StopWhen
from orchestrator.rollout import actions as a
from orchestrator.rollout import events as e
from tests.builders import (
    NOON,
    always,
    budget,
    exclusion,
    grouped,
    lane,
    order,
    plan_of,
    stage,
    step,
    surrounded,
)
from tests.diary import NEW, OLD, Diary

_UNITS = {"m": "minutes", "h": "hours", "s": "seconds"}

_Reports: dict[str, Callable[[Diary, str, list[str]], tuple[e.Event, ...]]] = {
    "well": lambda d, who, said: d.well(who, said[0] if said else OLD),
    "out": lambda d, who, said: d.out(who, " ".join(said) or "503"),
    "broken": lambda d, who, said: d.broken(who, " ".join(said) or "503"),
    "busy": lambda d, who, _: d.busy(who),
    "group-sick": lambda d, who, said: d.group_sick(who, " ".join(said) or "503"),
    "gone": lambda d, who, _: d.gone(who),
    "step": lambda d, who, said: d.step(who, ok=said != ["failed"]),
    "accepted": lambda d, who, _: d.accepted(who),
    "rejected": lambda d, who, said: d.rejected(who, after=float(said[0])),
    "refused": lambda d, who, said: d.rejected(who, said[0], transient=False),
    "lapsed": lambda d, who, _: d.lapsed(who),
    "unsettled": lambda d, who, said: d.unsettled(who, " ".join(said) or "the connection was reset"),
    "shows-new-run": lambda d, who, said: d.read_back(who, NEW, sure=said == ["surely", "ours"]),
    "shows-old-run": lambda d, who, said: d.read_back(who, OLD, certain=said != ["now", "and", "then"]),
    "installed": lambda d, who, _: d.ended(who),
    "failed": lambda d, who, said: d.ended(
        who, changed=False, passing="later" in said, detail=" ".join(said)
    ),
    "surprised": lambda d, who, said: d.ended(who, changed=False, stops=True, detail=" ".join(said)),
    "lost": lambda d, who, _: d.lost(who),
    "assessed": lambda d, who, said: d.assessed(who, int(said[0])),
    "healthy": lambda d, who, _: d.healthy(who),
    "unhealthy": lambda d, who, said: d.unhealthy(who, " ".join(said) or "503"),
}


class Conversation:
    """One text's worth of talk."""

    def __init__(self) -> None:
        self._diary: Diary | None = None
        self._doing: dict[str, str] = {}

    def say(self, command: str) -> str:
        """Say one thing, which may be several lines; the answer."""
        first, *rest = command.splitlines()
        word, *said = first.split()
        self._said: list[str] = []
        try:
            if word == "plan":
                facts = self._plan(rest)
            else:
                assert self._diary is not None, "tell the plan first"
                facts = self._tell(self._diary, word, said)
        except Refused as refused:
            return f"refused: {refused}"
        lines = [self._fact(fact) for fact in facts] + self._news()
        return "\n".join(self._said or lines or ["nothing"])

    def _tell(self, diary: Diary, word: str, said: list[str]) -> tuple[e.Event, ...]:
        match word, said:
            case "looked", _:
                return diary.looked(" ".join(said[1:]))
            case "fleet", ["out" | "back" as way, *names]:
                return diary.fleet(**{way: " ".join(names)})
            case "around", [*where, ("done" | "failed") as came]:
                return diary.step_around(*map(int, where), ok=came == "done")
            case "group", [name, "well"]:
                names = [group.name for group in diary.plan.group_probes]
                return diary.group_well(names.index(name))
            case "wait", [time]:
                return diary.wait(**{_UNITS[time[-1]]: float(time[:-1])})
            case (("retry" | "skip" | "write-off"), [name]):
                facts: tuple[e.Event, ...] = getattr(diary, word.replace("-", "_"))(name)
                return facts
            case "hold", [select, time]:
                return diary.hold(select, **{_UNITS[time[-1]]: float(time[:-1])})
            case "away", [time]:
                self._doing = {}
                return diary.away(**{_UNITS[time[-1]]: float(time[:-1])})
            case "caught-up", []:
                return diary.caught_up()
            case "unhold", [hold]:
                return diary.unhold(hold)
            case "held", [hold, *names]:
                return diary.found_held(hold, " ".join(names))
            case (("pause" | "resume" | "abort" | "approve" | "emergency" | "crash" | "replanned"), []):
                self._doing = {} if word == "crash" else self._doing
                verb: Callable[[], tuple[e.Event, ...]] = getattr(diary, word)
                return verb()
            case "show", []:
                self._said = _standing(diary)
                return ()
            case who, [report, *more]:
                return _Reports[report](diary, who, more)
            case _:
                raise AssertionError(f"nobody understands: {word} {said}")

    def _plan(self, lines: list[str]) -> tuple[e.Event, ...]:
        told: list[e.Event] = []
        self._diary = Diary(_plan_of(lines), prepared=False, listen=told.extend)
        return (e.RolloutStarted("r1", "digest", "ada", "ticket 4711"), *told)

    def _fact(self, fact: e.Event) -> str:
        assert self._diary is not None
        told = []
        for field in fields(fact):
            value = getattr(fact, field.name)
            if field.default is MISSING or value != field.default:
                told.append(self._value(field.name, value))
        return " ".join([type(fact).__name__, *told])

    def _value(self, name: str, value: Any) -> str:
        assert self._diary is not None
        match value:
            case datetime():
                return f"{name}={_clock(value)}"
            case Enum():
                return str(value)
            case int() if name == "machine" and not isinstance(value, bool):
                return self._diary.names([value]) if value >= 0 else "-"
            case tuple() if name in ("out", "back", "dropped"):
                return f"{name}=[{self._diary.names(value)}]"
            case str():
                return f"{name}={value!r}" if " " in value or not value else f"{name}={value}"
            case _:
                return f"{name}={value}"

    def _news(self) -> list[str]:
        """What is newly to be done, by whom."""
        assert self._diary is not None
        doing = {self._diary.names([i]): _told(x) for i, x in self._diary.agenda.activities.items()}
        if self._diary.agenda.own:
            doing["everybody"] = ", ".join(_told(x) for x in self._diary.agenda.own)
        for due in self._diary.agenda.steps.due.values():
            title = self._diary.planned.title(self._diary.planned.stretches.at[due.where])
            doing[title] = f"carry out its step {'after' if due.after else 'before'}, as {due.key}"
        news = [f"-> {who}: {what}" for who, what in sorted(doing.items()) if self._doing.get(who) != what]
        ended = [f"-> {who}: nothing" for who in sorted(set(self._doing) - set(doing))]
        self._doing = doing
        return news + ended


def _told(activity: a.Activity) -> str:
    match activity:
        case a.RunStep(_, _, _, after, _, key):
            return f"carry out its step {'after' if after else 'before'}, as {key}"
        case a.ReadBaseline(not_before=moment):
            return "read its last run" + (f", not before {_clock(moment)}" if moment else "")
        case a.Send(key=key, not_after=moment):
            return f"send {key}, not after {_clock(moment)}"
        case a.Verify(briefly=briefly, hoping=hoping):
            return "verify it" + (", one round" if briefly else ", hoping" if hoping else "")
        case _:
            words = {
                a.Check: "look at it",
                a.Settle: "read it back",
                a.Follow: "follow its run",
                a.Replan: "plan anew what was not begun",
                a.WatchGroups: "ask the groups that aren't well",
                a.LookForHeld: "look at the fleet for whom holds mean",
            }
            return words.get(type(activity), type(activity).__name__.lower())


def _clock(moment: datetime) -> str:
    days = (moment.date() - NOON.date()).days
    return (f"{days}d " if days else "") + f"{moment:%H:%M:%S}"


def _standing(diary: Diary) -> list[str]:
    rollout = diary.rollout
    stage_name = rollout.planned.plan.stages[rollout.stage].name
    lines = [f"{_clock(diary.now)} {rollout.status}, stage {stage_name} {rollout.stage_status}"]
    lines += [f"because {rollout.cause}"] if rollout.cause else []
    for index, run in enumerate(rollout.machines):
        machine = rollout.planned.machine(index)
        if rollout.planned.lane_of[index] >= 0:
            grant = ", out by us" if diary.scope.ledger.holds(rollout.id, machine.id) else ""
            waits = diary.agenda.waiting.get(index)
            behind = f", waits: {waits.what}" if waits else ""
            lines.append(
                f"{machine.name} {run.status}{grant}{behind}" + (f" ({run.detail})" if run.detail else "")
            )
    return lines


def _plan_of(lines: list[str]) -> Plan:
    """A plan in words: `stage pilot bake 1h approve`, `lane west pilot after east: a b, c`, `budget 1: a b`, ..."""
    parts: dict[str, Any] = {"rules": [], "stages": [], "before": [], "after": []}
    lanes, groups, around = [], [], []
    for line in lines:
        head, _, tail = line.strip().partition(":")
        word, *said = head.split()
        match word:
            case "stage":
                bake = next((_length(x) for x in said if re.fullmatch(r"\d+[smh]", x)), timedelta(0))
                parts["stages"].append(stage(said[0], bake=bake, approve="approve" in said))
            case "lane":
                waves = [wave.strip() for wave in tail.split(",")]
                lanes.append(lane(said[0], *waves, stage=said[1], after=said[3:]))
            case "around":
                before, after = (_steps(side) for side in tail.split("/"))
                around.append((Each(said[0]), before, after))
            case "group":
                groups.append((said[0], tail.strip()))
            case "budget":
                parts["rules"].append(budget(int(said[0]), tail.strip()))
            case "exclusion":
                domains = [x.split("=") for x in tail.split(",")]
                parts["rules"].append(exclusion({name.strip(): members for name, members in domains}))
            case "order":
                first, then = tail.split(">")
                parts["rules"].append(order(first.strip(), then.strip()))
            case "before" | "after":
                parts[word] = _steps(tail)
            case "repair":
                parts["health"] = Health(repair=True)
            case "stop":
                parts["stop_when"] = StopWhen(Share(count=int(said[0])), Share(count=int(said[0])))
            case _:
                raise AssertionError(f"no part of a plan: {line}")
    plan = plan_of(*lanes, **parts)
    for each, before, after in around:
        plan = surrounded(plan, each, before, after)
    for name, members in groups:
        plan = grouped(plan, name, members)
    return plan


def _steps(told: str) -> list[Step]:
    """Webhooks by name; one with `!` runs always."""
    return [always(x[:-1]) if x.endswith("!") else step(x) for x in told.split()]


def _length(told: str) -> timedelta:
    return timedelta(**{_UNITS[told[-1]]: float(told[:-1])})
