"""The HTTP probe, against real servers on loopback."""

from __future__ import annotations

import asyncio
import errno
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer, unused_port

from orchestrator.policy.model import Probe, ProbeKind
from orchestrator.probes.http import HttpProber, _in_url
from orchestrator.probes.port import Reply, Subject

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Serve = Callable[[Handler], Awaitable[str]]

WEB = Subject("vm-web-1", "127.0.0.1", "WEB1", (("path", "/a/b"), ("evil", "@example.com/?x=#y")))


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


@pytest.fixture
async def prober() -> AsyncIterator[HttpProber]:
    """A prober, closed when the test ends."""
    made = HttpProber()
    yield made
    await made.close()


def probe(url: str, *, expect: tuple[int, ...] = (200,), timeout_ms: int = 5_000) -> Probe:
    """An HTTP probe."""
    return Probe(ProbeKind.HTTP, url=url, expect_status=expect, timeout=timedelta(milliseconds=timeout_ms))


def answering(status: int, text: str = "", **headers: str) -> Handler:
    """A handler that always answers this."""

    async def handle(_request: web.Request) -> web.Response:
        return web.Response(status=status, text=text, headers=headers)

    return handle


def unasked(evidence: str) -> Reply:
    """The question couldn't be put."""
    return Reply(well=False, asked=False, evidence=evidence)


def unwell(evidence: str) -> Reply:
    """The question was put, and not answered well."""
    return Reply(well=False, asked=True, evidence=evidence)


# Answers


async def test_the_expected_status_is_well(serve: Serve, prober: HttpProber) -> None:
    """The evidence says which status and how long it took."""
    reply = await prober.ask(probe(await serve(answering(200, "fine"))), WEB)
    assert (reply.well, reply.asked) == (True, True)
    assert reply.evidence.startswith("200 in ")


async def test_any_of_several_expected_statuses_is_well(serve: Serve, prober: HttpProber) -> None:
    """A policy may expect 204 or even 401; only what it says counts."""
    at = await serve(answering(401))
    replies = [await prober.ask(probe(at, expect=expect), WEB) for expect in ((200, 401), (200,))]
    assert [reply.well for reply in replies] == [True, False]


@pytest.mark.parametrize(
    ("body", "evidence"),
    [
        ("db not\nreachable \x1b[31m", "503: db not reachable \N{REPLACEMENT CHARACTER}[31m"),
        ("", "503"),
        ("x" * 5_000, "503: " + "x" * 100),
    ],
)
async def test_another_status_is_unwell_and_shows_what_was_said(
    serve: Serve, prober: HttpProber, body: str, evidence: str
) -> None:
    """The body's first 100 characters, in one line, without what a terminal would obey."""
    assert await prober.ask(probe(await serve(answering(503, body))), WEB) == unwell(evidence)


async def test_a_redirect_is_not_followed(serve: Serve, prober: HttpProber) -> None:
    """It says nothing of this machine; it is well only if the policy expects it."""
    paths: list[str] = []

    async def handle(request: web.Request) -> web.Response:
        paths.append(request.path)
        raise web.HTTPFound("/login")

    at = await serve(handle)
    assert await prober.ask(probe(at + "/x"), WEB) == unwell("302 to /login, which isn't followed")
    assert (await prober.ask(probe(at + "/x", expect=(302,)), WEB)).well
    assert paths == ["/x", "/x"]


async def test_no_answer_in_time_is_unwell(serve: Serve, prober: HttpProber) -> None:
    """A machine that takes the connection and says nothing is as bad as one that says no."""
    leave = asyncio.Event()

    async def handle(_request: web.Request) -> web.Response:
        await leave.wait()
        return web.Response()

    reply = await prober.ask(probe(await serve(handle), timeout_ms=30), WEB)
    leave.set()
    assert reply == unwell("no answer within 0.03 s")


async def test_nobody_there_is_unwell(prober: HttpProber) -> None:
    """A refused connection is an answer about the machine."""
    assert await prober.ask(probe(f"http://127.0.0.1:{unused_port()}"), WEB) == unwell("connection refused")


