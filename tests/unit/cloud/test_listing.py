"""An inventory out of ARM's lists: what is joined, what is asked for besides, what may be missing."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from orchestrator.cloud.answers import Received
from orchestrator.cloud.asked import Asked
from orchestrator.cloud.listing import read_inventory
from orchestrator.errors import AccessDenied, CloudError, CloudPermanent, CloudTransient
from orchestrator.inventory.model import Inventory, Orchestration, Power
from tests.fleet import SUBSCRIPTION, arm_id, flex_id, pool_id, vm_id

NOW = datetime(2026, 11, 22, 1, tzinfo=UTC)
OTHER = "22222222-bbbb-4bbb-8bbb-000000000002"
Row = dict[str, Any]

DENIED = Received(403, {}, {"error": {"code": "AuthorizationFailed", "message": "no authorization"}})
THROTTLED = Received(
    429, {"retry-after": "30"}, {"error": {"code": "TooManyRequests", "message": "slow down"}}
)
NOT_THERE = Received(404, {}, {"error": {"code": "ResourceNotFound", "message": "not found"}})
NO_PROVIDER = Received(404, {}, {"error": {"code": "InvalidResourceType", "message": "no such type"}})


def page(*items: Row, next_link: str = "") -> Received:
    """One page of a list."""
    return Received(200, {}, {"value": list(items), **({"nextLink": next_link} if next_link else {})})


def model(name: str, *, subscription: str = SUBSCRIPTION, **properties: Any) -> Row:
    """A machine as the list of models has it."""
    spelled = arm_id(name, subscription=subscription)
    return {"id": spelled, "name": name, "location": "westeurope", "properties": properties}


def view(power: str = "running", **more: Any) -> Row:
    """An instance view."""
    return {"statuses": [{"code": f"PowerState/{power}"}], **more}


def status(name: str, **told: Any) -> Row:
    """A machine as `statusOnly=true` has it: its id in another spelling, its instance view."""
    return {"id": arm_id(name).upper(), "properties": {"instanceView": view(**told)}}


class Arm:
    """An ARM that answers by the last part of the path; lists that aren't given are empty."""

    def __init__(self, answers: Mapping[str, Received | CloudError]) -> None:
        self.answers = answers
        self.asked: list[str] = []

    async def get(self, url: str, _asked: Asked) -> Received:
        """The answer to this path."""
        self.asked.append(url)
        path, _, query = url.partition("?")
        *_, kind, name = path.split("/")
        key = "status" if "statusOnly" in query else name
        answer = (
            self.answers.get(f"{kind}/{name}") or self.answers.get(url) or self.answers.get(key) or page()
        )
        if isinstance(answer, CloudError):
            raise answer
        return answer

    async def inventory(self, *subscriptions: str) -> Inventory:
        """What it holds."""
        return await read_inventory(self.get, subscriptions or [SUBSCRIPTION], NOW)


async def test_model_and_status_are_joined() -> None:
    """What the two lists say of a machine is one machine, however each spells its id."""
    arm = Arm(
        {
            "virtualMachines": page(model("web01", osProfile={"windowsConfiguration": {"timeZone": "UTC"}})),
            "status": page(status("web01", power="stopped")),
        }
    )
    told = await arm.inventory()
    (machine,) = told.machines
    assert (machine.id, machine.arm_id) == (vm_id("web01"), arm_id("web01"))
    assert (machine.power, machine.time_zone) == (Power.STOPPED, "UTC")
    assert (told.taken_at, told.source, told.unreadable) == (NOW, "arm", ())
    assert not any("instanceView" in url for url in arm.asked)


async def test_pages_are_followed_to_the_byte() -> None:
    """Each nextLink is asked for as it came; a machine that is told twice is one machine."""
    link = "https://management.azure.com/subscriptions/s/more?$skiptoken=%2fA%7e"
    arm = Arm(
        {
            "virtualMachines": page(model("web01"), model("web02"), next_link=link),
            link: page(model("web02"), model("web03")),
            "status": page(status("web01"), status("web02"), status("web03")),
        }
    )
    told = await arm.inventory()
    assert [machine.name for machine in told.machines] == ["web01", "web02", "web03"]
    assert arm.asked.count(link) == 1


