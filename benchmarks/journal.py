"""What the SQLite journal costs: appends one by one and queued, replay of a large log, bytes a row.

    python benchmarks/journal.py [--rows N] [--json]

CPU is of the whole process, its writer's thread included. The file lies in a temporary folder, so what a sync costs is
that disk's; set TMPDIR to measure another.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import resource
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from orchestrator.store.sqlite import SqliteJournal

NOW = datetime(2026, 11, 22, 1, 0, tzinfo=UTC)
ROLLOUT = "monthly-2026-11"
# About what one decision on one machine takes: granted and intended, or started.
BODY = b'[{"t":"granted","v":1,"m":31415,"a":1},{"t":"intended","v":1,"m":31415,"a":1,"key":"9f1c0d5e"}]'


@asynccontextmanager
async def measured(into: dict[str, Any], name: str, count: int) -> AsyncIterator[None]:
    """Wall time and CPU of `count` of something."""
    wall, cpu = time.perf_counter(), time.process_time()
    yield
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    into[name] = {
        "count": count,
        "a_second": round(count / wall),
        "wall_ms_each": round(wall / count * 1000, 4),
        "cpu_ms_each": round(cpu / count * 1000, 4),
    }


async def one_by_one(folder: Path, found: dict[str, Any], count: int, *, inline: bool) -> None:
    """Each append waits for its own commit: the cost of a commit."""
    journal = await SqliteJournal.open(folder / f"one-{inline}.db", inline=inline)
    await journal.acquire("benchmark", NOW)
    async with measured(found, "append, inline" if inline else "append, one at a time", count):
        for seq in range(count):
            await journal.append(seq, ROLLOUT, NOW, BODY)
    await journal.close()


async def queued(folder: Path, found: dict[str, Any], count: int, width: int) -> None:
    """`width` appends wait at any time: what group commit makes of it."""
    journal = await SqliteJournal.open(folder / f"queued-{width}.db")
    await journal.acquire("benchmark", NOW)
    async with measured(found, f"append, {width} queued", count):
        for first in range(0, count, width):
            await asyncio.gather(
                *(journal.append(seq, ROLLOUT, NOW, BODY) for seq in range(first, first + width))
            )
    await journal.close()


async def replay(folder: Path, found: dict[str, Any], rows: int) -> None:
    """Write a log of `rows`, then read it as a restart does; its size on disk."""
    path = folder / "large.db"
    journal = await SqliteJournal.open(path)
    await journal.acquire("benchmark", NOW)
    for first in range(0, rows, 5_000):
        await asyncio.gather(
            *(journal.append(seq, ROLLOUT, NOW, BODY) for seq in range(first, min(rows, first + 5_000)))
        )
    await journal.close()
    found["size"] = {
        "rows": rows,
        "bytes_a_row": round(path.stat().st_size / rows, 1),
        "of_which_body": len(BODY),
    }
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for inline in (True, False):
        journal = await SqliteJournal.read_only(path, inline=inline)
        async with measured(found, f"replay, {'inline' if inline else 'threaded'}", rows):
            async for _ in journal.read():
                pass
        await journal.close()
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    found["replay, memory"] = {"grown_kib": grown}


async def lag(folder: Path, found: dict[str, Any], count: int) -> None:
    """How late the event loop is while the thread replays: the longest of its own short sleeps."""
    journal = await SqliteJournal.read_only(folder / "large.db")
    late: list[float] = []

    async def tick() -> None:
        while True:
            began = time.perf_counter()
            await asyncio.sleep(0.001)
            late.append((time.perf_counter() - began) * 1000 - 1)

    ticking = asyncio.create_task(tick())
    async for _ in journal.read():
        pass
    ticking.cancel()
    await journal.close()
    late.sort()
    found["loop lag while replaying"] = {
        "rows": count,
        "p50_ms": round(late[len(late) // 2], 2),
        "p99_ms": round(late[int(len(late) * 0.99)], 2),
    }


async def measure(rows: int) -> dict[str, Any]:
    """All of it."""
    found: dict[str, Any] = {}
    with TemporaryDirectory() as name:
        folder = Path(name)
        await one_by_one(folder, found, 2_000, inline=True)
        await one_by_one(folder, found, 2_000, inline=False)
        await queued(folder, found, 10_000, 50)
        await queued(folder, found, 20_000, 1_000)
        await replay(folder, found, rows)
        await lag(folder, found, rows)
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=400_000, help="of the log that is replayed")
    parser.add_argument("--json", action="store_true", help="print for programs")
    given = parser.parse_args()
    found = asyncio.run(measure(given.rows))
    if given.json:
        print(json.dumps(found, indent=2))
        return
    for name, figures in found.items():
        print(f"{name:26}" + "  ".join(f"{key} {value}" for key, value in figures.items()))


if __name__ == "__main__":
    main()
