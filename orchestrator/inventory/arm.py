"""Machines and what they stand in, out of the dicts that Azure Resource Manager answers with.

One reading for every source: raw REST bodies (`properties` nested), the SDK's hybrid models (mappings with REST keys),
the flattened rows that `az` prints, full and projected rows of Resource Graph. Values of enumerations are open strings on
the wire: one that isn't known becomes UNKNOWN, never an error. Only an id is required.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import TypedDict

from orchestrator.errors import InventoryError
from orchestrator.inventory import ids
from orchestrator.inventory.instance_view import (
    agent_of,
    agent_version_of,
    app_health_of,
    patches_of,
    power_of,
)
from orchestrator.inventory.model import (
    Agent,
    AvailabilitySet,
    Connection,
    Image,
    Kind,
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
from orchestrator.inventory.patch_settings import patch_mode_of, patch_settings_of
from orchestrator.inventory.wire import (
    Row,
    flattened,
    moment,
    number,
    objects,
    part,
    reference,
    text,
    truth,
    word,
)

VM_TYPE = "microsoft.compute/virtualmachines"
SCALE_SET_VM_TYPE = "microsoft.compute/virtualmachinescalesets/virtualmachines"
ARC_TYPE = "microsoft.hybridcompute/machines"
AVAILABILITY_SET_TYPE = "microsoft.compute/availabilitysets"
SCALE_SET_TYPE = "microsoft.compute/virtualmachinescalesets"


def machine_from_arm(model: Row, instance_view: Row | None = None) -> Machine:
    """A machine from its model and, where there is one, its instance view.

    Without `instance_view`, one inside the model is read (`$expand=instanceView`, `statusOnly=true`, `az vm
    get-instance-view`). An id under Microsoft.HybridCompute makes it an Arc machine, or an Azure Local VM if its `kind` is HCI.

    Raises:
        InventoryError: The model has no id.
    """
    flat = flattened(model)
    arm_id = _id(flat)
    if ids.type_of(arm_id) == ARC_TYPE:
        return _arc_machine(flat, arm_id)
    return _azure_machine(flat, instance_view or part(flat, "instanceView"), arm_id)


def instance_view_of(item: Row) -> Row:
    """The instance view inside an item of a list, such as `statusOnly=true` answers; empty if it has none."""
    return part(flattened(item), "instanceView")


def availability_set_from_arm(item: Row) -> AvailabilitySet:
    """An availability set with all the members that Azure names.

    Raises:
        InventoryError: The item has no id.
    """
    flat = flattened(item)
    arm_id = _id(flat)
    return AvailabilitySet(
        id=resource_id(arm_id),
        name=text(flat, "name") or ids.name_of(arm_id),
        location=ids.region_name(text(flat, "location")),
        update_domains=number(flat, "platformUpdateDomainCount"),
        fault_domains=number(flat, "platformFaultDomainCount"),
        members=_members(objects(flat, "virtualMachines")),
    )


def scale_set_from_arm(item: Row, members: Iterable[Row] = ()) -> ScaleSet:
    """A scale set; `members` are the items of `.../virtualMachineScaleSets/{name}/virtualMachines`, if they were asked for.

    Raises:
        InventoryError: The item has no id.
    """
    flat = flattened(item)
    arm_id = _id(flat)
    orchestration = word(Orchestration, text(flat, "orchestrationMode"), Orchestration.UNKNOWN)
    capacity = number(part(flat, "sku"), "capacity") or 0
    return ScaleSet(
        id=resource_id(arm_id),
        name=text(flat, "name") or ids.name_of(arm_id),
        location=ids.region_name(text(flat, "location")),
        orchestration=orchestration,
        fault_domains=number(flat, "platformFaultDomainCount"),
        members=_members(members),
        instances=capacity if orchestration is Orchestration.UNIFORM else 0,
        automatic_repairs=truth(part(flat, "automaticRepairsPolicy"), "enabled"),
    )


def locations_from_arm(body: Row | Iterable[Row], subscription: str) -> tuple[Location, ...]:
    """The regions as `subscription` sees them: their pairs, and which physical zone each of its logical zones is.

    `body` is the answer of `GET /subscriptions/{id}/locations` or its items. Edge zones and
    logical regions ("Europe"), in which no machine stands, are left out.
    """
    items = objects(body, "value") if isinstance(body, Mapping) else iter(body)
    regions: dict[str, Location] = {}
    for item in items:
        flat = flattened(item)
        name = ids.region_name(text(flat, "name"))
        logical = text(part(flat, "metadata"), "regionType") == "Logical"
        if not name or logical or text(flat, "type") not in {"", "Region"}:
            continue
        paired = (
            ids.region_name(text(pair, "name")) for pair in objects(part(flat, "metadata"), "pairedRegion")
        )
        zones = {
            text(mapping, "logicalZone"): text(mapping, "physicalZone").lower()
            for mapping in objects(flat, "availabilityZoneMappings")
            if text(mapping, "logicalZone") and text(mapping, "physicalZone")
        }
        regions[name] = Location(
            name=name,
            paired=tuple(sorted({pair for pair in paired if pair})),
            zones=MappingProxyType({subscription.lower(): MappingProxyType(zones)} if zones else {}),
        )
    return tuple(regions[name] for name in sorted(regions))


def merge_locations(seen: Iterable[Location]) -> tuple[Location, ...]:
    """One location a region, out of what several subscriptions were told: pairs and zone mappings add up."""
    merged: dict[str, Location] = {}
    for location in seen:
        known = merged.get(location.name, Location(location.name))
        merged[location.name] = Location(
            name=location.name,
            paired=tuple(sorted({*known.paired, *location.paired})),
            zones=MappingProxyType({**known.zones, **location.zones}),
        )
    return tuple(merged[name] for name in sorted(merged))


def _azure_machine(flat: Row, view: Row, arm_id: str) -> Machine:
    profile = part(flat, "osProfile")
    windows = part(profile, "windowsConfiguration")
    linux = part(profile, "linuxConfiguration")
    return Machine(
        **_common(flat, arm_id),
        kind=Kind.AZURE_VM,
        zone=_zone(flat),
        os=_os(flat, view),
        size=text(part(flat, "hardwareProfile"), "vmSize") or text(flat, "vmSize"),
        image=_image(part(flat, "storageProfile", "imageReference")),
        availability_set=_stands_in(flat, "availabilitySet"),
        scale_set=_stands_in(flat, "virtualMachineScaleSet") or _uniform_parent(arm_id),
        update_domain=number(view, "platformUpdateDomain"),
        fault_domain=_first(number(view, "platformFaultDomain"), number(flat, "platformFaultDomain")),
        power=_power(flat, view),
        agent=_agent(view, windows, linux),
        app_health=app_health_of(view),
        patches=patches_of(view),
        patch_mode=patch_mode_of(flat),
        patch_settings=patch_settings_of(flat),
        time_zone=text(windows, "timeZone"),
        computer_name=text(profile, "computerName") or text(view, "computerName"),
        private_ips=_addresses(flat),
        provisioning=text(flat, "provisioningState"),
        os_name=_view_text(flat, view, "osName"),
        os_version=_view_text(flat, view, "osVersion"),
        agent_version=agent_version_of(view),
    )


def _arc_machine(flat: Row, arm_id: str) -> Machine:
    """Arc tells one status for all: a machine whose agent is connected runs, of any other nothing is known but that."""
    connection = _CONNECTIONS.get(text(flat, "status").lower(), Connection.UNKNOWN)
    connected = connection is Connection.CONNECTED
    cluster = reference(flat, "parentClusterResourceId")
    agent = Agent.READY if connected else Agent.NOT_READY
    return Machine(
        **_common(flat, arm_id),
        kind=Kind.AZURE_LOCAL if text(flat, "kind").upper() == "HCI" else Kind.ARC,
        os=_os(flat, {}),
        power=Power.RUNNING if connected else Power.UNKNOWN,
        agent=agent if text(flat, "status") else Agent.UNKNOWN,
        patch_mode=patch_mode_of(flat),
        patch_settings=patch_settings_of(flat),
        computer_name=text(part(flat, "osProfile"), "computerName") or text(flat, "displayName"),
        private_ips=tuple(
            text(address, "address")
            for interface in objects(part(flat, "networkProfile"), "networkInterfaces")
            for address in objects(interface, "ipAddresses")
            if text(address, "address") and text(address, "ipAddressVersion").lower() != "ipv6"
        ),
        provisioning=text(flat, "provisioningState"),
        os_name=text(flat, "osSku") or text(flat, "osName") or None,
        os_version=text(flat, "osVersion") or None,
        os_edition=text(flat, "osEdition") or None,
        agent_version=text(flat, "agentVersion") or None,
        connection=connection,
        connection_since=moment(flat, "lastStatusChange"),
        cluster=resource_id(cluster) if cluster else None,
    )


_CONNECTIONS: Mapping[str, Connection] = MappingProxyType(
    {
        "connected": Connection.CONNECTED,
        "disconnected": Connection.DISCONNECTED,
        "error": Connection.ERROR,
        "awaitingconnection": Connection.AWAITING,
    }
)


class _Common(TypedDict):
    id: MachineId
    arm_id: str
    name: str
    subscription: str
    resource_group: str
    location: str
    tags: Mapping[str, str]


def _common(flat: Row, arm_id: str) -> _Common:
    """What every kind of machine has: where it is, what it is called, how it is tagged."""
    tags = flat.get("tags")
    pairs = tags.items() if isinstance(tags, Mapping) else ()
    return {
        "id": machine_id(arm_id),
        "arm_id": arm_id,
        "name": text(flat, "name") or ids.name_of(arm_id),
        "subscription": ids.subscription_of(arm_id),
        "resource_group": ids.resource_group_of(arm_id),
        "location": ids.region_name(text(flat, "location")),
        "tags": MappingProxyType({str(k): "" if v is None else str(v) for k, v in pairs}),
    }


def _id(flat: Row) -> str:
    arm_id = text(flat, "id").rstrip("/")
    if not arm_id:
        called = text(flat, "name")
        raise InventoryError(f"{called or 'a resource'} has no id; ask for it with its id")
    return arm_id


def _members(references: Iterable[Row]) -> tuple[MachineId, ...]:
    return tuple(sorted({machine_id(text(item, "id")) for item in references if text(item, "id")}))


def _stands_in(flat: Row, key: str) -> ResourceId | None:
    arm_id = reference(flat, key)
    return resource_id(arm_id) if arm_id else None


def _uniform_parent(arm_id: str) -> ResourceId | None:
    """An instance of a Uniform scale set is a child resource: its id tells whose."""
    return resource_id(ids.parent_of(arm_id)) if ids.type_of(arm_id) == SCALE_SET_VM_TYPE else None


def _image(told: Row) -> Image:
    """A custom image has an id and nothing else; so has one of a gallery, by whichever of three keys."""
    ids_of_image = (text(told, key) for key in ("id", "sharedGalleryImageId", "communityGalleryImageId"))
    return Image(
        publisher=text(told, "publisher"),
        offer=text(told, "offer"),
        sku=text(told, "sku"),
        version=text(told, "exactVersion") or text(told, "version"),
        id=next((found for found in ids_of_image if found), None),
    )


def _view_text(flat: Row, view: Row, key: str) -> str | None:
    """What the guest says of itself, from the instance view, else from where Resource Graph keeps a part of that."""
    return text(view, key) or text(part(flat, "extended", "instanceView"), key) or None


def _zone(flat: Row) -> str | None:
    zones = flat.get("zones")
    if isinstance(zones, list | tuple) and len(zones) == 1 and zones[0]:
        return str(zones[0])
    return zones if isinstance(zones, str) and zones else None


def _os(flat: Row, view: Row) -> Os:
    profile = part(flat, "osProfile")
    if profile.get("windowsConfiguration"):
        return Os.WINDOWS
    if profile.get("linuxConfiguration"):
        return Os.LINUX
    for told in (text(part(flat, "storageProfile", "osDisk"), "osType"), text(flat, "osType")):
        if told:
            return word(Os, told, Os.UNKNOWN)
    return Os.WINDOWS if text(view, "osName").lower().startswith("windows") else Os.UNKNOWN


def _power(flat: Row, view: Row) -> Power:
    """From the instance view, else where Resource Graph (`extended`) or `az vm list --show-details` put it."""
    known = power_of(view)
    if known is not Power.UNKNOWN:
        return known
    extended = text(part(flat, "extended", "instanceView", "powerState"), "code")
    shown = text(part(flat, "powerState"), "code") or text(flat, "powerState")
    return word(Power, extended or shown, Power.UNKNOWN)


def _agent(view: Row, windows: Row, linux: Row) -> Agent:
    """The view's word first: an agent may have been installed by hand into a machine made without one."""
    told = agent_of(view)
    if told is Agent.UNKNOWN and (
        windows.get("provisionVMAgent") is False or linux.get("provisionVMAgent") is False
    ):
        return Agent.MISSING
    return told


def _addresses(flat: Row) -> tuple[str, ...]:
    """`az vm list --show-details` prints the private addresses joined by commas."""
    told = flat.get("privateIps")
    if isinstance(told, str):
        told = told.split(",")
    return tuple(str(ip).strip() for ip in told if ip) if isinstance(told, list) else ()


def _first(*values: int | None) -> int | None:
    return next((value for value in values if value is not None), None)
