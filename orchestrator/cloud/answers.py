"""What an answer of Azure Resource Manager means: has it begun, does it go on, how did it end, who must act.

Pure, and the only reading there is: whether the answer came through the SDK over a socket or straight from the
emulator's world, it means the same.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any

import orjson

from orchestrator.cloud.asked import Asked
from orchestrator.cloud.port import (
    Accepted,
    Answer,
    Ended,
    Operation,
    OperationState,
    Rejected,
    StillRunning,
    Unsettled,
    View,
)
from orchestrator.errors import AccessDenied, CloudError, CloudPermanent, CloudTransient
from orchestrator.inventory.instance_view import agent_of, app_health_of, patches_of, power_of
from orchestrator.inventory.wire import moment, part

GONE = "ResourceNotFound"
GONE_CODES = frozenset({"ResourceNotFound", "ResourceGroupNotFound", "NotFound"})
NO_SUBSCRIPTION_CODES = frozenset({"SubscriptionNotFound", "InvalidSubscriptionId"})
UNSURE_STATUSES = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.CONFLICT})
TRANSIENT_STATUSES = frozenset({*UNSURE_STATUSES, HTTPStatus.TOO_MANY_REQUESTS})
OF_THE_QUESTION = frozenset(
    {
        HTTPStatus.UNAUTHORIZED,
        HTTPStatus.FORBIDDEN,
        HTTPStatus.NOT_FOUND,
        HTTPStatus.REQUEST_TIMEOUT,
        HTTPStatus.TOO_MANY_REQUESTS,
    }
)


@dataclass(frozen=True, slots=True)
class Received:
    """One HTTP answer. Names of headers are in lower case.

    `body` is the JSON object in it; empty if there is none. `text` is how a body begins that isn't one: not every error of
    Azure's is JSON.
    """

    status: int
    headers: Mapping[str, str]
    body: Mapping[str, Any]
    text: str = ""


@dataclass(frozen=True, slots=True)
class ResultElsewhere:
    """The operation succeeded, and its result is still to be fetched from `Operation.result_url`."""


def received(status: int, headers: Mapping[str, str], raw: bytes) -> Received:
    """An answer off the wire; `raw` is its whole body."""
    lower = {name.lower(): value for name, value in headers.items()}
    try:
        told = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return Received(status, lower, {}, raw[:200].decode("utf-8", "replace").strip())
    return Received(status, lower, told if isinstance(told, dict) else {})


def answer_to_start(received: Received, asked: Asked, locate: Callable[[str], Operation]) -> Answer:
    """Whether what was asked for has begun: surely, surely not, or nobody can say.

    429 and every 4xx but 408 and 409 are refusals at the door. 409 is none: "a request conflicts with another" may be
    our own, taken before its answer was lost. What can't be followed isn't accepted either: an instance view will show it.
    `locate` tells where an operation of that id can be followed, for a 200 that brings its result along.
    """
    status = received.status
    code, message = error_of(received)
    if status in {HTTPStatus.OK, HTTPStatus.ACCEPTED}:
        return _begun(received, locate)
    if status == HTTPStatus.CREATED:  # a resource that was put, followed by its own name
        return Accepted(Operation(status_url=""))
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return Rejected(code, message, transient=True, retry_after_s=retry_after_s(received))
    if status in UNSURE_STATUSES or not 400 <= status < 500:
        return Unsettled(f"{asked.what}: HTTP {status} {code}: {message}", code)
    return Rejected(code, str(error_from_answer(received, asked)), transient=False)


def state_of(operation: Operation, received: Received, asked: Asked) -> OperationState | ResultElsewhere:
    """How a long-running operation stands, from the answer of its status URL.

    Raises:
        CloudTransient: Nothing was learnt this time.
        CloudPermanent: There is no such operation, or it can't be asked for.
        AccessDenied: This identity may not look at operations.
    """
    if operation.status_url == operation.result_url:
        return _state_by_location(received, asked)
    if received.status not in {HTTPStatus.OK, HTTPStatus.CREATED, HTTPStatus.ACCEPTED}:
        raise error_from_answer(received, asked)
    told = received.body
    match str(told.get("status", "")).lower():
        case "succeeded":
            output = _output(told)
            if operation.result_url and not output:
                return ResultElsewhere()
            return Ended(True, output, took_s=_took_s(told))
        case "failed" | "canceled" | "cancelled":
            code, message = _error_in(told)
            return Ended(False, _output(told), code or str(told["status"]), message, _took_s(told))
        case "":
            raise CloudTransient(f"{asked.what}: HTTP {received.status} without a status in it")
        case _:
            return StillRunning(retry_after_s(received))


def result_of(received: Received, asked: Asked) -> OperationState:
    """How an operation that succeeded ended, from the answer of its result URL. Raises as `state_of`."""
    if received.status == HTTPStatus.ACCEPTED:  # the status was ahead of the result
        return StillRunning(retry_after_s(received))
    if received.status not in {HTTPStatus.OK, HTTPStatus.NO_CONTENT}:
        raise error_from_answer(received, asked)
    return Ended(True, received.body)


def view_of(instance_view: Mapping[str, Any]) -> View:
    """What decides about a machine, out of its instance view."""
    patches = patches_of(instance_view)
    assessed = part(instance_view, "patchStatus", "availablePatchSummary").get("status") == "Succeeded"
    return View(
        power=power_of(instance_view),
        agent=agent_of(instance_view),
        app_health=app_health_of(instance_view),
        installation_id=patches.installation_id,
        installation_status=patches.installation_status,
        assessed_at=patches.assessed_at if assessed else None,
        missing=patches.critical_and_security if assessed else None,
        restart_pending=bool(patches.reboot_pending),
    )


def error_from_answer(received: Received, asked: Asked) -> CloudError:
    """The error of the tree for an answer that isn't the one hoped for, and what to do about it."""
    status = received.status
    code, message = error_of(received)
    said = f"HTTP {status} {code}: {message}" + _correlation(received)
    if status == HTTPStatus.UNAUTHORIZED:
        return AccessDenied(
            f"{asked.what} failed: Azure doesn't take this identity's token. Sign in to the right tenant "
            f"(`az login --tenant TENANT`) and try again. Azure says: {said}",
            code=code,
        )
    if code in NO_SUBSCRIPTION_CODES:
        return AccessDenied(
            f"{asked.what} failed: there is no such subscription for this identity. Compare its id with `az account list "
            f"--all`, or have a role granted on it (Reader to plan). Azure says: {said}",
            code=code,
        )
    if status == HTTPStatus.FORBIDDEN:
        return AccessDenied(
            f"{asked.what} failed: this identity lacks {asked.permission} on {asked.scope}. "
            f"Have a role granted that includes it, then try again. Azure says: {said}",
            code=code,
        )
    if status in TRANSIENT_STATUSES or status >= 500:
        return CloudTransient(
            f"{asked.what} failed: {said}", code=code, retry_after_s=retry_after_s(received)
        )
    if status == HTTPStatus.NOT_FOUND and code in GONE_CODES:
        code = GONE
    return CloudPermanent(f"{asked.what} failed: {said}", code=code)


