"""Schedules and notifications: read, merged, shown, carried by plans, and when a campaign is due next."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

import pytest

from orchestrator.errors import PolicyError
from orchestrator.planner.diff_terms import term_changes
from orchestrator.planner.document import dump, parse
from orchestrator.planner.durations import Durations
from orchestrator.planner.facts import policies_fingerprint
from orchestrator.planner.forecast import forecast, sentences
from orchestrator.planner.model import Plan
from orchestrator.planner.plan import plan
from orchestrator.policy.describe import describe
from orchestrator.policy.effective import effective
from orchestrator.policy.load import load, load_one
from orchestrator.policy.model import Days, Notify, Occasion, Origin, Policy, Schedule, Weekday
from orchestrator.policy.schedules import due_last, due_next
from orchestrator.topology.graph import build
from tests.fleet import inventory, vm

HEAD = "version: 1\nname: monthly\n"
CAMPAIGN = HEAD + 'select: {names: "*"}\nchange: {patches: {}}\n'


def monthly(more: str = "") -> Policy:
    """A campaign over everything."""
    return load_one("monthly.yaml", CAMPAIGN + more)


def schedule(text: str) -> Schedule:
    """The schedule of a campaign, written as the inside of a mapping."""
    campaign = monthly(f"schedule: {{{text}}}\n").campaign
    assert campaign is not None
    assert campaign.schedule is not None
    return campaign.schedule


def at(text: str) -> datetime:
    """A moment in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def planned(*policies: Policy) -> Plan:
    """The plan of one machine that is tagged as the shop's, and another."""
    fleet = inventory(vm("a", tags={"app": "shop"}), vm("b"))
    return plan(build(fleet), policies, None)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("days_after_second_tuesday: 4", Schedule(Days((), (4,)))),
        (
            'start: third sat, at: "20:00", time_zone: W. Europe Standard Time',
            Schedule(Days((Weekday(5, 3),)), time(20), "Europe/Berlin"),
        ),
        (
            "start: [wed, mon], days_after_second_tuesday: [11, 4]",
            Schedule(Days((Weekday(0), Weekday(2)), (4, 11))),
        ),
    ],
)
def test_days_a_time_and_a_zone(text: str, expected: Schedule) -> None:
    """What isn't said is the beginning of the day in UTC."""
    assert schedule(text) == replace(expected, origin=Origin("monthly.yaml", 5))


@pytest.mark.parametrize(
    ("text", "now", "due"),
    [
        ("days_after_second_tuesday: 4", "2026-11-29T12:00", "2026-12-12T00:00"),
        ("days_after_second_tuesday: 4", "2026-12-12T00:00", "2026-12-12T00:00"),
        ("days_after_second_tuesday: 4", "2026-12-12T00:01", "2027-01-16T00:00"),
        ("days_after_second_tuesday: 27", "2026-12-06T00:00", "2026-12-07T00:00"),
        (
            'start: third sat, at: "20:00", time_zone: Europe/Amsterdam',
            "2026-07-01T00:00",
            "2026-07-18T18:00",
        ),
        (
            'start: third sat, at: "20:00", time_zone: Europe/Amsterdam',
            "2026-12-01T00:00",
            "2026-12-19T19:00",
        ),
        (
            'start: every_day, at: "02:30", time_zone: Europe/Amsterdam',
            "2026-03-28T12:00",
            "2026-03-29T01:00",
        ),
        (
            'start: every_day, at: "02:30", time_zone: Europe/Amsterdam',
            "2026-10-24T12:00",
            "2026-10-25T00:30",
        ),
        ('start: mon, at: "00:30", time_zone: Pacific/Auckland', "2026-11-29T11:00", "2026-11-29T11:30"),
        ('start: last sun, at: "23:30", time_zone: Pacific/Honolulu', "2026-11-30T09:30", "2026-11-30T09:30"),
    ],
)
def test_when_it_is_due_next(text: str, now: str, due: str) -> None:
    """From now on, now included; by clocks of the zone, also where they skip the moment or show it twice."""
    assert due_next(schedule(text), at(now)) == at(due)


def test_a_day_that_clocks_skip_is_due_when_they_have_skipped_it() -> None:
    """Samoa had no 30 December 2011: what was due on it came with the first moment of the 31st."""
    friday = Schedule(Days((Weekday(4),)), time(9), "Pacific/Apia")

    assert due_next(friday, at("2011-12-30T09:30")) == at("2011-12-30T10:00")


def test_a_plan_says_when_it_is_due_and_runs_when_it_is_started() -> None:
    """The schedule is in its file, its forecast and its differences; policies without one say what they said."""
    made = planned(monthly('schedule: {start: mon, at: "09:00"}\n'))
    foreseen = forecast(made, Durations(), at("2026-11-29T12:00"))

    assert parse(dump(made), "plan.json") == made
    assert foreseen.due == at("2026-11-30T09:00")
    assert sentences(foreseen)[-1] == (
        "due next on 2026-11-30 09:00 UTC by its schedule (mon at 09:00, UTC); "
        "a rollout of this plan runs when it is started, and not by itself"
    )
    assert foreseen.summary()["schedule"] == "mon at 09:00, UTC"
    terms = term_changes(planned(monthly()), made)
    assert [(term.what, term.was, term.now) for term in terms] == [
        ("it is due", "nothing", "mon at 09:00, UTC")
    ]
    assert policies_fingerprint([monthly("schedule: {start: mon}\n")]) != policies_fingerprint([monthly()])


