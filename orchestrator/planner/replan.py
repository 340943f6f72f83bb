"""What is left of a plan, planned anew while it runs: budgets shrank because machines are out, or machines vanished.

What a replan may do is little, so that what runs stays what was reviewed: it splits waves that weren't begun, lets lanes wait for
others, and drops machines that are gone. It adds nobody, loosens nothing, and leaves every machine in its stage and behind all
that it came after. Waves that were begun are history: they come first in their lane, as they were. Only lanes with
machines of a budget that shrank, or that vanished, are looked at; if nothing has to change, the plan is the same object.

A lane that was begun and has to wait is cut in two: what was begun keeps the lane's name, and the rest is a lane of its own after it.

Who is gone takes no room of a budget. One that stands in an exclusion or an order keeps its place all the same, where the rollout
passes over it: it may be the reason why a domain is finished in two goes, and the plan still has to show it.

A budget without any room is planned as one of 1: its machines wait at admission until there is room, or until their wait is over.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Final

from orchestrator.availability.model import Budget, Constraint
from orchestrator.inventory.model import MachineId
from orchestrator.planner.bound import because, prove
from orchestrator.planner.model import Bound, Lane, LeftOut, Plan, Wave
from orchestrator.planner.rules import members, number
from orchestrator.planner.waves import pack

REST: Final = "-rest"
"""Ends the name of a lane that was split off from one that was begun."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a rollout stands.

    `begun` is how many waves of each lane were begun, by id; lanes that aren't named weren't. `limits` are the live ones of
    budgets, by constraint; only one below the plan's makes a difference. `gone` maybe in any wave, also in one that was begun.
    """

    begun: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    limits: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    gone: frozenset[MachineId] = frozenset()


@dataclass(frozen=True, slots=True)
class Replanned:
    """The plan with the rest of it planned anew, the lanes that differ (by their new ids), and the machines dropped."""

    plan: Plan
    lanes: tuple[str, ...]
    dropped: tuple[MachineId, ...]


def replan(plan: Plan, standing: Standing) -> Replanned:
    """Plan what wasn't begun anew, as far as it has to be."""
    shrunk = [rule for rule in plan.constraints if _shrank(rule, standing)]
    tight = {rule.id: _tightened(rule, standing) for rule in shrunk}
    rules = [tight.get(rule.id, rule) for rule in plan.constraints]
    budgets = _Budgets(tight.values(), standing.gone)
    drop = standing.gone.difference(
        *(members(rule) for rule in plan.constraints if not isinstance(rule, Budget))
    )
    concerned = drop.union(*(rule.machines for rule in tight.values()))
    rests = [_Rest(lane, standing) for lane in plan.lanes]
    touched = [rest for rest in rests if any(not concerned.isdisjoint(wave) for wave in rest.waves)]
    dropped = sorted(m for rest in touched for wave in rest.waves for m in wave if m in drop)
    for rest in touched:
        rest.drop(drop)
        if any(budgets.broken(wave) for wave in rest.waves):
            rest.waves = _packed(rest, rules, budgets)
    in_need = {rest.lane.id for rest in touched}
    lanes: list[Lane] = []
    for stage in plan.stages:
        here = [rest for rest in rests if rest.lane.stage == stage.name]
        if in_need.isdisjoint(rest.lane.id for rest in here):
            lanes += (rest.lane for rest in here)
            continue
        _let_wait(here, budgets)
        lanes += _put_together(here, rules)
    known = {lane.id: lane for lane in plan.lanes}
    changed = tuple(lane.id for lane in lanes if known.get(lane.id) != lane)
    if not changed and len(lanes) == len(plan.lanes):
        return Replanned(plan, (), ())
    left_out = tuple(
        sorted(
            (*plan.left_out, *(LeftOut(m, "it vanished while the rollout ran") for m in dropped)),
            key=lambda left: left.machine,
        )
    )
    left = frozenset(dropped)
    machines = tuple(
        replace(machine, change=False) if machine.id in left else machine for machine in plan.machines
    )
    return Replanned(
        replace(plan, lanes=tuple(lanes), left_out=left_out, machines=machines if dropped else plan.machines),
        changed,
        tuple(dropped),
    )


