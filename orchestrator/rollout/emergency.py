"""An emergency: a named person has a rollout wait for less. What that shortens, and what it never touches.

Windows and freezes don't hold it any more, a stage bakes for no longer than a machine must be seen well, and nobody is asked for approval.
Budgets, exclusions, orders, probes, gates, stages, what stops a rollout, and holds are as they were: nothing here is read by what enforces them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from orchestrator.planner.model import Plan, StageGate
from orchestrator.policy.words import counted, duration


@dataclass(frozen=True, slots=True)
class Emergency:
    """Who said so, why, and since when. It stands until its rollout is over."""

    who: str
    reason: str
    since: datetime

    def __str__(self) -> str:
        """`EMERGENCY by ada since 2026-12-20 10:00 UTC: CVE-2026-1234 is exploited`."""
        return f"EMERGENCY by {self.who} since {self.since:%Y-%m-%d %H:%M} UTC: {self.reason}"


def least_bake(plan: Plan, gate: StageGate) -> timedelta:
    """How long a stage bakes in an emergency: as long as a machine must be seen well, and no longer than it would anyway."""
    return min(gate.bake, max((health.min_healthy_time for health in plan.health), default=timedelta()))


def overridden(plan: Plan, now: datetime, stage: int = 0) -> tuple[str, ...]:
    """What an emergency shortens of a plan from a stage on, a sentence each; nothing if it has none of it ahead."""
    under = _under(plan, stage)
    return (*_windows(plan, under), *_freezes(plan, now, under), *_gates(plan, stage))


def _windows(plan: Plan, under: dict[int, int]) -> Iterator[str]:
    """By the place in a policy that they come from."""
    counts: dict[str, int] = {}
    for calendar, machines in under.items():
        for origin in {str(windows[0].origin) for windows in plan.calendars[calendar].windows}:
            counts[origin] = counts.get(origin, 0) + machines
    for origin in sorted(counts):
        yield f"windows ({origin}): {counted(counts[origin], 'machine')} may be begun outside of them"


def _freezes(plan: Plan, now: datetime, under: dict[int, int]) -> Iterator[str]:
    found: dict[tuple[str, str], tuple[datetime, int]] = {}
    for calendar, machines in under.items():
        for freeze in plan.calendars[calendar].freezes:
            if freeze.end > now:
                key = freeze.reason, str(freeze.origin)
                end, before = found.get(key, (freeze.end, 0))
                found[key] = max(end, freeze.end), before + machines
    for (reason, origin), (end, machines) in sorted(found.items()):
        until = f"{end:%Y-%m-%d %H:%M} UTC"
        yield f"freeze `{reason}` until {until} ({origin}): {counted(machines, 'machine')} may be begun in it"


def _gates(plan: Plan, stage: int) -> Iterator[str]:
    last = len(plan.stages) - 1
    for number, gate in enumerate(plan.stages):
        if number < stage:
            continue
        least = least_bake(plan, gate)
        if least < gate.bake:
            yield f"bake of stage {gate.name}: {duration(least)} instead of {duration(gate.bake)}"
        if gate.approve and number < last:
            yield f"approval after stage {gate.name}: nobody is asked"


def _under(plan: Plan, stage: int) -> dict[int, int]:
    """How many machines from a stage on are under each calendar."""
    wanted = {gate.name for gate in plan.stages[stage:]}
    ahead = {m for lane in plan.lanes if lane.stage in wanted for wave in lane.waves for m in wave.machines}
    counts: dict[int, int] = {}
    for machine in plan.machines:
        if machine.calendar is not None and machine.id in ahead:
            counts[machine.calendar] = counts.get(machine.calendar, 0) + 1
    return counts
