"""Where things are in Azure Resource Manager: paths and the api-versions that go with them."""

from __future__ import annotations

from urllib.parse import quote

from orchestrator.cloud.port import Target

COMPUTE = "2026-04-01"  # what azure-mgmt-compute 39 speaks
HYBRID = "2026-07-15"  # what azure-mgmt-hybridcompute 10 speaks
GRAPH = "2021-03-01"
SUBSCRIPTIONS = "2022-12-01"
NETWORK = "2024-05-01"
AUTHORIZATION = "2022-04-01"
MAINTENANCE = "2023-04-01"

_SAFE_IN_AN_ID = "/-._~()!$&'*+,;=:@"
_COMPUTE = "/providers/Microsoft.Compute"


def machines(subscription: str, *, status_only: bool = False) -> str:
    """All machines of a subscription: their models, or their instance views alone."""
    path = f"{_subscription(subscription)}{_COMPUTE}/virtualMachines?api-version={COMPUTE}"
    return path + ("&statusOnly=true" if status_only else "")


def arc_machines(subscription: str) -> str:
    """All machines of Azure Arc and Azure Local of a subscription."""
    return f"{_subscription(subscription)}/providers/Microsoft.HybridCompute/machines?api-version={HYBRID}"


def resource_graph() -> str:
    """Where Resource Graph is asked."""
    return f"/providers/Microsoft.ResourceGraph/resources?api-version={GRAPH}"


def subscriptions() -> str:
    """All subscriptions that this identity can see."""
    return f"/subscriptions?api-version={SUBSCRIPTIONS}"


def availability_sets(subscription: str) -> str:
    """All availability sets of a subscription."""
    return f"{_subscription(subscription)}{_COMPUTE}/availabilitySets?api-version={COMPUTE}"


def scale_sets(subscription: str) -> str:
    """All scale sets of a subscription."""
    return f"{_subscription(subscription)}{_COMPUTE}/virtualMachineScaleSets?api-version={COMPUTE}"


def locations(subscription: str) -> str:
    """The regions that a subscription sees."""
    return f"{_subscription(subscription)}/locations?api-version={SUBSCRIPTIONS}"


def interfaces(subscription: str) -> str:
    """All network interfaces of a subscription."""
    return (
        f"{_subscription(subscription)}/providers/Microsoft.Network/networkInterfaces?api-version={NETWORK}"
    )


def maintenance(subscription: str, things: str) -> str:
    """All `configurationAssignments` or `maintenanceConfigurations` of a subscription."""
    return f"{_subscription(subscription)}/providers/Microsoft.Maintenance/{things}?api-version={MAINTENANCE}"


def permissions(subscription: str, resource_group: str = "") -> str:
    """What the caller may do in a subscription, or in one of its resource groups."""
    group = f"/resourceGroups/{quote(resource_group, safe='')}" if resource_group else ""
    return f"{_subscription(subscription)}{group}/providers/Microsoft.Authorization/permissions?api-version={AUTHORIZATION}"


def instance_view(arm_id: str) -> str:
    """One machine's instance view."""
    return action(arm_id, "instanceView")


def machine(arm_id: str) -> str:
    """One machine's model."""
    return f"{quote(arm_id, safe=_SAFE_IN_AN_ID)}?api-version={_version(arm_id)}"


def action(arm_id: str, name: str) -> str:
    """Something to be asked of one machine, such as `installPatches`."""
    return f"{quote(arm_id, safe=_SAFE_IN_AN_ID)}/{name}?api-version={_version(arm_id)}"


def command(arm_id: str, name: str) -> str:
    """A managed run command of one machine, with how it stands."""
    path = f"{quote(arm_id, safe=_SAFE_IN_AN_ID)}/runCommands/{quote(name, safe='')}"
    return f"{path}?$expand=instanceView&api-version={_version(arm_id)}"


def is_command(url: str) -> bool:
    """Whether that is where a managed run command is."""
    return "/runcommands/" in url.lower()


def operation(target: Target, operation_id: str) -> str:
    """A long-running operation of the Compute provider, by an id that an instance view showed."""
    return (
        f"{_subscription(target.subscription)}{_COMPUTE}/locations/{target.location}"
        f"/operations/{operation_id}?api-version={COMPUTE}"
    )


def _version(arm_id: str) -> str:
    return HYBRID if "/microsoft.hybridcompute/" in arm_id.lower() else COMPUTE


def _subscription(name: str) -> str:
    """Whatever was typed as a subscription stays one part of the path, for ARM to refuse."""
    return f"/subscriptions/{quote(name, safe='')}"
