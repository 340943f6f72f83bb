"""Looks at the whole fleet."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from orchestrator.executor.fleet import prepare, watch
from orchestrator.rollout import messages as m
from orchestrator.rollout.state import Membership
from tests.builders import lane, plan_of
from tests.fleet import vm_id
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
