"""A history as Markdown."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from orchestrator.reports.history_markdown import markdown
from orchestrator.reports.history_model import APPROXIMATE, Broke, Finding, History

NOON = datetime(2026, 11, 14, 12, tzinfo=UTC)


def history(*findings: Finding, notes: tuple[str, ...] = ()) -> History:
    """Two runs."""
    return History(
        NOON - timedelta(days=30),
        NOON,
        2,
        2,
        3,
        {"schedule a|b": 2},
        {"yes": 2},
        {"Succeeded": 2},
        findings,
        {},
        notes,
    )


def test_it_says_what_was_broken_and_that_it_is_approximate() -> None:
    """A row a finding; what would break a table is escaped."""
    finding = Finding(
        Broke.BUDGET, "at most 1 of 3 in a|b", "shop.yaml:5", NOON, NOON + timedelta(days=1), ("a", "b"), ("schedule a|b",),
        sure=False, peak=2, limit=1,
    )  # fmt: skip
    page = markdown(history(finding, notes=("one note",)))
    assert page.startswith(
        "# Patching from 2026-10-15 to 2026-11-14, held to the rules\n\n**Rules were broken 1 times.**\n"
    )
    assert APPROXIMATE in page
    assert (
        "| 2026-11-14 12:00 to 2026-11-15 12:00 | at most 1 of 3 in a\\|b (`shop.yaml:5`) "
        "| 2 may have been out at once where 1 may be: a, b (not sure) | schedule a\\|b |\n"
    ) in page
    assert page.endswith("\n- one note\n")


def test_nothing_broken() -> None:
    """It says so."""
    assert "**No rule was broken.**" in markdown(history())
