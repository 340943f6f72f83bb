"""A large fleet to measure on, and the policy it is rolled under: made up, the same each time.

Eight regions of which no two are a pair, two subscriptions, three zones. Of each ten machines four stand in a zone and no set, three in
an availability set, two in a Flexible scale set, one in nothing. The floor holds as it is: one zone of a region at a time, one
update domain of a set, a fifth of a subscription's machines in a region. With 2,000 machines that leaves room for several hundred
at once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from types import MappingProxyType

from orchestrator.inventory.model import (
    Agent,
    AppHealth,
    AvailabilitySet,
    Image,
    Inventory,
    Location,
    Machine,
    MachineId,
    Orchestration,
    Os,
    Power,
    ResourceId,
    ScaleSet,
    machine_id,
    resource_id,
)

START = datetime(2026, 11, 22, 1, 0, tzinfo=UTC)
SUBSCRIPTIONS = ("11111111-0000-4000-8000-000000000001", "11111111-0000-4000-8000-000000000002")
REGIONS = (
    "australiaeast",
    "brazilsouth",
    "canadacentral",
    "centralindia",
    "eastus2",
    "japaneast",
    "uksouth",
    "westeurope",
)
APPLICATION = (
    10  # machines of one application: four zonal, three in a set, two in a scale set, one in nothing
)
SET = 10  # machines of one availability set or scale set, at most

POLICY = """\
version: 1
name: estate
select: {names: ["*"]}
change: {patches: {}}
rules:
  - {max_unavailable: 50%, per: "tag:app"}
health: {min_healthy_time: 5m, probes: [app_health, vm_agent]}
stages:
  - {name: canary, count: 8, bake: 10m}
  - {name: pilot, up_to: 10%, bake: 10m}
  - {name: broad}
"""

UNCAPPED = """\
  - {one_at_a_time: region, within: region_pair}
  - {one_at_a_time: zone, within: region}
  - {one_at_a_time: update_domain, within: availability_set}
  - {max_unavailable: 20%, per: availability_set}
  - {one_at_a_time: fault_domain, within: scale_set}
  - {max_unavailable: 20%, per: scale_set}
replaces: availability-first
"""


def policy(*, capped: bool = True) -> str:
    """The campaign, as a policy file says it. Not `capped`: the floor's rules but its cap, which waves are planned without."""
    return POLICY.replace("health:", f"{UNCAPPED}health:") if not capped else POLICY


def estate(count: int) -> Inventory:
    """A fleet of `count` machines."""
    machines = tuple(sorted((_machine(number) for number in range(count)), key=lambda machine: machine.id))
    return Inventory(
        taken_at=START,
        source="benchmark",
        machines=machines,
        availability_sets=tuple(_availability_sets(machines)),
        scale_sets=tuple(_scale_sets(machines)),
        locations=tuple(Location(name, zones=_same_zones()) for name in REGIONS),
    )


def _machine(number: int) -> Machine:
    application, place = divmod(number, APPLICATION)
    block, region = divmod(application, len(REGIONS))
    subscription = SUBSCRIPTIONS[block % len(SUBSCRIPTIONS)]
    group = f"rg-app{application:05}"
    shared = f"rg-{REGIONS[region]}"  # sets hold machines of several applications
    name = f"app{application:05}-{place}"
    arm_id = f"{_compute(subscription, group)}/virtualMachines/{name}"
    windows = application % 2 == 0
    nth = block // len(SUBSCRIPTIONS)  # of the applications of this subscription in this region
    return Machine(
        id=machine_id(arm_id),
        arm_id=arm_id,
        name=name,
        subscription=subscription,
        resource_group=group,
        location=REGIONS[region],
        zone=str(nth % 3 + 1) if place < 4 else None,
        tags=MappingProxyType({"app": f"app{application:05}"}),
        os=Os.WINDOWS if windows else Os.LINUX,
        size="Standard_D4s_v5",
        image=Image("MicrosoftWindowsServer", "WindowsServer", "2022-datacenter", "latest")
        if windows
        else Image(),
        availability_set=_shared(subscription, shared, "availabilitySets", 3 * nth + place - 4)
        if 4 <= place < 7
        else None,
        scale_set=_shared(subscription, shared, "virtualMachineScaleSets", 2 * nth + place - 7)
        if 7 <= place < 9
        else None,
        update_domain=(3 * nth + place - 4) % 5 if 4 <= place < 7 else None,
        fault_domain=(2 * nth + place - 7) % 5 if 7 <= place < 9 else None,
        power=Power.RUNNING,
        agent=Agent.READY,
        app_health=AppHealth.HEALTHY,
        patch_mode="AutomaticByPlatform",
        computer_name=name,
        private_ips=(f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}",),
        provisioning="Succeeded",
    )


def _compute(subscription: str, group: str) -> str:
    return f"/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.Compute"


def _shared(subscription: str, group: str, kind: str, nth: int) -> ResourceId:
    return resource_id(f"{_compute(subscription, group)}/{kind}/set{nth // SET:04}")


def _availability_sets(machines: Iterable[Machine]) -> Iterator[AvailabilitySet]:
    for one, members in _members(machines, "availability_set"):
        yield AvailabilitySet(one, one.rpartition("/")[2], members[0].location, 5, 3, _ids(members))


def _scale_sets(machines: Iterable[Machine]) -> Iterator[ScaleSet]:
    for one, members in _members(machines, "scale_set"):
        name = one.rpartition("/")[2]
        yield ScaleSet(one, name, members[0].location, Orchestration.FLEXIBLE, 5, _ids(members))


def _members(machines: Iterable[Machine], field: str) -> Iterator[tuple[ResourceId, list[Machine]]]:
    found: dict[ResourceId, list[Machine]] = defaultdict(list)
    for machine in machines:
        if (one := getattr(machine, field)) is not None:
            found[one].append(machine)
    yield from sorted(found.items())


def _ids(machines: Iterable[Machine]) -> tuple[MachineId, ...]:
    return tuple(sorted(machine.id for machine in machines))


def _same_zones() -> Mapping[str, Mapping[str, str]]:
    """Both subscriptions number zones alike."""
    return MappingProxyType(
        {one: MappingProxyType({zone: f"zone-{zone}" for zone in ("1", "2", "3")}) for one in SUBSCRIPTIONS}
    )
