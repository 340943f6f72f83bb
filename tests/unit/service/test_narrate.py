"""A sentence for every kind of fact."""

from __future__ import annotations

from datetime import timedelta
from typing import get_args

import pytest

from orchestrator.policy.model import Each
from orchestrator.rollout import events as e
from orchestrator.rollout.matters import Receiver
from orchestrator.service.narrate import is_quiet, sentence
from tests.builders import NOON, budget, grouped, lane, plan_of, stage, step, surrounded
from tests.diary import Diary
from tests.fleet import vm_id

PLAN = plan_of(
    lane("one", "a b", stage="canary"),
    lane("two", "c"),
    stages=[stage("canary"), stage("broad")],
    rules=[budget(1, "a c")],
)
for each in (Each.WAVE, Each.STAGE, Each.ROLLOUT):
    PLAN = surrounded(PLAN, each, [step("silence")], [step("unsilence")])
ROLLOUT = Diary(grouped(PLAN, "db", "a")).rollout
LATER = NOON + timedelta(minutes=5)

TOLD: list[tuple[e.Event, str]] = [
    (e.RolloutStarted("r1", "d", "ada", ""), "started by ada"),
    (
        e.RolloutStarted("r1", "d", "ada", "patch day", (0, 1), ("off", "gone")),
        "started by ada: patch day; 2 machines dropped, off or gone since the plan",
    ),
    (e.Prepared(()), "every machine was looked at: all serve"),
    (e.Prepared((0,)), "every machine was looked at: 1 out already"),
    (e.RolloutRefused("no probe can be asked"), "refused: no probe can be asked"),
    (e.RolloutPaused("ada", "tea"), "paused by ada: tea"),
    (e.RolloutResumed("ada", "back"), "resumed by ada: back"),
    (e.RolloutStopped("2 unhealthy", 0), "STOPPED: 2 unhealthy"),
    (e.RolloutAborted("ada", "enough"), "aborted by ada: enough"),
    (e.RolloutFinished(), "finished"),
    (e.StageOpened(1), "stage broad opened (2 of 2)"),
    (e.StageBaking(0, LATER), "stage canary bakes until 2026-11-22 12:05:00"),
    (e.StageAwaiting(0), "stage canary is done; the next one waits for approval"),
    (e.StageApproved(0, "ada", "fine"), "stage after canary approved by ada: fine"),
    (e.WaveOpened(0, 0), "lane one: wave 1 of 1 opened, 2 machines"),
    (e.WavePassed(0, 0), "lane one: wave 1 passed its gate"),
    (e.LaneGaveUp(0, "waited 24 h"), "lane one gave up: waited 24 h"),
    (
        e.BudgetsShrunk((0,), (0,)),
        "machines stay out, not by us, so what was not begun is planned anew (at most 1 of 2: room for 0 now)",
    ),
    (
        e.BudgetsShrunk((0,), (0,), "the judge refuses it: two of a set"),
        (
            "machines stay out, not by us, so what was not begun stays as it was, the judge refuses it: two of a set "
            "(at most 1 of 2: room for 0 now)"
        ),
    ),
    (e.LaneReplanned(0, 1, (0, 1), (1, 1)), "lane one: planned anew from wave 2 on, 3 waves by now"),
    (e.Granted(0), "a: granted"),
    (e.Granted(0, broken=True), "a: granted, though it is out already: to be repaired"),
    (e.Granted(0, restarts=False), "a: granted, and stays up"),
    (e.RestartForeseen(0, "one is pending"), "a: counts as a restart from now on: one is pending"),
    (e.Intended(0, 2, "k", "", LATER), "a: attempt 2 is about to be sent"),
    (e.IntentLapsed(0), "a: the request was not sent in time"),
    (e.Started(0, "https://x"), "a: begun"),
    (
        e.AttemptRejected(0, "TooManyRequests", "slow down", LATER),
        "a: refused by the cloud: TooManyRequests: slow down; again at 12:05:00",
    ),
    (e.AttemptRejected(0, "InvalidParameter", "no"), "a: refused by the cloud: InvalidParameter: no"),
    (e.AttemptUnsettled(0, "no answer"), "a: nobody knows yet whether it began: no answer"),
    (e.Adopted(0, "https://x", sure=False), "a: it had begun; its run is followed"),
    (e.NotStarted(0), "a: it had not begun"),
    (e.Undecided(0, "it never ended"), "a: UNDECIDED, a person's now: it never ended"),
    (e.ForeignRunSeen(0), "a: somebody else is patching it; we wait"),
    (e.StepEnded(0, after=False, step=0, ok=True, evidence="drain: 200"), "a: step before done: drain: 200"),
    (
        e.StepEnded(0, after=True, step=0, ok=False, evidence="undrain: 500"),
        "a: step after FAILED: undrain: 500",
    ),
    (e.ChangeEnded(0, changed=True, passing=False, detail="2 installed"), "a: changed: 2 installed"),
    (e.ChangeEnded(0, changed=False, passing=False, detail="1 failed"), "a: not changed: 1 failed"),
    (e.UpdateBlocked("5087423", "ada", "bad"), "KB5087423 is kept out of every campaign by ada: bad"),
    (e.UpdateUnblocked("5087423", "ada", "mended"), "KB5087423 is let in again by ada: mended"),
    (
        e.HoldPlaced("h1", "tag:app=shop", LATER, "ada", "a disk"),
        "hold h1: tag:app=shop is held by ada until 2026-11-22 12:05 UTC: a disk",
    ),
    (e.HoldLifted("h1", "ada", "done"), "hold h1 is lifted by ada: done"),
    (e.HoldSeen("h1", (0, 1)), "hold h1: the fleet was looked at; it means a, b"),
    (e.HoldSeen("h1"), "hold h1: the fleet was looked at; it means no machine of this rollout besides"),
    (
        e.EmergencyDeclared("ada", "CVE", ("bake of stage canary: 5 min instead of 4 h",)),
        "EMERGENCY declared by ada: CVE; bake of stage canary: 5 min instead of 4 h",
    ),
    (
        e.EmergencyDeclared("ada", "CVE"),
        "EMERGENCY declared by ada: CVE; it has nothing ahead that this shortens",
    ),
    (
        e.PatchesSeen(0, ("fKB5087539", "iKB5087423")),
        "updates as machines have them from here on: KB5087539 failed; KB5087423 installed",
    ),
    (e.PartEnded(0, "KB 1 taken back"), "a: half-way: KB 1 taken back"),
    (e.Assessed(0, 3), "a: assessed anew: 3 patches missing"),
    (e.Verified(0, well=True, evidence=""), "a: well; steps after follow"),
    (e.Verified(0, well=False, evidence="503"), "a: not well: 503; steps after follow"),
    (e.MachineEnded(0, e.Outcome.DONE, "2 installed"), "a: done, 2 installed"),
    (e.MachineEnded(0, e.Outcome.NOT_CHANGED), "a: not changed"),
    (e.MachineUnhealthy(0, "503"), "a: UNHEALTHY: 503"),
    (e.MachineUnhealthy(0, "503", late=True), "a: UNHEALTHY, late: 503"),
    (e.MachineLeftOut(0, "out already"), "a: left out: out already"),
    (e.MachineGone(0), "a: gone"),
    (e.MachineRetried(0, "ada", "again"), "a: another attempt, says ada: again"),
    (e.MachineSkipped(0, "ada", "not now"), "a: skipped by ada: not now"),
    (e.MachineWrittenOff(0, "ada", "dead"), "a: written off by ada: dead"),
    (e.FleetSeen((0, 1), (2,)), "out, not by us: a, b; serving again: c"),
    (e.FleetSeen(), "nothing changed in the fleet"),
    (
        e.MemberMoved(vm_id("new"), (0,)),
        "new isn't where the plan has it, if it has it: it counts from now on in at most 1 of 2",
    ),
    (
        e.MemberMoved(vm_id("a"), (0,), (0,)),
        "a isn't where the plan has it, if it has it: it counts from now on in at most 1 of 2, and it counts as out in what it left, at most 1 of 2",
    ),
    (
        e.OutsidersSeen((vm_id("new"),), (vm_id("old"),)),
        "new: out, of nobody's grant; old: well again",
    ),
    (e.StretchBegun((0, 0), 1), "the steps before wave 1 of lane one begin"),
    (e.StretchBegun((0,), 1), "the steps before stage canary begin"),
    (
        e.StretchStepEnded((), after=False, step=0, ok=True, evidence="silence: 200"),
        "step before the rollout done: silence: 200",
    ),
    (
        e.StretchStepEnded((0,), after=True, step=0, ok=False, evidence="unsilence: 500"),
        "step after stage canary FAILED: unsilence: 500",
    ),
    (e.Told(3, "ops", ok=True, evidence="204"), "ops was told (notice 3)"),
    (e.Told(3, "ops", ok=False, evidence="503"), "ops can't be told, tried on: 503"),
    (e.ReceiversNamed((Receiver("ops", ("stopped",)),)), "told from now on: ops"),
    (e.ReceiversNamed(()), "told from now on: nobody"),
    (e.MatterRaised("git", "policies", "git can't be asked"), "git can't be asked"),
    (e.MatterSettled("bad_commit", "abc"), "over: bad commit abc"),
    (e.MatterTold(3, "ops", ok=True, evidence="204"), "ops was told (news 3)"),
    (e.MatterTold(3, "ops", ok=False, evidence="503"), "ops can't be told, tried on: 503"),
    (e.GroupSeen(0, well=False, evidence="503"), "group db isn't well, its machines wait: 503"),
    (e.GroupSeen(0, well=True, evidence=""), "group db is well again"),
    (e.CommandRefused("l1", "ada", "it is paused"), "refused to ada: it is paused"),
    (e.Archived("/a.db", 7, (), (), ()), "0 rollouts went into the archive /a.db, 7 rows"),
]