def _shrank(rule: Constraint, standing: Standing) -> bool:
    return isinstance(rule, Budget) and not rule.cap and standing.limits.get(rule.id, rule.limit) < rule.limit


def _tightened(rule: Constraint, standing: Standing) -> Budget:
    assert isinstance(rule, Budget)
    return replace(rule, limit=max(1, standing.limits[rule.id]))


class _Budgets:
    """The budgets that shrank, by machine."""

    def __init__(self, budgets: Iterable[Budget], gone: frozenset[MachineId]) -> None:
        self.limits: dict[str, int] = {}
        self._of: dict[MachineId, list[str]] = {}
        for budget in budgets:
            self.limits[budget.id] = budget.limit
            for machine in budget.machines:
                if machine not in gone:
                    self._of.setdefault(machine, []).append(budget.id)

    def used(self, wave: Iterable[MachineId]) -> Counter[str]:
        """How many of a wave's machines each budget counts."""
        return Counter(budget for machine in wave for budget in self._of.get(machine, ()))

    def heaviest(self, waves: Iterable[Iterable[MachineId]]) -> Counter[str]:
        """The most that any of the waves takes of each budget."""
        most: Counter[str] = Counter()
        for wave in waves:
            most |= self.used(wave)
        return most

    def broken(self, wave: Iterable[MachineId]) -> bool:
        """Whether the wave takes more than a budget gives."""
        return any(count > self.limits[budget] for budget, count in self.used(wave).items())

    def split(self, wave: Sequence[MachineId]) -> Iterator[list[MachineId]]:
        """The wave as several that follow one another, each machine in the first that has room for it."""
        parts: list[tuple[list[MachineId], Counter[str]]] = []
        for machine in wave:
            mine = self._of.get(machine, ())
            for held, used in parts:
                if all(used[budget] < self.limits[budget] for budget in mine):
                    held.append(machine)
                    used.update(mine)
                    break
            else:
                parts.append(([machine], Counter(mine)))
        yield from (held for held, _ in parts)


class _Rest:
    """A lane: what was begun of it, what is left, and what the rest has to wait for on top."""

    def __init__(self, lane: Lane, standing: Standing) -> None:
        self.lane = lane
        begun = standing.begun.get(lane.id, 0)
        self.history = lane.waves[:begun]
        self.waves: list[Sequence[MachineId]] = [wave.machines for wave in lane.waves[begun:]]
        self.waits: list[str] = []
        self._as_planned = list(self.waves)

    @property
    def changed(self) -> bool:
        """Whether its waves differ from the plan's."""
        return self.waves != self._as_planned

    @property
    def name(self) -> str:
        """The lane in which the rest is."""
        return self.lane.id + REST if self.history and self.waits else self.lane.id

    def drop(self, gone: frozenset[MachineId]) -> None:
        """Take out whoever is gone; a wave without anybody left is no wave."""
        kept = [tuple(machine for machine in wave if machine not in gone) for wave in self.waves]
        self.waves = [wave for wave in kept if wave]


def _packed(rest: _Rest, rules: Sequence[Constraint], budgets: _Budgets) -> list[Sequence[MachineId]]:
    """The waves of a lane under tighter budgets: each split, or all packed anew if that is shorter.

    A lane of which some was begun is only split: a domain that was begun has to be finished first, and its waves are in that order.
    """
    split: list[Sequence[MachineId]] = [
        tuple(sorted(part)) for wave in rest.waves for part in budgets.split(wave)
    ]
    if rest.history:
        return split
    numbered = number(sorted(machine for wave in rest.waves for machine in wave), rules)
    everybody = range(len(numbered.machines))
    view = numbered.view(everybody)
    anew = pack(numbered, everybody, prove(numbered, everybody, view).waves, view)
    if anew is None or len(anew) >= len(split):
        return split
    return [tuple(numbered.machines[m] for m in wave) for wave in anew]


