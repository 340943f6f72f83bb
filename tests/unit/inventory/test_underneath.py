"""Who else patches a machine."""

from __future__ import annotations

import pytest

from orchestrator.inventory.model import Kind, Machine, Orchestration, Os, PatchSettings, resource_id
from orchestrator.inventory.underneath import Hand, hands_on, underneath
from tests.fleet import arm_id, flex_id, inventory, scale_set, vm, vm_id

WEEKLY = resource_id(arm_id("weekly").replace("Microsoft.Compute/virtualMachines", "Microsoft.Maintenance/maintenanceConfigurations"))  # fmt: skip


def machine(mode: str, *, bypass: bool | None = None, scheduled: bool = False, **facts: object) -> Machine:
    """A Windows machine with these settings."""
    return vm(
        "web-1",
        **{"os": Os.WINDOWS, **facts},
        patch_mode=mode,
        patch_settings=PatchSettings(bypasses_safety_checks=bypass),
        schedules=(WEEKLY,) if scheduled else (),
    )


@pytest.mark.parametrize(
    ("held", "hands"),
    [
        (machine("AutomaticByPlatform", bypass=True, scheduled=True), [Hand.SCHEDULE]),
        (machine("AutomaticByPlatform", bypass=True), []),
        (machine("AutomaticByPlatform", bypass=False, scheduled=True), []),
        (machine("AutomaticByPlatform", bypass=False), [Hand.AZURE]),
        (machine("AutomaticByPlatform"), [Hand.AZURE]),
        (machine("automaticbyplatform"), [Hand.AZURE]),
        (machine("AutomaticByOS", scheduled=True), [Hand.WINDOWS]),
        (machine("Manual", scheduled=True), []),
        (machine("ImageDefault", os=Os.LINUX), []),
        (machine(""), []),
        (machine("", scheduled=True, kind=Kind.ARC), [Hand.SCHEDULE]),
        (machine("AutomaticByOS", kind=Kind.ARC), []),
    ],
)
def test_the_table_of_settings(held: Machine, hands: list[Hand]) -> None:
    """Azure's own table of patch mode, bypass and schedule; what isn't told of the bypass is Azure's default, no bypass."""
    assert [hand for hand, _ in hands_on(held)] == hands


def test_a_sentence_a_group() -> None:
    """Machines under one hand are told together, with what to set; of some machines alone if only those matter."""
    fleet = inventory(
        *(vm(f"web-{n}", patch_mode="AutomaticByPlatform") for n in range(1, 6)),
        vm("own", patch_mode="AutomaticByOS"),
    )
    azure, windows = underneath(fleet)
    assert azure.what == (
        "Azure patches 5 machines (web-1, web-2, web-3 and 2 more) by itself as well (patchMode AutomaticByPlatform): set "
        "bypassPlatformSafetyChecksOnUserSchedule to true, as `wavekeeper enrol` does"
    )
    assert windows.what.startswith("Windows patches own by itself as well (patchMode AutomaticByOS)")
    (few,) = underneath(fleet, {vm_id("web-2")})
    assert [one.name for one in few.machines] == ["web-2"]


def test_repairs_of_flexible_sets() -> None:
    """A set that repairs its members may delete one that restarts. Uniform members aren't rolled at all."""
    fleet = inventory(
        vm("flex-1", scale_set=flex_id("flex")),
        vm("other-1", scale_set=flex_id("calm")),
        scale_sets=(
            scale_set("flex", orchestration=Orchestration.FLEXIBLE, automatic_repairs=True),
            scale_set("calm", orchestration=Orchestration.FLEXIBLE, automatic_repairs=False),
        ),
    )
    (one,) = underneath(fleet)
    assert one.to_json() == {
        "hand": "repair",
        "by": flex_id("flex"),
        "machines": [vm_id("flex-1")],
        "what": "automatic repairs of scale set flex may delete flex-1 while restarting: suspend them for the rollout "
        "(`az vmss set-orchestration-service-state --service-name AutomaticRepairs --action Suspend`)",
    }
