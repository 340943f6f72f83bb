"""Restarts foreseen: the machine's own word first, then the calendar's, which makes nothing lighter."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from orchestrator.hotpatch.calendar import built_in_calendar
from orchestrator.hotpatch.foresee import PENDING, Foreseen, foresee
from orchestrator.hotpatch.model import Installation, Month, Restarts, Told, Track
from orchestrator.hotpatch.others import Sort, sort_of
from orchestrator.hotpatch.track import Tracks
from orchestrator.inventory.model import (
    Image,
    Installed,
    Os,
    PatchSettings,
    PatchState,
    RebootBehavior,
    Update,
)
from tests.fleet import vm

NOON = datetime(2026, 5, 14, 12, tzinfo=UTC)
MAY = Month(2026, 5)
NEVER, CAN, ALWAYS = RebootBehavior.NEVER, RebootBehavior.CAN, RebootBehavior.ALWAYS
SECURITY = ("Security Updates",)
HOTPATCH = Update("2026-05 Hotpatch for Windows Server 2025 (KB5087423)", "5087423", SECURITY, NEVER)
UNNAMED = Update("2026-05 Update (KB5087423)", "5087423", SECURITY, NEVER)
DOTNET = Update("2026-05 Cumulative Update for .NET Framework 4.8.1 (KB5000001)", "5000001", SECURITY, CAN)
CUMULATIVE = Update(
    "2026-05 Cumulative Update for Microsoft server operating system (KB5087539)", "5087539", SECURITY, ALWAYS
)
DEFINITIONS = Update("Security Intelligence Update", "2267602", SECURITY, NEVER)


def foreseen(
    *updates: Update,
    reboot: str = "if_required",
    month: Month = MAY,
    installed: str = "5082063",
    assessed: bool = True,
    **facts: Any,
) -> Foreseen:
    """What is foreseen of a machine that stands on the track and is offered these."""
    patches = PatchState(
        assessed_at=NOON,
        reboot_pending=facts.pop("pending", False),
        updates=updates if assessed else None,
        installed=(Installed(installed),) if installed else None,
    )
    told: dict[str, Any] = {
        "os": Os.WINDOWS,
        "image": Image("MicrosoftWindowsServer", "WindowsServer", "2025-datacenter-azure-edition"),
        "patch_settings": PatchSettings(hotpatching=True),
        "patches": patches,
        **facts,
    }
    asked = Installation(("critical", "security"), (), (), reboot != "never", reboot == "always", NOON)
    return foresee(vm("a", **told), asked, Tracks(built_in_calendar(), month))


@pytest.mark.parametrize(
    ("updates", "reboot", "restarts", "hotpatched", "because"),
    [
        ((HOTPATCH,), "if_required", Restarts.UNKNOWN, True, ()),
        ((HOTPATCH,), "never", Restarts.NEVER, True, ()),
        ((UNNAMED,), "never", Restarts.NEVER, True, ()),
        ((DEFINITIONS,), "never", Restarts.NEVER, False, ()),
        ((), "never", Restarts.NEVER, False, ()),
        ((HOTPATCH, DOTNET), "if_required", Restarts.LIKELY, False, (".NET",)),
        ((CUMULATIVE, DOTNET), "if_required", Restarts.CERTAIN, False, (".NET", "cumulative update")),
        ((HOTPATCH,), "always", Restarts.CERTAIN, True, ()),
    ],
)
def test_the_machines_own_assessment_goes_first(
    updates: tuple[Update, ...], reboot: str, restarts: Restarts, hotpatched: bool, because: tuple[str, ...]
) -> None:
    """And says what restarts it in a hotpatch month."""
    told = foreseen(*updates, reboot=reboot)

    assert (told.restarts, told.by, told.hotpatched, told.because) == (
        restarts,
        Told.ASSESSMENT,
        hotpatched,
        because,
    )


def test_a_restart_that_is_pending_spares_nothing() -> None:
    """The next update may well end in it."""
    told = foreseen(HOTPATCH, pending=True)

    assert (told.restarts, told.hotpatched, told.because) == (Restarts.CERTAIN, False, (PENDING,))


@pytest.mark.parametrize(
    ("month", "facts", "restarts", "by", "hotpatched"),
    [
        (Month(2026, 5), {}, Restarts.UNKNOWN, Told.NOTHING, True),
        (Month(2026, 5), {"installed": ""}, Restarts.UNKNOWN, Told.NOTHING, False),
        (Month(2026, 5), {"installed": "5087539"}, Restarts.LIKELY, Told.CALENDAR, False),
        (Month(2026, 5), {"installed": "5050009"}, Restarts.UNKNOWN, Told.NOTHING, False),
        (
            Month(2026, 5),
            {"patch_settings": PatchSettings(hotpatching=False)},
            Restarts.LIKELY,
            Told.CALENDAR,
            False,
        ),
        (
            Month(2026, 5),
            {"image": Image("p", "o", "2019-datacenter")},
            Restarts.LIKELY,
            Told.CALENDAR,
            False,
        ),
        (Month(2026, 6), {"installed": "5094125"}, Restarts.LIKELY, Told.CALENDAR, False),
        (Month(2026, 6), {}, Restarts.LIKELY, Told.CALENDAR, False),
        (Month(2026, 10), {"installed": ""}, Restarts.LIKELY, Told.CALENDAR, False),
        (Month(2026, 5), {"image": Image(), "installed": ""}, Restarts.UNKNOWN, Told.NOTHING, False),
        (
            Month(2026, 6),
            {"image": Image(), "installed": "", "os": Os.UNKNOWN},
            Restarts.UNKNOWN,
            Told.NOTHING,
            False,
        ),
        (Month(2026, 4), {"os": Os.LINUX}, Restarts.UNKNOWN, Told.NOTHING, False),
    ],
)
def test_the_calendar_tells_where_no_assessment_does(
    month: Month, facts: dict[str, Any], restarts: Restarts, by: Told, hotpatched: bool
) -> None:
    """A likely restart, or whom a hotpatch spares one; what isn't known stays so."""
    told = foreseen(month=month, assessed=False, **facts)

    assert (told.restarts, told.by, told.hotpatched) == (restarts, by, hotpatched)


