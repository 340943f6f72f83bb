"""The SDK over the emulator's world without a socket: its codec, headers and errors, in virtual time.

A session for the SDK's own aiohttp transport. What goes wrong on the way is raised as aiohttp would raise it, so that
everything above is what runs on the wire.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import aiohttp
from multidict import CIMultiDict

from orchestrator.clock import Clock
from orchestrator.cloud.emulated import Cut, Watch, exchange, unwatched
from orchestrator.emulator.arm import Response
from orchestrator.emulator.world import World


class EmulatedSession:
    """A `Session` whose other end is a world in this process."""

    auto_decompress = True

    def __init__(self, world: World, clock: Clock, watch: Watch = unwatched) -> None:
        self._world = world
        self._clock = clock
        self._watch = watch

    async def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        data: bytes | str | None = None,
        **_options: Any,
    ) -> EmulatedResponse:
        """Send one request."""
        body = data.encode() if isinstance(data, str) else data or b""
        try:
            return EmulatedResponse(
                await exchange(self._world, self._clock, method, url, headers, body, self._watch)
            )
        except Cut:
            raise aiohttp.ServerDisconnectedError from None

    async def close(self) -> None:
        """Nothing is held."""

    async def __aenter__(self) -> Self:
        return self


class EmulatedResponse:
    """As much of `aiohttp.ClientResponse` as the SDK's transport uses."""

    def __init__(self, response: Response) -> None:
        self.status = response.status
        self.headers = CIMultiDict(response.headers)
        self.reason = ""
        self._body = response.body

    async def read(self) -> bytes:
        """The whole body."""
        return self._body

    def close(self) -> None:
        """Nothing is held."""
