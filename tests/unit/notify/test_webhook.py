"""Webhooks, against real servers on loopback."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer, unused_port

from orchestrator.errors import UsageError
from orchestrator.notify.port import Delivery
from orchestrator.notify.webhook import HttpWebhooks, Target

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Serve = Callable[[Handler], Awaitable[str]]

BODY = {"phase": "before", "machine": "/subscriptions/s/vm-1", "attempt": 1}
STAMP = 1_795_309_200  # 2026-11-22 01:00 UTC


class Fixed:
    """A clock that stands still."""

    scale = 1.0

    def now(self) -> datetime:
        """The moment at which it stands."""
        return datetime.fromtimestamp(STAMP, UTC)

    async def sleep(self, seconds: float) -> None:
        """Never needed here."""
        raise NotImplementedError


class Receiver:
    """Keeps what it is sent, and answers as told."""

    def __init__(self, status: int = 200, text: str = "", **headers: str) -> None:
        self.status, self.text, self.headers = status, text, headers
        self.requests: list[tuple[str, dict[str, str], bytes]] = []

    async def handle(self, request: web.Request) -> web.Response:
        """Keep the request; header names in lower case."""
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.requests.append((f"{request.method} {request.path_qs}", headers, await request.read()))
        return web.Response(status=self.status, text=self.text, headers=self.headers)


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    """Start a server whose every path one handler answers; its address is `http://127.0.0.1:PORT`."""
    servers: list[TestServer] = []

    async def start(handler: Handler) -> str:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", handler)
        server = TestServer(app, host="127.0.0.1")
        await server.start_server()
        servers.append(server)
        return f"http://127.0.0.1:{server.port}"

    yield start
    for server in servers:
        await server.close()


async def call(target: Target, timeout_s: float = 5, key: str = "r1/vm-1/1/before/0") -> Delivery:
    """Call the one webhook there is."""
    webhooks = HttpWebhooks({"lb-drain": target}, Fixed())
    try:
        return await webhooks.call("lb-drain", key, BODY, timeout_s)
    finally:
        await webhooks.close()


async def test_a_call_is_a_post_of_json_with_its_key(serve: Serve) -> None:
    """Once, to the path and query as configured, with the same bytes for the same body."""
    receiver = Receiver(204)
    delivery = await call(Target(await serve(receiver.handle) + "/drain?token=t"))
    ((request, headers, body),) = receiver.requests
    assert request == "POST /drain?token=t"
    assert body == b'{"attempt":1,"machine":"/subscriptions/s/vm-1","phase":"before"}'
    assert headers["content-type"] == "application/json"
    assert headers["idempotency-key"] == "r1/vm-1/1/before/0"
    assert "webhook-signature" not in headers
    assert delivery.ok
    assert delivery.evidence.startswith("204 in ")


@pytest.mark.parametrize(
    ("secret", "key"),
    [
        ("correct horse", b"correct horse"),
        ("whsec_" + base64.b64encode(b"\x00\x01 bytes").decode(), b"\x00\x01 bytes"),
    ],
)
async def test_a_secret_signs_key_time_and_body(serve: Serve, secret: str, key: bytes) -> None:
    """The receiver can tell who sent it, when, and that nothing was changed: HMAC-SHA256, as the standard says."""
    receiver = Receiver()
    await call(Target(await serve(receiver.handle), secret), key="step-7")
    ((_, headers, body),) = receiver.requests
    signed = b"step-7.%d." % STAMP + body
    expected = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    assert (headers["webhook-id"], headers["webhook-timestamp"]) == ("step-7", str(STAMP))
    assert headers["webhook-signature"] == f"v1,{expected}"


async def test_signatures_follow_the_published_example(monkeypatch: pytest.MonkeyPatch) -> None:
    """The test vector of the Standard Webhooks libraries comes out as they have it."""
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    clock = Fixed()
    monkeypatch.setattr(Fixed, "now", lambda _self: datetime.fromtimestamp(1_614_265_330, UTC))
    webhooks = HttpWebhooks({"w": Target("https://host.example", secret)}, clock)
    headers = webhooks._headers("w", "msg_p5jXN8AQM9LWM0D4loKWxJek", b'{"test": 2432232314}')
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@pytest.mark.parametrize(
    ("receiver", "evidence"),
    [
        (Receiver(500, "pool is\nlocked \x1b[0m"), "500: pool is locked \N{REPLACEMENT CHARACTER}[0m"),
        (Receiver(404), "404"),
        (Receiver(400, "x" * 5_000), "400: " + "x" * 100),
        (Receiver(304), "304"),
    ],
)
async def test_another_status_is_no_delivery(serve: Serve, receiver: Receiver, evidence: str) -> None:
    """What the receiver said is shown, in a line."""
    assert await call(Target(await serve(receiver.handle))) == Delivery(ok=False, evidence=evidence)
    assert len(receiver.requests) == 1


@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_a_redirect_is_not_followed(serve: Serve, status: int) -> None:
    """Body and signature go where configuration says, and nowhere else."""
    elsewhere = Receiver()
    receiver = Receiver(status, Location=await serve(elsewhere.handle))
    delivery = await call(Target(await serve(receiver.handle), "secret"))
    assert delivery == Delivery(
        ok=False, evidence=f"{status}, a redirect, which isn't followed; configure where it leads"
    )
    assert elsewhere.requests == []


async def test_no_answer_in_time_is_no_delivery(serve: Serve) -> None:
    """Nor an exception: whether it arrived is the caller's question, with the same key."""
    leave = asyncio.Event()

    async def handle(_request: web.Request) -> web.Response:
        await leave.wait()
        return web.Response()

    at = await serve(handle)
    delivery = await call(Target(at), timeout_s=0.03)
    leave.set()
    assert delivery == Delivery(ok=False, evidence="no answer within 0.03 s")


