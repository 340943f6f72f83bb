"""Listening: an application behind a socket, from when the daemon is ready until it leaves."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from aiohttp import web

from orchestrator.errors import UsageError
from orchestrator.web.settings import Settings
from orchestrator.web.tls import Certificate

SHUTDOWN_S: Final = 2.0
"""Real seconds that requests under way get when the daemon leaves."""


@asynccontextmanager
async def listening(app: web.Application, settings: Settings) -> AsyncIterator[str]:
    """Where it listens, as a URL. Raises `UsageError` if the port can't be had, or the certificate can't be used."""
    certificate = Certificate(settings.tls) if settings.tls is not None else None
    watching = asyncio.create_task(certificate.watch()) if certificate is not None else None
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=SHUTDOWN_S)
    await runner.setup()
    context = certificate.context if certificate is not None else None
    try:
        try:
            await web.TCPSite(runner, settings.host, settings.port, ssl_context=context).start()
        except OSError as error:
            why = error.strerror or error
            raise UsageError(
                f"{settings.host}:{settings.port} can't be listened on ({why}); say another in `web: {{listen: ...}}`"
            ) from None
        port = runner.addresses[0][1]
        host = f"[{settings.host}]" if ":" in settings.host else settings.host
        yield f"{'http' if certificate is None else 'https'}://{host}:{port}"
    finally:
        if watching is not None:
            watching.cancel()
        await runner.cleanup()
