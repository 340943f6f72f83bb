"""A daemon's API as the client meets it, answering what a test says; and a clock that sleeps without waiting."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson
from aiohttp import web
from aiohttp.test_utils import TestServer

from orchestrator.client.address import read_address
from orchestrator.client.connection import Connection, connected
from orchestrator.client.credentials import NOBODY, Credential

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class NoTime:
    """A clock whose sleeps pass at once."""

    at: datetime = datetime(2026, 11, 29, 12, tzinfo=UTC)
    scale: float = 1.0
    slept: list[float] = field(default_factory=list)

    def now(self) -> datetime:
        """By what was slept."""
        return self.at

    async def sleep(self, seconds: float) -> None:
        """Be later."""
        self.slept.append(seconds)
        self.at += timedelta(seconds=seconds)


@dataclass
class Asked:
    """One request that came."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes


@dataclass
class FakeDaemon:
    """Answers one after the other; the last one for ever."""

    answers: list[web.Response | Exception] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)
    url: str = ""

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """The next answer; for an exception the line is cut."""
        body = await request.read()
        self.asked.append(
            Asked(request.method, request.path, dict(request.query), dict(request.headers), body)
        )
        answer = self.answers[0] if len(self.answers) == 1 else self.answers.pop(0)
        if isinstance(answer, Exception):
            assert request.transport is not None
            request.transport.abort()
            return web.Response()
        return web.Response(status=answer.status, headers=answer.headers, body=answer.body)


def said(value: object, status: int = 200, **headers: str) -> web.Response:
    """A good answer."""
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    return web.Response(
        status=status, body=orjson.dumps(value), content_type="application/json", headers=named
    )


def problem(name: str, status: int, detail: str, *flaws: dict[str, str], **headers: str) -> web.Response:
    """An answer that says why not."""
    told = {
        "type": f"urn:wavekeeper:problem:{name}",
        "title": name,
        "status": status,
        "detail": detail,
        "problems": flaws,
    }
    named = {key.replace("_", "-"): text for key, text in headers.items()}
    return web.Response(
        status=status, body=orjson.dumps(told), content_type="application/problem+json", headers=named
    )


@asynccontextmanager
async def fake_daemon(*answers: web.Response | Exception) -> AsyncIterator[FakeDaemon]:
    """Listening on loopback."""
    made = FakeDaemon(list(answers))
    async with serving(made.handle) as url:
        made.url = url
        yield made


@asynccontextmanager
async def serving(handler: Handler, tls: ssl.SSLContext | None = None) -> AsyncIterator[str]:
    """Whatever answers every path: its URL."""
    app = web.Application()

    async def handle(request: web.Request) -> web.StreamResponse:
        return await handler(request)

    app.router.add_route("*", "/{anything:.*}", handle)
    server = TestServer(app)
    await server.start_server(ssl=tls)
    try:
        yield str(server.make_url("")).rstrip("/")
    finally:
        await server.close()


@dataclass
class Met:
    """A connection, and what it told meanwhile."""

    connection: Connection
    clock: NoTime
    told: list[str]


@asynccontextmanager
async def meeting(url: str, credential: Credential = NOBODY, ca: Path | None = None) -> AsyncIterator[Met]:
    """A connection to there, in no time."""
    clock, told = NoTime(), list[str]()
    address = read_address(url)
    async with connected(address, credential, clock, agent="test", ca=ca, tell=told.append) as connection:
        yield Met(connection, clock, told)
