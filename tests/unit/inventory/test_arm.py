"""Machines and sets out of ARM's dicts, whichever of ARM's shapes they come in."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest

from orchestrator.errors import InventoryError
from orchestrator.inventory.arm import (
    availability_set_from_arm,
    instance_view_of,
    locations_from_arm,
    machine_from_arm,
    merge_locations,
    scale_set_from_arm,
)
from orchestrator.inventory.model import (
    Agent,
    AppHealth,
    Image,
    Kind,
    Location,
    Orchestration,
    Os,
    PatchState,
    Power,
    machine_id,
)
from tests.fleet import SUBSCRIPTION, arm_id, flex_id, set_id, vm_id

DATA = Path(__file__).parents[2] / "data"


def body(name: str) -> Any:
    """A recorded answer."""
    return orjson.loads((DATA / name).read_bytes())


def model(**facts: Any) -> dict[str, Any]:
    """The least of a machine that ARM could answer."""
    return {"id": arm_id("web-1"), "name": "web-1", "location": "westeurope", **facts}


def view(power: str = "running", agent: str | None = "Ready", **facts: Any) -> dict[str, Any]:
    """The least of an instance view."""
    agents = {} if agent is None else {"vmAgent": {"statuses": [{"displayStatus": agent}]}}
    return {"statuses": [{"code": f"PowerState/{power}"}], **agents, **facts}


def test_a_model_with_its_status_gives_every_fact() -> None:
    """What the model list and the status-only list tell together is all that an inventory keeps."""
    web = body("arm-vm-list.json")["value"][0]
    status = body("arm-vm-status-only.json")["value"][0]

    machine = machine_from_arm(web, instance_view_of(status))

    assert machine.id == machine_id(status["id"])
    assert (machine.name, machine.subscription, machine.resource_group) == ("web-1", SUBSCRIPTION, "rg-shop")
    assert (machine.location, machine.zone, machine.kind) == ("westeurope", None, Kind.AZURE_VM)
    assert (machine.os, machine.size, machine.patch_mode) == (
        Os.WINDOWS,
        "Standard_D2s_v5",
        "AutomaticByPlatform",
    )
    assert machine.image == Image(
        "MicrosoftWindowsServer", "WindowsServer", "2022-datacenter-azure-edition", "20348.4052.250801"
    )
    assert (machine.availability_set, machine.scale_set) == (set_id("AS-WEB"), None)
    assert (machine.update_domain, machine.fault_domain) == (0, 0)
    assert (machine.power, machine.agent, machine.app_health) == (
        Power.RUNNING,
        Agent.READY,
        AppHealth.HEALTHY,
    )
    assert machine.patches == PatchState(
        assessed_at=datetime(2026, 11, 20, 4, 11, 9, 765432, tzinfo=UTC),
        critical_and_security=2,
        other=1,
        reboot_pending=False,
        installation_id="9d3f6f80-0000-4000-8000-000000000020",
        installation_status="Succeeded",
        installed_at=datetime(2026, 10, 18, 2, 31, 44, tzinfo=UTC),
    )
    assert (machine.time_zone, machine.computer_name) == ("W. Europe Standard Time", "web-1")
    assert dict(machine.tags) == {"app": "shop", "tier": "web"}
    assert machine.provisioning == "Succeeded"


def test_nested_and_flattened_models_are_the_same_machine() -> None:
    """What `az vm list` prints flattened and what ARM nests under `properties` reads the same."""
    nested = body("arm-vm-list.json")["value"]
    flat = body("az-vm-list.json")

    assert [machine_from_arm(row) for row in nested] == [machine_from_arm(row) for row in flat]


def test_zones_are_read_where_there_is_one() -> None:
    """A zonal machine stands in one zone; a list of none or of several says nothing about where it is."""
    zones = [machine_from_arm(model(zones=zones)).zone for zones in (["2"], [], None, ["1", "2"])]

    assert zones == ["2", None, None, None]


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        (view("running"), Power.RUNNING),
        (view("Deallocated"), Power.DEALLOCATED),
        (view("hibernated"), Power.UNKNOWN),
        ({"statuses": [{"code": "ProvisioningState/succeeded"}]}, Power.UNKNOWN),
        ({"statuses": None}, Power.UNKNOWN),
        ({}, Power.UNKNOWN),
    ],
)
def test_power_is_an_open_string(told: dict[str, Any], expected: Power) -> None:
    """A power state that isn't known, or isn't there, is UNKNOWN."""
    assert expected == machine_from_arm(model(), told).power


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        ({"powerState": "VM running"}, Power.RUNNING),
        ({"powerState": "VM deallocating"}, Power.DEALLOCATING),
        ({"powerState": "PowerState/stopped"}, Power.STOPPED),
        ({"powerState": ""}, Power.UNKNOWN),
        ({"powerState": None}, Power.UNKNOWN),
        (
            {"properties": {"extended": {"instanceView": {"powerState": {"code": "PowerState/running"}}}}},
            Power.RUNNING,
        ),
        ({"properties_extended_instanceView_powerState_code": "PowerState/stopped"}, Power.STOPPED),
    ],
)
def test_power_is_read_from_where_other_tools_put_it(shown: dict[str, Any], expected: Power) -> None:
    """`--show-details` prints a display status; Resource Graph keeps a code under `extended`, or in a column of its own."""
    assert expected == machine_from_arm(model(**shown)).power


@pytest.mark.parametrize(
    ("told", "provisioned", "expected"),
    [
        ("Ready", True, Agent.READY),
        ("Not Ready", True, Agent.NOT_READY),
        ("Ready", False, Agent.READY),
        ("Not Ready", False, Agent.NOT_READY),
        (None, True, Agent.UNKNOWN),
        (None, False, Agent.MISSING),
    ],
)
def test_the_agents_own_word_goes_first(told: str | None, provisioned: bool, expected: Agent) -> None:
    """An agent that answers is ready, also on a machine made without one; without its word only a missing one is known."""
    windows = {"osProfile": {"windowsConfiguration": {"provisionVMAgent": provisioned}}}

    assert expected == machine_from_arm(model(**windows), view(agent=told)).agent


@pytest.mark.parametrize(
    ("health", "expected"),
    [
        ({"status": {"code": "HealthState/healthy"}}, AppHealth.HEALTHY),
        ({"status": {"code": "HealthState/unhealthy"}}, AppHealth.UNHEALTHY),
        ({"status": {"code": "HealthState/Initializing"}}, AppHealth.INITIALIZING),
        ({"status": {"code": "HealthState/dizzy"}}, AppHealth.UNKNOWN),
        (None, AppHealth.NONE),
    ],
)
def test_application_health_comes_from_its_extension(health: Any, expected: AppHealth) -> None:
    """No extension is NONE; a word of its that isn't known is UNKNOWN."""
    assert expected == machine_from_arm(model(), view(vmHealth=health)).app_health


