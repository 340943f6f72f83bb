"""Azure Resource Manager's surface: what is checked first, what every answer carries, limits, operations."""

from __future__ import annotations

import json
from urllib.parse import urlsplit

import pytest

from orchestrator.emulator.arm import answer
from orchestrator.emulator.call import Request
from orchestrator.emulator.world import World
from tests.fleet import SUBSCRIPTION, inventory
from tests.unit.emulator.callers import (
    BASE,
    GROUP,
    OTHER,
    PROVIDER,
    TOKEN,
    VERSION,
    Caller,
    body,
    code,
    fleet,
)
from tests.unit.emulator.worlds import ALL, START, at, install, windows, world

# What is checked first ------------------------------------------------------------------------------------------------


def test_without_a_token_nobody_is_served() -> None:
    """401 with a challenge, also for a token of another kind."""
    for headers in ({}, {"authorization": "Basic eA=="}):
        response = Caller(fleet(), headers=headers).get(f"{PROVIDER}/virtualMachines")
        assert (response.status, code(response)) == (401, "AuthenticationFailed")
        assert response.headers["WWW-Authenticate"].startswith("Bearer ")


@pytest.mark.parametrize(
    ("path", "query", "status", "expected"),
    [
        (f"{PROVIDER}/virtualMachines", "", 400, "MissingApiVersionParameter"),
        (f"{PROVIDER}/virtualMachines", "api-version=latest", 400, "InvalidApiVersionParameter"),
        (f"/subscriptions/{OTHER[:-1]}9/locations", VERSION, 404, "SubscriptionNotFound"),
        (f"{GROUP}/virtualMachines/nobody", VERSION, 404, "ResourceNotFound"),
        (f"{GROUP}/virtualMachines/nobody/instanceView", VERSION, 404, "ResourceNotFound"),
        (f"{GROUP}/availabilitySets/nothing", VERSION, 404, "ResourceNotFound"),
        (f"{GROUP}/virtualMachineScaleSets/nothing", VERSION, 404, "ResourceNotFound"),
        (f"{GROUP}/virtualMachineScaleSets/nothing/virtualMachines", VERSION, 404, "ResourceNotFound"),
        (f"{PROVIDER}/galleries", VERSION, 404, "InvalidResourceType"),
        (f"{GROUP}/disks/x", VERSION, 404, "InvalidResourceType"),
        (f"{GROUP}/virtualMachines/web0/installPatches", VERSION, 404, "InvalidResourceType"),
        ("/", VERSION, 404, "InvalidResourceType"),
    ],
)
def test_errors(path: str, query: str, status: int, expected: str) -> None:
    """Each has ARM's code, and says that the gateway refused it."""
    response = Caller(fleet()).get(path, query)

    assert (status, expected) == (response.status, code(response))
    assert response.headers["x-ms-failure-cause"] == "gateway"


@pytest.mark.parametrize("raw", [b"{", b"[]", b'"all"'])
def test_a_body_that_is_no_object(raw: bytes) -> None:
    """400 InvalidRequestContent."""
    request = Request("POST", f"{GROUP}/virtualMachines/web0/installPatches", VERSION, TOKEN, raw)

    assert code(answer(fleet(), request, START)) == "InvalidRequestContent"


def test_a_run_command_needs_its_id() -> None:
    """400 with the parameter as target."""
    response = Caller(fleet()).post(f"{GROUP}/virtualMachines/web0/runCommand", {"script": ["hostname"]})

    assert (response.status, body(response)["error"]["target"]) == (400, "commandId")


# What every answer carries --------------------------------------------------------------------------------------------


def test_answers_carry_arms_headers() -> None:
    """Ids of their own, the emulated date, and the caller's id if it asks for it back."""
    headers = {**TOKEN, "x-ms-client-request-id": "mine", "x-ms-return-client-request-id": "true"}
    caller = Caller(fleet(), headers=headers)
    first, second = (caller.get(f"{GROUP}/virtualMachines/web0") for _ in range(2))

    assert first.headers["x-ms-request-id"] != second.headers["x-ms-request-id"]
    assert first.headers["x-ms-correlation-request-id"] == first.headers["x-ms-request-id"]
    assert first.headers["Date"] == "Sun, 22 Nov 2026 01:00:00 GMT"
    assert first.headers["x-ms-client-request-id"] == "mine"
    assert first.headers["Content-Type"] == "application/json; charset=utf-8"


