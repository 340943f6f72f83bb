"""Why is a machine where it is? For each wave before its own, the constraints that kept it out of that wave.

A wave of its own lane kept it out if the machine would have broken a rule there: a budget that is full, a domain that is
open, a machine that comes first and isn't done. Lanes that its own lane waits for kept it out by the rules that both touch. If
nothing stood in the way, that is said too: then it's the packing alone, and another plan of the same length might differ.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from difflib import get_close_matches
from itertools import groupby
from typing import Any, Final

from orchestrator.availability.model import Budget, Constraint, Exclusion, Order
from orchestrator.errors import UsageError
from orchestrator.hotpatch.model import Restarts, Told
from orchestrator.hotpatch.words import sentence
from orchestrator.inventory.ids import name_of
from orchestrator.inventory.model import MachineId
from orchestrator.planner.exposure import rank_of
from orchestrator.planner.model import Lane, LeftOut, Plan, PlannedMachine
from orchestrator.planner.rules import members
from orchestrator.policy.model import Reboot


@dataclass(frozen=True, slots=True)
class Obstacle:
    """A constraint that kept a machine out of a wave, in a sentence, with the machines that it was kept out by."""

    constraint: str  # its id; empty: nothing but the packing
    what: str
    machines: tuple[str, ...] = ()  # names, sorted


@dataclass(frozen=True, slots=True)
class Earlier:
    """A wave before the machine's own, counted from 1, and all that kept the machine out of it."""

    wave: int
    obstacles: tuple[Obstacle, ...]


@dataclass(frozen=True, slots=True)
class Waited:
    """Lanes that go before the machine's own because of one constraint."""

    constraint: str
    what: str
    lanes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    """Where a machine is in a plan, and why. `stage` is empty for one that isn't changed."""

    id: str
    name: str
    stage: str = ""
    stage_number: int = 0  # from 1
    stages: int = 0
    lane: str = ""
    lane_what: str = ""
    wave: int = 0  # from 1
    waves: int = 0
    waited: tuple[Waited, ...] = ()
    earlier: tuple[Earlier, ...] = ()
    left_out: str = ""  # the reason
    counts_in: tuple[str, ...] = ()  # constraints that count a machine which isn't changed
    restart: str = Restarts.UNKNOWN.value  # how sure it is
    restart_by: str = Told.NOTHING.value  # by what that is known
    restart_because: tuple[str, ...] = ()  # what restarts it, as its assessment says
    sent_without_restart: bool = False  # though the campaign restarts others
    hotpatch: str = ""  # where it stands in hotpatching, in words; empty: it can't be hotpatched
    spared_by: tuple[str, ...] = ()  # budgets of restarts that it takes no place of
    sooner: str = ""  # the entry of the campaign's `sooner` by which it goes before others of its lane
    outstanding: int | None = None  # critical and security patches, as far as they decide who goes earlier

    def to_json(self) -> dict[str, Any]:
        """Plain values, as `--json` prints them."""
        return asdict(self)

    def lines(self) -> list[str]:
        """The explanation for people."""
        return list(_lines(self))


def explain(plan: Plan, who: str) -> Explanation:
    """Explain one machine, named by its id or by its name; case doesn't matter.

    Raises:
        UsageError: if the plan knows no such machine, or several.
    """
    machine = find(plan, who)
    place = {m: (lane, w) for lane in plan.lanes for w, wave in enumerate(lane.waves) for m in wave.machines}
    names = {planned.id: planned.name for planned in plan.machines}
    name = names.get(machine) or name_of(machine)
    if machine not in place:
        left = next((left for left in plan.left_out if left.machine == machine), None)
        counted = tuple(rule.what for rule in plan.constraints if machine in set(members(rule)))
        return Explanation(machine, name, left_out=_left_out(plan, left), counts_in=counted)
    lane, wave = place[machine]
    stages = [stage.name for stage in plan.stages]
    case = _Case(plan, machine, lane, wave, names)
    planned = next(planned for planned in plan.machines if planned.id == machine)
    return Explanation(
        machine,
        name,
        stage=lane.stage,
        stage_number=stages.index(lane.stage) + 1,
        stages=len(stages),
        lane=lane.id,
        lane_what=lane.what,
        wave=wave + 1,
        waves=len(lane.waves),
        waited=tuple(case.waited()),
        earlier=tuple(Earlier(number + 1, tuple(case.obstacles(number))) for number in range(wave)),
        restart=planned.restart.value,
        restart_by=planned.restart_by.value,
        restart_because=planned.restart_because,
        sent_without_restart=planned.reboot is Reboot.NEVER,
        hotpatch=_hotpatch(plan, planned),
        spared_by=tuple(
            rule.what for rule in plan.constraints if isinstance(rule, Budget) and machine in rule.spared
        ),
        sooner=_sooner(plan, planned, {m for later in lane.waves[wave + 1 :] for m in later.machines}),
        outstanding=planned.outstanding,
    )


