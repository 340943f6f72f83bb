"""Sockets: a pool of a rollout's size, through which URLs leave as they are."""

from __future__ import annotations

from typing import Any, Protocol, Self

import aiohttp
from yarl import URL

POOL = 256  # what is asked at once beyond this waits for a connection
KEEPALIVE_S = (
    15.0  # shorter than ARM's front door keeps one open: a start shouldn't meet a connection that just closed
)
CONNECT_TIMEOUT_S = 10.0


class Session(Protocol):
    """As much of `aiohttp.ClientSession` as the SDK's transport uses. What it raises are aiohttp's exceptions."""

    auto_decompress: bool

    async def request(self, method: str, url: str, **options: Any) -> Any:
        """Send one request; the answer (an `aiohttp.ClientResponse`, or the like) has its body still to be read."""
        ...

    async def close(self) -> None:
        """Give back connections."""
        ...

    async def __aenter__(self) -> Self: ...


class VerbatimSession:
    """aiohttp's session, sending each URL to the byte.

    Given a text, aiohttp spells the URL anew (`%2f` becomes `/`, `%7E` becomes `~`). The URLs of operations are signed,
    and must come back as they were. Connections are opened with the first request, in the loop that it runs in. aiohttp
    itself sends a GET once more when its connection turns out to be cut; a POST never.
    """

    auto_decompress = True  # tells the transport that bodies arrive unpacked

    def __init__(self, *, through_proxy: bool) -> None:
        self._through_proxy = through_proxy
        self._session: aiohttp.ClientSession | None = None

    async def request(self, method: str, url: str, **options: Any) -> aiohttp.ClientResponse:
        """Send one request; the answer's body is still to be read."""
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=POOL, keepalive_timeout=KEEPALIVE_S),
                cookie_jar=aiohttp.DummyCookieJar(),
                trust_env=self._through_proxy,
            )
        return await self._session.request(method, URL(url, encoded=True), **options)

    async def close(self) -> None:
        """Close all connections."""
        if self._session is not None:
            await self._session.close()

    async def __aenter__(self) -> Self:
        return self
