"""Whom a rollout left is taken up in the campaign's next windows: within its deadline, never the same twice, nobody's abort undone."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from orchestrator.daemon.calendar import Due, calendar
from orchestrator.daemon.config import Campaign
from orchestrator.daemon.stragglers import Tried, is_new, settled, taken_up_at, tried, with_stragglers
from orchestrator.policy.load import load_one
from orchestrator.rollout.state import Ended, MachineStatus, RolloutStatus
from tests.builders import ids, lane, plan_of
from tests.diary import Diary

MONTHLY = """\
version: 1
name: monthly
select: {tags: {patching: monthly}}
change: {patches: {}}
schedule: {days_after_second_tuesday: 4, at: "20:00", time_zone: UTC}
deadline: 10d
windows: [{start: [fri, sat], at: "20:00", for: 8h, time_zone: UTC}]
"""
POLICY = load_one("monthly.yaml", MONTHLY)
SATURDAY = datetime(2026, 11, 14, 20, tzinfo=UTC)
SUNDAY = SATURDAY + timedelta(hours=5)  # the window is still open
FRIDAY = datetime(2026, 11, 20, 20, tzinfo=UTC)
ACTS = {"monthly": Campaign(act=True)}


def ended(at: datetime = SUNDAY, status: RolloutStatus = RolloutStatus.FINISHED, number: int = 1) -> Ended:
    """What is kept of the rollout of that number for Saturday's moment."""
    return Ended(
        f"monthly-{number}", "monthly", "", "schedule", "", 1.0, status, "", "", SATURDAY + timedelta(minutes=number),
        at, 3, {}, 0, 1, due=SATURDAY,
    )  # fmt: skip


def statuses(rollout: str, **of: MachineStatus) -> Tried:
    """What a rollout came to."""
    held = tuple((ids(name)[0], status) for name, status in of.items())
    return Tried(rollout, frozenset(machine for machine, _ in held), held)


def test_the_next_opening_is_the_one_after_its_end() -> None:
    """The window that it ended in was its own."""
    assert taken_up_at(POLICY, SATURDAY, [ended()], None) == FRIDAY
    second = ended(FRIDAY + timedelta(hours=2), number=2)
    assert taken_up_at(POLICY, SATURDAY, [ended(), second], None) == FRIDAY + timedelta(days=1)
    looked = FRIDAY + timedelta(minutes=1)
    assert taken_up_at(POLICY, SATURDAY, [ended()], looked) == FRIDAY + timedelta(days=1)


def test_without_windows_it_is_a_day_later() -> None:
    """Else whoever was left out would be tried the minute it is over, again and again."""
    always = load_one("m.yaml", MONTHLY[: MONTHLY.index("windows")])
    assert taken_up_at(always, SATURDAY, [ended()], None) == SUNDAY + timedelta(days=1)


@pytest.mark.parametrize(
    "rollouts",
    [
        [],
        [replace(ended(), status=RolloutStatus.ABORTED)],
        [ended(), ended(FRIDAY, RolloutStatus.ABORTED, 2)],
        [replace(ended(), archive="a.db")],
        [ended(SATURDAY + timedelta(days=9))],
    ],
    ids=["none was", "aborted", "the last was aborted", "archived", "after the deadline"],
)
def test_when_nobody_is_taken_up(rollouts: list[Ended]) -> None:
    """Nothing to follow up, a person's word, nothing known of it, or no time left."""
    assert taken_up_at(POLICY, SATURDAY, rollouts, None) is None


def test_one_that_goes_on_is_waited_for() -> None:
    """Its machines may be in flight."""
    diary = Diary(plan_of(lane("west", "a b")))
    assert taken_up_at(POLICY, SATURDAY, [ended(), diary.rollout], None) is None


def test_who_is_taken_up() -> None:
    """Whoever was never begun; not who is done, nor whom a person has a word on."""
    first = statuses(
        "m-1",
        a=MachineStatus.DONE,
        b=MachineStatus.LEFT_OUT,
        c=MachineStatus.SKIPPED,
        d=MachineStatus.UNHEALTHY,
        e=MachineStatus.GONE,
        f=MachineStatus.PENDING,
        g=MachineStatus.WRITTEN_OFF,
    )
    found = settled([first])
    assert set(found) == set(ids("a c d e g"))
    assert found[ids("a")[0]] == "done already, in rollout m-1"
    assert found[ids("d")[0]] == "a person must look at it, in rollout m-1"


def test_what_does_not_take_is_tried_twice() -> None:
    """In two rollouts of the same moment."""
    first = statuses("m-1", a=MachineStatus.NOT_CHANGED, b=MachineStatus.LEFT_OUT)
    assert settled([first]) == {}
    second = statuses("m-2", a=MachineStatus.NOT_CHANGED, b=MachineStatus.NOT_CHANGED)
    assert settled([first, second]) == {ids("a")[0]: "not changed twice, in rollout m-2"}


def test_the_same_set_is_never_taken_up_twice() -> None:
    """A new machine, or one less, makes it another."""
    before = [
        statuses("m-1", a=MachineStatus.DONE, b=MachineStatus.LEFT_OUT),
        statuses("m-2", b=MachineStatus.LEFT_OUT),
    ]
    assert not is_new(frozenset(ids("b")), before)
    assert not is_new(frozenset(), before)
    assert is_new(frozenset(ids("b c")), before)


def test_what_a_rollout_came_to_is_read_off_it() -> None:
    """Of the machines that it was to change."""
    diary = Diary(plan_of(lane("west", "a", "b")))
    assert tried(diary.rollout).changing == frozenset(ids("a b"))
    assert dict(tried(diary.rollout).statuses)[ids("b")[0]] is MachineStatus.PENDING


def test_the_calendar_tells_it_of_campaigns_that_act() -> None:
    """Until the next moment, and not where the configuration says no."""
    done = frozenset({Due("monthly", SATURDAY)})

    def told(now: datetime, **may: bool) -> datetime | None:
        allowed = {"monthly": replace(ACTS["monthly"], **may)}
        entries = calendar([POLICY], allowed, {"monthly": SATURDAY - timedelta(days=30)}, done, now)
        (entry,) = with_stragglers(entries, [POLICY], allowed, [ended()], now)
        return entry.taken_up

    assert told(SUNDAY) == FRIDAY
    assert told(SUNDAY, stragglers=False) is None
    assert told(SUNDAY, act=False) is None
    assert told(datetime(2026, 12, 12, 20, tzinfo=UTC)) is None