def find(plan: Plan, who: str) -> MachineId:
    """The machine that is meant.

    Raises:
        UsageError: if the plan knows no such machine, or several.
    """
    wanted = who.strip().rstrip("/").lower()
    known = {planned.id: planned.name for planned in plan.machines}
    for left in plan.left_out:
        known.setdefault(left.machine, name_of(left.machine))
    if wanted in known:
        return MachineId(wanted)
    found = sorted(machine for machine, name in known.items() if name.lower() == wanted)
    if len(found) == 1:
        return found[0]
    if found:
        ids = "\n".join(f"  {machine}" for machine in found)
        raise UsageError(f"{len(found)} machines are called {who}; name one by its id:\n{ids}")
    near = get_close_matches(wanted, sorted({name.lower() for name in known.values()}), n=3)
    meant = f"; did you mean {' or '.join(near)}?" if near else ""
    raise UsageError(
        f"the plan knows no machine {who}, only those that it changes, leaves out or counts in a rule{meant}"
    )


def _left_out(plan: Plan, left: LeftOut | None) -> str:
    if left is None:
        return ""
    rule = next((rule.what for rule in plan.constraints if rule.id == left.constraint), "")
    return left.reason + (f" ({rule})" if rule else "")


def _hotpatch(plan: Plan, machine: PlannedMachine) -> str:
    if machine.hotpatch is None or plan.hotpatching is None:
        return ""
    return sentence(plan.hotpatching.standings[machine.hotpatch])


def _sooner(plan: Plan, machine: PlannedMachine, later: Collection[MachineId]) -> str:
    """The entry that exposes a machine more than one of those that come later in its lane; empty if none does."""
    if machine.sooner is None:
        return ""
    mine = rank_of(machine)[0]
    if not any(rank_of(other)[0] > mine for other in plan.machines if other.id in later):
        return ""
    entry = plan.sooner[machine.sooner]
    return f"{entry.what} ({entry.origin})"


class _Case:
    """One machine in its lane, and the constraints that it stands in."""

    def __init__(
        self, plan: Plan, machine: MachineId, lane: Lane, wave: int, names: Mapping[MachineId, str]
    ) -> None:
        self._plan = plan
        self._machine = machine
        self._lane = lane
        self._wave = wave
        self._names = names
        self._wave_of = {m: number for number, held in enumerate(lane.waves) for m in held.machines}
        self._rules = [
            rule
            for rule in plan.constraints
            if not (isinstance(rule, Budget) and rule.cap) and machine in set(members(rule))
        ]

    def obstacles(self, wave: int) -> Iterator[Obstacle]:
        """What kept the machine out of an earlier wave of its lane."""
        found = [obstacle for rule in self._rules for obstacle in self._kept_out(rule, wave)]
        if not found:
            yield Obstacle("", "nothing but the packing: it would have fitted")
        yield from found

    def _kept_out(self, rule: Constraint, wave: int) -> Iterator[Obstacle]:
        match rule:
            case Budget():
                there = [m for m in rule.machines if self._wave_of.get(m) == wave]
                if len(there) >= rule.limit:
                    yield self._obstacle(rule, f"full: {rule.what}", there)
            case Order():
                if self._machine in rule.then:
                    waiting = [m for m in rule.first if self._wave_of.get(m, -1) >= wave]
                    if waiting:
                        yield self._obstacle(
                            rule, f"not all that goes before it was done: {rule.what}", waiting
                        )
            case Exclusion():
                yield from self._other_domains(rule, wave)

    def _other_domains(self, rule: Exclusion, wave: int) -> Iterator[Obstacle]:
        """Domains that are open in that wave: they have machines in it, or both before and after."""
        for name, held in rule.domains.items():
            if self._machine in held:
                continue
            waves = sorted(self._wave_of[m] for m in held if m in self._wave_of)
            if waves and waves[0] <= wave <= waves[-1]:
                there = [m for m in held if self._wave_of.get(m, -1) >= wave]
                yield self._obstacle(rule, f"{name} was open: {rule.what}", there)

    def _obstacle(self, rule: Constraint, what: str, machines: Sequence[MachineId]) -> Obstacle:
        return Obstacle(rule.id, what, tuple(sorted(self._names[m] for m in machines)))

    def waited(self) -> Iterator[Waited]:
        """What the lane waits for: by rules of the machine itself, or else of others in its lane."""
        others = {lane.id: lane for lane in self._plan.lanes if lane.id in self._lane.after}
        left = dict(others)
        for rule in self._rules:
            between = [lane for lane in others.values() if self._conflict(rule, lane, {self._machine})]
            if between:
                yield Waited(rule.id, rule.what, tuple(lane.id for lane in between))
                for lane in between:
                    left.pop(lane.id, None)
        mine = set(self._wave_of)
        for rule in self._plan.constraints if left else ():
            if isinstance(rule, Budget) and rule.cap:
                continue
            between = [lane for lane in left.values() if self._conflict(rule, lane, mine)]
            if between:
                what = f"{rule.what}, which others of its lane stand in"
                yield Waited(rule.id, what, tuple(lane.id for lane in between))
                for lane in between:
                    del left[lane.id]

    def _conflict(self, rule: Constraint, other: Lane, mine: set[MachineId]) -> bool:
        """Whether a rule keeps some of these machines from going along with the other lane."""
        theirs = {machine for wave in other.waves for machine in wave.machines}
        match rule:
            case Budget():
                held = set(rule.machines)
                return not held.isdisjoint(mine) and not held.isdisjoint(theirs)
            case Order():
                return not mine.isdisjoint(rule.then) and not theirs.isdisjoint(rule.first)
            case Exclusion():
                ours = {name for name, held in rule.domains.items() if not mine.isdisjoint(held)}
                there = {name for name, held in rule.domains.items() if not theirs.isdisjoint(held)}
                return bool(ours and there and len(ours | there) > 1)


