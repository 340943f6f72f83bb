"""How many crash points a minute of one core: the reference scenario (8 machines, 2 lanes, 2 stages), prefix once, then branch.

    python benchmarks/crash_points.py [--json] [--every 3] [--drawn 30]

Each crash point is a process that dies there, another one that goes on to the end, and the judge's verdict. With the provider's
face and a journal in memory, on a SQLite file, and with the SDK between the executor and the world. `--drawn N`: the trials of
seeds 1 to N instead, with the first of these alone.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from orchestrator.simulation.explore import explore
from orchestrator.simulation.report import Report
from orchestrator.simulation.trial import trial_of
from orchestrator.wiring.virtual import Face

WAYS = {
    "provider, memory": {},
    "provider, sqlite": {"on_file": True},
    "transport, memory": {"face": Face.TRANSPORT},
}
GOALS = {"provider, memory": 5000, "provider, sqlite": 1000, "transport, memory": 200}


def main() -> None:
    """Measure and tell."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument(
        "--every", type=int, default=3, help="each so manieth boundary, from the beginning to the end"
    )
    parser.add_argument("--drawn", type=int, default=0, help="so many drawn trials instead")
    options = parser.parse_args()
    figures = {}
    for name, parts in list(WAYS.items())[: 1 if options.drawn else None]:
        report, used = Report(), _cpu()
        for seed in range(1, options.drawn + 1) if options.drawn else [0]:
            trial = replace(trial_of(seed), **parts)
            explore(trial, report, chosen=lambda boundary: boundary.number % options.every == 0)
        minutes = (_cpu() - used) / 60
        figures[name] = {
            "points": report.points,
            "cpu_s": round(minutes * 60, 1),
            "failures": len(report.failures),
            "points_per_cpu_minute": round(report.points / minutes),
            "machine_days_per_cpu_minute": round(report.machine_days / minutes, 1),
            "goal": None if options.drawn else GOALS[name],
        }
    if options.json:
        print(json.dumps(figures))
        return
    for name, found in figures.items():
        print(
            f"{name}: {found['points_per_cpu_minute']:,} crash points a minute of one core (goal {found['goal'] or 'none'}), "
            f"{found['machine_days_per_cpu_minute']:,} machine-days; {found['failures']} failures of {found['points']:,}"
        )


def _cpu() -> float:
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


if __name__ == "__main__":
    main()
