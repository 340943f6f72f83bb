"""Who this machine is signed in as, for services that aren't Azure's own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager


@asynccontextmanager
async def identity(audience: str) -> AsyncIterator[Callable[[], Awaitable[str]]]:
    """What gives a token for an Entra ID audience, by azure-identity's default chain. It raises `AccessDenied` where nobody is signed in."""
    from orchestrator.cloud.arm.credentials import ToldCredential  # the SDK takes a second to import

    scope = audience if audience.endswith("/.default") else f"{audience.rstrip('/')}/.default"
    async with ToldCredential() as credential:

        async def fetch() -> str:
            token: str = (await credential.get_token(scope)).token
            return token

        yield fetch
