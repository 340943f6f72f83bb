"""One round of questions to one machine."""

from __future__ import annotations

import pytest

from orchestrator.cloud.port import View
from orchestrator.executor.wellness import ask_network, needs_view, probes_of, unwell_by_view
from orchestrator.inventory.model import Agent, AppHealth, Power
from orchestrator.policy.model import Probe, ProbeKind
from tests.builders import lane, plan_of
from tests.unit.executor.doors import Doors, probing
from tests.virtual import virtual

AGENT, APP = Probe(ProbeKind.VM_AGENT), Probe(ProbeKind.APP_HEALTH)
HTTP = Probe(ProbeKind.HTTP, url="http://127.0.0.1/health/{name}")
NOWHERE = Probe(ProbeKind.HTTP, url="http://nowhere/")
BOTH = (AGENT, APP)
WELL = View(Power.RUNNING, Agent.READY, AppHealth.HEALTHY)


@pytest.mark.parametrize(
    ("probes", "view", "evidence"),
    [
        (BOTH, WELL, ""),
        (BOTH, View(Power.RUNNING, Agent.READY, AppHealth.NONE), ""),
        (BOTH, View(Power.RUNNING, Agent.READY, AppHealth.UNHEALTHY), "its application health is unhealthy"),
        (
            BOTH,
            View(Power.RUNNING, Agent.READY, AppHealth.INITIALIZING),
            "its application health is initializing",
        ),
        (BOTH, View(Power.RUNNING, Agent.READY, AppHealth.UNKNOWN), "its application health is unknown"),
        (BOTH, View(Power.RUNNING, Agent.NOT_READY, AppHealth.HEALTHY), "its guest agent is not_ready"),
        ((APP,), View(Power.RUNNING, Agent.NOT_READY, AppHealth.HEALTHY), ""),
        ((), View(Power.RUNNING, Agent.NOT_READY, AppHealth.UNHEALTHY), ""),
        ((), View(Power.STOPPED, Agent.READY, AppHealth.HEALTHY), "its power state is stopped"),
        ((), View(Power.UNKNOWN, Agent.READY, AppHealth.HEALTHY), "its power state is unknown"),
    ],
)
def test_a_view_answers_the_probes_that_it_can(probes: tuple[Probe, ...], view: View, evidence: str) -> None:
    """What isn't asked doesn't count; a machine that doesn't run serves nobody."""
    assert unwell_by_view(probes, view) == evidence


def test_network_probes_need_no_view() -> None:
    """And the others do."""
    assert [needs_view(probes) for probes in ((HTTP,), (HTTP, APP), ())] == [False, True, False]


def opened(*probes: Probe, faults: str = "") -> Doors:
    """One machine with these probes."""
    return Doors(probing(plan_of(lane("west", "a")), *probes), faults)


@virtual
async def test_all_network_probes_are_put_and_the_first_that_fails_is_named() -> None:
    """With where it was asked, and what was said."""
    here = opened(HTTP, HTTP, faults="- goes_off: {machines: [a], at: 0s}")
    await here.clock.sleep(1)
    machine = here.plan.machines[0]
    seen = await ask_network(here.services, machine, probes_of(here.plan, machine))
    assert (seen.well, seen.asked, seen.unasked) == (False, 2, 0)
    assert seen.evidence == "http http://127.0.0.1/health/a: no answer"


@virtual
async def test_a_probe_that_cannot_be_put_is_counted_apart() -> None:
    """It tells nothing of the machine, and something of the policy."""
    here = opened(HTTP, NOWHERE)
    machine = here.plan.machines[0]
    seen = await ask_network(here.services, machine, probes_of(here.plan, machine))
    assert (seen.well, seen.asked, seen.unasked) == (False, 1, 1)
    assert seen.evidence == "http http://nowhere/: its url can't be filled in"


@virtual
async def test_a_machine_without_network_probes_is_well_as_far_as_they_go() -> None:
    """Nobody is asked."""
    here = opened(AGENT)
    seen = await ask_network(here.services, here.plan.machines[0], (AGENT,))
    assert (seen.well, seen.asked, here.prober.asked) == (True, 0, 0)
