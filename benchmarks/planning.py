"""What planning costs and what it gives, beside what a user would do instead.

    python benchmarks/planning.py [--machines 10000] [--scope app|subscription|fleet] [--seed 1] [--spanning] [--alone]
                                  [--plain] [--end-to-end] [--json]

A fleet of `generated.py` goes through the planner from its constraints on, to lanes of waves in their places. CPU is of one thread, without writing and reading the plan's file, which is told apart; so is the judge, who reads what
was written. `--end-to-end` plans the fleet of `estate.py` instead, from its inventory: topology, policies, plan. `--alone` leaves the
other ways out; `--plain` plans as if numba weren't installed. With it, a version's first large lane costs some seconds once, to compile: run it again. CP-SAT, by itself and for lanes above their bound, needs `pip install wavekeeper[exact]`; it may use twice the waves that the planner needs, which helps it.

A bound of the whole is that of all machines as one lane: no plan takes fewer waves one after another.

Goals for 100,000 machines in scopes of an application: 1 s with numba and 5 s without, 400 MiB, 99.9 % of lanes and of machines
proven optimal, files written and read in 2 s. For a million: 10 s, under one exclusion over all of them 15 s, and 1.2 GB.
"""

from __future__ import annotations

import gzip
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from importlib.util import find_spec
from typing import Any, TypeVar

import orjson
from apparatus import arguments, measured, peak_mib, tell
from estate import estate, policy
from generated import SCOPES, constraints_of, generate
from instead import CP_SAT_S, compared
from replanning import replanning

from orchestrator.availability.model import Constraint
from orchestrator.executor.collector import nothing_collected
from orchestrator.inventory.model import Kind, MachineId, Os
from orchestrator.planner.document import dump, parse
from orchestrator.planner.model import Lane, Plan, PlannedMachine, StageGate
from orchestrator.planner.plan import plan
from orchestrator.planner.schedule import schedule, stage_bound
from orchestrator.planner.search import Search
from orchestrator.planner.summary import longest_path
from orchestrator.policy.load import load
from orchestrator.policy.model import Health, Restart, StopWhen
from orchestrator.topology.graph import build
from orchestrator.verify.plan import judge_plan
from orchestrator.wiring.files import floor
from orchestrator.wiring.solver import solver

Phases = dict[str, float]

GOALS = {
    (100_000, "app", True): ("1 s", "400 MiB"),
    (100_000, "app", False): ("5 s", "400 MiB"),
    (1_000_000, "app", True): ("10 s", "1,144 MiB"),
    (1_000_000, "fleet", True): ("15 s", "1,144 MiB"),
}
"""CPU and most memory, by machines, scope, and whether large lanes are packed by machine code."""

_R = TypeVar("_R")


def timed(phases: Phases, name: str, work: Callable[[], _R]) -> _R:
    """What the work gives; its CPU seconds are put down."""
    with measured() as used, nothing_collected():  # as the commands do
        result = work()
    phases[name] = round(phases.get(name, 0.0) + used.cpu_s, 3)
    return result


def generated(
    machines: int, scope: str, seed: int, *, spanning: bool, alone: bool, limit_s: float
) -> dict[str, Any]:
    """Constraints over machines."""
    fleet = generate(machines, seed)
    rules = constraints_of(fleet, scope, spanning=spanning)
    before, phases, names = peak_mib(), Phases(), fleet.ids()
    called = {name: str(name) for name in names}
    lanes = timed(
        phases, "lanes and waves", lambda: schedule(names, rules, "broad", called, Search(solver()))
    ).lanes
    used = peak_mib()
    bound = stage_bound(names, rules)
    found = {
        **_figures(lanes, phases),
        "scope": scope,
        "machine_code": find_spec("numba") is not None,
        "constraints": len(rules),
        "mib": round(used),
        "mib_before": round(before),
        "bound": bound.waves,
        "because": bound.because.partition(";")[0][:90],
        "replanning_ms": replanning(_plan(lanes, rules, names), seed),
        **_filed(_plan(lanes, rules, names)),
    }
    if not alone:
        found["instead"] = compared(fleet, rules, 2 * longest_path(lanes), limit_s)
    return found


def end_to_end(machines: int) -> dict[str, Any]:
    """From an inventory on, under the floor and a campaign of three stages."""
    inventory, phases = estate(machines), Phases()
    policies = load([("estate.yaml", policy(capped=False))])
    before = peak_mib()
    topology = timed(phases, "topology", lambda: build(inventory))
    made = timed(phases, "plan", lambda: plan(topology, policies, floor()))
    used = peak_mib()
    figures = _figures(made.lanes, phases)
    waves = sum(
        longest_path([lane for lane in made.lanes if lane.stage == gate.name]) for gate in made.stages
    )
    return {
        **figures, "longest": waves, "constraints": len(made.constraints),
        "mib": round(used), "mib_before": round(before), **_filed(made),
    }  # fmt: skip


def _figures(lanes: Sequence[Lane], phases: Phases) -> dict[str, Any]:
    size = {lane.id: sum(len(wave.machines) for wave in lane.waves) for lane in lanes}
    machines = sum(size.values())
    return {
        "machines": machines,
        "phases_cpu_s": phases,
        "cpu_s": round(sum(phases.values()), 3),
        "lanes": len(lanes),
        "waves": sum(len(lane.waves) for lane in lanes),
        "longest": longest_path(lanes),
        "largest_lane": max(size.values()),
        "lanes_optimal": round(sum(lane.optimal for lane in lanes) / len(lanes), 5),
        "machines_optimal": round(sum(size[lane.id] for lane in lanes if lane.optimal) / machines, 5),
    }


