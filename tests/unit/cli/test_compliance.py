"""`wavekeeper compliance`."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from orchestrator.inventory import native
from orchestrator.inventory.model import Os
from tests.fleet import inventory, vm
from tests.unit.cli.conftest import Typed
from tests.unit.service.test_compliance import AFTER, LACKS, NOW, OCTOBER, state, update


@pytest.fixture
def assessed(tmp_path: Path) -> str:
    """A machine that is current, one that is exposed, one that is late."""
    fleet = inventory(
        vm("ok", patches=state(AFTER), os=Os.WINDOWS, os_version="10.0.26100.33500"),
        vm("exposed", patches=LACKS),
        vm("late", patches=state(AFTER, 1, update(published=OCTOBER))),
    )
    (tmp_path / "fleet.json").write_bytes(native.dump(replace(fleet, taken_at=NOW)))
    return "fleet.json"


def test_it_names_who_misses_the_deadline(wavekeeper: Typed, assessed: str) -> None:
    """As a table, the most urgent first; the exit code says that somebody does."""
    ran = wavekeeper("compliance", "-i", assessed)
    assert ran.code == 7
    assert ran.out.startswith(
        "3 machines at 2026-11-29 00:00 UTC; newest updates: 2026-11, out since 2026-11-10\n"
    )
    assert "  late     overdue  2026-10-13     2026-11-12      1  -      waiting: no rollout" in ran.out
    assert ran.out.index("  late ") < ran.out.index("  exposed  exposed")
    assert wavekeeper("compliance", "-i", assessed, "--deadline", "8w").code == 0


def test_it_is_written_in_every_form(wavekeeper: Typed, assessed: str) -> None:
    """HTML, CSV, and JSON that is what --json prints."""
    for name in ("c.html", "c.csv", "c.json"):
        wavekeeper("compliance", "-i", assessed, "-o", name)
    assert Path("c.html").read_text().startswith("<!DOCTYPE html>")
    assert Path("c.csv").read_text().count("\n") == 4
    printed = wavekeeper("compliance", "-i", assessed, "--json")
    assert printed.out.encode() == Path("c.json").read_bytes()
    counts = printed.json()["counts"]
    assert counts == {"current": 1, "exposed": 1, "overdue": 1, "unknown": 0}
    assert datetime.fromisoformat(printed.json()["released"]) == datetime(2026, 11, 10, 18, tzinfo=UTC)


def test_wrong_use(wavekeeper: Typed, assessed: str) -> None:
    """A file of no known form, a journal that isn't there."""
    assert (
        "name a file that ends in .html, .csv or .json"
        in wavekeeper("compliance", "-i", assessed, "-o", "c.pdf").err
    )
    assert wavekeeper("compliance", "-i", assessed, "--journal", "none.db").code == 1
