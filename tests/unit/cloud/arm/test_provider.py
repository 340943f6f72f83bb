"""The provider over a session whose answers are scripted: what is sent, and what is made of what comes back."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from typing import Any, Self

import aiohttp
import pytest
from azure.core.credentials import AccessToken
from azure.core.exceptions import ClientAuthenticationError, ServiceRequestError

from orchestrator.clock import SystemClock
from orchestrator.cloud.arm.provider import ArmProvider
from orchestrator.cloud.port import Accepted, Operation, Rejected, Target, Unsettled
from orchestrator.errors import AccessDenied, CloudTransient
from orchestrator.inventory.model import Connection, Kind, Os
from orchestrator.policy.model import Patches, Restart
from tests.fleet import SUBSCRIPTION, arc_id, arm_id, vm_id
from tests.unit.cloud.arm.scripted import ScriptedAnswer, ScriptedSession, Step
from tests.unit.cloud.arm.test_errors import CUT, NO_CONNECTION, REFUSED, RESET, SILENCE, TORN

EMULATOR = "http://127.0.0.1:8900"
STATUS = "https://management.azure.com/subscriptions/s/operations/g?c=%2fAb%7ec%3D%3d&s=a+b"
RESULT = STATUS + "&monitor=true"
ACCEPTED = ScriptedAnswer(202, Azure_AsyncOperation=STATUS, Location=RESULT)
NOW = datetime(2026, 11, 22, 1, tzinfo=UTC)

WEB01 = Target(
    id=vm_id("web01"),
    arm_id=arm_id("web01"),
    name="web01",
    subscription=SUBSCRIPTION,
    resource_group="rg-shop",
    location="westeurope",
    kind=Kind.AZURE_VM,
    os=Os.WINDOWS,
)


class Signed:
    """A credential that gives tokens, or raises."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error
        self.scopes: list[str] = []
        self.closed = False

    async def get_token(self, *scopes: str, **_options: Any) -> AccessToken:
        """Its token, or its error."""
        self.scopes += scopes
        if self.error is not None:
            raise self.error
        return AccessToken("secret", int((datetime(2100, 1, 1, tzinfo=UTC)).timestamp()))

    async def close(self) -> None:
        """Remember it."""
        self.closed = True

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.close()


def provider(*script: Step, **options: Any) -> tuple[ArmProvider, ScriptedSession]:
    """A provider and the session that it speaks through."""
    session = ScriptedSession(*script)
    return ArmProvider(SystemClock(), session=session, **{"endpoint": EMULATOR, **options}), session


# What is sent ---------------------------------------------------------------------------------------------------------


async def test_installation_as_sent() -> None:
    """One POST with the body, the key as the client's request id, and this program's name."""
    cloud, session = provider(ACCEPTED)
    answer = await cloud.start(WEB01, Patches(maximum_duration=timedelta(hours=1)), "key-1", 60)
    assert answer == Accepted(Operation(STATUS, RESULT))
    ((method, url, headers, body),) = session.sent
    assert method == "POST"
    assert url == f"{EMULATOR}{arm_id('web01')}/installPatches?api-version=2026-04-01"
    assert headers["x-ms-client-request-id"] == "key-1"
    assert headers["User-Agent"] == f"wavekeeper/{version('wavekeeper')}"
    assert json.loads(body) == {
        "maximumDuration": "PT1H",
        "rebootSetting": "IfRequired",
        "windowsParameters": {"classificationsToInclude": ["Critical", "Security"]},
    }


async def test_restart_and_assessment_as_sent() -> None:
    """A restart and an assessment are POSTs of their own, without a body."""
    cloud, session = provider(ACCEPTED, ACCEPTED)
    await cloud.start(WEB01, Restart(), "key-1", 60)
    await cloud.assess(WEB01, "key-2", 60)
    assert [
        (url.split("/")[-1], headers["x-ms-client-request-id"], body)
        for _, url, headers, body in session.sent
    ] == [
        ("restart?api-version=2026-04-01", "key-1", None),
        ("assessPatches?api-version=2026-04-01", "key-2", None),
    ]