async def test_nobody_there_is_no_delivery() -> None:
    """The evidence keeps the url, which may hold a token, to itself."""
    delivery = await call(Target(f"http://127.0.0.1:{unused_port()}/?token=t"))
    assert delivery == Delivery(ok=False, evidence="connection refused")


async def test_a_host_without_an_address_is_no_delivery(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is named."""

    async def resolve(*_args: object, **_named: object) -> list[object]:
        raise OSError(-2, "Name or service not known")

    monkeypatch.setattr(aiohttp.ThreadedResolver, "resolve", resolve)
    delivery = await call(Target("https://hooks.invalid/?token=t"))
    assert delivery == Delivery(ok=False, evidence="hooks.invalid has no address")


@pytest.mark.parametrize(
    ("said", "evidence"),
    [(b"", "hung up without an answer"), (b"220 smtp ready\r\n\r\n", "no valid answer (")],
)
async def test_who_speaks_no_http_is_no_delivery(said: bytes, evidence: str) -> None:
    """Whatever comes back, nothing is raised."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"}")
        writer.write(said)
        writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    delivery = await call(Target(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"))
    server.close()
    await server.wait_closed()
    assert (delivery.ok, delivery.evidence[: len(evidence)]) == (False, evidence)


async def test_tls_is_spoken_where_the_url_says_so(serve: Serve) -> None:
    """A plain server behind an https url is refused, never spoken to in clear."""
    receiver = Receiver()
    at = await serve(receiver.handle)
    delivery = await call(Target(at.replace("http://", "https://")))
    assert (delivery.ok, delivery.evidence[:5]) == (False, "TLS: ")
    assert receiver.requests == []


async def test_names_are_known_as_configured() -> None:
    """A plan is asked about before it starts; a name that slips through is no delivery."""
    webhooks = HttpWebhooks({"lb-drain": Target("https://host.example")})
    assert [webhooks.knows("lb-drain"), webhooks.knows("other")] == [True, False]
    assert await webhooks.call("other", "k", {}, 5) == Delivery(
        ok=False, evidence="no webhook 'other' is configured"
    )
    await webhooks.close()


def test_targets_that_cannot_be_used_are_refused_together() -> None:
    """Each by name, before anything starts, and without showing url or secret."""
    targets = {
        "a": Target("ftp://host.example/token"),
        "b": Target("https:///token"),
        "c": Target("https://host.example:port/token"),
        "d": Target("hooks/token"),
        "e": Target("https://host.example", "whsec_not*base6"),
        "fine": Target("HTTPS://host.example/"),
    }
    with pytest.raises(UsageError) as refused:
        HttpWebhooks(targets)
    lines = str(refused.value).split("\n")
    assert [line.split(":")[0] for line in lines] == [f"webhook '{name}'" for name in "abcde"]
    assert lines[0] == "webhook 'a': its url can't be used; write https://HOST/PATH (or http://)"
    assert lines[4].startswith("webhook 'e': its secret begins with whsec_, but isn't base64 after that")
    assert "token" not in str(refused.value)
    assert "not*base6" not in str(refused.value)


def test_a_target_shows_neither_url_nor_secret() -> None:
    """It may end up in a log or a traceback."""
    assert repr(Target("https://host.example/token", "secret")) == "Target()"
