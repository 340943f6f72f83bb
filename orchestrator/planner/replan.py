"""What is left of a plan, planned anew while it runs: budgets shrank because machines are out, or machines vanished.

What a replan may do is little, so that what runs stays what was reviewed: it splits waves that weren't begun, lets machines and lanes
wait longer, and drops machines that are gone. It adds nobody, lets nobody go earlier, loosens nothing, and leaves every machine
in its stage and behind all that it came after. Waves that were begun are history: they come first in their lane, as they were.

Only lanes with machines of a budget that shrank, or that vanished, are looked at: a `Replanner` is made once for a plan and
knows where everything is, and a replan that it accepts costs it what was changed.

A lane that was begun and has to wait is cut in two: what was begun keeps the lane's name, and the rest is a lane of its own after it.

Who is gone takes no room of a budget. One that stands in an exclusion or an order keeps its place all the same, where the rollout
passes over it: it may be the reason why a domain is finished in two goes, and the plan still has to show it.

A budget without any room is planned as one of 1: its machines wait at admission until there is room, or until their wait is over.
One that has room again gives nothing back: what was delayed stays so.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Final

from orchestrator.inventory.model import MachineId
from orchestrator.planner.delaying import Delaying
from orchestrator.planner.model import Bound, Lane, LeftOut, Plan, Wave
from orchestrator.planner.rebound import bound_anew
from orchestrator.planner.replan_index import Index
from orchestrator.planner.waiting import Load, Part, Waiting

REST: Final = "-rest"
"""Ends the name of a lane that was split off from one that was begun."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a rollout stands.

    `begun` is how many waves of each lane were begun, by id, and is only asked for lanes that are concerned; lanes that aren't in it
    weren't. `limits` are the live ones of budgets, by constraint; only one below the plan's makes a difference. `gone` may be in any
    wave, also in one that was begun. `over` are lanes of which nothing that was begun can still be out.
    """

    begun: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    limits: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    gone: frozenset[MachineId] = frozenset()
    over: Collection[str] = ()


@dataclass(frozen=True, slots=True)
class Replanned:
    """What differs from the plan: lanes that are new or changed, ids of those with nothing left to do, the machines dropped.

    `limits` are those that budgets were brought down to, `gone` the machines that take no room any more: to be known by the next.
    """

    lanes: tuple[Lane, ...] = ()
    ended: tuple[str, ...] = ()
    dropped: tuple[MachineId, ...] = ()
    limits: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    gone: frozenset[MachineId] = frozenset()

    @property
    def changes(self) -> bool:
        """Whether the plan is another one."""
        return bool(self.lanes or self.ended)


class Replanner:
    """One plan and what became of it. `replan` changes nothing; `accept` takes over what it found."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self._index = Index(plan)

    def replan(self, standing: Standing) -> Replanned:
        """Plan what wasn't begun anew, as far as it has to be."""
        return _Replan(self._index, standing).found()

    def delayed(self, standing: Standing) -> tuple[Lane, ...]:
        """The lanes that differ where machines may only be delayed within their own lane; no lane waits, nobody is dropped.

        This is for a rollout that runs: between lanes, admission counts what is really out, and makes nobody wait for a whole
        lane. A budget without any room is passed by: its machines come last in their lane.
        """
        return _Replan(self._index, standing).delayed()

    def accept(self, found: Replanned) -> None:
        """Go on from what was found of the plan as it is."""
        index = self._index
        for rule, limit in found.limits.items():
            index.limits[index.rule_of[rule]] = limit
        index.gone.update(map(index.number.__getitem__, found.gone))
        index.update(found.lanes, found.ended, found.dropped, REST)
        self.plan = replanned(self.plan, found)


def replanned(plan: Plan, found: Replanned) -> Plan:
    """The plan with what differs; the same object if nothing does. The rest of a lane stands right behind it."""
    if not found.changes:
        return plan
    known = {lane.id for lane in plan.lanes}
    changed = {lane.id: lane for lane in found.lanes if lane.id in known}
    fresh = {lane.id: lane for lane in found.lanes if lane.id not in known}
    ended = frozenset(found.ended)
    lanes: list[Lane] = []
    for lane in plan.lanes:
        if lane.id not in ended:
            lanes.append(changed.get(lane.id, lane))
        if lane.id + REST in fresh:
            lanes.append(fresh[lane.id + REST])
    if not found.dropped:
        return replace(plan, lanes=tuple(lanes))
    dropped = frozenset(found.dropped)
    left = (LeftOut(machine, "it vanished while the rollout ran") for machine in found.dropped)
    return replace(
        plan,
        lanes=tuple(lanes),
        left_out=tuple(sorted((*plan.left_out, *left), key=lambda one: one.machine)),
        machines=tuple(
            replace(machine, change=False) if machine.id in dropped else machine for machine in plan.machines
        ),
    )


