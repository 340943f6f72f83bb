"""What a drawing of a plan shows, row by row."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from orchestrator.inventory.model import Power
from orchestrator.planner.durations import Duration, Durations, class_of
from orchestrator.planner.forecast import forecast
from orchestrator.planner.model import Lane, Plan
from orchestrator.planner.summary import summarize
from orchestrator.policy.model import Restart
from orchestrator.reports.gantt_rows import MOST_ROWS, Band, Chart, Row, chart_of
from orchestrator.reports.topology_colours import looks_by_state
from tests.builders import lane, plan_of, stage
from tests.fleet import vm
from tests.unit.planner.company import planned

STAGES = [stage("canary", bake=timedelta(hours=4)), stage("pilot"), stage("broad", approve=True)]
PLAN = plan_of(
    lane("canary-1", "a", stage="canary"),
    lane("broad-1", "b", "c d"),
    lane("broad-2", "e", after=["broad-1"]),
    lane("broad-3", "f g"),
    stages=STAGES,
)


def rows(chart: Chart) -> list[Row]:
    """All rows, from top to bottom."""
    return [row for band in chart.bands for group in band.groups for row in group.rows]


def spans(chart: Chart) -> dict[str, list[tuple[float, float, int]]]:
    """Begin, end and machines of each bar, by the row's name."""
    return {
        row.name or row.what: [(bar.begin, bar.end, bar.machines) for bar in row.bars] for row in rows(chart)
    }


def test_lanes_begin_when_those_that_they_wait_for_are_done() -> None:
    """And a stage when the one before it is; a stage that takes nobody isn't drawn."""
    chart = chart_of(PLAN)

    assert spans(chart) == {
        "canary-1": [(0, 1, 1)],
        "broad-1": [(1, 2, 1), (2, 3, 2)],
        "broad-3": [(1, 2, 2)],
        "broad-2": [(3, 4, 1)],
    }
    assert [(band.name, band.begin, band.end) for band in chart.bands] == [("canary", 0, 1), ("broad", 1, 4)]
    assert (chart.end, chart.start, chart.folded) == (4, None, 0)


def test_a_stage_says_what_it_comes_to() -> None:
    """Machines, lanes, waves, and what comes then."""
    assert [band.told for band in chart_of(PLAN).bands] == [
        "1 machine in 1 lane; 1 wave one after another; then bakes 4h",
        "6 machines in 3 lanes; 3 waves one after another; then waits for approval",
    ]


def test_what_makes_a_stage_long_is_linked() -> None:
    """From the lane that ends last to what it waits for."""
    assert [row.name for row in rows(chart_of(PLAN)) if row.links] == ["canary-1", "broad-1", "broad-2"]


def test_a_bar_names_its_machines() -> None:
    """With its lane, and what that waits for; of many, the first."""
    chart = chart_of(plan_of(lane("l", " ".join(f"m{n:02}" for n in range(14))), lane("k", "z", after=["l"])))

    first, last = (row.bars[0].told for row in rows(chart))
    assert first.startswith("l, wave 1 of 1: 14 machines\nl\nm00, m01")
    assert first.endswith("m11 and 2 more")
    assert last == "k, wave 1 of 1: 1 machine\nk\nafter l\nz"


def test_a_forecast_counts_in_hours_and_shows_the_bake() -> None:
    """Every wave as long as it is expected to be, and the stage's bake after it."""
    plan = plan_of(
        lane("canary-1", "a", stage="canary"),
        lane("broad-1", "b", "c"),
        stages=STAGES,
        change=Restart(),
    )
    change = timedelta(hours=1) - plan.health[0].min_healthy_time
    hour = Duration(change, change, 20)
    known = Durations({class_of(plan.change, plan.machines[0].kind, plan.machines[0].os): hour})
    begins = datetime(2026, 12, 11, 20, tzinfo=UTC)
    chart = chart_of(plan, forecast(plan, known, begins))

    assert spans(chart) == {"canary-1": [(0, 1, 1)], "broad-1": [(5, 6, 1), (6, 7, 1)]}
    assert [(band.end, band.baked) for band in chart.bands] == [(1, 5), (7, 7)]
    assert (chart.start, chart.end) == (begins, 7)


