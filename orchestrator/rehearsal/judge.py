"""One test against what was planned and seen."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import assert_never

from orchestrator.planner.summary import summarize
from orchestrator.policy.model import Selector
from orchestrator.policy.select import matcher
from orchestrator.rehearsal.judge_course import judge_course
from orchestrator.rehearsal.judge_plan import holds, judge_plan
from orchestrator.rehearsal.judge_rules import judge_rule
from orchestrator.rehearsal.model import Case, Expected, Failure, Planned, Result, Seen
from orchestrator.rehearsal.schema import expect


def judge(case: Case, planned: Planned, seen: Seen | None) -> Result:
    """What the test comes to."""
    return Result(case, _told(planned, seen), tuple(_failures(case, planned, seen)), planned)


def _failures(case: Case, planned: Planned, seen: Seen | None) -> Iterator[Failure]:
    yield from _strange(case, planned)
    refusals = [one for one in case.expected if isinstance(one.what, expect.Refused)]
    for one in refusals:
        yield from (replace(failure, origin=one.origin) for failure in _refused(one, planned))
    if planned.plan is None:
        if not refusals:
            yield Failure("a plan", f"nothing can be planned: {planned.refusal}", origin=case.origin)
        return
    if seen is not None:
        for broken in seen.broken:
            what = "every rollout to keep the rules of its plan and the built-in ones"
            yield Failure(
                what,
                f"the independent judge found: {broken}",
                ("this is a bug of Wavekeeper's: please report it",),
            )
    for one in case.expected:
        if not isinstance(one.what, expect.Refused):
            yield from (replace(f, origin=one.origin) for f in _failures_of(one, planned, seen))


def _failures_of(one: Expected, planned: Planned, seen: Seen | None) -> Iterator[Failure]:
    match one.what:
        case expect.AtMostOut() | expect.AtLeastServing() | expect.OneAtATime() | expect.InOrder():
            yield from judge_rule(one.what, planned, seen)
        case (
            expect.InStage() | expect.WavesAtMost() | expect.Changes() | expect.Untouched()
            | expect.LeftOut() | expect.Warns()
        ):  # fmt: skip
            yield from judge_plan(one.what, planned, seen)
        case (
            expect.Inside() | expect.Outside() | expect.EndsWithin() | expect.Ends()
            | expect.Outcome() | expect.TouchedAtMost()
        ):  # fmt: skip
            yield from judge_course(one.what, planned, seen)
        case expect.Refused():
            yield from _refused(one, planned)
        case _:
            assert_never(one.what)


def _refused(one: Expected, planned: Planned) -> Iterator[Failure]:
    assert isinstance(one.what, expect.Refused)
    expected = f"no plan, because of `{one.what.refused}`"
    if planned.plan is not None:
        yield Failure(expected, f"there is one, of {summarize(planned.plan).machines} machines")
    elif not holds(planned.refusal, one.what.refused):
        yield Failure(expected, f"the reason is: {planned.refusal}")


def _strange(case: Case, planned: Planned) -> Iterator[Failure]:
    """A situation that names machines which the fleet doesn't have shows nothing."""
    run = case.run
    named: list[tuple[str, Selector | None]] = [
        ("off", case.situation.off),
        ("unhealthy", case.situation.unhealthy),
    ]
    if run is not None:
        named += [
            ("unhealthy after its change", run.unhealthy),
            ("not changed", run.not_changed),
            ("out for good", run.stays_out),
        ]
    for what, select in named:
        if select is not None and not any(map(matcher(select), planned.inventory.machines)):
            yield Failure(
                f"some machine to be {what}",
                "the fleet has none of those that the test names",
                origin=case.origin,
            )


def _told(planned: Planned, seen: Seen | None) -> str:
    """What was looked at, in few words."""
    if planned.plan is None:
        return "refused"
    summary = summarize(planned.plan)
    many = f"{summary.machines} machine{'s' if summary.machines != 1 else ''}"
    waves = f"{summary.longest} wave{'s' if summary.longest != 1 else ''}"
    return f"{many}, {waves}" + (f", run: {seen.ending}" if seen is not None else "")
