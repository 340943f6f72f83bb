"""Holds by tag: until when they last, and what becomes of those that can't be read."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from orchestrator.inventory.model import Os
from orchestrator.policy.holds import why_held
from tests.fleet import vm

BEFORE = datetime(2026, 11, 29, tzinfo=UTC)
WRITE = "; write a date and a reason, or take it off"


def held(
    value: str, now: datetime | None = BEFORE, name: str = "wavekeeper-hold", zone: str = ""
) -> str | None:
    """Why a machine with this tag is left alone."""
    facts = {"os": Os.WINDOWS, "time_zone": zone} if zone else {}
    return why_held(vm("a", tags={"app": "shop", name: value}, **facts), now)


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("2026-12-01 disk is replaced", "it is on hold until 2026-12-01: disk is replaced (tag wavekeeper-hold)"),
        ("2026-12-01: disk, twice", "it is on hold until 2026-12-01: disk, twice (tag wavekeeper-hold)"),
        (" 2026-12-01\n", "it is on hold until 2026-12-01 (tag wavekeeper-hold)"),
        ("2026-12-01 -", "it is on hold until 2026-12-01 (tag wavekeeper-hold)"),
        ("2026-11-28 over", None),
        ("until spring", "it is on hold: its tag wavekeeper-hold says `until spring`, which begins with no date" + WRITE),
        ("2026-12-011 x", "it is on hold: its tag wavekeeper-hold says `2026-12-011 x`, which begins with no date" + WRITE),
        ("2026-02-30 x", "it is on hold: its tag wavekeeper-hold says `2026-02-30 x`, which begins with no date" + WRITE),
        ("0026-12-01 x", "it is on hold: its tag wavekeeper-hold says `0026-12-01 x`, which begins with no date" + WRITE),
        ("1.12.2026", "it is on hold: its tag wavekeeper-hold says `1.12.2026`, which begins with no date" + WRITE),
        (" ", "it is on hold: its tag wavekeeper-hold says nothing" + WRITE),
    ],
)  # fmt: skip
def test_a_date_and_a_reason(value: str, told: str | None) -> None:
    """One that is past is over; one that can't be read holds, and says so."""
    assert held(value) == told


def test_the_names_of_tags_dont_mind_case() -> None:
    """As everywhere in Azure."""
    assert held("2026-12-01", name="Wavekeeper-Hold") is not None
    assert held("2026-12-01", name="wavekeeper-held") is None


@pytest.mark.parametrize(
    ("zone", "last", "first"),
    [
        ("", "2026-12-01T11:59:59", "2026-12-01T12:00:00"),
        ("W. Europe Standard Time", "2026-11-30T22:59:59", "2026-11-30T23:00:00"),
        ("New Zealand Standard Time", "2026-11-30T10:59:59", "2026-11-30T11:00:00"),
        ("nobody knows it", "2026-12-01T11:59:59", "2026-12-01T12:00:00"),
    ],
)
def test_it_lasts_until_its_day_begins(zone: str, last: str, first: str) -> None:
    """By the machine's own clocks; where they aren't known, until the day has begun everywhere."""
    assert held("2026-12-01", datetime.fromisoformat(last).replace(tzinfo=UTC), zone=zone) is not None
    assert held("2026-12-01", datetime.fromisoformat(first).replace(tzinfo=UTC), zone=zone) is None


def test_at_a_time_that_nobody_knows_it_holds() -> None:
    """A list of machines without its date doesn't show that a hold is over."""
    assert held("2001-12-01 old", now=None) == (
        "it is on hold until 2001-12-01: old (tag wavekeeper-hold), and the inventory doesn't say when it was taken"
    )
