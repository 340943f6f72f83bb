"""Windows and freezes in a plan: calendars by machine, time zones, machines that could never be begun, and the file."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import orjson
import pytest

from orchestrator.errors import PolicyError, Refused, UsageError
from orchestrator.inventory.model import Machine, Os
from orchestrator.planner.document import dump, parse
from orchestrator.planner.durations import Duration, Durations, class_of
from orchestrator.planner.model import Plan
from orchestrator.planner.plan import plan
from orchestrator.policy.load import load_one
from orchestrator.policy.model import Days, Freeze, Origin, Policy, Weekday, Window, Zone
from orchestrator.policy.windows import Calendar, Closure, opens_next
from orchestrator.topology.graph import build
from tests.builders import NOON
from tests.fleet import inventory, vm, vm_id

NIGHT = Window(
    Days((Weekday(4), Weekday(5))),
    time(22),
    timedelta(hours=8),
    Zone("Europe/Amsterdam", machine=True),
    Origin("monthly.yaml", 5),
)
YEAR_END = Freeze(date(2026, 12, 18), date(2027, 1, 4), "year end", None, Origin("monthly.yaml", 7))
TAKES = timedelta(seconds=3769, minutes=5)
"""What a patch run and the time to stay well may take, by default."""


def campaign(*windows: Window, freezes: tuple[Freeze, ...] = ()) -> Policy:
    """A campaign over everything, with these windows."""
    policy = load_one(
        "monthly.yaml", 'version: 1\nname: monthly\nselect: {names: "*"}\nchange: {patches: {}}\n'
    )
    return replace(policy, windows=windows, freezes=freezes)


def rules(*windows: Window) -> Policy:
    """Another team's windows."""
    return Policy(
        "shop",
        "shop.yaml",
        load_one("x", "version: 1\nname: x\nrules: [{max_unavailable: 1}]").select,
        windows=windows,
    )


def planned(*machines: Machine, policies: tuple[Policy, ...], durations: Durations | None = None) -> Plan:
    """The plan of these machines, without the floor."""
    return plan(build(inventory(*machines, taken_at=NOON)), policies, None, durations=durations)


def calendar_of(made: Plan, name: str) -> Calendar:
    """The calendar of one of its machines."""
    machine = next(machine for machine in made.machines if machine.name == name)
    assert machine.calendar is not None
    return made.calendars[machine.calendar]


def test_a_plan_of_policies_that_are_silent_about_time_says_nothing_of_it() -> None:
    """The file is the same as ever."""
    made = planned(vm("a"), policies=(campaign(),))
    document = orjson.loads(dump(made))

    assert (made.calendars, made.machines[0].calendar) == ((), None)
    assert not {"calendars", "deadline_s"} & set(document)
    assert not {"calendar", "takes_s"} & set(document["machines"][vm_id("a")])


def test_each_machine_has_the_calendar_of_its_own_time_zone() -> None:
    """Machines in the same zone share one; where Azure tells none, the named zone holds."""
    made = planned(
        vm("berlin", os=Os.WINDOWS, time_zone="W. Europe Standard Time"),
        vm("linux"),
        vm("tokyo", os=Os.WINDOWS, time_zone="Tokyo Standard Time"),
        vm("wien", os=Os.WINDOWS, time_zone="W. Europe Standard Time"),
        policies=(campaign(NIGHT),),
    )
    zones = {m.name: calendar_of(made, m.name).windows[0][0].zone for m in made.machines}

    assert zones == {
        "berlin": Zone("Europe/Berlin"),
        "linux": Zone("Europe/Amsterdam"),
        "tokyo": Zone("Asia/Tokyo"),
        "wien": Zone("Europe/Berlin"),
    }
    assert len(made.calendars) == 3
    assert {machine.takes for machine in made.machines} == {TAKES}


def test_a_time_zone_that_nobody_knows_is_a_warning_with_names() -> None:
    """Its machines are under the zone that policies name for such."""
    made = planned(vm("a", time_zone="Middle-earth Standard Time"), policies=(campaign(NIGHT),))

    assert calendar_of(made, "a").windows[0][0].zone == Zone("Europe/Amsterdam")
    (told,) = [warned.what for warned in made.warnings if "time zone" in warned.what]
    assert told.startswith("the time zone `Middle-earth Standard Time` of a isn't known here")


def test_a_time_zone_that_no_policy_reads_is_nobodys_business() -> None:
    """Windows of a named zone hold for every machine alike."""
    named = replace(NIGHT, zone=Zone("UTC"))

    made = planned(vm("a", time_zone="Middle-earth Standard Time"), policies=(campaign(named),))

    assert [warned for warned in made.warnings if "time zone" in warned.what] == []


def test_windows_of_all_policies_hold_and_freezes_add_up() -> None:
    """Each policy's are an entry of the calendar."""
    other = replace(NIGHT, length=timedelta(hours=2), origin=Origin("shop.yaml", 3))

    made = planned(vm("a"), policies=(campaign(NIGHT, freezes=(YEAR_END,)), rules(other)))
    calendar = calendar_of(made, "a")

    assert [len(windows) for windows in calendar.windows] == [1, 1]
    assert opens_next(calendar, datetime(2026, 12, 18, tzinfo=UTC)) == datetime(2027, 1, 8, 21, tzinfo=UTC)