def test_looks_divide_a_bar() -> None:
    """In the order of the legend; machines that nobody knows are passed over."""
    looks = looks_by_state([vm("f", power=Power.DEALLOCATED), vm("g"), vm("a")])
    bars = {row.name: row.bars[0] for row in rows(chart_of(PLAN, looks=looks))}

    assert [(look.means, count) for look, count in bars["broad-3"].looks] == [("runs", 1), ("off", 1)]
    assert bars["broad-1"].looks == ()


def many(lanes: int, *, parts: int = 3) -> Plan:
    """A plan of so many lanes in a few places; every tenth takes three waves."""
    return plan_of(
        *(
            lane_in(
                f"lane-{n:03}",
                f"region {n % parts}",
                *[f"m{n}w{wave}" for wave in range(3 if n % 10 == 0 else 1)],
            )
            for n in range(lanes)
        )
    )


def lane_in(name: str, place: str, *waves: str) -> Lane:
    """A lane that stands somewhere."""
    return replace(lane(name, *waves), what=f"{place} / {name}")


def test_many_lanes_are_folded_by_their_place() -> None:
    """The longest keep a row of their own; the others of each place are one row, with all their machines."""
    plan = many(500)
    chart = chart_of(plan)
    found = rows(chart)

    assert len(found) <= MOST_ROWS
    assert [group.where for group in chart.bands[0].groups] == ["region 0", "region 1", "region 2"]
    folded = [row for row in found if not row.name]
    assert len(folded) == 3
    assert all("more lanes" in row.what for row in folded)
    assert chart.folded == 500 - (len(found) - 3)
    assert sum(len(row.bars) == 3 for row in found if row.name) == 50


def test_every_machine_is_in_a_bar() -> None:
    """Folded or not, and nobody twice."""
    for plan in (many(20), many(500), planned(300)[0]):
        bars = [bar for row in rows(chart_of(plan)) for bar in row.bars]
        assert sum(bar.machines for bar in bars) == summarize(plan).machines


def test_a_folded_row_is_as_tall_as_many_go() -> None:
    """The most of them fill it."""
    (row,) = [row for row in rows(chart_of(many(30, parts=1), most_rows=2)) if not row.name]

    assert row.bars[0].tall == 1
    assert [(bar.begin, bar.machines) for bar in row.bars] == [(0, 29), (1, 2), (2, 2)]
    assert row.bars[1].tall == pytest.approx(2 / 29)
    assert row.bars[1].told == "2 machines in 2 lanes"


def test_a_folded_row_of_a_forecast_has_steps_that_can_be_told_apart() -> None:
    """However many waves begin and end at other moments."""
    plan, _ = planned(1000)
    begins = datetime(2026, 12, 11, 20, tzinfo=UTC)
    chart = chart_of(plan, forecast(plan, Durations(), begins), most_rows=8)
    folded = [row for row in rows(chart) if not row.name]

    assert folded != []
    assert all(len(row.bars) <= 240 for row in folded)
    assert all(one.end <= other.begin + 1e-9 for row in folded for one, other in pairwise(row.bars))
    assert all(0 <= bar.begin < bar.end <= chart.end + 1e-9 for row in rows(chart) for bar in row.bars)


@pytest.mark.parametrize("size", [60, 300, 2000])
def test_a_company_fits_onto_a_page(size: int) -> None:
    """Whatever its size; those that make a stage long are there by name."""
    plan, _ = planned(size)
    chart = chart_of(plan)

    assert len(rows(chart)) <= MOST_ROWS + 1
    assert all(_longest(band) == band.end for band in chart.bands)


def _longest(band: Band) -> float:
    return max(row.end for group in band.groups for row in group.rows if row.links)
