"""Whole rollouts in virtual time: a world that lives on, a disk that survives, and processes that come and go.

    @virtual
    async def test_something() -> None:
        stage = Stage.of(await script(fleet, CAMPAIGN), faults="- install_fails: {machines: [a], times: 1}")
        rollout = await stage.run()
        stage.judge()

Everything but the sockets is real: planner, host, executor, the cloud's codec, the emulator's world, the journal.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any, ParamSpec, TypeVar

import looptime
import orjson

from orchestrator.clock import LoopClock
from orchestrator.cloud.arm.provider import ArmProvider
from orchestrator.cloud.arm.transport import EmulatedSession
from orchestrator.cloud.port import CloudProvider
from orchestrator.cloud.simulated import SimulatedProvider
from orchestrator.emulator.audit import audit_line
from orchestrator.emulator.fault_file import parse_faults
from orchestrator.emulator.faults import NO_FAULTS, Faults
from orchestrator.emulator.state import Happening
from orchestrator.emulator.world import World
from orchestrator.executor.log import Decided
from orchestrator.executor.services import Services, services
from orchestrator.executor.settings import Settings
from orchestrator.hosts.resting import Pace
from orchestrator.inventory import native
from orchestrator.inventory.model import Inventory
from orchestrator.inventory.regions import with_regions
from orchestrator.planner.document import dump
from orchestrator.planner.durations import Durations
from orchestrator.planner.plan import plan
from orchestrator.policy.load import load
from orchestrator.policy.model import ProbeKind
from orchestrator.policy.scripts import with_texts
from orchestrator.rollout import events as e
from orchestrator.rollout.codec import decode
from orchestrator.rollout.state import MachineStatus, Rollout
from orchestrator.service.narrate import sentence
from orchestrator.store.memory import Crashed, MemoryDisk, MemoryJournal
from orchestrator.store.port import Journal
from orchestrator.store.sqlite import SqliteJournal
from orchestrator.topology.graph import build
from orchestrator.verify.audit import judge_audit
from orchestrator.verify.floor import judge_floor
from orchestrator.verify.model import Verdict, together
from orchestrator.verify.plan import judge_plan
from orchestrator.wiring.files import floor
from orchestrator.wiring.rollout import Running, begin
from tests.fakes.journals import MortalJournal
from tests.fakes.probes import About, WorldProber
from tests.fakes.webhooks import FakeWebhooks

P = ParamSpec("P")
T = TypeVar("T")

START = datetime(2026, 11, 22, 1, tzinfo=UTC)
LONGEST = timedelta(days=30)
"""Virtual time after which a rollout that goes on counts as one that never ends."""


def virtual(test: Callable[P, Coroutine[Any, Any, T]]) -> Callable[P, T]:
    """Run a test's coroutine in virtual time, on a loop that jumps over waiting."""

    @functools.wraps(test)
    def run(*args: P.args, **kwargs: P.kwargs) -> T:
        with asyncio.Runner(loop_factory=functools.partial(looptime.new_event_loop, noop_cycles=0)) as runner:
            return runner.run(test(*args, **kwargs))

    return run


async def live_fleet(fleet: Inventory, seed: int = 1) -> Inventory:
    """The fleet as an emulated cloud of this seed tells it: with the domains that it deals."""
    twin = World(with_regions(fleet), seed=seed, start=START)
    subscriptions = sorted({machine.subscription for machine in fleet.machines})
    return with_regions(await SimulatedProvider(twin, LoopClock(START)).inventory(subscriptions))


@dataclass(frozen=True)
class Script:
    """A fleet as the cloud tells it, and the file of the plan that the real planner made of it."""

    fleet: Inventory
    plan: bytes
    seed: int = 1


async def script(
    fleet: Inventory,
    *policies: str,
    seed: int = 1,
    durations: Durations | None = None,
    scripts: Mapping[str, str] = MappingProxyType({}),
) -> Script:
    """The script of a fleet under these policies and the floor; `scripts` are those that policies name."""
    live = await live_fleet(fleet, seed)
    texts = {f"policies/{name}": text for name, text in scripts.items()}
    read = with_texts(
        load([(f"policies/{number}.yaml", text) for number, text in enumerate(policies)]), texts.__getitem__
    )
    return Script(live, dump(plan(build(live), read, floor(), durations=durations)), seed)


def faults_of(text: str) -> Faults:
    """Faults, as a fault file lists them."""
    return parse_faults(f"version: 1\nfaults:\n{text}\n", "faults.yaml") if text.strip() else NO_FAULTS


