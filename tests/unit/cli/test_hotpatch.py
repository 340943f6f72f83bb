"""`wavekeeper hotpatch`, and what other commands tell of hotpatching."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from orchestrator.inventory import native
from orchestrator.inventory.model import (
    Image,
    Installed,
    Inventory,
    Os,
    PatchSettings,
    PatchState,
    RebootBehavior,
    Update,
)
from tests.fleet import inventory, vm
from tests.unit.cli.conftest import Typed

NOON = datetime(2025, 11, 13, 12, tzinfo=UTC)
SERVER = "MicrosoftWindowsServer", "WindowsServer"
HOTPATCH = Update("2025-11 Hotpatch (KB5068966)", "5068966", ("Security",), RebootBehavior.NEVER)


@pytest.fixture
def servers(tmp_path: Path) -> str:
    """A file of two machines on the track, one that left, one of which only the build is known, and two that can't."""

    def server(
        name: str, *installed: str, sku: str = "2025-datacenter-azure-edition", **facts: object
    ) -> object:
        patches = PatchState(
            assessed_at=NOON,
            reboot_pending=False,
            updates=(HOTPATCH,),
            installed=tuple(map(Installed, installed)) or None,
        )
        told = {"patches": patches, "patch_settings": PatchSettings(hotpatching=True), **facts}
        return vm(name, os=Os.WINDOWS, image=Image(*SERVER, sku), **told)

    fleet = (
        server("hot-1", "5066835"),
        server("hot-2", "5070893"),
        server("left", "5070881", patches=PatchState(installed=(Installed("5070881"),))),
        server("odd", patches=PatchState(), os_version="10.0.26100.6905"),
        server("desktop", sku="2022-datacenter-azure-edition", patches=PatchState()),
        vm("linux", os=Os.LINUX),
    )
    (tmp_path / "servers.json").write_bytes(native.dump(inventory(*fleet, taken_at=NOON)))  # type: ignore[arg-type]
    return "servers.json"


MONTH = """\
November 2025, out on 2025-11-11
  Windows Server 2022: hotpatch, without a restart (KB5068840); next baseline January 2026, 2026-01-13
  Windows Server 2025: hotpatch, without a restart (KB5068966); next baseline January 2026, 2026-01-13
"""

MACHINES = """\
Off the hotpatch track: 1 machine
  machines  why                                                            what helps                                                 who
         1  KB5070881, which came out of band on 2025-10-23, is installed  back with the baseline of January 2026, out on 2026-01-13  left
"""


def test_it_tells_the_month_and_who_is_off_the_track(wavekeeper: Typed, servers: str) -> None:
    """The month is the inventory's."""
    ran = wavekeeper("hotpatch", "-i", servers)

    assert ran.code == 0
    assert ran.out.startswith(MONTH)
    assert MACHINES in ran.out
    assert "only the installed updates can tell  odd" in ran.out
    assert "hot-1" not in ran.out
    assert "on the hotpatch track                      2" in ran.out
    assert "hot-1, hot-2" not in ran.out
    assert "hot-1" in wavekeeper("hotpatch", "-i", servers, "--all").out


def test_who_cannot_be_hotpatched_is_told_why(wavekeeper: Typed, servers: str) -> None:
    """A person may have thought it could."""
    assert "desktop of 2022 Azure Edition" in wavekeeper("hotpatch", "-i", servers).out


def test_programs_are_told_the_same(wavekeeper: Typed, servers: str) -> None:
    """Every machine, the whole calendar."""
    told = wavekeeper("hotpatch", "-i", servers, "--json").json()

    assert (told["month"], told["by_track"]) == ("2025-11", {"none": 2, "on": 2, "left": 1, "unknown": 1})
    left = next(one for one in told["machines"] if one["name"] == "left")
    assert (left["track"], left["by"], left["back_in"], left["restarts_until_back"]) == (
        "left",
        "installed",
        "2026-01",
        2,
    )
    may = next(
        one for one in told["calendar"] if one["month"] == "2026-05" and one["product"].endswith("2025")
    )
    assert (may["kb"], may["build"], may["lcu_build"]) == ("5087423", "26100.32772", "26100.32860")
    assert {one["kb"] for one in told["out_of_band"]} >= {"5070881", "5070893"}


def test_without_a_source_it_tells_the_calendar(wavekeeper: Typed) -> None:
    """Of the month that is asked for."""
    ran = wavekeeper("hotpatch", "--month", "2026-06")

    assert (
        "Windows Server 2025: unplanned baseline, with a restart (KB5094125); next baseline July 2026"
        in ran.out
    )
    assert "Windows Server 2022: unknown; only a cumulative update was found" in ran.out
    assert "machine" not in ran.out
    assert "2024-01" in wavekeeper("hotpatch", "--month", "2026-06", "--all").out
    assert "by_track" not in wavekeeper("hotpatch", "--month", "2026-06", "--json").json()