async def test_polls_to_the_byte() -> None:
    """Status and result are asked for under exactly the URLs that were given."""
    cloud, session = provider(
        ScriptedAnswer(200, {"status": "Succeeded"}), ScriptedAnswer(200, {"status": "Failed"})
    )
    ended = await cloud.poll(Operation(STATUS, RESULT))
    assert [(method, url) for method, url, *_ in session.sent] == [("GET", STATUS), ("GET", RESULT)]
    assert getattr(ended, "result", None) == {"status": "Failed"}


async def test_names_that_need_escapes() -> None:
    """A name that a URL can't hold as it is, is escaped."""
    cloud, session = provider(ScriptedAnswer(200, {}))
    spelled = WEB01.arm_id.replace("rg-shop", "rg (grün)")
    await cloud.view(replace(WEB01, arm_id=spelled))
    assert "/resourceGroups/rg%20(gr%C3%BCn)/" in session.sent[0][1]


async def test_an_operation_found_by_its_id() -> None:
    """An operation whose id is all that is known has an address, for which nothing is asked."""
    cloud, session = provider()
    operation = await cloud.operation_of(WEB01, "guid-1")
    assert operation.status_url == (
        f"{EMULATOR}/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Compute/locations/westeurope/operations/guid-1"
        "?api-version=2026-04-01"
    )
    assert session.sent == []


# Starts: what is sure -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("error", [REFUSED, NO_CONNECTION])
async def test_start_that_never_left(error: Exception) -> None:
    """Without a connection nothing was sent: rejected for now, and worth another try."""
    cloud, session = provider(error)
    answer = await cloud.start(WEB01, Patches(), "key-1", 60)
    assert isinstance(answer, Rejected)
    assert answer.transient
    assert EMULATOR in answer.message
    assert len(session.sent) == 1


@pytest.mark.parametrize(
    "error", [CUT, RESET, SILENCE, TORN, aiohttp.ClientError("new"), RuntimeError("a bug")]
)
async def test_start_that_may_have_arrived(error: Exception) -> None:
    """Anything else that is raised leaves the start unsettled, even a bug; and it is never sent again."""
    cloud, session = provider(error)
    assert isinstance(await cloud.start(WEB01, Patches(), "key-1", 60), Unsettled)
    assert len(session.sent) == 1


@pytest.mark.parametrize("status", [408, 409, 429, 500, 503])
async def test_start_is_never_sent_again(status: int) -> None:
    """A Retry-After doesn't make the SDK send a start again."""
    cloud, session = provider(
        ScriptedAnswer(status, {"error": {"code": "c", "message": "m"}}, Retry_After="1")
    )
    answer = await cloud.start(WEB01, Patches(), "key-1", 60)
    assert isinstance(answer, Rejected if status == 429 else Unsettled)
    assert len(session.sent) == 1


async def test_accepted_though_the_body_was_cut() -> None:
    """The headers of a 202 say all; a body that is cut off after them doesn't make it uncertain."""
    cloud, _ = provider(ScriptedAnswer(202, TORN, Azure_AsyncOperation=STATUS, Location=RESULT))
    assert await cloud.start(WEB01, Patches(), "key-1", 60) == Accepted(Operation(STATUS, RESULT))


async def test_accepted_with_a_header_that_the_sdk_trips_over() -> None:
    """A Retry-After that is a date breaks the SDK's decoding, after the run has begun: it is accepted all the same."""
    later = "Sun, 22 Nov 2026 01:00:00 GMT"
    cloud, _ = provider(ScriptedAnswer(202, Azure_AsyncOperation=STATUS, Location=RESULT, Retry_After=later))
    assert await cloud.start(WEB01, Patches(), "key-1", 60) == Accepted(Operation(STATUS, RESULT))


