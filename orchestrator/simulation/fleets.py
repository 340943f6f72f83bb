"""Fleets and policies to simulate: small ones of a few shapes, drawn from a seed. Seed 0 is the reference scenario.

The reference scenario is eight machines in two availability sets, side by side; a canary of one each, then the others.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

from orchestrator.clock import LoopClock
from orchestrator.emulator.world import World
from orchestrator.inventory.model import (
    Agent,
    AppHealth,
    AvailabilitySet,
    Inventory,
    Machine,
    Os,
    Power,
    machine_id,
    resource_id,
)
from orchestrator.inventory.regions import with_regions
from orchestrator.planner.document import dump
from orchestrator.planner.plan import plan
from orchestrator.policy.load import load
from orchestrator.simulation.loop import run
from orchestrator.topology.graph import build
from orchestrator.wiring.files import floor
from orchestrator.wiring.virtual import virtual_services

START: Final = datetime(2026, 11, 22, 1, tzinfo=UTC)
REFERENCE: Final = 0
MACHINES: Final = 8
_SUBSCRIPTION: Final = "11111111-aaaa-4aaa-8aaa-000000000001"
_BASE: Final = f"/subscriptions/{_SUBSCRIPTION}/resourceGroups/rg-shop/providers/Microsoft.Compute"


@dataclass(frozen=True, slots=True, eq=False)
class Premises:
    """What a simulated rollout begins with: the fleet as the cloud tells it, and the plan's file that was made for it."""

    fleet: Inventory
    plan: bytes
    policies: tuple[str, ...]


@lru_cache(maxsize=64)
def premises(seed: int, machines: int = MACHINES) -> Premises:
    """The fleet, policies and plan of a seed; of the same shape whatever the number of machines."""
    rng = random.Random(f"premises {seed}")  # noqa: S311 - nothing to keep secret
    policies = (_campaign(rng, seed), *_rules(rng, seed))
    fleet = _as_told(_fleet(rng, seed, machines), seed)
    read = load([(f"policies/{number}.yaml", text) for number, text in enumerate(policies)])
    return Premises(fleet, dump(plan(build(fleet), read, floor())), policies)


def many(machines: int) -> Premises:
    """A large fleet in sets of eight, under a campaign whose stages bake for a day: a rollout of days."""
    names = [f"m{number:05}" for number in range(1, machines + 1)]
    sets = [names[i : i + 8] for i in range(0, machines, 8)]
    fleet = _as_told(_in_sets({f"as-{n}": members for n, members in enumerate(sets)}, {names[0]}), REFERENCE)
    read = load([("policies/large.yaml", _LARGE)])
    return Premises(fleet, dump(plan(build(fleet), read, floor())), (_LARGE,))


def _as_told(fleet: Inventory, seed: int) -> Inventory:
    """The fleet with the domains that the emulated cloud deals, read as any other is."""

    async def read() -> Inventory:
        services = virtual_services(World(with_regions(fleet), seed=seed, start=START), LoopClock(START))
        subscriptions = sorted({machine.subscription for machine in fleet.machines})
        return with_regions(await services.cloud.inventory(subscriptions))

    return run(read())


def _fleet(rng: random.Random, seed: int, machines: int) -> Inventory:
    """Machines a1, b1, a2, b2, ...; the first of each letter is a canary."""
    names = [f"{'ab'[i % 2]}{i // 2 + 1}" for i in range(machines)]
    shape = "sets" if seed == REFERENCE else rng.choice(["sets", "sets", "zones", "alone"])
    canaries = {name for name in names if name.endswith("1")}
    if shape == "sets":
        return _in_sets({f"as-{app}": [n for n in names if n[0] == app] for app in "ab"}, canaries)
    zone = {"a": "1", "b": "2"} if shape == "zones" else {}
    made = [_machine(name, canary=name in canaries, zone=zone.get(name[0])) for name in names]
    return Inventory(None, "simulation", tuple(sorted(made, key=lambda machine: machine.id)))


def _in_sets(sets: dict[str, list[str]], canaries: set[str]) -> Inventory:
    machines = [
        _machine(name, canary=name in canaries, in_set=set_name)
        for set_name, names in sets.items()
        for name in names
    ]
    made = [
        AvailabilitySet(
            id=resource_id(f"{_BASE}/availabilitySets/{name}"),
            name=name,
            location="westeurope",
            update_domains=5,
            fault_domains=2,
            members=tuple(sorted(machine_id(f"{_BASE}/virtualMachines/{member}") for member in members)),
        )
        for name, members in sets.items()
        if members
    ]
    ordered = tuple(sorted(machines, key=lambda machine: machine.id))
    return Inventory(None, "simulation", ordered, availability_sets=tuple(made))


def _machine(name: str, *, canary: bool, in_set: str | None = None, zone: str | None = None) -> Machine:
    arm_id = f"{_BASE}/virtualMachines/{name}"
    return Machine(
        id=machine_id(arm_id),
        name=name,
        subscription=_SUBSCRIPTION,
        resource_group="rg-shop",
        location="westeurope",
        arm_id=arm_id,
        zone=zone,
        tags={"app": name[0], **({"ring": "canary"} if canary else {})},
        os=Os.WINDOWS,
        availability_set=resource_id(f"{_BASE}/availabilitySets/{in_set}") if in_set else None,
        power=Power.RUNNING,
        agent=Agent.READY,
        app_health=AppHealth.HEALTHY,
    )


def _campaign(rng: random.Random, seed: int) -> str:
    """The reference campaign, or one that differs here and there."""
    plain = seed == REFERENCE
    change = "patches: {}" if plain or rng.random() < 0.85 else "restart: {}"
    healthy = "1m" if plain else rng.choice(["1m", "3m"])
    bake = "10m" if plain else rng.choice(["0s", "10m", "2h"])
    limit = "" if plain else rng.choice(["", "", "max_in_flight: 1\n"])
    return f"""version: 1
name: monthly
select: {{names: "*"}}
change: {{{change}}}
health: {{min_healthy_time: {healthy}, healthy_deadline: 20m, probes: [vm_agent, app_health]}}
stages: [{{name: canary, select: {{tags: {{ring: canary}}}}, bake: {bake}}}, {{name: broad}}]
{limit}"""


def _rules(rng: random.Random, seed: int) -> Sequence[str]:
    """More policies: steps around machines, waves and stages; a rule or two."""
    if seed == REFERENCE:
        return ()
    found = []
    for each in ("machine", "wave", "stage"):
        if rng.random() < (0.5 if each == "machine" else 0.2):
            always = rng.choice(["", ", when: always"])
            found.append(
                f'version: 1\nname: around-{each}\nselect: {{names: "*"}}\n'
                f"around: [{{each: {each}, before: {{webhook: begin-{each}, timeout: 2m}}, "
                f"after: {{webhook: end-{each}, timeout: 2m{always}}}}}]\n"
            )
    if rng.random() < 0.5:
        rule = rng.choice(
            ['{max_unavailable: 1, per: "tag:app"}', '{min_available: majority, per: "tag:app"}']
        )
        found.append(f'version: 1\nname: house\nselect: {{names: "*"}}\nrules: [{rule}]\n')
    return found


_LARGE = """version: 1
name: monthly
select: {names: "*"}
change: {patches: {}}
health: {min_healthy_time: 5m, healthy_deadline: 30m, probes: [vm_agent, app_health]}
stages: [{name: canary, select: {tags: {ring: canary}}, bake: 1d}, {name: pilot, up_to: 10%, bake: 1d}, {name: broad}]
"""
