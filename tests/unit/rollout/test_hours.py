"""Windows and freezes while a rollout runs: who is looked at, granted, sent, and who waits for how long."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from orchestrator.availability.ledger import Refusal
from orchestrator.planner.model import Plan
from orchestrator.policy.model import Freeze, Origin, Zone
from orchestrator.policy.windows import Calendar, calendar
from orchestrator.rollout import actions as a
from orchestrator.rollout import events as e
from orchestrator.rollout import messages as m
from orchestrator.rollout.admission import refusal
from orchestrator.rollout.hours import HOURS, next_opening
from orchestrator.rollout.state import MachineStatus
from tests.builders import NOON, budget, lane, night, plan_of, step, under
from tests.diary import WHO, WHY, Diary

HOUR = timedelta(hours=1)
TODAY = calendar([[night((6,), "14:00", 4)]], [], None)
"""Rollouts of tests begin on a Sunday at noon; this opens two hours later and closes at 18:00."""


def of(*waves: str, held: Calendar = TODAY, takes: timedelta = HOUR, **parts: object) -> Plan:
    """One lane of these waves, all its machines under one calendar."""
    return under(plan_of(lane("l", *waves), **parts), held, takes)  # type: ignore[arg-type]  # handed on as they are


def refused(diary: Diary, name: str) -> Refusal | None:
    """What stands in a machine's way now."""
    return refusal(diary.scope, diary.rollout, diary.index(name), now=diary.now)


def test_nobody_is_looked_at_before_the_window_opens() -> None:
    """The agenda wakes at the opening, and not before."""
    diary = Diary(of("a b"))

    assert diary.checked() == ""
    assert diary.agenda.wake_at() == NOON + 2 * HOUR
    assert diary.agenda.opens_at() == NOON + 2 * HOUR
    assert next_opening(diary.rollout, diary.now) == (NOON + 2 * HOUR, 2)

    diary.wait(hours=2)

    assert diary.checked() == "a b"
    assert diary.agenda.opens_at() is None


def test_a_refusal_says_when_the_machine_may_be_begun() -> None:
    """And which window keeps it."""
    diary = Diary(of("a"))

    assert refused(diary, "a") == Refusal(
        HOURS, "outside its windows (monthly.yaml:5); it may be begun at 2026-11-22 14:00 UTC"
    )


def test_a_freeze_is_told_by_its_reason() -> None:
    """With the moment at which it ends, if a window is open then."""
    closed = Freeze(date(2026, 11, 20), date(2026, 11, 24), "year end", Zone("UTC"), Origin("sale.yaml", 3))
    diary = Diary(of("a", held=calendar([], [closed], None)))

    assert refused(diary, "a") == Refusal(
        HOURS, "frozen: year end (sale.yaml:3); it may be begun at 2026-11-25 00:00 UTC"
    )
    diary.wait(hours=60)
    assert diary.checked() == "a"


def test_what_might_not_end_in_time_waits_for_the_next_window() -> None:
    """An hour before the window closes it may just be begun, and not a moment later."""
    diary = Diary(of("a", "b"))
    diary.wait(hours=5)
    diary.finish("a")

    assert diary.checked() == "b"

    diary.wait(seconds=1)

    assert diary.checked() == ""
    assert refused(diary, "b") == Refusal(
        HOURS,
        "its windows (monthly.yaml:5) close before it would surely be well again, which may take 60 min; "
        "it may be begun at 2026-11-29 14:00 UTC",
    )


def test_a_look_that_takes_until_it_is_too_late_grants_nothing() -> None:
    """The grant is asked for again at the moment of the decision."""
    diary = Diary(of("a"))
    diary.wait(hours=5)
    diary.now += timedelta(seconds=1)

    assert diary.tell(m.FoundWell(diary.id, diary.index("a"), "old")) == ()
    assert diary.granted() == ""


@pytest.mark.parametrize("found", [m.FoundOut, m.FoundBusy])
def test_what_is_found_outside_the_window_decides_nothing(found: type) -> None:
    """It may be another thing when the window opens."""
    diary = Diary(of("a"))
    told = (diary.id, diary.index("a"), "503") if found is m.FoundOut else (diary.id, diary.index("a"))

    assert diary.tell(found(*told)) == ()


def test_what_has_begun_is_carried_through() -> None:
    """A window closes for who hasn't begun."""
    diary = Diary(of("a b"))
    diary.wait(hours=4)
    diary.follow("a")
    diary.wait(hours=3)
    diary.ended("a")

    diary.recover("a")

    assert diary.status("a") is MachineStatus.DONE
    assert diary.status("b") is MachineStatus.PENDING


