"""What may be done now, what it would start, and why not."""

from __future__ import annotations

from orchestrator.service.acts import STAYS, machine_acts, rollout_acts
from tests.builders import lane, plan_of, stage
from tests.diary import Diary

SHOP = plan_of(
    lane("one", "a", stage="canary"),
    lane("two", "b", "c"),
    stages=[stage("canary", approve=True), stage("broad")],
)


def why(diary: Diary) -> dict[str, str]:
    """Of each verb, why not."""
    return {act.verb: act.why_not for act in rollout_acts(diary.scope, diary.rollout, diary.now)}


def effect(diary: Diary, verb: str) -> str:
    """What a verb would start."""
    return next(x.effect for x in rollout_acts(diary.scope, diary.rollout, diary.now) if x.verb == verb)


def test_while_it_runs_it_may_be_paused_and_aborted() -> None:
    """There is nothing to resume, and nothing to approve yet."""
    found = why(Diary(SHOP))
    assert (found["pause"], found["abort"]) == ("", "")
    assert found["resume"] == "rollout r1 is running and can't be resumed"
    assert "waits for no approval now" in found["approve"]


def test_asking_changes_nothing() -> None:
    """What deciding gives out is thrown away."""
    diary = Diary(SHOP)
    before = (diary.rollout.status, diary.scope.seq, len(diary.rows))
    why(diary)
    assert (diary.rollout.status, diary.scope.seq, len(diary.rows)) == before


def test_a_pause_says_what_is_carried_through() -> None:
    """One in flight, or none."""
    diary = Diary(SHOP)
    assert "nothing is in flight" in effect(diary, "pause")
    diary.follow("a")
    assert "1 machine in flight is carried through" in effect(diary, "pause")


def test_an_approval_says_what_it_begins() -> None:
    """The stage by name."""
    diary = Diary(SHOP)
    diary.finish("a")
    assert why(diary)["approve"] == ""
    assert effect(diary, "approve") == "Begins stage broad."


def test_of_a_machine_only_what_its_state_lets() -> None:
    """One that waits may be skipped; one in flight is waited for; one that is unhealthy is a person's."""
    diary = Diary(SHOP)

    def of(name: str) -> dict[str, str]:
        return {
            x.verb: x.why_not for x in machine_acts(diary.scope, diary.rollout, diary.index(name), diary.now)
        }

    assert of("b")["skip"] == ""
    assert of("b")["retry"] == "b is pending: there is nothing to retry"
    diary.change("a")
    assert "wait until it is verified" in of("a")["retry"]
    diary.unhealthy("a")
    assert of("a") == {"retry": "", "skip": "", "write-off": ""}


def test_skipping_a_machine_that_is_down_says_that_it_counts_as_out() -> None:
    """And of one that waits it doesn't."""
    diary = Diary(SHOP)
    diary.change("a")
    diary.unhealthy("a")

    def skip(name: str) -> str:
        return machine_acts(diary.scope, diary.rollout, diary.index(name), diary.now)[1].effect

    assert "counts as out until it is seen well" in skip("a")
    assert "counts as out" not in skip("b")


def test_an_emergency_names_what_it_shortens_and_what_stays() -> None:
    """Each thing that the plan has ahead."""
    diary = Diary(SHOP)
    (hurry,) = (x for x in rollout_acts(diary.scope, diary.rollout, diary.now) if x.verb == "emergency")
    assert hurry.shortens == ("approval after stage canary: nobody is asked",)
    assert STAYS in hurry.effect
    assert "stays" not in hurry.effect.replace(STAYS, "")
    diary.pause()
    assert "It stays paused until somebody resumes it." in effect(diary, "emergency")


def test_an_emergency_is_offered_only_where_it_would_shorten_something() -> None:
    """Not where there is nothing to wait for, and not twice."""
    assert "emergency" not in why(Diary(plan_of(lane("one", "a"))))
    diary = Diary(SHOP)
    assert "emergency" in why(diary)
    diary.emergency()
    assert "emergency" not in why(diary)
