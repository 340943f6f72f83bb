"""Expectations of the plan: who is in it, in which stage, who is left out and why, how long it is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final, assert_never

from orchestrator.inventory.model import MachineId
from orchestrator.planner.explain import explain
from orchestrator.planner.model import Lane, Plan
from orchestrator.planner.paths import longest
from orchestrator.rehearsal.model import Failure, Planned, Seen
from orchestrator.rehearsal.schema.expect import Changes, InStage, LeftOut, Untouched, Warns, WavesAtMost
from orchestrator.rehearsal.whom import names, nobody, selected, told

EXPLAINED: Final = 3
"""Machines whose place is explained, of many."""

OfPlan = InStage | WavesAtMost | Changes | Untouched | LeftOut | Warns


def judge_plan(what: OfPlan, planned: Planned, seen: Seen | None) -> Iterator[Failure]:
    """Whether the plan is as expected."""
    assert planned.plan is not None
    match what:
        case InStage():
            yield from _stage(what, planned, planned.plan)
        case WavesAtMost():
            yield from _waves(what, planned.plan)
        case Changes():
            yield from _changes(what, planned, planned.plan)
        case Untouched():
            yield from _untouched(what, planned, planned.plan, seen)
        case LeftOut():
            yield from _left_out(what, planned, planned.plan)
        case Warns():
            yield from _warns(what, planned.plan)
        case _:
            assert_never(what)


def changed(plan: Plan, stage: str | None = None) -> list[MachineId]:
    """Whom the plan changes, or a stage of it."""
    lanes = [lane for lane in plan.lanes if stage in (None, lane.stage)]
    return sorted(machine for lane in lanes for wave in lane.waves for machine in wave.machines)


def _explained(planned: Planned, machines: Iterable[MachineId]) -> tuple[str, ...]:
    """Why machines are where they are, in the sentences of `explain`."""
    assert planned.plan is not None
    plan, lines = planned.plan, []
    known = set(changed(plan)) | {left.machine for left in plan.left_out}
    for machine in sorted(machines)[:EXPLAINED]:
        if machine in known:
            lines += explain(plan, machine).lines()
        elif machine in planned.topology:
            lines.append(f"{names(planned.topology, (machine,))} isn't selected by campaign {plan.name}")
    return tuple(lines)


def _stage(what: InStage, planned: Planned, plan: Plan) -> Iterator[Failure]:
    stages = [gate.name for gate in plan.stages]
    if what.stage not in stages:
        yield Failure(f"a stage {what.stage}", f"the stages are {', '.join(stages)}")
        return
    there = set(changed(plan, what.stage))
    if what.at_most is not None and len(there) > what.at_most:
        found = f"it has {len(there)}: {names(planned.topology, there)}"
        yield Failure(f"at most {what.at_most} machines in stage {what.stage}", found)
    for select, exactly in ((what.holds, True), (what.includes, False)):
        if select is None:
            continue
        wanted = set(selected(planned.topology, select))
        expected = f"stage {what.stage} to {'hold' if exactly else 'include'} {told(select)}"
        if not wanted:
            yield nobody(select, expected)
            continue
        missing, strange = wanted - there, there - wanted if exactly else set()
        if missing or strange:
            parts = [f"{names(planned.topology, missing)} aren't in it"] if len(missing) > 1 else []
            parts += [f"{names(planned.topology, missing)} isn't in it"] if len(missing) == 1 else []
            parts += [f"it has {names(planned.topology, strange)} besides"] if strange else []
            yield Failure(expected, " and ".join(parts), _explained(planned, [*missing, *strange]))


def _waves(what: WavesAtMost, plan: Plan) -> Iterator[Failure]:
    stages = [gate.name for gate in plan.stages if what.in_stage in (None, gate.name)]
    expected = f"at most {what.waves_at_most} waves one after another"
    if not stages:
        known = ", ".join(gate.name for gate in plan.stages)
        yield Failure(expected, f"there is no stage {what.in_stage}; the stages are {known}")
        return
    chains: list[tuple[str, Sequence[Lane]]] = [
        (stage, longest([lane for lane in plan.lanes if lane.stage == stage])) for stage in stages
    ]
    total = sum(len(lane.waves) for _, chain in chains for lane in chain)
    if total <= what.waves_at_most:
        return
    why = [
        f"stage {stage}, {lane.what or lane.id}: {_waves_of(lane)}"
        for stage, chain in chains
        for lane in chain
    ]
    yield Failure(expected, f"there are {total}", tuple(why))


def _waves_of(lane: Lane) -> str:
    if len(lane.waves) == 1:
        return "one wave"
    return f"{len(lane.waves)} waves, and no plan has fewer than {lane.bound.waves}: {lane.bound.because}"


def _changes(what: Changes, planned: Planned, plan: Plan) -> Iterator[Failure]:
    wanted, found = set(selected(planned.topology, what.changes)), set(changed(plan))
    expected = f"exactly {told(what.changes)} to be changed"
    if not wanted:
        yield nobody(what.changes, expected)
        return
    if missing := wanted - found:
        yield Failure(
            expected,
            f"the plan doesn't change {names(planned.topology, missing)}",
            _explained(planned, missing),
        )
    if strange := found - wanted:
        told_of = f"the plan changes {names(planned.topology, strange)} too"
        yield Failure(expected, told_of, _explained(planned, strange))


def _untouched(what: Untouched, planned: Planned, plan: Plan, seen: Seen | None) -> Iterator[Failure]:
    wanted = set(selected(planned.topology, what.untouched))
    expected = f"{told(what.untouched)} to stay as they are"
    if not wanted:
        yield nobody(what.untouched, expected)
        return
    touched = wanted.intersection(changed(plan))
    if seen is not None:  # a plan may be stopped before it comes to them
        touched = wanted.intersection(seen.touched)
    if touched:
        who = "the rollout touched" if seen is not None else "the plan changes"
        yield Failure(expected, f"{who} {names(planned.topology, touched)}", _explained(planned, touched))


def _left_out(what: LeftOut, planned: Planned, plan: Plan) -> Iterator[Failure]:
    reasons = {left.machine: left.reason for left in plan.left_out}
    rules = {rule.id: rule.what for rule in plan.constraints}
    because = {left.machine: rules.get(left.constraint, "") for left in plan.left_out}
    expected = f"{told(what.left_out)} to be left out"
    wanted = selected(planned.topology, what.left_out)
    if not wanted:
        yield nobody(what.left_out, expected)
        return
    inside = [machine for machine in wanted if machine not in reasons]
    if inside:
        found = f"the plan doesn't leave out {names(planned.topology, inside)}"
        yield Failure(expected, found, _explained(planned, inside))
    for machine in wanted:
        said = f"{reasons.get(machine, '')} {because.get(machine, '')}"
        if machine in reasons and what.because and not holds(said, what.because):
            expected = f"{names(planned.topology, (machine,))} to be left out because of `{what.because}`"
            yield Failure(expected, f"it is left out because {reasons[machine]}")


def _warns(what: Warns, plan: Plan) -> Iterator[Failure]:
    warnings = [warned.what for warned in plan.warnings]
    if not any(holds(warning, what.warns) for warning in warnings):
        found = "the plan warns of nothing" if not warnings else "no warning says so"
        yield Failure(f"a warning of `{what.warns}`", found, tuple(f"it warns: {w}" for w in warnings))


def holds(said: str, words: str) -> bool:
    """Whether a sentence holds these words; neither case nor line breaks matter."""
    return " ".join(words.lower().split()) in " ".join(said.lower().split())
