"""What one decision costs: decide, write down, apply, ask the agenda. It must not grow with the fleet.

    python benchmarks/decision.py [--machines 1000 100000] [--decisions 6000] [--json]

Two shapes of plan, since they strain different parts. `lanes`: many lanes of small waves, whose rules are their own. `wave`: one wave of
the whole fleet behind budgets of applications and a cap, so that nearly everybody waits for room nearly all the time. CPU time, in
microseconds, of one process; the journal's disk is left out.
"""

from __future__ import annotations

import argparse
import gc
import json
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from orchestrator.availability.model import Budget, Constraint
from orchestrator.inventory.model import Kind, MachineId, Os
from orchestrator.planner.model import Bound, Lane, Plan, PlannedMachine, StageGate, Wave
from orchestrator.policy.model import Health, Origin, Patches, Share, StopWhen
from orchestrator.rollout import actions as a
from orchestrator.rollout import events as e
from orchestrator.rollout import messages as m
from orchestrator.rollout.agenda import Agenda, agenda_of
from orchestrator.rollout.codec import encode
from orchestrator.rollout.decide import decide
from orchestrator.rollout.evolve import apply, begin
from orchestrator.rollout.planned import index_plan
from orchestrator.rollout.state import Scope

START = datetime(2026, 11, 22, tzinfo=UTC)
ORIGIN = Origin("benchmarks/decision.py")
URL = "https://management.azure.com/subscriptions/s/providers/Microsoft.Compute/locations/westeurope/operations/"
SET, APPLICATION, LANE, WAVE = 5, 500, 50, 10
WARM = 20_000
IN_FLIGHT = 300
"""Machines under way at once, whatever the size of the fleet."""


def ids(size: int) -> list[MachineId]:
    """Machines by number, in the order of their ids."""
    return [
        MachineId(f"/subscriptions/s/resourcegroups/rg/providers/microsoft.compute/virtualmachines/vm{i:07d}")
        for i in range(size)
    ]


def groups(name: str, machines: list[MachineId], size: int, limit: int) -> Iterator[Budget]:
    """A budget for each so many machines."""
    for i in range(0, len(machines), size):
        yield Budget(
            f"budget:{name}:{i:07d}", tuple(machines[i : i + size]), limit, f"{limit} of {size}", ORIGIN
        )


