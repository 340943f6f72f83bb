"""Ten thousand machines in flight at once in one process, over the wire: does it keep up, and does Azure let it?

    python benchmarks/in_flight.py [--machines 10000] [--install-takes 90m/2h] [--time-scale 30] [--json]

One subscription, one region, machines in no set and no zone, under a policy that lets all of them go at once: what holds
them back are the throttles alone, which the emulator keeps with Azure's published sizes. This process does what
`wavekeeper rollout plan.json` does, with the Azure SDK's client, real HTTP on loopback and a SQLite journal on disk.

The lag of the event loop is how much later than asked for a sleep of 20 ms ends, measured all along; a rollout that hangs for
a second answers nobody for a second. Throttled answers (429) are counted where they arrive. A herd would show in the most
requests that left in one second of emulated time.

Goals: lag under 100 ms at the 99th percentile, 10 requests a machine, no more than a hundredth of the requests refused.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from apparatus import arguments, busy_with_others, emulator, measured, peak_mib, tell, wavekeeper
from estate import START, SUBSCRIPTIONS, estate
from rolling import roll

SUBSCRIPTION = SUBSCRIPTIONS[0]
REGION = "westeurope"
LAG_GOAL_MS = 100
REQUESTS_GOAL = 10
EVERY_S = 0.02

POLICY = """\
version: 1
name: everybody
select: {names: ["*"]}
change: {patches: {maximum_duration: 3h55m}}
replaces: availability-first
health: {min_healthy_time: 1m, probes: [vm_agent]}
max_in_flight: 20000
stages: [{name: broad}]
"""


@dataclass(slots=True)
class Answers:
    """What came back, and when it was asked for, by second of this process."""

    refused: int = 0
    total: int = 0
    seconds: Counter[int] = field(default_factory=Counter)


def count_answers(into: Answers) -> None:
    """From now on, count each answer as it arrives."""
    from orchestrator.cloud.arm.connections import VerbatimSession

    send: Callable[..., Any] = VerbatimSession.request

    async def counted(session: VerbatimSession, method: str, url: str, **options: Any) -> Any:
        into.total += 1
        into.seconds[int(time.monotonic())] += 1
        answer = await send(session, method, url, **options)
        into.refused += answer.status == 429
        return answer

    VerbatimSession.request = counted  # type: ignore[method-assign]  # a door that nobody else needs to be able to open


@contextmanager
def lagging(into: list[float]) -> Iterator[None]:
    """Measure the running loop's lag, in milliseconds."""

    async def watch() -> None:
        while True:
            begun = time.perf_counter()
            await asyncio.sleep(EVERY_S)
            into.append((time.perf_counter() - begun - EVERY_S) * 1000)

    task = asyncio.create_task(watch())
    try:
        yield
    finally:
        task.cancel()


def fleet_of(machines: int) -> Any:
    """That many machines of one subscription and region, in nothing."""
    made = estate(machines)
    alone = tuple(
        replace(
            one,
            id=type(one.id)(one.id.replace(one.subscription, SUBSCRIPTION)),
            arm_id=one.arm_id.replace(one.subscription, SUBSCRIPTION),
            subscription=SUBSCRIPTION,
            location=REGION,
            zone=None,
            availability_set=None,
            scale_set=None,
        )
        for one in made.machines
    )
    ordered = tuple(sorted(alone, key=lambda one: one.id))
    locations = tuple(one for one in made.locations if one.name == REGION)
    return replace(
        made, taken_at=START, machines=ordered, availability_sets=(), scale_sets=(), locations=locations
    )


async def rolled(url: str, plan: bytes, journal: Path, lags: list[float]) -> Any:
    """Roll the plan, with the loop watched from the first look at the machines to the last gate."""
    return await roll(url, plan, journal, (SUBSCRIPTION,), partial(lagging, lags))


def measure(machines: int, install_takes: str, time_scale: float) -> dict[str, Any]:
    """All of it."""
    from orchestrator.inventory.native import dump

    answers, lags = Answers(), list[float]()
    count_answers(answers)
    with TemporaryDirectory() as name:
        folder = Path(name)
        fleet, policies, plan = folder / "fleet.json", folder / "policies", folder / "plan.json"
        policies.mkdir()
        (policies / "everybody.yaml").write_text(POLICY, encoding="utf-8")
        fleet.write_bytes(dump(fleet_of(machines)))
        with emulator(fleet, time_scale, "--install-takes", install_takes) as url:
            chosen = ("--subscription", SUBSCRIPTION, "--endpoint", url, "--policies", str(policies))
            wavekeeper("plan", *chosen, "-o", str(plan))
            with measured() as used:
                course = asyncio.run(rolled(url, plan.read_bytes(), folder / "journal.db", lags))
    lags.sort()
    return {
        "machines": machines,
        "install_takes": install_takes,
        "time_scale": time_scale,
        "status": course.status,
        "done": course.done,
        "most_in_flight": course.most_in_flight,
        "lag_ms_p50": round(lags[len(lags) // 2], 1),
        "lag_ms_p99": round(lags[int(len(lags) * 0.99)], 1),
        "lag_ms_worst": round(lags[-1], 1),
        "requests_a_machine": round(sum(course.requests.values()) / machines, 2),
        "requests": {kind: round(n / machines, 2) for kind, n in sorted(course.requests.items())},
        "refused_share": round(answers.refused / max(1, answers.total), 4),
        "most_requests_an_emulated_second": round(max(answers.seconds.values()) / time_scale, 1),
        "cpu_ms_a_machine": round(used.cpu_s / machines * 1000, 2),
        "peak_mib": round(peak_mib(), 1),
        "wall_s": round(used.wall_s, 1),
        "foreign_cpu": used.foreign,
        "emulated_h": round(course.emulated_s / 3600, 2),
    }


def main() -> None:
    """Measure and print."""
    parser = arguments(__doc__)
    parser.add_argument("--machines", type=int, default=10_000)
    parser.add_argument("--install-takes", default="90m/2h", help="mostly, and 19 times of 20")
    parser.add_argument("--time-scale", type=float, default=30.0)
    given = parser.parse_args()
    found = measure(given.machines, given.install_takes, given.time_scale)
    lag = f"{found['lag_ms_p50']} / {found['lag_ms_p99']} / {found['lag_ms_worst']} ms"
    rows = [
        (
            f"rolled over HTTP: {found['done']:,} of {found['machines']:,} machines",
            found["status"],
            "finished",
        ),
        ("machines in flight, at most", f"{found['most_in_flight']:,}", ""),
        ("lag of the event loop: median / 99 % / worst", lag, f"99 %: {LAG_GOAL_MS} ms"),
        ("requests a machine", f"{found['requests_a_machine']}", f"{REQUESTS_GOAL}"),
        ("refused by throttles", f"{found['refused_share']:.2%}", "1 %"),
        ("requests in the busiest emulated second", f"{found['most_requests_an_emulated_second']}", ""),
        ("CPU a machine", f"{found['cpu_ms_a_machine']} ms", "25 ms"),
        ("peak memory", f"{found['peak_mib']} MiB", ""),
        (
            f"wall time; emulated at {found['time_scale']:g}",
            f"{found['wall_s']} s; {found['emulated_h']} h",
            "",
        ),
        *busy_with_others(found["foreign_cpu"]),
    ]
    tell(found, rows, as_json=given.json)


if __name__ == "__main__":
    main()
