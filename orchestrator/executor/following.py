"""Following an operation that goes on in the cloud, to its end."""

from __future__ import annotations

from datetime import datetime

from orchestrator.cloud.port import Budgeted, Ended, Operation, StillRunning, Target
from orchestrator.errors import CloudTransient
from orchestrator.executor.services import Services


async def until_end(
    services: Services, target: Target, operation: Operation, kind: str, began: datetime, until: datetime
) -> Ended | None:
    """Poll at the pace that the operation's age asks for; None if it hasn't ended by `until`.

    Raises:
        CloudPermanent, AccessDenied: It can't be looked at, now or ever.
    """
    clock, polling = services.clock, services.polling
    kind = f"{kind} {target.os}"
    polling.running += 1
    age = (clock.now() - began).total_seconds()
    wait = max(0.0, polling.first(kind) - age)
    if not operation.status_url:  # it had ended with the answer that began it
        wait = 0.0
    try:
        while clock.now() < until:
            await clock.sleep(wait)
            await services.dispatcher.turn(target.subscription, target.location, Budgeted.OPERATION)
            before, age = age, (clock.now() - began).total_seconds()
            try:
                state = await services.cloud.poll(operation)
            except CloudTransient as error:
                state = StillRunning(error.retry_after_s)
                if error.retry_after_s is not None:
                    services.dispatcher.hold(
                        target.subscription, target.location, Budgeted.OPERATION, error.retry_after_s
                    )
            if isinstance(state, Ended):
                # Where the cloud doesn't tell: half-way between the look that saw it run and this one.
                polling.ended(kind, (before + age) / 2 if state.took_s is None else state.took_s)
                return state
            wait = max(state.retry_after_s or 0.0, polling.wait(kind, age))
    finally:
        polling.running -= 1
    return None