def error_of(received: Received) -> tuple[str, str]:
    """An error body's code and message, in whichever of ARM's forms it has; the status where it has none."""
    told = received.body
    code, message = _error_in(told if "error" in told else {"error": told})
    if not message:
        message = received.text or "no explanation"
    return code or f"HTTP{received.status}", message


def retry_after_s(received: Received) -> float | None:
    """ARM's Retry-After, in seconds; None without one. Its other form, a date, was never seen from ARM."""
    try:
        return max(0.0, float(received.headers.get("retry-after", "")))
    except ValueError:
        return None


def moment_of(received: Received) -> datetime | None:
    """When the cloud's clock says that it answered, to the second; None if it doesn't say."""
    try:
        return parsedate_to_datetime(received.headers.get("date", ""))
    except ValueError:
        return None


def _begun(received: Received, locate: Callable[[str], Operation]) -> Answer:
    location = received.headers.get("location", "")
    status_url = received.headers.get("azure-asyncoperation", "") or location
    if status_url:
        return Accepted(Operation(status_url, location))
    told = received.body
    activity = told.get("installationActivityId") or told.get("assessmentActivityId")
    if activity:
        return Accepted(locate(str(activity)))
    if received.status == HTTPStatus.OK:
        return Accepted(Operation(status_url=""))
    return Unsettled("Azure accepted it without saying where to follow it")


def _state_by_location(received: Received, asked: Asked) -> OperationState:
    """An operation known by its Location alone: 202 while it goes on, then its result, or its error as the answer itself.

    A 4xx that speaks of the question (who asks, how often, whether there is such an operation) says nothing of its end.
    """
    if received.status == HTTPStatus.ACCEPTED:
        return StillRunning(retry_after_s(received))
    if received.status in {HTTPStatus.OK, HTTPStatus.CREATED, HTTPStatus.NO_CONTENT}:
        return Ended(True, received.body)
    if not 400 <= received.status < 500 or received.status in OF_THE_QUESTION:
        raise error_from_answer(received, asked)
    code, message = error_of(received)
    return Ended(False, {}, code, message)


def _output(told: Mapping[str, Any]) -> Mapping[str, Any]:
    properties = told.get("properties")
    output = properties.get("output") if isinstance(properties, dict) else None
    return output if isinstance(output, dict) else {}


def _took_s(told: Mapping[str, Any]) -> float | None:
    """How long an operation ran by its own words, in seconds; None if it doesn't say both when it began and when it ended."""
    started, ended = moment(told, "startTime"), moment(told, "endTime")
    return None if started is None or ended is None else max(0.0, (ended - started).total_seconds())


def _error_in(told: Mapping[str, Any]) -> tuple[str, str]:
    error = told.get("error")
    if not isinstance(error, dict):
        return "", ""
    code, message = str(error.get("code") or ""), str(error.get("message") or "")
    # The Compute provider hides its throttling one level down, under OperationNotAllowed.
    for detail in error.get("details") or ():
        if isinstance(detail, dict) and detail.get("code") == "TooManyRequests":
            return "TooManyRequests", f"{message} ({detail.get('target', 'unnamed')} limit)"
    return code, message


def _correlation(received: Received) -> str:
    """What Azure's support asks for first."""
    correlation = received.headers.get("x-ms-correlation-request-id", "")
    return f" (correlation id {correlation})" if correlation else ""
