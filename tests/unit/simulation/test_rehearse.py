"""Tests of policies, carried out."""

from __future__ import annotations

from tests.rehearsing import rehearsed, told


def test_the_same_test_takes_the_same_course() -> None:
    """Nothing of it is left to chance."""
    test = "run: {unhealthy: web-3}\nexpect: [{ends_within: 1h}]"
    assert told(rehearsed(test)) == told(rehearsed(test)) != ""


def test_arc_machines_run_like_others() -> None:
    """Their plan is carried out too, and what goes wrong on one is seen."""
    fleet = "version: 1\nfleet: {machines: [{name: a, kind: arc, tags: {app: shop}}, {name: b, kind: arc, tags: {app: shop}}]}\n"
    done = "run: {}\nexpect: [{changes: [a, b]}, {rollout: finished}]"
    assert told(rehearsed(done, fleet=fleet)) == ""
    said = told(rehearsed("run: {stays_out: a}\nexpect: [{rollout: finished}]", fleet=fleet))
    assert "stopped" in said


def test_nobody_watches_for_longer_than_is_said() -> None:
    """The rollout is told as it stands then."""
    said = told(rehearsed("run: {at_most: 10m}\nexpect: [{rollout: finished}]"))
    assert "it isn't over, it waits: " in said


def test_a_rollout_is_held_to_its_rules_by_the_judge_whatever_is_expected() -> None:
    """A run without a broken rule says nothing of it."""
    assert rehearsed("run: {}\nexpect: [{rollout: finished}]").passed