@pytest.mark.parametrize(
    ("said", "evidence"),
    [(b"", "hung up without an answer"), (b"SSH-2.0-OpenSSH_9.6\r\n\r\n", "not HTTP")],
)
async def test_who_speaks_no_http_is_unwell(prober: HttpProber, said: bytes, evidence: str) -> None:
    """Neither silence nor another protocol's greeting is an answer."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(said)
        writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    reply = await prober.ask(probe(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"), WEB)
    server.close()
    await server.wait_closed()
    assert (reply.well, reply.asked, reply.evidence[: len(evidence)]) == (False, True, evidence)


async def test_a_certificate_that_nobody_vouches_for_is_unwell(
    prober: HttpProber, certificate: ssl.SSLContext
) -> None:
    """A probe by https checks whom it speaks to."""
    app = web.Application()
    server = TestServer(app, host="127.0.0.1", scheme="https")
    await server.start_server(ssl=certificate)
    try:
        reply = await prober.ask(probe(f"https://127.0.0.1:{server.port}"), WEB)
    finally:
        await server.close()
    assert (reply.well, reply.asked) == (False, True)
    assert reply.evidence.startswith("TLS: ")
    assert "self-signed" in reply.evidence


# Questions


async def test_the_url_names_the_machine(serve: Serve, prober: HttpProber) -> None:
    """Placeholders are filled before the question is put."""
    asked: list[str] = []

    async def handle(request: web.Request) -> web.Response:
        asked.append(request.path_qs)
        return web.Response()

    port = (await serve(handle)).rsplit(":", 1)[1]
    reply = await prober.ask(probe("http://{private_ip}:" + port + "{tag:Path}?n={name}"), WEB)
    assert reply.well
    assert asked == ["/a/b?n=vm-web-1"]


async def test_a_tag_cannot_lead_a_probe_elsewhere(serve: Serve, prober: HttpProber) -> None:
    """Whoever may tag a machine doesn't choose whom we ask: an `@` in a value is a letter of it."""
    asked: list[str] = []

    async def handle(request: web.Request) -> web.Response:
        asked.append(request.raw_path)
        return web.Response()

    at = await serve(handle)
    assert (await prober.ask(probe(at + "/{tag:evil}"), WEB)).well
    assert asked == ["/@example.com/%3Fx=%23y"]
    reply = await prober.ask(probe(at + "{tag:evil}"), WEB)
    assert (reply.well, reply.asked) == (False, False)


@pytest.mark.parametrize(
    ("word", "spelled"),
    [("::1", "[::1]"), ("10.0.0.4", "10.0.0.4"), ("a:b", "a%3Ab"), ("Größe 2", "Gr%C3%B6%C3%9Fe%202")],
)
def test_words_are_written_as_a_url_needs_them(word: str, spelled: str) -> None:
    """An IPv6 address in brackets, everything else escaped."""
    assert _in_url(word) == spelled


@pytest.mark.parametrize(
    ("url", "evidence"),
    [
        ("http://{tag:none}/", "{tag:none} has no value for this machine"),
        ("ftp://127.0.0.1/", "the url begins with neither http:// nor https://"),
        ("{tag:path}", "the url begins with neither http:// nor https://"),
        ("http://no-such-host.invalid/", "no-such-host.invalid has no address"),
        ("http://:80/", "not a url: http://:80/"),
        ("http://127.0.0.1:99999/", "not a url: http://127.0.0.1:99999/"),
    ],
)
async def test_a_question_that_cannot_be_put_is_told_apart(
    prober: HttpProber, monkeypatch: pytest.MonkeyPatch, url: str, evidence: str
) -> None:
    """It says nothing of the machine; a rollout takes many of these for a mistake in the policy."""

    async def resolve(*_args: object, **_named: object) -> list[object]:
        raise OSError(-2, "Name or service not known")

    monkeypatch.setattr(aiohttp.ThreadedResolver, "resolve", resolve)
    assert await prober.ask(probe(url), WEB) == unasked(evidence)


async def test_running_out_of_files_is_no_fault_of_the_machine(
    prober: HttpProber, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What this process lacks is not held against whom it would have asked."""

    def no_more(*_args: object, **_named: object) -> object:
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr("socket.socket", no_more)
    reply = await prober.ask(probe("http://127.0.0.1:1/"), WEB)
    monkeypatch.undo()
    assert reply == unasked("this process can't ask: too many open files")


async def test_waiting_for_a_turn_is_no_time_out(serve: Serve) -> None:
    """With one at a time, the last of many is asked as fairly as the first."""
    prober = HttpProber(at_once=1)
    under_way = most = 0

    async def handle(_request: web.Request) -> web.Response:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(0)
        under_way -= 1
        return web.Response()

    at = await serve(handle)
    replies = await asyncio.gather(*(prober.ask(probe(at), WEB) for _ in range(20)))
    await prober.close()
    assert [reply.well for reply in replies] == [True] * 20
    assert most == 1


async def test_each_try_takes_a_connection_of_its_own(serve: Serve, prober: HttpProber) -> None:
    """A machine that only keeps old connections alive isn't well."""
    peers: list[object] = []

    async def handle(request: web.Request) -> web.Response:
        assert request.transport is not None
        peers.append(request.transport.get_extra_info("peername"))
        return web.Response()

    at = await serve(handle)
    for _ in range(3):
        await prober.ask(probe(at), WEB)
    assert len(set(peers)) == 3


async def test_closing_may_be_repeated() -> None:
    """Whether or not anything was ever asked."""
    prober = HttpProber()
    await prober.close()
    await prober.ask(probe(f"http://127.0.0.1:{unused_port()}"), WEB)
    await prober.close()
    await prober.close()
