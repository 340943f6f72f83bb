"""An issuer, clocks and a gate that believes that issuer."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from orchestrator.access.gate import Gate
from orchestrator.access.model import Grant, Reach, Role
from orchestrator.access.settings import Access, Issuer, Rule
from tests.fakes.issuer import FakeIssuer, Hands

NOON = datetime(2026, 12, 1, 12, tzinfo=UTC)
OPERATES = Grant(Role.OPERATOR, Reach(campaigns=("shop-*",)))
VIEWS = Grant(Role.VIEWER)
PAGE = "https://waves.example"


@pytest.fixture
def hands() -> Hands:
    """Noon."""
    return Hands(NOON)


@pytest.fixture
async def issuer() -> AsyncIterator[FakeIssuer]:
    """On loopback."""
    made = FakeIssuer(NOON)
    await made.start()
    yield made
    await made.stop()


@pytest.fixture
async def gate(issuer: FakeIssuer, hands: Hands) -> AsyncIterator[Gate]:
    """Believes the issuer; operators are in `ops`, viewers in `dev`."""
    access = Access(
        issuer=Issuer(issuer.url, "wavekeeper", ("wavekeeper", "api://wavekeeper")),
        rules=(Rule((("groups", ("ops",)),), OPERATES), Rule((("groups", ("ops", "dev")),), VIEWS)),
        url=PAGE,
    )
    made = Gate(replace(access), hands, hands.seconds)
    yield made
    await made.close()
