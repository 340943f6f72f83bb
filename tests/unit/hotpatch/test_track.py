"""Who is on the hotpatch track, by installed updates first; what takes a machine off, and what brings it back."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from orchestrator.hotpatch.calendar import built_in_calendar
from orchestrator.hotpatch.model import (
    Between,
    Effect,
    Month,
    MonthKind,
    Product,
    Release,
    Standing,
    Told,
    Track,
)
from orchestrator.hotpatch.track import Tracks
from orchestrator.inventory.model import (
    Image,
    Installed,
    Kind,
    Machine,
    Os,
    PatchSettings,
    PatchState,
    RebootBehavior,
    Update,
)
from tests.fleet import vm

CALENDAR = built_in_calendar()
IMAGE_2025 = Image("MicrosoftWindowsServer", "WindowsServer", "2025-datacenter-azure-edition")
IMAGE_2022 = Image("MicrosoftWindowsServer", "WindowsServer", "2022-datacenter-azure-edition-core")
ENABLED = PatchSettings(hotpatching=True)


def machine(
    *installed: str, offered: tuple[str, ...] = (), build: int | None = None, **facts: Any
) -> Machine:
    """A machine that is hotpatched, with these KBs, of which it is offered these."""
    base = 20348 if facts.get("image") == IMAGE_2022 else 26100
    told: dict[str, Any] = {
        "os": Os.WINDOWS,
        "image": IMAGE_2025,
        "patch_settings": ENABLED,
        "os_version": None if build is None else f"10.0.{base}.{build}",
        "patches": PatchState(
            assessed_at=datetime(2025, 11, 12, tzinfo=UTC),
            installed=tuple(Installed(kb) for kb in sorted(installed)) if installed else None,
            updates=tuple(Update(f"update {kb}", kb) for kb in offered) if offered else None,
        ),
    }
    return vm("a", **{**told, **facts})


def standing(one: Machine, when: str) -> Standing:
    """Where it stands in a month."""
    year, number = map(int, when.split("-"))
    return Tracks(CALENDAR, Month(year, number)).of(one)


@pytest.mark.parametrize(
    ("installed", "build", "track", "by"),
    [
        (("5066835",), 6899, Track.ON, Told.INSTALLED),
        (("5070893",), 6905, Track.ON, Told.INSTALLED),
        (("5070881",), 6905, Track.LEFT, Told.INSTALLED),
        (("5066835", "5070881"), 6905, Track.LEFT, Told.INSTALLED),
        (("5070881", "5070893"), 6905, Track.LEFT, Told.INSTALLED),
        (("5066835", "5068966"), 7092, Track.ON, Told.INSTALLED),
        (("5068861",), 7171, Track.LEFT, Told.INSTALLED),
        ((), 6899, Track.ON, Told.BUILD),
        ((), 6905, Track.UNKNOWN, Told.BUILD),
        ((), 7092, Track.ON, Told.BUILD),
        ((), 7171, Track.LEFT, Told.BUILD),
        ((), 6584, Track.DUE, Told.BUILD),
        ((), 7000, Track.UNKNOWN, Told.BUILD),
        ((), None, Track.UNKNOWN, Told.NOTHING),
        (("5000001",), None, Track.UNKNOWN, Told.NOTHING),
    ],
)
def test_november_2025(installed: tuple[str, ...], build: int | None, track: Track, by: Told) -> None:
    """KB5066835 and KB5070893 keep a machine on the track, KB5070881 takes it off, though its build is that of the latter."""
    told = standing(machine(*installed, build=build), "2025-11")

    assert (told.track, told.by) == (track, by)


def test_who_left_in_october_2025_is_brought_back_by_the_baseline_of_january() -> None:
    """Until then every month restarts it."""
    for when in ("2025-10", "2025-11", "2025-12"):
        told = standing(machine("5066835", "5070881"), when)
        assert (told.track, told.back_in) == (Track.LEFT, Month(2026, 1))
        assert told.back == "the baseline of January 2026, out on 2026-01-13"
        assert told.why == "KB5070881, which came out of band on 2025-10-23, is installed"
    january = standing(machine("5066835", "5070881"), "2026-01")
    assert (january.track, january.back) == (Track.DUE, "the baseline of January 2026 (KB5073379), now")
    assert standing(machine("5066835", "5070881", "5073379"), "2026-01").track is Track.ON


def test_a_build_that_is_two_updates_tells_neither() -> None:
    """And says which two."""
    why = standing(machine(build=6905), "2025-11").why

    assert "KB5070893, which keeps a machine on the track, and of KB5070881, which takes it off" in why


@pytest.mark.parametrize(
    ("image", "when", "installed", "track"),
    [
        (IMAGE_2022, "2026-01", "5078238", Track.ON),
        (IMAGE_2022, "2026-05", "5091575", Track.LEFT),
        (IMAGE_2022, "2026-05", "5082142", Track.ON),
        (IMAGE_2022, "2026-06", "5094128", Track.UNKNOWN),
        (IMAGE_2022, "2026-06", "5087424", Track.ON),
        (IMAGE_2022, "2024-09", "5041160", Track.ON),
        (IMAGE_2022, "2024-09", "5042881", Track.LEFT),
        (IMAGE_2025, "2026-05", "5091157", Track.LEFT),
        (IMAGE_2025, "2026-05", "5087539", Track.LEFT),
        (IMAGE_2025, "2026-05", "5087423", Track.ON),
        (IMAGE_2025, "2026-06", "5087539", Track.DUE),
        (IMAGE_2025, "2026-06", "5087423", Track.DUE),
        (IMAGE_2025, "2026-06", "5094125", Track.ON),
        (IMAGE_2025, "2026-07", "5094125", Track.DUE),
        (IMAGE_2025, "2026-08", "5120233", Track.LEFT),
        (IMAGE_2025, "2026-09", "5120228", Track.ON),
        (IMAGE_2025, "2024-11", "5046696", Track.ON),
        (IMAGE_2025, "2026-05", "5087424", Track.UNKNOWN),
    ],
)
def test_other_months_by_what_is_installed(image: Image, when: str, installed: str, track: Track) -> None:
    """Baselines, unplanned ones, hotpatches and cumulative updates, in band and out of band; another product's says nothing."""
    assert standing(machine(installed, image=image), when).track is track


