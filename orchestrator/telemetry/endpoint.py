"""A listener of its own for whoever operates the service: `/metrics`, `/healthz`, `/readyz`. Plain HTTP, and nobody is asked who they are.

So it listens where the configuration says and nowhere else. What it tells is counts, names of campaigns and webhooks, and reasons: no
machine, no secret. It stays up when the page, its certificate or its sign-in is what is broken.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from aiohttp import web

from orchestrator.errors import UsageError
from orchestrator.telemetry.metrics import CONTENT_TYPE, Metrics

HEADERS: Final = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
UNAVAILABLE: Final = 503

Reasons = Callable[[], Sequence[str]]
"""What is wrong now, a sentence each; empty: nothing."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where to listen."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@asynccontextmanager
async def listening(at: Address, metrics: Metrics, alive: Reasons, ready: Reasons) -> AsyncIterator[int]:
    """Serve until the block ends; its port. Raises `UsageError` if nothing can listen there."""
    runner = web.AppRunner(_application(metrics, alive, ready), access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    try:
        site = web.TCPSite(runner, at.host, at.port)
        try:
            await site.start()
        except OSError as error:
            why = (error.strerror or str(error)).lower()
            raise UsageError(
                f"metrics can't be served at {at}: {why}; write another address in `metrics`"
            ) from None
        yield int(runner.addresses[0][1])
    finally:
        await runner.cleanup()


def _application(metrics: Metrics, alive: Reasons, ready: Reasons) -> web.Application:
    async def told(_: web.Request) -> web.Response:
        return web.Response(body=metrics.text(), headers={**HEADERS, "Content-Type": CONTENT_TYPE})

    async def healthz(_: web.Request) -> web.Response:
        return _answer(alive(), "alive")

    async def readyz(_: web.Request) -> web.Response:
        return _answer(ready(), "ready")

    application = web.Application()
    application.router.add_get("/metrics", told)
    application.router.add_get("/healthz", healthz)
    application.router.add_get("/readyz", readyz)
    return application


def _answer(wrong: Sequence[str], well: str) -> web.Response:
    """200 with one word, or 503 with each reason on a line."""
    return web.Response(
        text="".join(f"{line}\n" for line in wrong or (well,)),
        status=UNAVAILABLE if wrong else 200,
        headers=HEADERS,
    )
