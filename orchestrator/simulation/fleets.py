"""Fleets and policies to simulate: small ones of a few shapes, drawn from a seed. Seed 0 is the reference scenario.

The reference scenario is eight machines in two availability sets, side by side; a canary of one each, then the others.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import lru_cache
from itertools import count, cycle
from typing import Final

from orchestrator.clock import LoopClock
from orchestrator.emulator.world import World
from orchestrator.errors import Refused
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
from orchestrator.policy.scripts import with_texts
from orchestrator.simulation.loop import run
from orchestrator.simulation.rulebook import REFERENCE_CAMPAIGN, campaign, house
from orchestrator.topology.graph import build
from orchestrator.wiring.files import floor
from orchestrator.wiring.rollout import ReadPlan, prepare, read_plan
from orchestrator.wiring.virtual import virtual_services

START: Final = datetime(2026, 11, 22, 1, tzinfo=UTC)
REFERENCE: Final = 0
MACHINES: Final = 8
_SUBSCRIPTION: Final = "11111111-aaaa-4aaa-8aaa-000000000001"
_BASE: Final = f"/subscriptions/{_SUBSCRIPTION}/resourceGroups/rg-shop/providers/Microsoft.Compute"


@dataclass(frozen=True, slots=True, eq=False)
class Premises:
    """What simulated rollouts begin with: the fleet as it was planned for, as it is when they begin, and the plans' files.

    Mostly one plan; several are run at once, by one process.
    """

    fleet: Inventory
    live: Inventory
    plans: tuple[bytes, ...]
    policies: tuple[str, ...]


@lru_cache(maxsize=64)
def premises(seed: int, machines: int = MACHINES) -> Premises:
    """The fleet, policies and plans of a seed; of the same shape whatever the number of machines."""
    for draw in count():
        try:
            drawn = _drawn(random.Random(f"premises {seed} {draw}"), seed, machines)  # noqa: S311 - nothing to keep secret
            run(_begun(drawn))
        except Refused:  # nothing could be planned, or begun, under such rules
            continue
        return drawn
    raise AssertionError("unreachable")


@lru_cache(maxsize=64)
def read_plans(drawn: Premises) -> tuple[ReadPlan, ...]:
    """The plans as they are read. As long as they are held, no process of a simulation reads them again."""
    return tuple(map(read_plan, drawn.plans))


async def _begun(drawn: Premises) -> None:
    """Raises `Refused` unless all plans may begin on the fleet as it is by then."""
    services = virtual_services(World(drawn.live, seed=0, start=START), LoopClock(START))
    for text in drawn.plans:
        await prepare(read_plan(text), services, who="simulation", live=drawn.live, accept_drift=True)


def _drawn(rng: random.Random, seed: int, machines: int) -> Premises:
    fleet = _as_told(_fleet(rng, seed, machines), seed)
    rules = () if seed == REFERENCE else tuple(house(rng))
    campaigns = _campaigns(rng, seed, fleet)
    plans = [_plan(fleet, (one, *rules)) for one in campaigns]
    live = fleet if seed == REFERENCE else _meanwhile(rng, fleet)
    return Premises(fleet, live, tuple(plans), (*campaigns, *rules))


def _campaigns(rng: random.Random, seed: int, fleet: Inventory) -> tuple[str, ...]:
    """One, or now and then two that share all groups and no machine."""
    if seed == REFERENCE:
        return (REFERENCE_CAMPAIGN,)
    if rng.random() < 0.75 or len(fleet.machines) < 4:
        return (campaign(rng),)
    names = sorted(machine.name for machine in fleet.machines)
    halves = names[: len(names) // 4] + names[-len(names) // 4 :], names[len(names) // 4 : -len(names) // 4]
    return tuple(
        campaign(rng, "[" + ", ".join(half) + "]", called)
        for half, called in zip(halves, ("monthly", "weekly"), strict=True)
    )


def _plan(fleet: Inventory, policies: Sequence[str]) -> bytes:
    read = load([(f"policies/{number}.yaml", text) for number, text in enumerate(policies)])
    return dump(plan(build(fleet), with_texts(read, lambda _: "Clear-Cache\n"), floor()))


def _meanwhile(rng: random.Random, fleet: Inventory) -> Inventory:
    """The fleet as it is when the rollout begins: mostly as it was planned for; else a machine is off, gone, new, or another one's."""
    if rng.random() < 0.7:
        return fleet
    machines = list(fleet.machines)
    for _ in range(rng.randint(1, 2)):
        at = rng.randrange(len(machines))
        match rng.choice(["off", "gone", "new", "retagged"]):
            case "off":
                machines[at] = replace(machines[at], power=Power.STOPPED)
            case "gone":
                del machines[at]
            case "new":
                machines.append(_machine(f"n{len(machines)}", canary=False))
            case _:
                machines[at] = replace(machines[at], tags={**machines[at].tags, "owner": "grace"})
    return replace(fleet, machines=tuple(sorted(machines, key=lambda machine: machine.id)))


def many(machines: int) -> Premises:
    """A large fleet in sets of eight, under a campaign whose stages bake for a day: a rollout of days."""
    names = [f"m{number:05}" for number in range(1, machines + 1)]
    sets = [names[i : i + 8] for i in range(0, machines, 8)]
    fleet = _as_told(_in_sets({f"as-{n}": members for n, members in enumerate(sets)}, {names[0]}), REFERENCE)
    read = load([("policies/large.yaml", _LARGE)])
    return Premises(fleet, fleet, (dump(plan(build(fleet), read, floor())),), (_LARGE,))


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
    shape = "sets" if seed == REFERENCE else rng.choice(["sets", "sets", "zones", "spread", "alone"])
    canaries = {name for name in names if name.endswith("1")}
    if shape == "sets":
        return _in_sets({f"as-{app}": [n for n in names if n[0] == app] for app in "ab"}, canaries)
    zone = {
        "zones": dict(zip(names, cycle("12"))),
        "spread": dict(zip(names, cycle("112233"))),
    }.get(shape, {})
    made = [_machine(name, canary=name in canaries, zone=zone.get(name)) for name in names]
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


_LARGE = """version: 1
name: monthly
select: {names: "*"}
change: {patches: {}}
health: {min_healthy_time: 5m, healthy_deadline: 30m, probes: [vm_agent, app_health]}
stages: [{name: canary, select: {tags: {ring: canary}}, bake: 1d}, {name: pilot, up_to: 10%, bake: 1d}, {name: broad}]
"""
