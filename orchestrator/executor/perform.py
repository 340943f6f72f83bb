"""The one door to all activities: what is desired, done."""

from __future__ import annotations

from typing import assert_never

from orchestrator.executor.attempt import assess, check, follow, read_baseline, send, settle
from orchestrator.executor.fleet import Report, prepare, watch
from orchestrator.executor.group_watch import watch_groups
from orchestrator.executor.held import look_for_held
from orchestrator.executor.replan import replan
from orchestrator.executor.services import Services
from orchestrator.executor.steps import run_step, run_stretch_step
from orchestrator.executor.tell import tell
from orchestrator.executor.verify import verify
from orchestrator.rollout import actions as a
from orchestrator.rollout import messages as m
from orchestrator.rollout.state import Rollout


async def perform(
    services: Services, rollout: Rollout, activity: a.Activity, report: Report
) -> m.Observation:
    """Carry out one activity and return what it saw last. May be cancelled at any await, and is then simply not done.

    `Send` alone must not be cancelled by the host once it was started: its answer would be lost. `Watch` and `WatchGroups` never end by
    themselves, and tell `report` what it sees.
    """
    match activity:
        case a.Prepare():
            return await prepare(services, rollout)
        case a.Check():
            return await check(services, rollout, activity)
        case a.RunStep():
            return await run_step(services, rollout, activity)
        case a.RunStretchStep():
            return await run_stretch_step(services, rollout, activity)
        case a.ReadBaseline():
            return await read_baseline(services, rollout, activity)
        case a.Send():
            return await send(services, rollout, activity)
        case a.Settle():
            return await settle(services, rollout, activity)
        case a.Follow():
            return await follow(services, rollout, activity)
        case a.Assess():
            return await assess(services, rollout, activity)
        case a.Verify():
            return await verify(services, rollout, activity)
        case a.Watch():
            return await watch(services, rollout, report)
        case a.Replan():
            return await replan(services, rollout, activity)
        case a.Tell():
            return await tell(services, rollout, activity)
        case a.LookForHeld():
            return await look_for_held(services, rollout, activity)
        case a.WatchGroups():
            return await watch_groups(services, rollout, report)
        case _:
            assert_never(activity)
