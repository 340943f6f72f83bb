"""A day of the daemon: policies in git, rollouts at once, and whoever looks at it meanwhile.

    python benchmarks/day.py [--machines 20000] [--hours 24] [--rollouts 5] [--policies 50] [--listeners 200] [--time-scale 60] [--json]
    python benchmarks/day.py --machines 2000 --hours 2      # two minutes

The daemon is `wavekeeper daemon` in a process of its own, against an emulator in another, whose time runs faster. The fleet is `estate.py`'s;
campaigns share it among them and are due a few minutes after one another, other policies have a rule each. A quarter into the day a commit is pushed, which is
vetted while rollouts run. Meanwhile one client asks the API and the page for everything in turns, and listeners hold streams of events.

CPU and memory are of the daemon's process, and of those beside it in which plans are made, apart. Requests are counted by the emulator. The loop's lag is
what the daemon tells of itself in `/metrics`. At 60 times real time a second of the daemon's is a minute of the fleet's, so that its CPU, as a share of one, is sixty times that
of a day in real time; latencies are real. Goals: lag and latencies under 250 ms at the 99th percentile, no event lost.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import socket
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import aiohttp
from apparatus import ROOT, arguments, emulator, environment, tell
from estate import REGIONS, SUBSCRIPTIONS, estate, policy

from orchestrator.daemon.following import Following
from orchestrator.daemon.vetting import Vetted
from orchestrator.gitops.repository import Repository
from orchestrator.inventory import native
from orchestrator.policy.load import load
from tests.upstream import Upstream

GOAL_MS = 250
FIRST_DUE = timedelta(minutes=10)
APART = timedelta(minutes=5)
ASK_EACH_S = 0.2
READ_EACH = "6h"  # the inventory: reading it takes as long as in real time, which would be all of the half hour that is usual
COMES_EACH_S = 0.02  # so many at the same moment would be asked to come again
AT_WILL = 100_000  # requests a minute: all clients are one here
LOOK_EACH_S = 1.0
TICKS = os.sysconf("SC_CLK_TCK")
ROUTES = ("rollouts", "calendar", "policies", "budgets", "topology", "observations", "holds")
OF_A_ROLLOUT = ("", "/machines?limit=100", "/story?limit=100", "/chart")


# What it is about -----------------------------------------------------------------------------------------------


def policies(rollouts: int, count: int, now: datetime) -> dict[str, str]:
    """Campaigns that share the applications by the last digit of their number, each due once today, and policies of one rule."""
    shares: dict[int, list[str]] = defaultdict(list)
    for digit in range(10):
        shares[digit % rollouts].append(f'"app????{digit}-*"')
    files = {}
    for number in range(rollouts):
        at = now + FIRST_DUE + number * APART
        text = policy().replace("name: estate", f"name: campaign-{number}")
        text = text.replace('select: {names: ["*"]}', f"select: {{names: [{', '.join(shares[number])}]}}")
        files[f"campaign-{number}"] = (
            text + f'schedule: {{start: every_day, at: "{at:%H:%M}", time_zone: UTC}}\n'
        )
    for number in range(count - rollouts):
        files[f"rule-{number:02}"] = (
            f'version: 1\nname: rule-{number:02}\nselect: {{names: ["app???{number:02}-*"]}}\n'
            'rules: [{max_unavailable: 40%, per: "tag:app"}]\n'
        )
    return files


def free_port() -> int:
    """One that nobody listens on now."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@dataclass(slots=True)
