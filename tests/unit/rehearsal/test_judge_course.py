"""Expectations of when, and of how it ends."""

from __future__ import annotations

import pytest

from tests.rehearsing import CAMPAIGN, rehearsed, told

NIGHTS = (
    CAMPAIGN
    + """
windows: [{start: [fri, sat], at: "22:00", for: 6h, time_zone: UTC}]
freezes: [{from: 2026-01-10, to: 2026-01-12, reason: stocktaking, time_zone: UTC}]
"""
)


@pytest.mark.parametrize("run", ["", "run: {}\n"])
def test_what_windows_and_freezes_keep_holds(run: str) -> None:
    """On paper and in a rollout, which begins on a Monday."""
    result = rehearsed(
        f"""{run}expect:
  - {{inside: {{start: [fri, sat], at: "22:00", for: 6h, time_zone: UTC}}}}
  - {{outside: {{from: 2026-01-10, to: 2026-01-12}}}}
  - {{ends_within: 30d}}""",
        NIGHTS,
    )
    assert told(result) == ""


@pytest.mark.parametrize("run", ["", "run: {}\n"])
@pytest.mark.parametrize(
    ("expectation", "lines"),
    [
        (
            '{inside: {start: sun, at: "01:00", for: 6h, time_zone: UTC}}',
            ["begins at", "its window: fri, sat at 22:00"],
        ),
        ("{outside: {from: 2026-01-01, to: 2026-01-31}}", ["begins at", "its freeze: "]),
        ("{ends_within: 2d}", ["waiting for the window"]),
        ("{outside: {from: 2026-01-01, to: 2026-01-31}, of: nobody}", ["no machine of the fleet is nobody"]),
    ],
)
def test_what_they_do_not_keep_fails_and_tells_the_hours(
    run: str, expectation: str, lines: list[str]
) -> None:
    """With the windows and freezes that the plan has."""
    said = told(rehearsed(f"{run}expect: [{expectation}]", NIGHTS))
    assert [line for line in lines if line not in said] == []


def test_a_change_that_is_under_way_when_the_window_closes_is_not_inside() -> None:
    """Nor is one outside days that it reaches into."""
    said = told(rehearsed('expect: [{inside: {start: every_day, at: "08:00", for: 10m, time_zone: UTC}}]'))
    assert "and may end at" in said
    late = 'given: {now: "2026-01-05 23:55"}\nexpect: [{outside: {from: 2026-01-06, to: 2026-01-06}}]'
    assert "and ends at Tue 2026-01-06" in told(rehearsed(late))


def test_machines_without_hours_are_told_to_have_none() -> None:
    """So the author knows what is missing."""
    said = told(rehearsed("expect: [{outside: {from: 2026-01-05, to: 2026-01-05}}]"))
    assert "no policy has windows or freezes for" in said


def test_a_rollout_that_goes_well() -> None:
    """Finished, all done."""
    result = rehearsed(
        "run: {}\nexpect: [{rollout: finished}, {outcome: done, of: {tags: {app: shop}}}, {untouched: jump}]"
    )
    assert (told(result), result.told) == ("", "9 machines, 7 waves, run: finished")


def test_a_rollout_that_stops() -> None:
    """At the first machine of the canary; the test says who and why, and that nobody else was touched."""
    bad = "run: {unhealthy: {tags: {app: shop}}}\n"
    right = "expect: [{rollout: stopped, because: unhealthy}, {touched_at_most: 1}, {outcome: pending, of: web-6}]"
    assert told(rehearsed(bad + right)) == ""

    said = told(rehearsed(bad + "expect: [{rollout: finished}, {outcome: done, of: {tags: {app: shop}}}]"))
    assert "expected the rollout to be finished\nbut it stopped: " in said
    assert "is unhealthy" in said
    assert "its application health is unhealthy" in said
    other = told(rehearsed(bad + "expect: [{rollout: stopped, because: xyz}, {outcome: done, of: jump}]"))
    assert "because of `xyz`" in other
    assert "jump is not in the plan" in other


def test_failed_installations_and_machines_that_stay_out() -> None:
    """What is not changed costs nobody anything; what stays out is out."""
    failing = rehearsed(
        "run: {not_changed: {tags: {tier: web}}}\nexpect: [{rollout: stopped, because: not changed}]"
    )
    assert told(failing) == ""
    lost = rehearsed(
        "run: {stays_out: {tags: {tier: db}}}\nexpect: [{rollout: waiting}, {at_least_serving: majority, of: {tags: {tier: db}}}]"
    )
    assert told(lost) == ""


def test_nobody_approves() -> None:
    """Then it waits."""
    asking = CAMPAIGN.replace("bake: 1h", "bake: 1h, then: approve")
    assert told(rehearsed("run: {approve: no}\nexpect: [{rollout: waiting, because: approve}]", asking)) == ""
    assert told(rehearsed("run: {}\nexpect: [{rollout: finished}]", asking)) == ""


def test_a_machine_that_is_unwell_before_uses_its_groups_room() -> None:
    """It is left alone, and the others wait for it: nothing else of the group goes."""
    result = rehearsed(
        """given: {unhealthy: db-2}
run: {}
expect:
  - {at_most_out: 1, of: {tags: {tier: db}}}
  - {untouched: "db-[1-3]"}"""
    )
    assert told(result) == ""


def test_too_many_touched_is_told_by_name() -> None:
    """And an end that never comes is no end within anything."""
    said = told(rehearsed("run: {approve: no}\nexpect: [{touched_at_most: 2}]"))
    assert "the rollout touched 9: " in said
    asking = CAMPAIGN.replace("bake: 1h", "bake: 1h, then: approve")
    assert "isn't over, it waits" in told(
        rehearsed("run: {approve: no}\nexpect: [{ends_within: 9d}]", asking)
    )
