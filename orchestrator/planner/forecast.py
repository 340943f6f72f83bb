"""When a plan will be done at the earliest, whether that is in time, and what most of the time goes to.

The plan is played through on paper (`dry_run`). Then the way is walked back from the machine that is well last: what it waited for, how
long it took, who had to be well before its wave could open, and so on to the beginning. That way is what the whole takes, and whatever
takes most of it is to blame if a deadline is missed: a window, a freeze, a cap, a bake, or the waves of a stage.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, cast

from orchestrator.inventory.model import MachineId
from orchestrator.planner.dry_run import IN_FLIGHT, For, Played, Run, Waited, play
from orchestrator.planner.durations import STEP_MEDIAN, Durations
from orchestrator.planner.model import Plan
from orchestrator.planner.taking import takes_of
from orchestrator.policy import words
from orchestrator.policy.model import Origin
from orchestrator.policy.schedules import due_next
from orchestrator.policy.windows import Calendar

Spend = Callable[[str, timedelta, Origin | None], None]


@dataclass(frozen=True, slots=True)
class WaveForecast:
    """A wave of a lane, counted from 1: when its first machine may begin, and when its last is expected to be well."""

    lane: str
    wave: int
    starts: datetime
    ends: datetime


@dataclass(frozen=True, slots=True)
class StageForecast:
    """A stage: when it opens, when its last machine is expected to be well and what is done after it to have been done, and when it
    has baked.
    """

    name: str
    starts: datetime
    ends: datetime
    baked: datetime


@dataclass(frozen=True, slots=True)
class Spent:
    """What some of the time goes to, on the way to the machine that is well last."""

    what: str
    time: timedelta
    origin: Origin | None = None

    def __str__(self) -> str:
        """`5d: windows fri, sat at 22:00 for 8h, Europe/Amsterdam (monthly.yaml:9)`."""
        return f"{words.duration(self.time)}: {self.what}" + (f" ({self.origin})" if self.origin else "")


@dataclass(frozen=True, slots=True)
class Forecast:
    """What is to be expected if nothing goes wrong and people approve at once. All moments are in UTC.

    `spent` adds up to the whole, the most first. `never` are machines whose windows never open again. `given_up` are those that the
    rollout would leave out, since nothing of their lane has room for as long as `max_wait`.
    """

    start: datetime
    ends: datetime
    deadline: datetime
    stages: tuple[StageForecast, ...]
    waves: tuple[WaveForecast, ...]
    spent: tuple[Spent, ...]
    approvals: tuple[str, ...]  # stages after which a person must approve
    never: tuple[MachineId, ...]
    given_up: tuple[MachineId, ...]
    schedule: str = ""  # of the campaign, in words
    due: datetime | None = None  # when the campaign is due by it, from `start` on

    @property
    def in_time(self) -> bool:
        """Whether the deadline is met."""
        return self.ends <= self.deadline

    @property
    def blame(self) -> Spent | None:
        """What most of the time goes to; None for a plan of no waves."""
        return self.spent[0] if self.spent else None

    def summary(self) -> dict[str, Any]:
        """As `to_json`, without the waves, which are many."""
        return {key: value for key, value in self.to_json().items() if key != "waves"}

    def to_json(self) -> dict[str, Any]:
        """Plain values, durations in seconds; instants stay datetimes."""
        told = asdict(self)
        for spent in told["spent"]:
            spent["time_s"] = spent.pop("time").total_seconds()
        return {**told, "in_time": self.in_time}


def forecast(plan: Plan, durations: Durations, start: datetime) -> Forecast:
    """When each wave starts at the earliest and is expected to end, and the whole, begun at `start`."""
    return forecast_of(plan, takes_of(plan, durations), start)


def forecast_of(
    plan: Plan, takes: Mapping[MachineId, timedelta], start: datetime, step: timedelta = STEP_MEDIAN
) -> Forecast:
    """As `forecast`, where it is known how long each machine takes, and each step around a wave, a stage or the rollout."""
    played = play(plan, takes, start, step)
    stages = tuple(
        StageForecast(gate.name, one.opened, one.ended, one.baked)
        for gate, one in zip(plan.stages, played.stages, strict=True)
        if one is not None
    )
    return Forecast(
        start=start,
        ends=stages[-1].ends if stages else start,  # the last bake is watched, not waited for
        deadline=start + plan.deadline,
        stages=stages,
        waves=tuple(_waves(plan, played)),
        spent=_spent(plan, played),
        approvals=tuple(gate.name for gate in plan.stages[:-1] if gate.approve),
        never=tuple(sorted(played.never)),
        given_up=tuple(sorted(played.given_up)),
        schedule=words.schedule(plan.schedule) if plan.schedule is not None else "",
        due=due_next(plan.schedule, start) if plan.schedule is not None else None,
    )


def sentences(told: Forecast) -> tuple[str, ...]:
    """For the summary of a plan: `earliest end: 2026-12-14 03:20 UTC; deadline 30d: met`, and why not, if it isn't."""
    allowed = words.duration(told.deadline - told.start)
    verdict = f"deadline {allowed}: " + (
        "met" if told.in_time else f"missed by {_roughly(told.ends - told.deadline)}"
    )
    approvals = f", if {' and '.join(told.approvals)} is approved at once" if told.approvals else ""
    lines = [f"earliest end: {told.ends:%Y-%m-%d %H:%M} UTC{approvals}; {verdict}"]
    if not told.in_time:
        most = "; ".join(str(Spent(s.what, _rounded(s.time), s.origin)) for s in told.spent[:3])
        lines.append(f"most of the time goes to {most}")
    if told.never:
        count = len(told.never)
        who = f"{count:,} machines have" if count > 1 else "one machine has"
        lines.append(f"{who} no window in the next ten years that is long enough")
    if told.given_up:
        count = len(told.given_up)
        who = f"{count:,} machines" if count > 1 else "one machine"
        lines.append(
            f"{who} would be left out, since nothing of their lanes has room for as long as `max_wait` lets them wait: "
            "raise it, or let more machines be in flight"
        )
    if told.due is not None:
        lines.append(
            f"due next on {told.due:%Y-%m-%d %H:%M} UTC by its schedule ({told.schedule}); "
            "a rollout of this plan runs when it is started, and not by itself"
        )
    return tuple(lines)


