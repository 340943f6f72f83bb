"""ARM's error bodies, as recorded or published."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import lru_cache

from orchestrator.emulator.state import Answer, Json
from orchestrator.emulator.throttle import Limit

GATEWAY = {"x-ms-failure-cause": "gateway"}  # ARM itself said no, without asking the provider
SERVICE = {"x-ms-failure-cause": "service"}


def problem(
    status: int, code: str, message: str, *, target: str = "", headers: dict[str, str] | None = None
) -> Answer:
    """An error in ARM's form: `{"error": {"code", "message"[, "target"]}}`."""
    error: Json = {"code": code, "message": message}
    if target:
        error["target"] = target
    return Answer(status, dict(headers or {}), {"error": error})


def not_found(kind: str, name: str, group: str) -> Answer:
    """A resource that isn't there; `kind` is its type, such as `Microsoft.Compute/virtualMachines`."""
    message = (
        f"The Resource '{kind}/{name}' under resource group '{group}' was not found. "
        "For more details please go to https://aka.ms/ARMResourceNotFoundFix"
    )
    return problem(404, "ResourceNotFound", message, headers=GATEWAY)


def invalid(target: str, message: str) -> Answer:
    """A request body that can't be: ARM names the parameter as `target`."""
    return problem(400, "InvalidParameter", message, target=target, headers=SERVICE)


def conflict(message: str) -> Answer:
    """Another operation of the same machine is in the way."""
    return problem(409, "Conflict", message, headers=SERVICE)


def not_allowed(message: str) -> Answer:
    """The machine is in no state for it."""
    return problem(409, "OperationNotAllowed", message, headers=SERVICE)


def throttled_by_compute(policy: str, limit: Limit, retry_after_s: int, now: datetime) -> Answer:
    """429 of the Compute provider: `OperationNotAllowed` outside, `TooManyRequests` within."""
    detail = (
        f'{{"operationGroup":"{policy}","startTime":"{stamp(now - timedelta(minutes=1))}",'
        f'"endTime":"{stamp(now)}","allowedRequestCount":{limit.burst},"measuredRequestCount":{limit.burst + 1}}}'
    )
    body: Json = {
        "error": {
            "code": "OperationNotAllowed",
            "message": "The server rejected the request because too many requests have been received for this subscription.",
            "details": [{"code": "TooManyRequests", "target": policy, "message": detail}],
        }
    }
    return Answer(429, {"Retry-After": str(retry_after_s), **SERVICE}, body)


def throttled_by_arm(what: str, subscription: str, retry_after_s: int) -> Answer:
    """429 of ARM itself, before any provider sees the request."""
    message = (
        f"Number of '{what}' requests for subscription '{subscription}' actor '00000000-0000-0000-0000-000000000000' "
        f"exceeded. Please try again after '{retry_after_s}' seconds after additional tokens are available. "
        "Refer to https://aka.ms/arm-throttling for additional information."
    )
    headers = {"Retry-After": str(retry_after_s), **GATEWAY}
    return problem(429, "SubscriptionRequestsThrottled", message, headers=headers)


@lru_cache(maxsize=1024)  # an instance view is made of moments that were told before
def stamp(at: datetime) -> str:
    """An instant as Azure's services print it: seven decimals and an offset."""
    return f"{at.replace(tzinfo=None).isoformat(timespec='microseconds')}0+00:00"
