"""A session whose answers a test writes: one entry for each request, in order."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any, Self

from multidict import CIMultiDict


class ScriptedAnswer:
    """As much of `aiohttp.ClientResponse` as the SDK reads. A body that is an exception is raised by reading it."""

    def __init__(self, status: int, body: object = None, **headers: str) -> None:
        self.status = status
        self.reason = ""
        self.headers = CIMultiDict({name.replace("_", "-"): value for name, value in headers.items()})
        self._body = body

    async def read(self) -> bytes:
        """The whole body."""
        if isinstance(self._body, Exception):
            raise self._body
        if isinstance(self._body, bytes):
            return self._body
        return b"" if self._body is None else json.dumps(self._body).encode()

    def close(self) -> None:
        """Nothing to close."""


Step = ScriptedAnswer | Exception | Callable[[], Awaitable[ScriptedAnswer]]


class ScriptedSession:
    """Answers with the script and keeps what was sent as `(method, url, headers, body)`."""

    auto_decompress = True

    def __init__(self, *script: Step) -> None:
        self.script = list(script)
        self.sent: list[tuple[str, str, dict[str, str], Any]] = []
        self.closed = False

    async def request(self, method: str, url: str, **options: Any) -> ScriptedAnswer:
        """The next answer of the script."""
        self.sent.append((method, url, dict(options["headers"]), options.get("data")))
        step = self.script.pop(0)
        if isinstance(step, Exception):
            raise step
        return step if isinstance(step, ScriptedAnswer) else await step()

    async def close(self) -> None:
        """Remember it."""
        self.closed = True

    async def __aenter__(self) -> Self:
        return self
