"""A process that ran a thousand rollouts: what it holds, how large its journal is, and how long a start takes after it.

    python benchmarks/thousand.py [--rollouts N] [--keep-last N] [--json]

Rollouts of two machines each, in virtual time on the emulated cloud, one after the other beside one that bakes all the while; the
journal is a SQLite file. With retention, all but the last go into archives every ten rollouts. A start is measured on both:
the journal that kept all thousand, and the one that archived. Figures are of this process's CPU and memory.
"""

from __future__ import annotations

import asyncio
import gc
import json
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from apparatus import arguments

from orchestrator.executor.log import replay
from orchestrator.rollout.ended import known
from orchestrator.rollout.snapshot import dump
from orchestrator.store.sqlite import SqliteJournal
from orchestrator.wiring.rollout import Running
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
            found[name] = {**run(path, given.rollouts, keep), **start(path)}
    if given.json:
        print(json.dumps(found, indent=2))
    else:
        print(f"{'':28}{'archived':>14}{'kept':>14}")
        for figure in found["kept"]:
            print(f"{figure:28}{found['archived'][figure]:>14,}{found['kept'][figure]:>14,}")


if __name__ == "__main__":
    main()
