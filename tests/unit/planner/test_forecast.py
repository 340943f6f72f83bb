"""When a plan will be done at the earliest, and what is to blame if that is too late."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.inventory.model import Kind, Os
from orchestrator.planner.durations import Duration, Durations, class_of
from orchestrator.planner.forecast import Forecast, forecast, sentences
from orchestrator.planner.model import Plan
from orchestrator.policy.model import Each, Freeze, Health, Origin, Patches, Zone
from orchestrator.policy.windows import calendar
from tests.builders import NOON, budget, lane, night, plan_of, stage, step, under
from tests.fleet import vm_id

HOUR = timedelta(hours=1)
WELL = Health().min_healthy_time
EXACTLY = Durations({class_of(Patches(), Kind.AZURE_VM, Os.LINUX): Duration(HOUR - WELL, HOUR - WELL, 99)})
"""Every disruption takes an hour, with the time to stay well."""

NIGHT = night((4, 5), "22:00", 8)
NIGHTS = calendar([[NIGHT]], [], None)


def told(*lanes: Any, **parts: Any) -> Forecast:
    """The forecast of a plan in which every disruption takes an hour, from Sunday noon on."""
    return forecast(plan_of(*lanes, **parts), EXACTLY, NOON)


def after(moment: datetime) -> float:
    """Hours after the start."""
    return (moment - NOON) / HOUR


def starts(forecast_: Forecast) -> dict[str, list[float]]:
    """When waves start, by lane, in hours."""
    found: dict[str, list[float]] = {}
    for wave in forecast_.waves:
        found.setdefault(wave.lane, []).append(after(wave.starts))
    return found


def spent(forecast_: Forecast) -> list[tuple[str, float]]:
    """What the time goes to, in hours."""
    return [(one.what, one.time / HOUR) for one in forecast_.spent]


def test_waves_follow_one_another_and_lanes_go_side_by_side() -> None:
    """A lane that waits for others begins when the last of them has ended."""
    found = told(lane("one", "a", "b", "c"), lane("two", "d e"), lane("three", "f", after=["one", "two"]))

    assert starts(found) == {"one": [0, 1, 2], "two": [0], "three": [3]}
    assert after(found.ends) == 4
    assert spent(found) == [("stage broad, 4 waves, one after another: as told", 4)]


def test_a_stage_opens_when_the_one_before_has_baked() -> None:
    """The last bake is watched, not waited for; a stage without machines doesn't bake."""
    found = told(
        lane("c", "a", stage="canary"),
        lane("b", "b", stage="broad"),
        stages=[
            stage("canary", bake=4 * HOUR),
            stage("pilot", bake=24 * HOUR, approve=True),
            stage("broad", bake=HOUR),
        ],
    )

    assert [(s.name, after(s.starts), after(s.ends), after(s.baked)) for s in found.stages] == [
        ("canary", 0, 1, 5),
        ("broad", 5, 6, 7),
    ]
    assert after(found.ends) == 6
    assert spent(found)[0] == ("the bake of stage canary", 4)
    assert found.approvals == ("pilot",)


def test_a_large_wave_lasts_as_long_as_its_slowest_probably_does() -> None:
    """Of one machine the median counts; of fifty, what 99 of 100 stay below."""
    known = Durations(
        {class_of(Patches(), Kind.AZURE_VM, Os.LINUX): Duration(HOUR - WELL, 3 * HOUR - WELL, 99)}
    )
    many = " ".join(f"m{n:02}" for n in range(50))

    one, fifty = (forecast(plan_of(lane("l", wave)), known, NOON) for wave in ("a", many))

    assert after(one.ends) == 1
    assert after(fifty.ends) == pytest.approx(Duration(HOUR, 3 * HOUR).quantile(0.99) / HOUR)


def test_caps_and_max_in_flight_let_a_wave_go_in_parts() -> None:
    """Waves are planned without them, and the rollout keeps them."""
    capped = told(lane("l", "a b c d e"), rules=[budget(2, "a b c d e z", cap=True)])
    few = told(lane("l", "a b c d e"), max_in_flight=1)

    assert after(capped.ends) == 3
    assert spent(capped) == [("at most 2 of 6", 2), ("stage broad, 1 wave: as told", 1)]
    assert after(few.ends) == 5
    assert spent(few)[0] == ("at most 1 machine in flight", 4)


