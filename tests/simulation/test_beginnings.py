"""How a rollout begins: what has moved since the plan, what is out already, probes that nobody can ask."""

from __future__ import annotations

from dataclasses import replace

import pytest

from orchestrator.errors import PlanRefused, Refused
from orchestrator.inventory.model import Inventory, Power
from orchestrator.rollout.state import MachineStatus, RolloutStatus
from orchestrator.service.ending import ExitCode, exit_code
from tests.fakes.webhooks import FakeWebhooks
from tests.simulation.reference import CAMPAIGN, STEPS, reference, twins
from tests.virtual import Stage, script, statuses, virtual

NOWHERE = CAMPAIGN.replace("probes: [vm_agent, app_health]", 'probes: [http: {url: "http://nowhere/{name}"}]')
PROBED = CAMPAIGN.replace("app_health]", 'app_health, http: {url: "http://127.0.0.1/health/{name}"}]')


def without(fleet: Inventory, name: str) -> Inventory:
    """The fleet after that machine was switched off."""
    return replace(
        fleet,
        machines=tuple(replace(m, power=Power.DEALLOCATED) if m.name == name else m for m in fleet.machines),
    )


@virtual
async def test_a_machine_that_was_switched_off_since_the_plan_is_dropped_and_listed() -> None:
    """It is left out with its reason, counts as out, and the others of its set wait for it."""
    stage = Stage.of(await reference(), "- goes_off: {machines: [a4], at: 0s}")
    with pytest.raises(PlanRefused, match="1 of 8 machines are gone, off or on hold since the plan was made"):
        await stage.run(live=without(stage.script.fleet, "a4"))
    rollout = await stage.run(live=without(stage.script.fleet, "a4"), accept_drift=True)
    assert statuses(rollout)["a4"] is MachineStatus.LEFT_OUT
    assert statuses(rollout)["a1"] is MachineStatus.PENDING
    assert "a4" not in stage.installs()
    stage.judge()


@virtual
async def test_a_plan_that_the_fleet_has_outrun_is_refused_with_nothing_done() -> None:
    """A machine stands in another set than it did: the waves may be wrong for it."""
    stage = Stage.of(await reference())
    live = stage.script.fleet
    moved = replace(
        live, machines=tuple(replace(m, zone="2") if m.name == "b2" else m for m in live.machines)
    )
    with pytest.raises(PlanRefused, match="in what its rules read: b2; plan again"):
        await stage.run(live=moved, accept_drift=True)
    assert (stage.installs(), stage.disk.documents) == ({}, {})


@virtual
async def test_a_plan_with_webhooks_that_nobody_knows_is_refused_with_nothing_done() -> None:
    """Before the first machine is drained, not at it."""
    stage = Stage.of(await reference(STEPS), webhooks=FakeWebhooks(known=frozenset({"drain"})))
    with pytest.raises(Refused, match="webhooks that are not configured: undrain"):
        await stage.run()
    assert stage.disk.scopes["default"].rows == []


@virtual
async def test_probes_that_cannot_be_asked_refuse_the_rollout() -> None:
    """More than a tenth: a mistake in the policy, not a sick fleet. The next try of the same plan begins anew."""
    stage = Stage.of(await script(twins(), NOWHERE))
    rollout = await stage.run()
    assert (rollout.status, exit_code(rollout)) == (RolloutStatus.REFUSED, ExitCode.REFUSED)
    assert rollout.cause.startswith("8 of 8 probes can't be asked (a1: http http://nowhere/a1")
    again = await stage.run()
    assert (again.id != rollout.id, stage.installs()) == (True, {})


@virtual
async def test_network_probes_are_asked_before_and_after_each_machine() -> None:
    """The machines' own endpoints: the rollout ends as it does without them."""
    stage = Stage.of(await script(twins(), PROBED))
    rollout = await stage.run()
    assert exit_code(rollout) is ExitCode.DONE
    stage.judge(complete=True)


@virtual
async def test_what_is_out_before_anything_begins_counts_and_is_no_failure_of_ours() -> None:
    """Seen by the look at everything: its set's room is used up, and nobody of it is touched."""
    stage = Stage.of(await reference(), "- goes_off: {machines: [a4], at: 0s}")
    rollout = await stage.run()
    assert (exit_code(rollout), rollout.unacknowledged) == (ExitCode.NOT_FINISHED, set())
    assert not {"a1", "a2", "a3", "a4"} & set(stage.installs())
    stage.judge()