async def test_registration_isnt_ours_to_do() -> None:
    """The SDK's habit of registering a resource provider on a 409, and sending again, is off."""
    error = {"error": {"code": "MissingSubscriptionRegistration", "message": "not registered"}}
    cloud, session = provider(ScriptedAnswer(409, error))
    assert isinstance(await cloud.start(WEB01, Patches(), "key-1", 60), Unsettled)
    assert len(session.sent) == 1


async def test_start_without_an_answer_in_time() -> None:
    """When the time is up the request may have arrived."""

    async def never() -> ScriptedAnswer:
        await asyncio.Event().wait()
        raise AssertionError

    cloud, _ = provider(never)
    answer = await cloud.start(WEB01, Patches(), "key-1", 0.01)
    assert answer == Unsettled("installing patches on web01: no answer within 0.01 s")


async def test_start_that_waits_for_a_token() -> None:
    """When the time is up before there was a token, nothing was sent, and that is said."""

    class Slow(Signed):
        async def get_token(self, *scopes: str, **_options: Any) -> AccessToken:
            await asyncio.Event().wait()
            raise AssertionError(scopes)

    cloud, session = provider(endpoint="https://management.azure.com", credential=Slow())
    answer = await cloud.start(WEB01, Patches(), "key-1", 0.01)
    assert isinstance(answer, Rejected)
    assert answer.transient
    assert session.sent == []


@pytest.mark.parametrize("kind", [Kind.ARC, Kind.AZURE_LOCAL])
async def test_arc_machines(kind: Kind) -> None:
    """An order for an Arc machine goes to its own provider, never to the virtual machine that happens to have its name."""
    location = (
        f"https://management.azure.com/subscriptions/{SUBSCRIPTION}/providers/Microsoft.HybridCompute/x/1"
    )
    cloud, session = provider(ScriptedAnswer(202, Location=location), ScriptedAnswer(202, Location=location))
    site = replace(WEB01, name="site1", arm_id=arc_id("site1"), resource_group="rg-site", kind=kind)
    patches = Patches(maximum_duration=timedelta(hours=1))
    assert await cloud.start(site, patches, "key-1", 60) == Accepted(Operation(location, location))
    assert await cloud.assess(site, "key-2", 60) == Accepted(Operation(location, location))
    (_, install, headers, body), (_, assess, _, nothing) = session.sent
    assert install == f"{EMULATOR}{arc_id('site1')}/installPatches?api-version=2026-07-15"
    assert assess == f"{EMULATOR}{arc_id('site1')}/assessPatches?api-version=2026-07-15"
    assert (headers["x-ms-client-request-id"], nothing) == ("key-1", None)
    assert json.loads(body)["maximumDuration"] == "PT1H"


@pytest.mark.parametrize("kind", [Kind.ARC, Kind.AZURE_LOCAL])
async def test_nothing_restarts_an_arc_machine(kind: Kind) -> None:
    """Azure Arc has no such action: nothing is sent."""
    cloud, session = provider()
    answer = await cloud.start(replace(WEB01, arm_id=arc_id("web01"), kind=kind), Restart(), "key-2", 60)
    assert isinstance(answer, Rejected)
    assert (answer.code, answer.transient) == ("KindNotSupported", False)
    assert session.sent == []