def _let_wait(rests: Sequence[_Rest], budgets: _Budgets) -> None:
    """Let lanes of a stage wait for each other where, side by side, they would take more than a budget gives.

    Of what was begun, the last wave may still run; it comes first. Whatever follows waits for all that it can't go beside, so
    that of lanes that may still coincide the last was found to fit beside all the others at once.
    """
    after = _After(rests)
    taken: dict[str, dict[str, int]] = {
        budget: {} for budget in budgets.limits
    }  # budget -> lane -> its heaviest
    for rest in rests:
        for budget, count in budgets.heaviest(wave.machines for wave in rest.history[-1:]).items():
            taken[budget][rest.lane.id] = count
    for rest in rests:
        mine = budgets.heaviest(rest.waves)
        for budget, count in sorted(mine.items()):
            earlier = after.all_before(rest)
            beside = {lane: many for lane, many in taken[budget].items() if lane not in earlier}
            beside.pop(rest.lane.id, None)  # what was begun of it is over when the rest begins
            if count + sum(beside.values()) > budgets.limits[budget]:
                rest.waits += beside
        for budget, count in mine.items():
            taken[budget][rest.name] = max(count, taken[budget].get(rest.name, 0))


class _After:
    """What is finished before the rest of a lane begins, in the plan that comes to be."""

    def __init__(self, rests: Iterable[_Rest]) -> None:
        self._rests = {rest.lane.id: rest for rest in rests}

    def all_before(self, rest: _Rest) -> set[str]:
        """The lanes, by the names that they have by now."""
        found: set[str] = set()
        left = [*rest.lane.after, *rest.waits]
        while left:
            name = left.pop()
            other = self._rests.get(name) or self._rests[name.removesuffix(REST)]
            whole = name in rest.lane.after or name != other.lane.id  # or is it only what was begun of it?
            fresh = {other.lane.id, other.name} if whole or not other.waits else {other.lane.id}
            if not fresh <= found:
                found |= fresh
                left += [*other.lane.after, *(other.waits if other.name in fresh else ())]
        return found


# Lanes again ----------------------------------------------------------------------------------------------------


def _put_together(rests: Sequence[_Rest], rules: Sequence[Constraint]) -> list[Lane]:
    """The lanes of a stage, each after all that it waits for. Empty ones are gone, and who waited for them waits for what they did."""
    ends: dict[
        str, tuple[str, ...]
    ] = {}  # a lane of the plan -> what to wait for to have all of it behind one
    begun: list[Lane] = []
    rest_of: list[Lane] = []
    moved = any(rest.waits for rest in rests)
    for rest in rests:
        after = tuple(dict.fromkeys(end for other in rest.lane.after for end in ends[other]))
        if not rest.history and not rest.waves:
            ends[rest.lane.id] = after
            continue
        split = bool(rest.waits and rest.history)
        ends[rest.lane.id] = (rest.name,)
        if split:
            begun.append(replace(rest.lane, after=after, waves=rest.history, bound=_as_begun(rest)))
        lane = _lane(rest, after, rules, split=split)
        (begun if moved and rest.history and not split else rest_of).append(lane)
    return begun + rest_of


def _lane(rest: _Rest, after: tuple[str, ...], rules: Sequence[Constraint], *, split: bool) -> Lane:
    waits = tuple(dict.fromkeys((*((rest.lane.id,) if split else after), *rest.waits)))
    if not rest.changed and not split:
        return rest.lane if waits == rest.lane.after else replace(rest.lane, after=waits)
    history = () if split else rest.history
    waves = (*history, *(Wave(tuple(wave)) for wave in rest.waves))
    return replace(rest.lane, id=rest.name, after=waits, waves=waves, bound=_bound(rest, rules, len(history)))


def _bound(rest: _Rest, rules: Sequence[Constraint], begun: int) -> Bound:
    numbered = number(sorted(machine for wave in rest.waves for machine in wave), rules)
    proof = prove(numbered, range(len(numbered.machines)))
    reason = because(numbered, proof)
    return Bound(begun + proof.waves, f"{begun} begun; then {reason}" if begun else reason)


def _as_begun(rest: _Rest) -> Bound:
    return Bound(len(rest.history), "begun before the rest was planned anew")