class Site:
    """A folder with a repository, a configuration and a journal, beside an emulator."""

    folder: Path
    url: str
    given: Any
    upstream: Upstream = field(init=False)
    texts: dict[str, str] = field(default_factory=dict)
    metrics: int = field(default_factory=free_port)

    async def configure(self) -> None:
        """As if the commit had just been found good."""
        now = (await self.now()).replace(second=0)
        self.texts = policies(self.given.rollouts, self.given.policies, now)
        self.upstream = Upstream(self.folder / "upstream")
        self.upstream.commit("first", **{f"policies__{name}": text for name, text in self.texts.items()})
        names = ", ".join(f"campaign-{number}: {{act: true}}" for number in range(self.given.rollouts))
        (self.folder / "daemon.yaml").write_text(
            "version: 1\npolicies: {source: upstream}\n"
            f"fleet: {{subscriptions: [{', '.join(SUBSCRIPTIONS)}], endpoint: {self.url!r}, every: {READ_EACH}}}\n"
            f"campaigns: {{{names}}}\njournal: journal.db\nweb: {{listen: '127.0.0.1:0', requests_per_minute: {AT_WILL}}}\naccess: {{open: true}}\n"
            f"metrics: {{listen: '127.0.0.1:{self.metrics}'}}\n",
            encoding="utf-8",
        )
        state = self.folder / "journal.daemon"
        state.mkdir()
        read = load([(f"policies/{name}.yaml", text) for name, text in self.texts.items()])

        async def good(_: Path, __: str) -> Vetted:
            return Vetted(read, ())

        repository = Repository(str(self.upstream.folder), "main", state / "git")
        await Following(repository, "policies", state, good, lambda: now).look()

    def push(self) -> None:
        """A commit that says the same in other words."""
        text = f"# reviewed\n{self.texts['campaign-0']}"
        self.upstream.commit("a comment", **{"policies__campaign-0": text})

    async def now(self) -> datetime:
        """The emulated moment."""
        return datetime.fromisoformat((await self.asked("clock"))["now"]).astimezone(UTC)

    async def asked(self, what: str) -> dict[str, Any]:
        """What the emulator tells of itself."""
        async with aiohttp.ClientSession() as session, session.get(f"{self.url}/_wavekeeper/{what}") as told:
            answer: dict[str, Any] = await told.json()
            return answer


@asynccontextmanager
async def daemon(folder: Path) -> AsyncIterator[tuple[int, str]]:
    """The daemon in a process of its own: its id, and where it serves."""
    log = folder / "daemon.log"
    with log.open("w", encoding="utf-8") as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", "orchestrator", "daemon", "--config", str(folder / "daemon.yaml"), "--json"],
            cwd=ROOT, env=environment(), stderr=errors, stdout=errors,
        )  # fmt: skip
    try:
        while not (ready := [one for one in _logged(log) if one.get("event") == "ready"]):
            if process.poll() is not None:
                raise SystemExit(f"the daemon did not start:\n{log.read_text(encoding='utf-8')}")
            await asyncio.sleep(0.1)
        yield process.pid, str(ready[0]["web"])
    finally:
        process.terminate()
        await asyncio.to_thread(process.wait)


def _logged(log: Path) -> Iterator[dict[str, Any]]:
    for line in log.read_text(encoding="utf-8").splitlines():
        with suppress(json.JSONDecodeError):
            yield json.loads(line)


# What is measured -----------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Seen:
    """What was seen in a day. CPU in seconds, memory in MiB, latencies in milliseconds by what was asked for."""

    cpu: dict[int, float] = field(default_factory=dict)
    memory: dict[int, float] = field(default_factory=dict)
    latencies: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    statuses: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    events: dict[int, int] = field(default_factory=dict)  # of each listener
    at_once: int = 0
    refused: int = 0  # listeners who weren't let in


def family(pid: int) -> list[int]:
    """The process and those that it has made."""
    found = [pid]
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError, ValueError):
            fields = stat.read_text(encoding="ascii").rpartition(")")[2].split()
            if int(fields[1]) == pid:
                found.append(int(stat.parent.name))
    return found


