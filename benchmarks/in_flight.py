"""Ten thousand machines in flight at once in one process, over the wire: does it keep up, and does Azure let it?

    python benchmarks/in_flight.py [--machines 10000] [--install-takes 90m/2h] [--time-scale 20] [--json]

One subscription, one region, machines in no set and no zone, under a policy that lets all of them go at once: what holds
them back are the throttles alone, which the emulator keeps with Azure's published sizes. This process does what
`wavekeeper rollout plan.json` does, with the Azure SDK's client, real HTTP on loopback and a SQLite journal on disk.

Compute takes 200 patch operations a minute, so 10,000 have begun after 49 minutes. They are in flight at once if none of them has
ended by then: an installation takes 90 minutes here, and two hours or less 19 times of 20 (`--install-takes`). Those that the emulator
makes up if nobody says, 2 to 22 minutes, leave no more than 200 x 14 in flight, whatever Wavekeeper does. 10,000 looks each five minutes would be 2,000 reads
a minute, and ARM takes 1,500 of all kinds: so the busiest minutes are told too.

The lag of the event loop is how much later than asked for a sleep of 20 ms ends, measured all along; a rollout that hangs for
a second answers nobody for a second. On a machine that others use as well, most of it is theirs: so it is told once more, without
the time in which this process, all its threads, didn't compute. Throttled answers (429) are counted where they arrive, and where the emulator gives them. A
herd would show in the most requests that left in one second of emulated time.

Goals: all in flight at once, lag under 100 ms at the 99th percentile, 10 requests a machine, no more than a hundredth of the requests refused.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.request import urlopen

from apparatus import arguments, busy_with_others, emulator, measured, peak_mib, tell, wavekeeper
from estate import START, SUBSCRIPTIONS, estate
from rolling import roll

SUBSCRIPTION = SUBSCRIPTIONS[0]
REGION = "westeurope"
LAG_GOAL_MS = 100
REQUESTS_GOAL = 10
EVERY_S = 0.02
READS = 1500 + 250
"""What ARM takes in a minute of one subscription and principal that begins with a full bucket; Compute's own limits are wider."""
STARTS = 200 + 600
"""The same of Compute's guest patch operations."""

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
    """What came back, and when it was asked for, in seconds of this process."""

    refused: int = 0
    reads: list[float] = field(default_factory=list)
    starts: list[float] = field(default_factory=list)

    @property
    def total(self) -> int:
        """All of them."""
        return len(self.reads) + len(self.starts)


def count_answers(into: Answers) -> None:
    """From now on, count each answer as it arrives."""
    from orchestrator.cloud.arm.connections import VerbatimSession

    send: Callable[..., Any] = VerbatimSession.request

    async def counted(session: VerbatimSession, method: str, url: str, **options: Any) -> Any:
        (into.starts if method == "POST" else into.reads).append(time.monotonic())
        answer = await send(session, method, url, **options)
        into.refused += answer.status == 429
        return answer

    VerbatimSession.request = counted  # type: ignore[method-assign]  # a door that nobody else needs to be able to open


def busiest(moments: Iterable[float], window_s: float) -> int:
    """The most of these moments that lie within any so many seconds."""
    within: deque[float] = deque()
    most = 0
    for moment in sorted(moments):
        within.append(moment)
        while within[0] <= moment - window_s:
            within.popleft()
        most = max(most, len(within))
    return most


@contextmanager
def lagging(into: list[float], own: list[float] | None = None) -> Iterator[None]:
    """Measure the running loop's lag, in milliseconds; `own` gets the part of each in which this process computed."""

    async def watch() -> None:
        while True:
            begun, computed = time.perf_counter(), time.process_time()
            await asyncio.sleep(EVERY_S)
            lag = max(0.0, time.perf_counter() - begun - EVERY_S)
            into.append(lag * 1000)
            if own is not None:
                own.append(min(lag, time.process_time() - computed) * 1000)

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


async def rolled(url: str, plan: bytes, journal: Path, lags: list[float], own: list[float]) -> Any:
    """Roll the plan, with the loop watched from the first look at the machines to the last gate."""
    return await roll(url, plan, journal, (SUBSCRIPTION,), partial(lagging, lags, own))


def throttled_by(url: str) -> int:
    """How many requests the emulator has refused so far, by its own count."""
    with urlopen(f"{url}/_wavekeeper/requests") as told:  # the emulator's, on loopback
        return int(json.load(told)["throttled"])


def percentiles(lags: list[float]) -> tuple[float, float, float]:
    """Half, 99 % and the worst."""
    lags = sorted(lags)
    return round(lags[len(lags) // 2], 1), round(lags[int(len(lags) * 0.99)], 1), round(lags[-1], 1)


def measure(machines: int, install_takes: str, time_scale: float) -> dict[str, Any]:
    """All of it."""
    from orchestrator.inventory.native import dump

    answers, lags, own = Answers(), list[float](), list[float]()
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
                course = asyncio.run(rolled(url, plan.read_bytes(), folder / "journal.db", lags, own))
            refused = throttled_by(url)
    lag, lag_own = percentiles(lags), percentiles(own)
    return {
        "machines": machines,
        "install_takes": install_takes,
        "time_scale": time_scale,
        "status": course.status,
        "done": course.done,
        "most_in_flight": course.most_in_flight,
        **dict(zip(("lag_ms_p50", "lag_ms_p99", "lag_ms_worst"), lag, strict=True)),
        **dict(zip(("own_lag_ms_p50", "own_lag_ms_p99", "own_lag_ms_worst"), lag_own, strict=True)),
        "requests_a_machine": round(sum(course.requests.values()) / machines, 2),
        "requests": {kind: round(n / machines, 2) for kind, n in sorted(course.requests.items())},
        "refused_share": round(answers.refused / max(1, answers.total), 4),
        "refused_by_the_emulator": refused,
        "most_reads_a_minute": busiest(answers.reads, 60 / time_scale),
        "most_starts_a_minute": busiest(answers.starts, 60 / time_scale),
        "most_requests_a_second": busiest([*answers.reads, *answers.starts], 1 / time_scale),
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
    parser.add_argument("--time-scale", type=float, default=20.0)
    given = parser.parse_args()
    found = measure(given.machines, given.install_takes, given.time_scale)
    lag, own = (
        " / ".join(f"{found[f'{whose}lag_ms_{which}']:g}" for which in ("p50", "p99", "worst")) + " ms"
        for whose in ("", "own_")
    )
    rows = [
        (
            f"rolled over HTTP: {found['done']:,} of {found['machines']:,} machines",
            found["status"],
            "finished",
        ),
        ("machines in flight, at most", f"{found['most_in_flight']:,}", "all"),
        ("lag of the event loop: median / 99 % / worst", lag, f"99 %: {LAG_GOAL_MS} ms"),
        ("  the same, as far as this process computed meanwhile", own, ""),
        ("requests a machine", f"{found['requests_a_machine']}", f"{REQUESTS_GOAL}"),
        ("refused by throttles", f"{found['refused_share']:.2%}", "1 %"),
        ("reads in the busiest emulated minute", f"{found['most_reads_a_minute']:,}", f"{READS:,}"),
        ("starts in the busiest emulated minute", f"{found['most_starts_a_minute']:,}", f"{STARTS:,}"),
        ("requests in the busiest emulated second", f"{found['most_requests_a_second']}", ""),
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
