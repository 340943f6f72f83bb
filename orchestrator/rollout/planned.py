"""A plan, indexed: machines, lanes and orders by number, made once when a rollout starts or is replayed.

The journal and the state speak of a machine by its place in the plan; ARM ids appear at the edges alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from orchestrator.availability.model import Order
from orchestrator.inventory.model import MachineId
from orchestrator.planner.model import AroundSteps, Plan, PlannedMachine, Wave
from orchestrator.planner.stretches import Stretches, stretches_of
from orchestrator.policy.model import Each, Step
from orchestrator.policy.windows import Openings


@dataclass(frozen=True, slots=True)
class PlannedLane:
    """A lane by numbers."""

    id: str
    stage: int
    waves: tuple[tuple[int, ...], ...]
    after: tuple[int, ...]
    followers: tuple[int, ...]
    calendars: tuple[tuple[int | None, ...], ...]  # those of each wave and of all after it; None: no calendar


@dataclass(frozen=True, slots=True)
class PlannedOrder:
    """An order by numbers; `first` by stage, since an order holds within each stage."""

    order: Order
    first: tuple[tuple[int, ...], ...]


@dataclass(frozen=True, slots=True, weakref_slot=True)
class Planned:
    """The plan and what is looked up in it while it runs."""

    plan: Plan
    index: dict[MachineId, int]
    lanes: tuple[PlannedLane, ...]
    lanes_of_stage: tuple[tuple[int, ...], ...]
    lane_of: tuple[int, ...]  # machine -> lane, -1: only counted
    wave_of: tuple[int, ...]
    orders: tuple[PlannedOrder, ...]
    orders_before: dict[int, tuple[int, ...]]  # machine -> orders in which it comes after others
    orders_first: dict[int, tuple[int, ...]]  # machine -> orders in which it comes first
    openings: Openings = field(compare=False)  # of the plan's calendars
    stretches: Stretches = Stretches()  # noqa: RUF009 - frozen, and without any stretch in it

    def machine(self, index: int) -> PlannedMachine:
        """The machine in that place."""
        return self.plan.machines[index]

    def stage_of(self, index: int) -> int:
        """The stage that the machine is changed in."""
        return self.lanes[self.lane_of[index]].stage

    def steps_before(self, index: int) -> tuple[Step, ...]:
        """The steps before the machine's change, in order."""
        return tuple(step for around in self._around(index) for step in around.before)

    def steps_after(self, index: int) -> tuple[Step, ...]:
        """The steps after it, in order: what was done last is undone first."""
        return tuple(step for around in reversed(self._around(index)) for step in around.after)

    def _around(self, index: int) -> list[AroundSteps]:
        table = self.plan.around
        return [table[a] for a in self.plan.machines[index].around if table[a].each is Each.MACHINE]

    def title(self, stretch: int) -> str:
        """What people call a stretch: `wave 2 of lane west`, `stage canary`, `the rollout`."""
        match self.stretches.all[stretch].where:
            case (lane, wave):
                return f"wave {wave + 1} of lane {self.lanes[lane].id}"
            case (stage,):
                return f"stage {self.plan.stages[stage].name}"
            case _:
                return "the rollout"

    @property
    def changing(self) -> int:
        """How many machines the plan changes."""
        return sum(1 for lane in self.lane_of if lane >= 0)


