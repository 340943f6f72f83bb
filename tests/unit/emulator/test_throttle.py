"""The arithmetic of token buckets, and the sizes of Azure's."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from orchestrator.emulator.state import Kind
from orchestrator.emulator.throttle import (
    GLOBAL_READS,
    GLOBAL_WRITES,
    POLICY,
    READS,
    WRITES,
    Buckets,
    Empty,
    Limit,
)

START = datetime(2026, 11, 22, 1, tzinfo=UTC)
SLOW = Limit("Slow", 2, 6)  # the guest patch policy of one machine


def later(seconds: float) -> datetime:
    """An instant of the test."""
    return START + timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("kind", "resource", "subscription"),
    [
        (Kind.INSTALL, (2, 6), (200, 600)),
        (Kind.ASSESS, (2, 6), (200, 600)),
        (Kind.RESTART, (4, 12), (500, 1500)),
        (Kind.RUN_COMMAND, (4, 12), (500, 1500)),
        (Kind.VIEW, (12, 36), (8000, 24000)),
        (Kind.GET, (12, 36), (8000, 24000)),
        (Kind.LIST, None, (300, 900)),
        (Kind.OPERATION, (15, 45), (5000, 15000)),
    ],
)
def test_compute_s_limits(
    kind: Kind, resource: tuple[int, int] | None, subscription: tuple[int, int]
) -> None:
    """Refill a minute and bucket, for a machine and for a subscription in a region, as Azure publishes them."""
    policy = POLICY[kind]

    assert subscription == (policy.subscription.per_minute, policy.subscription.burst)
    assert resource == (policy.resource and (policy.resource.per_minute, policy.resource.burst))


def test_arm_s_limits() -> None:
    """A subscription's reads and writes for one principal, and fifteen times that for all."""
    found = [(limit.per_minute / 60, limit.burst) for limit in (READS, WRITES, GLOBAL_READS, GLOBAL_WRITES)]

    assert found == [(25, 250), (10, 200), (375, 3750), (150, 3000)]


def test_a_bucket_holds_its_burst() -> None:
    """Six at once, then nothing; after half a minute one more, after an hour six again."""
    buckets = Buckets(START)
    wanted = [(SLOW, ("m",))]

    assert [{"Slow": n} for n in (5, 4, 3, 2, 1, 0)] == [buckets.spend(wanted, START) for _ in range(6)]
    assert Empty(SLOW, 30) == buckets.spend(wanted, START)
    assert Empty(SLOW, 10) == buckets.spend(wanted, later(20))
    assert buckets.spend(wanted, later(30)) == {"Slow": 0}
    assert Empty(SLOW, 30) == buckets.spend(wanted, later(30))
    assert buckets.spend(wanted, later(3600)) == {"Slow": 5}


def test_who_obeys_retry_after_is_served() -> None:
    """The seconds that a refusal names are enough, whatever was asked before."""
    buckets = Buckets(START)
    now = START
    for n in range(40):
        answer = buckets.spend([(SLOW, ("m",))], now)
        if isinstance(answer, Empty):
            now += timedelta(seconds=answer.retry_after_s)
            assert not isinstance(buckets.spend([(SLOW, ("m",))], now), Empty)
        now += timedelta(seconds=n / 7)


def test_a_refusal_spends_nothing() -> None:
    """A request that one bucket refuses takes no token from the others."""
    buckets = Buckets(START)
    wide = Limit("Wide", 60, 100)
    for _ in range(6):
        buckets.spend([(SLOW, ("m",))], START)

    assert isinstance(buckets.spend([(wide, ("s",)), (SLOW, ("m",))], START), Empty)
    assert buckets.spend([(wide, ("s",))], START) == {"Wide": 99}


def test_owners_have_buckets_of_their_own() -> None:
    """One machine's bucket isn't another's."""
    buckets = Buckets(START)

    assert [buckets.spend([(SLOW, (owner,))], START) for owner in ("a", "b")] == [{"Slow": 5}, {"Slow": 5}]