def test_a_plan_without_a_schedule_says_nothing_of_one() -> None:
    """Nor of receivers: the file is the same as ever."""
    made = planned(monthly())

    assert not {b'"schedule"', b'"notify"'} & set(dump(made).replace(b":", b" ").split())
    assert forecast(made, Durations(), at("2026-11-29T12:00")).due is None


def test_whoever_any_policy_names_is_told() -> None:
    """Of what several say of one receiver, all; only policies of machines that are changed have a say."""
    shop = load_one(
        "shop.yaml",
        "version: 1\nname: shop\nselect: {tags: {app: shop}}\nnotify: [{webhook: shop, on: unhealthy}, {webhook: ops, on: stage}]\n",
    )
    other = load_one(
        "other.yaml", "version: 1\nname: other\nselect: {names: nobody}\nnotify: {webhook: others}\n"
    )
    made = planned(monthly("notify: {webhook: ops}\n"), shop, other)

    assert made.notify == (
        Notify(
            "ops",
            (Occasion.STAGE, Occasion.APPROVAL, Occasion.STOPPED, Occasion.FINISHED),
            Origin("monthly.yaml", 5),
        ),
        Notify("shop", (Occasion.UNHEALTHY,), Origin("shop.yaml", 4)),
    )
    assert parse(dump(made), "plan.json") == made


def test_they_are_shown() -> None:
    """With the lines that say so."""
    policy = monthly(
        "schedule: {days_after_second_tuesday: 4}\nnotify: [{webhook: ops, on: [finished, started]}]\n"
    )
    shown = {setting.key: (setting.value, setting.origin.line) for setting in describe(vm("a"), [policy])}

    assert shown["schedule"] == ("4 days after the second tuesday at 00:00, UTC", 5)
    assert shown["notify"] == ("ops of started, finished", 6)
    assert effective(vm("a"), [policy]).notify == policy.notify


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            CAMPAIGN + "schedule: {at: 9:00}\n",
            (
                "5:1: the schedule doesn't say on which days the campaign is due; "
                "write `days_after_second_tuesday`, such as 4, or `start`, such as third sat"
            ),
        ),
        (
            HEAD + "rules: [{max_unavailable: 1}]\nschedule: {start: mon}\n",
            "4:1: `schedule` belongs to a campaign, and this policy changes nothing; add `change`, or take it out",
        ),
        (
            CAMPAIGN + "notify: [{webhook: ops}, {webhook: ops, on: stage}]\n",
            "5:36: `ops` is told twice; write one entry with all of `on`",
        ),
        (
            CAMPAIGN + 'notify: {webhook: "https://chat.example/x"}\n',
            (
                "5:19: `https://chat.example/x` is an address, and webhooks are names; "
                "write a name such as lb-drain, and put the address into the daemon's or the command's configuration"
            ),
        ),
        (
            CAMPAIGN + "notify: {webhook: ops, on: [done]}\n",
            "5:29: `done` isn't known here; write started, stage, approval, unhealthy, stopped, paused or finished",
        ),
    ],
)
def test_what_is_wrong(text: str, problem: str) -> None:
    """With its place and what to write instead."""
    with pytest.raises(PolicyError) as refused:
        load([("monthly.yaml", text)])

    assert [str(one).removeprefix("monthly.yaml:") for one in refused.value.problems] == [problem]


def test_a_policy_may_do_nothing_but_tell() -> None:
    """A team that wants to know of rollouts over its machines needs no rule for that."""
    assert load_one("shop.yaml", HEAD + "notify: {webhook: ops}\n").notify[0].webhook == "ops"


def test_each_schedule_is_due_within_two_months() -> None:
    """The rarest: one nth day of a month, at the end of its day, asked just after it."""
    rare = Schedule(Days((Weekday(6, -1),)), time(23, 59), "Pacific/Kiritimati")
    now = at("2026-01-01T00:00")
    for _ in range(60):
        following = due_next(rare, now)
        assert now <= following <= now + timedelta(days=36)
        now = following + timedelta(seconds=1)


@pytest.mark.parametrize(
    ("text", "now", "expected"),
    [
        ("days_after_second_tuesday: 4", "2026-11-22 12:00", "2026-11-14 00:00"),
        ('start: every_day, at: "12:00", time_zone: UTC', "2026-11-22 12:00", "2026-11-22 12:00"),
        ('start: every_day, at: "12:01", time_zone: UTC', "2026-11-22 12:00", "2026-11-21 12:01"),
        ('start: every_day, at: "02:30", time_zone: Europe/Berlin', "2026-03-29 12:00", "2026-03-29 01:00"),
    ],
)
def test_when_a_campaign_was_due_last(text: str, now: str, expected: str) -> None:
    """The moment itself included; one that clocks skip is the moment at which they have skipped it."""
    assert due_last(schedule(text), at(now)) == at(expected)
