"""The three clocks tell the same kind of time and sleep by their own seconds."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, TypeVar

import looptime
import pytest

from orchestrator.clock import Clock, LoopClock, ScaledClock, SystemClock

START = datetime(2026, 11, 22, 1, tzinfo=UTC)
T = TypeVar("T")


def in_virtual_time(work: Coroutine[Any, Any, T]) -> T:
    """Run `work` in a loop that jumps over waiting."""
    with asyncio.Runner(loop_factory=looptime.new_event_loop) as runner:
        return runner.run(work)


def test_scaled_time_runs_faster_from_its_epoch() -> None:
    """A tenth of a second after it started, a clock of scale 600 is a minute past its epoch."""
    clock = ScaledClock(START, 600, started=time.monotonic() - 0.1)

    passed = clock.now() - START

    assert timedelta(minutes=1) <= passed < timedelta(minutes=10)


def test_scaled_sleep_is_divided() -> None:
    """Ten emulated minutes at 600 times real time are one second of the loop."""

    async def sleep() -> float:
        before = asyncio.get_running_loop().time()
        await ScaledClock(START, 600).sleep(600)
        return asyncio.get_running_loop().time() - before

    assert in_virtual_time(sleep()) == pytest.approx(1)


def test_loop_time_is_exact() -> None:
    """A clock of the loop is later by exactly what was slept since it was made, and by nothing else."""

    async def sleep() -> datetime:
        await asyncio.sleep(7)
        clock: Clock = LoopClock(START)
        await clock.sleep(86_400)
        return clock.now()

    assert START + timedelta(days=1) == in_virtual_time(sleep())


def test_a_sleep_in_the_past_returns() -> None:
    """A sleep of less than nothing is none."""

    async def sleep() -> datetime:
        clock = LoopClock(START)
        await clock.sleep(-5)
        return clock.now()

    assert in_virtual_time(sleep()) == START


def test_system_time_is_aware() -> None:
    """Real time comes with its zone."""
    assert SystemClock().now().tzinfo is UTC


@pytest.mark.parametrize("scale", [0, -1])
def test_time_must_go_on(scale: float) -> None:
    """A scale of nothing or less is refused."""
    with pytest.raises(ValueError, match="greater than 0"):
        ScaledClock(START, scale)


def test_an_epoch_needs_a_zone() -> None:
    """A naive epoch is refused, any other is taken as UTC."""
    with pytest.raises(ValueError, match="time zone"):
        ScaledClock(START.replace(tzinfo=None), 1)
    east = START.astimezone(timezone(timedelta(hours=9)))
    assert ScaledClock(east, 1).now().utcoffset() == timedelta(0)