def test_a_request_that_was_throttled_until_too_late_is_not_sent() -> None:
    """The machine gets its steps after, its grant is returned, and it waits for the next window."""
    diary = Diary(of("a", before=[step("drain")], after=[step("undrain")]))
    diary.wait(hours=2)
    diary.send("a")
    diary.rejected("a", after=3 * 3600)
    diary.wait(hours=4)

    (ended,) = diary.well("a")

    assert isinstance(ended, e.ChangeEnded)
    assert ended.detail == "not begun: its windows closed before its request could be sent"
    diary.healthy("a")
    diary.step("a")
    diary.healthy("a")
    assert (diary.status("a"), diary.granted(), diary.checked()) == (MachineStatus.PENDING, "", "")
    diary.wait(days=6, hours=22)
    assert diary.checked() == "a"


def test_steps_before_may_take_of_the_time_that_is_kept_for_them() -> None:
    """A machine that was granted at the last moment is changed once it is drained."""
    diary = Diary(of("a", before=[step("drain")]))
    diary.wait(hours=5)
    diary.well("a")
    diary.now += timedelta(minutes=9)
    diary.step("a")

    diary.well("a")

    assert diary.status("a") is MachineStatus.INTENDED


def test_an_attempt_that_a_person_wants_waits_for_the_window_too() -> None:
    """Resume and retry start things only inside windows."""
    diary = Diary(of("a b"))
    diary.wait(hours=2)
    diary.change("a")
    diary.unhealthy("a")
    diary.wait(hours=4)

    diary.tell(m.Retry(diary.id, diary.index("a"), WHO, WHY))

    assert (diary.status("a"), diary.doing("a")) == (MachineStatus.PENDING, None)
    diary.wait(days=6, hours=22)
    assert isinstance(diary.doing("a"), a.Check)


# Waiting --------------------------------------------------------------------------------------------------------


def test_waiting_for_a_window_is_no_waiting_for_room() -> None:
    """Twenty-four hours of open window are six Sundays of four hours."""
    plan = of("a", rules=[budget(1, "a z")])
    diary = Diary(plan)
    diary.fleet(out="z")

    diary.wait(days=35)
    assert diary.status("a") is MachineStatus.PENDING

    diary.wait(days=1)
    assert diary.status("a") is MachineStatus.LEFT_OUT
    assert diary.rollout.over


def test_a_lane_waits_for_those_whose_window_is_still_to_come() -> None:
    """The gate stays shut for who waits in vain, and the others of the lane aren't left out with them."""
    plan = under(plan_of(lane("l", "a", "b")), calendar([[night((5,), "00:00", 24)]], [], None), only="b")
    diary = Diary(plan)
    diary.change("a")
    diary.unhealthy("a")

    diary.wait(days=2)
    assert diary.status("b") is MachineStatus.PENDING

    diary.wait(days=5)
    assert diary.status("b") is MachineStatus.LEFT_OUT


def test_a_lane_gives_up_sooner_once_those_with_later_windows_are_through() -> None:
    """Who is left decides how long is waited; the agenda wakes in time for it."""
    plan = plan_of(lane("l", "a", "b"), rules=[budget(1, "b z")])
    diary = Diary(under(plan, calendar([[night((0,), "12:00", 8)]], [], None), only="a"))
    diary.wait(hours=1)
    assert diary.agenda.wake_at() == NOON + 24 * HOUR
    diary.wait(hours=23)
    diary.finish("a")
    diary.fleet(out="z")

    diary.wait(hours=24)

    assert diary.status("b") is MachineStatus.LEFT_OUT


def test_a_machine_that_was_parked_behind_a_rule_is_not_begun_when_there_is_room_after_hours() -> None:
    """The place goes to who may be begun."""
    plan = under(plan_of(lane("l", "a b c"), rules=[budget(1, "a b c")]), TODAY, only="b")
    diary = Diary(plan)
    diary.wait(hours=5)
    diary.follow("a")
    diary.wait(hours=1)
    diary.ended("a")
    diary.recover("a")

    assert diary.checked() == "c"


def test_what_never_opens_again_has_a_way_out_all_the_same() -> None:
    """It is asked again in ten years, and left out then."""
    diary = Diary(of("a", takes=5 * HOUR))

    assert refused(diary, "a") == Refusal(
        HOURS, "outside its windows (monthly.yaml:5); it may be begun never again"
    )
    assert diary.agenda.wake_at() is not None


def test_a_crash_forgets_no_window() -> None:
    """What goes on from the rows waits for the same moment."""
    diary = Diary(of("a"))
    diary.crash()

    assert (diary.checked(), diary.agenda.wake_at()) == ("", NOON + 2 * HOUR)


def test_machines_without_a_calendar_are_begun_at_any_time() -> None:
    """In the same lane as others that wait."""
    diary = Diary(under(plan_of(lane("l", "a b")), TODAY, only="b"))

    assert diary.checked() == "a"
    assert next_opening(diary.rollout, datetime(2026, 11, 22, 12, tzinfo=UTC)) is None
    assert replace(diary.planned.lanes[0]).calendars == ((None, 0),)
