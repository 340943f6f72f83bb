"""Steps around machines, waves, stages and the rollout, held to what their receiver wrote down."""

from __future__ import annotations

from typing import Any

from orchestrator.verify.audit import judge_audit
from orchestrator.verify.model import Verdict
from tests.unit.verify.documents import at, audit, inventory, lane, plan, vm, vm_id, worked

Line = dict[str, Any]

WAVE = {"each": "wave", "before": [{"webhook": "hold"}], "after": [{"webhook": "free", "when": "always"}]}
DRAIN = {"before": [{"webhook": "drain"}], "after": [{"webhook": "undrain", "when": "healthy"}]}


def called(minute: float, name: str, phase: str, *, ok: bool = True, **body: object) -> list[Line]:
    """A call, as its receiver wrote it down; of the first wave unless `body` says otherwise."""
    told = {"each": "wave", "lane": "one", "wave": 1, "phase": phase} | body
    return [{"at": at(minute), "event": "webhook", "name": name, "key": "k", "ok": ok, "body": told}]


def of(name: str) -> dict[str, object]:
    """The body of a step around a machine."""
    return {"each": "machine", "machine": vm_id(name)}


def judged(*parts: list[Line], rows: Line | None = None, **more: Any) -> Verdict:
    """An audit held to a plan of one wave, of which machine a names these steps."""
    document = plan(lane("one", "a b"), around=[rows or WAVE])
    document["machines"][vm_id("a")]["around"] = [0]
    fleet = inventory(*(vm(name, subscription=name) for name in "ab"))
    return judge_audit(audit(*parts), document, fleet, **more)


def said(verdict: Verdict) -> list[str]:
    """What is wrong."""
    return [str(violation) for violation in verdict.violations]


GOOD = (
    called(0, "hold", "before"),
    worked("a", 1, 10),
    worked("b", 2, 12),
    called(15, "free", "after"),
)


def test_a_wave_that_is_held_and_freed() -> None:
    """Both are seen, and nothing is wrong."""
    verdict = judged(*GOOD, complete=True)
    assert said(verdict) == []
    assert verdict.judged["webhook calls"] == 2


def test_work_before_the_step_before() -> None:
    """Also on a machine of the wave that doesn't name the step; a call that failed is none."""
    late = called(1.5, "hold", "before")
    failed = called(0, "hold", "before", ok=False)
    for parts in ((late, *GOOD[1:]), (failed, late, *GOOD[1:])):
        assert said(judged(*parts)) == [
            "step_before: work on a began at 2026-11-22T01:01:00Z, before hold was done before wave 1 of lane one"
        ]


def test_a_step_after_while_work_goes_on() -> None:
    """And what is begun after it lacks its step before."""
    early = called(11, "free", "after")
    assert said(judged(*GOOD[:3], early)) == [
        "step_after_early: free was called after wave 1 of lane one at 2026-11-22T01:11:00Z, while work on b was going on"
    ]
    between = (called(0, "hold", "before"), worked("a", 1, 3), called(4, "free", "after"), worked("b", 5, 6))
    assert [x.rule for x in judged(*between).violations] == ["step_before"]
    anew = (*between, called(4.5, "hold", "before"))
    assert said(judged(*anew)) == []


def test_a_step_before_that_is_never_undone() -> None:
    """Of a rollout that is over, however it ended; also if the step before failed, since it may have taken effect."""
    left = ["step_left: free was never done after wave 1 of lane one, which had been begun"]
    assert said(judged(*GOOD[:3], over=True)) == left
    assert said(judged(called(0, "hold", "before", ok=False), over=True)) == left
    assert said(judged(*GOOD[:3], called(15, "free", "after", ok=False), over=True)) == left
    assert said(judged(*GOOD[:3])) == []


def test_steps_around_machines() -> None:
    """The same, machine by machine; what runs only when healthy is owed by a rollout in which all went well."""
    drained = called(0, "drain", "before", **of("a"))
    undrained = called(12, "undrain", "after", **of("a"))
    assert (
        said(judged(drained, worked("a", 1, 10), undrained, worked("b", 1, 2), rows=DRAIN, complete=True))
        == []
    )
    assert [x.rule for x in judged(undrained, worked("a", 1, 10), rows=DRAIN).violations] == ["step_before"]
    without = judged(drained, worked("a", 1, 10), worked("b", 1, 2), rows=DRAIN, complete=True)
    assert said(without) == ["step_left: undrain was never done after a, which had been begun"]
    assert said(judged(drained, worked("a", 1, 10), rows=DRAIN, over=True)) == []


def test_stages_and_rollouts() -> None:
    """By their names."""
    for each, title in (
        ({"each": "stage", "stage": "broad"}, "stage broad"),
        ({"each": "rollout"}, "the rollout"),
    ):
        rows = {**WAVE, "each": each["each"]}
        good = (called(0, "hold", "before", **each), worked("a", 1, 2), called(3, "free", "after", **each))
        assert said(judged(*good, rows=rows, over=True)) == []
        (left,) = said(judged(*good[:2], rows=rows, over=True))
        assert title in left


def test_an_audit_without_a_receiver() -> None:
    """Nobody saw the calls: that is said, and nothing is made of it."""
    verdict = judged(worked("a", 1, 10))
    assert said(verdict) == []
    assert any("steps around machines and waves were not judged" in note for note in verdict.notes)
