"""What machines wait for, and what comes of it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from orchestrator.emulator.catalogue import ALWAYS, CAN, NEVER, family, hotpatched, outstanding, release_day
from orchestrator.inventory.model import Image, Os
from tests.fleet import vm

NOVEMBER = datetime(2026, 11, 22, 1, tzinfo=UTC)
OCTOBER = datetime(2026, 10, 20, tzinfo=UTC)
HOTPATCH = Image("MicrosoftWindowsServer", "WindowsServer", "2025-Datacenter-Azure-Edition", "latest")
PLAIN = Image("MicrosoftWindowsServer", "WindowsServer", "2022-datacenter", "latest")


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (NOVEMBER, datetime(2026, 11, 10, 17, tzinfo=UTC)),
        (datetime(2026, 11, 10, 16, tzinfo=UTC), datetime(2026, 10, 13, 17, tzinfo=UTC)),
        (datetime(2026, 1, 5, tzinfo=UTC), datetime(2025, 12, 9, 17, tzinfo=UTC)),
        (datetime(2026, 9, 8, 17, tzinfo=UTC), datetime(2026, 9, 8, 17, tzinfo=UTC)),
    ],
)
def test_patches_come_on_the_second_tuesday(now: datetime, expected: datetime) -> None:
    """The last second Tuesday, at 17:00 UTC, is when the patches were published."""
    assert expected == release_day(now)


@pytest.mark.parametrize("facts", [{"os": Os.WINDOWS, "image": PLAIN}, {"os": Os.LINUX}])
def test_a_share_needs_a_restart(facts: dict[str, object]) -> None:
    """About the share asked for waits for a patch that restarts it; 0 and 1 are none and all."""

    def restarting(share: float) -> int:
        machines = [vm(f"m{n}", **facts) for n in range(400)]
        waiting = [outstanding(m, seed=1, now=NOVEMBER, restart_share=share) for m in machines]
        return sum(any(patch.restarts for patch in patches) for patches in waiting)

    assert restarting(0) == 0
    assert restarting(1) == 400
    assert 200 < restarting(0.6) < 280


def test_hotpatched_machines_restart_in_baseline_months_only() -> None:
    """In a hotpatch month they wait for a patch that never reboots; in a baseline month all of them restart."""
    machine = vm("m", os=Os.WINDOWS, image=HOTPATCH, patch_mode="AutomaticByPlatform")

    hotpatch = outstanding(machine, seed=1, now=NOVEMBER, restart_share=1)
    baseline = outstanding(machine, seed=1, now=OCTOBER, restart_share=0)

    assert {NEVER} == {patch.behavior for patch in hotpatch}
    assert not any(patch.restarts for patch in hotpatch)
    assert [patch.behavior for patch in baseline if patch.restarts] == [ALWAYS]


@pytest.mark.parametrize(
    ("sku", "mode", "expected"),
    [
        ("2022-datacenter-azure-edition", "AutomaticByPlatform", False),
        ("2022-datacenter-azure-edition-hotpatch-smalldisk", "AutomaticByPlatform", True),
        ("2022-Datacenter-Azure-Edition-Core", "", True),
        ("2025-datacenter-azure-edition", "AutomaticByOS", False),
        ("2025-datacenter-azure-edition-core-smalldisk", "AutomaticByPlatform", True),
        ("2025-datacenter", "AutomaticByPlatform", False),
    ],
)
def test_who_is_hotpatched(sku: str, mode: str, *, expected: bool) -> None:
    """Azure Edition images that have hotpatches, in whatever case, in the mode that turns them on."""
    image = Image("MicrosoftWindowsServer", "WindowsServer", sku, "latest")

    assert expected == hotpatched(vm("m", image=image, patch_mode=mode))


def test_windows_patches_look_like_real_ones() -> None:
    """A KB number without letters stands in the title too, and the cumulative update can request a restart."""
    patches = outstanding(vm("m", os=Os.WINDOWS, image=PLAIN), seed=1, now=NOVEMBER, restart_share=1)

    assert all(patch.kb.isdigit() and f"KB{patch.kb}" in patch.name for patch in patches)
    assert patches[0].name.startswith(
        "2026-11 Cumulative Update for Microsoft server operating system version 21H2"
    )
    assert patches[0].behavior == CAN
    assert {"Security", "UpdateRollUp", "Definition"} == {patch.classification for patch in patches}


def test_an_untold_system_is_read_off_the_image() -> None:
    """A source that doesn't name the system is judged by the publisher of the image."""
    assert family(vm("m", image=PLAIN)) is Os.WINDOWS
    assert family(vm("m")) is Os.LINUX
    assert family(vm("m", os=Os.LINUX, image=PLAIN)) is Os.LINUX
