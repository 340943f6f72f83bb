"""The token bucket: arithmetic alone."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from orchestrator.cloud.port import Rate
from orchestrator.executor.bucket import Bucket
from tests.builders import NOON

SECOND = timedelta(seconds=1)


def spent(bucket: Bucket, count: int) -> Bucket:
    """The bucket after so many requests at noon."""
    for _ in range(count):
        bucket.take(NOON)
    return bucket


def test_a_full_bucket_lets_its_burst_go_at_once() -> None:
    """Nobody waits before the burst is used up."""
    bucket = spent(Bucket(Rate(per_minute=60, burst=3)), 2)
    assert bucket.not_before(NOON) == NOON


def test_an_empty_bucket_says_when_the_next_may_go() -> None:
    """One token a second at 60 a minute."""
    bucket = spent(Bucket(Rate(per_minute=60, burst=3)), 3)
    assert bucket.not_before(NOON) == NOON + SECOND
    assert bucket.not_before(NOON + SECOND / 2) == NOON + SECOND
    assert bucket.not_before(NOON + SECOND) == NOON + SECOND


def test_it_never_holds_more_than_its_burst() -> None:
    """An hour of silence is worth no more than a full bucket."""
    bucket = spent(Bucket(Rate(per_minute=60, burst=2)), 2)
    later = NOON + timedelta(hours=1)
    for _ in range(2):
        assert bucket.not_before(later) == later
        bucket.take(later)
    assert bucket.not_before(later) == later + SECOND


def test_a_hold_closes_it_until_its_moment() -> None:
    """Whatever it held: the cloud has said no."""
    bucket = Bucket(Rate(per_minute=60, burst=100))
    until = NOON + timedelta(seconds=90)
    bucket.hold(until)
    assert (bucket.not_before(NOON), bucket.held_until(NOON)) == (until, until)
    assert bucket.held_until(until) is None


def test_after_a_hold_requests_come_one_by_one() -> None:
    """The first at its end, the next at the rate: a storm that goes on costs one refusal, not a hundred."""
    bucket = Bucket(Rate(per_minute=60, burst=100))
    until = NOON + timedelta(seconds=90)
    bucket.hold(until)
    bucket.take(until)
    assert bucket.not_before(until) == until + SECOND


def test_a_shorter_hold_shortens_none() -> None:
    """Two answers of one storm: the later moment counts."""
    bucket = Bucket(Rate(per_minute=60, burst=1))
    bucket.hold(NOON + 60 * SECOND)
    bucket.hold(NOON + 10 * SECOND)
    assert bucket.not_before(NOON) == NOON + 60 * SECOND


@given(st.integers(1, 600), st.integers(1, 50), st.lists(st.floats(0, 30), max_size=60))
def test_no_stretch_of_time_sees_more_than_burst_and_rate(rate: int, burst: int, pauses: list[float]) -> None:
    """Whoever waits until `not_before` never exceeds what the cloud takes."""
    bucket, now, taken = Bucket(Rate(per_minute=rate, burst=burst)), NOON, []
    for pause in pauses:
        now = max(now + pause * SECOND, bucket.not_before(now + pause * SECOND))
        bucket.take(now)
        taken.append(now)
    for first in range(len(taken)):
        for last in range(first, len(taken)):
            stretch = (taken[last] - taken[first]).total_seconds()
            assert last - first + 1 <= burst + stretch * rate / 60 + 1 + 1e-3
