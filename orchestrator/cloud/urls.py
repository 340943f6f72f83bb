"""Where things are in Azure Resource Manager: paths and the api-versions that go with them."""

from __future__ import annotations

from urllib.parse import quote

from orchestrator.cloud.port import Target

COMPUTE = "2026-04-01"  # what azure-mgmt-compute 39 speaks
SUBSCRIPTIONS = "2022-12-01"

_SAFE_IN_AN_ID = "/-._~()!$&'*+,;=:@"


def machines(subscription: str, *, status_only: bool = False) -> str:
    """All machines of a subscription: their models, or their instance views alone."""
    path = f"/subscriptions/{subscription}/providers/Microsoft.Compute/virtualMachines?api-version={COMPUTE}"
    return path + ("&statusOnly=true" if status_only else "")


def availability_sets(subscription: str) -> str:
    """All availability sets of a subscription."""
    return f"/subscriptions/{subscription}/providers/Microsoft.Compute/availabilitySets?api-version={COMPUTE}"


def scale_sets(subscription: str) -> str:
    """All scale sets of a subscription."""
    return f"/subscriptions/{subscription}/providers/Microsoft.Compute/virtualMachineScaleSets?api-version={COMPUTE}"


def locations(subscription: str) -> str:
    """The regions that a subscription sees."""
    return f"/subscriptions/{subscription}/locations?api-version={SUBSCRIPTIONS}"


def instance_view(arm_id: str) -> str:
    """One machine's instance view."""
    return f"{quote(arm_id, safe=_SAFE_IN_AN_ID)}/instanceView?api-version={COMPUTE}"


def operation(target: Target, operation_id: str) -> str:
    """A long-running operation of the Compute provider, by an id that an instance view showed."""
    return (
        f"/subscriptions/{target.subscription}/providers/Microsoft.Compute/locations/{target.location}"
        f"/operations/{operation_id}?api-version={COMPUTE}"
    )
