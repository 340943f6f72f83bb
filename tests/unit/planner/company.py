"""A fleet that looks like a company's: paired regions with three zones, sets, scale sets, quorums, machines in no set, some off.

Made up, seeded, and the same every time. Applications are many small ones and a few large ones.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from random import Random
from typing import Any

from orchestrator.inventory.model import (
    AvailabilitySet,
    Image,
    Inventory,
    Location,
    Machine,
    Orchestration,
    Os,
    Power,
    ScaleSet,
    resource_id,
)
from orchestrator.planner.model import Plan
from orchestrator.planner.plan import plan
from orchestrator.policy.load import load
from orchestrator.policy.model import Policy
from orchestrator.topology.graph import build
from tests.fleet import arm_id, inventory, vm
from tests.unit.planner.compiling import floor

PAIRS = (("westeurope", "northeurope"), ("eastus", "westus"), ("uksouth", "ukwest"))

RULES = """version: 1
name: apps
rules:
  - {max_unavailable: 25%, per: ["tag:app", "tag:tier"]}
  - {min_available: majority, per: "tag:app", of: {tags: {tier: [db, quorum]}}}
  - {order: [{tags: {tier: db}}, {tags: {tier: [web, api]}}], per: ["tag:app", region]}
"""

CAMPAIGN = """version: 1
name: monthly
select: {tags: {patching: monthly}}
change: {patches: {}}
"""


def policies(rules: str = RULES, campaign: str = CAMPAIGN) -> tuple[Policy, ...]:
    """The rules of the applications, and a campaign over all of them."""
    return load([("monthly.yaml", campaign), ("apps.yaml", rules)])


def planned(size: int, *, pairs: int = 1, seed: int = 1, rules: str = RULES) -> tuple[Plan, Inventory]:
    """A plan for such a fleet, and the fleet."""
    fleet = company(size, pairs=pairs, seed=seed)
    return plan(build(fleet), policies(rules), floor()), fleet


def company(size: int, *, pairs: int = 1, seed: int = 1) -> Inventory:
    """A fleet of about so many machines in so many pairs of regions."""
    made = _Company(Random(seed), size, PAIRS[:pairs])
    return inventory(
        *made.machines,
        taken_at=datetime(2026, 11, 22, 1, tzinfo=UTC),
        availability_sets=tuple(sorted(made.sets, key=lambda held: held.id)),
        scale_sets=tuple(sorted(made.scale_sets, key=lambda held: held.id)),
        locations=tuple(sorted(_locations(PAIRS[:pairs], made.subscriptions), key=lambda place: place.name)),
    )


def _locations(pairs: tuple[tuple[str, str], ...], subscriptions: list[str]) -> Iterator[Location]:
    for pair in pairs:
        for name, other in (pair, pair[::-1]):
            zones = {
                subscription: {str(zone): f"{name}-az{(zone + shift) % 3 + 1}" for zone in (1, 2, 3)}
                for shift, subscription in enumerate(subscriptions)
            }
            yield Location(name, (other,), zones)


class _Company:
    def __init__(self, random: Random, size: int, pairs: tuple[tuple[str, str], ...]) -> None:
        self._random = random
        self._pairs = pairs
        self.subscriptions = [f"11111111-aaaa-4aaa-8aaa-{n:012}" for n in range(size // 400 + 1)]
        self.machines: list[Machine] = []
        self.sets: list[AvailabilitySet] = []
        self.scale_sets: list[ScaleSet] = []
        kinds: list[tuple[int, Callable[..., None]]] = [
            (45, self._zonal), (15, self._two_regions), (20, self._set), (10, self._scale_set),
            (5, self._quorum), (5, self._bare),
        ]  # fmt: skip
        number = 0
        while len(self.machines) < size:
            number += 1
            make = random.choices([kind for _, kind in kinds], [weight for weight, _ in kinds])[0]
            count = max(1, min(int(2 * random.paretovariate(1.2)), size // 20))
            make(f"app{number}", count, random.choice(self.subscriptions), random.choice(pairs))

    def _vm(self, app: str, name: str, subscription: str, region: str, tier: str, **facts: Any) -> Machine:
        random = self._random
        machine = vm(
            f"{app}-{name}",
            subscription=subscription,
            group=f"rg-{app}",
            location=region,
            tags={"app": app, "tier": tier, "patching": "monthly" if random.random() < 0.98 else "never"},
            os=random.choice([Os.WINDOWS, Os.LINUX]),
            size=random.choice(["Standard_D2s_v5", "Standard_D4s_v5"]),
            image=Image(offer=random.choice(["WindowsServer", "ubuntu"])),
            power=Power.DEALLOCATED if random.random() < 0.03 else Power.RUNNING,
            **facts,
        )
        self.machines.append(machine)
        return machine

    def _zonal(self, app: str, count: int, subscription: str, pair: tuple[str, str]) -> None:
        for n in range(count):
            tier = self._random.choices(["web", "api", "db"], [5, 3, 2])[0]
            self._vm(app, f"{tier}{n}", subscription, pair[0], tier, zone=str(n % 3 + 1))

    def _two_regions(self, app: str, count: int, subscription: str, pair: tuple[str, str]) -> None:
        for n in range(count):
            tier = self._random.choices(["web", "api", "db"], [5, 3, 2])[0]
            self._vm(app, f"{tier}{n}", subscription, pair[n % 2], tier, zone=str(n % 3 + 1))

    def _set(self, app: str, count: int, subscription: str, pair: tuple[str, str]) -> None:
        spelled = resource_id(arm_id(f"as-{app}", "availabilitySets", subscription=subscription))
        members = [
            self._vm(
                app, f"vm{n}", subscription, pair[1], "web", availability_set=spelled, update_domain=n % 5
            ).id
            for n in range(count)
        ]
        self.sets.append(AvailabilitySet(spelled, f"as-{app}", pair[1], 5, 2, tuple(sorted(members))))

    def _scale_set(self, app: str, count: int, subscription: str, pair: tuple[str, str]) -> None:
        spelled = resource_id(arm_id(f"ss-{app}", "virtualMachineScaleSets", subscription=subscription))
        members = [
            self._vm(app, f"vm{n}", subscription, pair[0], "web", scale_set=spelled, fault_domain=n % 3).id
            for n in range(count)
        ]
        flexible = Orchestration.FLEXIBLE
        self.scale_sets.append(ScaleSet(spelled, f"ss-{app}", pair[0], flexible, 3, tuple(sorted(members))))

    def _quorum(self, app: str, _count: int, subscription: str, pair: tuple[str, str]) -> None:
        for n in range(5):
            zone = str(n + 1) if n < 3 else None
            self._vm(app, f"q{n}", subscription, pair[0], "quorum", zone=zone)

    def _bare(self, app: str, count: int, subscription: str, pair: tuple[str, str]) -> None:
        for n in range(count):
            self._vm(app, f"misc{n}", subscription, pair[1], "misc")
