"""Never: a drawing of a plan in which words touch, a lane begins before those that it waits for, or a machine is missing."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.planner.model import Plan
from orchestrator.planner.summary import summarize
from orchestrator.reports.gantt_layout import WIDTH, Words, lay_out
from orchestrator.reports.gantt_rows import chart_of
from tests.properties.test_plan_diff import plans


def _wide(text: str, size: float, bold: bool) -> float:
    return len(text) * size * (0.7 if bold else 0.6)


@settings(deadline=None)
@given(plans(), st.integers(2, 12))
def test_every_machine_is_in_a_bar_and_no_lane_is_early(plan: Plan, most_rows: int) -> None:
    """Whatever waits for what, and however few rows there are."""
    chart = chart_of(plan, most_rows=most_rows)
    rows = [row for band in chart.bands for group in band.groups for row in group.rows]
    shown = {row.name: row for row in rows if row.name}

    assert sum(bar.machines for row in rows for bar in row.bars) == summarize(plan).machines
    assert chart.end == summarize(plan).longest
    for lane in plan.lanes:
        if lane.id in shown:
            before = [shown[other].end for other in lane.after if other in shown]
            assert shown[lane.id].begin >= max(before, default=0)
            assert [bar.machines for bar in shown[lane.id].bars] == [len(w.machines) for w in lane.waves]


@settings(deadline=None)
@given(plans(), st.integers(2, 12))
def test_no_words_touch(plan: Plan, most_rows: int) -> None:
    """Nor leave the page."""
    drawing = lay_out(chart_of(plan, most_rows=most_rows), plan.name, ("a fact",), _wide)
    found = []
    for mark in drawing.marks:
        if isinstance(mark, Words) and mark.text:
            width = _wide(mark.text, mark.size, mark.bold)
            left = mark.x - {"start": 0.0, "middle": width / 2, "end": width}[mark.anchor]
            found.append((left, left + width, mark.y - mark.size / 2, mark.y + mark.size / 2))

    assert all(left >= 0 and right <= WIDTH and bottom <= drawing.height for left, right, _, bottom in found)
    for place, (left, right, top, bottom) in enumerate(found):
        for other in found[place + 1 :]:
            apart = other[0] >= right - 1e-6 or other[1] <= left + 1e-6
            assert apart or other[2] >= bottom - 1e-6 or other[3] <= top + 1e-6
