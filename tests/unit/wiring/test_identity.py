"""Who this machine is signed in as, for services that aren't Azure's own."""

from __future__ import annotations

from typing import Any, Self

import pytest
from azure.core.credentials import AccessToken

from orchestrator.cloud.arm import credentials
from orchestrator.wiring.identity import identity


class Signed:
    """An identity that gives what it is asked for."""

    closed = 0

    async def get_token(self, *scopes: str, **_: Any) -> AccessToken:
        """A token that names its scopes."""
        return AccessToken(" ".join(scopes), 0)

    async def close(self) -> None:
        """Count it."""
        Signed.closed += 1

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


@pytest.mark.parametrize(
    ("audience", "scope"),
    [
        ("api://wavekeeper", "api://wavekeeper/.default"),
        ("api://wavekeeper/.default", "api://wavekeeper/.default"),
        ("00000000-0000-0000-0000-000000000001", "00000000-0000-0000-0000-000000000001/.default"),
    ],
)
async def test_a_token_is_for_the_audience(
    audience: str, scope: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In Entra ID's own words, and the credential is given back."""
    monkeypatch.setattr(credentials, "ToldCredential", Signed)
    before = Signed.closed
    async with identity(audience) as fetch:
        assert await fetch() == scope
    assert Signed.closed == before + 1
