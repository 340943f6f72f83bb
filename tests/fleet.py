"""Short ways to make machines and inventories for tests."""

from __future__ import annotations

from typing import Any

from orchestrator.inventory.model import (
    Agent,
    AvailabilitySet,
    BackendPool,
    Connection,
    Image,
    Inventory,
    Kind,
    Machine,
    MachineId,
    Os,
    Power,
    ResourceId,
    ScaleSet,
    machine_id,
    resource_id,
)

SUBSCRIPTION = "11111111-aaaa-4aaa-8aaa-000000000001"


def arm_id(
    name: str, kind: str = "virtualMachines", *, subscription: str = SUBSCRIPTION, group: str = "rg-shop"
) -> str:
    """The ARM id of something of Microsoft.Compute."""
    return f"/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.Compute/{kind}/{name}"


def vm_id(name: str, *, subscription: str = SUBSCRIPTION) -> MachineId:
    """The id of the machine that `vm(name)` makes."""
    return machine_id(arm_id(name, subscription=subscription))


def set_id(name: str) -> ResourceId:
    """The id of an availability set."""
    return resource_id(arm_id(name, "availabilitySets"))


def flex_id(name: str) -> ResourceId:
    """The id of a scale set."""
    return resource_id(arm_id(name, "virtualMachineScaleSets"))


def vm(name: str, *, subscription: str = SUBSCRIPTION, group: str = "rg-shop", **facts: Any) -> Machine:
    """A running virtual machine in westeurope whose agent is ready, under what its image says or Linux, unless `facts` say otherwise."""
    spelled = arm_id(name, subscription=subscription, group=group)
    image = facts.get("image", Image())
    windows = image.publisher.lower().startswith("microsoftwindows")
    told: dict[str, Any] = {
        "location": "westeurope", "os": Os.WINDOWS if windows else Os.LINUX, "power": Power.RUNNING, "agent": Agent.READY, **facts
    }  # fmt: skip
    return Machine(
        id=machine_id(spelled),
        arm_id=spelled,
        name=name,
        subscription=subscription,
        resource_group=group,
        **told,
    )


def arc_id(name: str, *, subscription: str = SUBSCRIPTION, group: str = "rg-site") -> str:
    """The ARM id of an Arc machine."""
    scope = f"/subscriptions/{subscription}/resourceGroups/{group}"
    return f"{scope}/providers/Microsoft.HybridCompute/machines/{name}"


def arc(name: str, *, subscription: str = SUBSCRIPTION, group: str = "rg-site", **facts: Any) -> Machine:
    """A machine of Azure Arc in westeurope that is connected, unless `facts` say otherwise."""
    spelled = arc_id(name, subscription=subscription, group=group)
    told: dict[str, Any] = {
        "kind": Kind.ARC,
        "location": "westeurope",
        "os": Os.WINDOWS,
        "power": Power.RUNNING,
        "agent": Agent.READY,
        "connection": Connection.CONNECTED,
        **facts,
    }
    return Machine(
        id=machine_id(spelled),
        arm_id=spelled,
        name=name,
        subscription=subscription,
        resource_group=group,
        **told,
    )


def availability_set(name: str, *members: str, **facts: Any) -> AvailabilitySet:
    """An availability set that names machines made by `vm`, or others, by their names."""
    ids = tuple(sorted(vm_id(member) for member in members))
    return AvailabilitySet(id=set_id(name), name=name, location="westeurope", members=ids, **facts)


def scale_set(name: str, *members: str, **facts: Any) -> ScaleSet:
    """A scale set that names machines by their names."""
    ids = tuple(sorted(vm_id(member) for member in members))
    return ScaleSet(id=flex_id(name), name=name, location="westeurope", members=ids, **facts)


def pool_id(name: str, *, balancer: str = "lb") -> ResourceId:
    """The id of a load balancer's back-end pool."""
    scope = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-shop/providers/Microsoft.Network"
    return resource_id(f"{scope}/loadBalancers/{balancer}/backendAddressPools/{name}")


def pool(name: str, *members: str) -> BackendPool:
    """A back-end pool that names machines by their names."""
    return BackendPool(pool_id(name), f"lb/{name}", tuple(sorted(vm_id(member) for member in members)))


def inventory(*machines: Machine, **parts: Any) -> Inventory:
    """An inventory of these machines."""
    ordered = tuple(sorted(machines, key=lambda machine: machine.id))
    return Inventory(**{"taken_at": None, "source": "test", "machines": ordered, **parts})