@pytest.mark.parametrize(
    ("fact", "words"), TOLD, ids=lambda x: type(x).__name__ if not isinstance(x, str) else ""
)
def test_each_fact_has_its_sentence(fact: e.Event, words: str) -> None:
    """With machines, lanes and stages by name."""
    assert sentence(ROLLOUT, fact) == words


def test_no_kind_of_fact_is_without_words() -> None:
    """A new one needs its sentence too."""
    assert {type(fact) for fact, _ in TOLD} == set(get_args(e.Event))


def test_what_goes_well_is_quiet_and_what_does_not_is_not() -> None:
    """One line for each machine's good news would bury the rest."""
    quiet = {type(fact) for fact, _ in TOLD if is_quiet(fact)}
    assert {e.Granted, e.Intended, e.Started} <= quiet
    loud = (
        e.MachineUnhealthy(0, "503"),
        e.Undecided(0, "x"),
        e.RolloutStopped("x"),
        e.ChangeEnded(0, changed=False, passing=False, detail="x"),
        e.StepEnded(0, after=True, step=0, ok=False, evidence="x"),
        e.MachineEnded(0, e.Outcome.NOT_CHANGED),
        e.CommandRefused("l", "ada", "x"),
    )
    assert [fact for fact in loud if is_quiet(fact)] == []