def _roughly(time: timedelta) -> str:
    return words.duration(_rounded(time))


def _rounded(time: timedelta) -> timedelta:
    """To the hour above a day, else to the minute, so that people can read it."""
    unit = 3600 if time >= timedelta(days=1) else 60
    return timedelta(seconds=max(unit, round(time.total_seconds() / unit) * unit))


def _waves(plan: Plan, played: Played) -> Iterator[WaveForecast]:
    for lane in plan.lanes:
        for number, wave in enumerate(lane.waves, 1):
            runs = [played.runs[machine] for machine in wave.machines]
            began = [run.began for run in runs if run.began is not None]
            ended = [run.ended for run in runs if run.ended is not None]
            if ended:  # else all of it is given up
                yield WaveForecast(lane.id, number, min(began), max(ended))


# Where the time goes --------------------------------------------------------------------------------------------


def _spent(plan: Plan, played: Played) -> tuple[Spent, ...]:
    """The way back from the end, summed up by what it was spent on; the most first."""
    sums: dict[tuple[str, Origin | None], timedelta] = {}

    def spend(what: str, time: timedelta, origin: Origin | None) -> None:
        if time > timedelta(0):
            sums[what, origin] = sums.get((what, origin), timedelta(0)) + time

    last_of: dict[str, MachineId] = {}
    for machine, run in played.runs.items():
        stage = plan.lanes[run.lane].stage
        if run.ended is None:
            continue
        if stage not in last_of or run.ended > _ended(played.runs[last_of[stage]]):
            last_of[stage] = machine
    for place, (gate, one) in enumerate(zip(plan.stages, played.stages, strict=True)):
        if one is None:
            continue
        for waited in one.tail:
            spend(cast("For", waited.cap).value, waited.end - waited.start, None)
        if any(played.stages[place + 1 :]):
            spend(f"the bake of stage {gate.name}", gate.bake, None)
        if gate.name in last_of:
            _stage_spent(plan, played, last_of[gate.name], spend)
    ordered = sorted(sums.items(), key=lambda item: (-item[1], item[0][0]))
    return tuple(Spent(what, time, origin) for (what, origin), time in ordered)


def _stage_spent(plan: Plan, played: Played, last: MachineId, spend: Spend) -> None:
    """From the last machine of a stage back to its opening."""
    way: list[Run] = []
    at: MachineId | None = last
    while at is not None:
        way.append(played.runs[at])
        at = way[-1].opened_by
    running = timedelta(0)
    lanes: dict[int, int] = {}
    for run in way:
        running += _ended(run) - (run.began or _ended(run))
        lanes[run.lane] = lanes.get(run.lane, 0) + 1
        for waited in run.waited:
            _waited(plan, played, run, waited, spend)
    longest = plan.lanes[max(lanes, key=lambda lane: (lanes[lane], -lane))]
    many = "waves, one after another" if len(way) > 1 else "wave"
    why = f": {longest.bound.because}" if longest.bound.because else ""
    spend(f"stage {longest.stage}, {len(way):,} {many}{why}", running, None)


def _waited(plan: Plan, played: Played, run: Run, waited: Waited, spend: Spend) -> None:
    if waited.cap == IN_FLIGHT:
        most = words.counted(plan.max_in_flight or 0, "machine")
        spend(f"at most {most} in flight", waited.end - waited.start, None)
    elif isinstance(waited.cap, int):
        rule = played.caps[waited.cap]
        spend(rule.what, waited.end - waited.start, rule.origin)
    elif waited.cap is not For.HOURS:
        spend(waited.cap.value, waited.end - waited.start, None)
    else:
        place = plan.machines[run.machine].calendar
        assert place is not None
        _closed(plan.calendars[place], waited, spend)


def _closed(calendar: Calendar, waited: Waited, spend: Spend) -> None:
    """Time for which a calendar was closed: what freezes cover goes to them, the rest to the windows."""
    left, start = waited.end - waited.start, waited.start
    for freeze in sorted(calendar.freezes, key=lambda one: (one.start, one.end)):
        covered = min(freeze.end, waited.end) - max(freeze.start, start)
        if covered > timedelta(0):
            spend(f"the freeze {freeze.reason}", covered, freeze.origin)
            left -= covered
            start = max(start, freeze.end)
    for windows in calendar.windows[:1]:
        told = " or ".join(words.window(window) for window in windows)
        more = [str(other[0].origin) for other in calendar.windows[1:]]
        besides = f", together with {' and '.join(more)}" if more else ""
        spend(f"waiting for the window {told}{besides}", left, windows[0].origin)


def _ended(run: Run) -> datetime:
    assert run.ended is not None
    return run.ended
