"""What will keep people out, told before they stand outside."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from orchestrator.access.doubts import doubts, endings
from orchestrator.access.gate import Gate
from orchestrator.access.settings import Access, TokenEntry
from tests.fakes.issuer import FakeIssuer
from tests.unit.access.conftest import NOON, VIEWS


@pytest.mark.parametrize(
    ("days", "told"),
    [
        (15, ()),
        (14, ("the token ci expires on 2026-12-15; make another in time: wavekeeper token new ci",)),
        (0, ("the token ci expired on 2026-12-01; take it out, or make another: wavekeeper token new ci",)),
    ],
)
async def test_a_token_that_ends_is_told_of_in_time(days: int, told: tuple[str, ...]) -> None:
    """Two weeks before, and from then on."""
    access = Access(tokens=(TokenEntry("ci", b"", NOON + timedelta(days=days), VIEWS),))
    assert endings(access, NOON) == told == await doubts(access, NOON)


async def test_an_issuer_that_is_as_it_should_be_raises_no_doubt(gate: Gate) -> None:
    """It was asked for everything that will be needed."""
    assert await doubts(gate.access, NOON) == ()


async def test_an_issuer_that_is_not_is_told_of(gate: Gate, issuer: FakeIssuer) -> None:
    """With what is wrong, and what it means."""
    issuer.keys = []
    assert await doubts(gate.access, NOON) == (
        f"the issuer {issuer.url} has no key that can check a signature; nobody whom it knows gets in until this is mended",
    )
    issuer.keys, issuer.discovery = FakeIssuer(NOON).keys, {"token_endpoint": ""}
    (told,) = await doubts(gate.access, NOON)
    assert "doesn't say where people sign in" in told
    assert await doubts(replace(gate.access, url=""), NOON) == ()
    issuer.down = True
    (told,) = await doubts(gate.access, NOON)
    assert "answered 503" in told
