"""What a plan knows of hotpatching: two speeds in one campaign, who is off the track, and what is saved."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import orjson
import pytest

from orchestrator.errors import UsageError
from orchestrator.hotpatch.calendar import built_in_calendar
from orchestrator.hotpatch.model import Month, MonthKind, Product, Release, Restarts, Told, Track
from orchestrator.inventory.model import (
    Image,
    Installed,
    Machine,
    Os,
    PatchSettings,
    PatchState,
    RebootBehavior,
    Update,
)
from orchestrator.planner.document import dump, parse
from orchestrator.planner.explain import explain
from orchestrator.planner.hotpatching import ProductMonth
from orchestrator.planner.model import Plan, PlannedMachine
from orchestrator.planner.plan import plan
from orchestrator.planner.saved import saved
from orchestrator.planner.summary import summarize
from orchestrator.policy.load import load_one
from orchestrator.policy.model import Reboot
from orchestrator.reports.gantt import draw
from orchestrator.topology.graph import build
from tests.fleet import inventory, vm

NOON = datetime(2025, 11, 13, 12, tzinfo=UTC)
NEVER, CAN, ALWAYS = RebootBehavior.NEVER, RebootBehavior.CAN, RebootBehavior.ALWAYS
HOTPATCH = Update("2025-11 Hotpatch (KB5068966)", "5068966", ("Security",), NEVER)
DOTNET = Update("2025-11 Cumulative Update for .NET Framework", "5000001", ("Security",), CAN)
CUMULATIVE = Update("2025-11 Cumulative Update for Windows Server", "5068861", ("Security",), ALWAYS)
TWO_SPEEDS = "rules: [{max_unavailable: 1, rebootless: {max_unavailable: 4}}]\n"


def machine(
    name: str, installed: str = "5066835", *updates: Update, assessed: bool = True, **facts: Any
) -> Machine:
    """A hotpatched server that was assessed just now, unless it is said otherwise."""
    patches = PatchState(
        assessed_at=NOON if assessed else None,
        reboot_pending=False if assessed else None,
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
    return vm(name, **told)


FLEET = (
    machine("hot-1", "5066835", HOTPATCH),
    machine("hot-2", "5070893", HOTPATCH),
    machine("leaver", "5066835", HOTPATCH, CUMULATIVE),
    machine("left", "5070881", CUMULATIVE),
    machine("net", "5066835", HOTPATCH, DOTNET),
    machine("off", "", assessed=False, patch_settings=PatchSettings(hotpatching=False)),
    machine(
        "old", "", assessed=False, image=Image("MicrosoftWindowsServer", "WindowsServer", "2019-datacenter")
    ),
    machine("quiet", "5066835", assessed=False),
)


def made(
    *, rules: str = TWO_SPEEDS, change: str = "{}", fleet: tuple[Machine, ...] = FLEET, **told: Any
) -> Plan:
    """The plan of all machines in one stage."""
    policy = load_one(
        "p.yaml",
        f"version: 1\nname: p\nselect: {{names: '*'}}\nreplaces: availability-first\n{rules}"
        f"change: {{patches: {change}}}\nstages: [{{name: all}}]\n",
    )
    taken = {"taken_at": NOON, **told}
    calendar = taken.pop("calendar", None)
    return plan(build(inventory(*fleet, **taken)), [policy], None, calendar=calendar)


def by_name(of: Plan) -> dict[str, PlannedMachine]:
    """Its machines."""
    return {one.name: one for one in of.machines}


def test_each_machine_is_told_what_restarts_it_and_by_what_that_is_known() -> None:
    """Its own assessment, else the calendar, else nothing."""
    told = {
        one.name: (one.restart, one.restart_by, one.restart_because, one.hotpatched)
        for one in made().machines
    }

    assert told == {
        "hot-1": (Restarts.NEVER, Told.ASSESSMENT, (), True),
        "hot-2": (Restarts.NEVER, Told.ASSESSMENT, (), True),
        "leaver": (Restarts.CERTAIN, Told.ASSESSMENT, ("cumulative update",), False),
        "left": (Restarts.CERTAIN, Told.ASSESSMENT, ("cumulative update",), False),
        "net": (Restarts.LIKELY, Told.ASSESSMENT, (".NET",), False),
        "off": (Restarts.LIKELY, Told.CALENDAR, (), False),
        "old": (Restarts.LIKELY, Told.CALENDAR, (), False),
        "quiet": (Restarts.UNKNOWN, Told.NOTHING, (), True),
    }


def test_one_campaign_has_two_speeds_where_a_rule_gives_room() -> None:
    """Those that need no restart are sent without one and ride in wider waves, the others one after another."""
    two = made()
    one = made(rules="rules: [{max_unavailable: 1}]\n")
    never = made(change="{reboot: never}")
    always = made(change="{reboot: always}")

    assert {name for name, held in by_name(two).items() if held.reboot is Reboot.NEVER} == {"hot-1", "hot-2"}
    assert [len(found.lanes[0].waves) for found in (two, one, never, always)] == [6, 8, 6, 8]
    for other in (one, never, always):
        assert {held.reboot for held in other.machines} == {None}
    assert {held.restart for name, held in by_name(one).items() if name.startswith("hot")} == {
        Restarts.UNKNOWN
    }


def test_room_is_given_by_a_rule_that_selects_the_machine() -> None:
    """A rule for others changes nothing."""
    found = made(
        rules="rules: [{max_unavailable: 1, of: {names: hot-1}, rebootless: {max_unavailable: 4}}]\n"
    )

    assert {name for name, held in by_name(found).items() if held.reboot} == {"hot-1"}


def test_the_calendar_alone_makes_nobody_rebootless() -> None:
    """On the track, in a hotpatch month, under every campaign."""
    for change in ("{}", "{reboot: never}"):
        assert by_name(made(change=change))["quiet"].restart is Restarts.UNKNOWN


def test_where_machines_stand_is_kept_and_read_back() -> None:
    """Each way once; who can't be hotpatched has none."""
    found = made()
    told = found.hotpatching
    assert told is not None

    assert told.month == Month(2025, 11)
    assert told.products == (
        ProductMonth(Product.WS2025, MonthKind.HOTPATCH, "5068966", "5068861", hotpatches=8),
    )
    standing = {
        name: None if held.hotpatch is None else told.standings[held.hotpatch].track
        for name, held in by_name(found).items()
    }
    assert standing == {
        "hot-1": Track.ON,
        "hot-2": Track.ON,
        "leaver": Track.LEAVING,
        "left": Track.LEFT,
        "net": Track.ON,
        "off": Track.OFF,
        "old": None,
        "quiet": Track.ON,
    }
    assert len(told.standings) == 5
    assert parse(dump(found), "plan.json") == found
    assert dump(made()) == dump(found)


