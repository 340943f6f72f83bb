"""Groups that aren't well, asked about until they are."""

from __future__ import annotations

import asyncio
from typing import Never

from orchestrator.executor.fleet import Report
from orchestrator.executor.services import Services
from orchestrator.rollout import messages as m
from orchestrator.rollout.state import Rollout


async def watch_groups(services: Services, rollout: Rollout, report: Report) -> Never:
    """Ask as often as machines are asked, for as long as this is desired, and report who is well again."""
    plan = rollout.planned.plan
    interval = min(health.interval for health in plan.health)
    while True:
        numbers = sorted(rollout.sick)
        replies = await asyncio.gather(
            *(services.groups.ask(plan.group_probes[n], interval) for n in numbers)
        )
        for number, reply in zip(numbers, replies, strict=True):
            if reply.well:
                report(m.GroupRecovered(rollout.id, number))
        await services.clock.sleep(interval.total_seconds())
