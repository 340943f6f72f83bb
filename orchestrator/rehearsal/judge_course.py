"""Expectations of what happens when, and of how it ends."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final, assert_never

from orchestrator.inventory.model import MachineId
from orchestrator.policy import words
from orchestrator.policy.build import window, zone
from orchestrator.policy.hours import machine_zone
from orchestrator.policy.model import Freeze, Origin
from orchestrator.policy.schema.section import Select
from orchestrator.policy.windows import calendar, open_until
from orchestrator.rehearsal.judge_plan import holds
from orchestrator.rehearsal.model import Course, Failure, Planned, Seen
from orchestrator.rehearsal.schema.expect import Ends, EndsWithin, Inside, Outcome, Outside, TouchedAtMost
from orchestrator.rehearsal.whom import names, nobody, selected, told

OfCourse = Inside | Outside | EndsWithin | Ends | Outcome | TouchedAtMost

SHOWN: Final = 3
"""Machines of which each is told, of many that break an expectation alike."""


def judge_course(what: OfCourse, planned: Planned, seen: Seen | None) -> Iterator[Failure]:
    """Whether it goes as expected: in the rollout if there was one, else as the plan foresees it."""
    match what:
        case Inside() | Outside():
            yield from _when(what, planned, seen)
        case EndsWithin():
            yield from _ends_within(what, planned, seen)
        case Ends():
            yield from _ends(what, seen)
        case Outcome():
            yield from _outcome(what, planned, seen)
        case TouchedAtMost():
            yield from _touched(what, planned, seen)
        case _:
            assert_never(what)


# When -----------------------------------------------------------------------------------------------------------


def _when(what: Inside | Outside, planned: Planned, seen: Seen | None) -> Iterator[Failure]:
    course = seen.course if seen is not None else planned.course
    assert course is not None
    expected = _said(what)
    if not selected(planned.topology, what.of):
        yield nobody(what.of, expected)
        return
    wrong: list[tuple[datetime, MachineId, str]] = []
    for machine in selected(planned.topology, what.of):
        if machine in course.begun:
            fault = _fault(what, planned, course, machine)
            if fault:
                wrong.append((course.begun[machine], machine, fault))
    if wrong:
        wrong.sort()
        first = "; ".join(
            f"{names(planned.topology, (machine,))} {fault}" for _, machine, fault in wrong[:SHOWN]
        )
        more = f"; and {len(wrong) - SHOWN} machines more" if len(wrong) > SHOWN else ""
        yield Failure(expected, first + more, tuple(_hours(planned, wrong[0][1])))


def _said(what: Inside | Outside) -> str:
    who = "changes" if what.of == Select() else f"changes of {told(what.of)}"
    if isinstance(what, Inside):
        windows = " or ".join(words.window(window(section, Origin(""))) for section in what.inside)
        return f"{who} only in {windows}"
    days = what.outside
    return f"no {who} from {days.first} to {days.last}"


def _fault(what: Inside | Outside, planned: Planned, course: Course, machine: MachineId) -> str:
    """What is wrong with when a machine's change is; empty if nothing is."""
    zone_of = machine_zone(planned.topology.machine(machine))
    begun, ended = course.begun[machine], course.ended.get(machine)
    if isinstance(what, Inside):
        windows = [window(section, Origin("")) for section in what.inside]
        until = open_until(calendar([windows], (), zone_of), begun)
        if until is None:
            return f"begins at {_at(begun)}"
        if ended is None or ended > until:
            return f"begins at {_at(begun)}, and may end at {_at(ended)}"
        return ""
    days = what.outside
    freeze = Freeze(days.first, days.last, "", zone(days.time_zone))
    (closed,) = calendar((), [freeze], zone_of).freezes
    if begun < closed.end and (ended is None or ended > closed.start):
        return f"begins at {_at(begun)}" + (f" and ends at {_at(ended)}" if begun < closed.start else "")
    return ""