def test_a_month_can_be_added_without_a_release(
    wavekeeper: Typed, servers: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By an option or by the environment."""
    Path("mine.yaml").write_text(
        "version: 1\nmonths:\n"
        "  - {product: windows_server_2025, month: 2026-11, kind: unplanned_baseline, kb: KB5100001}\n"
    )
    asked = ("hotpatch", "--month", "2026-11")

    assert "Windows Server 2025: hotpatch, without a restart, by the rule alone" in wavekeeper(*asked).out
    told = "Windows Server 2025: unplanned baseline, with a restart (KB5100001)"
    assert told in wavekeeper(*asked, "--hotpatch-calendar", "mine.yaml").out
    monkeypatch.setenv("WAVEKEEPER_HOTPATCH_CALENDAR", "mine.yaml")
    assert told in wavekeeper(*asked).out


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [
        ("version: 1\nmonths: [{product: x}]", 2, "mine.yaml:2:20: `x` isn't known here"),
        (None, 1, "there is no hotpatch calendar mine.yaml"),
    ],
)
def test_a_calendar_that_is_wrong_is_refused(
    wavekeeper: Typed, text: str | None, code: int, said: str
) -> None:
    """By file and line, before anything is read."""
    if text is not None:
        Path("mine.yaml").write_text(text)
    ran = wavekeeper("hotpatch", "--hotpatch-calendar", "mine.yaml")

    assert (ran.code, ran.out) == (code, "")
    assert said in ran.err


def test_a_month_that_is_none_is_refused(wavekeeper: Typed) -> None:
    """With how to write it."""
    ran = wavekeeper("hotpatch", "--month", "May")
    assert (ran.code, "write it as 2026-05" in ran.err) == (1, True)


def test_an_inventory_shows_what_the_portal_shows(wavekeeper: Typed, servers: str, fleet: str) -> None:
    """And nothing of it where no machine could be hotpatched."""
    assert (
        "hotpatch  Enabled 2, Not Available 2, Pending Evaluation 2"
        in wavekeeper("inventory", "-i", servers).out
    )
    assert wavekeeper("inventory", "-i", servers, "--json").json()["by_hotpatch"]["Enabled"] == 2
    assert "hotpatch" not in wavekeeper("inventory", "-i", fleet).out


POLICY = """\
version: 1
name: monthly
select: {names: "*"}
replaces: availability-first
rules: [{max_unavailable: 1, rebootless: {max_unavailable: 5}}]
change: {patches: {}}
stages: [{name: all}]
"""


def test_a_plan_says_what_it_saves_and_who_left(wavekeeper: Typed, servers: str) -> None:
    """Both speeds, restarts, and what brings machines back."""
    Path("p.yaml").write_text(POLICY)
    ran = wavekeeper("plan", "-i", servers, "-p", "p.yaml")

    assert ran.code == 0
    assert (
        "changes 6 machines of 6; up to 4 restarts (2 likely, unknown counts as one); 2 need none and stay up"
        in ran.out
    )
    assert "Hotpatching in November 2025\n" in ran.out
    assert "saves 2 restarts this month\n" in ran.out
    assert "saves 16 restarts over 2025, if the 2 machines that are on the track stay on it" in ran.out
    assert "two speeds: 2 machines that won't restart ride in wider waves" in ran.out
    assert "back with the baseline of January 2026, out on 2026-01-13" in ran.out
    told = wavekeeper("plan", "-i", servers, "-p", "p.yaml", "--json").json()["hotpatch"]
    assert (told["saved_this_month"], told["saved_by_assessment"], told["lost_until_back"]) == (2, 2, 2)


def test_a_plan_goes_by_the_calendar_that_it_is_given(wavekeeper: Typed, servers: str) -> None:
    """And its file says so."""
    Path("p.yaml").write_text(POLICY)
    Path("mine.yaml").write_text(
        "version: 1\nmonths: [{product: windows_server_2025, month: 2025-11, kind: unplanned_baseline}]\n"
    )
    ran = wavekeeper("plan", "-i", servers, "-p", "p.yaml", "--hotpatch-calendar", "mine.yaml")

    assert "Windows Server 2025: an unplanned baseline, which restarts everybody\n" in ran.out


@pytest.mark.parametrize(
    ("typed", "asked"),
    [(("--subscription", "s-1"), ["s-1"]), (("--all-subscriptions",), None)],
)
def test_a_live_fleet_is_read_with_what_was_installed(
    wavekeeper: Typed, monkeypatch: pytest.MonkeyPatch, typed: tuple[str, ...], asked: list[str] | None
) -> None:
    """By Resource Graph, which alone knows."""
    seen: list[object] = []

    def estate(subscriptions: list[str] | None, endpoint: str | None, *, updates: bool) -> Inventory:
        seen.extend((subscriptions, endpoint, updates))
        return inventory(vm("linux", os=Os.LINUX), taken_at=NOON)

    monkeypatch.setattr("orchestrator.cli.hotpatch.read_estate", estate)
    ran = wavekeeper("hotpatch", *typed, "--endpoint", "http://127.0.0.1:1")

    assert (ran.code, seen) == (0, [asked, "http://127.0.0.1:1", True])
    assert "hotpatches are a thing of Windows" in ran.out


def test_one_source_is_named(wavekeeper: Typed, servers: str) -> None:
    """Not a file and everything."""
    ran = wavekeeper("hotpatch", "-i", servers, "--all-subscriptions")
    assert (ran.code, "leave --inventory and --subscription away" in ran.err) == (1, True)


def test_a_month_that_looks_otherwise_is_told(wavekeeper: Typed) -> None:
    """Everybody is offered the cumulative update in a month that should be a hotpatch."""
    offered = Update("2026-11 Cumulative Update for Windows Server 2025", "1", ("Security",))
    patches = PatchState(assessed_at=NOON.replace(year=2026), updates=(offered,))
    machine = vm(
        "a",
        os=Os.WINDOWS,
        image=Image(*SERVER, "2025-datacenter-azure-edition"),
        patch_settings=PatchSettings(hotpatching=True),
        patches=patches,
    )
    fleet = inventory(machine, taken_at=NOON.replace(year=2026))
    Path("odd.json").write_bytes(native.dump(fleet))

    assert (
        "November 2026 may be an unplanned baseline of Windows Server 2025: 1 of"
        in wavekeeper("hotpatch", "-i", "odd.json").out
    )
    assert len(wavekeeper("hotpatch", "-i", "odd.json", "--json").json()["surprises"]) == 1
