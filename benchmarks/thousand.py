"""A process that ran a thousand rollouts: what it holds, how large its journal is, and how long a start takes after it.

    python benchmarks/thousand.py [--rollouts N] [--keep-last N] [--json]

Rollouts of two machines each, in virtual time on the emulated cloud, one after the other beside one that bakes all the while; the
journal is a SQLite file. With retention, all but the last go into archives every ten rollouts. A start is measured on both:
the journal that kept all thousand, and the one that archived. Figures are of this process's CPU and memory.

The daemon's start is of a process of its own, from its command to the word `ready`: its whole CPU, and by the clock. Goal: 3 s.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from apparatus import ROOT, arguments, emulator, environment
from estate import SUBSCRIPTIONS, estate, policy

from orchestrator.executor.log import replay
from orchestrator.inventory import native
from orchestrator.rollout.ended import known
from orchestrator.rollout.snapshot import dump
from orchestrator.store.sqlite import SqliteJournal
from orchestrator.wiring.rollout import Running
from tests.upstream import Upstream
from tests.virtual import virtual
from tests.years import Years

KIB = 1024
EARLY = 0.1  # of the rollouts: what grows from then on is what years add


def resident_kib() -> int:
    """What this process holds in memory now."""
    (line,) = (x for x in Path("/proc/self/status").read_text().splitlines() if x.startswith("VmRSS"))
    return int(line.split()[1])


@virtual
async def run(path: Path, count: int, keep_last: int | None) -> dict[str, Any]:
    """So many rollouts in one process."""
    years = await Years.of(path=path)
    years.keep_last = keep_last
    held: dict[int, int] = {}

    async def look(_: Running, number: int) -> None:
        if number in (int(count * EARLY), count):
            gc.collect()
            held[number] = resident_kib()

    cpu = time.process_time()
    running = await years.run(count, look)
    cpu = time.process_time() - cpu
    early, late = held.values()
    return {
        "rollouts": len(known(running.scope)),
        "cpu_s": round(cpu, 1),
        "memory_early_mib": round(early / KIB, 1),
        "memory_late_mib": round(late / KIB, 1),
        "memory_kib_a_rollout": round((late - early) / (count * (1 - EARLY)), 2),
        "state_bytes_a_rollout": round(len(dump(running.scope)) / count),
        "file_kib": path.stat().st_size // KIB,
        "archives": len(years.archives),
        "archives_kib": sum(Path(name).stat().st_size for name in years.archives) // KIB,
    }


def start(path: Path) -> dict[str, Any]:
    """A new process's way to the state: from its snapshot, and from every row."""

    async def once(*, whole: bool) -> float:
        journal = await SqliteJournal.read_only(path)
        cpu = time.process_time()
        await replay(journal, whole=whole)
        cpu = time.process_time() - cpu
        await journal.close()
        return round(cpu, 3)

    return {
        "start_cpu_s": asyncio.run(once(whole=False)),
        "start_of_every_row_cpu_s": asyncio.run(once(whole=True)),
    }


def start_daemon(path: Path) -> dict[str, Any]:
    """The daemon on that journal, beside an emulator of a few machines and a repository that it has yet to read."""
    folder = path.parent
    fleet = estate(10)
    (folder / "fleet.json").write_bytes(native.dump(fleet))
    if not (folder / "upstream").exists():
        Upstream(folder / "upstream").commit("first", policies__campaign=policy())
    with emulator(folder / "fleet.json", 1.0) as url:
        (folder / "daemon.yaml").write_text(
            f"version: 1\npolicies: {{source: upstream}}\nfleet: {{subscriptions: {SUBSCRIPTIONS[0]}, endpoint: {url!r}}}\n"
            f"journal: {path.name}\n",
            encoding="utf-8",
        )
        begun = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, "-m", "orchestrator", "daemon", "--config", str(folder / "daemon.yaml"), "--json"],
            cwd=ROOT, env=environment(), stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert process.stderr is not None
        told: list[str] = []
        while not told or '"event": "ready"' not in told[-1]:
            line = process.stderr.readline()
            if not line:
                raise SystemExit("the daemon did not start:\n" + "".join(told))
            told.append(line)
        wall, cpu = time.perf_counter() - begun, _cpu_s(process.pid)
        process.terminate()
        process.communicate()
    return {"daemon_ready_cpu_s": round(cpu, 2), "daemon_ready_wall_s": round(wall, 2)}


def _cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main() -> None:
    """Measure and print."""
    parser = arguments(__doc__)
    parser.add_argument("--rollouts", type=int, default=1_000)
    parser.add_argument("--keep-last", type=int, default=50)
    given = parser.parse_args()
    found = {}
    with TemporaryDirectory() as folder:
        for name, keep in (("archived", given.keep_last), ("kept", None)):
            path = Path(folder) / name / "journal.db"
            path.parent.mkdir()
            found[name] = {**run(path, given.rollouts, keep), **start(path), **start_daemon(path)}
    if given.json:
        print(json.dumps(found, indent=2))
    else:
        print(f"{'':28}{'archived':>14}{'kept':>14}")
        for figure in found["kept"]:
            print(f"{figure:28}{found['archived'][figure]:>14,}{found['kept'][figure]:>14,}")


if __name__ == "__main__":
    main()
