"""Looks at the whole fleet."""

from __future__ import annotations

from orchestrator.executor.fleet import prepare
from orchestrator.rollout import messages as m
from tests.builders import lane, plan_of
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
