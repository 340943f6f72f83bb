"""How long the daemon's loop stands still while it opens a rollout of a large fleet: nobody is answered and nothing is sent meanwhile.

    python benchmarks/opening.py [--machines 20000] [--time-scale 1] [--json]

The daemon itself, in this process: a repository of one campaign, an emulator in a process of its own, a SQLite journal. Measured
from the first look at git to the end of the canary stage's opening. The lag of the loop is how much later than asked for a sleep of
20 ms ends. Plans are made in the process beside the daemon, whose CPU isn't counted.

Goal: no standstill of more than half a second.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from apparatus import arguments, busy_with_others, emulator, measured, peak_mib, tell
from estate import SUBSCRIPTIONS, estate, policy
from in_flight import lagging

from orchestrator.daemon.config import read_config
from orchestrator.daemon.following import Following
from orchestrator.daemon.serve import opened
from orchestrator.daemon.service import Daemon
from orchestrator.daemon.vetting import Vetted, vet
from orchestrator.gitops.repository import Repository
from orchestrator.inventory import native
from orchestrator.telemetry.metrics import Metrics
from orchestrator.wiring.cloud import open_cloud
from tests.upstream import Upstream

GOAL_MS = 500
LONG_AGO = timedelta(days=1)


async def configured(folder: Path, url: str, fleet: bytes) -> Path:
    """A repository with a campaign that was due within the hour, known as good since yesterday, and a configuration."""
    cloud = await open_cloud(url)
    now = cloud.clock.now()
    await cloud.provider.close()
    name = policy().partition("name: ")[2].split()[0]
    schedule = f'schedule: {{start: every_day, at: "{now:%H:%M}", time_zone: UTC}}\n'
    upstream = Upstream(folder / "upstream")
    upstream.commit("first", policies__campaign=policy() + schedule)
    subscriptions = ", ".join(SUBSCRIPTIONS)
    file = folder / "daemon.yaml"
    file.write_text(
        f"version: 1\npolicies: {{source: upstream}}\nfleet: {{subscriptions: [{subscriptions}], endpoint: {url!r}}}\n"
        f"campaigns: {{{name}: {{act: true}}}}\njournal: journal.db\n",
        encoding="utf-8",
    )
    state = folder / "journal.daemon"
    state.mkdir()

    async def tried(checkout: Path, prefix: str) -> Vetted:
        return await asyncio.to_thread(vet, checkout, prefix, fleet, now)

    repository = Repository(str(upstream.folder), "main", state / "git")
    await Following(repository, "policies", state, tried, lambda: now - LONG_AGO).look()
    return file


async def until_open(daemon: Daemon) -> int:
    """Run it until the first stage of its rollout is open. How many machines that changes."""
    running = asyncio.create_task(daemon.run())
    scope = daemon.house.log.scope
    while not any(rollout.prepared for rollout in scope.rollouts.values()):
        if running.done():
            running.result()
        await asyncio.sleep(0.05)
    (rollout,) = scope.rollouts.values()
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running
    return rollout.planned.changing


async def measure(machines: int, time_scale: float) -> dict[str, Any]:
    """Open one rollout."""
    with TemporaryDirectory() as name:
        folder, fleet = Path(name), native.dump(estate(machines))
        (folder / "fleet.json").write_bytes(fleet)
        with emulator(folder / "fleet.json", time_scale) as url:
            file = await configured(folder, url, fleet)
            lags: list[float] = []
            async with opened(read_config(file), Metrics()) as daemon:
                with measured() as used, lagging(lags):
                    changing = await until_open(daemon)
    lags.sort()
    return {
        "machines": machines,
        "changing": changing,
        "wall_s": round(used.wall_s, 1),
        "cpu_s": round(used.cpu_s, 1),
        "lag_p99_ms": round(lags[int(len(lags) * 0.99)], 1),
        "lag_max_ms": round(lags[-1], 1),
        "longest_ms": [round(lag) for lag in reversed(lags[-5:])],
        "peak_mib": round(peak_mib()),
        "foreign": used.foreign,
    }


def main() -> None:
    """Measure and print."""
    parser = arguments(__doc__)
    parser.add_argument("--machines", type=int, default=20_000)
    parser.add_argument("--time-scale", type=float, default=1.0)
    given = parser.parse_args()
    found = asyncio.run(measure(given.machines, given.time_scale))
    rows = [
        ("machines", f"{found['machines']:,}", ""),
        ("CPU of the daemon", f"{found['cpu_s']:.1f} s", ""),
        ("the loop's lag, 99th percentile", f"{found['lag_p99_ms']:,.0f} ms", ""),
        ("the loop's longest standstill", f"{found['lag_max_ms']:,.0f} ms", f"under {GOAL_MS} ms"),
        ("most memory", f"{found['peak_mib']:,} MiB", ""),
        *busy_with_others(found["foreign"]),
    ]
    tell(found, rows, as_json=given.json)


if __name__ == "__main__":
    main()
