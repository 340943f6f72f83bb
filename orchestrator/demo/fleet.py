"""A fleet that looks like a company's, made up from a seed: the same one for the same seed, whoever asks.

Two regions that are each other's pair, three zones in each, two subscriptions that number these zones differently,
availability sets, a Flexible scale set, quorums, machines in nothing at all, file servers in the offices that Azure Arc connects, and the
few that every fleet has: switched off long ago, or with an agent that nobody has looked after.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from math import floor
from types import MappingProxyType
from typing import Final

from orchestrator.demo.applications import (
    EDR_NEW,
    EDR_OLD,
    HOTPATCHED,
    MACHINES,
    NORTH,
    PROD,
    SHARED,
    SHORT,
    SUBSCRIPTIONS,
    TIERS,
    WEST,
    Place,
    Tier,
)
from orchestrator.errors import UsageError
from orchestrator.inventory.interfaces import pool_name
from orchestrator.inventory.model import (
    Agent,
    AppHealth,
    AvailabilitySet,
    BackendPool,
    Connection,
    Inventory,
    Kind,
    Location,
    Machine,
    MachineId,
    Orchestration,
    Os,
    PatchSettings,
    Power,
    ResourceId,
    ScaleSet,
    machine_id,
    resource_id,
)

TAKEN_AT: Final = datetime(2026, 11, 20, 20, tzinfo=UTC)
"""A Friday evening, ten days after November's updates came out."""

FEWEST: Final = 40
"""A smaller company would have no room for its quorums, its sets and somebody besides."""

ZONES: Final = ("1", "2", "3")
UPDATE_DOMAINS: Final = 5
FAULT_DOMAINS: Final = 3

_TURN: Final = MappingProxyType({(PROD, WEST): 0, (SHARED, WEST): 1, (PROD, NORTH): 2, (SHARED, NORTH): 0})
"""By how much a subscription's zone numbers are turned against the data centres: each one's differ, as they really do."""

_ENROLLED: Final = PatchSettings(
    assessment_mode="AutomaticByPlatform", reboot_setting="IfRequired", bypasses_safety_checks=True
)
"""As `wavekeeper enrol` leaves them: nobody but whoever is asked to patches these machines."""

_OFF: Final = MappingProxyType(
    {
        "neu-shop-db-03": Power.DEALLOCATED,  # since its disk was swapped: no node of that quorum can be spared now
        "neu-test-02": Power.DEALLOCATED,
        "neu-test-03": Power.DEALLOCATED,
        "neu-test-04": Power.STOPPED,
    }
)
_SILENT: Final = frozenset({"weu-build-03", "neu-jump-02"})
"""Machines that run, with an agent that doesn't answer."""

_TIME_ZONES: Final = MappingProxyType({WEST: "W. Europe Standard Time", NORTH: "GMT Standard Time"})


def company(seed: int = 0, machines: int = MACHINES) -> Inventory:
    """The company's fleet. With fewer or more `machines` its tiers keep their proportions, and its quorums their size.

    Raises:
        UsageError: for fewer than `FEWEST` machines.
    """
    if machines < FEWEST:
        raise UsageError(f"a company of {machines} machines is none; give --machines {FEWEST} or more")
    rng = random.Random(seed)  # noqa: S311 - a made-up fleet, nothing to keep secret
    counts = _counts(machines)
    fleet = tuple(sorted((m for tier in TIERS for m in _machines_of(tier, counts, rng)), key=lambda m: m.id))
    return Inventory(
        taken_at=TAKEN_AT,
        source="wavekeeper demo",
        machines=fleet,
        availability_sets=tuple(_availability_sets(fleet)),
        scale_sets=tuple(_scale_sets(fleet)),
        backend_pools=tuple(_backend_pools(fleet)),
        locations=tuple(_location(name, other) for name, other in ((NORTH, WEST), (WEST, NORTH))),
    )


