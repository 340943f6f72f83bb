"""The last smoother in front of ARM's read limit, in virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import looptime
import pytest
from asyncio_throttle import throttler

from orchestrator.cloud.arm.smoother import Smoother


def times_of(turns: int, monkeypatch: pytest.MonkeyPatch, scale: float = 1.0) -> list[float]:
    """When each of so many readers who all come at once gets its turn, in seconds."""

    async def readers() -> list[float]:
        loop = asyncio.get_running_loop()
        monkeypatch.setattr(throttler.time, "monotonic", loop.time)
        smoother = Smoother(scale)
        began = loop.time()

        async def reader() -> float:
            await smoother.turn()
            return loop.time() - began

        return list(await asyncio.gather(*(reader() for _ in range(turns))))

    with asyncio.Runner(loop_factory=looptime.new_event_loop) as runner:
        return runner.run(readers())


def test_a_bucketful_leaves_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """As many reads as ARM's bucket holds wait for nothing."""
    assert max(times_of(250, monkeypatch)) == 0


def test_more_than_a_bucketful_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """What exceeds the bucket leaves in the order it came, and never faster than the bucket bears."""
    times = times_of(600, monkeypatch)
    assert times == sorted(times)
    assert all(later - earlier >= 10 for earlier, later in zip(times, times[250:], strict=False))
    assert times[-1] < 22


def test_the_bucket_fills_in_emulated_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """At a hundred times real time, a hundred times as many reads leave in a second."""
    assert 0.1 <= times_of(251, monkeypatch, scale=100)[-1] < 0.12


def test_one_waiter_never_a_crowd(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many wait, only the one in front wakes up to look at the clock."""
    looks = 0
    flush: Callable[..., Awaitable[None]] = throttler.Throttler.flush

    def counted(self: throttler.Throttler) -> object:
        nonlocal looks
        looks += 1
        return flush(self)

    monkeypatch.setattr(throttler.Throttler, "flush", counted)
    times_of(500, monkeypatch)
    assert looks < 1000