async def test_a_query_as_sent() -> None:
    """The last run of an Arc machine is asked of Resource Graph, with its machine's subscription as the scope."""
    machine = {"id": arc_id("site1"), "location": "westeurope", "properties": {"status": "Connected"}}
    run = {"installationActivityId": "A1", "status": "InProgress", "startDateTime": "2026-11-22T01:00:00Z"}
    found = {
        "totalRecords": 1,
        "data": [{"id": f"{arc_id('site1')}/patchInstallationResults/a1", "properties": run}],
    }
    cloud, session = provider(ScriptedAnswer(200, machine), ScriptedAnswer(200, found))
    view = await cloud.view(replace(WEB01, name="site1", arm_id=arc_id("site1"), kind=Kind.ARC))
    assert (view.connection, view.installation_id, view.installing) == (Connection.CONNECTED, "a1", True)
    assert view.installation_began == NOW
    (_, read, _, _), (method, asked, _, body) = session.sent
    assert read == f"{EMULATOR}{arc_id('site1')}?api-version=2026-07-15"
    assert (method, asked) == (
        "POST",
        f"{EMULATOR}/providers/Microsoft.ResourceGraph/resources?api-version=2021-03-01",
    )
    told = json.loads(body)
    assert told["subscriptions"] == [SUBSCRIPTION]
    assert f"id startswith '{arc_id('site1')}/patchInstallationResults/'" in told["query"]


# Identity -------------------------------------------------------------------------------------------------------------


async def test_token_is_for_this_arm_alone() -> None:
    """The token that an endpoint gets is one that only this endpoint can use."""
    signed = Signed()
    cloud, session = provider(
        ScriptedAnswer(200, {}), endpoint="https://management.usgovcloudapi.net", credential=signed
    )
    await cloud.view(WEB01)
    assert signed.scopes == ["https://management.usgovcloudapi.net/.default"]
    assert session.sent[0][2]["Authorization"] == "Bearer secret"
    await cloud.close()
    assert (signed.closed, session.closed) == (True, True)


async def test_emulator_gets_no_token() -> None:
    """Over plain HTTP no credential is asked, let alone sent."""
    signed = Signed()
    cloud, session = provider(ScriptedAnswer(200, {}), credential=signed)
    await cloud.view(WEB01)
    assert signed.scopes == []
    assert session.sent[0][2]["Authorization"] == "Bearer loopback"


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (ClientAuthenticationError("DefaultAzureCredential failed to retrieve a token"), AccessDenied),
        (ServiceRequestError("login.microsoftonline.com", error=CUT), CloudTransient),
    ],
)
async def test_nothing_is_sent_without_a_token(error: Exception, kind: type[Exception]) -> None:
    """Without a token a start raises, since nothing was sent; the error says what to do, or that it may pass."""
    cloud, session = provider(endpoint="https://management.azure.com", credential=Signed(error))
    with pytest.raises(kind):
        await cloud.start(WEB01, Patches(), "key-1", 60)
    with pytest.raises(kind):
        await cloud.view(WEB01)
    with pytest.raises(kind):
        await cloud.inventory([SUBSCRIPTION])
    assert session.sent == []


async def test_refused_token_at_the_start() -> None:
    """A 401 means that the start was refused at the door."""
    cloud, _ = provider(
        ScriptedAnswer(401, {"error": {"code": "ExpiredAuthenticationToken", "message": "expired"}})
    )
    answer = await cloud.start(WEB01, Patches(), "key-1", 60)
    assert isinstance(answer, Rejected)
    assert (answer.code, answer.transient) == ("ExpiredAuthenticationToken", False)


# Reads ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("error", [REFUSED, CUT, RESET, SILENCE, TORN])
async def test_reads_that_break(error: Exception) -> None:
    """A read that breaks on the way is transient, and asked once."""
    cloud, session = provider(error)
    with pytest.raises(CloudTransient):
        await cloud.view(WEB01)
    assert len(session.sent) == 1


async def test_throttled_read() -> None:
    """A read that is throttled isn't repeated; the caller gets Azure's word on when."""
    cloud, session = provider(
        ScriptedAnswer(429, {"code": "TooManyRequests", "message": "slow down"}, Retry_After="9")
    )
    with pytest.raises(CloudTransient) as raised:
        await cloud.poll(Operation(STATUS, RESULT))
    assert raised.value.retry_after_s == 9.0
    assert len(session.sent) == 1