def test_the_operating_system_is_taken_from_the_first_that_tells() -> None:
    """The profile, the disk, a projected column, then the name that the agent reports."""
    told = [
        model(osProfile={"linuxConfiguration": {"provisionVMAgent": True}}),
        model(storageProfile={"osDisk": {"osType": "Windows"}}),
        model(osType="Linux"),
        model(instanceView={"osName": "Windows Server 2025 Datacenter"}),
        model(),
    ]

    assert [machine_from_arm(row).os for row in told] == [
        Os.LINUX,
        Os.WINDOWS,
        Os.LINUX,
        Os.WINDOWS,
        Os.UNKNOWN,
    ]


def test_a_domain_that_azure_will_choose_later_is_unknown() -> None:
    """A platform fault domain of -1 asks Azure to choose."""
    assert machine_from_arm(model(platformFaultDomain=-1)).fault_domain is None


def test_the_instance_views_fault_domain_goes_before_the_models() -> None:
    """The model says what was asked for, the instance view what came of it; 0 is a domain like any other."""
    assert machine_from_arm(model(platformFaultDomain=2), view(platformFaultDomain=0)).fault_domain == 0


def test_a_flexible_member_knows_its_scale_set() -> None:
    """A member of a Flexible scale set is an ordinary machine that refers to it."""
    assert machine_from_arm(body("az-vm-list.json")[2]).scale_set == flex_id("vmss-api")


def test_an_instance_of_a_uniform_scale_set_belongs_to_it() -> None:
    """Its id tells, without a reference."""
    row = {"id": arm_id("batch", "virtualMachineScaleSets") + "/virtualMachines/0", "name": "batch_0"}

    assert machine_from_arm(row).scale_set == flex_id("batch")


def test_private_addresses_are_split() -> None:
    """`--show-details` joins the addresses of several interfaces with commas; an off machine may have none."""
    told = [machine_from_arm(row).private_ips for row in body("az-vm-list-show-details.json")]

    assert told == [("10.0.0.4",), (), ("10.0.0.6",), ("10.0.0.7", "10.0.1.9")]


def test_arc_machines_tell_one_status_for_all() -> None:
    """A connected machine runs and its agent is ready; of a disconnected one only that is known. HCI is Azure Local."""
    connected, disconnected = map(machine_from_arm, body("az-connectedmachine-list.json"))

    assert (connected.kind, connected.power, connected.agent) == (Kind.ARC, Power.RUNNING, Agent.READY)
    assert (disconnected.kind, disconnected.power, disconnected.agent) == (
        Kind.AZURE_LOCAL,
        Power.UNKNOWN,
        Agent.NOT_READY,
    )
    assert (connected.os, connected.computer_name, connected.private_ips) == (
        Os.WINDOWS,
        "branch-01",
        ("192.168.10.21",),
    )


