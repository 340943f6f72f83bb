"""Who asks: what the server needs of whoever can tell, and how the gate tells it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

from aiohttp import web

from orchestrator.access.gate import Gate
from orchestrator.access.model import Person
from orchestrator.access.settings import ANYBODY

Recognise = Callable[[web.Request], Awaitable[Person]]
"""Who asks. Raises `Unrecognised` or `Declined` where nobody can tell."""

SESSION: Final = "__Host-wavekeeper"
"""The session's cookie. By its prefix, browsers take it over HTTPS alone (or loopback), for this very host and all of its paths."""


def recognising(gate: Gate) -> Recognise:
    """By the bearer token of a request, else by its session."""

    async def recognise(request: web.Request) -> Person:
        return await gate.recognise(request.headers.get("Authorization"), request.cookies.get(SESSION, ""))

    return recognise


async def everybody(_: web.Request) -> Person:
    """Everybody is `ANYBODY`."""
    return ANYBODY
