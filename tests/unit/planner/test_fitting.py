"""Which machines a change isn't for, each with its reason."""

from __future__ import annotations

from dataclasses import replace

import pytest

from orchestrator.inventory.model import Kind, Machine, Os, PatchState
from orchestrator.planner.fitting import unfit
from orchestrator.planner.undoing import rollback_of
from orchestrator.policy.change import Change, Patches, Restart, RunCommand, script
from orchestrator.topology.graph import build
from tests.fleet import inventory, vm, vm_id

CACHE = RunCommand(script("s/cache.ps1", "Clear-Cache\n"), Os.WINDOWS)


def machine(*, pending: bool | None = None, **facts: object) -> Machine:
    """One machine, of these facts."""
    return replace(vm("a", os=Os.WINDOWS), patches=PatchState(reboot_pending=pending), **facts)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("one", "change", "why"),
    [
        (machine(), Patches(), ""),
        (machine(os=Os.UNKNOWN), Patches(), "whether it runs Windows or Linux isn't known"),
        (machine(), Restart(), ""),
        (machine(os=Os.UNKNOWN), Restart(), ""),
        (machine(kind=Kind.ARC), Restart(), "Azure restarts virtual machines of its own only"),
        (machine(pending=True), Restart(only_pending=True), ""),
        (machine(pending=False), Restart(only_pending=True), "no restart is pending on it"),
        (machine(), Restart(only_pending=True), "nobody knows whether a restart is pending on it"),
        (machine(), CACHE, ""),
        (machine(os=Os.LINUX), CACHE, "the script s/cache.ps1 is for windows, and it runs linux"),
        (machine(os=Os.UNKNOWN), CACHE, "for windows, and nobody knows what this machine runs"),
        (machine(kind=Kind.ARC), CACHE, "is run on Azure's own virtual machines alone, for now"),
        (machine(kind=Kind.ARC), rollback_of("m", {vm_id("a"): ("1",)}), "a rollback restarts the machine"),
    ],
)
def test_a_machine_that_a_change_is_not_for_is_left_out_by_name(
    one: Machine, change: Change, why: str
) -> None:
    """Or isn't, and then there is no reason."""
    found = unfit(build(inventory(one)), [one.id], change)
    assert (one.id in found) == bool(why)
    assert why in found.get(one.id, "")