def test_a_budget_that_waves_were_planned_around_costs_nothing_more() -> None:
    """It is in the waves already."""
    assert after(told(lane("l", "a", "b"), rules=[budget(1, "a b")]).ends) == 2


def test_nothing_begins_before_its_window_opens_or_too_late_in_it() -> None:
    """Nine waves of an hour: eight fit into Friday's night, the ninth goes on Saturday."""
    plan = under(plan_of(lane("l", *"abcdefghi")), NIGHTS)

    found = forecast(plan, EXACTLY, NOON)

    friday = 24 * 5 + 10
    assert starts(found) == {"l": [*(friday + n for n in range(8)), friday + 24]}
    assert spent(found)[0] == (
        "waiting for the window fri, sat at 22:00 for 8h, UTC",
        friday + 16,
    )
    assert found.blame is not None
    assert found.blame.origin == Origin("monthly.yaml", 5)


def test_what_may_take_long_begins_early_in_a_window() -> None:
    """What takes an hour here may take eight, so that each wave has a night of its own."""
    plan = under(plan_of(lane("l", "a", "b")), NIGHTS, takes=8 * HOUR)

    assert starts(forecast(plan, EXACTLY, NOON)) == {"l": [24 * 5 + 10, 24 * 6 + 10]}


def test_a_freeze_is_told_from_the_window_behind_it() -> None:
    """Of the time for which nothing may begin, what the freeze covers goes to it."""
    closed = Freeze(date(2026, 11, 22), date(2026, 12, 1), "sale", Zone("UTC"), Origin("sale.yaml", 3))
    plan = under(plan_of(lane("l", "a")), calendar([[NIGHT]], [closed], None))

    found = forecast(plan, EXACTLY, NOON)

    assert spent(found)[:2] == [
        ("the freeze sale", 9 * 24 + 12),
        ("waiting for the window fri, sat at 22:00 for 8h, UTC", 2 * 24 + 22),
    ]


def test_a_missed_deadline_names_what_most_of_the_time_goes_to() -> None:
    """And a deadline that is met is told in one line."""
    plan = under(plan_of(lane("l", "a")), NIGHTS)

    missed = forecast(replace(plan, deadline=2 * timedelta(days=1)), EXACTLY, NOON)

    assert not missed.in_time
    assert sentences(missed) == (
        "earliest end: 2026-11-27 23:00 UTC; deadline 2d: missed by 3d11h",
        "most of the time goes to 5d10h: waiting for the window fri, sat at 22:00 for 8h, UTC (monthly.yaml:5); 1h: stage broad, 1 wave: as told",
    )
    assert sentences(forecast(plan, EXACTLY, NOON)) == (
        "earliest end: 2026-11-27 23:00 UTC; deadline 30d: met",
    )


def test_who_has_no_window_is_passed_by_and_named() -> None:
    """A plan made elsewhere may hold such; nothing waits for it for ever."""
    plan = under(plan_of(lane("l", "a", "b")), NIGHTS, takes=9 * HOUR)

    found = forecast(plan, EXACTLY, NOON)

    assert found.never == (vm_id("a"), vm_id("b"))
    assert sentences(found)[-1] == "2 machines have no window in the next ten years that is long enough"


def test_a_plan_of_no_waves_is_done_at_once() -> None:
    """Nothing is to blame for it."""
    found = told(stages=[stage("broad", bake=HOUR)])

    assert (found.ends, found.blame, found.in_time) == (NOON, None, True)


def test_steps_around_more_than_a_machine_take_their_time() -> None:
    """Half a minute each: those before before the first machine, those after before the next wave, the bake and the end."""
    plan = plan_of(lane("l", "a", "b"), before=[step("off")], after=[step("on")])
    around = tuple(replace(plan.around[0], each=each) for each in (Each.ROLLOUT, Each.STAGE, Each.WAVE))
    named = tuple(replace(machine, around=(0, 1, 2)) for machine in plan.machines)

    found = forecast(replace(plan, around=around, machines=named), EXACTLY, NOON)

    minutes = {what: time * 60 for what, time in spent(found)}
    assert minutes == {
        "stage broad, 2 waves, one after another: as told": 120,
        "steps around waves": 2,
        "steps around stages": 1,
        "steps around the rollout": 1,
    }
    assert starts(found) == {"l": pytest.approx([1.5 / 60, 1 + 2.5 / 60])}