def index_plan(plan: Plan) -> Planned:
    """Number everything. The plan has passed the judge, so every reference resolves."""
    index = {machine.id: i for i, machine in enumerate(plan.machines)}
    stage_index = {stage.name: i for i, stage in enumerate(plan.stages)}
    lane_index = {lane.id: i for i, lane in enumerate(plan.lanes)}
    followers: list[list[int]] = [[] for _ in plan.lanes]
    for i, lane in enumerate(plan.lanes):
        for earlier in lane.after:
            followers[lane_index[earlier]].append(i)
    lane_of = [-1] * len(plan.machines)
    wave_of = [-1] * len(plan.machines)
    lanes = []
    of_stage: list[list[int]] = [[] for _ in plan.stages]
    for i, lane in enumerate(plan.lanes):
        waves = tuple(tuple(index[m] for m in wave.machines) for wave in lane.waves)
        for number, wave in enumerate(waves):
            for machine in wave:
                lane_of[machine], wave_of[machine] = i, number
        of_stage[stage_index[lane.stage]].append(i)
        lanes.append(
            PlannedLane(
                lane.id,
                stage_index[lane.stage],
                waves,
                tuple(lane_index[a] for a in lane.after),
                tuple(followers[i]),
                _calendars(plan, waves),
            ),
        )
    orders, before, first = _orders(plan, index, lanes, lane_of)
    return Planned(
        plan,
        index,
        tuple(lanes),
        tuple(tuple(lanes_) for lanes_ in of_stage),
        tuple(lane_of),
        tuple(wave_of),
        orders,
        before,
        first,
        Openings(plan.calendars),
        stretches_of(plan, [(lane.stage, lane.waves) for lane in lanes]),
    )


def with_waves(planned: Planned, number: int, begun: int, waves: Sequence[tuple[int, ...]]) -> Planned:
    """The plan with other waves from `begun` on in one lane. Its stretches stay: a plan with steps around waves isn't replanned."""
    plan, old = planned.plan, planned.lanes[number]
    kept = (*old.waves[:begun], *waves)
    wave_of = list(planned.wave_of)
    for place, wave in enumerate(kept):
        for machine in wave:
            wave_of[machine] = place
    names = tuple(Wave(tuple(sorted(plan.machines[m].id for m in wave))) for wave in kept)
    lanes = (*plan.lanes[:number], replace(plan.lanes[number], waves=names), *plan.lanes[number + 1 :])
    fresh = replace(old, waves=kept, calendars=_calendars(plan, kept))
    return replace(
        planned,
        plan=replace(plan, lanes=lanes),
        lanes=(*planned.lanes[:number], fresh, *planned.lanes[number + 1 :]),
        wave_of=tuple(wave_of),
    )


def _calendars(plan: Plan, waves: tuple[tuple[int, ...], ...]) -> tuple[tuple[int | None, ...], ...]:
    """Under which calendars the machines of each wave and of those after it are; one for all where the plan has none."""
    if not plan.calendars:
        return ((None,),) * len(waves)
    found: list[tuple[int | None, ...]] = []
    held: set[int | None] = set()
    for wave in reversed(waves):
        held.update(plan.machines[machine].calendar for machine in wave)
        found.append(tuple(sorted(held, key=lambda place: -1 if place is None else place)))
    return tuple(reversed(found))


def _orders(
    plan: Plan,
    index: dict[MachineId, int],
    lanes: list[PlannedLane],
    lane_of: list[int],
) -> tuple[tuple[PlannedOrder, ...], dict[int, tuple[int, ...]], dict[int, tuple[int, ...]]]:
    """Orders by number, and both directions of looking them up."""
    orders: list[PlannedOrder] = []
    before: dict[int, list[int]] = {}
    first: dict[int, list[int]] = {}
    for constraint in plan.constraints:
        if not isinstance(constraint, Order):
            continue
        number = len(orders)
        by_stage: list[list[int]] = [[] for _ in plan.stages]
        for machine in constraint.first:
            i = index.get(machine)
            if i is not None and lane_of[i] >= 0:
                by_stage[lanes[lane_of[i]].stage].append(i)
                first.setdefault(i, []).append(number)
        for machine in constraint.then:
            i = index.get(machine)
            if i is not None and lane_of[i] >= 0:
                before.setdefault(i, []).append(number)
        orders.append(PlannedOrder(constraint, tuple(tuple(stage) for stage in by_stage)))
    return (
        tuple(orders),
        {m: tuple(numbers) for m, numbers in before.items()},
        {m: tuple(numbers) for m, numbers in first.items()},
    )
