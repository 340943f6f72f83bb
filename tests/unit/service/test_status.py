"""The seven questions of somebody who was woken by it."""

from __future__ import annotations

from datetime import timedelta

from orchestrator.policy.model import Each
from orchestrator.service.status import headline, machine_status, options, status, what_is_next
from tests.builders import budget, exclusion, lane, plan_of, stage, step, surrounded, telling
from tests.diary import OLD, WHO, WHY, Diary

SHOP = plan_of(
    lane("one", "a", stage="canary"),
    lane("two", "b c", "d"),
    stages=[stage("canary", bake=timedelta(hours=4)), stage("broad")],
    rules=[budget(1, "b c d e")],
    counted="e",
)


def shop() -> Diary:
    """A canary, then two waves of a group of which one at a time may be out; e counts and isn't changed."""
    return Diary(SHOP)


def broad() -> Diary:
    """The same after the canary and its bake."""
    diary = shop()
    diary.finish("a")
    diary.wait(hours=4)
    return diary


# Is anything getting worse, and what is next? ---------------------------------------------------------------


def test_before_anything_is_touched_it_says_so() -> None:
    """It looks at every machine first."""
    diary = Diary(SHOP, prepared=False)
    assert headline(diary.rollout) == "Starting: every machine is looked at once before anything is touched."


def test_while_it_runs_it_counts() -> None:
    """Done, in flight, and who needs a look."""
    diary = broad()
    diary.follow("b")
    assert headline(diary.rollout) == "Running: 1 of 4 done, 1 in flight, nothing needs a look."
    diary.ended("b")
    diary.unhealthy("b")
    assert headline(diary.rollout) == "Running: 1 of 4 done, 0 in flight, 1 needs a look."


def test_what_is_carried_through_is_told_apart_from_what_rests() -> None:
    """Paused with machines in flight, and with none."""
    diary = broad()
    diary.follow("b")
    diary.pause()
    assert headline(diary.rollout) == (
        "Paused by ada: 1 of 4 done. 1 in flight are carried through; nothing new starts."
    )
    diary.ended("b")
    diary.healthy("b")
    assert headline(diary.rollout) == (
        "Paused by ada: 2 of 4 done. Nothing is in flight, nothing new starts, nothing gets worse by waiting."
    )


def test_an_end_says_how_much_is_done() -> None:
    """Aborted, refused, finished."""
    diary = broad()
    diary.abort()
    assert headline(diary.rollout).startswith("Aborted by ada: 1 of 4 done.")
    refused = Diary(SHOP, prepared=False)
    refused.looked(asked=1, unasked=9)
    assert headline(refused.rollout).startswith("Refused before anything was touched: 9 of 10 probes")
    whole = broad()
    whole.finish("b", "c", "d")
    assert headline(whole.rollout) == "Finished: 4 of 4 done."


def test_what_is_next_names_stage_and_moment() -> None:
    """While it bakes, while it runs, when it stands."""
    diary = shop()
    assert what_is_next(diary.rollout, diary.now) == "the next waves of stage canary, as their gates pass"
    diary.finish("a")
    assert what_is_next(diary.rollout, diary.now) == (
        "stage broad, at 2026-11-22 16:00 UTC, when stage canary has baked"
    )
    diary.pause()
    assert what_is_next(diary.rollout, diary.now) == "nothing"


# Who is out, and why did it stop? ---------------------------------------------------------------------------


def test_it_lists_who_is_out_by_whom_and_since_when() -> None:
    """Ours with their state and lane; others as they were seen."""
    diary = broad()
    diary.follow("b")
    diary.wait(minutes=5)
    diary.fleet(out="e")
    told = status(diary.scope, diary.rollout, diary.now)
    assert [(out.name, out.rollout, out.state, out.lane) for out in told.out] == [
        ("b", diary.rollout.id, "running", "two"),
        ("e", "", "out", ""),
    ]
    assert told.out[0].since < told.out[1].since
    assert [out.name for out in told.half_done] == ["b"]


def test_it_says_why_it_stopped_with_the_evidence() -> None:
    """The cause, and each machine with what its probes said; a late failure is marked."""
    diary = shop()
    diary.finish("a")
    diary.fleet(out="a", evidence="503: db not reachable")
    told = status(diary.scope, diary.rollout, diary.now)
    assert told.stopped.startswith("1 unhealthy of 1 attempted in stage canary, the limit is 1")
    assert told.evidence == (
        "a: unhealthy since 12:00 (late: it was well when verified): 503: db not reachable",
    )


def test_groups_without_room_are_listed_with_their_holders() -> None:
    """Budgets that are used up, and exclusions in which somebody has their turn."""
    diary = Diary(plan_of(lane("x", "a b c"), rules=[budget(1, "a b"), exclusion({"z1": "a b", "z2": "c"})]))
    diary.follow("a")
    told = status(diary.scope, diary.rollout, diary.now)
    assert [(full.who, full.reason, full.holders) for full in told.full] == [
        ("at most 1 of 2", "1 of 1 (policies/test.yaml:1)", ("a",)),
        ("one of z1, z2 at a time", "z1 has its turn", ("a",)),
    ]