def test_who_never_has_room_is_left_out_after_max_wait() -> None:
    """The other lane takes longer than anybody waits; what comes after it begins then."""
    found = told(
        lane("one", "a b c"),
        lane("two", "d", "e"),
        lane("three", "f", after=["two"]),
        max_in_flight=1,
        max_wait=2 * HOUR,
    )

    assert found.given_up == (vm_id("d"), vm_id("e"))
    assert starts(found) == {"one": [0], "three": [3]}
    assert after(found.ends) == 4
    assert "2 machines would be left out, since nothing of their lanes has room" in sentences(found)[1]


def test_what_is_given_up_last_is_waited_for() -> None:
    """A stage is over when nobody is waited for any more."""
    found = told(lane("one", "a"), rules=[budget(0, "a", cap=True)], max_wait=2 * HOUR)

    assert (found.given_up, found.waves, after(found.ends)) == ((vm_id("a"),), (), 2)
    assert spent(found) == [("machines that never have room, until they are left out", 2)]


def test_programs_get_seconds() -> None:
    """And instants."""
    told_ = told(lane("l", "a")).to_json()

    assert told_["spent"] == ({"what": "stage broad, 1 wave: as told", "origin": None, "time_s": 3600.0},)
    assert told_["in_time"] is True
    assert told_["waves"][0]["ends"] == datetime(2026, 11, 22, 13, tzinfo=UTC)


# Whatever the plan ------------------------------------------------------------------------------------------------

NAMES = "abcdefgh"


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    """Lanes, waves, caps and windows over a few machines."""
    place = {
        name: (draw(st.integers(0, 1)), draw(st.integers(0, 2)), draw(st.integers(0, 2))) for name in NAMES
    }
    lanes = []
    for s in range(2):
        made: list[str] = []
        for i in range(3):
            each = (" ".join(n for n in NAMES if place[n] == (s, i, w)) for w in range(3))
            waves = tuple(wave for wave in each if wave)
            if waves:
                waits = [x for x in made if draw(st.booleans())]
                made.append(f"l{s}{i}")
                lanes.append(lane(made[-1], *waves, stage=f"s{s}", after=waits))
    plan = plan_of(
        *lanes,
        rules=[budget(draw(st.integers(1, 3)), " ".join(NAMES), cap=True)],
        stages=[stage("s0", bake=draw(st.integers(0, 9)) * HOUR), stage("s1")],
        max_in_flight=draw(st.sampled_from([None, 1, 2])),
        max_wait=draw(st.sampled_from([HOUR / 2, 24 * HOUR])),
        before=[step("off")],
        after=[step("on")],
    )
    plan = replace(plan, around=(replace(plan.around[0], each=draw(st.sampled_from(Each))),))
    return under(plan, NIGHTS) if draw(st.booleans()) else plan


@settings(max_examples=100, deadline=None)
@given(plans())
def test_the_time_adds_up_and_rules_hold(plan: Plan) -> None:
    """What is spent is the whole; caps, order of waves and windows are kept."""
    found = forecast(plan, EXACTLY, NOON)

    assert sum((one.time for one in found.spent), timedelta()) == found.ends - found.start
    by_lane: dict[str, list[Any]] = {}
    for wave in found.waves:
        assert wave.ends >= wave.starts + HOUR or found.given_up  # who is left out takes no hour
        assert all(wave.starts >= before.ends for before in by_lane.get(wave.lane, ()))
        by_lane.setdefault(wave.lane, []).append(wave)
    for held in plan.lanes:
        for other in held.after:
            if held.id in by_lane and other in by_lane:
                assert by_lane[held.id][0].starts >= by_lane[other][-1].ends
    opened = {s.name: s for s in found.stages}
    if len(opened) == 2:
        assert opened["s1"].starts == opened["s0"].baked
