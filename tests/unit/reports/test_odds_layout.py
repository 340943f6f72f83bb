"""The picture of what may come of a plan."""

from __future__ import annotations

import pytest

from orchestrator.reports.odds_layout import WIDTH, Area, lay_out
from orchestrator.reports.odds_model import Fan, OddsReport, Side, StageStops


def bars(*runs: int, of: int = 100) -> list[float]:
    """How wide the bars are of stages in which so many runs stopped."""
    fan = Fan((0.0, 1.0), (0, 8), (0, 9), (0, 10))
    stops = tuple(StageStops(f"stage {number}", many) for number, many in enumerate(runs))
    report = OddsReport("Plan monthly", (), (Side("new", 10, of, fan, stops, 24.0),), (), ())
    drawn = lay_out(report, lambda text, size, _bold: len(text) * size / 2, titled=True)
    areas = [mark for mark in drawn.marks if isinstance(mark, Area) and mark.role == "stop"]
    return [max(x for x, _ in area.points) - min(x for x, _ in area.points) for area in areas]


def test_bars_are_as_wide_as_their_shares() -> None:
    """The widest fills the picture."""
    narrow, wide = bars(30, 60)
    assert wide == pytest.approx(2 * narrow)
    assert WIDTH / 2 < wide < WIDTH


def test_a_few_runs_that_stopped_do_not_look_like_all_of_them() -> None:
    """Five of a hundred are a fifth of what a quarter of them would be, also where no other stage has more."""
    (few,), (many,) = bars(5), bars(25)
    assert few == pytest.approx(many / 5)
