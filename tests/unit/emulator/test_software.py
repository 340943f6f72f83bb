"""What is installed decides what is found: missed months, the hotpatch track, and the ways off it and back."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from orchestrator.emulator.catalogue import SYSTEM, Role
from orchestrator.emulator.choosing import chosen
from orchestrator.emulator.install_request import Fate, InstallRequest
from orchestrator.emulator.months import USUAL, Calendar, month_of, release
from orchestrator.emulator.software import Software, find, first_software, outstanding
from orchestrator.inventory.model import Image, Os
from tests.fleet import vm

HOT = vm(
    "hot",
    os=Os.WINDOWS,
    image=Image("MicrosoftWindowsServer", "WindowsServer", "2025-Datacenter-Azure-Edition", "latest"),
    patch_mode="AutomaticByPlatform",
)
COLD = vm("cold", os=Os.WINDOWS, image=Image("MicrosoftWindowsServer", "WindowsServer", "2022-datacenter"))
IMPORTANT = frozenset({"critical", "security"})
DAY = timedelta(days=1)


def after(month: int, year: int = 2026) -> datetime:
    """The day after a month's release."""
    return release(month_of(year, month)) + DAY


def begun(machine: object = HOT, month: int = 11, share: float = 1.0, calendar: Calendar = USUAL) -> Software:
    """What a machine has when the emulator begins in that month."""
    return first_software(machine, seed=1, now=after(month), restart_share=share, calendar=calendar)  # type: ignore[arg-type]


def found(software: Software, month: int, calendar: Calendar = USUAL) -> list[str]:
    """The system's updates that an assessment finds the day after a month's release, by month and role."""
    told = outstanding(software, after(month), calendar)
    return [f"{patch.published:%m} {patch.role}" for patch in told if patch.series == SYSTEM]


def patched(software: Software, month: int, calendar: Calendar = USUAL, **asked: object) -> Software:
    """The same after a run on the day after a month's release, for all that is critical or security unless told otherwise."""
    request = InstallRequest("IfRequired", **{"classifications": IMPORTANT, **asked})  # type: ignore[arg-type]
    fates = chosen(software, request, after(month), calendar)
    return software.having([patch for patch, fate in fates if fate is Fate.SELECTED])


# What an assessment finds ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("facts", [{"os": Os.WINDOWS, "image": COLD.image}, {"os": Os.LINUX}])
def test_a_share_needs_a_restart(facts: dict[str, object]) -> None:
    """About the share asked for waits for a patch that restarts it; 0 and 1 are none and all."""

    def restarting(share: float) -> int:
        now = after(11)
        software = [
            first_software(vm(f"m{n}", **facts), seed=1, now=now, restart_share=share, calendar=USUAL)
            for n in range(400)
        ]
        return sum(any(patch.restarts for patch in outstanding(one, now, USUAL)) for one in software)

    assert restarting(0) == 0
    assert restarting(1) == 400
    assert 200 < restarting(0.6) < 280


def test_hotpatched_machines_restart_in_baseline_months_only() -> None:
    """A year of months: hotpatches on top of each baseline, whatever the share of machines that need a restart."""
    software = begun(month=1, share=0.0)
    year = []
    for month in range(1, 13):
        year.append(found(software, month))
        software = patched(software, month)

    assert [[f"{m:02} {'baseline' if m in {1, 4, 7, 10} else 'hotpatch'}"] for m in range(1, 13)] == year
    assert software.on_track


def test_missed_months_come_as_one() -> None:
    """A cumulative update holds all that came before: after three months there is one, and nothing after it."""
    software = begun(COLD, 8)

    assert found(software, 11) == ["11 cumulative"]
    assert found(patched(software, 11), 11) == []
    assert found(patched(software, 11), 12) == ["12 cumulative"]


def test_a_missed_hotpatch_is_in_the_next() -> None:
    """On the track still: it stands on its baseline."""
    assert found(begun(month=2), 3) == ["03 hotpatch"]


def test_a_missed_baseline_comes_with_the_hotpatch_on_top() -> None:
    """In a hotpatch month, both together, the baseline with its restart; taking the hotpatch alone isn't possible."""
    software = begun(month=10)

    assert found(software, 11) == ["10 baseline", "11 hotpatch"]
    assert found(patched(software, 11), 11) == []
    alone = patched(software, 11, exclude_rebooting=True)
    assert found(alone, 11) == ["10 baseline", "11 hotpatch"]


def test_an_unplanned_baseline_takes_the_hotpatch_s_place() -> None:
    """And the next month's hotpatch stands on it."""
    calendar = Calendar(unplanned=frozenset({month_of(2026, 11)}))
    software = begun(month=11, calendar=calendar)

    assert found(software, 11, calendar) == ["11 baseline"]
    software = patched(software, 11, calendar)
    assert found(software, 12, calendar) == ["12 hotpatch"]


# Off the track and back -----------------------------------------------------------------------------------------------


