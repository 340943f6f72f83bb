"""Where everything of a plan's drawing goes."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from orchestrator.planner.durations import Durations
from orchestrator.planner.forecast import forecast
from orchestrator.planner.model import Plan
from orchestrator.reports.gantt_layout import SHADES, WIDTH, Box, Drawing, Line, Words, lay_out, shade_of
from orchestrator.reports.gantt_rows import chart_of
from orchestrator.reports.topology_colours import looks_by_state
from tests.builders import lane, plan_of, stage
from tests.fleet import vm
from tests.unit.planner.company import planned


def wide(text: str, size: float, bold: bool) -> float:
    """A font in which every letter is as wide as the next."""
    return len(text) * size * (0.7 if bold else 0.6)


def drawn(plan: Plan, *, hours: bool = False) -> Drawing:
    """A plan's drawing."""
    begins = datetime(2026, 12, 11, 20, 13, tzinfo=UTC)
    chart = chart_of(plan, forecast(plan, Durations(), begins) if hours else None)
    return lay_out(chart, "A plan", ("a fact",), wide)


def texts(drawing: Drawing) -> list[str]:
    """Everything that is written."""
    return [mark.text for mark in drawing.marks if isinstance(mark, Words)]


def extent(mark: Words) -> tuple[float, float, float, float]:
    """Left, right, top, bottom of a text."""
    width = wide(mark.text, mark.size, mark.bold)
    left = mark.x - {"start": 0.0, "middle": width / 2, "end": width}[mark.anchor]
    return (left, left + width, mark.y - mark.size / 2, mark.y + mark.size / 2)


PLANS = [
    plan_of(lane("l", "a")),
    plan_of(*(lane(f"l{n}", f"m{n}", stage=f"stage {n}") for n in range(30))),
    plan_of(*(lane(f"l{n}", f"m{n}", stage=f"s{n}") for n in range(300))),
    plan_of(lane("l", *(f"m{n}" for n in range(400))), lane("k", "z", after=["l"])),
    planned(60)[0],
    planned(300)[0],
    planned(2000, pairs=2)[0],
]


@pytest.mark.parametrize("hours", [False, True])
@pytest.mark.parametrize("plan", PLANS, ids=range(len(PLANS)))
def test_no_words_touch_each_other(plan: Plan, hours: bool) -> None:
    """Wherever lanes begin, and however many waves and stages there are; and all are on the page."""
    drawing = drawn(plan, hours=hours)
    found = sorted(extent(mark) for mark in drawing.marks if isinstance(mark, Words) and mark.text)

    assert all(
        left >= 0 and right <= WIDTH and top >= 0 and bottom <= drawing.height
        for left, right, top, bottom in found
    )
    for place, (_, right, top, bottom) in enumerate(found):
        for other in found[place + 1 :]:
            if other[0] >= right - 1e-6:
                break
            assert other[2] >= bottom - 1e-6 or other[3] <= top + 1e-6


@pytest.mark.parametrize("plan", PLANS, ids=range(len(PLANS)))
def test_everything_is_on_the_page(plan: Plan) -> None:
    """Boxes and lines too."""
    drawing = drawn(plan)
    for mark in drawing.marks:
        if isinstance(mark, Box):
            assert mark.x >= 0
            assert mark.x + mark.width <= WIDTH + 1e-6
            assert mark.y >= 0
            assert mark.y + mark.height <= drawing.height
            assert min(mark.width, mark.height) > 0
        if isinstance(mark, Line):
            assert all(0 <= x <= WIDTH and 0 <= y <= drawing.height for x, y in mark.points)


def test_a_lane_s_name_ends_where_its_first_bar_begins() -> None:
    """So it's found beside it, and is cut only if it's longer than the page has room there."""
    long = "a name that goes on and on " * 20
    drawing = drawn(plan_of(lane("first", "a"), lane(long, "b", after=["first"])))
    bars = [mark for mark in drawing.marks if isinstance(mark, Box) and mark.told]
    names = [mark for mark in drawing.marks if isinstance(mark, Words) and mark.anchor == "end"]

    ends = {name.x for name in names}
    assert all(bar.x - 6 in ends for bar in bars)
    assert all(extent(name)[0] >= 0 for name in names)
    assert any(name.text.startswith("a name") and name.text.endswith("…") for name in names)


def test_waves_are_counted_in_each_stage_anew() -> None:
    """On the axis, as often as there is room."""
    plan = plan_of(
        lane("c", "a", stage="canary"),
        lane("b", *(f"m{n}" for n in range(100))),
        stages=[stage("canary"), stage("broad")],
    )
    axis = [mark for mark in drawn(plan).marks if isinstance(mark, Words) and mark.anchor == "middle"]
    words = [mark.text for mark in sorted(axis, key=lambda mark: mark.x) if mark.y == min(m.y for m in axis)]

    assert words[:1] == ["1"]
    assert words[-3:] == ["80", "90", "100"] or words[-1] == "100"


def test_hours_are_told_as_moments() -> None:
    """Round ones, whatever the start is."""
    axis = [text for text in texts(drawn(planned(60)[0], hours=True)) if "Dec" in text]

    assert len(axis) >= 3
    assert all(text.endswith(":00") for text in axis)


def test_the_legend_holds_what_occurs() -> None:
    """Numbers of machines, or the looks that divide the bars; and what the line means."""
    plan = plan_of(lane("l", "a", " ".join(f"b{n}" for n in range(12))))

    told = texts(drawn(plan))
    assert "1 machine" in told
    assert "10 to 29" in told
    assert "2 to 4" not in told
    assert any("chain of lanes" in text for text in told)
    looks = looks_by_state([vm("a")])
    assert "runs" in texts(lay_out(chart_of(plan, looks=looks), "", (), wide))


@pytest.mark.parametrize(
    ("machines", "place"), [(0, 0), (1, 0), (2, 1), (4, 1), (5, 2), (299, 5), (300, 6), (10**6, 6)]
)
def test_more_machines_are_darker(machines: int, place: int) -> None:
    """In a few steps that can be told apart."""
    assert shade_of(machines) == SHADES[place][1]
