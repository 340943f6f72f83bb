"""Before the API does anything: who asks, and whether they ask too often."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable
from typing import Final

from aiohttp import web

from orchestrator.access.model import Person
from orchestrator.errors import Unrecognised
from orchestrator.web.person import Recognise
from orchestrator.web.problems import Declined
from orchestrator.web.rates import Rates
from orchestrator.web.routes import PREFIX

PERSON: Final = web.RequestKey("person", Person)

STRANGERS_PER_S: Final = 1.0
"""How often somebody whom nobody knows may try again, from one address, after the first hundred."""

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def add_knowing(app: web.Application, recognise: Recognise, requests_per_minute: int) -> None:
    """Ask of each request to the API who it is. Whoever asks too often is told when to come again."""
    people, strangers = Rates(requests_per_minute / 60), Rates(STRANGERS_PER_S)

    @web.middleware
    async def know(request: web.Request, handler: Handler) -> web.StreamResponse:
        if not request.path.startswith(PREFIX):
            return await handler(request)
        now, address = asyncio.get_running_loop().time(), request.remote or ""
        try:
            person = await recognise(request)
        except (Declined, Unrecognised):
            # Not before: whoever is known gets in, however many others try from behind the same proxy.
            _refuse_to_hurry(strangers.take(address, now))
            raise
        _refuse_to_hurry(people.take(person.id, now))
        request[PERSON] = person
        return await handler(request)

    app.middlewares.append(know)


def _refuse_to_hurry(wait_s: float) -> None:
    if wait_s > 0:
        seconds = str(max(1, math.ceil(wait_s)))
        raise Declined(
            "too-many", f"that is too often; ask again in {seconds} s", headers={"Retry-After": seconds}
        )