def off(month: int = 11) -> Software:
    """A hotpatched machine that took the month's cumulative update, by its number."""
    software = begun(month=month)
    whole = begun(COLD, month)  # who isn't hotpatched finds it
    assert whole.edition is not None
    kb = str(5_040_000 + month_of(2026, month) * 1000 + 10)
    return patched(software, month, classifications=frozenset(), include=(kb,))


def test_a_cumulative_update_in_a_hotpatch_month_leaves_the_track() -> None:
    """Monthly restarts until the next baseline, which takes the machine back."""
    software = off(5)

    assert not software.on_track
    assert found(software, 5) == []
    assert found(software, 6) == ["06 cumulative"]
    software = patched(software, 6)
    assert found(software, 7) == ["07 baseline"]
    software = patched(software, 7)
    assert software.on_track
    assert found(software, 8) == ["08 hotpatch"]


def test_an_update_out_of_band_leaves_the_track_too() -> None:
    """Only who asks for updates that are no security updates finds it, some days after the month's."""
    calendar = Calendar(out_of_band=frozenset({month_of(2026, 10)}))
    software = patched(begun(month=10, calendar=calendar), 10, calendar)
    late = after(10) + 12 * DAY

    assert outstanding(software, after(10) + 5 * DAY, calendar)[0].role is not Role.OUT_OF_BAND
    sent = outstanding(software, late, calendar)[0]
    assert (sent.role, sent.classification) == (Role.OUT_OF_BAND, "Updates")
    assert not software.having([sent]).on_track
    assert found(software.having([sent]), 11, calendar) == ["11 cumulative"]
    assert found(software, 11, calendar) == ["11 hotpatch"]


def test_taking_the_wrong_update_away_leads_back() -> None:
    """What is left decides: the baseline and its hotpatch."""
    software = off(5)
    wrong = software.of(SYSTEM)[-1]
    without = software.without(wrong.kb)

    assert without.on_track
    assert found(without, 5) == ["05 hotpatch"]
    assert without.without("1") is without


def test_without_hotpatching_there_is_no_track() -> None:
    """A machine of the same image on which it is off gets cumulative updates."""
    software = Software(begun().edition, hotpatching=False, installed=begun().installed)

    assert not software.on_track
    assert found(software, 12) == ["12 cumulative"]


def test_frameworks_restart_in_a_hotpatch_month() -> None:
    """An update of .NET that hotpatched machines get too, until they have it."""
    calendar = Calendar(frameworks=frozenset({month_of(2026, 5)}))
    software = begun(month=5, calendar=calendar)

    told = [patch for patch in outstanding(software, after(6), calendar) if ".NET" in patch.name]
    assert [patch.restarts for patch in told] == [True]
    done = patched(software, 6, calendar)
    assert not [patch for patch in outstanding(done, after(6), calendar) if ".NET" in patch.name]


# What a run may choose from -------------------------------------------------------------------------------------------


def test_a_latest_date_finds_what_was_out_then() -> None:
    """The set that was frozen in October is October's in November too; the newer one is left."""
    software = begun(COLD, 10)
    until = after(10)

    done = patched(software, 11, published_by=until)

    assert done.of(SYSTEM)[-1].published < until
    assert found(done, 11) == ["11 cumulative"]


def test_a_number_finds_what_is_superseded() -> None:
    """As long as it can be had, and if it is newer than what is installed."""
    software = begun(COLD, 8)
    (august,) = (patch for patch in outstanding(software, after(8), USUAL) if patch.series == SYSTEM)
    lasting = Calendar(lasting=timedelta(0))

    assert find(software, august.kb, after(9), USUAL) == august
    assert find(software, august.kb, after(8), lasting) == august
    assert find(software, august.kb, after(9), lasting) is None
    assert find(patched(software, 9), august.kb, after(9), USUAL) is None
    assert find(software, "4", after(9), USUAL) is None


def test_the_newer_of_two_is_installed() -> None:
    """A run that asks for October's by number and for all that is important takes November's."""
    software = begun(COLD, 10)
    (october,) = (patch for patch in outstanding(software, after(10), USUAL) if patch.series == SYSTEM)
    request = InstallRequest("IfRequired", classifications=IMPORTANT, include=(october.kb,))

    fates = {
        patch: fate for patch, fate in chosen(software, request, after(11), USUAL) if patch.series == SYSTEM
    }

    assert [(patch.published.month, str(fate)) for patch, fate in fates.items()] == [
        (11, "Installed"),
        (10, "NotSelected"),
    ]


def test_a_package_is_pinned_to_its_version() -> None:
    """The version that was asked for, though a newer one is out; nothing else."""
    software = begun(vm("lin", os=Os.LINUX), 10)
    wanted = next(patch for patch in outstanding(software, after(10), USUAL) if patch.name == "openssl")
    pinned = f"{wanted.name}={wanted.version}"

    done = patched(software, 11, classifications=frozenset(), include=(pinned,))

    assert done.of("openssl") == (wanted,)
    assert done.rank("snapd") == software.rank("snapd")
