"""The exercise that the peers were measured by: many fake machines, one trivial action and one HTTP gate each, waves of 10 %.

    python benchmarks/peers.py [--machines 5000] [--profile FILE] [--json]

The action is a provider's of this script: a restart that has ended with the answer that began it. The gate is a URL of each
machine's own, answered by `gate.py` in a process of its own; the first clean answer is enough (`min_healthy_time` 0, which no policy can
say). Everything else is as it always is: ledger, grants, intents made durable in a SQLite journal before each action, the
probes before a grant too and once over the whole fleet at the start. So each machine is asked three times where a peer asks
once, which is counted here and not left out.

Time is from the start of the rollout to its end, in a process that has read the plan and imported what it needs; planning,
in another process, is not in it, as writing an inventory wasn't in the peers'. Memory is this process's peak.

Measured the same way on two cores: nornir 3.6 without any durability 505 machines a second at 1,000 and 581 at 5,000 with 34 MiB; Ansible 2.

Goals: 470 machines a second, 64 MiB.
"""

from __future__ import annotations

import asyncio
import cProfile
import subprocess
import sys
from collections.abc import Collection, Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from tempfile import TemporaryDirectory
from types import MappingProxyType
from typing import Any

from apparatus import arguments, busy_with_others, measured, peak_mib, serving, tell

from orchestrator.clock import SystemClock
from orchestrator.cloud.port import (
    AZURE_VMS,
    Accepted,
    Answer,
    Budgeted,
    Ended,
    Operation,
    OperationState,
    Rate,
    Target,
    View,
)
from orchestrator.inventory.model import Agent, AppHealth, Inventory, Kind, MachineId, Power
from orchestrator.planner.model import PlannedMachine
from orchestrator.policy.model import Change

GOAL = 470
MEMORY_GOAL_MIB = 64
FREELY = Rate(per_minute=1e9, burst=1_000_000_000)
WELL = View(Power.RUNNING, Agent.READY, AppHealth.NONE)

POLICY = """\
version: 1
name: peers
select: {{names: ["*"]}}
change: {{restart: {{}}}}
replaces: availability-first
rules:
  - {{max_unavailable: 10%}}
health: {{probes: [{{http: {{url: "{url}/health/{{name}}"}}}}]}}
stages:
  - {{name: all}}
"""


class Trivial:
    """A cloud of machines that are well, and do at once what they are asked. It counts how often each was started."""

    def __init__(self) -> None:
        self.machines: Sequence[PlannedMachine] = ()
        self.started = 0

    @property
    def rates(self) -> Mapping[Budgeted, Rate]:
        """No limits."""
        return MappingProxyType(dict.fromkeys(Budgeted, FREELY))

    async def inventory(self, subscriptions: Sequence[str]) -> Inventory:
        """Nobody asks."""
        raise NotImplementedError

    async def view(self, target: Target, *, runs: bool = True) -> View:
        """Well."""
        return WELL

    async def sweep(self, subscription: str, kinds: Collection[Kind] = AZURE_VMS) -> Mapping[MachineId, View]:
        """All well."""
        return {machine.id: WELL for machine in self.machines}

    async def start(self, target: Target, change: Change, key: str, timeout_s: float) -> Answer:
        """Done, with the answer."""
        self.started += 1
        return Accepted(Operation(status_url=""))

    async def assess(self, target: Target, key: str, timeout_s: float) -> Answer:
        """Nobody asks."""
        raise NotImplementedError

    async def poll(self, operation: Operation) -> OperationState:
        """It has ended."""
        return Ended(succeeded=True, result={})

    async def operation_of(self, target: Target, operation_id: str) -> Operation:
        """Nobody asks."""
        raise NotImplementedError

    async def close(self) -> None:
        """Nothing is held."""


