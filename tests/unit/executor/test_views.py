"""Instance views are shared: whoever wants one soon rides along."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from orchestrator.cloud.port import Target, View
from orchestrator.errors import CloudPermanent, CloudTransient, Defect
from orchestrator.executor.services import target_of
from orchestrator.executor.settings import Settings
from orchestrator.executor.views import Views
from orchestrator.inventory.model import Kind, MachineId
from tests.builders import lane, plan_of
from tests.unit.executor.doors import Doors
from tests.virtual import virtual

NAMES = " ".join(f"m{number}" for number in range(9))


def opened(faults: str = "", settings: Settings | None = None) -> tuple[Doors, Views, list[Target]]:
    """Nine machines, with a count of requests."""
    doors = Doors(plan_of(lane("west", NAMES)), faults, settings)
    return doors, doors.services.views, [target_of(x) for x in doors.plan.machines]


async def asked(doors: Doors, targets: Sequence[Target]) -> tuple[list[View], int, int]:
    """A fresh view of each at the same time; how many single reads and how many sweeps that took."""
    cloud = doors.services.cloud
    counts = {"view": 0, "sweep": 0}
    for name in counts:
        _count(cloud, name, counts)
    views = await asyncio.gather(*(doors.services.views.fresh(target) for target in targets))
    return list(views), counts["view"], counts["sweep"]


def _count(cloud: object, name: str, counts: dict[str, int]) -> None:
    inner = getattr(cloud, name)

    async def counted(*args: object, **options: object) -> object:
        counts[name] += 1
        return await inner(*args, **options)

    setattr(cloud, name, counted)


@virtual
async def test_a_few_wishes_are_read_one_by_one() -> None:
    """As long as that takes fewer requests than a sweep of the subscription's pages."""
    doors, _, targets = opened()
    views, reads, sweeps = await asked(doors, targets[:3])
    assert (len(views), reads, sweeps) == (3, 3, 0)


@virtual
async def test_many_wishes_of_a_moment_are_one_sweep() -> None:
    """They gather for two seconds, and are all served by it."""
    doors, _, targets = opened()
    views, reads, sweeps = await asked(doors, targets)
    assert (len(views), reads, sweeps) == (9, 0, 1)
    assert doors.passed.total_seconds() == 2


@virtual
async def test_two_wishes_for_one_machine_are_one_request() -> None:
    """Whoever waits for the same thing shares it."""
    doors, _, targets = opened()
    views, reads, _ = await asked(doors, [targets[0], targets[0]])
    assert (len(views), reads) == (2, 1)


@virtual
async def test_what_a_sweep_saw_is_remembered_with_its_time() -> None:
    """`latest` never tells of a moment before the one that is asked for."""
    doors, views, targets = opened()
    assert views.latest(targets[0].id, doors.clock.now()) is None
    before = doors.clock.now()
    await views.sweep(targets[0].subscription)
    assert views.latest(targets[0].id, before) is not None
    await doors.clock.sleep(1)
    assert views.latest(targets[0].id, doors.clock.now()) is None


@virtual
async def test_a_failed_read_is_told_to_whoever_waits_for_it() -> None:
    """And to nobody else."""
    _doors, views, targets = opened("- server_error: {on: [view], machines: [m0], status: 500}")
    answers = await asyncio.gather(*(views.fresh(target) for target in targets[:2]), return_exceptions=True)
    assert [type(answer) for answer in answers] == [CloudTransient, View]


@virtual
async def test_a_failed_sweep_is_told_to_all() -> None:
    """Nobody waits for ever."""
    _doors, views, targets = opened("- server_error: {on: [list], status: 500}")
    answers = await asyncio.gather(*(views.fresh(target) for target in targets), return_exceptions=True)
    assert {type(answer) for answer in answers} == {CloudTransient}


@virtual
async def test_a_machine_that_a_sweep_does_not_list_is_gone() -> None:
    """Told as the cloud would tell it of a single read."""
    _, views, targets = opened()
    lost = replace(targets[0], id=type(targets[0].id)(targets[0].id + "x"))
    answers = await asyncio.gather(
        *(views.fresh(target) for target in [lost, *targets]), return_exceptions=True
    )
    assert isinstance(answers[0], CloudPermanent)
    assert answers[0].code == "ResourceNotFound"


@virtual
async def test_a_429_holds_the_queue_that_it_came_from() -> None:
    """Reads of that region wait; lists of the subscription don't."""
    doors, views, targets = opened("- throttle: {on: [view], times: 1, retry_after: 60}")
    with pytest.raises(CloudTransient):
        await views.read(targets[0])
    await views.sweep(targets[0].subscription)
    assert doors.passed.total_seconds() == 0
    await views.read(targets[0])
    assert doors.passed.total_seconds() == 60


@virtual
async def test_a_bug_in_between_reaches_whoever_waits() -> None:
    """An error that nobody foresaw hangs nobody."""
    doors, views, targets = opened()

    async def broken(_: Target, *, runs: bool = True) -> View:
        raise Defect("a bug")

    doors.services.cloud.view = broken  # type: ignore[method-assign]  # the bug
    with pytest.raises(Defect, match="a bug"):
        await views.fresh(targets[0])


@virtual
async def test_closing_ends_what_gathers() -> None:
    """A process that ends leaves nothing behind."""
    _, views, targets = opened()
    waiting = asyncio.create_task(views.fresh(targets[0]))
    await asyncio.sleep(0)
    await views.close()
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    assert asyncio.all_tasks() == {asyncio.current_task()}


@virtual
async def test_who_looks_at_the_same_fleet_looks_together() -> None:
    """At the same moment, and as long as the last look is young enough for whoever asks."""
    doors, views, targets = opened()
    subscription, minute = targets[0].subscription, timedelta(minutes=1)
    first, second = await asyncio.gather(*(views.sweep(subscription, within=minute) for _ in range(2)))
    assert first is second
    await doors.clock.sleep(59)
    assert await views.sweep(subscription, within=minute) is first
    assert await views.sweep(subscription, [Kind.AZURE_VM, Kind.ARC], within=minute) is not first
    assert await views.sweep(subscription) is not first


@virtual
async def test_wishes_gather_for_as_long_as_a_sweep_is_under_way() -> None:
    """Sweeps never wait in a queue behind one another: what is wished meanwhile is served by the next one, all of it."""
    doors, views, targets = opened()
    sweep, began = doors.services.cloud.sweep, []

    async def slow(*args: Any, **options: Any) -> Mapping[MachineId, View]:
        began.append(doors.passed.total_seconds())
        await doors.clock.sleep(10)
        return await sweep(*args, **options)

    doors.services.cloud.sweep = slow  # type: ignore[method-assign]
    wishes = []
    for _ in range(4):
        wishes += [asyncio.create_task(views.fresh(target)) for target in targets]
        await doors.clock.sleep(3)
    await asyncio.gather(*wishes)
    assert (began, doors.passed.total_seconds()) == ([2, 12], 22)


@virtual
async def test_a_few_wishes_do_not_wait_for_a_sweep() -> None:
    """They are read one by one meanwhile."""
    doors, views, targets = opened()
    sweep = doors.services.cloud.sweep

    async def slow(*args: Any, **options: Any) -> Mapping[MachineId, View]:
        await doors.clock.sleep(100)
        return await sweep(*args, **options)

    doors.services.cloud.sweep = slow  # type: ignore[method-assign]
    looked = asyncio.create_task(views.sweep(targets[0].subscription))
    await views.fresh(targets[0])
    assert doors.passed.total_seconds() == 2
    await looked
