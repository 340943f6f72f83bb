"""Which constraints make a plan as long as it is, and what it would save to loosen each of them a little.

What to try is read off the longest chains of lanes: off the proofs why each of their lanes takes as many waves as it does, and off
what makes one wait for the other. Each is tried by planning anew with that one thing loosened: a budget by one machine, or by
the fewest that can save a wave where one can't, and exclusions and orders by taking them away, since there is nothing between.
What one line of a policy says of several groups is tried together too. Only what really saves waves is told.

How much is tried is bounded by how many machines are planned anew, so that the answer is the same on every machine.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

from orchestrator.availability.model import Budget, Constraint
from orchestrator.errors import Refused
from orchestrator.planner.bound import Proof, prove
from orchestrator.planner.diff_rules import subject
from orchestrator.planner.model import Lane, Plan
from orchestrator.planner.paths import begins
from orchestrator.planner.rules import RuleKind, Rules, members, number
from orchestrator.planner.schedule import schedule
from orchestrator.planner.search import Search, Solver
from orchestrator.planner.summary import longest_path
from orchestrator.policy.model import Origin

MOST_TRIED: Final = 16
"""How often a plan is made anew at most, to find out what it would save to loosen something."""

MACHINES_TRIED: Final = 100_000
"""How many machines may be planned anew, all tries together: some seconds. The first few are tried whatever the size."""

_ALWAYS_TRIED: Final = 3
_NAMED: Final = 3  # constraints of one loosening


@dataclass(frozen=True, slots=True)
class Loosened:
    """A constraint that is loosened: `limit` becomes `to`; None where the constraint is taken away."""

    constraint: str
    what: str
    group: str  # what the constraint is about, without its figures
    limit: int | None
    to: int | None

    def __str__(self) -> str:
        """`tier=web at 6 instead of 5`; of what is taken away, what it says."""
        return self.what if self.to is None else f"{self.group} at {self.to:,} instead of {self.limit:,}"


@dataclass(frozen=True, slots=True)
class Loosening:
    """What is loosened together, all of it written in one place, and how many waves follow one another before and after."""

    loosened: tuple[Loosened, ...]
    origin: Origin
    before: int
    after: int

    def __str__(self) -> str:
        """`tier=web at 6 instead of 5`, `without one zone at a time in westeurope`."""
        told = "; ".join(map(str, self.loosened[:_NAMED]))
        more = f" and {len(self.loosened) - _NAMED:,} more" if len(self.loosened) > _NAMED else ""
        return ("without " if self.loosened[0].to is None else "") + told + more

    @property
    def told(self) -> str:
        """`tier=web at 6 instead of 5: 27 waves become 25`."""
        return f"{self}: {self.before:,} waves become {self.after:,}"


@dataclass(frozen=True, slots=True)
class Loosenings:
    """What would save waves, the most first. `waves` is what the plan takes, one after another; `tried` of `candidates` were tried."""

    waves: int
    found: tuple[Loosening, ...]
    tried: int
    candidates: int

    def to_json(self) -> dict[str, Any]:
        """Plain values, as `--json` prints them."""
        return {**asdict(self), "found": [{**asdict(one), "told": one.told} for one in self.found]}


def loosenings(
    plan: Plan, *, most: int = MOST_TRIED, machines: int = MACHINES_TRIED, solver: Solver | None = None
) -> Loosenings:
    """What it would save to loosen constraints of a plan, each by as little as may help. The plan is all that is needed.

    A plan whose lanes were searched is compared with others that are searched too: `solver` does, under one allowance for all tries.
    """
    search = Search(solver if plan.solver else None)
    stages = [_Stage(plan, gate.name, search) for gate in plan.stages]
    stages = [stage for stage in stages if stage.machines]
    as_is = {stage.name: _at_best(stage.longest, stage.waves(plan.constraints)) for stage in stages}
    before = sum(as_is.values())
    candidates = _candidates(plan, stages)
    changed = sum(len(stage.machines) for stage in stages)
    affordable = max(_ALWAYS_TRIED, machines // max(changed, 1))
    tried = candidates[: min(most, affordable)]
    found: list[Loosening] = []
    for candidate in tried:
        after = _after(plan, candidate, stages, as_is)
        if after is not None and after < before:
            loosened = sorted(
                (_told(rule, candidate.to[rule.id]) for rule in candidate.rules), key=lambda one: one.what
            )
            found.append(Loosening(tuple(loosened), candidate.origin, before, after))
    found.sort(
        key=lambda one: (one.after, len(one.loosened), one.origin, [each.what for each in one.loosened])
    )
    kept = [one for place, one in enumerate(found) if not _needless(one, found[:place] + found[place + 1 :])]
    return Loosenings(before, tuple(kept), len(tried), len(candidates))


def _needless(one: Loosening, others: Sequence[Loosening]) -> bool:
    """Whether a part of what it loosens saves as much."""
    mine = {each.constraint for each in one.loosened}
    return any(
        other.after <= one.after and {each.constraint for each in other.loosened} < mine for other in others
    )


def _told(rule: Constraint, to: int | None) -> Loosened:
    limit = rule.limit if isinstance(rule, Budget) else None
    return Loosened(rule.id, rule.what, subject(rule), limit, to)


# Planning anew --------------------------------------------------------------------------------------------------


class _Stage:
    """A stage of a plan: who is changed in it, and how long it is."""

    def __init__(self, plan: Plan, name: str, search: Search) -> None:
        self.name = name
        self._search = search
        self.lanes = [lane for lane in plan.lanes if lane.stage == name]
        self.machines = sorted(m for lane in self.lanes for wave in lane.waves for m in wave.machines)
        self.longest = longest_path(self.lanes)
        self._held = frozenset(self.machines)
        self._names = {machine.id: machine.name for machine in plan.machines}

    def touches(self, rule: Constraint) -> bool:
        """Whether the constraint counts two of its machines, or more."""
        return sum(machine in self._held for machine in members(rule)) > 1

    def waves(self, constraints: Sequence[Constraint]) -> int | None:
        """How many waves follow one another if it is planned anew; None if no way is found."""
        try:
            return longest_path(
                schedule(self.machines, constraints, self.name, self._names, self._search).lanes
            )
        except Refused:
            return None


def _at_best(planned: int, anew: int | None) -> int:
    """What a stage takes without any loosening: a plan that another planner made, or a rollout under way, may be longer."""
    return planned if anew is None else min(planned, anew)


def _after(
    plan: Plan, candidate: _Candidate, stages: Sequence[_Stage], as_is: Mapping[str, int]
) -> int | None:
    """How many waves follow one another with this loosened; None if there is no such plan."""
    constraints = list(_loosened(plan.constraints, candidate.to))
    total = 0
    for stage in stages:
        waves: int | None = as_is[stage.name]
        if any(stage.touches(rule) for rule in candidate.rules):
            waves = stage.waves(constraints)
        if waves is None:
            return None
        total += waves
    return total


def _loosened(constraints: Iterable[Constraint], to: Mapping[str, int | None]) -> Iterator[Constraint]:
    for rule in constraints:
        limit = to.get(rule.id)
        if rule.id not in to:
            yield rule
        elif isinstance(rule, Budget) and limit is not None:
            yield replace(rule, limit=limit)


# What to try ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Candidate:
    """Constraints to loosen together. `to` is the new limit by id; None: it is taken away. `weight`: what it may save, roughly."""

    rules: tuple[Constraint, ...]
    to: Mapping[str, int | None]
    weight: int

    @property
    def origin(self) -> Origin:
        """Where they are written."""
        return self.rules[0].origin


def _candidates(plan: Plan, stages: Sequence[_Stage]) -> list[_Candidate]:
    """Each constraint by itself, and those of one line of a policy together; what may save most comes first."""
    weight: Counter[str] = Counter()
    steps: dict[str, int] = {}
    for stage in stages:
        rules = number(stage.machines, plan.constraints)
        for rule, waves, step in _Reasons(rules, stage).told():
            weight[rule.id] += waves
            if step is not None:
                steps[rule.id] = min(step, steps.get(rule.id, step))
    by_line: dict[tuple[Origin, type[Constraint]], list[Constraint]] = {}
    found = []
    for rule in plan.constraints:
        if weight[rule.id]:
            to = {rule.id: rule.limit + steps[rule.id] if isinstance(rule, Budget) else None}
            found.append(_Candidate((rule,), to, weight[rule.id]))
            by_line.setdefault((rule.origin, type(rule)), []).append(rule)
    singles = {candidate.rules[0].id: candidate for candidate in found}
    for together in by_line.values():
        if len(together) > 1:
            held = [singles[rule.id] for rule in together]
            to = {rule.id: single.to[rule.id] for single in held for rule in single.rules}
            found.append(_Candidate(tuple(together), to, sum(single.weight for single in held)))
    return sorted(found, key=lambda one: (-one.weight, len(one.rules), one.origin, one.rules[0].id))


class _Reasons:
    """Why the longest chains of a stage are as long as they are."""

    def __init__(self, rules: Rules, stage: _Stage) -> None:
        self._rules = rules
        self._index = {machine: place for place, machine in enumerate(rules.machines)}
        self._lanes = list(_critical(stage.lanes))

    def told(self) -> Iterator[tuple[Constraint, int, int | None]]:
        """Constraints, with how many waves they may be worth, and by how much a budget has to grow to save one."""
        for lane in self._lanes:
            if len(lane.waves) > 1:
                machines = self._numbers(lane)
                yield from self._of_proof(machines, prove(self._rules, machines))
        by_id = {lane.id: lane for lane in self._lanes}
        for lane in self._lanes:
            for other in lane.after:
                if other in by_id:
                    yield from self._between(by_id[other], lane)

    def _numbers(self, lane: Lane) -> list[int]:
        return sorted(self._index[machine] for wave in lane.waves for machine in wave.machines)

    def _of_proof(
        self, machines: Sequence[int], proof: Proof
    ) -> Iterator[tuple[Constraint, int, int | None]]:
        """What forces these machines into as many waves; of several budgets that all do, each."""
        if proof.rule is None:
            return
        view = self._rules.view(machines)
        if not proof.steps:
            for constraint, parts in view.items():
                limit, count = self._rules.limits[constraint], sum(map(len, parts.values()))
                budget = self._rules.kinds[constraint] is RuleKind.BUDGET
                if budget and -(-count // limit) == proof.waves:
                    enough = -(-count // (proof.waves - 1))  # the least limit with a wave less
                    yield self._rules.constraints[constraint], 1, enough - limit
            return
        most = max(step.proof.waves for step in proof.steps)
        for constraint in sorted({step.constraint for step in proof.steps}):
            yield self._rules.constraints[constraint], proof.waves - most, None
        for step in proof.steps:
            yield from self._of_proof(view[step.constraint][step.part], step.proof)

    def _between(self, one: Lane, other: Lane) -> Iterator[tuple[Constraint, int, int | None]]:
        """Exclusions and orders for which one of two lanes waits for the other."""
        before, after = self._rules.view(self._numbers(one)), self._rules.view(self._numbers(other))
        for constraint, parts in after.items():
            earlier = before.get(constraint)
            if earlier is None or self._rules.kinds[constraint] is RuleKind.BUDGET:
                continue
            if len(earlier.keys() | parts.keys()) > 1:
                yield self._rules.constraints[constraint], min(len(one.waves), len(other.waves)), None


def _critical(lanes: Sequence[Lane]) -> Iterator[Lane]:
    """The lanes that are on a longest chain: on any of them, since all must get shorter for the whole to get shorter."""
    begin = begins(lanes)
    behind: dict[str, int] = {}  # the most waves that follow a lane
    for lane in reversed(lanes):
        follows = behind.get(lane.id, 0) + len(lane.waves)
        for other in lane.after:
            behind[other] = max(follows, behind.get(other, 0))
    whole = longest_path(lanes)
    for lane in lanes:
        if begin[lane.id] + len(lane.waves) + behind.get(lane.id, 0) == whole:
            yield lane
