"""Hotpatching makes nothing lighter than a machine's own assessment does, whatever the calendar says."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from orchestrator.hotpatch.calendar import Calendar, built_in_calendar
from orchestrator.hotpatch.eligibility import eligibility
from orchestrator.hotpatch.foresee import foresee
from orchestrator.hotpatch.model import (
    Answer,
    Between,
    Effect,
    Installation,
    Month,
    MonthKind,
    Product,
    Release,
    Restarts,
    Told,
    Track,
)
from orchestrator.hotpatch.predict import restart_of
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

NOON = datetime(2026, 5, 14, 12, tzinfo=UTC)
KBS = st.sampled_from(
    ["5082063", "5087423", "5087539", "5091157", "5066835", "5070881", "5070893", "5000001", ""]
)
NAMES = st.sampled_from(["2026-05 Hotpatch", "Cumulative Update for Windows", ".NET Framework", ""])
SKUS = st.sampled_from(
    ["2025-datacenter-azure-edition", "2022-datacenter-azure-edition", "2019-datacenter", ""]
)
UPDATES = st.builds(Update, NAMES, KBS, st.just(("Security",)), st.sampled_from(RebootBehavior))
PATCHES = st.builds(
    PatchState,
    assessed_at=st.none() | st.sampled_from([NOON, NOON - timedelta(days=30)]),
    reboot_pending=st.none() | st.booleans(),
    updates=st.none() | st.lists(UPDATES, max_size=3).map(tuple),
    installed=st.none()
    | st.lists(st.builds(Installed, KBS.filter(bool), NAMES, st.none() | st.just(NOON)), max_size=3).map(
        tuple
    ),
)
MACHINES = st.builds(
    lambda **facts: vm("a", **facts),
    kind=st.sampled_from(Kind),
    os=st.sampled_from(Os),
    image=st.builds(Image, st.just("MicrosoftWindowsServer"), st.just("WindowsServer"), SKUS),
    os_version=st.none()
    | st.sampled_from(["10.0.26100.32690", "10.0.26100.6905", "10.0.20348.5074", "nonsense"]),
    os_name=st.none() | st.sampled_from(["Windows Server 2025 Datacenter", "Windows 11 Enterprise"]),
    vbs=st.none() | st.booleans(),
    patch_settings=st.builds(PatchSettings, hotpatching=st.none() | st.booleans()),
    patches=PATCHES,
)
MONTHS = st.builds(Month, st.integers(2021, 2030), st.integers(1, 12))
CALENDARS = st.builds(
    lambda months, between: built_in_calendar().corrected(months, between),
    st.lists(
        st.builds(Release, st.sampled_from(Product), MONTHS, st.sampled_from(MonthKind), KBS), max_size=3
    ),
    st.lists(
        st.builds(
            Between,
            st.sampled_from(Product),
            KBS.filter(bool),
            st.just(date(2026, 5, 1)),
            st.sampled_from(Effect),
        ),
        max_size=2,
    ),
)
INSTALLATIONS = st.builds(
    Installation,
    st.just(("critical", "security")),
    st.just(()),
    st.just(()),
    st.booleans(),
    st.booleans(),
    st.none() | st.just(NOON),
)


@given(MACHINES, INSTALLATIONS, CALENDARS, MONTHS)
def test_never_makes_a_restart_lighter_than_the_assessment_does(
    machine: Machine, installation: Installation, calendar: Calendar, month: Month
) -> None:
    """Whatever isn't rebootless by its own assessment isn't by any calendar, and what is certain stays so."""
    told = foresee(machine, installation, Tracks(calendar, month))
    own = restart_of(machine, installation)

    assert told.restarts is own or (own, told.restarts, told.by) == (
        Restarts.UNKNOWN,
        Restarts.LIKELY,
        Told.CALENDAR,
    )


@given(MACHINES, CALENDARS, MONTHS)
def test_never_puts_on_the_track_who_cannot_be(machine: Machine, calendar: Calendar, month: Month) -> None:
    """A machine that can't be hotpatched is on no track, and whoever left is told what brings it back."""
    standing = Tracks(calendar, month).of(machine)

    assert (standing.track is Track.NONE) == (eligibility(machine).answer is Answer.NO)
    assert bool(standing.back) == (standing.track in {Track.DUE, Track.LEFT, Track.LEAVING})


@given(CALENDARS, st.sampled_from(Product), MONTHS)
def test_the_next_baseline_comes_after_and_the_newest_does_not(
    calendar: Calendar, product: Product, month: Month
) -> None:
    """And nothing between them is one."""
    before, after = calendar.baseline(product, month), calendar.next_baseline(product, month)

    assert before is None or (before.month <= month and before.kind.is_baseline)
    assert after is None or (month < after.month and after.kind.is_baseline)
    if before is not None and after is not None:
        between = calendar.since(product, before.month.plus(1), after.month.plus(-1))
        assert not [one for one in between if one.kind.is_baseline]