def test_the_unplanned_baseline_of_june_2026_brings_back_who_left_in_may() -> None:
    """It is the next baseline, whatever was planned."""
    assert standing(machine("5087539"), "2026-05").back_in == Month(2026, 6)


@pytest.mark.parametrize(
    ("installed", "offered", "track", "by"),
    [
        ((), ("5068966",), Track.ON, Told.ASSESSMENT),
        ((), ("5068861",), Track.LEFT, Told.ASSESSMENT),
        ((), ("5068966", "5068861"), Track.LEAVING, Told.ASSESSMENT),
        (("5066835",), ("5068861",), Track.LEAVING, Told.INSTALLED),
        (("5066835",), ("5070881",), Track.LEAVING, Told.INSTALLED),
        (("5066835",), ("5068966",), Track.ON, Told.INSTALLED),
        ((), ("5066835",), Track.DUE, Told.ASSESSMENT),
        (("5070881",), ("5068966",), Track.UNKNOWN, Told.INSTALLED),
        (("5070881",), ("5068861",), Track.LEFT, Told.INSTALLED),
        (("5065474",), ("5068966",), Track.ON, Told.ASSESSMENT),
        (("5065474",), (), Track.DUE, Told.INSTALLED),
        ((), ("4577586",), Track.UNKNOWN, Told.NOTHING),
    ],
)
def test_what_is_offered_tells_who_is_about_to_leave(
    installed: tuple[str, ...], offered: tuple[str, ...], track: Track, by: Told
) -> None:
    """A cumulative update in a hotpatch month takes off whoever is on the track."""
    told = standing(machine(*installed, offered=offered), "2025-11")

    assert (told.track, told.by) == (track, by)
    if track is Track.LEAVING:
        assert "exclude_kbs" in told.why
        assert told.back_in == Month(2026, 1)