def _at(moment: datetime | None) -> str:
    return "no time" if moment is None else f"{moment:%a %Y-%m-%d %H:%M} UTC"


def _hours(planned: Planned, machine: MachineId) -> Iterator[str]:
    """The windows and freezes that the plan keeps for a machine."""
    assert planned.plan is not None
    held = next((one for one in planned.plan.machines if one.id == machine), None)
    if held is None or held.calendar is None:
        yield f"no policy has windows or freezes for {names(planned.topology, (machine,))}"
        return
    hours = planned.plan.calendars[held.calendar]
    for windows in hours.windows:
        for one in windows:
            yield f"its window: {words.window(one)} ({one.origin})"
    for freeze in hours.freezes:
        yield f"its freeze: {_at(freeze.start)} to {_at(freeze.end)}, {freeze.reason} ({freeze.origin})"


def _ends_within(what: EndsWithin, planned: Planned, seen: Seen | None) -> Iterator[Failure]:
    assert planned.forecast is not None
    expected = f"an end within {words.duration(what.ends_within)} of {_at(planned.situation.now)}"
    spent = [str(spent) for spent in planned.forecast.spent[:4]]
    if seen is not None and seen.ending != "finished":
        yield Failure(expected, f"the rollout {_ending(seen)}")
        return
    end = seen.ended if seen is not None else planned.forecast.ends
    takes = end - planned.situation.now
    if takes > what.ends_within:
        rounded = timedelta(minutes=round(takes.total_seconds() / 60))
        who = "the rollout took" if seen is not None else "the plan takes, as foreseen,"
        why = tuple(f"of that, as foreseen, {one}" for one in spent)
        yield Failure(expected, f"{who} {words.duration(rounded)}", why)


# How it ends ----------------------------------------------------------------------------------------------------


def _ending(seen: Seen) -> str:
    said = {
        "finished": "finished",
        "stopped": "stopped",
        "refused": "was refused",
        "waiting": "isn't over, it waits",
    }
    return said[seen.ending] + (f": {seen.cause}" if seen.cause else "")


def _ends(what: Ends, seen: Seen | None) -> Iterator[Failure]:
    assert seen is not None
    expected = f"the rollout to be {what.rollout}"
    if seen.ending != what.rollout:
        yield Failure(expected, f"it {_ending(seen)}", tuple(sorted(set(seen.why.values())))[:SHOWN])
    elif what.because and not holds(seen.cause, what.because):
        yield Failure(f"{expected} because of `{what.because}`", f"it {_ending(seen)}")


def _outcome(what: Outcome, planned: Planned, seen: Seen | None) -> Iterator[Failure]:
    assert seen is not None
    expected = f"{told(what.of)} to be {what.outcome}"
    wanted = selected(planned.topology, what.of)
    if not wanted:
        yield nobody(what.of, expected)
        return
    others: dict[str, list[MachineId]] = {}
    for machine in wanted:
        outcome = seen.outcomes.get(machine, "not in the plan")
        if outcome != what.outcome:
            others.setdefault(outcome, []).append(machine)
    for outcome, machines in sorted(others.items()):
        why = tuple(dict.fromkeys(seen.why[machine] for machine in machines if machine in seen.why))
        is_are = "is" if len(machines) == 1 else "are"
        yield Failure(expected, f"{names(planned.topology, machines)} {is_are} {outcome}", why[:SHOWN])


def _touched(what: TouchedAtMost, planned: Planned, seen: Seen | None) -> Iterator[Failure]:
    assert seen is not None
    about = set(selected(planned.topology, what.of))
    expected = f"at most {what.touched_at_most} of {told(what.of)} to be touched"
    if not about:
        yield nobody(what.of, expected)
        return
    touched = about.intersection(seen.touched)
    if len(touched) > what.touched_at_most:
        yield Failure(expected, f"the rollout touched {len(touched)}: {names(planned.topology, touched)}")
