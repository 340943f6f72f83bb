"""One exchange with the emulator's world, in this process and in whatever time its clock keeps: no sockets, no threads."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from math import inf

from orchestrator.clock import Clock
from orchestrator.emulator.arm import Response, answer
from orchestrator.emulator.call import Request
from orchestrator.emulator.state import Delivery
from orchestrator.emulator.world import PUBLIC, World

PAGE_SIZE = 1000


class Cut(Exception):
    """The connection was cut before an answer came. Whether the request was taken, the caller can't know."""


class Passing(StrEnum):
    """How far a request has come."""

    LEAVES = "leaves"  # nothing was sent yet
    TAKEN = "taken"  # the cloud has it, and nobody knows
    ANSWERED = "answered"  # the answer is here, and nothing was made of it yet


Watch = Callable[[Passing, Request], None]
"""Is told of each request how far it has come, so that a process can be made to die just there."""


def unwatched(passing: Passing, request: Request) -> None:
    """Nobody looks."""


async def exchange(
    world: World,
    clock: Clock,
    method: str,
    url: str,
    headers: Mapping[str, str],
    body: bytes = b"",
    watch: Watch = unwatched,
    patience_s: float = inf,
) -> Response:
    """Send one request to `url` (or a path), and return when its answer arrives. Others always get a turn meanwhile.

    The world takes the request at once, whatever becomes of its answer and of the caller's patience, which is in the clock's seconds.

    Raises:
        Cut: No answer arrives.
        TimeoutError: None has come when patience is over.
    """
    place, _, query = url.partition("?")
    base, path = ("", place) if place.startswith("/") else _divided(place)
    lower = {name.lower(): value for name, value in headers.items()}
    request = Request(method, path, query, lower, body, base or PUBLIC)
    watch(Passing.LEAVES, request)
    response = answer(world, request, clock.now(), page_size=PAGE_SIZE)
    watch(Passing.TAKEN, request)
    if response.delay_s > patience_s:
        await clock.sleep(patience_s)
        raise TimeoutError
    await clock.sleep(response.delay_s)
    watch(Passing.ANSWERED, request)
    if response.delivery is not Delivery.DELIVERED:
        raise Cut
    return response


def _divided(place: str) -> tuple[str, str]:
    """Scheme with host, and path."""
    scheme, _, rest = place.partition("://")
    host, slash, path = rest.partition("/")
    return f"{scheme}://{host}", slash + path
