"""Who asks: what the server needs of whoever can tell."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

from aiohttp import web

from orchestrator.access.model import Grant, Person, Role

Recognise = Callable[[web.Request], Awaitable[Person]]
"""Who asks. Raises `Declined` where nobody can tell."""

ANYBODY: Final = Person("local", (Grant(Role.ADMIN),), "local")
"""Whoever reaches a loopback address of this machine."""


async def everybody(_: web.Request) -> Person:
    """Everybody is `ANYBODY`."""
    return ANYBODY
