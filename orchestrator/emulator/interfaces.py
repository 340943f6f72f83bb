"""Network interfaces over ARM: one for each machine, which names the back-end pools that the machine serves in."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from orchestrator.emulator.dealing import Dealt
from orchestrator.emulator.state import Json
from orchestrator.inventory.ids import name_of, subscription_of
from orchestrator.inventory.model import Kind, Machine, MachineId, ResourceId

_WORDS = {
    "resourcegroups": "resourceGroups",
    "microsoft.network": "Microsoft.Network",
    "loadbalancers": "loadBalancers",
    "applicationgateways": "applicationGateways",
    "backendaddresspools": "backendAddressPools",
}


def interfaces(dealt: Dealt, subscription: str) -> list[Json]:
    """The interfaces of a subscription's machines, also of those that pools name and nobody may see."""
    pools = pools_by_machine(dealt)
    shown = []
    known = set()
    for machine in dealt.machines:
        known.add(machine.id)
        if machine.subscription.lower() == subscription and machine.kind is Kind.AZURE_VM:
            shown.append(interface(machine, pools))
    strangers = sorted(pools.keys() - known)
    shown += [_model(one, "", (), pools[one]) for one in strangers if subscription_of(one) == subscription]
    return shown


def pools_by_machine(dealt: Dealt) -> Mapping[MachineId, set[ResourceId]]:
    """The back-end pools that each machine serves in, by what the pools say."""
    pools: defaultdict[MachineId, set[ResourceId]] = defaultdict(set)
    for pool in dealt.backend_pools:
        for member in pool.members:
            pools[member].add(pool.id)
    return pools


def interface(machine: Machine, pools: Mapping[MachineId, set[ResourceId]]) -> Json:
    """One machine's interface."""
    held = {*pools.get(machine.id, ()), *(machine.backend_pools or ())}
    return _model(machine.arm_id, machine.location, machine.private_ips, held)


def interface_id(machine: Machine) -> str:
    """Its id, beside the machine."""
    group, _, _ = machine.arm_id.partition("/providers/")
    return f"{group}/providers/Microsoft.Network/networkInterfaces/{name_of(machine.arm_id)}-nic"


def _model(machine: str, location: str, addresses: Iterable[str], pools: Iterable[ResourceId]) -> Json:
    group, _, _ = machine.partition("/providers/")
    arm_id = f"{group}/providers/Microsoft.Network/networkInterfaces/{name_of(machine)}-nic"
    behind: Json = {"loadBalancerBackendAddressPools": [], "applicationGatewayBackendAddressPools": []}
    for pool in sorted(pools):
        gateway = "/applicationgateways/" in pool
        key = "applicationGatewayBackendAddressPools" if gateway else "loadBalancerBackendAddressPools"
        behind[key].append({"id": "/".join(_WORDS.get(part, part) for part in pool.split("/"))})
    told = {key: listed for key, listed in behind.items() if listed}  # Azure leaves out empty ones
    configurations = [
        {
            "id": f"{arm_id}/ipConfigurations/ipconfig{number}",
            "name": f"ipconfig{number}",
            "properties": {
                "primary": number == 1,
                **({"privateIPAddress": address} if address else {}),
                **(told if number == 1 else {}),
            },
        }
        for number, address in enumerate([*addresses] or [""], start=1)
    ]
    return {
        "id": arm_id,
        "name": f"{name_of(machine)}-nic",
        "type": "Microsoft.Network/networkInterfaces",
        "location": location,
        "properties": {
            "provisioningState": "Succeeded",
            "primary": True,
            "virtualMachine": {"id": machine},
            "ipConfigurations": configurations,
        },
    }