async def test_what_the_status_list_left_out_is_asked_for() -> None:
    """A machine that it lacks, a power state, the domains of a set's member: each costs one instance view, no more."""
    in_a_set = {"availabilitySet": {"id": arm_id("sql", "availabilitySets")}}
    arm = Arm(
        {
            "virtualMachines": page(
                model("plain"),
                model("new"),
                model("powerless"),
                model("sql01", **in_a_set),
                model("sql02", **in_a_set),
                model("sql03", **in_a_set),
            ),
            "status": page(
                status("plain"),
                {"id": arm_id("powerless"), "properties": {"instanceView": {}}},
                status("sql01"),
                status("sql02", platformUpdateDomain=1, platformFaultDomain=0),
                status("sql03", power="deallocated"),
            ),
            "new/instanceView": Received(200, {}, view("starting")),
            "powerless/instanceView": Received(200, {}, view()),
            "sql01/instanceView": Received(200, {}, view(platformUpdateDomain=4, platformFaultDomain=1)),
        }
    )
    told = {machine.name: machine for machine in (await arm.inventory()).machines}
    assert (told["new"].power, told["powerless"].power) == (Power.STARTING, Power.RUNNING)
    assert [(told[n].update_domain, told[n].fault_domain) for n in ("sql01", "sql02")] == [(4, 1), (1, 0)]
    views = sorted(url.split("/")[-2] for url in arm.asked if "/instanceView" in url)
    assert views == ["new", "powerless", "sql01"]


async def test_flexible_members() -> None:
    """A scale set has its members from the machines; where it spreads as it may, nobody is asked for fault domains."""
    sets = [
        {
            "id": arm_id(name, "virtualMachineScaleSets"),
            "name": name,
            "location": "westeurope",
            "properties": told,
        }
        for name, told in {
            "spread": {"orchestrationMode": "Flexible", "platformFaultDomainCount": 1},
            "fixed": {"orchestrationMode": "Flexible", "platformFaultDomainCount": 3},
        }.items()
    ]
    arm = Arm(
        {
            "virtualMachines": page(
                model("a", virtualMachineScaleSet={"id": sets[0]["id"]}),
                model("b", virtualMachineScaleSet={"id": sets[1]["id"]}),
            ),
            "status": page(status("a"), status("b")),
            "virtualMachineScaleSets": page(*sets),
            "b/instanceView": Received(200, {}, view(platformFaultDomain=2)),
        }
    )
    told = await arm.inventory()
    assert {s.id: (s.members, s.orchestration) for s in told.scale_sets} == {
        flex_id("spread"): ((vm_id("a"),), Orchestration.FLEXIBLE),
        flex_id("fixed"): ((vm_id("b"),), Orchestration.FLEXIBLE),
    }
    assert {m.name: m.fault_domain for m in told.machines} == {"a": None, "b": 2}


async def test_private_addresses() -> None:
    """Addresses come from the network interfaces, the primary one first; an interface without a machine is nobody's."""

    def interface(machine: str, primary: bool, *addresses: tuple[str, bool]) -> Row:
        configurations = [{"properties": {"privateIPAddress": a, "primary": first}} for a, first in addresses]
        owner = {"virtualMachine": {"id": arm_id(machine).upper()}} if machine else {}
        return {"properties": {**owner, "primary": primary, "ipConfigurations": configurations}}

    arm = Arm(
        {
            "virtualMachines": page(model("web01"), model("web02")),
            "status": page(status("web01"), status("web02")),
            "networkInterfaces": page(
                interface("web01", False, ("10.0.0.1", True)),
                interface("web01", True, ("10.0.1.9", False), ("10.0.1.20", True)),
                interface("", True, ("10.0.9.9", True)),
                interface("gone", True, ("10.0.9.8", True)),
            ),
        }
    )
    told = {machine.name: machine.private_ips for machine in (await arm.inventory()).machines}
    assert told == {"web01": ("10.0.1.20", "10.0.1.9", "10.0.0.1"), "web02": ()}


@pytest.mark.parametrize(
    ("path", "what", "permission"),
    [
        ("availabilitySets", "availability sets", "Microsoft.Compute/availabilitySets/read"),
        ("virtualMachineScaleSets", "scale sets", "Microsoft.Compute/virtualMachineScaleSets/read"),
        ("locations", "locations", "Microsoft.Resources/subscriptions/locations/read"),
        ("networkInterfaces", "network interfaces", "Microsoft.Network/networkInterfaces/read"),
    ],
)
async def test_a_list_that_may_not_be_read(path: str, what: str, permission: str) -> None:
    """Without a permission the rest is still an inventory, which names what is missing and why."""
    arm = Arm({"virtualMachines": page(model("web01")), "status": page(status("web01")), path: DENIED})
    told = await arm.inventory()
    assert [machine.name for machine in told.machines] == ["web01"]
    (missing,) = told.unreadable
    assert missing.what == f"{what} of subscription {SUBSCRIPTION}"
    assert permission in missing.why


