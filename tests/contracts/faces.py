"""Three ways to one emulated world behind the port, so that whatever a cloud promises is tried on all of them.

- simulated: the world itself, in virtual time;
- transport: the SDK's client with a session that ends in the world, in virtual time;
- wire: the SDK's client over HTTP on loopback, in emulated time that runs fast.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import looptime
import pytest

from orchestrator.clock import Clock, LoopClock
from orchestrator.cloud import emulated
from orchestrator.cloud.arm.provider import ArmProvider
from orchestrator.cloud.arm.transport import EmulatedSession
from orchestrator.cloud.port import Accepted, CloudProvider, Ended, Operation, Target
from orchestrator.cloud.simulated import SimulatedProvider
from orchestrator.emulator.audit import audit_line
from orchestrator.emulator.faults import Fault, Faults
from orchestrator.emulator.months import USUAL, Calendar
from orchestrator.emulator.server import Emulator
from orchestrator.emulator.signed_urls import Signer
from orchestrator.emulator.world import World
from orchestrator.inventory.model import Inventory, Machine
from orchestrator.policy.model import Patches, Restart

START = datetime(2026, 11, 22, 1, tzinfo=UTC)
SCALE = 1500.0  # on the wire: seven minutes of patching in a third of a second
PATCHES = Patches()


@dataclass
class Face:
    """One way to the world, opened."""

    cloud: CloudProvider
    clock: Clock
    audit: Callable[[], list[bytes]]  # the lines so far

    async def followed(self, operation: Operation) -> Ended:
        """An operation's end."""
        while True:
            state = await self.cloud.poll(operation)
            if isinstance(state, Ended):
                return state
            await self.clock.sleep(30)

    async def begun(self, target: Target, change: Patches | Restart = PATCHES) -> Operation:
        """The operation of a change that must be accepted."""
        answer = await self.cloud.start(target, change, "key-1", 5)
        assert isinstance(answer, Accepted)
        return answer.operation


@asynccontextmanager
async def closing(cloud: CloudProvider) -> AsyncIterator[CloudProvider]:
    """Closes a provider, whatever becomes of the test."""
    try:
        yield cloud
    finally:
        await cloud.close()


Scenario = Callable[[Face], Awaitable[None]]
Play = Callable[..., None]


FACES = ("simulated", "transport", pytest.param("wire", marks=pytest.mark.wire))


def player(face: str, usual: Inventory, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Play:
    """Runs a scenario over one of the faces, in a loop of the kind that the face needs. Pages hold two things."""
    monkeypatch.setattr(emulated, "PAGE_SIZE", 2)

    def run(
        scenario: Scenario,
        *faults: Fault,
        fleet: Inventory = usual,
        signed: bool = True,
        start: datetime = START,
        calendar: Calendar = USUAL,
    ) -> None:
        def sign(world: World) -> World:
            world.signer = Signer(world.seed, signed=signed)
            return world

        async def virtual() -> None:
            world = sign(World(fleet, seed=1, start=start, faults=Faults(faults), calendar=calendar))
            clock = LoopClock(start)
            cloud: CloudProvider = SimulatedProvider(world, clock)
            if face == "transport":
                session = EmulatedSession(world, clock)
                cloud = ArmProvider(clock, endpoint="http://127.0.0.1", session=session)
            async with closing(cloud):
                await scenario(
                    Face(cloud, clock, lambda: [audit_line(h) for h in world.advance(clock.now())])
                )

        async def wire() -> None:
            path = tmp_path / "audit.jsonl"
            settings = {"seed": 1, "time_scale": SCALE, "start": start, "page_size": 2, "audit_path": path}
            async with Emulator(fleet, faults=Faults(faults), calendar=calendar, **settings) as emulator:  # type: ignore[arg-type]
                sign(emulator.world)
                async with closing(ArmProvider(emulator._clock, endpoint=emulator.url)) as cloud:
                    await scenario(Face(cloud, emulator._clock, lambda: path.read_bytes().splitlines()))

        on_the_wire = face == "wire"
        loops = asyncio.new_event_loop if on_the_wire else looptime.new_event_loop
        with asyncio.Runner(loop_factory=loops) as runner:
            runner.run(wire() if on_the_wire else virtual())

    return run


def aimed(machine: Machine) -> Target:
    """How a machine is addressed."""
    return Target(
        id=machine.id,
        arm_id=machine.arm_id,
        name=machine.name,
        subscription=machine.subscription,
        resource_group=machine.resource_group,
        location=machine.location,
        kind=machine.kind,
        os=machine.os,
    )
