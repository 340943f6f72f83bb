"""A rollout gone through on the fleet as it is, with nothing changed and nobody called: what would have been granted, and when."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Final

from orchestrator.cloud.observing import observing
from orchestrator.executor.log import Decided
from orchestrator.executor.services import Services, services
from orchestrator.hosts.resting import Pace
from orchestrator.rollout.state import Rollout
from orchestrator.store.memory import MemoryDisk, MemoryJournal
from orchestrator.wiring.rollout import begin, read_plan
from orchestrator.wiring.virtual import WillingWebhooks

TAKES: Final = timedelta(minutes=15)
"""How long a change takes that isn't made; the plan's forecast uses what is known of each machine."""

ALONE: Final = Pace(patience=timedelta(hours=1), inbox_every_s=0)
"""Nobody approves what is only observed: a stage that waits for it is where it ends."""


async def observe(
    plan: bytes, real: Services, who: str, listen: Callable[[Rollout, Decided], None]
) -> Rollout:
    """Go through a plan of the fleet as it is, and tell every decision. It is the same core as of a rollout, on a journal that is forgotten.

    It counts what is out, but no other rollout's grants. Steps around machines are taken for done, receivers for told.

    Raises:
        Refused, PlanRefused: it could not begin.
    """
    cloud = observing(real.cloud, real.clock, TAKES)
    made = services(cloud, real.probers, WillingWebhooks(), real.clock, real.settings, real.aside)
    journal = MemoryJournal(MemoryDisk())
    try:
        await journal.acquire(who, real.clock.now())
        read = await real.aside(partial(read_plan, plan))
        running = await begin(journal, made, plan, who=who, reason="only observed", pace=ALONE, read=read)
        running.host.listen(lambda decided: listen(running.rollout, decided))
        await running.run()
        return running.rollout
    finally:
        await made.views.close()
        await journal.close()