async def test_a_provider_that_was_never_registered() -> None:
    """A subscription without a network provider has no interfaces, and nothing is unreadable."""
    arm = Arm(
        {
            "virtualMachines": page(model("web01")),
            "status": page(status("web01")),
            "networkInterfaces": NO_PROVIDER,
        }
    )
    assert (await arm.inventory()).unreadable == ()


async def test_machines_that_may_not_be_listed() -> None:
    """Without its machines a subscription is an error; all such subscriptions are told at once."""
    arm = Arm({"virtualMachines": DENIED})
    with pytest.raises(AccessDenied) as raised:
        await arm.inventory(OTHER, SUBSCRIPTION)
    for part in (SUBSCRIPTION, OTHER, "Microsoft.Compute/virtualMachines/read"):
        assert part in str(raised.value)


async def test_the_same_cause_is_told_once() -> None:
    """Without credentials nobody needs to hear it once for each subscription."""
    arm = Arm({"virtualMachines": AccessDenied("There are no Azure credentials to use.")})
    with pytest.raises(AccessDenied) as raised:
        await arm.inventory(OTHER, SUBSCRIPTION)
    assert str(raised.value) == "There are no Azure credentials to use."


@pytest.mark.parametrize("path", ["virtualMachines", "status", "availabilitySets", "locations"])
async def test_a_list_that_breaks_off(path: str) -> None:
    """A list that can't be read for now makes no half inventory."""
    arm = Arm({"virtualMachines": page(model("web01")), "status": page(status("web01")), path: THROTTLED})
    with pytest.raises(CloudTransient) as raised:
        await arm.inventory()
    assert raised.value.retry_after_s == 30.0


async def test_a_list_that_is_not_there() -> None:
    """A list that is refused for another reason than a missing permission is an error."""
    arm = Arm(
        {
            "virtualMachines": page(model("web01")),
            "status": page(status("web01")),
            "availabilitySets": NOT_THERE,
        }
    )
    with pytest.raises(CloudPermanent):
        await arm.inventory()


async def test_instance_views_that_fail() -> None:
    """A machine that is gone meanwhile is dropped; one whose view can't be read stays, with what is known, and is named."""
    arm = Arm(
        {
            "virtualMachines": page(model("gone"), model("busy"), model("hidden")),
            "gone/instanceView": NOT_THERE,
            "busy/instanceView": THROTTLED,
            "hidden/instanceView": DENIED,
        }
    )
    told = await arm.inventory()
    assert {machine.name: machine.power for machine in told.machines} == {
        "busy": Power.UNKNOWN,
        "hidden": Power.UNKNOWN,
    }
    why = {missing.what: missing.why for missing in told.unreadable}
    assert sorted(why) == [f"instance view of {arm_id('busy')}", f"instance view of {arm_id('hidden')}"]
    assert (
        "Microsoft.Compute/virtualMachines/instanceView/read" in why[f"instance view of {arm_id('hidden')}"]
    )


async def test_nothing_at_all() -> None:
    """Empty subscriptions, or none, are an empty inventory."""
    assert (await Arm({}).inventory(OTHER, SUBSCRIPTION)).machines == ()
    assert (await read_inventory(Arm({}).get, [], NOW)).machines == ()


async def test_interfaces_tell_back_end_pools_over_all_pages() -> None:
    """Also of members that no list of machines shows."""
    pool = {"id": pool_id("web")}

    def interface(machine: str, *pools: Row) -> Row:
        configuration = {"properties": {"loadBalancerBackendAddressPools": list(pools)}}
        owner = {"id": arm_id(machine)}
        return {
            "id": f"/{machine}",
            "properties": {"virtualMachine": owner, "ipConfigurations": [configuration]},
        }

    arm = Arm(
        {
            "virtualMachines": page(model("a"), model("b")),
            "status": page(status("a"), status("b")),
            "networkInterfaces": page(interface("a", pool), next_link="https://arm/next/page"),
            "https://arm/next/page": page(interface("b"), interface("hidden", pool)),
        }
    )
    held = await read_inventory(arm.get, [SUBSCRIPTION], NOW)

    assert [machine.backend_pools for machine in held.machines] == [(pool_id("web"),), ()]
    assert [(one.name, one.members) for one in held.backend_pools] == [
        ("lb/web", (vm_id("a"), vm_id("hidden")))
    ]


async def test_pools_are_not_known_where_interfaces_may_not_be_read() -> None:
    """Which isn't the same as none, and the missing permission is named."""
    arm = Arm({"virtualMachines": page(model("a")), "status": page(status("a")), "networkInterfaces": DENIED})
    held = await read_inventory(arm.get, [SUBSCRIPTION], NOW)

    assert [machine.backend_pools for machine in held.machines] == [None]
    assert "Microsoft.Network/networkInterfaces/read" in held.unreadable[0].why
