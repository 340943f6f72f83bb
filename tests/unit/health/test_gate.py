"""The gate on one machine, sample by sample."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.health.gate import Gate, Verdict, judge, next_sample_at, sample
from orchestrator.policy.model import Health
from tests.builders import NOON

HEALTH = Health(
    min_healthy_time=timedelta(minutes=5),
    healthy_deadline=timedelta(minutes=30),
    interval=timedelta(seconds=15),
    fail_after=3,
)


def at(minutes: float) -> datetime:
    """So many minutes after the change ended."""
    return NOON + timedelta(minutes=minutes)


def gate_of(*samples: tuple[float, bool]) -> Gate:
    """A gate after these samples: (minute, well)."""
    gate = Gate(NOON)
    for minutes, well in samples:
        gate = sample(gate, HEALTH, at(minutes), well=well, evidence="" if well else f"503 at {minutes:g}")
    return gate


def steady(start: float, end: float) -> list[tuple[float, bool]]:
    """Well each minute from start to end."""
    return [(start + i, True) for i in range(int(end - start) + 1)]


@pytest.mark.parametrize(
    ("samples", "now", "verdict"),
    [
        ([], 0, Verdict.WAIT),
        ([], 29.9, Verdict.WAIT),  # unknown is not yet
        ([], 30, Verdict.UNWELL),  # and unwell after
        ([(1, True)], 1, Verdict.WAIT),
        ([(1, True), (5.9, True)], 5.9, Verdict.WAIT),
        ([(1, True), (6, True)], 6, Verdict.WELL),
        ([(1, False), (2, True), (7, True)], 7, Verdict.WELL),
        ([(1, True), (2, False), (3, True), (6, True)], 6, Verdict.WELL),  # one miss starts nothing anew
        ([(1, True), (2, False), (3, False), (4, True), (6, True)], 6, Verdict.WELL),
        ([(1, True), (2, False), (3, False), (4, False), (5, True), (6, True)], 6, Verdict.WAIT),  # three do
        ([(1, True), (2, False), (3, False), (4, False), (5, True), (10, True)], 10, Verdict.WELL),
        ([(1, True), (6, False)], 6, Verdict.WAIT),  # the last word must be a good one
        ([(1, True), (6, False)], 30, Verdict.UNWELL),
        ([(27, True)], 29.9, Verdict.WAIT),
        ([(27, True), (30, True)], 30, Verdict.UNWELL),  # well, but not for long enough within the deadline
        ([(25, True), (30, True)], 30, Verdict.WELL),  # just in time
    ],
)
def test_a_machine_is_well_when_it_was_for_long_enough_within_the_deadline(
    samples: list[tuple[float, bool]], now: float, verdict: Verdict
) -> None:
    """Well, not yet, or no more."""
    assert judge(gate_of(*samples), HEALTH, at(now)) is verdict


@pytest.mark.parametrize(
    ("samples", "now", "verdict"),
    [
        ([], 1, Verdict.WAIT),
        ([(1, True)], 1, Verdict.WELL),
        ([(1, False)], 1, Verdict.WAIT),
        ([(1, False), (2, True)], 2, Verdict.WELL),
        ([(1, False)], 30, Verdict.UNWELL),
    ],
)
def test_after_its_steps_one_clean_round_is_enough(
    samples: list[tuple[float, bool]], now: float, verdict: Verdict
) -> None:
    """It was verified before them."""
    assert judge(gate_of(*samples), HEALTH, at(now), briefly=True) is verdict


def test_the_last_miss_leaves_its_evidence() -> None:
    """Also after it was well again: a person asks why it took so long."""
    assert gate_of((1, False), (2, False), (3, True)).evidence == "503 at 2"


def test_misses_are_counted_in_a_row() -> None:
    """A good one between them begins the count anew, and the healthy time goes on."""
    gate = gate_of((1, True), (2, False), (3, False), (4, True), (5, False), (6, False))
    assert (gate.misses, gate.well_since) == (2, at(1))


@pytest.mark.parametrize(
    ("samples", "now", "briefly", "due"),
    [
        ([], 0, False, at(0.25)),  # each interval
        ([(1, True)], 1, False, at(1.25)),
        ([(1, True)], 5.9, False, at(6)),  # when the healthy time is full
        ([(1, True), (5.9, False)], 5.9, False, at(6.15)),  # unless a miss is to be answered first
        ([(1, True)], 5.9, True, at(6.15)),
        ([], 29.9, False, at(30)),  # and at the deadline
        ([], 30, False, at(30) + timedelta(seconds=1)),  # but never at once
        ([], 45, False, at(45) + timedelta(seconds=1)),
    ],
)
def test_the_next_sample_is_when_something_can_be_said(
    samples: list[tuple[float, bool]], now: float, briefly: bool, due: datetime
) -> None:
    """Never later than a verdict could fall, never a spin."""
    assert next_sample_at(gate_of(*samples), HEALTH, at(now), briefly=briefly) == due


@given(st.lists(st.booleans(), max_size=150))
def test_a_gate_that_is_followed_ends_by_the_deadline(answers: list[bool]) -> None:
    """Whatever the answers, sampling when told comes to a verdict, and no later than the deadline."""
    gate, now = Gate(NOON), NOON
    replies = iter(answers)
    while judge(gate, HEALTH, now) is Verdict.WAIT:
        now = next_sample_at(gate, HEALTH, now)
        gate = sample(gate, HEALTH, now, well=next(replies, False), evidence="503")
        assert now <= at(30)
    verdict = judge(gate, HEALTH, now)
    assert verdict is not Verdict.WAIT
    if verdict is Verdict.WELL:
        assert gate.well_since is not None
        assert now - gate.well_since >= HEALTH.min_healthy_time
