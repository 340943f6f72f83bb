"""The report as a page: what it holds, and that nothing it is given can break it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser

import pytest

from orchestrator.reports.page import page
from orchestrator.reports.page_model import (
    Act,
    BudgetUse,
    Chart,
    Check,
    Figure,
    LaneRow,
    LeftOutRow,
    Line,
    Offer,
    Report,
    Spared,
    StageBand,
    TurnRow,
    UpdateRow,
    WaveBox,
)

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
NASTY = "<script>alert('&\"')</script><!--the picture-->"
VOID = {"meta", "br", "img", "link", "hr", "input"}


def after(minutes: float) -> datetime:
    """So long after noon."""
    return NOON + timedelta(minutes=minutes)


def chart(text: str = "web-01") -> Chart:
    """One lane of one wave of two machines, of which one broke."""
    lines = (
        Line(text, after(0), after(1), after(10), after(15), "done", text, ((after(5), after(6)),)),
        Line("web-02", after(0), after(1), after(9), after(20), "unhealthy", text),
    )
    return Chart(
        begin=NOON,
        end=after(60),
        stages=(StageBand(text, after(0), after(30), after(20)), StageBand("broad", after(30), after(60))),
        lanes=(LaneRow(text, "canary", (WaveBox(text, after(0), after(20), lines, gate_passed=False),)),),
        out=((after(5), 1), (after(6), 0)),
        stopped=after(20),
    )


def act(text: str = "web-01") -> Act:
    """A rollout in which everything that can be said is said."""
    return Act(
        title=text,
        headline=text,
        good=True,
        figures=(Figure("12", text, text),),
        chart=chart(text),
        checks=(Check(text, False, text, (text,), (text,)),),
        cause=text,
        evidence=(text, text),
        spared=Spared(text, (text,), ("web-07",), ("web-08", "web-09")),
        offers=(Offer(text, text),),
        budgets=(BudgetUse(text, text, 10, 2, 1, cap=True),),
        left_out=(LeftOutRow(text, text),),
        turns=(TurnRow(NOON, text, text),),
        updates=(UpdateRow(text, 3, 1, 0, (text,)),),
        advice=(text,),
    )


def report(text: str = "web-01", **parts: object) -> Report:
    """A page of one rollout."""
    made = Report(
        title=text,
        summary=text,
        good=True,
        verdict=text,
        acts=(act(text),),
        picture='<?xml version="1.0"?><svg><circle r="1"/></svg>',
        picture_caption=text,
        footer=(text,),
    )
    return replace(made, **parts)  # type: ignore[arg-type]  # its own fields


class Reader(HTMLParser):
    """Text, elements, and whether every element that is opened is closed in turn."""

    def __init__(self) -> None:
        super().__init__()
        self.text: list[str] = []
        self.tags: list[str] = []
        self.addresses: list[str] = []
        self._open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep it, and where it leads."""
        self.tags.append(tag)
        self.addresses += [value or "" for name, value in attrs if name in {"src", "href", "srcset", "data"}]
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """It must be the one that was opened last."""
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        """Keep it."""
        self.text.append(data)


def read(html: str) -> Reader:
    """A page, read to its end."""
    reader = Reader()
    reader.feed(html)
    reader.close()
    assert reader._open == []
    return reader


def test_whatever_text_holds_is_text() -> None:
    """Markup in any name, reason or sentence is shown, never obeyed; it draws no second picture either."""
    seen = read(page(report(NASTY)))
    assert "script" not in seen.tags
    assert seen.tags.count("circle") == read(page(report())).tags.count("circle")
    assert sum(NASTY in text for text in seen.text) == sum(
        "web-01" in text for text in read(page(report())).text
    )


def test_the_page_stands_alone() -> None:
    """No address of anything, no script: it can be mailed and read without a network."""
    html = page(report())
    seen = read(html)
    assert seen.addresses == []
    assert "script" not in seen.tags
    assert "@import" not in html
    assert "http://" not in html
    assert "https://" not in html


@pytest.mark.parametrize(
    "said",
    [
        "Why it stopped",
        "2 of 4 machines that web-01 were never touched",
        "1 of 2",
        "and how near they came",
        "Not changed, and why",
        "What may be done now",
        "Who did what",
        "rules were broken",
        "stopped",
        "1 at most",
        "2026-11-22 12:00",
        "12",
    ],
)
def test_everything_that_is_known_is_said(said: str) -> None:
    """Each part of an act has its place."""
    assert said in "".join(read(page(report())).text)


def test_parts_that_are_empty_are_not_shown() -> None:
    """A rollout that went well tells of no stop."""
    empty = Act("A title", "A headline", True, (), Chart(NOON, after(1), (), ()), ())
    text = "".join(read(page(report(acts=(empty,), picture=""))).text)
    for said in (
        "Why it stopped",
        "What it spared",
        "Budgets",
        "Not changed",
        "Lanes over time",
        "Where everything",
    ):
        assert said not in text


def test_the_picture_is_shown_as_it_is_without_its_prolog() -> None:
    """An SVG inside HTML has no XML declaration."""
    html = page(report())
    assert '<svg><circle r="1"/></svg>' in html
    assert "<?xml" not in html


def test_long_tables_unfold() -> None:
    """The first rows are read, the rest is there for whoever looks for it."""
    rows = tuple(LeftOutRow(f"web-{n:02}", "it is off") for n in range(20))
    seen = read(page(report(acts=(replace(act(), left_out=rows),))))
    assert "8 more" in seen.text
    assert "web-19" in seen.text


def test_equal_reports_are_equal_pages() -> None:
    """The same values, the same bytes."""
    assert page(report()) == page(report())


def test_a_machine_under_way_has_a_line_too() -> None:
    """Neither begun nor changed is no reason to be left out of the picture."""
    line = Line("web-03", after(0), None, None, after(5), "")
    lane = LaneRow("a lane", "canary", (WaveBox("a wave", after(0), after(5), (line,)),))
    text = read(page(report(acts=(replace(act(), chart=Chart(NOON, after(5), (), (lane,))),)))).text
    assert "web-03: under way" in text


def test_a_chart_of_many_lanes_says_what_it_leaves_away() -> None:
    """A page that no browser could scroll helps nobody."""
    wave = WaveBox("a wave", after(0), after(5), ())
    lanes = tuple(LaneRow(f"lane {n}", "broad", (wave,)) for n in range(300))
    text = read(page(report(acts=(replace(act(), chart=Chart(NOON, after(5), (), lanes)),)))).text
    assert "and 80 more lanes" in text


@pytest.mark.parametrize("minutes", [0, 1, 45, 600, 5000, 200_000])
def test_hours_are_marked_at_any_length(minutes: int) -> None:
    """Never more than a dozen marks or so, and always the first."""
    drawn = Chart(NOON, after(minutes), (), chart().lanes)
    text = read(page(report(acts=(replace(act(), chart=drawn),)))).text
    assert "0 min" in text