@dataclass
class Stage:
    """One world, one disk, one plan. A crash leaves the world and the disk.

    `sdk`: the SDK's codec between the executor and the world, instead of the simulated provider. `path`: a SQLite file
    instead of the memory's disk.
    """

    script: Script
    world: World
    clock: LoopClock
    disk: MemoryDisk = field(default_factory=MemoryDisk)
    about: About = lambda world, group, now: ""
    webhooks: FakeWebhooks = field(default_factory=FakeWebhooks)
    settings: Settings | None = None
    pace: Pace = field(default_factory=lambda: Pace(inbox_every_s=0))
    sdk: bool = False
    path: Path | None = None
    happened: list[Happening] = field(default_factory=list)
    story: list[str] = field(default_factory=list)
    crashes: int = 0

    @classmethod
    def of(cls, script: Script, faults: str = "", *, restart_share: float = 0.5, **parts: Any) -> Stage:
        """A stage for a script, with faults as a fault file lists them. Made inside the loop that it plays in."""
        world = World(
            script.fleet,
            seed=script.seed,
            start=START,
            faults=faults_of(faults),
            restart_share=restart_share,
        )
        return cls(script, world, LoopClock(START), **parts)

    # Processes ----------------------------------------------------------------------------------------------

    def cloud(self) -> CloudProvider:
        """A way of its own to the world, as each process has."""
        if self.sdk:
            session = EmulatedSession(self.world, self.clock)
            return ArmProvider(self.clock, endpoint="http://127.0.0.1:1", session=session)
        return SimulatedProvider(self.world, self.clock)

    def services(self) -> Services:
        """What a new process has of the world."""
        prober = WorldProber(self.world, self.clock, about=self.about)
        probers = {ProbeKind.HTTP: prober, ProbeKind.TCP: prober}
        self.webhooks.now = self.clock.now
        return services(self.cloud(), probers, self.webhooks, self.clock, self.settings)

    async def journal(self, *, crash_at: int | None = None, durable: bool = False) -> Journal:
        """The journal as a new process opens it."""
        if self.path is None:
            return MemoryJournal(self.disk, crash_at=crash_at, crash_durable=durable)
        inner = await SqliteJournal.open(self.path, inline=True)
        return MortalJournal(inner, crash_at=crash_at, durable=durable)

    async def run(
        self,
        *,
        crash_at: int | None = None,
        durable: bool = False,
        meanwhile: Callable[[Running], Coroutine[Any, Any, None]] | None = None,
        live: Inventory | None = None,
        accept_drift: bool = False,
    ) -> Rollout:
        """One process: the command that begins the plan or goes on with it, until the rollout rests or is over.

        `meanwhile` goes on beside it, and ends before it or with it. `live` is the fleet as it is found, if it isn't that of
        the plan. Raises `Crashed` at the `crash_at`-th append.
        """
        journal = await self.journal(crash_at=crash_at, durable=durable)
        made = self.services()
        try:
            await journal.acquire("ada", self.clock.now())
            running = await begin(
                journal,
                made,
                self.script.plan,
                who="ada",
                live=live or self.script.fleet,
                accept_drift=accept_drift,
                pace=self.pace,
            )
            running.host.listen(lambda decided: self._tell(running.rollout, decided))
            await self._drive(running, meanwhile)
            return running.rollout
        finally:
            await made.views.close()
            await made.cloud.close()
            await journal.close()

    async def _drive(
        self, running: Running, meanwhile: Callable[[Running], Coroutine[Any, Any, None]] | None
    ) -> None:
        beside = asyncio.create_task(meanwhile(running)) if meanwhile is not None else None
        try:
            async with asyncio.timeout(LONGEST.total_seconds()):
                await running.run()
        finally:
            if beside is not None:
                if not beside.done():
                    beside.cancel()
                    await asyncio.gather(beside, return_exceptions=True)
                else:
                    beside.result()

    async def survive(self, crash_at: int, *, durable: bool, away: timedelta = timedelta(0)) -> Rollout:
        """A process that dies at its n-th append, nobody there for a while, and the same command again."""
        with contextlib.suppress(Crashed):
            return await self.run(crash_at=crash_at, durable=durable)
        await self.clock.sleep(away.total_seconds())
        self.crashes += 1
        return await self.run()

    def _tell(self, rollout: Rollout, decided: Decided) -> None:
        at = timedelta(seconds=int((decided.at - START).total_seconds()))
        self.story += [f"{at} {sentence(rollout, fact)}" for fact in decided.facts]

    # What came of it ----------------------------------------------------------------------------------------

    def audit(self) -> list[dict[str, Any]]:
        """The lines of the witness so far."""
        self.happened += self.world.advance(self.clock.now())
        lines = [*map(audit_line, self.happened), *self.webhooks.heard]
        return list(map(orjson.loads, lines))

    def installs(self) -> dict[str, int]:
        """How often we began to install on each machine, by name."""
        return self.begun("install")

    def begun(self, event: str) -> dict[str, int]:
        """How often we began that on each machine, by name."""
        counts: dict[str, int] = {}
        for line in self.audit():
            if line["event"] == event and line.get("by") != "foreign":
                name = line["machine"].rsplit("/", 1)[-1]
                counts[name] = counts.get(name, 0) + 1
        return counts

    def verdict(self, **options: Any) -> Verdict:
        """What the independent judge says of plan and audit."""
        document, fleet = orjson.loads(self.script.plan), orjson.loads(native.dump(self.script.fleet))
        return together(
            judge_plan(document),
            judge_floor(document, fleet),
            judge_audit(self.audit(), document, fleet, **options),
        )

    def judge(self, **options: Any) -> None:
        """Nothing that happened broke a rule."""
        verdict = self.verdict(**options)
        assert [str(violation) for violation in verdict.violations] == []


def die_at_every_append(trial: Callable[[int], bool], *, every: int = 1, least: int = 1) -> None:
    """Have a process die at its first append, at its second and so on (or at each n-th), until it doesn't come so far.

    `trial` plays one death, with all that follows, and says whether there was such an append. `least` there must be.
    """
    number = 1
    while trial(number):
        number += every
    assert number > least, f"no process came to append {least}"


def facts_of(disk: MemoryDisk, scope: str = "default") -> list[e.Event]:
    """All facts on a disk, in order."""
    return [fact for row in disk.scopes[scope].rows for fact in decode(row.body, row.seq, row.rollout)]


def statuses(rollout: Rollout) -> dict[str, MachineStatus]:
    """Where the machines that the plan changes stand, by name."""
    return {
        machine.name: run.status
        for machine, run in zip(rollout.planned.plan.machines, rollout.machines, strict=True)
        if machine.change
    }
