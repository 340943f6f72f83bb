"""Lists, machines, sets and locations as Azure Resource Manager shows them."""

from __future__ import annotations

import pytest

from orchestrator.emulator.world import World
from orchestrator.inventory.model import resource_id
from tests.fleet import SUBSCRIPTION, arm_id, flex_id, inventory, pool, pool_id, vm_id
from tests.unit.emulator.callers import BASE, GROUP, OTHER, PROVIDER, VERSION, Caller, body, code, fleet
from tests.unit.emulator.worlds import START, windows


def test_pages_lead_to_the_whole_list() -> None:
    """Each page names the next, until none is left; every machine of the subscription comes once."""
    caller = Caller(fleet(), page_size=3)
    first = body(caller.get(f"{PROVIDER}/virtualMachines"))
    second = body(caller.follow(first["nextLink"]))

    assert first["nextLink"].startswith(f"{BASE}{PROVIDER}/virtualMachines?{VERSION}&%24skiptoken=")
    assert "nextLink" not in second
    assert [vm["name"] for vm in first["value"] + second["value"]] == ["away", "flex0", "web0", "web1"]


def test_a_made_up_page_is_refused() -> None:
    """400 for a token that nobody gave out."""
    response = Caller(fleet()).get(f"{PROVIDER}/virtualMachines", f"{VERSION}&$skiptoken=x")

    assert (response.status, code(response)) == (400, "InvalidSkipToken")


def test_lists_spell_groups_in_upper_case() -> None:
    """As ARM does, while a single machine comes as it was made."""
    caller = Caller(fleet())
    listed = body(caller.get(f"{GROUP.upper()}/VIRTUALMACHINES"))["value"]

    assert {"RG-SHOP"} == {vm["id"].split("/")[4] for vm in listed}
    assert body(caller.get(f"{GROUP.lower()}/virtualmachines/WEB0"))["id"] == arm_id("web0")


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (f"{GROUP}/virtualMachines", ["flex0", "web0", "web1"]),
        (f"{PROVIDER}/locations/northeurope/virtualMachines", ["away"]),
        (f"/subscriptions/{OTHER}/providers/Microsoft.Compute/virtualMachines", ["other"]),
    ],
)
def test_lists_of_a_group_a_region_a_subscription(path: str, expected: list[str]) -> None:
    """Each holds its own machines."""
    assert expected == [vm["name"] for vm in body(Caller(fleet()).get(path))["value"]]


def test_status_only() -> None:
    """Instance views in place of models."""
    listed = body(Caller(fleet()).get(f"{PROVIDER}/virtualMachines", f"{VERSION}&statusOnly=true"))["value"]

    assert {"vmId", "provisioningState", "instanceView"} == listed[0]["properties"].keys()
    assert "tags" not in listed[2]
    views = [vm["properties"]["instanceView"] for vm in listed]
    assert [view.get("platformUpdateDomain") for view in views] == [None, None, 1, 2]


def test_a_model() -> None:
    """What a planner reads stands where Azure puts it; a reference to a set is in upper case."""
    model = body(Caller(fleet()).get(f"{GROUP}/virtualMachines/web0"))

    assert (model["type"], model["location"]) == ("Microsoft.Compute/virtualMachines", "westeurope")
    assert model["tags"] == {"tier": "web"}
    properties = model["properties"]
    assert properties["availabilitySet"]["id"].endswith(
        "/resourceGroups/RG-SHOP/providers/Microsoft.Compute/availabilitySets/AS-WEB"
    )
    assert properties["storageProfile"]["imageReference"]["sku"] == "2022-datacenter"
    assert properties["osProfile"]["windowsConfiguration"]["provisionVMAgent"] is True
    assert "instanceView" not in properties


def test_a_model_with_its_instance_view() -> None:
    """`$expand=instanceView` adds what the instance view's own URL shows."""
    caller = Caller(fleet())
    expanded = body(caller.get(f"{GROUP}/virtualMachines/flex0", f"{VERSION}&$expand=instanceView"))

    assert (
        body(caller.get(f"{GROUP}/virtualMachines/flex0/instanceView"))
        == expanded["properties"]["instanceView"]
    )
    assert expanded["zones"] == ["1"]
    assert expanded["properties"]["virtualMachineScaleSet"]["id"] == expanded["managedBy"]


def test_a_scale_set_s_machines_by_filter() -> None:
    """The documented filter gives its machines, with instance views if asked; any other filter is refused."""
    caller = Caller(fleet())
    wanted = f"$filter='virtualMachineScaleSet/id' eq '{flex_id('flex').upper()}'&$expand=instanceView"
    listed = body(caller.get(f"{PROVIDER}/virtualMachines", f"{VERSION}&{wanted}"))["value"]

    assert [vm["name"] for vm in listed] == ["flex0"]
    assert "instanceView" in listed[0]["properties"]
    odd = caller.get(f"{PROVIDER}/virtualMachines", f"{VERSION}&$filter=name eq 'a'")
    assert code(odd) == "InvalidFilterInQueryString"
    assert caller.get(f"{PROVIDER}/virtualMachines", f"{VERSION}&$expand=instanceView").status == 400