def _filed(made: Plan) -> dict[str, Any]:
    """The plan's file, written and read, and what the judge says of it."""
    phases = Phases()
    text = timed(phases, "write", lambda: dump(made))
    timed(phases, "read", lambda: parse(text, "plan.json"))
    packed = timed(phases, "write_gz", lambda: gzip.compress(text, 1, mtime=0))
    timed(phases, "read_gz", lambda: gzip.decompress(packed))
    verdict = timed(phases, "judge", lambda: judge_plan(orjson.loads(text)))
    return {
        "files_cpu_s": phases,
        "file_mib": round(len(text) / 2**20, 1),
        "file_gz_mib": round(len(packed) / 2**20, 1),
        "broken": verdict.count,
    }


def _plan(lanes: Sequence[Lane], rules: Sequence[Constraint], machines: Sequence[MachineId]) -> Plan:
    """A plan around lanes: as much of it as a file needs."""
    one = PlannedMachine(
        machines[0], "", "", "benchmark", "westeurope", Kind.AZURE_VM, Os.LINUX, True, ("benchmark",), (), ()
    )  # fmt: skip
    return Plan(
        name="benchmark", taken_at=None, inventory_fingerprint="", policies_fingerprint="",
        machines=tuple(replace(one, id=name, arm_id=str(name), name=str(name)) for name in machines),
        constraints=tuple(sorted(rules, key=lambda rule: rule.id)),
        stages=(StageGate("broad", timedelta(0), approve=False),), lanes=tuple(lanes), left_out=(), warnings=(),
        change=Restart(), stop_when=StopWhen(), probes=(), health=(Health(),), around=(),
        max_in_flight=None, max_wait=timedelta(hours=24),
    )  # fmt: skip


def rows_of(found: dict[str, Any]) -> list[tuple[str, str, str]]:
    """For people."""
    files = found["files_cpu_s"]
    cpu, memory = GOALS.get((found["machines"], found.get("scope"), found.get("machine_code")), ("", ""))
    rows = [
        (
            f"CPU, {found['machines']:,} machines, {found['constraints']:,} constraints",
            f"{found['cpu_s']:.2f} s",
            cpu,
        ),
        *((f"  {what}", f"{much:.2f} s", "") for what, much in found["phases_cpu_s"].items()),
        (
            "most memory, of which before planning",
            f"{found['mib']:,} MiB, {found['mib_before']:,} MiB",
            memory,
        ),
        ("lanes, the largest", f"{found['lanes']:,}, {found['largest_lane']:,}", ""),
        ("waves one after another", f"{found['longest']:,}", ""),
    ]
    if "bound" in found:
        gap = found["longest"] - found["bound"]
        rows.append((f"  bound: {found['because'][:60]}", f"{found['bound']:,}", f"gap {gap}"))
    rows += [
        ("lanes proven optimal", f"{found['lanes_optimal']:.3%}", "99.9 %"),
        ("machines in lanes proven optimal", f"{found['machines_optimal']:.3%}", "99.9 %"),
        ("rules broken, by the judge", f"{found['broken']:,}", "0"),
        (
            f"file of {found['file_mib']} MiB: written and read",
            f"{files['write']:.2f} s + {files['read']:.2f} s",
            "2 s",
        ),
        (
            f"  gzip, {found['file_gz_mib']} MiB: as well",
            f"{files['write_gz']:.2f} s + {files['read_gz']:.2f} s",
            "",
        ),
        ("judged", f"{files['judge']:.2f} s", ""),
    ]
    for what, much in found.get("replanning_ms", {}).items():
        if what.endswith("changed"):
            rows.append((f"replanned: {what}", f"{much:.0%}", ""))
            continue
        goal = "500 ms" if what.endswith("worst") else "" if what.startswith(("index", "every")) else "5 ms"
        rows.append((f"replanned: {what}", f"{much:g} ms", goal))
    for row in found.get("instead", ()):
        told = (
            row.get("skipped")
            or f"{row['waves']:,} waves, {row['broken']:,} of {row['rules']:,} rules broken"
        )
        rows.append((f"instead: {row['what']}", told, f"{row['cpu_s']:.2f} s" if "cpu_s" in row else ""))
    return rows


def main() -> None:
    """Measure and print."""
    parser = arguments(__doc__)
    parser.add_argument("--machines", type=int, default=10_000)
    parser.add_argument("--scope", choices=SCOPES, default="app", help="within what one zone at a time holds")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--spanning", action="store_true", help="with budgets over regions, that join everything"
    )
    parser.add_argument("--alone", action="store_true", help="without the other ways")
    parser.add_argument("--plain", action="store_true", help="as if numba weren't installed")
    parser.add_argument("--end-to-end", action="store_true", help="from an inventory on")
    parser.add_argument("--cp-sat-s", type=float, default=CP_SAT_S, help="what the solver by itself gets")
    given = parser.parse_args()
    if given.plain:
        sys.modules["numba"] = None  # type: ignore[assignment]  # as Python documents it: importing it fails
    if given.end_to_end:
        found = end_to_end(given.machines)
    else:
        found = generated(
            given.machines, given.scope, given.seed,
            spanning=given.spanning, alone=given.alone, limit_s=given.cp_sat_s,
        )  # fmt: skip
    tell(found, rows_of(found), as_json=given.json)


if __name__ == "__main__":
    main()
