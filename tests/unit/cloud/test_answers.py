"""What ARM's answers mean."""

from __future__ import annotations

import json
from typing import Any

import pytest

from orchestrator.cloud.answers import (
    Received,
    ResultElsewhere,
    answer_to_start,
    error_from_answer,
    received,
    result_of,
    state_of,
)
from orchestrator.cloud.asked import Asked, Permission
from orchestrator.cloud.port import Accepted, Answer, Ended, Operation, Rejected, StillRunning, Unsettled
from orchestrator.errors import AccessDenied, CloudPermanent, CloudTransient

INSTALLING = Asked("installing patches on web01", Permission.INSTALL, "web01")
STATUS = "https://arm.example/operations/guid?c=%2fAbc%7e&t=1"
RESULT = STATUS + "&monitor=true"
BOTH = {"Azure-AsyncOperation": STATUS, "Location": RESULT}
FOLLOWED = Operation(STATUS, RESULT)
BY_LOCATION = Operation(RESULT, RESULT)
THROTTLED = {
    "error": {
        "code": "OperationNotAllowed",
        "message": "The server rejected the request.",
        "details": [{"code": "TooManyRequests", "target": "VMGuestPatchOperations", "message": "{}"}],
    }
}


def told(status: int, body: object = None, **headers: str) -> Received:
    """An answer off the wire; header names with underscores for hyphens."""
    raw = b"" if body is None else json.dumps(body).encode()
    return received(status, {name.replace("_", "-"): value for name, value in headers.items()}, raw)


def problem(code: str, message: str = "because") -> dict[str, Any]:
    """An error body in ARM's form."""
    return {"error": {"code": code, "message": message}}


def started(answer: Received) -> Answer:
    """What an answer to a start means."""
    return answer_to_start(answer, INSTALLING, lambda activity: Operation(f"found:{activity}"))


# Starts ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [200, 202])
def test_accepted_keeps_urls_to_the_byte(status: int) -> None:
    """200 and 202 are accepted, and both URLs stay as they came."""
    assert started(received(status, BOTH, b"")) == Accepted(Operation(STATUS, RESULT))


def test_accepted_with_location_alone() -> None:
    """Where there is only a Location, it is both URLs, which marks the operation as one of that kind."""
    assert started(received(202, {"Location": RESULT}, b"")) == Accepted(BY_LOCATION)


def test_result_in_the_answer() -> None:
    """A 200 that brings the result along is followed by the run's own id; one that brings nothing has ended."""
    assert started(told(200, {"status": "Succeeded", "installationActivityId": "g"})) == Accepted(
        Operation("found:g")
    )
    assert started(told(200)) == Accepted(Operation(""))


def test_accepted_without_a_trace() -> None:
    """A 202 that doesn't say where to follow it is left for the instance view to settle."""
    assert isinstance(started(told(202)), Unsettled)


def test_throttled_start() -> None:
    """429 is surely not begun, and worth another try after the time that Azure names."""
    answer = started(told(429, THROTTLED, Retry_After="17"))
    assert isinstance(answer, Rejected)
    assert (answer.code, answer.transient, answer.retry_after_s) == ("TooManyRequests", True, 17.0)
    assert "VMGuestPatchOperations" in answer.message


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 412, 422])
def test_refused_start(status: int) -> None:
    """Every other 4xx is surely not begun, and trying again won't help."""
    answer = started(told(status, problem("SomeCode")))
    assert isinstance(answer, Rejected)
    assert (answer.code, answer.transient, answer.retry_after_s) == ("SomeCode", False, None)
    assert "installing patches on web01" in answer.message


@pytest.mark.parametrize("status", [100, 204, 302, 408, 409, 500, 502, 503, 504])
def test_unsettled_start(status: int) -> None:
    """408, 409, 5xx and whatever isn't expected leave open whether it has begun, Retry-After or not."""
    answer = started(told(status, problem("Conflict"), Retry_After="5"))
    assert isinstance(answer, Unsettled)
    assert f"HTTP {status}" in answer.why


# Operations -----------------------------------------------------------------------------------------------------------


def state(answer: Received, operation: Operation = FOLLOWED) -> object:
    """What an answer says of an operation."""
    return state_of(operation, answer, INSTALLING)


@pytest.mark.parametrize("word", ["InProgress", "Running", "Something New"])
def test_still_running(word: str) -> None:
    """Any status that isn't an end goes on; Azure's wish for the next look is passed on."""
    assert state(told(200, {"status": word}, Retry_After="15")) == StillRunning(15.0)
    assert state(told(200, {"status": word})) == StillRunning(None)


def test_succeeded_with_output() -> None:
    """The result comes with the status where ARM puts it there."""
    output = {"status": "CompletedWithWarnings", "installedPatchCount": 1}
    assert state(told(200, {"status": "Succeeded", "properties": {"output": output}})) == Ended(True, output)


def test_succeeded_without_output() -> None:
    """Without output the result is fetched, unless there is nowhere to fetch it from."""
    assert state(told(200, {"status": "Succeeded"})) == ResultElsewhere()
    assert state(told(200, {"status": "Succeeded"}), Operation(STATUS)) == Ended(True, {})


def test_failed() -> None:
    """An operation that failed as a whole ends with its own error, and with what output there is."""
    body = {
        "status": "Failed",
        **problem("OperationPreempted", "a restart came"),
        "properties": {"output": {"a": 1}},
    }
    assert state(told(200, body)) == Ended(False, {"a": 1}, "OperationPreempted", "a restart came")
    assert state(told(200, {"status": "Canceled"})) == Ended(False, {}, "Canceled", "")


