"""One exchange with the emulator's world, in this process and in whatever time its clock keeps: no sockets, no threads."""

from __future__ import annotations

from collections.abc import Mapping

from orchestrator.clock import Clock
from orchestrator.emulator.arm import Request, Response, answer
from orchestrator.emulator.state import Delivery
from orchestrator.emulator.world import PUBLIC, World

PAGE_SIZE = 1000


class Cut(Exception):
    """The connection was cut before an answer came. Whether the request was taken, the caller can't know."""


async def exchange(
    world: World, clock: Clock, method: str, url: str, headers: Mapping[str, str], body: bytes = b""
) -> Response:
    """Send one request to `url` (or a path), and return when its answer arrives. Others always get a turn meanwhile.

    The world takes the request at once, whatever becomes of its answer and of the caller's patience.

    Raises:
        Cut: No answer arrives.
    """
    place, _, query = url.partition("?")
    base, path = ("", place) if place.startswith("/") else _divided(place)
    lower = {name.lower(): value for name, value in headers.items()}
    response = answer(
        world, Request(method, path, query, lower, body, base or PUBLIC), clock.now(), page_size=PAGE_SIZE
    )
    await clock.sleep(response.delay_s)
    if response.delivery is not Delivery.DELIVERED:
        raise Cut
    return response


def _divided(place: str) -> tuple[str, str]:
    """Scheme with host, and path."""
    scheme, _, rest = place.partition("://")
    host, slash, path = rest.partition("/")
    return f"{scheme}://{host}", slash + path