# For people -----------------------------------------------------------------------------------------------------


def _lines(told: Explanation) -> Iterator[str]:
    if not told.stage:
        if told.left_out:
            yield f"{told.name} is left out: {told.left_out}"
        else:
            yield f"{told.name} is not changed; it only counts in the rules of machines that are"
        for what in told.counts_in:
            yield f"  it counts in: {what}"
        return
    yield (
        f"{told.name} is in wave {told.wave} of {told.waves} of lane {told.lane}, "
        f"in stage {told.stage} ({told.stage_number} of {told.stages})"
    )
    if told.lane_what:
        yield f"  the lane: {told.lane_what}"
    if told.restart != Restarts.UNKNOWN:
        why = f": {', '.join(told.restart_because)}" if told.restart_because else ""
        yield f"  it {_RESTARTS[Restarts(told.restart)]}, {_BY.get(Told(told.restart_by), _BY_ASSESSMENT)}{why}"
    if told.sent_without_restart:
        yield "  it is sent with reboot: never, so that nothing restarts it"
    if told.hotpatch:
        yield f"  {told.hotpatch}"
    if told.sooner:
        yield f"  it goes before others of its lane: exposed by {told.sooner}"
    if told.outstanding:
        patches = "patch" if told.outstanding == 1 else "patches"
        yield f"  {told.outstanding:,} critical or security {patches} outstanding"
    for what in told.spared_by:
        yield f"  it takes no place of: {what}"
    for waited in told.waited:
        yield f"  the lane waits for {_listed(waited.lanes, 'lane', 'lanes')}: {waited.what}"
    if told.wave == 1:
        yield "  no wave of its lane is earlier"
    for _, alike in groupby(told.earlier, key=lambda earlier: [o.what for o in earlier.obstacles]):
        run = list(alike)
        where = f"wave {run[0].wave}" if len(run) == 1 else f"waves {run[0].wave} to {run[-1].wave}"
        for at, obstacle in enumerate(run[0].obstacles):
            names = sorted({name for earlier in run for name in earlier.obstacles[at].machines})
            by = f" ({_names(names)})" if names else ""
            yield f"  not in {where}: {obstacle.what}{by}"


_RESTARTS: Final = {
    Restarts.CERTAIN: "needs a restart",
    Restarts.LIKELY: "may need a restart",
    Restarts.NEVER: "needs no restart",
}


_BY_ASSESSMENT: Final = "as its last assessment says"
_BY: Final = {
    Told.CALENDAR: "as this month's updates do on a machine without an assessment that isn't hotpatched",
    Told.SETTINGS: "whatever it gets",
}


def _listed(lanes: Sequence[str], one: str, many: str) -> str:
    if len(lanes) == 1:
        return f"{one} {lanes[0]}"
    return f"{len(lanes)} {many} ({', '.join(lanes[:3])}{', ...' if len(lanes) > 3 else ''})"


def _names(names: Sequence[str]) -> str:
    return ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")
