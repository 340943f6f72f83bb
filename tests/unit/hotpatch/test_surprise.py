"""An unplanned baseline that nobody announced, seen by what machines are offered."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from orchestrator.hotpatch.calendar import built_in_calendar
from orchestrator.hotpatch.model import Month
from orchestrator.hotpatch.surprise import surprises
from orchestrator.hotpatch.track import Tracks
from orchestrator.inventory.model import Image, Machine, Os, PatchSettings, PatchState, Update
from tests.fleet import vm

LCU = "2026-11 Cumulative Update for Microsoft server operating system"
HOTPATCH = "2026-11 Security Hotpatch Update"


def server(offered: str, day: int = 12, *, on: bool = True) -> Machine:
    """A machine that could be hotpatched, assessed on a day of November."""
    return vm(
        "a",
        os=Os.WINDOWS,
        image=Image("MicrosoftWindowsServer", "WindowsServer", "2025-datacenter-azure-edition"),
        patch_settings=PatchSettings(hotpatching=on),
        patches=PatchState(datetime(2026, 11, day, tzinfo=UTC), updates=(Update(offered, "1"),)),
    )


@pytest.mark.parametrize(
    ("machines", "month", "told"),
    [
        ([server(LCU), server(LCU)], Month(2026, 11), 1),
        ([server(LCU), server(HOTPATCH)], Month(2026, 11), 0),
        ([server(LCU, day=9)], Month(2026, 11), 0),
        ([server(LCU, on=False)], Month(2026, 11), 0),
        ([server(LCU)], Month(2026, 10), 0),
        ([server("Security Intelligence Update")], Month(2026, 11), 0),
        ([], Month(2026, 11), 0),
    ],
)
def test_a_hotpatch_month_without_a_hotpatch(machines: list[Machine], month: Month, told: int) -> None:
    """Where somebody is offered the cumulative update since it came out, and nobody a hotpatch."""
    tracks = Tracks(built_in_calendar(), month)
    found = list(surprises(tracks, ((one, tracks.of(one)) for one in machines)))

    assert len(found) == told
    if told:
        assert found[0].startswith(
            "November 2026 may be an unplanned baseline of Windows Server 2025: 2 of its machines"
        )
