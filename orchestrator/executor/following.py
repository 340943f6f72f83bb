"""Following an operation that goes on in the cloud, to its end."""

from __future__ import annotations

from datetime import datetime

from orchestrator.cloud.port import Budgeted, Ended, Operation, StillRunning, Target
from orchestrator.errors import CloudTransient
from orchestrator.executor.polling import Followed
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
    followed = polling.begin(kind)
    age = (clock.now() - began).total_seconds()
    wait = max(0.0, polling.first(kind) - age)
    if not operation.status_url:  # it had ended with the answer that began it
        wait = 0.0
    try:
        while clock.now() < until:
            await clock.sleep(wait)
            if operation.status_url:
                await _not_in_vain(services, followed, began, until)
            await services.dispatcher.turn(target.subscription, target.location, Budgeted.OPERATION)
            before, age = age, (clock.now() - began).total_seconds()
            polling.look(followed, age)
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
        polling.let_go(followed)
    return None


async def _not_in_vain(services: Services, followed: Followed, began: datetime, until: datetime) -> None:
    """Wait for as long as others tell that it still runs."""
    clock = services.clock
    while (now := clock.now()) < until:
        too_early_s = services.polling.too_early(followed, (now - began).total_seconds())
        if too_early_s <= 0:
            return
        await clock.sleep(min(too_early_s, (until - now).total_seconds()))
