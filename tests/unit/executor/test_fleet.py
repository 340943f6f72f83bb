"""Looks at the whole fleet."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from orchestrator.errors import AccessDenied
from orchestrator.executor.fleet import catch_up, look_anew, prepare, watch
from orchestrator.inventory.model import Kind
from orchestrator.rollout import messages as m
from orchestrator.rollout.state import MachineRun, MachineStatus, Membership
from tests.builders import lane, plan_of
from tests.fleet import SUBSCRIPTION, vm_id
from tests.unit.executor.doors import Doors
from tests.virtual import virtual


@virtual
async def test_who_is_being_patched_by_somebody_counts_as_out_at_the_start() -> None:
    """A schedule's run may restart its machine at any moment: it is out until the run is over, and serves after."""
    here = Doors(plan_of(lane("west", "a b")), "- foreign_run: {machines: [a], at: 0m}")
    outs = []
    for wait_s in (60, 3600):
        await here.clock.sleep(wait_s)
        seen = await prepare(here.services, here.diary.rollout)
        assert isinstance(seen, m.FleetLooked)
        outs.append(seen.out)
    assert outs == [(0,), ()]


@virtual
async def test_who_comes_back_sees_at_once_who_counts_and_is_not_of_the_plan() -> None:
    """Before it grants anything: such a machine may have gone out while nobody looked."""
    here = Doors(plan_of(lane("west", "a b")), "- goes_off: {machines: [b], at: 5m}")
    rollout = here.diary.rollout
    rollout.planned = replace(rollout.planned, index={vm_id("a"): 0})  # as if b were new
    rollout.moved = {vm_id("b"): Membership((), ())}
    looks = []
    for wait_s in (0, 3600):
        await here.clock.sleep(wait_s)
        seen = await catch_up(here.services, rollout)
        looks += [one for one in seen if isinstance(one, m.OutsidersLooked)]
    assert looks == [m.OutsidersLooked("r1", (), (vm_id("b"),)), m.OutsidersLooked("r1", (vm_id("b"),), ())]


@virtual
async def test_what_was_seen_is_of_when_the_look_began() -> None:
    """A look at a large fleet takes minutes: who went out meanwhile isn't called well by it."""
    here = Doors(plan_of(lane("west", "a b")))
    began = here.clock.now()
    (seen,) = await catch_up(here.services, here.diary.rollout)
    assert isinstance(seen, m.FleetChanged)
    assert (seen.back, seen.seen_at) == ((0, 1), began)


@virtual
async def test_a_host_that_woke_up_looks_until_it_has_a_login_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that begins says at once that it has none."""
    here = Doors(plan_of(lane("west", "a b")))
    sweep, refused = here.services.views.sweep, [1, 2, 3]

    async def without_a_login(*asked: Any) -> Any:
        if refused:
            refused.pop()
            raise AccessDenied("no token")
        return await sweep(*asked)

    monkeypatch.setattr(here.services.views, "sweep", without_a_login)
    with pytest.raises(AccessDenied):
        await catch_up(here.services, here.diary.rollout)
    assert await look_anew(here.services, here.diary.rollout)
    assert not refused


@virtual
async def test_who_counts_and_is_not_of_the_plan_is_looked_at_too() -> None:
    """By its view; one that isn't there any more leaves its group as it was reviewed."""
    plan = plan_of(lane("west", "a b"))
    here = Doors(plan, "- goes_off: {machines: [b], at: 5m, for: 20m}")
    rollout, seen = here.diary.rollout, list[m.Observation]()
    alone = replace(rollout.planned, index={vm_id("a"): 0})
    rollout.planned = alone  # as if b were new
    rollout.moved = {vm_id("b"): Membership((), ()), vm_id("gone"): Membership((), ())}
    task = asyncio.create_task(watch(here.services, rollout, seen.append))
    await here.clock.sleep(600)
    task.cancel()
    looks = [one for one in seen if isinstance(one, m.OutsidersLooked)]
    assert looks[0] == m.OutsidersLooked("r1", (), (vm_id("b"), vm_id("gone")))
    assert looks[-1] == m.OutsidersLooked("r1", (vm_id("b"),), (vm_id("gone"),))


@virtual
async def test_views_that_others_asked_for_tell_nothing_of_what_was_decided_since() -> None:
    """Of a machine that was found to be out after them they would say that it serves, and its place would be given away."""
    here = Doors(plan_of(lane("west", "a b")), "- goes_off: {machines: [a], at: 45s, for: 20m}")
    rollout, seen = here.diary.rollout, list[m.Observation]()
    task = asyncio.create_task(watch(here.services, rollout, seen.append))
    await here.clock.sleep(40)
    await here.services.views.sweep(SUBSCRIPTION, {Kind.AZURE_VM})
    asked_at = here.clock.now()
    await here.clock.sleep(10)
    rollout.machines[0] = MachineRun(MachineStatus.LEFT_OUT, here.clock.now())
    await here.clock.sleep(20)
    task.cancel()
    assert seen == [m.FleetChanged("r1", (), (1,), seen_at=asked_at)]
