"""May this machine be begun at this hour? What windows, freezes and holds say while a rollout runs.

A machine that has a calendar may be begun while it is open, and only as long as enough of the window is left for what 19 of 20
disruptions stay below. What has begun is carried through. In an emergency nobody has a calendar; holds hold then as well.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Final

from orchestrator.availability.ledger import Refusal
from orchestrator.policy.windows import ALWAYS, HORIZON, Calendar, after_open, opens_next
from orchestrator.rollout.holding import hold_on
from orchestrator.rollout.looking import fair_look
from orchestrator.rollout.state import MachineStatus, Rollout

HOURS: Final = "hours"
"""The name that a machine's calendar goes by among constraints."""


def opens_at(
    rollout: Rollout, machine: int, now: datetime, needs: timedelta | None = None
) -> datetime | None:
    """When the machine's calendar lets it be begun, if that isn't now. What never opens is asked again in ten years.

    `needs`: how much of a window must be left, where that isn't what the plan says.
    """
    planned, calendar = rollout.planned.machine(machine), _calendar_of(rollout, machine)
    if calendar is None:
        return None
    opens = rollout.planned.openings.next(calendar, now, planned.takes if needs is None else needs)
    if opens is None:
        return now + HORIZON
    return opens if opens > now else None


def _calendar_of(rollout: Rollout, machine: int) -> int | None:
    """The calendar that the machine is under, by its place in the plan."""
    return None if rollout.emergency is not None else rollout.planned.machine(machine).calendar


def begins_at(rollout: Rollout, machine: int, now: datetime) -> datetime | None:
    """When calendar and holds let the machine be begun, if that isn't now; then they are asked again."""
    opens = opens_at(rollout, machine, now)
    hold = hold_on(rollout, machine, now) if rollout.meant else None
    if hold is None:
        return opens
    return hold.until if opens is None else max(opens, hold.until)


def changes_at(rollout: Rollout, machine: int, now: datetime) -> datetime | None:
    """When the answer of `begins_at` is another one: that moment or, if it may be begun, the first that is too late for its window."""
    begins = begins_at(rollout, machine, now)
    if begins is not None:
        return begins
    planned, calendar = rollout.planned.machine(machine), _calendar_of(rollout, machine)
    if calendar is None:
        return None
    span = rollout.planned.openings.span(calendar, now, planned.takes)
    if span is None or span.end == ALWAYS.end:
        return None
    return (
        span.end - planned.takes + timedelta.resolution
    )  # at the moment before, it would still just end in time


def still_fits(rollout: Rollout, machine: int, now: datetime) -> bool:
    """Whether a machine that is granted may be sent its request now.

    Its steps before have taken their time, which need not be left any more; the storm of 429 in between may have been long.
    """
    steps = sum((step.timeout for step in rollout.planned.steps_before(machine)), timedelta())
    needs = max(timedelta(), rollout.planned.machine(machine).takes - steps)
    return opens_at(rollout, machine, now, needs) is None


def hours_refusal(rollout: Rollout, machine: int, now: datetime) -> Refusal | None:
    """Why the machine's calendar doesn't let it be begun now, and when it will; None if it does."""
    opens = opens_at(rollout, machine, now)
    if opens is None:
        return None
    planned = rollout.planned.machine(machine)
    assert planned.calendar is not None
    calendar = rollout.planned.plan.calendars[planned.calendar]
    when = "never again" if opens >= now + HORIZON else f"at {opens:%Y-%m-%d %H:%M} UTC"
    return Refusal(HOURS, f"{_closed(calendar, planned.takes, now)}; it may be begun {when}")


def _closed(calendar: Calendar, takes: timedelta, now: datetime) -> str:
    for freeze in calendar.freezes:
        if freeze.start <= now < freeze.end:
            return f"frozen: {freeze.reason} ({freeze.origin})"
    where = " and ".join(str(windows[0].origin) for windows in calendar.windows)
    told = f" ({where})" if where else ""
    if opens_next(calendar, now) == now:
        minutes = int(takes.total_seconds() // 60)
        return f"its windows{told} close before it would surely be well again, which may take {minutes} min"
    return f"outside its windows{told}"


def waited_long(rollout: Rollout, calendars: tuple[int | None, ...], since: datetime) -> datetime:
    """When machines under these calendars have waited for `max_wait` since then. Only time in which they could have begun counts.

    Of several calendars the one that takes longest decides: who waits for an opening isn't left out with those who had theirs.
    """
    counted = (None,) if rollout.emergency is not None or not calendars else calendars
    return max(_waited(rollout, calendar, since) for calendar in counted)


def _waited(rollout: Rollout, calendar: int | None, since: datetime) -> datetime:
    plan = rollout.planned.plan
    if calendar is None:
        return since + plan.max_wait
    return after_open(plan.calendars[calendar], since, plan.max_wait) or since + HORIZON


def looked_long(
    rollout: Rollout, machines: Sequence[int], calendars: tuple[int | None, ...], looked: datetime
) -> datetime:
    """When these machines, under these calendars, were looked at for a fair while, from `looked` or from their next opening on.

    What is shut has no room for anybody, whoever looks: no look at all. What never opens for long enough is nothing to wait for.
    """
    counted = (None,) if rollout.emergency is not None or not calendars else calendars
    takes: dict[int | None, timedelta] = {}
    for machine in map(rollout.planned.machine, machines):
        takes[machine.calendar] = max(machine.takes, takes.get(machine.calendar, machine.takes))
    opens = (
        None
        if calendar is None
        else rollout.planned.openings.next(calendar, looked, takes.get(calendar, timedelta(0)))
        for calendar in counted
    )
    return max(when or looked for when in opens) + fair_look(rollout.planned.plan)


def next_opening(rollout: Rollout, now: datetime) -> tuple[datetime, int] | None:
    """When the first of the machines whose turn it is may be begun, and how many there are, if all of them wait for windows or holds."""
    moments: list[datetime] = []
    for machine in _open_waves(rollout):
        begins = begins_at(rollout, machine, now)
        if begins is None:
            return None
        moments.append(begins)
    return (min(moments), len(moments)) if moments else None


def _open_waves(rollout: Rollout) -> Iterator[int]:
    """Machines that are pending in waves that are open, and those that were retried after theirs had passed."""
    waves = (
        rollout.planned.lanes[number].waves[rollout.lanes[number].wave]
        for number in rollout.planned.lanes_of_stage[rollout.stage]
        if rollout.lanes[number].open
    )
    machines = dict.fromkeys([*(machine for wave in waves for machine in wave), *rollout.stragglers])
    return (machine for machine in machines if rollout.machines[machine].status is MachineStatus.PENDING)