def test_what_hotpatching_saves_is_counted() -> None:
    """This month, over the year, what is lost, and what restarts machines on the track all the same."""
    told = saved(made())
    assert told is not None

    assert (told.month, told.assured, told.year, told.lost) == (3, 2, 32, 2)
    assert dict(told.tracks) == {"on": 4, "leaving": 1, "left": 1, "off": 1}
    assert dict(told.despite) == {".NET": 1}
    assert [(group.standing.track, [one.name for one in group.machines]) for group in told.off] == [
        (Track.LEAVING, ["leaver"]),
        (Track.LEFT, ["left"]),
        (Track.OFF, ["off"]),
    ]
    listed = told.to_json()
    assert listed["off_track"][1]["back"] == "the baseline of January 2026, out on 2026-01-13"
    assert orjson.loads(orjson.dumps(listed)) == listed


def test_a_summary_counts_who_needs_no_restart_out() -> None:
    """Up to as many restarts as machines of which it isn't sure."""
    told = summarize(made())

    assert (told.machines, told.restarts) == (8, 6)
    assert dict(told.predicted) == {"certain": 2, "likely": 3, "unknown": 1, "never": 2}
    assert told.to_json()["hotpatch"]["saved_this_month"] == 3
    assert summarize(made(change="{reboot: never}")).restarts == 0