class _Replan:
    """One replan: first the waves of each lane, then which lanes have to wait, then what differs."""

    def __init__(self, index: Index, standing: Standing) -> None:
        self._index = index
        self._standing = standing
        self._gone = frozenset(
            number
            for name in standing.gone
            if (number := index.number.get(name)) is not None and number not in index.gone
        )
        self._shrunk = {
            rule: max(1, limit)
            for name, limit in standing.limits.items()
            if (rule := index.rule_of.get(name)) is not None
            and index.is_budget[rule]
            and max(1, limit) < index.limits[rule]
        }
        self._shut: frozenset[int] = frozenset()
        self._waves: dict[int, list[list[int]]] = {}  # of lanes whose waves differ, those that were not begun
        self._waiting = Waiting(index, standing.begun)
        self._cut: frozenset[int] = frozenset()

    def found(self) -> Replanned:
        """What differs."""
        index = self._index
        dropped = self._drop()
        counts = {rule: self._counted(rule) for rule in sorted(self._shrunk)}
        self._delay(counts)
        for rule, by_lane in counts.items():
            for loads in self._loads(rule, by_lane):
                self._waiting.fit(loads, self._shrunk[rule])
        self._cut = frozenset(lane for lane in self._waiting.cut if self._rest(lane))
        ended = {lane for lane, waves in self._waves.items() if not waves and not self._begun(lane)}
        return Replanned(
            tuple(self._lanes(ended)),
            tuple(sorted(index.lane(lane).id for lane in ended)),
            index.named(dropped),
            MappingProxyType({index.rules[rule].id: self._shrunk[rule] for rule in sorted(self._shrunk)}),
            frozenset(index.named(self._gone)),
        )

    def delayed(self) -> tuple[Lane, ...]:
        """The lanes whose waves differ; budgets without any room are shut."""
        rule_of = self._index.rule_of
        self._shut = frozenset(rule_of[name] for name, limit in self._standing.limits.items() if limit <= 0)
        self._shrunk.update(dict.fromkeys(self._shut, 1))
        self._delay({rule: self._counted(rule) for rule in sorted(self._shrunk)})
        return tuple(self._lanes(()))

    def _too_many(self, rule: int, count: int) -> bool:
        return count > self._shrunk[rule] or (rule in self._shut and count > 0)

    def _begun(self, lane: int) -> int:
        return self._standing.begun.get(self._index.lane(lane).id, 0)

    def _is_gone(self, machine: int) -> bool:
        return machine in self._gone or machine in self._index.gone

    def _limit(self, rule: int) -> int:
        return self._shrunk.get(rule, self._index.limits[rule])

    # Waves ----------------------------------------------------------------------------------------------------------

    def _rest(self, lane: int) -> list[list[int]]:
        """The waves of a lane that were not begun, as they are by now."""
        held = self._waves.get(lane)
        return self._index.waves(lane, self._begun(lane)) if held is None else held

    def _drop(self) -> list[int]:
        """Take out whoever is gone, wasn't begun, and stands in budgets only."""
        index = self._index
        dropped = [
            machine
            for machine in self._gone
            if (lane := index.lane_at[machine]) >= 0
            and index.wave_at[machine] >= self._begun(lane)
            and not index.shaping(machine)
        ]
        out = frozenset(dropped)
        for lane in sorted({index.lane_at[machine] for machine in dropped}):
            kept = [[machine for machine in wave if machine not in out] for wave in self._rest(lane)]
            self._waves[lane] = [wave for wave in kept if wave]
        return dropped

    def _counted(self, rule: int) -> dict[int, Counter[int]]:
        """What each wave of each lane takes of a budget, by the places that waves had in the plan."""
        index = self._index
        found: dict[int, Counter[int]] = {}
        for machine in index.members(rule):
            if not self._is_gone(machine):
                found.setdefault(index.lane_at[machine], Counter())[index.wave_at[machine]] += 1
        return found

    def _delay(self, counts: Mapping[int, Mapping[int, Counter[int]]]) -> None:
        """Let machines wait in lanes with a wave that takes too much."""
        concerned = {
            lane
            for rule, by_lane in counts.items()
            for lane, by_wave in by_lane.items()
            if any(
                self._too_many(rule, count) and wave >= self._begun(lane) for wave, count in by_wave.items()
            )
        }
        for lane in sorted(concerned):
            waves = self._rest(lane)
            broken = self._broken(lane, waves, counts)
            delaying = Delaying(
                self._index, waves, self._limit, self._shrunk, self._gone | self._index.gone, self._shut
            )
            self._waves[lane] = delaying.waves(broken)

    def _broken(
        self, lane: int, waves: Sequence[Sequence[int]], counts: Mapping[int, Mapping[int, Counter[int]]]
    ) -> set[int]:
        """The places, among those not begun, of waves that take more than a budget gives."""
        if lane in self._waves:  # some were dropped, and waves with them
            return {place for place, wave in enumerate(waves) if self._breaks(wave, counts)}
        begun = self._begun(lane)
        return {
            wave - begun
            for rule, by_lane in counts.items()
            for wave, count in by_lane.get(lane, {}).items()
            if wave >= begun and self._too_many(rule, count)
        }

    def _breaks(self, wave: Sequence[int], rules: Collection[int]) -> bool:
        used = Counter(
            rule
            for machine in wave
            if not self._is_gone(machine)
            for rule in self._index.budgets(machine)
            if rule in rules
        )
        return any(count > self._shrunk[rule] for rule, count in used.items())

    # Lanes that wait ------------------------------------------------------------------------------------------------

    def _loads(self, rule: int, counts: Mapping[int, Counter[int]]) -> Iterator[list[Load]]:
        """What each part of a lane takes of a budget, stage by stage."""
        stages: dict[str, list[Load]] = {}
        for lane, by_wave in counts.items():
            held = self._index.lane(lane)
            begun, loads = self._begun(lane), stages.setdefault(held.stage, [])
            if begun and by_wave[begun - 1] and held.id not in self._standing.over:
                loads.append(Load(Part(lane, rest=False), by_wave[begun - 1], 0))
            waves = self._waves.get(lane)
            if waves is not None:
                most = max(self._uses(rule, waves), default=0)
            else:
                most = max((count for wave, count in by_wave.items() if wave >= begun), default=0)
            if most:
                left = len(held.waves) - begun if waves is None else len(waves)
                loads.append(Load(Part(lane, rest=True), most, left))
        yield from (stages[stage] for stage in sorted(stages))

    def _uses(self, rule: int, waves: Iterable[Sequence[int]]) -> Iterator[int]:
        counted = {machine for machine in self._index.members(rule) if not self._is_gone(machine)}
        return (sum(machine in counted for machine in wave) for wave in waves)

    # What differs ---------------------------------------------------------------------------------------------------

    def _lanes(self, ended: Collection[int]) -> Iterator[Lane]:
        """Lanes that are new or differ, in the order of the plan."""
        index, cut = self._index, self._cut
        touched = {*self._waves, *self._waiting.added, *cut}
        for lane in [*ended, *cut]:
            touched.update(index.followers[lane])
        for lane in sorted(touched.difference(ended), key=index.turn.__getitem__):
            yield from self._lane(lane, self._after(lane, ended), whole=lane not in cut)

    def _lane(self, lane: int, after: tuple[str, ...], *, whole: bool) -> Iterator[Lane]:
        held, begun = self._index.lane(lane), self._begun(lane)
        waves = self._waves.get(lane)
        rest = held.waves[begun:] if waves is None else tuple(Wave(self._index.named(wave)) for wave in waves)
        waits = tuple(self._name(part) for part in self._waiting.added.get(lane, ()))
        if not whole:
            bound = Bound(begun, "begun before the rest was planned anew")
            yield replace(held, after=after, waves=held.waves[:begun], bound=bound)
            yield replace(
                held,
                id=held.id + REST,
                after=tuple(dict.fromkeys((held.id, *waits))),
                waves=rest,
                bound=bound_anew(self._index, self._rest(lane), self._limit, 0),
            )
            return
        found = replace(
            held, after=tuple(dict.fromkeys((*after, *waits))), waves=(*held.waves[:begun], *rest)
        )
        if found.waves != held.waves:
            found = replace(found, bound=bound_anew(self._index, self._rest(lane), self._limit, begun))
        if found != held:
            yield found

    def _after(self, lane: int, ended: Collection[int]) -> tuple[str, ...]:
        """What a lane waited for, by the names that it has now: who waited for one that ended waits for what that did."""
        found: dict[str, None] = {}
        left = list(reversed(self._index.lane(lane).after))
        while left:
            other = self._index.lane_of[left.pop()]
            if other in ended:
                left += reversed(self._index.lane(other).after)
            else:
                found[self._index.lane(other).id + (REST if other in self._cut else "")] = None
        return tuple(found)

    def _name(self, part: Part) -> str:
        return self._index.lane(part.lane).id + (REST if part.rest and part.lane in self._cut else "")
