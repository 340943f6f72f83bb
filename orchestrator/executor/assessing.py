"""Having one machine assess what it lacks. Nothing changes on it, so that asking again is harmless; it takes minutes, and a request
of the same budget that installations use.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from orchestrator.cloud.port import Accepted, Budgeted, Ended, Operation, Rejected, Target, Unsettled
from orchestrator.errors import AccessDenied, CloudError
from orchestrator.executor.following import until_end
from orchestrator.executor.hybrid import is_hybrid, with_found
from orchestrator.executor.services import Services
from orchestrator.inventory.assessments import Assessment, assessment_from
from orchestrator.rollout.judge import SUCCEEDED, error_told
from orchestrator.rollout.meanings import Then, meaning_of

TRIES: Final = 3
"""Requests to one machine. Half a minute apart they stay within the two a minute that Azure takes for each machine."""

THROTTLE: Final = "TooManyRequests"
UNSETTLED: Final = "Unsettled"
"""Nobody knows whether it was taken: there was no answer, or another operation is under way on the machine."""

NEVER_TAKEN: Final = frozenset({"OperationNotAllowed"})
"""Refused with 409 for the machine's own state: it is off, or has no agent."""

THROTTLED: Final = 20
"""Refusals for too many requests that are borne, each with its own wait: others of the subscription use the same budget."""


@dataclass(frozen=True, slots=True)
class Assessed:
    """What came of it: what was found, or why nothing was, with the cloud's own word for that."""

    found: Assessment | None = None
    code: str = ""
    message: str = ""
    lasting: bool = False  # asking again won't help


async def assess_machine(
    services: Services,
    target: Target,
    key: str,
    before: datetime | None,
    *,
    counts_do: bool = False,
    unless: Callable[[], Assessed | None] = lambda: None,
) -> Assessed:
    """Ask, follow, and ask again where that may help.

    `before` is when the machine was assessed last, as its view tells. Where an answer is lost, a newer one there tells how many
    updates there are, not which; `counts_do` says that this is enough. `unless` is asked before each request whether it is
    known by now what would come of it.
    """
    tries = refusals = 0
    while True:
        if unless() is None:
            await services.dispatcher.turn(target.subscription, target.location, Budgeted.GUEST_PATCH)
        if (known := unless()) is not None:
            return known
        last = await _once(services, target, key)
        if last.code == UNSETTLED:
            seen = await _by_view(services, target, before)
            if seen is not None and counts_do:
                return Assessed(seen)
            before = before if seen is None else seen.at
        tries, refusals = tries + (last.code != THROTTLE), refusals + (last.code == THROTTLE)
        if last.found is not None or last.lasting or tries == TRIES or refusals == THROTTLED:
            return last
        await services.clock.sleep(services.settings.settle_every.total_seconds())


async def _once(services: Services, target: Target, key: str) -> Assessed:
    try:
        answer = await services.cloud.assess(target, key, services.settings.request_timeout_s)
    except AccessDenied as error:
        return Assessed(code=error.code or "AccessDenied", message=str(error), lasting=True)
    except CloudError as error:
        return Assessed(code=error.code or "NotSent", message=str(error))
    match answer:
        case Accepted(operation):
            return await _followed(services, target, operation)
        case Unsettled(why, code) if code in NEVER_TAKEN:
            return Assessed(code=code, message=why, lasting=True)
        case Unsettled(why):
            return Assessed(code=UNSETTLED, message=why)
        case Rejected(retry_after_s=float() as seconds):
            services.dispatcher.hold(target.subscription, target.location, Budgeted.GUEST_PATCH, seconds)
            return Assessed(code=THROTTLE, message=answer.message)
        case Rejected():
            return Assessed(code=answer.code, message=answer.message, lasting=not answer.transient)


async def _followed(services: Services, target: Target, operation: Operation) -> Assessed:
    limit, began = services.settings.operation_grace, services.clock.now()
    try:
        ended = await until_end(services, target, operation, "assess", began, began + limit)
    except AccessDenied as error:
        return Assessed(code=error.code or "AccessDenied", message=str(error), lasting=True)
    except CloudError as error:
        return Assessed(code=error.code, message=str(error))
    if ended is None:
        hours = limit.total_seconds() / 3600
        return Assessed(
            code="NeverEnded", message=f"the assessment has not ended after {hours:g} h", lasting=True
        )
    return judged(await with_found(services, target, ended) if is_hybrid(target) else ended)


def judged(ended: Ended) -> Assessed:
    """What an assessment that ended tells. An operation that succeeded may have failed to assess: its status decides."""
    status = str(ended.result.get("status") or "Unknown")
    if ended.succeeded and status in SUCCEEDED:
        return Assessed(assessment_from(ended.result))
    code, message = error_told(ended.result, ended.error_code, ended.error_message)
    lasting = meaning_of(code, message).then is not Then.RETRY
    return Assessed(
        code=code or f"status {status}", message=message or "no reason was given", lasting=lasting
    )


async def _by_view(services: Services, target: Target, before: datetime | None) -> Assessment | None:
    """A newer assessment in the instance view, whoever asked for it; None if none shows within `settle_for`."""
    until = services.clock.now() + services.settings.settle_for
    while services.clock.now() < until:
        await services.clock.sleep(services.settings.settle_every.total_seconds())
        try:
            view = await services.views.read(target)
        except CloudError:
            continue
        if view.assessed_at is not None and view.assessed_at != before:
            return Assessment(view.assessed_at, view.restart_pending, view.missing)
    return None
