"""Is a machine well after its change? Rounds of probes until the gate has a verdict."""

from __future__ import annotations

from datetime import timedelta

import pytest

from orchestrator.policy.model import Health, Probe, ProbeKind
from orchestrator.rollout import actions as a
from orchestrator.rollout import messages as m
from tests.builders import NOON, lane, plan_of, step
from tests.unit.executor.doors import Doors, probing
from tests.virtual import virtual

AGENT, APP = Probe(ProbeKind.VM_AGENT), Probe(ProbeKind.APP_HEALTH)
HTTP = Probe(ProbeKind.HTTP, url="http://127.0.0.1/health/{name}")
HEALTH = Health(min_healthy_time=timedelta(minutes=5), healthy_deadline=timedelta(minutes=30))
MINUTE = timedelta(minutes=1)


def doors(faults: str = "", *probes: Probe, **parts: object) -> Doors:
    """One machine, with the agent and the application asked, unless told otherwise."""
    plan = plan_of(lane("west", "a"), health=HEALTH)
    return Doors(probing(plan, *(probes or (AGENT, APP))), faults, **parts)  # type: ignore[arg-type]


async def changed(here: Doors) -> timedelta:
    """Up to the end of its change; when that was."""
    while not isinstance(here.diary.doing("a"), a.Verify):
        await here.step("a")
    return here.passed


def well(attempt: int = 1) -> m.HealthReported:
    """Good news."""
    return m.HealthReported("r1", 0, attempt, well=True, evidence="")


@virtual
async def test_a_machine_is_well_once_it_has_been_for_its_healthy_time() -> None:
    """Not sooner, and no later than the moment for gathering asks."""
    here = doors()
    ended = await changed(here)
    assert await here.do("a") == well()
    assert 5 * MINUTE <= here.passed - ended <= 5 * MINUTE + timedelta(seconds=15)


@virtual
async def test_two_instance_views_are_enough_for_a_machine_that_stays_well() -> None:
    """One at the beginning and one at the end: requests are dear."""
    here = doors()
    await changed(here)
    before = here.services.views.latest(here.plan.machines[0].id, NOON)
    reads = 0
    read = here.services.views.read

    async def counted(target: object, **options: object) -> object:
        nonlocal reads
        reads += 1
        return await read(target)  # type: ignore[arg-type]  # handed on

    here.services.views.read = counted  # type: ignore[method-assign,assignment]  # a counter in between
    await here.do("a")
    assert (before is not None, reads) == (True, 2)


@virtual
async def test_network_probes_are_asked_at_their_interval() -> None:
    """Each fifteen seconds over the healthy time."""
    here = doors("", HTTP)
    await changed(here)
    asked = here.prober.asked
    await here.do("a")
    assert here.prober.asked - asked == pytest.approx(5 * 4 + 1, abs=1)


@virtual
async def test_a_restart_that_takes_its_time_is_waited_for() -> None:
    """Out, back, its application warming up: not yet, and then its healthy time in full."""
    here = doors(restart_share=1.0)
    await changed(here)
    assert await here.do("a") == well()


@virtual
async def test_a_machine_that_is_not_well_by_its_deadline_is_not() -> None:
    """With the last evidence."""
    here = doors("- unhealthy: {}")
    ended = await changed(here)
    seen = await here.do("a")
    assert seen == m.HealthReported(
        "r1", 0, 1, well=False, evidence="not well within 30 min: its application health is unhealthy"
    )
    assert here.passed - ended == pytest.approx(30 * MINUTE, abs=MINUTE)


@virtual
async def test_a_machine_that_cannot_be_asked_is_not_well_in_the_end() -> None:
    """Unknown is not yet, until the deadline."""
    here = doors("- server_error: {on: [view], from: 3m, status: 500}")
    await changed(here)
    seen = await here.do("a")
    assert isinstance(seen, m.HealthReported)
    assert (seen.well, "could not be read" in seen.evidence) == (False, True)


@virtual
async def test_nobody_is_judged_for_a_time_in_which_nobody_looked() -> None:
    """The process was away for hours: the machine gets its healthy time all the same."""
    here = doors()
    await changed(here)
    await here.clock.sleep(7200)
    assert await here.do("a") == well()


@virtual
async def test_a_machine_that_was_unwell_while_nobody_looked_is_judged_soon() -> None:
    """It has had its time: as many tries as anybody, and no half hour more."""
    here = doors("- unhealthy: {}")
    await changed(here)
    await here.clock.sleep(7200)
    began = here.passed
    seen = await here.do("a")
    assert isinstance(seen, m.HealthReported)
    assert (seen.well, here.passed - began < 10 * MINUTE) == (False, True)


@virtual
async def test_hope_reports_good_news_alone() -> None:
    """Of a machine that failed already: looked at each minute, until it is well for its time."""
    here = doors("- unhealthy: {recovers_after: 3h}")
    await changed(here)
    await here.step("a")
    hoping = here.diary.doing("a")
    assert isinstance(hoping, a.Verify)
    assert hoping.hoping
    assert await here.do("a") == well()
    assert here.passed > timedelta(hours=3)


@virtual
async def test_after_its_steps_one_clean_round_is_enough() -> None:
    """It was verified before them."""
    here = Doors(probing(plan_of(lane("west", "a"), health=HEALTH, after=[step("undrain")]), AGENT, APP))
    await changed(here)
    await here.step("a")
    await here.step("a")
    brief = here.diary.doing("a")
    assert isinstance(brief, a.Verify)
    began = here.passed
    assert (brief.briefly, await here.do("a")) == (True, well())
    assert here.passed - began <= timedelta(seconds=15)


@virtual
async def test_a_machine_that_is_deleted_meanwhile_is_gone() -> None:
    """The cloud knows it no more."""
    here = doors()
    await changed(here)
    del here.world._states[here.plan.machines[0].id]
    assert await here.do("a") == m.FoundGone("r1", 0)