async def weigh(pid: int, seen: Seen) -> None:
    """CPU and memory, for ever."""
    while True:
        for one in family(pid):
            with suppress(OSError, ValueError, IndexError):
                fields = Path(f"/proc/{one}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
                seen.cpu[one] = (int(fields[11]) + int(fields[12])) / TICKS
                status = Path(f"/proc/{one}/status").read_text(encoding="ascii")
                seen.memory[one] = int(status.partition("VmHWM:")[2].split()[0]) / 1024
        await asyncio.sleep(LOOK_EACH_S)


async def ask(url: str, seen: Seen) -> None:
    """Everything in turns, for ever: the page, each list, and each rollout that goes on."""
    async with aiohttp.ClientSession() as session:
        while True:
            rollouts = await _get(session, url, "/api/v1/rollouts", "rollouts", seen)
            going = [
                one["id"]
                for one in rollouts.get("items", ())
                if one.get("status") not in ("finished", "aborted")
            ]
            seen.at_once = max(seen.at_once, len(going))
            await _get(session, url, "/", "page", seen)
            for route in ROUTES[1:]:
                await _get(session, url, f"/api/v1/{route}", route, seen)
            for rollout in going:
                for part in OF_A_ROLLOUT:
                    name = f"rollout{part.partition('?')[0]}"
                    await _get(session, url, f"/api/v1/rollouts/{rollout}{part}", name, seen)


async def _get(session: aiohttp.ClientSession, url: str, path: str, name: str, seen: Seen) -> Any:
    """One request. A route that isn't served is no latency."""
    begun = time.perf_counter()
    async with session.get(f"{url}{path}") as response:
        body = await response.read()
    took = (time.perf_counter() - begun) * 1000
    if response.status != 404:
        seen.latencies[name].append(took)
        seen.statuses[str(response.status)] += 1
    await asyncio.sleep(ASK_EACH_S)
    return json.loads(body) if response.status == 200 and "json" in response.content_type else {}


async def listen(url: str, number: int, seen: Seen) -> None:
    """A stream of events from the first one on, held for as long as it lasts, and the events in it counted."""
    await asyncio.sleep(number * COMES_EACH_S)
    timeout = aiohttp.ClientTimeout(total=None)
    async with (
        aiohttp.ClientSession(timeout=timeout, read_bufsize=1 << 20) as session,
        session.get(f"{url}/api/v1/events?after=0", headers={"Accept": "text/event-stream"}) as response,
    ):
        if response.status != 200:
            seen.refused += 1
            return
        seen.events[number] = 0
        async for line in response.content:
            seen.events[number] += line.startswith(b"id:")


async def lag(url: str) -> dict[str, float]:
    """The loop's lag as the daemon tells it, in milliseconds: buckets' upper bounds. Nothing where it tells none."""
    async with aiohttp.ClientSession() as session, session.get(f"{url}/metrics") as response:
        text = await response.text() if response.status == 200 else ""
    rows = re.findall(
        r'^wavekeeper_event_loop_lag_seconds_bucket\{le="([^"]+)"\} ([0-9.e+]+)', text, re.MULTILINE
    )
    buckets = [(float(bound), float(count)) for bound, count in rows]
    if not buckets or not buckets[-1][1]:
        return {}
    total = buckets[-1][1]
    return {
        f"p{share}": 1000 * next(bound for bound, count in buckets if count >= total * share / 100)
        for share in (50, 99)
    }


def percentiles(values: Sequence[float]) -> dict[str, float]:
    """Median and 99th."""
    ordered = sorted(values)
    return {
        f"p{share}": round(ordered[min(len(ordered) - 1, int(len(ordered) * share / 100))], 1)
        for share in (50, 99)
    }


# The day --------------------------------------------------------------------------------------------------------


async def live(given: Any, site: Site, pid: int, url: str) -> dict[str, Any]:
    """So many hours, and what was seen in them."""
    seen = Seen()
    seconds = given.hours * 3600 / given.time_scale
    tasks = [asyncio.create_task(weigh(pid, seen)), asyncio.create_task(ask(url, seen))]
    tasks += [asyncio.create_task(listen(url, number, seen)) for number in range(given.listeners)]
    await asyncio.sleep(seconds / 4)
    await asyncio.to_thread(site.push)
    await asyncio.sleep(seconds * 3 / 4)
    told_lag = await lag(f"http://127.0.0.1:{site.metrics}")
    for task in tasks:
        task.cancel()
    failed = [
        one for one in await asyncio.gather(*tasks, return_exceptions=True) if isinstance(one, Exception)
    ]
    helpers = [one for one in seen.cpu if one != pid]
    everything = [one for values in seen.latencies.values() for one in values]
    return {
        "machines": given.machines, "hours": given.hours, "time_scale": given.time_scale, "policies": given.policies,
        "regions": len(REGIONS),
        "rollouts_at_once": seen.at_once,
        "cpu_s": round(seen.cpu[pid], 1),
        "cpu_share": round(seen.cpu[pid] / seconds, 2),
        "cpu_share_of_a_real_day": round(seen.cpu[pid] / seconds / given.time_scale, 4),
        "helpers_cpu_s": round(sum(seen.cpu[one] for one in helpers), 1),
        "memory_mib": round(seen.memory[pid]),
        "helpers_memory_mib": round(sum(seen.memory[one] for one in helpers)),
        "lag_ms": told_lag,
        "api_ms": percentiles([x for name, values in seen.latencies.items() if name != "page" for x in values]) if everything else {},
        "page_ms": percentiles(seen.latencies["page"]) if seen.latencies["page"] else {},
        "by_route_ms": {name: percentiles(values) for name, values in sorted(seen.latencies.items()) if values},
        "answers": dict(seen.statuses),
        "listeners": len(seen.events), "listeners_refused": seen.refused,
        "events_fewest": min(seen.events.values(), default=0), "events_most": max(seen.events.values(), default=0),
        "clients_failed": [repr(one) for one in failed[:3]],
        **await site.asked("requests"),
    }  # fmt: skip


async def day(given: Any) -> dict[str, Any]:
    """All of it."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "fleet.json").write_bytes(native.dump(estate(given.machines)))
        with emulator(folder / "fleet.json", given.time_scale) as url:
            site = Site(folder, url, given)
            await site.configure()
            async with daemon(folder) as (pid, served):
                found = await live(given, site, pid, served)
            log = list(_logged(folder / "daemon.log"))
        found["journal_mib"] = round((folder / "journal.db").stat().st_size / (1 << 20), 1)
    found["opened"] = sum(one.get("event") == "opened" for one in log)
    found["commit_vetted"] = any(one.get("event") == "a commit counts from now on" for one in log)
    told = [one for one in log if one.get("level") in ("warning", "error")]
    found["warnings"] = sorted({f"{one['event']}: {one.get('why', one.get('problems', ''))}" for one in told})
    return found


def rows(found: dict[str, Any]) -> list[tuple[str, str, str]]:
    """For people."""

    def both(figures: dict[str, float]) -> str:
        return ", ".join(f"{name} {value:,.0f} ms" for name, value in figures.items()) or "not told"

    return [
        ("rollouts at once", f"{found['rollouts_at_once']}", ""),
        ("CPU of the daemon", f"{found['cpu_s']:,.1f} s", ""),
        ("as a share of one, in real time", f"{found['cpu_share_of_a_real_day']:.2%}", ""),
        ("CPU of the processes beside it", f"{found['helpers_cpu_s']:,.1f} s", ""),
        ("most memory of the daemon", f"{found['memory_mib']:,} MiB", ""),
        ("most memory beside it", f"{found['helpers_memory_mib']:,} MiB", ""),
        ("the loop's lag", both(found["lag_ms"]), f"p99 under {GOAL_MS} ms"),
        ("the API's answers", both(found["api_ms"]), f"p99 under {GOAL_MS} ms"),
        ("the page", both(found["page_ms"]), f"p99 under {GOAL_MS} ms"),
        (
            "listeners",
            f"{found['listeners']}, {found['events_fewest']:,} to {found['events_most']:,} events each",
            "all the same",
        ),
        ("requests to Azure", f"{found['requests']:,}, of which throttled {found['throttled']:,}", ""),
        ("the journal", f"{found['journal_mib']:,} MiB", ""),
    ]


def main() -> None:
    """Measure and print."""
    parser = arguments(__doc__)
    parser.add_argument("--machines", type=int, default=20_000)
    parser.add_argument("--hours", type=float, default=24.0)
    parser.add_argument("--rollouts", type=int, default=5)
    parser.add_argument("--policies", type=int, default=50)
    parser.add_argument("--listeners", type=int, default=200)
    parser.add_argument("--time-scale", type=float, default=60.0)
    found = asyncio.run(day(given := parser.parse_args()))
    tell(found, rows(found), as_json=given.json)


if __name__ == "__main__":
    main()