def test_what_was_begun_around_waves_and_stages_is_listed() -> None:
    """Half done is who is drained or silenced: what of it is done, and what failed."""
    plan = surrounded(
        plan_of(lane("x", "a")), Each.STAGE, [step("silence")], [step("unsilence"), step("tell")]
    )
    diary = Diary(plan)
    assert status(diary.scope, diary.rollout, diary.now).steps == ()
    diary.well("a")
    diary.step_around(0)
    diary.finish("a")
    diary.step_around(0)
    diary.step_around(0, ok=False)
    told = status(diary.scope, diary.rollout, diary.now)
    assert told.steps == ("stage broad: 1 of 1 steps before, 1 of 2 after are done; FAILED: 500",)


def test_steps_after_that_wait_for_a_person_say_so() -> None:
    """An undecided machine keeps its stage silenced, and whoever looks at three in the morning must see why."""
    plan = surrounded(plan_of(lane("x", "a")), Each.STAGE, [step("silence")], [step("unsilence")])
    diary = Diary(plan)
    diary.well("a")
    diary.step_around(0)
    diary.well("a")
    diary.unsettled("a")
    diary.read_back("a", OLD, certain=False)
    told = status(diary.scope, diary.rollout, diary.now)
    assert told.steps == (
        "stage broad: 1 of 1 steps before, 0 of 1 after are done; those after wait for a person's word on what is undecided",
    )


def test_who_could_not_be_told_is_listed() -> None:
    """It stops nothing, so that somebody has to see it here."""
    diary = Diary(telling(plan_of(lane("x", "a")), "ops"))
    assert status(diary.scope, diary.rollout, diary.now).untold == ()
    diary.heard("ops", ok=False)
    told = status(diary.scope, diary.rollout, diary.now)
    assert told.untold == ("ops: 1 notice is not told: 503",)


# What may I do? ---------------------------------------------------------------------------------------------


def test_the_options_are_those_that_would_be_carried_out() -> None:
    """With what each would start."""
    diary = broad()
    running = [option.command for option in options(diary.rollout, diary.now)]
    assert running == ["wavekeeper pause r1", "wavekeeper abort r1"]
    diary.change("b")
    diary.unhealthy("b")
    diary.pause()
    told = {option.command: option.effect for option in options(diary.rollout, diary.now)}
    assert told == {
        "wavekeeper resume r1": "2 machines wait; gates are asked first",
        "wavekeeper abort r1": "ends it; nothing is reverted",
        "wavekeeper retry b": "the next attempt, under a fresh grant",
        "wavekeeper skip b": "not this machine; it counts as out until it is well",
        "wavekeeper write-off b": "closes its grant: it no longer counts as out",
    }


def test_a_stage_that_waits_for_a_yes_offers_it() -> None:
    """And says what it would open."""
    diary = Diary(
        plan_of(
            lane("one", "a", stage="canary"),
            lane("two", "b"),
            stages=[stage("canary", approve=True), stage("broad")],
        )
    )
    diary.finish("a")
    first = options(diary.rollout, diary.now)[0]
    assert (first.command, first.effect) == (
        "wavekeeper approve r1",
        "stage broad, once a person approves begins",
    )


def test_of_one_that_is_over_only_open_grants_are_left() -> None:
    """A machine that is still out can be written off."""
    diary = broad()
    diary.change("b")
    diary.unhealthy("b")
    diary.abort()
    assert [option.command for option in options(diary.rollout, diary.now)] == ["wavekeeper write-off b"]


def test_it_says_who_started_it_from_what() -> None:
    """And everything can be had as plain values."""
    diary = shop()
    told = status(diary.scope, diary.rollout, diary.now)
    assert (told.who, told.reason, told.digest) == (WHO, WHY, "digest")
    assert told.to_json()["progress"]["rollout"] == "r1"


# Why is this machine not moving? ----------------------------------------------------------------------------


def test_a_machine_that_waits_names_what_it_waits_for_and_who_is_in_its_way() -> None:
    """The rule in words, the holders by name."""
    diary = broad()
    diary.follow("b")
    lines = machine_status(diary.scope, diary.rollout, diary.index("c"), diary.now)
    assert lines == (
        "c is pending: stage broad, lane two, wave 1 of 2.",
        "It may not go down now: at most 1 of 4.",
        "In its way: b.",
    )


def test_nobody_waits_in_a_rollout_that_is_over() -> None:
    """Whoever wasn't begun won't be: a deadline would promise what never comes."""
    diary = broad()
    diary.follow("b")
    assert [one.who for one in status(diary.scope, diary.rollout, diary.now).progress.waiting] == ["c"]
    diary.abort()
    assert status(diary.scope, diary.rollout, diary.now).progress.waiting == ()


def test_a_machine_whose_lane_waits_for_another_says_so() -> None:
    """By the other lane's name."""
    diary = Diary(plan_of(lane("first", "a"), lane("second", "b", after=["first"])))
    lines = machine_status(diary.scope, diary.rollout, diary.index("b"), diary.now)
    assert lines[-1] == "Its lane waits for first."


def test_a_machine_that_only_counts_says_so() -> None:
    """It is never touched; whether it serves is what matters."""
    diary = broad()
    assert machine_status(diary.scope, diary.rollout, diary.index("e"), diary.now) == (
        "e is not changed by r1; it counts in its budgets, and serves.",
    )


def test_a_machine_that_is_unhealthy_tells_its_evidence() -> None:
    """What its probes said, and since when."""
    diary = broad()
    diary.change("b")
    diary.unhealthy("b", "connection refused")
    lines = machine_status(diary.scope, diary.rollout, diary.index("b"), diary.now)
    assert lines == (
        "b is unhealthy since 2026-11-22 16:00 UTC: stage broad, lane two, wave 1 of 2.",
        "connection refused",
    )
