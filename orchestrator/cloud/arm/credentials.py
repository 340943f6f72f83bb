"""Who we are to Azure. Errors of getting a token are told apart here from errors of using one."""

from __future__ import annotations

from typing import Any, Self

from azure.core.credentials import AccessToken
from azure.core.credentials_async import AsyncTokenCredential
from azure.core.exceptions import AzureError

from orchestrator.cloud.arm.errors import no_token


class ToldCredential:
    """Another credential whose errors are ours; azure-identity's default chain if none is given.

    The SDK's pipeline would mix them up with errors of the request. But a token that couldn't be had means that nothing
    was sent. The default chain (environment, managed identity, `az login`) is made when it is first asked.
    """

    def __init__(self, inner: AsyncTokenCredential | None = None) -> None:
        self._inner = inner

    async def get_token(self, *scopes: str, **options: Any) -> AccessToken:
        """A token for these scopes.

        Raises:
            AccessDenied: Nobody is signed in, or the sign-in was refused.
            CloudTransient: The sign-in service couldn't be reached.
        """
        if self._inner is None:
            from azure.identity.aio import DefaultAzureCredential

            self._inner = DefaultAzureCredential()
        try:
            return await self._inner.get_token(*scopes, **options)
        except (AzureError, ValueError) as error:  # ValueError: an environment variable that makes no sense
            raise no_token(error) from error

    async def close(self) -> None:
        """Give back its connections."""
        if self._inner is not None:
            await self._inner.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.close()