def test_an_assessment_goes_before_a_build() -> None:
    """The build is as old as the last restart of its agent; what is offered is what will be installed."""
    assert standing(machine(offered=("5068966",), build=7171), "2025-11").track is Track.ON


@pytest.mark.parametrize(
    ("facts", "when", "track"),
    [
        ({"patch_settings": PatchSettings(hotpatching=False)}, "2025-11", Track.OFF),
        (
            {"image": Image("MicrosoftWindowsServer", "WindowsServer", "2025-datacenter")},
            "2025-11",
            Track.NONE,
        ),
        ({"image": Image(id="/g")}, "2025-11", Track.NONE),
        ({"image": Image()}, "2025-11", Track.ON),
        ({"os": Os.LINUX, "image": Image()}, "2025-11", Track.NONE),
        ({"image": IMAGE_2022}, "2028-01", Track.UNKNOWN),
        ({"image": IMAGE_2022}, "2023-05", Track.UNKNOWN),
        (
            {"patch_settings": PatchSettings(hotpatching=True, hotpatch_license="Disabling")},
            "2025-11",
            Track.LEAVING,
        ),
    ],
)
def test_settings_and_images_decide_first(facts: dict[str, Any], when: str, track: Track) -> None:
    """Whoever can't, or isn't turned on, isn't on the track whatever is installed; an image that isn't told leaves the updates."""
    assert standing(machine("5066835", **facts), when).track is track


@pytest.mark.parametrize(
    ("settings", "track"),
    [
        (PatchSettings(hotpatch_license="Enabled", hotpatch_status="Enabled"), Track.ON),
        (PatchSettings(hotpatch_license="Enabled", hotpatch_status="ActionRequired"), Track.OFF),
        (PatchSettings(hotpatch_license="Disabled"), Track.OFF),
        (PatchSettings(hotpatch_license="Disabled", hotpatch_status="Enabled"), Track.OFF),
        (PatchSettings(hotpatch_status="Enabled"), Track.ON),
        (PatchSettings(hotpatch_status="Disabled"), Track.OFF),
        (PatchSettings(), Track.OFF),
    ],
)
def test_a_server_under_arc_needs_its_license(settings: PatchSettings, track: Track) -> None:
    """And what hangs on it."""
    one = machine("5066835", build=6899, kind=Kind.ARC, image=Image(), patch_settings=settings)

    assert standing(one, "2025-11").track is track


def test_azure_local_hotpatches_itself() -> None:
    """Without a license; what is installed tells all the same."""
    facts: dict[str, Any] = {
        "kind": Kind.AZURE_LOCAL,
        "os_name": "Windows Server 2025 Datacenter: Azure Edition",
    }
    one = machine("5066835", build=6899, image=Image(), patch_settings=PatchSettings(), **facts)

    assert standing(one, "2025-11").track is Track.ON


def test_beyond_the_calendar_a_hotpatch_is_known_by_its_name() -> None:
    """The month is by the rule alone, and nobody can have put its KB here."""
    offered = Update("2026-11 Security Hotpatch Update (KB5199999)", "5199999", reboot=RebootBehavior.NEVER)
    by_name = machine(patches=PatchState(assessed_at=datetime(2026, 11, 12, tzinfo=UTC), updates=(offered,)))
    late, early = datetime(2026, 11, 12, tzinfo=UTC), datetime(2026, 9, 9, tzinfo=UTC)

    assert standing(by_name, "2026-11").track is Track.ON
    for at, track in ((late, Track.ON), (early, Track.UNKNOWN), (None, Track.UNKNOWN)):
        held = PatchState(installed=(Installed("5199999", "2026-11 Hotpatch", at),))
        one = machine(patches=held, patch_settings=ENABLED)
        # the flag alone is pending evaluation without an assessment, which takes nobody off the track
        assert standing(one, "2026-11").track is track


