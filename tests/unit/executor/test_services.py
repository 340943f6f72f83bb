"""What activities share, and how a machine is addressed."""

from __future__ import annotations

from orchestrator.executor.services import Durations, target_of
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


def test_durations_say_nothing_of_a_few() -> None:
    """Five of a kind make a median."""
    seen = Durations()
    for seconds in (100, 200, 300, 400):
        seen.add("patches", seconds)
    assert seen.median("patches") is None
    seen.add("patches", 500)
    assert (seen.median("patches"), seen.median("restart")) == (300, None)


def test_durations_forget_what_is_long_past() -> None:
    """The last hundred count."""
    seen = Durations()
    for _ in range(100):
        seen.add("patches", 1000)
    for _ in range(100):
        seen.add("patches", 10)
    assert seen.median("patches") == 10
