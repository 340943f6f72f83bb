"""One diary and one emulated world of the same machines: the facts that an activity starts from, and what it then meets."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta

from orchestrator.clock import LoopClock
from orchestrator.cloud.answers import view_of
from orchestrator.cloud.port import View
from orchestrator.cloud.simulated import SimulatedProvider
from orchestrator.emulator.state import Happening
from orchestrator.emulator.world import World
from orchestrator.executor.perform import perform
from orchestrator.executor.services import Services, services
from orchestrator.executor.settings import Settings
from orchestrator.inventory.model import AppHealth, Os
from orchestrator.planner.model import Plan
from orchestrator.policy.model import Probe, ProbeKind
from orchestrator.rollout import messages as m
from tests.builders import NOON
from tests.diary import Diary
from tests.fakes.probes import WorldProber
from tests.fakes.webhooks import FakeWebhooks
from tests.fleet import inventory, vm, vm_id
from tests.virtual import faults_of


@dataclass
class Doors:
    """What activities of one rollout may ask of the world. Made inside the loop that it is asked in."""

    plan: Plan
    faults: str = ""
    settings: Settings | None = None
    webhooks: FakeWebhooks = field(default_factory=FakeWebhooks)
    restart_share: float = 0.0
    reports: list[m.Observation] = field(default_factory=list)
    _happened: list[Happening] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Put them together."""
        self.diary = Diary(self.plan)
        machines = [
            vm(machine.name, os=Os.LINUX, app_health=AppHealth.HEALTHY) for machine in self.plan.machines
        ]
        self.world = World(
            inventory(*machines),
            seed=1,
            start=NOON,
            faults=faults_of(self.faults),
            restart_share=self.restart_share,
        )
        self.clock = LoopClock(NOON)
        self.prober = WorldProber(self.world, self.clock)
        probers = {ProbeKind.HTTP: self.prober, ProbeKind.TCP: self.prober}
        cloud = SimulatedProvider(self.world, self.clock)
        self.services: Services = services(cloud, probers, self.webhooks, self.clock, self.settings)

    async def do(self, name: str) -> m.Observation:
        """Carry out what is to be going on for a machine now."""
        self.diary.now = self.clock.now()
        activity = self.diary.doing(name)
        assert activity is not None, f"nothing is to be done for {name}, which is {self.diary.status(name)}"
        return await perform(self.services, self.diary.rollout, activity, self.reports.append)

    async def step(self, name: str) -> m.Observation:
        """The same, and have what was seen decided on."""
        seen = await self.do(name)
        self.diary.now = self.clock.now()
        self.diary.tell(seen)
        return seen

    def view(self, name: str) -> View:
        """How the machine is now, as an instance view tells it; no request is made."""
        return view_of(self.world.view(vm_id(name), self.clock.now()))

    @property
    def passed(self) -> timedelta:
        """Time since the beginning."""
        return self.clock.now() - NOON

    def events(self, name: str, event: str) -> int:
        """How often the witness saw that of a machine."""
        self._happened += self.world.advance(self.clock.now())
        return sum(1 for h in self._happened if h.event == event and h.machine.endswith(f"/{name}"))


def probing(plan: Plan, *probes: Probe) -> Plan:
    """The plan, with these probes asked of each machine."""
    places = tuple(range(len(probes)))
    return replace(plan, probes=probes, machines=tuple(replace(x, probes=places) for x in plan.machines))
