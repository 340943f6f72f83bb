"""What one process needs to roll a large fleet over the wire.

    python benchmarks/rolling.py [--machines 2000] [--time-scale 120] [--profile FILE] [--json]

An emulator of the fleet in `estate.py` runs in a process of its own. The plan comes from `wavekeeper plan`, live, under the floor and the
default health. Then this process does what `wavekeeper rollout plan.json` does, with the Azure SDK's client, real HTTP on
loopback and a SQLite journal on disk, from reading the fleet to the last machine's gate.

CPU is that of this process, all threads, its imports and the reading of the fleet included; divided by machines. Requests are
counted where they leave, under the SDK, and each page of a list is one. At 120 times real time an hour of waves takes half
a minute, and both processes together leave a core of two idle most of the time, so that the machine's speed changes none of
the waits; at 600 it would.

Goals: 25 ms of CPU and 10 requests a machine.
"""

from __future__ import annotations

import asyncio
import cProfile
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from apparatus import arguments, busy_with_others, emulator, measured, peak_mib, tell, wavekeeper
from estate import SUBSCRIPTIONS, estate, policy

CPU_GOAL_MS = 25
REQUESTS_GOAL = 10


@dataclass(slots=True)
class Course:
    """What became of the rollout."""

    status: str = ""
    done: int = 0
    decisions: int = 0
    events: int = 0
    most_in_flight: int = 0
    emulated_s: float = 0.0
    roll_cpu_s: float = 0.0
    requests: Counter[str] = field(default_factory=Counter)


def count_requests(into: Counter[str]) -> None:
    """From now on, count each request by its kind as it leaves."""
    from orchestrator.cloud.arm.connections import VerbatimSession

    send: Callable[..., Any] = VerbatimSession.request

    async def counted(session: VerbatimSession, method: str, url: str, **options: Any) -> Any:
        into[_kind(method, url.lower())] += 1
        return await send(session, method, url, **options)

    VerbatimSession.request = counted  # type: ignore[method-assign]  # a door that nobody else needs to be able to open


def _kind(method: str, url: str) -> str:
    if method == "POST":
        return "start"
    if "/operations/" in url:
        return "result" if "monitor=true" in url else "poll"
    if "/instanceview" in url:
        return "instance view"
    return "sweep (page)" if "statusonly" in url else "inventory"


async def roll(
    url: str,
    plan: bytes,
    journal: Path,
    subscriptions: tuple[str, ...] = SUBSCRIPTIONS,
    watched: Callable[[], AbstractContextManager[None]] = nullcontext,
) -> Course:
    """Roll the plan, as the command does. `watched` is entered while machines are rolled, after start and preparation's reads."""
    from orchestrator.cli.source import live_inventory
    from orchestrator.wiring.cloud import open_cloud
    from orchestrator.wiring.journal import open_journal
    from orchestrator.wiring.rollout import begin, doors

    course = Course()
    count_requests(course.requests)
    cloud = await open_cloud(url)
    async with doors(cloud, {}) as made:
        kept = await open_journal(journal)
        try:
            await kept.acquire("benchmark", cloud.clock.now())
            live = await live_inventory(cloud, subscriptions)
            running = await begin(kept, made, plan, who="benchmark", live=live)
            del live

            def heard(decided: Any) -> None:
                course.decisions += 1
                course.events += len(decided.facts)
                course.most_in_flight = max(course.most_in_flight, running.rollout.in_flight)

            running.host.listen(heard)
            with measured() as used, watched():
                await running.run()
            course.roll_cpu_s = used.cpu_s
            rollout = running.rollout
            course.status = str(rollout.status)
            course.done = sum(n for status, n in rollout.counts.items() if str(status) == "done")
            course.emulated_s = (cloud.clock.now() - rollout.started_at).total_seconds()
        finally:
            await kept.close()
    return course


def measure(machines: int, time_scale: float, profile: Path | None) -> dict[str, Any]:
    """All of it."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        fleet, policies, plan = folder / "fleet.json", folder / "policies", folder / "plan.json"
        policies.mkdir()
        (policies / "estate.yaml").write_text(policy(), encoding="utf-8")
        from orchestrator.inventory.native import dump

        fleet.write_bytes(dump(estate(machines)))
        with emulator(fleet, time_scale) as url:
            subscriptions = [word for one in SUBSCRIPTIONS for word in ("--subscription", one)]
            wavekeeper(
                "plan", *subscriptions, "--endpoint", url, "--policies", str(policies), "-o", str(plan)
            )
            profiler = cProfile.Profile() if profile is not None else None
            with profiler or nullcontext(), measured() as used:
                course = asyncio.run(roll(url, plan.read_bytes(), folder / "journal.db"))
            if profiler is not None:
                profiler.dump_stats(profile)
        size = (folder / "journal.db").stat().st_size
    requests = sum(course.requests.values())
    return {
        "machines": machines,
        "time_scale": time_scale,
        "status": course.status,
        "done": course.done,
        "cpu_ms_a_machine": round(used.cpu_s / machines * 1000, 2),
        "of_which_rolling": round(course.roll_cpu_s / machines * 1000, 2),
        "requests_a_machine": round(requests / machines, 2),
        "requests": {kind: round(n / machines, 2) for kind, n in sorted(course.requests.items())},
        "peak_mib": round(peak_mib(), 1),
        "wall_s": round(used.wall_s, 1),
        "cpu_share": round(used.cpu_s / used.wall_s, 2),
        "foreign_cpu": used.foreign,
        "emulated_h": round(course.emulated_s / 3600, 2),
        "most_in_flight": course.most_in_flight,
        "decisions": course.decisions,
        "events_a_machine": round(course.events / machines, 2),
        "journal_bytes_a_machine": round(size / machines),
    }


def main() -> None:
    """Measure and print."""
    parser = arguments(__doc__)
    parser.add_argument("--machines", type=int, default=2_000)
    parser.add_argument("--time-scale", type=float, default=120.0)
    parser.add_argument(
        "--profile", type=Path, help="keep a cProfile of the rolling process here; it slows it down"
    )
    given = parser.parse_args()
    found = measure(given.machines, given.time_scale, given.profile)
    kinds = ", ".join(f"{kind} {much}" for kind, much in found["requests"].items())
    rows = [
        (
            f"rolled over HTTP: {found['done']:,} of {found['machines']:,} machines",
            found["status"],
            "finished",
        ),
        ("CPU a machine", f"{found['cpu_ms_a_machine']} ms", f"{CPU_GOAL_MS} ms"),
        ("  without start, plan, inventory", f"{found['of_which_rolling']} ms", ""),
        ("requests a machine", f"{found['requests_a_machine']}", f"{REQUESTS_GOAL}"),
        ("peak memory", f"{found['peak_mib']} MiB", ""),
        ("events a machine", f"{found['events_a_machine']}", "8"),
        ("machines in flight, at most", f"{found['most_in_flight']}", ""),
        ("journal a machine", f"{found['journal_bytes_a_machine']} bytes", ""),
        ("wall time, busy share of one core", f"{found['wall_s']} s, {found['cpu_share']:.0%}", ""),
        (f"emulated at {found['time_scale']:g} times real time", f"{found['emulated_h']} h", ""),
        *busy_with_others(found["foreign_cpu"]),
    ]
    tell(found, rows, as_json=given.json)
    if not given.json:
        print(f"requests: {kinds}")


if __name__ == "__main__":
    main()