HOT_NAME, LCU_NAME = "2026-11 Security Hotpatch Update", "2026-11 Cumulative Update for Windows Server"
OCTOBER = "2026-10 Cumulative Update for Microsoft server operating system"


@pytest.mark.parametrize(
    ("installed", "offered", "kind", "track"),
    [
        (OCTOBER, (), None, Track.ON),
        ("2026-10 Cumulative Update for .NET Framework", (), None, Track.UNKNOWN),
        ("", (OCTOBER,), None, Track.DUE),
        ("", (LCU_NAME,), None, Track.UNKNOWN),
        (OCTOBER, (LCU_NAME,), None, Track.UNKNOWN),
        (OCTOBER, (HOT_NAME,), None, Track.ON),
        (OCTOBER, (HOT_NAME, LCU_NAME), None, Track.LEAVING),
        ("", (LCU_NAME,), MonthKind.HOTPATCH, Track.LEFT),
        (OCTOBER, (LCU_NAME,), MonthKind.HOTPATCH, Track.LEAVING),
        (LCU_NAME, (), MonthKind.HOTPATCH, Track.LEFT),
        (LCU_NAME, (), None, Track.UNKNOWN),
        (LCU_NAME, (), MonthKind.UNPLANNED_BASELINE, Track.ON),
        ("", (LCU_NAME,), MonthKind.UNPLANNED_BASELINE, Track.DUE),
    ],
)
def test_where_the_calendar_has_no_number_updates_are_known_by_their_names(
    installed: str, offered: tuple[str, ...], kind: MonthKind | None, track: Track
) -> None:
    """A planned baseline is one by the rule; of a hotpatch month that only the rule tells of, an unplanned baseline is possible."""
    months = [] if kind is None else [Release(Product.WS2025, Month(2026, 11), kind)]
    patches = PatchState(
        assessed_at=datetime(2026, 11, 12, tzinfo=UTC),
        installed=(Installed("5199990", installed),) if installed else None,
        updates=tuple(Update(name, f"519999{number}") for number, name in enumerate(offered, start=1)),
    )
    found = Tracks(CALENDAR.corrected(months, []), Month(2026, 11)).of(machine(patches=patches))

    assert found.track is track
    if track is Track.UNKNOWN and offered:
        assert "or the month is an unplanned baseline" in found.why


@pytest.mark.parametrize(("told", "track"), [(None, Track.ON), (False, Track.OFF)])
def test_who_is_offered_a_hotpatch_is_on_though_the_flag_is_left_out(told: bool | None, track: Track) -> None:
    """A projection may leave the flag out; a flag that says no is believed."""
    patches = PatchState(updates=(Update(HOT_NAME, "5199991"),))
    one = machine(
        patches=patches, patch_mode="AutomaticByPlatform", patch_settings=PatchSettings(hotpatching=told)
    )
    assert standing(one, "2026-11").track is track


@pytest.mark.parametrize(("build", "track"), [(33222, Track.DUE), (33300, Track.UNKNOWN)])
def test_beyond_the_calendar_an_old_build_still_lacks_the_baseline(build: int, track: Track) -> None:
    """Whatever the baseline of October 2026 is, it is newer than August's hotpatch."""
    assert standing(machine(build=build), "2026-11").track is track


def test_a_corrected_calendar_changes_who_is_on_the_track() -> None:
    """A month that turned out to be an unplanned baseline, and an update out of band."""
    november = Release(
        Product.WS2025, Month(2026, 11), MonthKind.UNPLANNED_BASELINE, kb="5100001", build=34000
    )
    oob = Between(Product.WS2025, "5100002", date(2026, 11, 20), Effect.LEAVES)
    tracks = Tracks(CALENDAR.corrected([november], [oob]), Month(2026, 11))

    assert tracks.of(machine("5100001")).track is Track.ON
    assert tracks.of(machine("5100002")).track is Track.LEFT
    assert standing(machine("5100001"), "2026-11").track is Track.UNKNOWN