def test_how_long_an_operation_ran() -> None:
    """By its own words, where it says when it began and when it ended; it is no part of what an end means."""
    said = {"startTime": "2026-11-22T01:00:00Z", "endTime": "2026-11-22T01:04:30.5+00:00"}
    ended = state(told(200, {"status": "Succeeded", "properties": {"output": {"a": 1}}, **said}))
    assert isinstance(ended, Ended)
    assert (ended, ended.took_s) == (Ended(True, {"a": 1}), 270.5)
    failed = state(told(200, {"status": "Failed", "endTime": "2026-11-22T01:04:30Z"}))
    assert isinstance(failed, Ended)
    assert failed.took_s is None


def test_by_location() -> None:
    """An operation known by its Location alone: 202 goes on, 200 brings the result, another 4xx is its error."""
    assert state(told(202, Retry_After="10"), BY_LOCATION) == StillRunning(10.0)
    assert state(told(200, {"status": "Failed", "failedPatchCount": 2}), BY_LOCATION) == Ended(
        True, {"status": "Failed", "failedPatchCount": 2}
    )
    assert state(told(204), BY_LOCATION) == Ended(True, {})
    assert state(told(409, problem("Conflict")), BY_LOCATION) == Ended(False, {}, "Conflict", "because")


@pytest.mark.parametrize("operation", [FOLLOWED, BY_LOCATION])
@pytest.mark.parametrize(
    ("status", "error"),
    [
        (401, AccessDenied),
        (403, AccessDenied),
        (404, CloudPermanent),
        (408, CloudTransient),
        (429, CloudTransient),
        (500, CloudTransient),
        (503, CloudTransient),
    ],
)
def test_errors_of_asking(status: int, error: type[Exception], operation: Operation) -> None:
    """An answer that is about the question leaves the operation's end open."""
    with pytest.raises(error) as raised:
        state(told(status, problem("SomeCode"), Retry_After="3"), operation)
    assert raised.value.code == "SomeCode"  # type: ignore[attr-defined]  # all three have one
    if isinstance(raised.value, CloudTransient):
        assert raised.value.retry_after_s == 3.0


def test_status_without_a_status() -> None:
    """A 200 in which no status can be found is no end: it is asked again."""
    with pytest.raises(CloudTransient):
        state(received(200, {}, b"<html>busy</html>"))


def test_results() -> None:
    """A result that isn't there yet is waited for; one that is gone is an error, never a success without fields."""
    assert result_of(told(200, {"status": "Succeeded"}), INSTALLING) == Ended(True, {"status": "Succeeded"})
    assert result_of(told(204), INSTALLING) == Ended(True, {})
    assert result_of(told(202), INSTALLING) == StillRunning(None)
    with pytest.raises(CloudPermanent):
        result_of(told(404, problem("OperationNotFound")), INSTALLING)


# Errors ---------------------------------------------------------------------------------------------------------------


def test_forbidden_names_the_permission() -> None:
    """403 says which permission is lacking, where, and keeps Azure's words and correlation id."""
    error = error_from_answer(
        told(403, problem("AuthorizationFailed", "no authorization"), x_ms_correlation_request_id="c-1"),
        INSTALLING,
    )
    assert isinstance(error, AccessDenied)
    for part in (
        "Microsoft.Compute/virtualMachines/installPatches/action",
        "web01",
        "no authorization",
        "c-1",
    ):
        assert part in str(error)


@pytest.mark.parametrize(("status", "code"), [(404, "SubscriptionNotFound"), (400, "InvalidSubscriptionId")])
def test_no_such_subscription(status: int, code: str) -> None:
    """A subscription that isn't there, for this identity, says how to find the right one."""
    error = error_from_answer(told(status, problem(code)), INSTALLING)
    assert isinstance(error, AccessDenied)
    assert "az account list" in str(error)


def test_unauthorized_says_sign_in() -> None:
    """401 says to sign in to the right tenant."""
    error = error_from_answer(told(401, problem("InvalidAuthenticationTokenTenant")), INSTALLING)
    assert isinstance(error, AccessDenied)
    assert "az login --tenant" in str(error)


@pytest.mark.parametrize("code", ["ResourceNotFound", "ResourceGroupNotFound"])
def test_gone(code: str) -> None:
    """A machine that is gone, with its group or without, has one code."""
    error = error_from_answer(told(404, problem(code)), INSTALLING)
    assert isinstance(error, CloudPermanent)
    assert error.code == "ResourceNotFound"


def test_not_found_by_somebody_else() -> None:
    """A 404 that isn't ARM's own word on the resource doesn't make a machine gone."""
    error = error_from_answer(received(404, {}, b"<html>proxy: no such page</html>"), INSTALLING)
    assert isinstance(error, CloudPermanent)
    assert error.code == "HTTP404"
    assert "proxy: no such page" in str(error)


def test_an_error_without_the_envelope() -> None:
    """Some errors have code and message at the top; some answers have no body at all."""
    bare = error_from_answer(told(400, {"code": "BadRequest", "message": "no such parameter"}), INSTALLING)
    assert (bare.code, "no such parameter" in str(bare)) == ("BadRequest", True)
    empty = error_from_answer(told(503), INSTALLING)
    assert (empty.code, type(empty)) == ("HTTP503", CloudTransient)


@pytest.mark.parametrize(("written", "seconds"), [("30", 30.0), ("0.5", 0.5), ("-1", 0.0), ("soon", None)])
def test_retry_after(written: str, seconds: float | None) -> None:
    """Retry-After is read as seconds; what isn't a number is as good as none."""
    error = error_from_answer(told(429, None, Retry_After=written), INSTALLING)
    assert isinstance(error, CloudTransient)
    assert error.retry_after_s == seconds
