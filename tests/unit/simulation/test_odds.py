"""From runs to odds."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from orchestrator.planner.plan import plan
from orchestrator.policy.load import load_one
from orchestrator.simulation.odds import curve_of, horizon, likely, odds_of, quantile
from orchestrator.simulation.one_run import Ending, Run, Why, budgets_of
from orchestrator.topology.graph import build
from orchestrator.wiring.files import floor
from tests.fleet import inventory, vm

PLAN = plan(
    build(
        inventory(
            *(vm(f"web-{n}", tags={"app": "shop"}) for n in range(1, 5)),
            taken_at=datetime(2026, 1, 5, tzinfo=UTC),
        )
    ),
    [
        load_one(
            "a.yaml",
            "version: 1\nname: a\nselect: {tags: {app: shop}}\nchange: {patches: {}}\nrules: [{max_unavailable: 1}]\n",
        ),
    ],
    floor(),
)
HOUR = timedelta(hours=1)


def run(seed: int, ending: Ending = Ending.FINISHED, hours: float = 1, **more: object) -> Run:
    """One that came to an end after so many hours."""
    lows = (3,) * len(budgets_of(PLAN))
    return Run(seed, ending, hours * HOUR, **{"lows": lows, **more})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("share", "expected"), [(0.0, 1.0), (0.05, 1.0), (0.5, 10.0), (0.51, 11.0), (0.95, 19.0), (1.0, 20.0)]
)
def test_a_quantile_is_a_value_that_was_seen(share: float, expected: float) -> None:
    """The smallest that so many don't exceed."""
    assert quantile([float(n) for n in range(20, 0, -1)], share) == expected


def test_of_nothing_there_is_no_quantile() -> None:
    """It isn't nought."""
    with pytest.raises(ValueError, match="nothing"):
        quantile([], 0.5)


def test_what_is_likely_is_wilsons_interval() -> None:
    """Figures of the literature: 10 of 100, and none of 200."""
    assert [round(x, 4) for x in likely(10, 100)] == [0.0552, 0.1744]
    assert [round(x, 4) for x in likely(0, 200)] == [0.0, 0.0188]


def test_ends_are_of_runs_that_finished_and_stops_are_by_stage_and_reason() -> None:
    """Those that stopped say nothing of how long it takes."""
    runs = [
        *(run(n, hours=n, done=(1.0, 2.0, 3.0, 4.0)) for n in range(1, 20)),
        run(20, hours=2000, done=(1.0, 2.0, 3.0)),
        run(21, Ending.STOPPED, 0.5, stage="canary", why=Why.UNHEALTHY, begun=1, unhealthy=1),
        run(22, Ending.STOPPED, 9, stage="broad", why=Why.NOT_CHANGED, begun=4),
        run(23, Ending.STOPPED, 8, stage="broad", why=Why.NOT_CHANGED, begun=2),
        run(24, Ending.WAITING, 3000),
    ]
    odds = odds_of(PLAN, runs)

    assert (odds.finished, odds.whole, odds.stopped, odds.waiting) == (20, 19, 3, 1)
    assert odds.missed == 2  # the one that took 2,000 h, and the one that never ended
    assert odds.end is not None
    assert (odds.end.median, odds.end.late) == (10 * 3600, 19 * 3600)
    assert [(s.stage, s.why, s.runs, s.begun.most, s.such_as.seed) for s in odds.stops] == [
        ("canary", Why.UNHEALTHY, 1, 1, 21),
        ("broad", Why.NOT_CHANGED, 2, 4, 22),
    ]


def test_budgets_of_the_same_machines_are_one_group() -> None:
    """With the tightest of them, and how often it came how low."""
    count = len(budgets_of(PLAN))
    odds = odds_of(PLAN, [run(1), run(2, lows=(2,) * count), run(3)])

    (group,) = [group for group in odds.groups if group.size == 4]
    assert len(group.rules) == len([b for b in budgets_of(PLAN) if len(b.machines) == 4])
    assert (group.keeps, group.lowest, group.share, group.median, group.below) == (3, 2, 0.5, 3, 1)
    assert group.fewest == ((2, 1), (3, 2))


def test_a_curve_counts_machines_done_so_far() -> None:
    """A run that stopped stays where it was."""
    runs = [run(1, done=(3600.0, 7200.0)), run(2, done=(3600.0,)), run(3, done=())]
    curve = curve_of(runs, 2 * HOUR, points=2)

    assert curve.seconds == (0.0, 3600.0, 7200.0)
    assert (curve.low, curve.middle, curve.high) == ((0, 0, 0), (0, 1, 1), (0, 1, 2))


def test_a_picture_reaches_as_far_as_nearly_all_runs() -> None:
    """One that took for ever doesn't squeeze the others."""
    runs = [*(run(n, hours=10) for n in range(99)), run(99, hours=5000)]
    assert horizon(runs) == 10.4 * HOUR