def test_windows_that_never_meet_are_an_error_that_names_the_files() -> None:
    """Nobody could ever be changed."""
    sunday = replace(
        NIGHT, days=Days((Weekday(6),)), at=time(12), length=timedelta(hours=2), origin=Origin("shop.yaml", 3)
    )

    with pytest.raises(PolicyError) as caught:
        planned(vm("a"), vm("b"), policies=(campaign(NIGHT), rules(sunday)))

    assert str(caught.value) == (
        "shop.yaml:3: the windows here and those of monthly.yaml:5 are never open together, on a, b; "
        "let them meet, or narrow the `select` of one of the policies"
    )


def test_who_could_never_be_begun_is_left_out_by_name() -> None:
    """An hour isn't enough for what may take longer; Linux machines of this fleet are known to be quick."""
    hour = replace(NIGHT, length=timedelta(hours=1))
    change = campaign().campaign
    assert change is not None
    known = Durations(
        {
            class_of(change.change, vm("a").kind, Os.LINUX): Duration(
                timedelta(minutes=5), timedelta(minutes=9), 50
            )
        }
    )

    made = planned(vm("a", os=Os.LINUX), vm("b", os=Os.WINDOWS), policies=(campaign(hour),), durations=known)

    assert [(left.machine, left.reason) for left in made.left_out] == [
        (
            vm_id("b"),
            "its change may take 1h7m49s, and its windows are never open for so long (monthly.yaml:5)",
        )
    ]
    with pytest.raises(Refused, match="windows are never open for so long"):
        planned(vm("b", os=Os.WINDOWS), policies=(campaign(hour),))


def test_a_deadline_is_in_the_plan() -> None:
    """Where the campaign says one of its own."""
    policy = campaign()
    assert policy.campaign is not None
    made = planned(
        vm("a"), policies=(replace(policy, campaign=replace(policy.campaign, deadline=timedelta(days=14))),)
    )

    assert made.deadline == timedelta(days=14)
    assert parse(dump(made), "plan.json") == made


# The file -------------------------------------------------------------------------------------------------------


def timed() -> Plan:
    """A plan with everything that concerns time."""
    other = replace(
        NIGHT,
        days=Days((Weekday(1, 2), Weekday(6, -1)), (4, 11)),
        at=time(23, 45),
        length=timedelta(hours=30),
    )
    return planned(
        vm("a"),
        vm("b", time_zone="Tokyo Standard Time"),
        policies=(
            campaign(NIGHT, other, freezes=(YEAR_END,)),
            rules(replace(NIGHT, origin=Origin("shop.yaml", 3))),
        ),
    )


def test_a_plan_with_calendars_is_read_back_to_the_letter() -> None:
    """And writing it again gives the same bytes."""
    made = timed()

    assert parse(dump(made), "plan.json") == made
    assert dump(parse(dump(made), "plan.json")) == dump(made)


def test_the_file_says_windows_as_people_do() -> None:
    """Days, clock times and zones; freezes as instants."""
    (calendar, _) = orjson.loads(dump(timed()))["calendars"]

    assert calendar["windows"][0] == [
        {
            "start": ["fri", "sat"],
            "days_after_second_tuesday": [],
            "at": "22:00",
            "for_s": 28800,
            "time_zone": "Europe/Amsterdam",
            "from": {"file": "monthly.yaml", "line": 5},
        },
        {
            "start": ["second tue", "last sun"],
            "days_after_second_tuesday": [4, 11],
            "at": "23:45",
            "for_s": 108000,
            "time_zone": "Europe/Amsterdam",
            "from": {"file": "monthly.yaml", "line": 5},
        },
    ]
    assert calendar["freezes"] == [
        {
            "start": "2026-12-17T10:00:00Z",
            "end": "2027-01-05T12:00:00Z",
            "reason": "year end",
            "from": {"file": "monthly.yaml", "line": 7},
        }
    ]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"at": "25:00"}, '`25:00` isn\'t a time of day; write hours and minutes, such as "22:00"'),
        ({"time_zone": "Europe/Atlantis"}, "`Europe/Atlantis` isn't a time zone that is known"),
        ({"start": ["someday"]}, "`someday` isn't a day on which a window could start"),
        ({"start": []}, "a window of calendars[0] starts on no day"),
        ({"for_s": None}, "a window of calendars[0] has no `for_s`"),
    ],
)
def test_a_calendar_that_makes_no_sense_is_refused(change: dict[str, Any], sentence: str) -> None:
    """A window that was passed over might have kept a machine from being changed."""
    document = orjson.loads(dump(timed()))
    document["calendars"][0]["windows"][0][0] |= change

    with pytest.raises(UsageError) as refused:
        parse(orjson.dumps(document), "plan.json")

    assert sentence in str(refused.value)


def test_a_calendar_that_isn_t_there_is_refused() -> None:
    """A machine would be changed at any time."""
    document = orjson.loads(dump(timed()))
    document["machines"][vm_id("a")]["calendar"] = 7

    with pytest.raises(UsageError, match="names calendar 7, and there are 2"):
        parse(orjson.dumps(document), "plan.json")


def test_closures_are_closed_from_their_start_to_their_end() -> None:
    """As the file gives them."""
    closure = parse(dump(timed()), "plan.json").calendars[0].freezes[0]

    assert closure == Closure(
        datetime(2026, 12, 17, 10, tzinfo=UTC),
        datetime(2027, 1, 5, 12, tzinfo=UTC),
        "year end",
        Origin("monthly.yaml", 7),
    )
