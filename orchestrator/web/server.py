"""Listening: an application behind a socket, from when the daemon is ready until it leaves."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from aiohttp import web

from orchestrator.errors import UsageError
from orchestrator.web.settings import Settings

SHUTDOWN_S: Final = 2.0
"""Real seconds that requests under way get when the daemon leaves."""


@asynccontextmanager
async def listening(app: web.Application, settings: Settings) -> AsyncIterator[str]:
    """Where it listens, as a URL. Raises `UsageError` if the port can't be had."""
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=SHUTDOWN_S)
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, settings.host, settings.port).start()
        except OSError as error:
            why = error.strerror or error
            raise UsageError(
                f"{settings.host}:{settings.port} can't be listened on ({why}); say another in `web: {{listen: ...}}`"
            ) from None
        port = runner.addresses[0][1]
        host = f"[{settings.host}]" if ":" in settings.host else settings.host
        yield f"http://{host}:{port}"
    finally:
        await runner.cleanup()