def test_the_calendar_makes_nobody_rebootless() -> None:
    """Not in a hotpatch month, on the track, in a campaign that never restarts."""
    told = foreseen(reboot="never", assessed=False)

    assert (told.standing.track, told.restarts) == (Track.ON, Restarts.UNKNOWN)


@pytest.mark.parametrize(
    ("name", "classes", "sort"),
    [
        ("2026-05 Hotpatch for Windows Server 2025 Datacenter (KB5087423)", SECURITY, Sort.HOTPATCH),
        ("2026-05 Security Hotpatch Update for x64-based Systems (KB5087423)", SECURITY, Sort.HOTPATCH),
        ("2026-05 Cumulative Update for .NET Framework 3.5 and 4.8.1", SECURITY, Sort.DOTNET),
        (".NET 8.0.27 Security Update for x64 Server (KB5089001)", SECURITY, Sort.DOTNET),
        ("2026-05 Cumulative Update for Microsoft server operating system", SECURITY, Sort.CUMULATIVE),
        ("Intel - net - 1.2.3.4", ("Drivers",), Sort.DRIVER),
        ("Surface firmware update", (), Sort.DRIVER),
        (
            "Security Intelligence Update for Microsoft Defender Antivirus",
            ("Definition Updates",),
            Sort.DEFINITION,
        ),
        ("2026-05 Servicing Stack Update for Windows Server 2019", ("Updates",), Sort.NOT_SECURITY),
        ("Security Update for SQL Server 2022 RTM CU (KB5042211)", SECURITY, Sort.OTHER),
        ("Windows Malicious Software Removal Tool x64", ("Update Rollups",), Sort.NOT_SECURITY),
        ("2026-05 Security Update for Windows Server 2025", SECURITY, Sort.CUMULATIVE),
    ],
)
def test_updates_are_told_apart_by_their_names(name: str, classes: tuple[str, ...], sort: Sort) -> None:
    """As Windows Update calls them."""
    assert sort_of(Update(name, "1", classes)) is sort
