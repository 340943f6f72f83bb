"""A desk with everything real behind it: a journal in a file, a host that drives, a simulated cloud, a server on loopback.

The cloud's time stands as good as still: what is begun stays in flight, unless a test says how fast time goes.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import aiohttp

from orchestrator.access.model import Grant, Person, Reach, Role
from orchestrator.clock import ScaledClock
from orchestrator.cloud.simulated import SimulatedProvider
from orchestrator.emulator.world import World
from orchestrator.executor.services import services
from orchestrator.hosts.resting import Pace
from orchestrator.inventory.model import Inventory, MachineId
from orchestrator.policy.model import ProbeKind
from orchestrator.rollout.letters import Handover
from orchestrator.rollout.state import Ended, Rollout, Scope
from orchestrator.store.port import Journal
from orchestrator.store.sqlite import SqliteJournal
from orchestrator.web.app import build
from orchestrator.web.broadcast import Broadcast
from orchestrator.web.desk import Listener
from orchestrator.web.models import Coming, ObservationTold, PoliciesTold
from orchestrator.web.pages import add_page
from orchestrator.web.problems import Declined
from orchestrator.web.server import listening
from orchestrator.web.settings import Settings
from orchestrator.wiring.journal import archive_of
from orchestrator.wiring.rollout import ReadPlan, ScopeHost, open_scope, prepare, read_plan, start
from orchestrator.wiring.shelf import Shelf
from tests.fakes.probes import WorldProber
from tests.fakes.webhooks import FakeWebhooks
from tests.virtual import START, Script, faults_of

PATIENCE = aiohttp.ClientTimeout(total=10)
"""Of a client: longer than anything takes, and shorter than anybody waits for a test that hangs."""

POLICIES = PoliciesTold("https://git.example/p.git", "main", None, None, None)

PACE = Pace(inbox_every_s=0.02)

ADA = Person("ada", (Grant(Role.ADMIN),), "ada")


def someone(name: str, role: Role = Role.VIEWER, *campaigns: str) -> Person:
    """A person with one role, everywhere or for campaigns."""
    return Person(name, (Grant(role, Reach(campaigns)),), name)


@dataclass
class HouseDesk:
    """See `web.desk.Desk`; the calendar and the policies are what a test says."""

    house: ScopeHost
    clock: ScaledClock
    script: Script
    shelf: Shelf
    coming: tuple[Coming, ...] = ()
    told: PoliciesTold = POLICIES
    observed: tuple[ObservationTold, ...] = ()

    @property
    def scope(self) -> Scope:
        """See the port."""
        return self.house.log.scope

    @property
    def journal(self) -> Journal:
        """See the port."""
        return self.house.log.journal

    @property
    def fleet(self) -> Inventory | None:
        """See the port."""
        return self.script.fleet

    def now(self) -> datetime:
        """See the port."""
        return self.clock.now()

    def tags(self, machine: MachineId) -> Mapping[str, str]:
        """See the port."""
        return next((one.tags for one in self.script.fleet.machines if one.id == machine), {})

    def calendar(self) -> tuple[Coming, ...]:
        """See the port."""
        return self.coming

    def policies(self) -> PoliciesTold:
        """See the port."""
        return self.told

    async def observations(self) -> tuple[ObservationTold, ...]:
        """See the port."""
        return self.observed

    async def whole(self, ended: Ended) -> Rollout:
        """See the port."""
        return await self.shelf.take(ended)

    def journal_of(self, rollout: Rollout | Ended) -> AbstractAsyncContextManager[Journal]:
        """See the port."""
        return self.shelf.file_of(rollout)

    async def read(self, plan: bytes) -> ReadPlan:
        """See the port."""
        return read_plan(plan)

    async def prepare(self, plan: ReadPlan, who: str, reason: str) -> Handover:
        """See the port."""
        return await prepare(plan, self.house.services, who=who, reason=reason, live=self.script.fleet)

    def next_archive(self) -> str:
        """See the port."""
        return str(archive_of(self.shelf.journal, self.scope.archivings + 1))

    def look_into_inbox(self) -> None:
        """See the port."""
        self.house.look_into_inbox()

    def listen(self, listener: Listener) -> AbstractContextManager[None]:
        """See the port."""
        return self.house.log.listening(listener)


@dataclass
class Office:
    """A server that is up, and a client of it. `person` is who asks; a header of that name says another."""

    desk: HouseDesk
    url: str
    client: aiohttp.ClientSession
    broadcast: Broadcast
    people: dict[str, Person] = field(default_factory=dict)

    async def get(self, path: str, who: str = "ada", **options: Any) -> tuple[int, Any]:
        """A read's status and JSON."""
        return await self.ask("GET", path, who, **options)

    async def ask(self, method: str, path: str, who: str = "ada", **options: Any) -> tuple[int, Any]:
        """A request's status and JSON."""
        headers = {"X-Who": who, **options.pop("headers", {})}
        async with self.client.request(method, f"{self.url}/api/v1{path}", headers=headers, **options) as got:
            return got.status, await got.json(content_type=None)

    async def until(self, true: Callable[[], bool]) -> None:
        """Let everything go on until something is true."""
        async with asyncio.timeout(30):
            while not true():  # noqa: ASYNC110 - what it waits for need not be a decision
                await asyncio.sleep(0)

    async def begin(self, script: Script | None = None, who: str = "schedule") -> Rollout:
        """A rollout that goes on, of the desk's plan or another."""
        house, plan = self.desk.house, read_plan((script or self.desk.script).plan)
        handover = await prepare(plan, house.services, who=who, live=self.desk.script.fleet)
        return await start(house, plan, handover)


@contextlib.asynccontextmanager
async def office(
    script: Script,
    folder: Path,
    *people: Person,
    scale: float = 1.0,
    settings: Settings | None = None,
    heartbeat_s: float = 15.0,
    faults: str = "",
) -> AsyncIterator[Office]:
    """An office that is open as long as the block lasts. Who asks is `ada`, who may do everything, or one of `people`.

    A request says who by a header of that name, or by a token that is nothing but the name. `faults` are of its cloud, as a fault file lists them.
    """
    known = {one.name: one for one in (ADA, *people)}
    clock = ScaledClock(START, scale)
    world = World(script.fleet, seed=script.seed, start=START, faults=faults_of(faults))
    prober = WorldProber(world, clock, about=lambda world, group, now: "")
    made = services(
        SimulatedProvider(world, clock),
        {ProbeKind.HTTP: prober, ProbeKind.TCP: prober},
        FakeWebhooks(),
        clock,
    )
    journal = await SqliteJournal.open(folder / "journal.db")
    await journal.acquire("schedule", clock.now())
    house = await open_scope(journal, made, pace=PACE, stay=True)
    for rollout in house.log.scope.active():
        house.drive(rollout)
    running = asyncio.create_task(house.run())

    async def recognise(request: Any) -> Person:
        bearer = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if (person := known.get(request.headers.get("X-Who", bearer))) is None:
            raise Declined("sign-in", "nobody knows you")
        return person

    desk = HouseDesk(house, clock, script, Shelf(folder / "journal.db"))
    try:
        broadcast = Broadcast(desk, heartbeat_s=heartbeat_s)
        app = build(desk, settings or Settings(port=0), recognise, broadcast=broadcast)
        add_page(app)
        async with (
            listening(app, settings or Settings(port=0)) as url,
            aiohttp.ClientSession(timeout=PATIENCE) as client,
        ):
            yield Office(desk, url, client, broadcast, known)
    finally:
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running
        await made.views.close()
        await made.cloud.close()
        await journal.close()