def test_a_corrected_calendar_is_what_the_plan_goes_by() -> None:
    """November turns out to be an unplanned baseline: nobody is spared, who is not assessed likely restarts."""
    november = Release(Product.WS2025, Month(2025, 11), MonthKind.UNPLANNED_BASELINE, kb="5068861")
    found = made(calendar=built_in_calendar().corrected([november], []))

    quiet = by_name(found)["quiet"]
    assert (quiet.restart, quiet.restart_by, quiet.hotpatched) == (Restarts.LIKELY, Told.CALENDAR, False)
    told = saved(found)
    assert told is not None
    assert (told.month, told.year) == (2, 21)


def test_without_a_day_or_without_hotpatching_nothing_is_said() -> None:
    """The file is what it was."""
    linux = (vm("a", os=Os.LINUX), vm("b"))
    for found in (made(taken_at=None), made(fleet=linux)):
        assert found.hotpatching is None
        assert saved(found) is None
        assert b"hotpatch" not in dump(replace(found, machines=()))
        assert {held.hotpatch for held in found.machines} == {None}
    assert b"restart_by" not in dump(made(fleet=linux))


def test_a_machine_is_explained() -> None:
    """Where it stands, and by what its restart is known."""
    found = made()

    assert explain(found, "left").hotpatch == (
        "off the hotpatch track: KB5070881, which came out of band on 2025-10-23, is installed; "
        "back with the baseline of January 2026, out on 2026-01-13"
    )
    lines = {name: explain(found, name).lines() for name in ("hot-1", "net", "off", "old")}
    assert "  it is sent with reboot: never, so that nothing restarts it" in lines["hot-1"]
    assert "  it may need a restart, as its last assessment says: .NET" in lines["net"]
    for name in ("off", "old"):
        assert any("without an assessment that isn't hotpatched" in line for line in lines[name])
    assert explain(found, "old").hotpatch == ""


@pytest.mark.parametrize(
    ("edit", "problem"),
    [
        ({"month": "soon"}, "hotpatch.month is 'soon'; write a month such as 2026-11"),
        ({"standings": []}, "machine hot-1 names standing 0, and there are 0"),
        (
            {"standings": [{"track": "left", "back_in": "13-2026"}]},
            "hotpatch.standings[0].back_in is '13-2026'; ",
        ),
        ({"standings": [{"track": "lane"}]}, 'hotpatch.standings[0].track is "lane"; write one of on, due, '),
        ({"lane": 1}, "hotpatch.lane is no key of this format"),
    ],
)
def test_a_plan_that_says_it_wrongly_is_refused(edit: dict[str, Any], problem: str) -> None:
    """With its place."""
    document = orjson.loads(dump(made()))
    document["hotpatch"].update(edit)
    with pytest.raises(UsageError) as refused:
        parse(orjson.dumps(document), "plan.json")
    assert problem in str(refused.value)


def test_a_month_is_one_of_releases() -> None:
    """The day before the second Tuesday still belongs to the month before."""
    told = made(taken_at=datetime(2025, 11, 10, 23, tzinfo=UTC)).hotpatching
    assert told is not None
    assert told.month == Month.at(date(2025, 11, 10)) == Month(2025, 10)


def test_a_month_that_looks_otherwise_is_a_warning() -> None:
    """Somebody who could be hotpatched is offered the cumulative update, and nobody the hotpatch."""
    at = datetime(2026, 11, 12, 12, tzinfo=UTC)
    offered = Update("2026-11 Cumulative Update for Windows Server 2025", "5199999", ("Security",), ALWAYS)
    patches = PatchState(assessed_at=at, reboot_pending=False, updates=(offered,))
    found = made(fleet=(machine("a", patches=patches),), taken_at=at)

    assert any("may be an unplanned baseline of Windows Server 2025" in one.what for one in found.warnings)
    assert not any("unplanned baseline" in one.what for one in made().warnings)


def test_a_drawing_says_it_too() -> None:
    """Restarts, what is saved, and both speeds."""
    drawn = draw(made(), "html").decode()

    assert "up to 6 restarts (2 certain, 3 likely, unknown counts as one); 2 need none and stay up" in drawn
    assert (
        "hotpatching in November 2025: saves 3 restarts this month, 1 of them by the calendar alone" in drawn
    )
    assert "two speeds: 2 machines that won't restart ride in wider waves" in drawn.replace("&#x27;", "'")
    assert "hotpatching" not in draw(made(fleet=(vm("a"),)), "html").decode()