def _counts(machines: int) -> Mapping[tuple[str, str], int]:
    """How many machines each tier has in each region: in proportion, by largest remainder, so that they add up."""
    fixed = {(t.code, region): n for t in TIERS if t.fixed for region, n in t.counts.items()}
    free = {(t.code, region): n for t in TIERS if not t.fixed for region, n in t.counts.items()}
    share = (machines - sum(fixed.values())) / sum(free.values())
    counts = {key: floor(n * share) for key, n in free.items()}
    missing = machines - sum(fixed.values()) - sum(counts.values())
    by_remainder = sorted(free, key=lambda key: (floor(free[key] * share) - free[key] * share, key))
    for key in by_remainder[:missing]:
        counts[key] += 1
    return {**fixed, **counts}


def _machines_of(tier: Tier, counts: Mapping[tuple[str, str], int], rng: random.Random) -> Iterator[Machine]:
    for region in sorted(tier.counts):
        count = counts[tier.code, region]
        old = _old_edr(tier, count, rng)
        for number in range(count):
            yield _machine(tier, region, number, old_edr=number in old)


def _old_edr(tier: Tier, count: int, rng: random.Random) -> frozenset[int]:
    """Which machines of a tier still run the old endpoint protection; a canary is always among them."""
    others = list(range(1, count))
    rng.shuffle(others)
    chosen = [0, *others][: round(tier.old_edr * count + 0.49)] if tier.old_edr else []
    return frozenset(chosen)


def _machine(tier: Tier, region: str, number: int, *, old_edr: bool) -> Machine:
    name = f"{SHORT[region]}-{tier.code}-{number + 1:02}"
    subscription = SUBSCRIPTIONS[tier.subscription]
    group = f"rg-{tier.app}-{SHORT[region]}"
    arc = tier.kind is Kind.ARC
    provider = "Microsoft.HybridCompute/machines" if arc else "Microsoft.Compute/virtualMachines"
    arm_id = f"{_group_id(subscription, group)}/providers/{provider}/{name}"
    windows = tier.build.os is Os.WINDOWS
    off = _OFF.get(name)
    machine = Machine(
        id=machine_id(arm_id),
        arm_id=arm_id,
        name=name,
        subscription=subscription,
        resource_group=group,
        location=region,
        tags=MappingProxyType(_tags(tier, region, number, old_edr=old_edr)),
        os=tier.build.os,
        size=tier.build.size,
        image=tier.build.image,
        power=Power.RUNNING if off is None else off,
        agent=_agent(tier, name, off),
        app_health=AppHealth.HEALTHY if tier.health and off is None else AppHealth.NONE,
        patch_mode="" if arc else tier.build.patch_mode,
        patch_settings=PatchSettings() if arc else _settings(tier),
        time_zone=_TIME_ZONES[region] if windows else "",
        computer_name=name.upper() if windows else name,
        private_ips=(_address(tier, region, number),),
        provisioning="Succeeded",
        backend_pools=None if arc else _pools(tier, subscription, group),
        kind=tier.kind,
        connection=Connection.CONNECTED if arc else Connection.UNKNOWN,
        os_name="Windows Server 2022 Datacenter" if arc else None,
    )
    return _placed(machine, tier, number, counted_by=group)


def _settings(tier: Tier) -> PatchSettings:
    """As all others, with hotpatching where the image has it."""
    return replace(_ENROLLED, hotpatching=True) if tier.build.image.sku in HOTPATCHED else _ENROLLED


def _placed(machine: Machine, tier: Tier, number: int, *, counted_by: str) -> Machine:
    """The machine where its tier stands."""
    held = f"{_group_id(machine.subscription, counted_by)}/providers/Microsoft.Compute"
    match tier.place:
        case Place.ZONES:
            return replace(machine, zone=ZONES[number % len(ZONES)])
        case Place.SET:
            return replace(
                machine,
                availability_set=resource_id(f"{held}/availabilitySets/as-{tier.code}"),
                update_domain=number % UPDATE_DOMAINS,
                fault_domain=number % FAULT_DOMAINS,
            )
        case Place.SCALE_SET:
            return replace(
                machine,
                scale_set=resource_id(f"{held}/virtualMachineScaleSets/vmss-{tier.code}"),
                fault_domain=number % FAULT_DOMAINS,
            )
        case Place.NOWHERE:
            return machine


