"""What lets a command in: a token, from where nobody else reads it.

It is never an argument of the command line, which everybody's list of processes shows, and never sent where somebody on the way could
read it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

from orchestrator.client.address import Address
from orchestrator.errors import ServerError, UsageError

Fetch = Callable[[], Awaitable[str]]
"""Gives a token that holds now, kept and renewed by whoever gives it."""


@dataclass(frozen=True, slots=True)
class Credential:
    """Where a token comes from: asked for each request, since it may be a new one by then. `what` names it, and not the token."""

    what: str
    fetch: Fetch | None = field(default=None, repr=False)

    async def header(self, address: Address) -> dict[str, str]:
        """What is sent with a request. Raises `UsageError` rather than to send a token in clear over a network."""
        if self.fetch is None:
            return {}
        if not address.private:
            raise UsageError(
                f"{address} is plain http to another machine: {self.what} isn't sent there, where others could read it; use https"
            )
        token = (await self.fetch()).strip()
        if not token:
            raise ServerError(f"{self.what} is empty")
        if not token.isascii() or not token.isprintable() or " " in token:
            raise ServerError(f"{self.what} is no token: it has characters that none has")
        return {"Authorization": f"Bearer {token}"}


NOBODY = Credential("no token")
"""Without a token: what a daemon lets anybody see, if it does."""


def from_environment(token: str) -> Credential:
    """The token that stands in the environment."""

    async def fetch() -> str:
        return token

    return Credential("the token of WAVEKEEPER_TOKEN", fetch)


def from_file(path: Path) -> Credential:
    """The token of a file, which may be written anew while a command runs."""

    async def fetch() -> str:
        try:
            return await asyncio.to_thread(path.read_text, encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            why = error.strerror if isinstance(error, OSError) else "it is no text"
            raise UsageError(f"--token-file {path} can't be read: {why}") from None

    return Credential(f"the token of {path}", fetch)


def from_identity(audience: str, fetch: Fetch) -> Credential:
    """A token for an audience, for whoever this machine is signed in as."""
    return Credential(f"this machine's Azure identity, for {audience},", fetch)