def plan_of(shape: str, size: int) -> Plan:
    """A fleet in sets of five, applications of five hundred, and one cap over all."""
    machines = ids(size)
    rules: list[Constraint] = [
        *groups("set", machines, SET, 1),
        *groups("app", machines, APPLICATION, APPLICATION // 4),
    ]
    rules.append(Budget("budget:cap", tuple(machines), IN_FLIGHT, "cap", ORIGIN, cap=True))
    if shape == "lanes":
        step = size // LANE
        lanes = []
        for i in range(step):  # a lane's machines are of different sets
            mine = machines[i::step]
            waves = tuple(Wave(tuple(mine[j : j + WAVE])) for j in range(0, len(mine), WAVE))
            lanes.append(Lane(f"lane-{i:06d}", "broad", (), waves, Bound(len(waves), "")))
    else:
        lanes = [Lane("lane", "broad", (), (Wave(tuple(machines)),), Bound(1, ""))]
    planned = tuple(
        PlannedMachine(x, x, x[-9:], "s", "westeurope", Kind.AZURE_VM, Os.LINUX, True, ("bench",), (), ())
        for x in machines
    )
    return Plan(
        name="bench",
        taken_at=START,
        inventory_fingerprint="",
        policies_fingerprint="",
        machines=planned,
        constraints=tuple(rules),
        stages=(StageGate("broad", timedelta(0), approve=False),),
        lanes=tuple(lanes),
        left_out=(),
        warnings=(),
        change=Patches(),
        stop_when=StopWhen(Share(count=size), Share(count=size)),
        probes=(),
        health=(Health(),),
        around=(),
        max_in_flight=None,
        max_wait=timedelta(hours=24),
    )


class Bench:
    """A rollout under way, and the time that its decisions took."""

    def __init__(self, shape: str, size: int) -> None:
        planned = index_plan(plan_of(shape, size))
        self.scope = Scope()
        begin(self.scope, e.RolloutStarted("r", "d", "ada", "why"), planned, START)
        self.rollout = self.scope.rollouts["r"]
        self.agenda: Agenda = agenda_of(self.scope, self.rollout, START)
        self.spent = 0.0
        self.decisions = 0
        self.bytes = 0
        self.tell(m.FleetLooked("r", (), 1, 0))
        self.settle()

    def tell(self, message: m.Message) -> None:
        """One decision, timed."""
        begun = time.process_time()
        facts = decide(self.scope, message, START)
        body = encode(facts)
        for fact in facts:
            apply(self.scope, "r", fact, START)
        self.agenda.refresh(facts, START)
        self.spent += time.process_time() - begun
        self.decisions += 1
        self.bytes += len(body)

    def settle(self) -> None:
        """What is due of itself."""
        while self.agenda.lanes or self.agenda.stage_due:
            lane = next(iter(self.agenda.lanes), -1)
            self.tell(m.Advance("r", lane))


def answer(activity: a.Activity) -> m.Message:
    """What the world says to it, the way it should go."""
    match activity:
        case a.Check(_, machine):
            return m.FoundWell("r", machine, "11111111-0000-4000-8000-000000000000")
        case a.Send(_, machine, attempt):
            url = f"{URL}{machine:036d}"
            return m.SendAccepted("r", machine, attempt, url, url + "&monitor=true")
        case a.Follow(_, machine, attempt):
            return m.ChangeReported("r", machine, attempt, True, False, False, "1 installed, restarted")
        case a.Verify(_, machine, attempt):
            return m.HealthReported("r", machine, attempt, True, "")
        case _:
            raise AssertionError(activity)


def measure(shape: str, size: int, decisions: int) -> dict[str, object]:
    """The mean of so many decisions in the middle of rollouts; a small one is run as often as that takes."""
    spent, made, written = 0.0, 0, 0
    while made < decisions:
        bench = Bench(shape, size)
        _go_on(bench, min(size, WARM))  # until machines stand everywhere
        bench.spent, bench.decisions, bench.bytes = 0.0, 0, 0
        gc.collect()
        _go_on(bench, min(decisions - made, 3 * size))
        spent, made, written = spent + bench.spent, made + bench.decisions, written + bench.bytes
    return {
        "shape": shape,
        "machines": size,
        "decisions": made,
        "us_per_decision": round(spent / made * 1e6, 1),
        "bytes_per_decision": round(written / made),
    }


def _go_on(bench: Bench, decisions: int) -> None:
    """Answer what is going on, those first that have waited longest, for so many decisions."""
    asked: dict[int, a.Activity] = {}
    until = bench.decisions + decisions
    while bench.decisions < until and not bench.rollout.over:
        if not asked:
            asked = dict(bench.agenda.activities)
        machine = next(iter(asked))
        del asked[machine]
        activity = bench.agenda.activities.get(machine)
        if activity is not None:
            bench.tell(answer(activity))
            bench.settle()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--machines", type=int, nargs="+", default=[1_000, 100_000])
    parser.add_argument("--decisions", type=int, default=6_000)
    parser.add_argument("--json", action="store_true")
    told = parser.parse_args()
    rows = [measure(shape, size, told.decisions) for shape in ("lanes", "wave") for size in told.machines]
    if told.json:
        print(json.dumps(rows, indent=2))
        return
    for row in rows:
        print(
            "{shape:6} {machines:>8} machines  {us_per_decision:>8} us a decision  {bytes_per_decision} bytes".format(
                **row
            )
        )


if __name__ == "__main__":
    main()
