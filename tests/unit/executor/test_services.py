"""How a machine is addressed."""

from __future__ import annotations

from orchestrator.executor.services import target_of
from orchestrator.inventory.model import Kind, Os
from tests.builders import lane, plan_of
from tests.fleet import SUBSCRIPTION, arm_id, vm_id


def test_a_machine_is_addressed_as_its_id_says() -> None:
    """The resource group is part of it, in the source's spelling."""
    target = target_of(plan_of(lane("west", "a")).machines[0])
    assert (target.id, target.arm_id, target.name) == (vm_id("a"), arm_id("a"), "a")
    assert (target.subscription, target.resource_group, target.location) == (
        SUBSCRIPTION,
        "rg-shop",
        "westeurope",
    )
    assert (target.kind, target.os) == (Kind.AZURE_VM, Os.LINUX)
