"""Expectations that are rules: so many out at most, one domain at a time, these before those.

The plan is held to them by the independent judge, as to a constraint that the plan itself stated: over all waves that can coincide.
What happened in a rollout is held to them as the rollout knew it: a machine is out from its grant until it was seen well.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import combinations
from typing import Any, Final, assert_never

import orjson

from orchestrator.availability.model import Budget, Exclusion
from orchestrator.inventory.model import AppHealth, MachineId
from orchestrator.inventory.standing import is_off
from orchestrator.planner.document import dump
from orchestrator.planner.groups import Groups
from orchestrator.planner.model import Plan
from orchestrator.planner.rules import members
from orchestrator.policy import words
from orchestrator.policy.build import selector
from orchestrator.policy.model import Selector, Share
from orchestrator.policy.select import matcher
from orchestrator.rehearsal.model import Failure, Planned, Seen
from orchestrator.rehearsal.schema.expect import AtLeastServing, AtMostOut, InOrder, OneAtATime
from orchestrator.rehearsal.whom import Whom, grouped, names, nobody, selected, told
from orchestrator.verify.plan import judge_plan

ASKED: Final = "expected"
"""The id of the constraint that stands for an expectation, among those of the plan."""

SHOWN: Final = 4
"""Rules that are told of those that hold for machines."""

Rule = AtMostOut | AtLeastServing | OneAtATime | InOrder
Json = dict[str, Any]


def judge_rule(rule: Rule, planned: Planned, seen: Seen | None) -> Iterator[Failure]:
    """Whether plan and rollout keep it, each as itself: a group that breaks it is told once."""
    match rule:
        case AtMostOut() | AtLeastServing():
            yield from _counted(rule, planned, seen)
        case OneAtATime():
            yield from _one_at_a_time(rule, planned, seen)
        case InOrder():
            yield from _in_order(rule, planned, seen)
        case _:
            assert_never(rule)


# So many at most ------------------------------------------------------------------------------------------------


def _counted(rule: AtMostOut | AtLeastServing, planned: Planned, seen: Seen | None) -> Iterator[Failure]:
    groups = grouped(planned, rule.of, rule.per)
    if not groups:
        yield nobody(rule.of, _said(rule, told(rule.of)))
    for group in groups:
        expected, limit = _said(rule, group.name), _limit(rule, len(group.machines))
        out = {machine for machine in group.machines if _is_out(planned, machine)}
        off = {machine for machine in out if is_off(planned.topology.machine(machine))}
        if len(out) > limit:
            found = f"{len(out)} of {len(group.machines)} are out before anything is done: {names(planned.topology, out)}"
            yield Failure(expected, found)
            continue
        yield from _in_plan(
            group, expected, limit - len(off), off, planned
        )  # who is unwell, only a rollout sees
        if seen is not None:
            yield from _in_rollout(group, expected, limit, planned, seen)


def _said(rule: AtMostOut | AtLeastServing, name: str) -> str:
    if isinstance(rule, AtMostOut):
        return f"at most {rule.at_most_out} of {name} out at once"
    return f"at least {_floor(rule.at_least_serving)} of {name} serving always"


def _floor(share: Share | None) -> str:
    return "a majority" if share is None else str(share)


def _limit(rule: AtMostOut | AtLeastServing, size: int) -> int:
    """How many may be out, of so many."""
    if isinstance(rule, AtMostOut):
        return rule.at_most_out.of(size)
    share = rule.at_least_serving
    return size - (size // 2 + 1 if share is None else share.of(size))


def _is_out(planned: Planned, machine: MachineId) -> bool:
    held = planned.topology.machine(machine)
    return is_off(held) or held.app_health is AppHealth.UNHEALTHY


def _in_plan(
    group: Whom, expected: str, room: int, off: set[MachineId], planned: Planned
) -> Iterator[Failure]:
    assert planned.plan is not None
    serving = [machine for machine in group.machines if machine not in off]
    budget = {"kind": "budget", "machines": serving, "limit": room, "cap": False}
    for what, taken in _broken(planned.plan, budget):
        already = f" ({names(planned.topology, off)} being off already)" if off else ""
        found = f"in the plan {what}{already}"
        yield Failure(expected, found, tuple(_kept(planned, taken)))


def _in_rollout(group: Whom, expected: str, limit: int, planned: Planned, seen: Seen) -> Iterator[Failure]:
    """The first moment at which more were out."""
    counted = set(group.machines)
    out = {machine for machine in counted if _is_out(planned, machine)}
    for turn in seen.turns:
        if turn.machine not in counted:
            continue
        if not turn.out:
            out.discard(turn.machine)
            continue
        out.add(turn.machine)
        if len(out) > limit:
            found = (
                f"at {turn.at:%Y-%m-%d %H:%M} the rollout had {len(out)} out: {names(planned.topology, out)}"
            )
            yield Failure(expected, found, tuple(_kept(planned, sorted(out))))
            return


# Domains and orders ---------------------------------------------------------------------------------------------


def _one_at_a_time(rule: OneAtATime, planned: Planned, seen: Seen | None) -> Iterator[Failure]:
    assert planned.plan is not None
    kind, within = words.group_kind(rule.one_at_a_time), rule.within
    expected = f"one {kind} of {told(rule.of)} at a time"
    wholes = grouped(planned, rule.of, (within,))
    if not wholes:
        yield nobody(rule.of, expected)
    level = 1 + max((x.level for x in planned.plan.constraints if isinstance(x, Exclusion)), default=0)
    of = Groups(planned.topology).of(rule.one_at_a_time)
    for whole in wholes:
        domains: dict[str, list[MachineId]] = {}
        for machine in whole.machines:
            for group in of.get(machine, ()):
                domains.setdefault(group.name, []).append(machine)
        if not domains:
            yield Failure(expected, f"of the machines, none is in any {kind}")
            continue
        exclusion = {"kind": "exclusion", "domains": domains, "limit": 1, "level": level}
        for what, taken in _broken(planned.plan, exclusion):
            yield Failure(expected, f"in the plan {what}", tuple(_kept(planned, taken)))
        if seen is not None:
            yield from _mixed(domains, expected, planned, seen)


def _mixed(
    domains: dict[str, list[MachineId]], expected: str, planned: Planned, seen: Seen
) -> Iterator[Failure]:
    """The first moment at which machines of two domains were out for us."""
    domain = {machine: name for name, held in domains.items() for machine in held}
    ours: set[MachineId] = set()
    for turn in seen.turns:
        if turn.machine not in domain or turn.machine not in seen.course.begun:
            continue
        (ours.add if turn.out else ours.discard)(turn.machine)
        open_now = sorted({domain[machine] for machine in ours})
        if len(open_now) > 1:
            found = f"at {turn.at:%Y-%m-%d %H:%M} the rollout had {names(planned.topology, ours)} out, of {' and '.join(open_now)}"
            yield Failure(expected, found, tuple(_kept(planned, sorted(ours))))
            return


def _in_order(rule: InOrder, planned: Planned, seen: Seen | None) -> Iterator[Failure]:
    assert planned.plan is not None
    told_of = [told(select) for select in rule.order]
    expected = " before ".join(told_of)
    for select in rule.order:
        if not selected(planned.topology, select):
            yield nobody(select, expected)
            return
    selectors = tuple(selector(select) for select in rule.order)
    tests = [matcher(select) for select in selectors]
    for group in grouped(planned, Selector(any_of=selectors), rule.per):
        places: list[list[MachineId]] = [[] for _ in tests]
        for machine in group.machines:
            held = planned.topology.machine(machine)
            places[next(n for n, test in enumerate(tests) if test(held))].append(machine)
        for first, then in combinations(places, 2):
            if not first or not then:
                continue
            order = {"kind": "order", "first": first, "then": then}
            for what, taken in _broken(planned.plan, order):
                yield Failure(expected, f"in the plan {what}", tuple(_kept(planned, taken)))
            if seen is not None:
                yield from _out_of_order(first, then, expected, planned, seen)


def _out_of_order(
    first: Sequence[MachineId], then: Sequence[MachineId], expected: str, planned: Planned, seen: Seen
) -> Iterator[Failure]:
    """A machine that began before another of its stage, which goes first, had ended."""
    assert planned.plan is not None
    stage = {m: lane.stage for lane in planned.plan.lanes for wave in lane.waves for m in wave.machines}
    begun, ended = seen.course.begun, seen.course.ended
    for one in first:
        for other in then:
            if one not in begun or other not in begun or stage.get(one) != stage.get(other):
                continue
            end = ended.get(one)
            if begun[other] < begun[one] or end is None or begun[other] < end:
                pair = names(planned.topology, (other,)), names(planned.topology, (one,))
                found = f"the rollout began {pair[0]} at {begun[other]:%Y-%m-%d %H:%M}, when {pair[1]} wasn't done"
                yield Failure(expected, found, tuple(_kept(planned, (one, other))))
                return


# The judge, asked -----------------------------------------------------------------------------------------------


def _broken(plan: Plan, constraint: Json) -> Iterator[tuple[str, tuple[MachineId, ...]]]:
    """What the independent judge finds of this constraint, were it one of the plan's: a clause, and whom it is about."""
    document: Json = orjson.loads(dump(plan))
    asked = {"id": ASKED, "what": ASKED, "from": {"file": "", "line": 0}, **constraint}
    known = document["machines"]
    for machine in _named(constraint):
        known.setdefault(machine, {"name": machine.rpartition("/")[2], "change": False})
    document["constraints"] = [*document["constraints"], asked]  # the others say what stands above it
    for violation in judge_plan(document).violations:
        if violation.where == ASKED:
            what = violation.what.removeprefix(f"{ASKED}: ").partition("; ")[0]
            yield what, tuple(MachineId(machine) for machine in violation.machines)


def _named(constraint: Json) -> Iterable[str]:
    for value in constraint.values():
        if isinstance(value, dict):
            yield from (machine for held in value.values() for machine in held)
        elif isinstance(value, list):
            yield from value


def _kept(planned: Planned, machines: Sequence[MachineId]) -> Iterator[str]:
    """What the plan keeps of these machines: its rules that hold for at least two of them, or for the one."""
    assert planned.plan is not None
    about = set(machines)
    rules = [
        rule
        for rule in planned.plan.constraints
        if len(about.intersection(members(rule))) >= min(2, len(about))
    ]
    planned_around = [rule for rule in rules if not (isinstance(rule, Budget) and rule.cap)]
    if not rules:
        yield f"no rule holds for {names(planned.topology, about)}{' together' if len(about) > 1 else ''}"
    elif not planned_around:
        yield "only caps hold for them, which no wave is planned around"
    for rule in planned_around[:SHOWN]:
        yield f"what holds for them: {rule.what} ({rule.origin})"
    if len(planned_around) > SHOWN:
        more = len(planned_around) - SHOWN
        yield f"and {more} rule{'s' if more > 1 else ''} more"
