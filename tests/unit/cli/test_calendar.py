"""`wavekeeper calendar`: what a daemon opens next, and why what is due isn't opened yet."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from orchestrator.cli.place import Place
from orchestrator.web.models import Coming
from tests.unit.cli.conftest import Typed

NOON = datetime(2026, 11, 29, 12, tzinfo=UTC)
SERVER = ("--server", "http://127.0.0.1:1")


@dataclass
class Keeper:
    """A daemon that has nothing but a calendar."""

    coming: tuple[Coming, ...]

    async def calendar(self) -> tuple[Coming, ...]:
        """It."""
        return self.coming


def keeps(monkeypatch: pytest.MonkeyPatch, *coming: Coming) -> None:
    """Every place has that daemon."""
    monkeypatch.setattr(Place, "daemon", lambda _: nullcontext(Keeper(coming)))


def test_what_comes_is_told(wavekeeper: Typed, monkeypatch: pytest.MonkeyPatch) -> None:
    """When, whether it acts, and what is to be said of a moment that has come."""
    week = NOON + timedelta(days=7)
    keeps(
        monkeypatch,
        Coming("monthly", act=True, next=week, due=NOON, waits="monthly-1 has its machines"),
        Coming("weekly", act=True, next=week, due=NOON),
        Coming("daily", act=False, next=NOON, missed=NOON - timedelta(days=9)),
        Coming("emergency", act=True, next=None),
    )
    rows = [line.split("  ") for line in wavekeeper("calendar", *SERVER).out.splitlines()]
    told = [[cell.strip() for cell in row if cell.strip()] for row in rows[1:]]
    assert told == [
        [
            "monthly",
            "acts",
            "2026-12-06 12:00 UTC",
            "due since 2026-11-29 12:00 UTC, and waits: monthly-1 has its machines",
        ],
        ["weekly", "acts", "2026-12-06 12:00 UTC", "due since 2026-11-29 12:00 UTC, and about to begin"],
        [
            "daily",
            "only observes",
            "2026-11-29 12:00 UTC",
            "missed 2026-11-20 12:00 UTC: too long ago to be caught up",
        ],
        ["emergency", "acts", "when a person asks", "-"],
    ]
    (first, *_) = wavekeeper("calendar", *SERVER, "--json").json()["campaigns"]
    assert (first["campaign"], first["due"]) == ("monthly", "2026-11-29T12:00:00+00:00")


def test_nothing_comes(wavekeeper: Typed, monkeypatch: pytest.MonkeyPatch) -> None:
    """And why that may be."""
    keeps(monkeypatch)
    assert "no commit counts yet" in wavekeeper("calendar", *SERVER).out
