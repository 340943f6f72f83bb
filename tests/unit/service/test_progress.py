"""Where a rollout stands, for somebody who watches."""

from __future__ import annotations

from datetime import timedelta

from orchestrator.service.progress import Progress, progress
from tests.builders import NOON, budget, lane, plan_of, stage
from tests.diary import WHO, WHY, Diary


def seen(diary: Diary, most: int = 12) -> Progress:
    """The rollout now."""
    return progress(diary.scope, diary.rollout, diary.now, most=most)


def test_it_counts_machines_by_state() -> None:
    """Those that the plan changes; settled are those that need nothing more."""
    diary = Diary(plan_of(lane("west", "a b", "c"), counted="z"))
    diary.finish("a")
    diary.follow("b")
    told = seen(diary)
    assert dict(told.counts) == {"done": 1, "pending": 1, "running": 1}
    assert (told.machines, told.settled, told.in_flight) == (3, 1, 1)
    assert (told.stage, told.stage_number, told.stages) == ("broad", 1, 1)


def test_lanes_tell_their_waves_and_what_they_wait_for() -> None:
    """Those with something going on come first."""
    diary = Diary(plan_of(lane("first", "a", "b"), lane("second", "c", after=["first"]), lane("third", "d")))
    diary.finish("d")
    told = seen(diary)
    assert [(x.id, x.state, x.wave, x.waves, x.waits_for) for x in told.lanes] == [
        ("first", "open", 1, 2, ""),
        ("second", "waiting", 1, 1, "lane first"),
        ("third", "finished", 1, 1, ""),
    ]
    assert [x.id for x in seen(diary, most=1).lanes] == ["first"]


def test_a_lane_with_a_machine_that_is_a_persons_is_blocked() -> None:
    """Its gate stays shut, until when at most, and because of whom."""
    diary = Diary(plan_of(lane("west", "a", "b")))
    diary.change("a")
    diary.unhealthy("a")
    told = seen(diary)
    assert told.lanes[0].state == "blocked"
    (wait,) = told.waiting
    assert (wait.who, wait.holders, wait.until) == ("lane west", ("a",), NOON + timedelta(hours=24))


def test_a_lane_that_gave_up_says_so() -> None:
    """What it hadn't begun was left out."""
    diary = Diary(plan_of(lane("west", "a", "b")))
    diary.change("a")
    diary.unhealthy("a")
    diary.wait(hours=24)
    assert seen(diary).lanes[0].state == "gave up"


def test_machines_that_want_a_grant_name_the_rule_and_its_holders() -> None:
    """And how long at most they wait."""
    diary = Diary(plan_of(lane("west", "a b"), rules=[budget(1, "a b")]))
    diary.follow("a")
    (wait,) = seen(diary).waiting
    assert (wait.who, wait.reason, wait.holders) == ("b", "at most 1 of 2", ("a",))


def test_a_machine_that_is_left_alone_for_a_while_says_until_when() -> None:
    """Somebody else is patching it."""
    diary = Diary(plan_of(lane("west", "a")))
    diary.busy("a")
    (wait,) = seen(diary).waiting
    assert (wait.who, wait.until) == ("a", NOON + timedelta(minutes=10))


def test_what_holds_everything_is_told_alone() -> None:
    """A pause, a bake, an approval."""
    diary = Diary(
        plan_of(
            lane("one", "a", stage="canary"),
            lane("two", "b"),
            stages=[stage("canary", bake=timedelta(hours=1), approve=True), stage("broad")],
        )
    )
    diary.finish("a")
    (baking,) = seen(diary).waiting
    assert (baking.who, baking.reason, baking.until) == (
        "everything",
        "stage canary bakes",
        NOON + timedelta(hours=1),
    )
    diary.wait(hours=1)
    assert seen(diary).waiting[0].reason == "the next stage waits for approval"
    diary.approve()
    diary.pause()
    assert seen(diary).waiting[0].reason == f"paused by {WHO}: {WHY}"


def test_rooms_are_told_fullest_first_and_only_where_something_is_out() -> None:
    """So that a person sees where it gets tight."""
    diary = Diary(
        plan_of(lane("west", "a b c d"), rules=[budget(2, "a b c"), budget(3, "a b c d"), budget(1, "d")])
    )
    diary.follow("a")
    assert [(room.taken, room.limit, room.size) for room in seen(diary).rooms] == [(1, 2, 3), (1, 3, 4)]
    assert [room.limit for room in seen(diary, most=1).rooms] == [2]


def test_everything_can_be_had_as_plain_values() -> None:
    """For `--json`."""
    told = seen(Diary(plan_of(lane("west", "a")))).to_json()
    assert (told["rollout"], told["lanes"][0]["id"]) == ("r1", "west")