def test_availability_sets() -> None:
    """Counts of domains, and all members that Azure names, also ones nobody can read, in upper case."""
    caller = Caller(fleet())
    listed = body(caller.get(f"{PROVIDER}/availabilitySets"))["value"]
    one = body(caller.get(f"{GROUP}/availabilitySets/AS-web"))

    assert [each["name"] for each in listed] == ["as-web"]
    assert one["properties"]["platformUpdateDomainCount"] == 5
    assert [vm["id"].rsplit("/", 1)[1] for vm in one["properties"]["virtualMachines"]] == [
        "GONE",
        "WEB0",
        "WEB1",
    ]
    assert one["id"] == arm_id("as-web", "availabilitySets")
    assert body(caller.get(f"{GROUP}/availabilitySets"))["value"] == listed


def test_scale_sets() -> None:
    """Flexible ones list machines, Uniform ones numbered instances."""
    caller = Caller(fleet())
    listed = body(caller.get(f"{PROVIDER}/virtualMachineScaleSets"))["value"]

    assert [(each["name"], each["properties"]["orchestrationMode"]) for each in listed] == [
        ("flex", "Flexible"),
        ("uni", "Uniform"),
    ]
    assert body(caller.get(f"{GROUP}/virtualMachineScaleSets/flex"))["zones"] == ["1"]
    flexible = body(caller.get(f"{GROUP}/virtualMachineScaleSets/flex/virtualMachines"))["value"]
    assert [arm_id("flex0")] == [vm["id"] for vm in flexible]
    uniform = body(caller.get(f"{GROUP}/virtualMachineScaleSets/uni/virtualMachines"))["value"]
    assert [vm["instanceId"] for vm in uniform] == ["0", "1", "2"]


def test_locations() -> None:
    """Pairs and zones as one subscription sees them; another sees other zones."""
    caller = Caller(fleet())
    ours, theirs = (
        {each["name"]: each for each in body(caller.get(f"/subscriptions/{who}/locations"))["value"]}
        for who in (SUBSCRIPTION, OTHER)
    )

    assert [{"name": "northeurope", "id": f"/subscriptions/{SUBSCRIPTION}/locations/northeurope"}] == ours[
        "westeurope"
    ]["metadata"]["pairedRegion"]
    assert [zone["logicalZone"] for zone in ours["westeurope"]["availabilityZoneMappings"]] == ["1", "2", "3"]
    assert ours["westeurope"]["availabilityZoneMappings"] != theirs["westeurope"]["availabilityZoneMappings"]
    assert "availabilityZoneMappings" not in ours["northeurope"]


def test_interfaces_name_the_pools_of_their_machines() -> None:
    """Over pages, also of a machine that a pool names and nobody may see; those of other subscriptions are theirs."""
    gateway = pool_id("web").replace("loadbalancers", "applicationgateways")
    told = inventory(
        windows("web0", backend_pools=(pool_id("web"), resource_id(gateway)), private_ips=("10.0.0.4",)),
        windows("web1", backend_pools=()),
        windows("other", subscription=OTHER),
        backend_pools=(pool("web", "web0", "hidden"),),
    )
    caller = Caller(World(told, seed=1, start=START), page_size=2)
    path = f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Network/networkInterfaces"
    first = body(caller.get(path))
    shown = [interface["properties"] for interface in first["value"]]
    shown += [interface["properties"] for interface in body(caller.follow(first["nextLink"]))["value"]]
    pools = [
        sorted(
            pool["id"].lower()
            for key, value in interface["ipConfigurations"][0]["properties"].items()
            if key.endswith("BackendAddressPools")
            for pool in value
        )
        for interface in shown
    ]

    assert [interface["virtualMachine"]["id"].lower() for interface in shown] == [
        vm_id("web0"),
        vm_id("web1"),
        vm_id("hidden"),
    ]
    assert pools == [[gateway, pool_id("web")], [], [pool_id("web")]]


def test_what_patches_machines_besides() -> None:
    """Each machine's assignments, and the configurations that they name, of the subscription that is asked."""
    weekly = f"/subscriptions/{SUBSCRIPTION}/resourcegroups/rg-shop/providers/microsoft.maintenance/maintenanceconfigurations/weekly"
    told = inventory(
        windows("web0", schedules=(resource_id(weekly),)),
        windows("web1", schedules=()),
        windows("other", subscription=OTHER),
    )
    asked = Caller(World(told, seed=1, start=START))
    maintenance = f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Maintenance"
    (assigned,) = body(asked.get(f"{maintenance}/configurationAssignments"))["value"]
    assert assigned["id"].endswith(
        "/virtualMachines/web0/providers/Microsoft.Maintenance/configurationAssignments/weekly"
    )
    assert assigned["properties"]["maintenanceConfigurationId"] == weekly
    (made,) = body(asked.get(f"{maintenance}/maintenanceConfigurations"))["value"]
    assert (made["id"], made["properties"]["maintenanceScope"]) == (weekly, "InGuestPatch")
    assert (
        body(asked.get(f"/subscriptions/{OTHER}/providers/Microsoft.Maintenance/configurationAssignments"))[
            "value"
        ]
        == []
    )
