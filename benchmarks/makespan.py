"""How long a rollout takes against the ideal of its own plan.

    python benchmarks/makespan.py [--machines 500] [--seeds 3] [--json]

Virtual time: the host, the executor and the rate limits that `wavekeeper rollout` runs with, over the emulated world itself,
without SDK and sockets. So a request takes no time, and what is measured is waiting: when operations are looked at, how
often health is, and what lies between a wave and the next.

The ideal is of somebody who knows each moment beforehand. A machine's part lasts from its wave's opening until its operation has
really ended and its application is really well (both as the world knows them, by its audit), and `min_healthy_time` after that.
A wave lasts as long as its slowest machine, a lane as long as its waves after the last lane that it comes after, a stage as
long as its last lane and its bake. The policy is that of `estate.py` without the floor's cap, which only admission knows
and no plan.

Goal: 1.05.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from statistics import median
from typing import Any

import looptime
from apparatus import arguments, measured, tell
from estate import START, estate, policy

from orchestrator.clock import LoopClock
from orchestrator.cloud.simulated import SimulatedProvider
from orchestrator.emulator.world import World
from orchestrator.executor.services import services
from orchestrator.hosts.resting import Pace
from orchestrator.inventory.model import MachineId, machine_id
from orchestrator.inventory.regions import with_regions
from orchestrator.notify.webhook import HttpWebhooks
from orchestrator.planner.document import dump
from orchestrator.planner.model import Lane, Plan
from orchestrator.planner.plan import plan
from orchestrator.policy.load import load
from orchestrator.rollout import events as e
from orchestrator.store.memory import MemoryJournal
from orchestrator.topology.graph import build
from orchestrator.wiring.files import floor
from orchestrator.wiring.rollout import begin

GOAL = 1.05
NOTHING = timedelta(0)


@dataclass(slots=True)
class Course:
    """What a machine went through: when its wave opened, its request was taken, its operation ended, it was well, it was seen to be."""

    opened: datetime | None = None
    taken: datetime | None = None
    ended: datetime | None = None
    well: datetime | None = None
    seen_ended: datetime | None = None
    passed: datetime | None = None

    def part(self, healthy: timedelta) -> timedelta:
        """Its part of the ideal: from the request to the end of its healthy time."""
        assert self.taken is not None
        assert self.well is not None
        return self.well - self.taken + healthy


@dataclass(slots=True)
class Witness:
    """Collects courses from the world's audit and the rollout's facts."""

    plan: Plan
    courses: dict[MachineId, Course] = field(default_factory=dict)

    def hear(self, decided: Any) -> None:
        """The facts of one decision."""
        for fact in decided.facts:
            match fact:
                case e.WaveOpened(lane, wave):
                    for machine in self.plan.lanes[lane].waves[wave].machines:
                        self.courses.setdefault(machine, Course()).opened = decided.at
                case e.ChangeEnded(machine):
                    self.courses[self.plan.machines[machine].id].seen_ended = decided.at
                case e.MachineEnded(machine):
                    self.courses[self.plan.machines[machine].id].passed = decided.at

    def read(self, world: World, now: datetime) -> None:
        """The audit."""
        for happening in world.advance(now):
            course = self.courses.get(machine_id(happening.machine))
            if course is None:
                continue
            if happening.event == "install":
                course.taken = happening.at
                operation = world.find_operation(happening.operation)
                assert operation is not None
                course.ended = operation.ended
            if happening.event in {"install", "healthy"} and course.ended is not None:
                course.well = max(course.well or course.ended, course.ended, happening.at)


def ideal(plan: Plan, courses: Mapping[MachineId, Course]) -> timedelta:
    """The length of the plan with nothing lost."""
    healthy = {m.id: plan.health[m.health].min_healthy_time for m in plan.machines}

    def length(lane: Lane) -> timedelta:
        return sum((max(courses[m].part(healthy[m]) for m in wave.machines) for wave in lane.waves), NOTHING)

    lanes = {lane.id: lane for lane in plan.lanes}
    ends: dict[str, timedelta] = {}

    def end(one: str) -> timedelta:
        if one not in ends:
            lane = lanes[one]
            before = max(
                (end(other) for other in lane.after if lanes[other].stage == lane.stage), default=NOTHING
            )
            ends[one] = before + length(lane)
        return ends[one]

    stages = {lane.stage for lane in plan.lanes}  # one without a lane takes no time
    return sum(
        (
            max(end(lane.id) for lane in plan.lanes if lane.stage == stage.name) + stage.bake
            for stage in plan.stages
            if stage.name in stages
        ),
        NOTHING,
    )


async def roll(made: Plan, world: World) -> tuple[Witness, timedelta]:
    """Roll the plan; who saw what, and how long it took."""
    clock = LoopClock(START)
    doors = services(SimulatedProvider(world, clock), {}, HttpWebhooks({}), clock)
    journal = MemoryJournal()
    await journal.acquire("benchmark", START)
    running = await begin(journal, doors, dump(made), who="benchmark", pace=Pace(inbox_every_s=0))
    witness = Witness(made)
    running.host.listen(witness.hear)
    await running.run()
    assert str(running.rollout.status) == "finished", running.rollout.cause
    witness.read(world, clock.now())
    assert running.rollout.ended_at is not None
    return witness, running.rollout.ended_at - START


def once(machines: int, seed: int) -> dict[str, Any]:
    """One rollout of a world of that seed."""
    inventory = with_regions(estate(machines))
    made = plan(build(inventory), load([("estate.yaml", policy(capped=False))]), floor())
    world = World(inventory, seed=seed, start=START)
    loop = looptime.new_event_loop(start=0.0)
    try:
        with measured() as used:
            witness, took = loop.run_until_complete(roll(made, world))
    finally:
        loop.close()
    best = ideal(made, witness.courses)
    return {
        "seed": seed,
        "ratio": round(took / best, 4),
        "took_h": round(took.total_seconds() / 3600, 3),
        "ideal_h": round(best.total_seconds() / 3600, 3),
        "waves_one_after_another": _deepest(made),
        "lost_s_in_a_slowest_machine": _lost(made, witness.courses),
        "cpu_s": round(used.cpu_s, 1),
    }


def _deepest(made: Plan) -> int:
    """The most waves that come one after another, over all stages."""
    lanes = {lane.id: lane for lane in made.lanes}
    depths: dict[str, int] = {}

    def depth(one: str) -> int:
        if one not in depths:
            lane = lanes[one]
            depths[one] = len(lane.waves) + max(
                (depth(other) for other in lane.after if lanes[other].stage == lane.stage), default=0
            )
        return depths[one]

    return sum(max((depth(x.id) for x in made.lanes if x.stage == s.name), default=0) for s in made.stages)


def _lost(made: Plan, courses: Mapping[MachineId, Course]) -> dict[str, float]:
    """Seconds between what happened and what was made of it, in the median of the machines that their waves waited for."""
    healthy = {m.id: made.health[m.health].min_healthy_time for m in made.machines}
    slowest = [
        courses[max(wave.machines, key=lambda m: courses[m].part(healthy[m]))]
        for lane in made.lanes
        for wave in lane.waves
    ]
    start, end, gate = [], [], []
    for one in slowest:
        assert one.opened is not None and one.taken is not None and one.ended is not None
        assert one.well is not None and one.seen_ended is not None and one.passed is not None
        start.append((one.taken - one.opened).total_seconds())
        end.append((one.seen_ended - one.ended).total_seconds())
        gate.append((one.passed - max(one.seen_ended, one.well)).total_seconds())
    return {
        "opened_to_taken": round(median(start), 1),
        "ended_to_seen": round(median(end), 1),
        "seen_to_passed": round(median(gate), 1),
    }


def measure(machines: int, seeds: int) -> dict[str, Any]:
    """Several worlds under one plan; the median of their ratios."""
    runs = [once(machines, seed) for seed in range(1, seeds + 1)]
    return {"machines": machines, "ratio": round(median(run["ratio"] for run in runs), 4), "runs": runs}


def main() -> None:
    """Measure and print."""
    parser = arguments(__doc__)
    parser.add_argument("--machines", type=int, default=500)
    parser.add_argument("--seeds", type=int, default=3, help="how many worlds; the median counts")
    given = parser.parse_args()
    found = measure(given.machines, given.seeds)
    rows = [
        (f"duration against the ideal, {found['machines']:,} machines", f"{found['ratio']:.3f}", f"{GOAL}")
    ]
    for run in found["runs"]:
        rows.append(
            (f"  world {run['seed']}: {run['took_h']} h of {run['ideal_h']} h", f"{run['ratio']:.3f}", "")
        )
        lost = ", ".join(
            f"{what.replace('_', ' ')} {much:g} s"
            for what, much in run["lost_s_in_a_slowest_machine"].items()
        )
        rows.append((f"    {run['waves_one_after_another']} waves deep; {lost}", "", ""))
    tell(found, rows, as_json=given.json)


if __name__ == "__main__":
    main()
