"""What comes out each month, and who is hotpatched."""

from __future__ import annotations

import pytest

from orchestrator.emulator.catalogue import (
    ALWAYS,
    CAN,
    EDITIONS,
    NEVER,
    cumulative,
    edition_of,
    family,
    framework,
    hotpatch,
    hotpatched,
    out_of_band,
    packages,
    tools,
)
from orchestrator.emulator.months import USUAL, Calendar, month_of, release
from orchestrator.inventory.model import Image, Os
from tests.fleet import vm

NOVEMBER, OCTOBER = month_of(2026, 11), month_of(2026, 10)
PLAIN = Image("MicrosoftWindowsServer", "WindowsServer", "2022-datacenter", "latest")


@pytest.mark.parametrize("edition", EDITIONS)
def test_a_hotpatch_month_has_two_updates_and_a_baseline_month_one(edition: object) -> None:
    """The cumulative update of a hotpatch month is the newer build; in a baseline's month there is no hotpatch."""
    (server,) = (one for one in EDITIONS if one is edition)
    hot, whole = hotpatch(server, NOVEMBER, USUAL), cumulative(server, NOVEMBER, USUAL)
    assert hot is not None
    assert (hot.behavior, hot.restarts, whole.behavior, whole.restarts) == (NEVER, False, CAN, True)
    assert hot.rank < whole.rank
    assert hot.kb != whole.kb
    base = cumulative(server, OCTOBER, USUAL)
    assert (base.behavior, base.restarts) == (ALWAYS, True)
    assert hotpatch(server, OCTOBER, USUAL) is None


def test_surprises_are_in_the_catalogue() -> None:
    """An unplanned baseline takes the hotpatch's place; .NET restarts; what is sent after the month's is no security update."""
    server = EDITIONS[0]
    told = Calendar(
        unplanned=frozenset({NOVEMBER}), frameworks=frozenset({NOVEMBER}), out_of_band=frozenset({NOVEMBER})
    )

    assert hotpatch(server, NOVEMBER, told) is None
    assert cumulative(server, NOVEMBER, told).behavior == ALWAYS
    assert framework(server, NOVEMBER, told).restarts
    assert not framework(server, NOVEMBER, USUAL).restarts
    sent = out_of_band(server, NOVEMBER, told)
    assert sent is not None
    assert sent.classification == "Updates"
    assert sent.published > release(NOVEMBER)
    assert out_of_band(server, NOVEMBER, USUAL) is None


def test_windows_patches_look_like_real_ones() -> None:
    """A KB number without letters stands in the title too, and no two updates share one."""
    made = [
        patch
        for server in EDITIONS
        for month in (OCTOBER, NOVEMBER)
        for patch in (
            cumulative(server, month, USUAL),
            hotpatch(server, month, USUAL),
            framework(server, month, USUAL),
        )
        if patch is not None
    ]

    assert all(patch.kb.isdigit() and f"KB{patch.kb}" in patch.name for patch in [*made, *tools(NOVEMBER)])
    assert len({patch.kb for patch in made}) == len(made)
    name = cumulative(EDITIONS[1], NOVEMBER, USUAL).name
    assert name.startswith("2026-11 Cumulative Update for Microsoft server operating system version 21H2")
    assert {"UpdateRollUp", "Definition"} == {patch.classification for patch in tools(NOVEMBER)}


def test_packages_have_a_new_version_each_month() -> None:
    """The same names, other versions, and only the kernel restarts."""
    before, after = packages(OCTOBER), packages(NOVEMBER)

    assert [patch.name for patch in before] == [patch.name for patch in after]
    assert not {patch.version for patch in before} & {patch.version for patch in after}
    assert [patch.name for patch in after if patch.restarts] == ["linux-image-azure"]


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


def test_an_untold_system_is_read_off_the_image() -> None:
    """A source that doesn't name the system is judged by the publisher of the image."""
    assert family(vm("m", os=Os.UNKNOWN, image=PLAIN)) is Os.WINDOWS
    assert family(vm("m", os=Os.UNKNOWN)) is Os.LINUX
    assert family(vm("m", os=Os.LINUX, image=PLAIN)) is Os.LINUX
    assert edition_of(vm("m")) is None
    assert edition_of(vm("m", os=Os.UNKNOWN, image=PLAIN)) is EDITIONS[1]
