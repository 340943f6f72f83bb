"""What is asked of Azure Resource Manager: in words for people, with the permission that it takes.

An error that only says 403 sends somebody searching. So every request carries, from the start, what it is about and
which permission lets it pass; whatever goes wrong can then be told in one sentence.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from orchestrator.cloud.port import Target
from orchestrator.inventory.ids import subscription_of
from orchestrator.inventory.model import Kind


class Permission(StrEnum):
    """The role actions that the program needs, by Azure's names."""

    READ_MACHINES = "Microsoft.Compute/virtualMachines/read"
    READ_VIEW = "Microsoft.Compute/virtualMachines/instanceView/read"
    INSTALL = "Microsoft.Compute/virtualMachines/installPatches/action"
    ASSESS = "Microsoft.Compute/virtualMachines/assessPatches/action"
    RESTART = "Microsoft.Compute/virtualMachines/restart/action"
    READ_ARC_COMMANDS = "Microsoft.HybridCompute/machines/runCommands/read"
    WRITE_ARC_COMMANDS = "Microsoft.HybridCompute/machines/runCommands/write"
    DELETE_ARC_COMMANDS = "Microsoft.HybridCompute/machines/runCommands/delete"
    READ_COMMANDS = "Microsoft.Compute/virtualMachines/runCommands/read"
    WRITE_COMMANDS = "Microsoft.Compute/virtualMachines/runCommands/write"
    DELETE_COMMANDS = "Microsoft.Compute/virtualMachines/runCommands/delete"
    WRITE_MACHINES = "Microsoft.Compute/virtualMachines/write"
    READ_ARC_MACHINES = "Microsoft.HybridCompute/machines/read"
    INSTALL_ON_ARC = "Microsoft.HybridCompute/machines/installPatches/action"
    ASSESS_ARC = "Microsoft.HybridCompute/machines/assessPatches/action"
    READ_ARC_OPERATIONS = "Microsoft.HybridCompute/locations/updateCenterOperationResults/read"
    READ_ARC_RUNS = "Microsoft.HybridCompute/machines/patchInstallationResults/read"
    READ_ARC_PATCHES = "Microsoft.HybridCompute/machines/patchInstallationResults/softwarePatches/read"
    READ_ARC_ASSESSMENTS = "Microsoft.HybridCompute/machines/patchAssessmentResults/softwarePatches/read"
    READ_RUNS = "Microsoft.Compute/virtualMachines/patchInstallationResults/read"
    READ_OPERATIONS = "Microsoft.Compute/locations/operations/read"
    READ_AVAILABILITY_SETS = "Microsoft.Compute/availabilitySets/read"
    READ_SCALE_SETS = "Microsoft.Compute/virtualMachineScaleSets/read"
    READ_GRAPH = "Microsoft.ResourceGraph/resources/read"
    READ_SUBSCRIPTIONS = "Microsoft.Resources/subscriptions/read"
    READ_LOCATIONS = "Microsoft.Resources/subscriptions/locations/read"
    READ_INTERFACES = "Microsoft.Network/networkInterfaces/read"
    READ_ASSIGNMENTS = "Microsoft.Maintenance/configurationAssignments/read"
    READ_CONFIGURATIONS = "Microsoft.Maintenance/maintenanceConfigurations/read"
    READ_PERMISSIONS = "Microsoft.Authorization/permissions/read"


@dataclass(frozen=True, slots=True)
class Asked:
    """One question or order: `what` fits into "... failed", such as `reading the instance view of web01`."""

    what: str
    permission: Permission
    scope: str  # what a role would have to be granted on: a subscription or a machine


def listing(things: str, permission: Permission, subscription: str) -> Asked:
    """Listing some kind of resource of a subscription."""
    return Asked(
        f"listing the {things} of subscription {subscription}", permission, f"subscription {subscription}"
    )


def viewing(target: Target) -> Asked:
    """Reading one machine's instance view, or what takes its place."""
    if target.kind is not Kind.AZURE_VM:
        return Asked(f"reading the state of {target.name}", Permission.READ_ARC_MACHINES, target.arm_id)
    return Asked(f"reading the instance view of {target.name}", Permission.READ_VIEW, target.arm_id)


def following(url: str) -> Asked:
    """Looking at a long-running operation, at the URL that was given for it."""
    arc = "/microsoft.hybridcompute/" in url.lower()
    permission = Permission.READ_ARC_OPERATIONS if arc else Permission.READ_OPERATIONS
    return Asked("following an operation", permission, f"subscription {subscription_of(url)}")