def test_a_correlation_id_is_kept() -> None:
    """The caller's own correlation id comes back."""
    caller = Caller(fleet(), headers={**TOKEN, "x-ms-correlation-request-id": "chain"})

    assert caller.get(f"{GROUP}/virtualMachines/web0").headers["x-ms-correlation-request-id"] == "chain"


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("POST", f"{GROUP}/virtualMachines/web0/installPatches", "VMGuestPatchOperation;5;599"),
        ("POST", f"{GROUP}/virtualMachines/web0/assessPatches", "VMGuestPatchOperation;5;599"),
        ("POST", f"{GROUP}/virtualMachines/web0/restart", "UpdateVM;11;1499"),
        ("GET", f"{GROUP}/virtualMachines/web0", "LowCostGet;35;23999"),
        ("GET", f"{GROUP}/virtualMachines/web0/instanceView", "LowCostGet;35;23999"),
        ("GET", f"{GROUP}/availabilitySets/as-web", "LowCostGet;;23999"),
        ("GET", f"{PROVIDER}/virtualMachines", "HighCostGet;;899"),
        ("GET", f"/subscriptions/{SUBSCRIPTION}/locations", ""),
    ],
)
def test_what_is_left_after_the_first_call(method: str, path: str, expected: str) -> None:
    """As recorded: the policy's bucket of the machine and of the subscription, and ARM's own."""
    caller = Caller(fleet())
    response = caller.get(path) if method == "GET" else caller.post(path, ALL)

    left = response.headers.get("x-ms-ratelimit-remaining-resource", "")
    shown = dict(part.rsplit("/", 1)[1].split(";") for part in left.split(",") if part)
    name, resource, subscription = (expected or ";;").split(";")
    told = {f"{name}Resource": resource, f"{name}SubscriptionMaximum": subscription}
    assert {key: n for key, n in told.items() if n} == shown
    kind, arm, everyone = ("reads", "249", "3749") if method == "GET" else ("writes", "199", "2999")
    assert response.headers[f"x-ms-ratelimit-remaining-subscription-{kind}"] == arm
    assert response.headers[f"x-ms-ratelimit-remaining-subscription-global-{kind}"] == everyone


# Throttling -----------------------------------------------------------------------------------------------------------


def test_a_machine_s_patch_operations_are_throttled() -> None:
    """Six at once, invalid ones included; then 429 with Retry-After, and after that time it is served again."""
    caller = Caller(fleet())
    path = f"{GROUP}/virtualMachines/web0/installPatches"
    refused = [caller.post(path, {}).status for _ in range(6)]
    throttled = caller.post(path, ALL)

    assert refused == [400] * 6
    assert (throttled.status, throttled.headers["Retry-After"]) == (429, "30")
    error = body(throttled)["error"]
    assert (error["code"], error["details"][0]["code"]) == ("OperationNotAllowed", "TooManyRequests")
    assert json.loads(error["details"][0]["message"])["allowedRequestCount"] == 6
    assert caller.post(path.replace("web0", "web1"), ALL).status == 202
    caller.now = at(30)
    assert caller.post(path, ALL).status == 202


def test_a_tight_poll_empties_the_machine_s_bucket() -> None:
    """36 instance views at once, then one each five seconds."""
    caller = Caller(fleet())
    path = f"{GROUP}/virtualMachines/web0/instanceView"
    asked = [caller.get(path) for _ in range(37)]

    assert [response.status for response in asked] == [200] * 36 + [429]
    assert asked[-1].headers["Retry-After"] == "5"


def test_a_region_s_bucket_is_its_own() -> None:
    """At ARM's ten writes a second a region's 600 patch operations run out; another region's go on."""
    machines = tuple(windows(f"m{n:04}") for n in range(1000))
    it = world(machines=(*machines, windows("north", location="northeurope")))
    south = [id_ for id_ in it.machines() if not id_.endswith("north")]
    answers = [install(it, id_, at(n / 10)) for n, id_ in enumerate(south)]
    taken = next(n for n, told in enumerate(answers) if told.status == 429)

    # 600 at once and 200 a minute, at 600 a minute: after 90 s.
    assert taken == pytest.approx(900, abs=2)
    error = (answers[taken].body or {})["error"]
    assert (error["code"], error["details"][0]["target"]) == ("OperationNotAllowed", "VMGuestPatchOperation")
    assert install(it, it.machines()[-1], at(100)).status == 202


