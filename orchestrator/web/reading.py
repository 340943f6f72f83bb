"""Reading a request by its route: parameters, body, key. Every mistake at once, with its place and what to write instead."""

from __future__ import annotations

import asyncio
import gzip
import zlib
from io import BytesIO
from typing import Any, Final

from aiohttp import web
from pydantic import ValidationError

from orchestrator.web.models import Flaw
from orchestrator.web.problems import Declined
from orchestrator.web.routes import Route

KEY: Final = "Idempotency-Key"
BODY_WITHIN_S: Final = 60.0
"""Real seconds that a body may take: 64 MiB over a slow line."""

GZIP: Final = "application/gzip"
LONGEST_KEY: Final = 200


def query_of(route: Route, request: web.Request) -> Any:
    """The parameters, as the route's type. Raises `Declined`."""
    given = request.query
    known = () if route.query is None else tuple(route.query.__dataclass_fields__)
    instead = f"known are: {', '.join(known)}" if known else "leave it away"
    flaws = [Flaw(f"?{name}", "there is no such parameter", instead) for name in given if name not in known]
    flaws += [
        Flaw(f"?{name}", "it is said more than once", "say it once")
        for name in known
        if len(given.getall(name, ())) > 1
    ]
    if flaws:
        raise Declined("bad-request", "The parameters can't be understood.", flaws=flaws)
    if route.queries is None:
        return None
    try:
        return route.queries.validate_python(dict(given))
    except ValidationError as error:
        raise Declined(
            "bad-request", "The parameters can't be understood.", flaws=_flaws(error, "?")
        ) from None


async def body_of(route: Route, request: web.Request) -> Any:
    """The body, as the route's type. Raises `Declined`."""
    if route.takes:
        return await _as_it_is(route, request)
    if route.bodies is None:
        return None
    if request.content_type != "application/json":
        raise Declined("media-type", "send the body with Content-Type: application/json")
    try:
        return route.bodies.validate_json(await _whole(request))
    except ValidationError as error:
        raise Declined("invalid", "The body isn't valid.", flaws=_flaws(error, "")) from None


async def _whole(request: web.Request) -> bytes:
    """All of the body. Whoever sends it a byte now and then holds a connection for so long, and no longer."""
    try:
        async with asyncio.timeout(BODY_WITHIN_S):
            return await request.read()
    except TimeoutError:
        raise Declined(
            "bad-request", f"the body didn't come within {BODY_WITHIN_S:g} s; send it in one go"
        ) from None


async def _as_it_is(route: Route, request: web.Request) -> bytes:
    if request.content_type not in route.takes:
        raise Declined("media-type", f"send the body as one of: {', '.join(route.takes)}")
    body = await _whole(request)
    if request.content_type != GZIP:
        return body
    return await asyncio.to_thread(_unpacked, body, request.client_max_size)


def _unpacked(body: bytes, most: int) -> bytes:
    """No more than a body may have: a few bytes of gzip can stand for any number."""
    try:
        with gzip.open(BytesIO(body)) as file:
            data = file.read(most + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise Declined("invalid", f"the body is no gzip: {error}") from None
    if len(data) > most:
        raise Declined("too-large", f"the body unpacks to more than {most >> 20} MiB")
    return data


def key_of(route: Route, request: web.Request) -> str:
    """The Idempotency-Key of what changes something. Raises `Declined`."""
    if not route.keyed:
        return ""
    key = request.headers.get(KEY, "")
    if not key or len(key) > LONGEST_KEY or not key.isascii() or not key.isprintable():
        what = "is missing" if not key else "can't be taken"
        instead = f"send 1 to {LONGEST_KEY} visible characters, new for each thing that you want: a UUID does"
        raise Declined("bad-request", "What changes something needs a key.", flaws=[Flaw(KEY, what, instead)])
    return key


def _flaws(error: ValidationError, before: str) -> list[Flaw]:
    return [
        Flaw(before + ".".join(map(str, one["loc"])), one["msg"])
        for one in error.errors(include_url=False, include_input=False, include_context=False)
    ]
