"""Compliance as a page and as CSV."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser

from orchestrator.reports.compliance_model import Compliance, MonthOf, Standing, State, Why
from orchestrator.reports.compliance_page import as_csv, page

AT = datetime(2026, 11, 29, tzinfo=UTC)


def told() -> Compliance:
    """One machine past the deadline, whose words are anybody's; one current."""
    late = Standing(
        "/subscriptions/s/late", "late", "s", "rg", "westeurope", "azure_vm", "windows", "10.0.26100.1",
        State.OVERDUE, 2, AT - timedelta(days=40), estimated=True, deadline=AT - timedelta(days=10),
        why=Why.FAILED, reason='=cmd|" /C calc"!A0 <script>',
    )  # fmt: skip
    current = Standing(
        "/subscriptions/s/ok", "ok", "s", "rg", "westeurope", "azure_vm", "linux", "", State.CURRENT, 0
    )
    month = MonthOf("2026-11", 1, 4, 3, 2, 1, 0, 4.0, 9.5)
    return Compliance(
        AT, "2026-11", AT - timedelta(days=19), timedelta(days=30), (late, current), (month,), ("a note",)
    )


class Text(HTMLParser):
    """The words of a page, and the elements in it."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.tags: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: object) -> None:
        """An element."""
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        """Text."""
        self.words.append(data)


def test_the_page_tells_it_and_runs_nothing() -> None:
    """Counts, who isn't current with its reason, months; what others wrote is text."""
    read = Text(page(told()))
    said = " | ".join(read.words)
    assert "script" not in read.tags
    assert "1 past the deadline" in said
    assert 'failed: =cmd|" /C calc"!A0 <script>' in said
    assert "2026-10-20 (deduced) | 2026-11-19 | 2 | 10.0.26100.1" in said
    assert "2026-11 | 4 | 3 | 50% | 4 d | 9.5 d | 1 | 0" in said
    assert "ok (rg, westeurope)" not in said


def test_csv_has_a_row_a_machine_and_no_formula() -> None:
    """Every fact, machines that are current too; nothing that a spreadsheet would carry out."""
    rows = list(csv.DictReader(io.StringIO(as_csv(told()))))
    assert [row["name"] for row in rows] == ["late", "ok"]
    assert rows[0]["exposed_since"] == "2026-10-20T00:00:00+00:00"
    assert (rows[0]["reason"], rows[0]["exposed_since_is_estimated"]) == (
        '\'=cmd|" /C calc"!A0 <script>',
        "yes",
    )
    assert rows[1]["exposed_since"] == ""