def write_plan(machines: int, url: str, into: Path) -> None:
    """The plan of the exercise, made by the planner; only the healthy time is set to nothing afterwards."""
    from dataclasses import replace
    from datetime import timedelta

    from estate import SUBSCRIPTIONS

    from orchestrator.inventory.model import Machine, Os, machine_id
    from orchestrator.planner.document import dump
    from orchestrator.planner.plan import plan
    from orchestrator.policy.load import load
    from orchestrator.topology.graph import build

    group = f"/subscriptions/{SUBSCRIPTIONS[0]}/resourceGroups/rg/providers/Microsoft.Compute/virtualMachines"
    fleet = tuple(
        Machine(
            machine_id(f"{group}/host{number:05}"), f"host{number:05}", SUBSCRIPTIONS[0], "rg", "westeurope",
            f"{group}/host{number:05}", os=Os.LINUX, power=Power.RUNNING, agent=Agent.READY,
        )
        for number in range(machines)
    )  # fmt: skip
    made = plan(
        build(Inventory(None, "benchmark", fleet)), load([("peers.yaml", POLICY.format(url=url))]), None
    )
    at_once = tuple(replace(health, min_healthy_time=timedelta(0)) for health in made.health)
    into.write_bytes(dump(replace(made, health=at_once)))


async def roll(plan: Path, journal: Path) -> dict[str, Any]:
    """Roll the plan."""
    from orchestrator.wiring.cloud import Cloud
    from orchestrator.wiring.journal import open_journal
    from orchestrator.wiring.rollout import begin, doors

    trivial = Trivial()
    async with doors(Cloud(trivial, SystemClock(), ""), {}) as made:
        kept = await open_journal(journal)
        try:
            await kept.acquire("benchmark", made.clock.now())
            with measured() as used:
                running = await begin(kept, made, plan.read_bytes(), who="benchmark")
                trivial.machines = running.rollout.planned.plan.machines
                await running.run()
            rollout = running.rollout
            done = sum(n for status, n in rollout.counts.items() if str(status) == "done")
            return {
                "status": str(rollout.status),
                "done": done,
                "started": trivial.started,
                "waves": sum(len(lane.waves) for lane in rollout.planned.lanes),
                "machines_a_second": round(done / used.wall_s),
                "wall_s": round(used.wall_s, 2),
                "cpu_ms_a_machine": round(used.cpu_s / max(done, 1) * 1000, 2),
                "foreign_cpu": used.foreign,
                "decisions": running.scope.seq,
            }
        finally:
            await kept.close()


def measure(machines: int, profile: Path | None) -> dict[str, Any]:
    """All of it."""
    with TemporaryDirectory() as name, serving(str(Path(__file__).parent / "gate.py")) as url:
        folder = Path(name)
        plan = folder / "plan.json"
        again = [
            sys.executable,
            __file__,
            "--machines",
            str(machines),
            "--write-plan",
            str(plan),
            "--gate",
            url,
        ]
        subprocess.run(again, check=True)
        profiler = cProfile.Profile() if profile is not None else None
        with profiler or nullcontext():
            found = asyncio.run(roll(plan, folder / "journal.db"))
        if profiler is not None:
            profiler.dump_stats(profile)
        size = (folder / "journal.db").stat().st_size
    return {
        "machines": machines,
        **found,
        "peak_mib": round(peak_mib(), 1),
        "journal_bytes_a_machine": round(size / machines),
    }


def main() -> None:
    """Measure and print."""
    parser = arguments(__doc__)
    parser.add_argument("--machines", type=int, default=5_000)
    parser.add_argument(
        "--profile", type=Path, help="keep a cProfile of the rolling process here; it slows it down"
    )
    parser.add_argument(
        "--write-plan", type=Path, help="only plan, into this file (how this script calls itself)"
    )
    parser.add_argument("--gate", default="", help="with --write-plan: the url that answers for the machines")
    given = parser.parse_args()
    if given.write_plan is not None:
        write_plan(given.machines, given.gate, given.write_plan)
        return
    found = measure(given.machines, given.profile)
    rows = [
        (
            f"peers' exercise: {found['done']:,} of {found['machines']:,} machines",
            found["status"],
            "finished",
        ),
        (f"machines a second, {found['waves']} waves", f"{found['machines_a_second']}", f"{GOAL}"),
        ("peak memory", f"{found['peak_mib']} MiB", f"{MEMORY_GOAL_MIB} MiB"),
        ("CPU a machine", f"{found['cpu_ms_a_machine']} ms", ""),
        ("journal a machine", f"{found['journal_bytes_a_machine']} bytes", ""),
        ("decisions made durable", f"{found['decisions']:,}", ""),
        *busy_with_others(found["foreign_cpu"]),
    ]
    tell(found, rows, as_json=given.json)


if __name__ == "__main__":
    main()
