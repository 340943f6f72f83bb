"""Runs of a plan whose outcome is known beforehand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from orchestrator.assumptions.model import Assumed, Settled, Spread
from orchestrator.availability.model import Budget
from orchestrator.emulator.state import Happening
from orchestrator.inventory.model import AppHealth, Os
from orchestrator.planner.document import dump
from orchestrator.planner.plan import plan
from orchestrator.policy.load import load_one
from orchestrator.policy.model import Origin
from orchestrator.simulation.many_runs import play_many
from orchestrator.simulation.one_run import Ending, Ground, Run, Why, lows, play_once
from orchestrator.topology.graph import build
from orchestrator.wiring.files import floor
from tests.fleet import inventory, vm

NOW = datetime(2026, 1, 5, 8, tzinfo=UTC)
FLEET = inventory(
    *(
        vm(f"web-{n}", os=Os.LINUX, app_health=AppHealth.HEALTHY, tags={"app": "shop"}, zone=str(n % 3 + 1))
        for n in range(12)
    ),
    taken_at=NOW,
)
POLICY = """
version: 1
name: monthly
select: {tags: {app: shop}}
change: {patches: {}}
stages:
  - {name: canary, up_to: 1, bake: 1h, then: approve}
  - {name: broad}
rules: [{max_unavailable: 25%}]
"""
MINUTE = timedelta(minutes=1)


def ground(assumed: Assumed, approvals: Spread | None = None, policy: str = POLICY) -> Ground:
    """The campaign on twelve machines, the same assumed of each."""
    made = plan(build(FLEET), [load_one("a.yaml", policy)], floor())
    settled = Settled({machine.id: assumed for machine in FLEET.machines})
    return Ground(made, dump(made), FLEET, NOW, settled, approvals)


def runs(assumed: Assumed, approvals: Spread | None = None) -> list[Run]:
    """Three runs; whatever became of them, no rule was broken."""
    found = play_many(ground(assumed, approvals), range(1, 4), 1, lambda: None)
    assert [run.broken for run in found] == [()] * 3
    return list(found)


def test_where_nothing_fails_everybody_is_done() -> None:
    """In every run, and never more than a quarter are out."""
    for run in runs(Assumed()):
        assert (run.ending, len(run.done), run.begun, run.why) == (Ending.FINISHED, 12, 12, None)
        assert run.done == tuple(sorted(run.done))
        assert run.done[-1] <= run.took.total_seconds()
        assert min(run.lows) >= 9


@pytest.mark.parametrize("assumed", [Assumed(comes_back_unhealthy=1.0), Assumed(stays_down=1.0)])
def test_what_always_fails_stops_in_the_canary(assumed: Assumed) -> None:
    """In all runs, with one machine begun."""
    for run in runs(assumed):
        assert (run.ending, run.stage, run.why) == (Ending.STOPPED, "canary", Why.UNHEALTHY)
        assert (run.begun, run.unhealthy, run.done) == (1, 1, ())
        assert "1 unhealthy of 1 attempted in stage canary, the limit is 1" in run.cause


def test_installations_that_always_fail_stop_it_too() -> None:
    """Later: two of them are needed, and nobody is out for them."""
    for run in runs(Assumed(install_fails=1.0)):
        assert (run.ending, run.stage, run.why) == (Ending.STOPPED, "broad", Why.NOT_CHANGED)
        assert run.done == ()
        assert min(run.lows) == 12


def test_an_approval_takes_as_long_as_assumed() -> None:
    """To the second; at once where nothing is."""
    waited = runs(Assumed(), Spread(90 * MINUTE, 90 * MINUTE))
    at_once = runs(Assumed())
    for late, soon in zip(waited, at_once, strict=True):
        assert (late.approvals, soon.approvals) == (1, 1)
        assert soon.waited < timedelta(seconds=1)
        assert 90 * MINUTE <= late.waited < 91 * MINUTE
        assert late.took - soon.took >= 89 * MINUTE


def test_who_gets_well_again_holds_it_up_no_longer_than_that() -> None:
    """A failure of one machine of broad doesn't stop it; it waits until the machine is well."""
    well = runs(Assumed(reboot_takes=Spread(5 * MINUTE, 5 * MINUTE)))
    slow = runs(Assumed(reboot_takes=Spread(15 * MINUTE, 15 * MINUTE)))
    for short, long in zip(well, slow, strict=True):
        assert short.took < long.took


def test_the_same_seed_is_the_same_run_on_any_number_of_processes() -> None:
    """To the last figure."""
    asked = ground(
        Assumed(install_fails=0.05, comes_back_unhealthy=0.05, goes_off=0.05), Spread(MINUTE, 9 * MINUTE)
    )
    ticks: list[int] = []
    here = play_many(asked, range(1, 7), 1, lambda: ticks.append(1))
    assert here == play_many(asked, range(1, 7), 2, lambda: None)
    assert here[3] == play_once(asked, 4)
    assert len(ticks) == 6
    assert len({run.took for run in here}) > 1


def test_lows_are_counted_by_what_the_witness_saw() -> None:
    """From the first answer that is missing until the application is healthy; each machine once, whoever's doing it was."""
    fleet = inventory(vm("a"), vm("b"), vm("c", app_health=AppHealth.UNHEALTHY))
    a, b, c = (machine.id for machine in fleet.machines)
    budgets = [
        Budget("1", (a, b, c), 1, "all", Origin("x", 1)),
        Budget("2", (b,), 1, "b", Origin("x", 1)),
    ]

    def seen(machine: str, event: str) -> Happening:
        return Happening(NOW, machine.upper(), event)

    assert lows(budgets, fleet, []) == (2, 1)
    assert lows(budgets, fleet, [seen(a, "out"), seen(a, "back"), seen(b, "out")]) == (0, 0)
    assert lows(budgets, fleet, [seen(a, "out"), seen(a, "healthy"), seen(b, "unhealthy")]) == (1, 0)
    assert lows(budgets, fleet, [seen(a, "unhealthy"), seen(a, "out"), seen(a, "vanished")]) == (1, 1)
    assert lows(budgets, fleet, [seen(c, "healthy"), seen(a, "out")]) == (2, 1)
