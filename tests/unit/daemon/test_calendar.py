"""A moment of a schedule opens one rollout, ever; one that was missed is caught up once, and not for too long."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from orchestrator.daemon.calendar import Due, Entry, calendar, strangers
from orchestrator.daemon.config import Campaign
from orchestrator.policy.load import load_one

MONTHLY = """\
version: 1
name: monthly
select: {tags: {patching: monthly}}
change: {patches: {}}
schedule: {days_after_second_tuesday: 4, at: "20:00", time_zone: UTC}
"""
"""Saturdays: 14 November 2026 at 20:00, then 12 December."""

POLICY = load_one("monthly.yaml", MONTHLY)
NOVEMBER = Due("monthly", datetime(2026, 11, 14, 20, tzinfo=UTC))
DECEMBER = datetime(2026, 12, 12, 20, tzinfo=UTC)
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


def at(day: int, hour: int = 12, month: int = 11) -> datetime:
    """An instant of 2026."""
    return datetime(2026, month, day, hour, tzinfo=UTC)


def entry(now: datetime, *, since: datetime = LONG_AGO, done: frozenset[Due] = frozenset()) -> Entry:
    """The campaign in the calendar."""
    allowed = {"monthly": Campaign(act=True, catch_up=timedelta(days=7))}
    (found,) = calendar([POLICY], allowed, {"monthly": since}, done, now)
    return found


@pytest.mark.parametrize("now", [at(14, 20), at(14, 21), at(21, 19)])
def test_a_moment_is_due_until_it_was_opened_or_is_too_long_ago(now: datetime) -> None:
    """From the very minute on, for as long as the configuration says."""
    found = entry(now)
    assert found.due == NOVEMBER
    assert found.act
    assert found.next == (NOVEMBER.at if now == NOVEMBER.at else DECEMBER)
    assert entry(now, done=frozenset({NOVEMBER})).due is None


def test_before_its_moment_nothing_is_due() -> None:
    """The one of the month before was opened, or too long ago."""
    found = entry(at(14, 19))
    assert (found.due, found.next) == (None, NOVEMBER.at)


def test_what_is_too_long_ago_is_told_and_not_opened() -> None:
    """Nobody expects November's rollout in December."""
    found = entry(at(22))
    assert (found.due, found.missed) == (None, NOVEMBER.at)


def test_moments_before_a_campaign_came_to_count_are_none_of_it() -> None:
    """Whoever merges a policy on Sunday doesn't mean last Saturday."""
    found = entry(at(15), since=at(15, 11))
    assert (found.due, found.missed, found.next) == (None, None, DECEMBER)


def test_of_several_that_were_missed_only_the_last_is_due() -> None:
    """A rollout does all that those before it would have done."""
    daily = load_one("d.yaml", MONTHLY.replace("days_after_second_tuesday: 4", "start: every_day"))
    (found,) = calendar([daily], {}, {"monthly": LONG_AGO}, frozenset(), at(20, 21))
    assert found.due == Due("monthly", at(20, 20))
    assert not found.act


def test_campaigns_without_a_schedule_come_last_and_rules_not_at_all() -> None:
    """A person opens those."""
    by_hand = load_one("a.yaml", MONTHLY[: MONTHLY.index("schedule")].replace("monthly\n", "a\n", 1))
    rules = load_one("r.yaml", "version: 1\nname: r\nrules: [{max_unavailable: 1}]\n")
    found = calendar([by_hand, rules, POLICY], {}, {}, frozenset(), at(1))
    assert [(one.campaign, one.next) for one in found] == [("monthly", NOVEMBER.at), ("a", None)]


def test_campaigns_that_no_policy_has_are_found() -> None:
    """Whoever mistypes a name believes that it acts."""
    rules = load_one("r.yaml", "version: 1\nname: rules\nrules: [{max_unavailable: 1}]\n")
    allowed = dict.fromkeys(["monthly", "montly", "rules"], Campaign(act=True))
    assert strangers([POLICY, rules], allowed) == ("montly", "rules")