def _pools(tier: Tier, subscription: str, group: str) -> tuple[ResourceId, ...]:
    if not tier.pool:
        return ()
    balancer, pool = tier.pool.split("/")
    kind = "applicationGateways" if balancer.startswith("agw-") else "loadBalancers"
    held = f"{_group_id(subscription, group)}/providers/Microsoft.Network/{kind}/{balancer}"
    return (resource_id(f"{held}/backendAddressPools/{pool}"),)


def _tags(tier: Tier, region: str, number: int, *, old_edr: bool) -> dict[str, str]:
    tags = {
        "app": tier.app,
        "tier": tier.tier,
        "env": tier.env,
        "owner": tier.owner,
        "ring": "canary" if number < tier.canaries else "broad",
        "patching": tier.patching,
        **tier.tags,
    }
    if tier.agent:
        tags["edr"] = EDR_OLD if old_edr else EDR_NEW
    if tier.tags.get("role") == "dc":
        tags["ad-site"] = SHORT[region]
        if region == WEST and number == 0:
            tags["fsmo"] = "yes"
    return tags


def _agent(tier: Tier, name: str, off: Power | None) -> Agent:
    if not tier.agent:
        return Agent.MISSING
    if off is not None:
        return Agent.UNKNOWN
    return Agent.NOT_READY if name in _SILENT else Agent.READY


def _address(tier: Tier, region: str, number: int) -> str:
    """An address of the region's network, eight subnets for each tier."""
    network = 20 if region == WEST else 30
    subnet = TIERS.index(tier) * 8 + number // 200
    return f"10.{network}.{subnet}.{number % 200 + 10}"


def _availability_sets(fleet: Iterable[Machine]) -> Iterator[AvailabilitySet]:
    for held, members in _by(fleet, "availability_set"):
        yield AvailabilitySet(
            id=held,
            name=held.rpartition("/")[2],
            location=members[0].location,
            update_domains=UPDATE_DOMAINS,
            fault_domains=FAULT_DOMAINS,
            members=tuple(m.id for m in members),
        )


def _scale_sets(fleet: Iterable[Machine]) -> Iterator[ScaleSet]:
    for held, members in _by(fleet, "scale_set"):
        yield ScaleSet(
            id=held,
            name=held.rpartition("/")[2],
            location=members[0].location,
            orchestration=Orchestration.FLEXIBLE,
            fault_domains=FAULT_DOMAINS,
            members=tuple(m.id for m in members),
        )


def _backend_pools(fleet: Iterable[Machine]) -> Iterator[BackendPool]:
    held: defaultdict[ResourceId, list[MachineId]] = defaultdict(list)
    for machine in fleet:
        for pool in machine.backend_pools or ():
            held[pool].append(machine.id)
    for pool, members in sorted(held.items()):
        yield BackendPool(pool, pool_name(pool), tuple(members))


def _by(fleet: Iterable[Machine], what: str) -> list[tuple[ResourceId, list[Machine]]]:
    held: defaultdict[ResourceId, list[Machine]] = defaultdict(list)
    for machine in fleet:
        if (name := getattr(machine, what)) is not None:
            held[name].append(machine)
    return sorted(held.items())


def _location(name: str, pair: str) -> Location:
    zones = {
        SUBSCRIPTIONS[key]: MappingProxyType(
            {zone: f"{name}-az{(i + _TURN[key, name]) % len(ZONES) + 1}" for i, zone in enumerate(ZONES)}
        )
        for key in sorted(SUBSCRIPTIONS)
    }
    return Location(name, (pair,), MappingProxyType(zones))


def _group_id(subscription: str, group: str) -> str:
    return f"/subscriptions/{subscription}/resourceGroups/{group}"
