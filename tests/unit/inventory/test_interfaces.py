"""Network interfaces: addresses and back-end pools, in each spelling that Azure has for them."""

from __future__ import annotations

from typing import Any

import orjson

from orchestrator.inventory.interfaces import connect
from orchestrator.inventory.model import BackendPool, Inventory
from orchestrator.inventory.read import read
from tests.fleet import SUBSCRIPTION, arm_id, pool_id, vm, vm_id

NETWORK = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-shop/providers/Microsoft.Network"
WEB = f"{NETWORK}/loadBalancers/lb/backendAddressPools/web"
API = f"{NETWORK}/loadBalancers/lb/backendAddressPools/api"
GATEWAY = f"{NETWORK}/applicationGateways/agw/backendAddressPools/web"


def interface(machine: str | None, *configurations: dict[str, Any], **more: Any) -> dict[str, Any]:
    """An interface as `az network nic list` prints it."""
    owner = None if machine is None else {"id": arm_id(machine).upper()}
    return {
        "id": f"{NETWORK}/networkInterfaces/{machine}-nic",
        "ipConfigurations": list(configurations),
        "virtualMachine": owner,
        **more,
    }


def behind(*pools: str, **more: Any) -> dict[str, Any]:
    """An IP configuration in these pools of load balancers."""
    return {"loadBalancerBackendAddressPools": [{"id": pool} for pool in pools], **more}


def test_a_machine_is_in_the_pools_of_all_its_interfaces_once_each() -> None:
    """Load balancers' and application gateways', whatever configuration of whatever interface names them."""
    told = connect(
        [vm("a"), vm("b")],
        [
            interface("a", behind(WEB, API), behind(WEB.upper())),
            interface("a", {"applicationGatewayBackendAddressPools": [{"id": GATEWAY}]}),
            interface("b", behind(WEB)),
        ],
    )
    gateway = pool_id("web").replace("loadbalancers/lb", "applicationgateways/agw")

    assert [machine.backend_pools for machine in told.machines] == [
        (gateway, pool_id("api"), pool_id("web")),
        (pool_id("web"),),
    ]
    assert [(pool.name, len(pool.members)) for pool in told.pools] == [
        ("agw/web", 1),
        ("lb/api", 1),
        ("lb/web", 2),
    ]


def test_no_pool_is_not_the_same_as_no_interface() -> None:
    """A machine whose interfaces weren't among those that were read may be in any pool."""
    told = connect([vm("a"), vm("b")], [interface("a", {}), interface(None, behind(WEB))])

    assert [machine.backend_pools for machine in told.machines] == [(), None]
    assert told.pools == ()


def test_a_member_that_nobody_may_read_is_still_a_member() -> None:
    """As of an availability set."""
    told = connect([vm("a")], [interface("a", behind(WEB)), interface("z", behind(WEB))])

    assert told.pools == (BackendPool(pool_id("web"), "lb/web", (vm_id("a"), vm_id("z"))),)


def test_addresses_come_primary_first() -> None:
    """Of the primary interface, then of its primary configuration; what the machine knew is kept where none is told."""
    nested = {"properties": {"privateIPAddress": "10.0.0.7", "primary": True}}
    told = connect(
        [vm("a"), vm("b", private_ips=("10.0.0.1",))],
        [
            interface("a", {"privateIPAddress": "10.0.0.5"}),
            interface("a", {"privateIPAddress": "10.0.0.6"}, nested, primary=True),
            interface("b", {}),
        ],
    )

    assert [m.private_ips for m in told.machines] == [("10.0.0.7", "10.0.0.6", "10.0.0.5"), ("10.0.0.1",)]


def joined(*interfaces: dict[str, Any]) -> Inventory:
    """A file in which interfaces stand beside machines, as `jq -s add` makes it."""
    machines = [
        {"id": arm_id(name), "location": "westeurope", "hardwareProfile": {"vmSize": "s"}} for name in "ab"
    ]
    return read(orjson.dumps([*machines, *interfaces]), "fleet.json")


def test_a_file_may_hold_both() -> None:
    """Printed by `az vm list` and `az network nic list`, or by one query of Resource Graph, which nests properties."""
    flat = joined(interface("a", behind(WEB)))
    row = interface("a", {"properties": behind(WEB)})
    nested = joined({"id": row.pop("id"), "properties": row})

    assert [machine.backend_pools for machine in flat.machines] == [(pool_id("web"),), None]
    assert flat == nested


def test_a_file_of_machines_alone_tells_no_pools() -> None:
    """Not even that there are none."""
    assert {machine.backend_pools for machine in joined().machines} == {None}
