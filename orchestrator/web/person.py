"""Who asks: what the server needs of whoever can tell, and how the gate tells it."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable
from typing import Final

import structlog
from aiohttp import web

from orchestrator.access.gate import Gate
from orchestrator.access.model import Person
from orchestrator.access.settings import ANYBODY
from orchestrator.errors import Unrecognised

log = structlog.get_logger("wavekeeper.web")

Recognise = Callable[[web.Request], Awaitable[Person]]
"""Who asks. Raises `Unrecognised` or `Declined` where nobody can tell."""

SESSION: Final = "__Host-wavekeeper"
"""The session's cookie. By its prefix, browsers take it over HTTPS alone (or loopback), for this very host and all of its paths."""

TELL_EVERY_S: Final = 1.0
"""Between two lines of the log about tokens that were refused: whoever tries thousands fills no disk with it."""


def recognising(gate: Gate) -> Recognise:
    """By the bearer token of a request, else by its session."""
    told_s = -math.inf

    async def recognise(request: web.Request) -> Person:
        sent = request.headers.get("Authorization")
        try:
            return await gate.recognise(sent, request.cookies.get(SESSION, ""))
        except Unrecognised as error:
            nonlocal told_s
            if sent is not None and gate.seconds() - told_s >= TELL_EVERY_S:
                told_s = gate.seconds()
                log.warning("a token was refused", why=str(error), peer=request.remote)
            raise

    return recognise


async def everybody(_: web.Request) -> Person:
    """Everybody is `ANYBODY`."""
    return ANYBODY
