"""Who waits where, and for how long."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from orchestrator.clock import LoopClock
from orchestrator.cloud.port import Budgeted, Rate
from orchestrator.executor.dispatch import Dispatcher
from tests.builders import NOON
from tests.virtual import virtual

RATES = dict.fromkeys(Budgeted, Rate(per_minute=60, burst=2))
HERE = ("sub", "westeurope", Budgeted.GET)


def dispatcher() -> tuple[Dispatcher, LoopClock]:
    """One of two at once and one a second, in each queue."""
    clock = LoopClock(NOON)
    return Dispatcher(RATES, clock), clock


@virtual
async def test_turns_come_in_order_and_at_the_rate() -> None:
    """Two at once, then one a second; first come, first served."""
    made, clock = dispatcher()
    order: list[tuple[int, float]] = []

    async def wait(number: int) -> None:
        await made.turn(*HERE)
        order.append((number, (clock.now() - NOON).total_seconds()))

    await asyncio.gather(*(wait(number) for number in range(5)))
    assert [number for number, _ in order] == [0, 1, 2, 3, 4]
    assert [round(at, 3) for _, at in order] == [0, 0, 1, 2, 3]


@virtual
async def test_a_hold_is_one_queues_alone() -> None:
    """Another region, another subscription, another kind of request: nobody there waits."""
    made, clock = dispatcher()
    made.hold(*HERE, 60)
    for place in (("sub", "northeurope", Budgeted.GET), ("other", *HERE[1:]), (*HERE[:2], Budgeted.LIST)):
        await made.turn(*place)
    assert clock.now() == NOON
    await made.turn(*HERE)
    assert clock.now() == NOON + timedelta(seconds=60)


@virtual
async def test_it_tells_people_which_queues_are_held() -> None:
    """And until when; no longer once that has passed."""
    made, clock = dispatcher()
    made.hold(*HERE, 60)
    assert made.held() == {HERE: NOON + timedelta(seconds=60)}
    await clock.sleep(61)
    assert made.held() == {}


@virtual
async def test_what_had_its_turn_waits_for_a_hold_and_not_for_a_token() -> None:
    """A request that was decided on leaves at once, though the bucket is empty."""
    made, clock = dispatcher()
    for _ in range(2):
        await made.turn(*HERE)
    assert await made.unheld(*HERE, not_after=NOON + timedelta(seconds=60))
    assert clock.now() == NOON


@virtual
async def test_what_would_leave_too_late_is_told_so_at_once() -> None:
    """Held for longer than the intent lasts: nobody waits for nothing."""
    made, clock = dispatcher()
    made.hold(*HERE, 90)
    assert not await made.unheld(*HERE, not_after=NOON + timedelta(seconds=60))
    assert clock.now() == NOON
    assert await made.unheld(*HERE, not_after=NOON + timedelta(seconds=120))
    assert clock.now() == NOON + timedelta(seconds=90)


@virtual
async def test_an_intent_that_has_run_out_is_never_sent() -> None:
    """Whatever the queue says."""
    made, clock = dispatcher()
    await clock.sleep(61)
    assert not await made.unheld(*HERE, not_after=NOON + timedelta(seconds=60))


@virtual
async def test_whoever_gives_up_waiting_holds_nobody_up() -> None:
    """A cancelled waiter leaves the line."""
    made, clock = dispatcher()
    for _ in range(2):
        await made.turn(*HERE)
    first, second = (asyncio.create_task(made.turn(*HERE)) for _ in range(2))
    await asyncio.sleep(0.1)
    first.cancel()
    await second
    assert clock.now() == NOON + timedelta(seconds=1)