def test_arm_s_own_refusal() -> None:
    """250 reads at once, then ARM's code and a Retry-After of a second."""
    caller = Caller(fleet())
    asked = [caller.get(f"/subscriptions/{SUBSCRIPTION}/locations") for _ in range(251)]

    assert (
        asked[-1].status,
        code(asked[-1]),
        asked[-1].headers["Retry-After"],
    ) == (429, "SubscriptionRequestsThrottled", "1")
    assert asked[-2].status == 200
    assert Caller(caller.world).get(f"/subscriptions/{OTHER}/locations").status == 200


# Operations -----------------------------------------------------------------------------------------------------------


def begun(caller: Caller, action: str = "installPatches") -> tuple[str, str]:
    """Start something; its status URL and its result URL."""
    response = caller.post(f"{GROUP}/virtualMachines/web0/{action}", {**ALL, "commandId": "RunShellScript"})
    assert (response.status, response.body) == (202, b"")
    return response.headers["Azure-AsyncOperation"], response.headers["Location"]


def test_an_operation_from_begin_to_end() -> None:
    """202 without a body; the status is always 200; the result is 202 without a body, then bare; ids are the same."""
    caller = Caller(fleet())
    status, result = begun(caller)

    first = caller.follow(status)
    assert (first.status, body(first)["status"]) == (200, "InProgress")
    assert {"startTime", "status", "name"} == body(first).keys()
    waiting = caller.follow(result)
    assert (202, b"", result) == (waiting.status, waiting.body, waiting.headers["Location"])
    caller.now = at(4000)
    last = body(caller.follow(status))
    assert (last["status"], last["name"]) == (
        "Succeeded",
        last["properties"]["output"]["installationActivityId"],
    )
    assert last["startTime"] == "2026-11-22T01:00:00.0000000+00:00"
    assert last["endTime"] > last["startTime"]
    assert body(caller.follow(result)) == last["properties"]["output"]
    assert "Retry-After" not in first.headers


@pytest.mark.parametrize("action", ["restart", "runCommand"])
def test_some_operations_name_a_retry_after(action: str) -> None:
    """Patch operations don't, these do, and a client must bear with both."""
    caller = Caller(fleet())
    response = caller.post(f"{GROUP}/virtualMachines/web0/{action}", {"commandId": "RunPowerShellScript"})

    assert (response.status, response.headers["Retry-After"]) == (202, "10")
    caller.now = at(1000)
    assert caller.follow(response.headers["Location"]).status == 200


def test_urls_are_long_and_signed() -> None:
    """Over 3 kB, with t, c, s and h; one byte more, less or other is a 403."""
    caller = Caller(fleet())
    for url in begun(caller):
        parts = urlsplit(url)
        assert len(url) > 3000
        assert {"p", "api-version", "t", "c", "s", "h"} <= {
            part.split("=")[0] for part in parts.query.split("&")
        }
        assert url.startswith(BASE)
        for query in (parts.query + "x", parts.query[:-1], parts.query.replace("&s=", "&s=A"), VERSION):
            response = caller.get(parts.path, query)
            assert (response.status, code(response)) == (403, "AuthorizationFailed")
        assert caller.get(parts.path, parts.query).status in {200, 202}


def test_unsigned_urls_as_before_2023() -> None:
    """A world without signatures shows an operation to whoever knows its id."""
    caller = Caller(World(inventory(windows("web0")), seed=1, start=START, signed_urls=False))
    status, _ = begun(caller)

    assert len(status) < 400
    assert caller.get(urlsplit(status).path).status == 200


@pytest.mark.parametrize(
    ("old", "new"),
    [("westeurope", "northeurope"), (SUBSCRIPTION, OTHER), ("/operations/", "/operations/00000000-")],
)
def test_an_operation_is_found_at_its_place_only(old: str, new: str) -> None:
    """Another region, subscription or id is a 404."""
    caller = Caller(fleet())
    status, _ = begun(caller)

    assert caller.follow(status.replace(old, new, 1)).status == 404