def test_an_arc_machine_whose_status_is_left_out_is_unknown() -> None:
    """A projection without `status` doesn't make a machine disconnected."""
    row = body("az-connectedmachine-list.json")[0] | {"status": None}

    assert machine_from_arm(row).agent is Agent.UNKNOWN


@pytest.mark.parametrize(
    "nonsense",
    [
        {"tags": ["a"], "zones": 1, "osProfile": "x", "storageProfile": [], "hardwareProfile": None},
        {"availabilitySet": 7, "virtualMachineScaleSet": {"id": None}, "privateIps": 3, "location": None},
        {
            "instanceView": {
                "statuses": [None, "x"],
                "vmAgent": [],
                "patchStatus": {"availablePatchSummary": 1},
            }
        },
    ],
)
def test_values_of_the_wrong_kind_count_as_not_told(nonsense: dict[str, Any]) -> None:
    """Nothing but a missing id keeps a machine from being read."""
    machine = machine_from_arm(model(**nonsense))

    assert (machine.id, machine.power, machine.availability_set) == (vm_id("web-1"), Power.UNKNOWN, None)


def test_times_that_are_none_are_not_told() -> None:
    """A time without an offset is UTC; what isn't a time is None."""
    summary = {"lastModifiedTime": "yesterday", "startTime": "2026-11-20T04:09:00"}
    told = machine_from_arm(model(), {"patchStatus": {"availablePatchSummary": summary}})

    assert told.patches.assessed_at == datetime(2026, 11, 20, 4, 9, tzinfo=UTC)


@pytest.mark.parametrize("read", [machine_from_arm, availability_set_from_arm, scale_set_from_arm])
def test_a_resource_without_an_id_is_refused(read: Any) -> None:
    """Without an id nothing can be done with it; the message names what there is."""
    with pytest.raises(InventoryError, match="web-1 has no id"):
        read({"name": "web-1"})


def test_an_availability_set_names_its_members_once_each() -> None:
    """Azure upper-cases the ids of members; they are the same machines."""
    held = availability_set_from_arm(body("arm-availability-sets.json")["value"][0])

    other = machine_id(arm_id("web-3", group="rg-other"))
    assert held.members == (other, vm_id("web-1"), vm_id("web-2"))
    assert (held.id, held.name, held.update_domains, held.fault_domains) == (set_id("as-web"), "AS-WEB", 5, 3)


def test_scale_sets_tell_how_they_run_their_machines() -> None:
    """A Flexible set has members that are machines; a Uniform one has a count."""
    flexible, uniform = (
        scale_set_from_arm(item, [{"id": arm_id("API-1")}] if place == 0 else ())
        for place, item in enumerate(body("arm-scale-sets.json")["value"])
    )

    assert (flexible.orchestration, flexible.members, flexible.instances) == (
        Orchestration.FLEXIBLE,
        (vm_id("api-1"),),
        0,
    )
    assert (uniform.orchestration, uniform.members, uniform.instances) == (Orchestration.UNIFORM, (), 7)
    assert (flexible.fault_domains, uniform.fault_domains) == (3, 1)


def test_locations_tell_pairs_and_physical_zones() -> None:
    """Regions only: no edge zones, no logical regions."""
    west = Location(
        "westeurope",
        ("northeurope",),
        {SUBSCRIPTION: {"1": "westeurope-az2", "2": "westeurope-az3", "3": "westeurope-az1"}},
    )
    north = Location("northeurope", ("westeurope",), {SUBSCRIPTION: {"1": "northeurope-az1"}})

    answer = body("arm-locations.json")

    assert locations_from_arm(answer, SUBSCRIPTION.upper()) == (north, Location("polandcentral"), west)
    assert locations_from_arm(answer["value"], SUBSCRIPTION) == locations_from_arm(answer, SUBSCRIPTION)


def test_what_subscriptions_are_told_of_a_region_adds_up() -> None:
    """Zone mappings are each subscription's own; the region is one."""
    merged = merge_locations(
        [
            Location("westeurope", ("northeurope",), {"s1": {"1": "westeurope-az2"}}),
            Location("northeurope"),
            Location("westeurope", (), {"s2": {"1": "westeurope-az1"}}),
        ]
    )

    assert merged == (
        Location("northeurope"),
        Location(
            "westeurope", ("northeurope",), {"s1": {"1": "westeurope-az2"}, "s2": {"1": "westeurope-az1"}}
        ),
    )
