"""What it costs to come back: a rollout of many machines, four fifths through, replayed from its journal.

    python benchmarks/recovery.py [--machines N] [--json]

Each machine that has begun left the facts of an ordinary change: granted and intended, begun, changed, done; a hundred lanes of
budgets beside each other, and a thousandth of the machines with their operations under way, whose signed URLs are kept.
Figures are of this process's CPU; the file lies in a temporary folder.
"""

from __future__ import annotations

import asyncio
import gc
import json
import resource
import sqlite3
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from apparatus import arguments

from orchestrator.executor.log import Log, replay
from orchestrator.executor.plans import documents_of
from orchestrator.executor.plans import plan_of as kept_plan
from orchestrator.planner.document import digest, dump, parse
from orchestrator.planner.model import Plan
from orchestrator.rollout import events as e
from orchestrator.rollout.decide import decide
from orchestrator.rollout.messages import Start
from orchestrator.rollout.planned import index_plan
from orchestrator.rollout.snapshot import dump as dump_state
from orchestrator.rollout.state import Scope
from orchestrator.store.sqlite import SqliteJournal
from tests.builders import NOON, budget, lane, plan_of

LANE = 100  # machines; one wave each
BEGUN = 0.8
IN_FLIGHT = 0.001
GUID = "2873d711-1b4b-4a9f-b721-99a9328adb1d"
URL = (
    "https://management.azure.com/subscriptions/11111111-aaaa-4aaa-8aaa-000000000001/providers/Microsoft.Compute/"
    f"locations/westeurope/operations/{GUID}?p={GUID}&api-version=2024-11-01&t=638900000000000000&c={'c' * 2616}&s={'s' * 342}"
)


def plan(machines: int) -> Plan:
    """Lanes of a hundred machines, each under a budget of its own."""
    names = [[f"m{first + n:06}" for n in range(LANE)] for first in range(0, machines, LANE)]
    made = plan_of(
        *(lane(f"lane-{number:04}", " ".join(members)) for number, members in enumerate(names)),
        rules=[budget(LANE, " ".join(members)) for members in names],
    )
    rules = tuple(
        replace(rule, id=f"budget:{number}") for number, rule in enumerate(made.constraints)
    )  # not the names
    return replace(made, constraints=rules)


async def write(path: Path, machines: int) -> dict[str, Any]:
    """The journal of the rollout so far."""
    text = dump(plan(machines))
    journal = await SqliteJournal.open(path)
    await journal.acquire("benchmark", NOON)
    log = Log(Scope(), journal)
    planned = index_plan(parse(text, "plan"))
    rollout = "monthly-20261122-0100"
    facts = decide(log.scope, Start(rollout, planned, digest(text), "ada", ""), NOON)
    commits = [log.record(rollout, facts, NOON, planned=planned, documents=documents_of(text, planned))[1]]
    began, events, rows = time.process_time(), 1, 0

    def record(*facts: e.Event) -> None:
        nonlocal events
        events += len(facts)
        commits.append(log.record(rollout, facts, NOON)[1])

    record(e.Prepared(()), e.StageOpened(0))
    flying = int(machines * IN_FLIGHT)
    for number in range(int(machines * BEGUN) // LANE):
        record(e.WaveOpened(number, 0))
        wave = planned.lanes[number].waves[0]
        for machine in wave:
            key = f"{rollout}-{machine}-1"
            record(e.Granted(machine), e.Intended(machine, 1, key, GUID, NOON + timedelta(seconds=60)))
            record(e.Started(machine, f"{URL}&h={machine}", f"{URL}&monitor=true&h={machine}"))
        for machine in wave:
            if flying > 0:
                flying -= 1
                continue
            record(e.ChangeEnded(machine, changed=True, passing=False, detail="2 installed, restarted"))
            record(e.MachineEnded(machine, e.Outcome.DONE, "2 installed, restarted"))
        rows += len(commits)
        await asyncio.gather(*commits)
        commits.clear()
    cpu = time.process_time() - began
    await journal.close()
    begun = int(machines * BEGUN)
    return {
        "machines": machines,
        "begun": begun,
        "events": events,
        "rows": rows,
        "plan_bytes": len(text),
        "bytes_a_machine": round((path.stat().st_size - _packed(path)) / begun, 1),
        "append_cpu_us_a_row": round(cpu / rows * 1e6, 1),
    }


def _packed(path: Path) -> int:
    """What the plan takes in the file, in both its forms, which isn't the facts'."""
    with sqlite3.connect(path) as sql:
        sizes = sql.execute("SELECT length(body) FROM documents ORDER BY 1 DESC LIMIT 2").fetchall()
    return sum(int(size) for (size,) in sizes)


async def read(path: Path) -> dict[str, Any]:
    """A new process's way to the same state."""
    journal = await SqliteJournal.read_only(path)
    cpu = time.process_time()
    async for _ in journal.read():
        pass
    rows_s = time.process_time() - cpu
    name = await _first_digest(journal)
    cpu = time.process_time()
    packed = await kept_plan(journal, name)
    packed_s = time.process_time() - cpu
    cpu = time.process_time()
    parsed = index_plan(parse(await journal.document(name), "plan"))
    plan_s = time.process_time() - cpu
    assert parsed == packed
    del parsed, packed
    gc.collect()  # nothing that was read is there any more
    cpu, wall = time.process_time(), time.perf_counter()
    await replay(journal, whole=True)
    total_s, wall = time.process_time() - cpu, time.perf_counter() - wall
    gc.collect()
    kept = await journal.snapshot()
    assert kept is not None
    cpu = time.process_time()
    scope = await replay(journal)
    snapshot_s = time.process_time() - cpu
    cpu = time.process_time()
    dump_state(scope)
    taken_s = time.process_time() - cpu
    await journal.close()
    return {
        "rows_checked_cpu_s": round(rows_s, 2),
        "plan_file_cpu_s": round(plan_s, 2),
        "plan_packed_cpu_s": round(packed_s, 2),
        "replay_cpu_s": round(total_s, 2),
        "replay_wall_s": round(wall, 2),
        "with_snapshot_cpu_s": round(snapshot_s, 2),
        "rows_after_snapshot": scope.seq - kept.seq,
        "snapshot_kib": len(kept.body) // 1024,
        "taking_a_snapshot_cpu_s": round(taken_s, 2),
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }


async def _first_digest(journal: SqliteJournal) -> str:
    async for row in journal.read():
        return str(json.loads(row.body)[0][3])
    raise AssertionError


def main() -> None:
    """Measure and print."""
    parser = arguments(__doc__)
    parser.add_argument("--machines", type=int, default=100_000)
    given = parser.parse_args()
    with TemporaryDirectory() as folder:
        path = Path(folder) / "journal.db"
        found = {**asyncio.run(write(path, given.machines)), **asyncio.run(read(path))}
    if given.json:
        print(json.dumps(found, indent=2))
    else:
        for name, figure in found.items():
            print(f"{name:24}{figure:>14,}")


if __name__ == "__main__":
    main()
