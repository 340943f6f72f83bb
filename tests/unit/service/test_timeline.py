"""What a journal remembers of when things happened."""

from __future__ import annotations

from datetime import timedelta

import pytest

from orchestrator.rollout import events as e
from orchestrator.rollout.codec import decode
from orchestrator.service.timeline import ITSELF, Disruption, Timeline, Tracing, timeline
from orchestrator.store.memory import MemoryJournal
from tests.builders import NOON, budget, lane, plan_of, stage
from tests.diary import WHO, WHY, Diary


def at(**time: float) -> object:
    """So long after the start."""
    return NOON + timedelta(**time)


def traced(diary: Diary) -> Timeline:
    """The timeline of all rows of a diary."""
    tracing = Tracing(diary.rollout)
    for row in diary.rows:
        for fact in decode(row.body):
            tracing.add(row.at, fact)
    return tracing.timeline()


def only(told: Timeline) -> Disruption:
    """The one disruption that there is."""
    (disruption,) = told.disruptions
    return disruption


def test_a_machine_that_is_done_tells_each_of_its_moments() -> None:
    """Granted, begun, changed and returned are four moments, with what came of it."""
    diary = Diary(plan_of(lane("west", "a")))
    diary.send("a")
    diary.wait(minutes=1)
    diary.accepted("a")
    diary.wait(minutes=10)
    diary.ended("a")
    diary.wait(minutes=5)
    diary.healthy("a")

    assert only(traced(diary)) == Disruption(
        0, at(), at(minutes=1), at(minutes=11), at(minutes=16), "done", "1 installed"
    )  # fmt: skip


def test_an_unhealthy_machine_is_held_still() -> None:
    """Its grant isn't returned, and what the probes said is kept."""
    diary = Diary(plan_of(lane("west", "a")))
    diary.change("a")
    diary.unhealthy("a", "503")
    found = only(traced(diary))

    assert (found.until, found.outcome, found.detail) == (None, "unhealthy", "503")


def test_a_machine_that_gets_well_again_gives_its_grant_back() -> None:
    """One disruption from the grant to the recovery, not two."""
    diary = Diary(plan_of(lane("west", "a")))
    diary.change("a")
    diary.unhealthy("a")
    diary.wait(minutes=20)
    diary.healthy("a")

    assert (only(traced(diary)).until, only(traced(diary)).outcome) == (at(minutes=20), "done")


def test_a_machine_that_is_written_off_is_held_no_more() -> None:
    """A named person has closed its grant, and that is their turn."""
    diary = Diary(plan_of(lane("west", "a")))
    diary.change("a")
    diary.unhealthy("a")
    diary.wait(hours=1)
    diary.write_off("a")
    told = traced(diary)

    assert (only(told).until, only(told).outcome) == (at(hours=1), "written_off")
    assert WHO in {turn.who for turn in told.turns[-2:]}


def test_a_late_failure_is_a_disruption_of_its_own() -> None:
    """A machine that was done and fails afterwards is out a second time."""
    diary = Diary(plan_of(lane("west", "a", "b")))
    diary.finish("a")
    diary.wait(hours=1)
    tracing = Tracing(diary.rollout)
    for row in diary.rows:
        for fact in decode(row.body):
            tracing.add(row.at, fact)
    tracing.add(diary.now, e.MachineUnhealthy(0, "503", late=True))
    first, second = tracing.timeline().disruptions

    assert first.outcome == "done"
    assert (second.granted, second.until, second.outcome) == (at(hours=1), None, "unhealthy")


def test_waves_and_stages_open_pass_and_bake() -> None:
    """A wave ends where its gate passes, a stage where the next opens; a stage that bakes tells since when."""
    plan = plan_of(
        lane("c", "a", stage="canary"),
        lane("b", "b", stage="broad"),
        stages=[stage("canary", bake=timedelta(hours=1)), stage("broad")],
    )
    diary = Diary(plan)
    diary.wait(minutes=10)
    diary.finish("a")
    diary.wait(hours=1)
    diary.finish("b")
    told = traced(diary)

    assert [(w.lane, w.wave, w.opened, w.passed) for w in told.waves] == [
        (0, 0, at(), at(minutes=10)),
        (1, 0, at(hours=1, minutes=10), at(hours=1, minutes=10)),
    ]
    canary, broad = told.stages
    assert (canary.opened, canary.baking, canary.ended) == (at(), at(minutes=10), at(hours=1, minutes=10))
    assert (broad.baking, broad.ended) == (None, at(hours=1, minutes=10))


def test_a_wave_whose_gate_is_shut_has_no_end() -> None:
    """It was opened and never passed."""
    diary = Diary(plan_of(lane("west", "a", "b")))
    diary.change("a")
    diary.unhealthy("a")

    assert [span.passed for span in traced(diary).waves] == [None]


def test_machines_that_others_took_out_are_outages_not_disruptions() -> None:
    """Whoever was out before, or goes out of nobody's grant, is out until it is seen back."""
    plan = plan_of(lane("west", "a"), rules=[budget(1, "a x")])
    diary = Diary(plan, prepared=False)
    tracing = Tracing(diary.rollout)
    tracing.add(NOON, e.Prepared((1,)))
    tracing.add(NOON + timedelta(hours=1), e.FleetSeen((0,), (1,)))
    told = tracing.timeline()

    assert told.disruptions == ()
    assert [(o.machine, o.since, o.until) for o in told.outages] == [
        (1, at(), at(hours=1)),
        (0, at(hours=1), None),
    ]


def test_a_machine_that_is_granted_is_nobody_elses_outage() -> None:
    """From its grant on it counts once, as ours."""
    diary = Diary(plan_of(lane("west", "a")))
    tracing = Tracing(diary.rollout)
    tracing.add(NOON, e.FleetSeen((0,), ()))
    tracing.add(NOON + timedelta(hours=1), e.Granted(0))
    told = tracing.timeline()

    assert [o.until for o in told.outages] == [at(hours=1)]
    assert len(told.disruptions) == 1


def test_turns_say_who_did_what() -> None:
    """A person's name stands beside what they asked for; what a rollout does of itself is its own."""
    diary = Diary(plan_of(lane("west", "a")))
    diary.pause()
    told = traced(diary)

    assert [(turn.who, turn.what) for turn in told.turns] == [
        (WHO, f"started by {WHO}: {WHY}"),
        (ITSELF, "every machine was looked at: all serve"),
        (ITSELF, "stage broad opened (1 of 1)"),
        (WHO, f"paused by {WHO}: {WHY}"),
    ]


def test_a_retried_machine_has_a_disruption_for_each_grant() -> None:
    """A fresh grant takes over from one that was open."""
    diary = Diary(plan_of(lane("west", "a")))
    diary.change("a")
    diary.unhealthy("a")
    diary.retry("a")
    diary.wait(minutes=30)
    diary.finish("a")
    first, second = traced(diary).disruptions

    assert first.until == second.granted
    assert second.outcome == "done"


@pytest.mark.parametrize("other", [False, True])
async def test_the_journal_is_read_for_one_rollout_alone(other: bool) -> None:
    """Rows of other rollouts of the scope change nothing."""
    diary = Diary(plan_of(lane("west", "a")))
    diary.finish("a")
    journal = MemoryJournal()
    await journal.acquire("test", NOON)
    for number, row in enumerate(diary.rows):
        await journal.append(number, row.rollout, row.at, row.body)
    if other:
        stranger = decode(diary.rows[-1].body)
        assert stranger
        await journal.append(len(diary.rows), "another", NOON, diary.rows[-1].body)

    assert await timeline(journal, diary.rollout) == traced(diary)
    await journal.close()
