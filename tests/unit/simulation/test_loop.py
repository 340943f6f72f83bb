"""A loop that jumps over waiting."""

from __future__ import annotations

import asyncio

import pytest

from orchestrator.simulation.loop import Stuck, run


def test_a_month_passes_at_once_and_exactly() -> None:
    """The loop's clock stands where the sleeps add up to."""

    async def sleep() -> float:
        for _ in range(30):
            await asyncio.sleep(86_400)
        return asyncio.get_running_loop().time()

    assert run(sleep()) == 30 * 86_400


def test_what_is_due_first_happens_first() -> None:
    """Whatever the order in which it was asked for."""

    async def race() -> list[int]:
        order: list[int] = []

        async def after(seconds: int) -> None:
            await asyncio.sleep(seconds)
            order.append(seconds)

        await asyncio.gather(*(after(seconds) for seconds in (300, 5, 40)))
        return order

    assert run(race()) == [5, 40, 300]


def test_a_timeout_is_virtual_too() -> None:
    """An hour of patience takes no time."""

    async def impatient() -> None:
        async with asyncio.timeout(3600):
            await asyncio.Event().wait()

    with pytest.raises(TimeoutError):
        run(impatient())


def test_waiting_for_what_never_comes_is_told_at_once() -> None:
    """In virtual time nothing comes from outside."""

    async def forever() -> None:
        await asyncio.Event().wait()

    with pytest.raises(Stuck):
        run(forever())


def test_years_pass() -> None:
    """What is due comes also after as many seconds as leave a float no room for nanoseconds."""

    async def sleep() -> float:
        for _ in range(300):
            await asyncio.sleep(123_456.789)
        return asyncio.get_running_loop().time()

    assert run(asyncio.wait_for(sleep(), timeout=None)) == pytest.approx(300 * 123_456.789)


def test_timers_that_were_cancelled_pile_up_nowhere() -> None:
    """A thousand of an hour each, all of them given up at once; what is left comes when it is due."""

    async def give_up() -> tuple[int, float]:
        loop = asyncio.get_running_loop()
        timers = [loop.call_later(3600 + n, print) for n in range(1000)]
        kept = asyncio.ensure_future(asyncio.sleep(5000))
        await asyncio.sleep(1)
        for timer in timers:
            timer.cancel()
        await asyncio.sleep(1)
        left = len(loop._scheduled)  # type: ignore[attr-defined]
        await kept
        return left, loop.time()

    assert run(give_up()) == (1, 5000)
