"""Which machines can't be rolled, and why; and what an inventory doesn't know at all.

Nothing here decides a rollout: it reads each machine again before it acts. This is for planning, where a machine
that can't take a change is left out by name and with its reason, never passed over.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import assert_never

from orchestrator.inventory import ids
from orchestrator.inventory.arm import SCALE_SET_VM_TYPE
from orchestrator.inventory.model import (
    Agent,
    Connection,
    Inventory,
    Kind,
    Machine,
    MachineId,
    Orchestration,
    Power,
    ResourceId,
    ScaleSet,
)
from orchestrator.inventory.regions import PAIRED

# Provisioning states in which a machine takes no change. "Updating" is not among them: an operation in progress passes,
# and a rollout waits for it. Words that Azure may add later don't keep a machine back either.
_NOT_ROLLABLE = MappingProxyType(
    {
        "creating": "it is still being created (provisioning state Creating)",
        "deleting": "it is being deleted (provisioning state Deleting)",
        "migrating": "it is being migrated (provisioning state Migrating)",
        "failed": "the last operation on it failed (provisioning state Failed); reapply it first",
        "canceled": "the last operation on it was cancelled (provisioning state Canceled); reapply it first",
    }
)


_UNCONNECTED = MappingProxyType(
    {
        Connection.ERROR: "Azure Arc reports an error of its agent",
        Connection.AWAITING: "its agent never connected to Azure Arc",
    }
)


def is_off(machine: Machine) -> bool:
    """Whether the machine doesn't run and nobody expects it to: stopped, deallocated or, under Arc, disconnected.

    Such a machine is no member of a group for `max_unavailable`, and never available for `min_available`.
    """
    if machine.kind is not Kind.AZURE_VM:
        return machine.agent is Agent.NOT_READY
    power = machine.power
    return power is Power.DEALLOCATED or power is Power.STOPPED or power is Power.DEALLOCATING


def may_be_in_any_pool(machine: Machine) -> bool:
    """Whether the machine may serve in any back-end pool, since nobody read its interfaces.

    Machines that are off serve nowhere meanwhile, and Arc machines have no interfaces in Azure.
    """
    return machine.backend_pools is None and machine.kind is Kind.AZURE_VM and not is_off(machine)


def tells_power(inventory: Inventory) -> bool:
    """Whether the source told a power state at all, for at least one virtual machine; plain `az vm list` doesn't."""
    return any(m.kind is Kind.AZURE_VM and m.power is not Power.UNKNOWN for m in inventory.machines)


def why_not(
    machine: Machine, scale_sets: Mapping[ResourceId, ScaleSet], *, power_told: bool = True
) -> str | None:
    """The reason why a machine can't be rolled, as a clause ("it is deallocated"), or None.

    `power_told` says whether the source tells power states (`tells_power`): if it does, a machine without one is odd and
    stays out; if it never does, that is no reason.
    """
    if _in_uniform(machine, scale_sets):
        return "it belongs to a Uniform scale set, whose instances Azure doesn't patch in the guest"
    stuck = _NOT_ROLLABLE.get(machine.provisioning.lower())
    if stuck is not None:
        return stuck
    if machine.kind is not Kind.AZURE_VM:
        return _UNCONNECTED.get(machine.connection) or _why_not_connected(machine)
    return _why_not_running(machine.power, power_told=power_told) or _why_not_answering(machine.agent)


def cannot_roll(inventory: Inventory) -> Mapping[MachineId, str]:
    """Each machine that can't be rolled, with its reason; sorted by id."""
    scale_sets = {held.id: held for held in inventory.scale_sets}
    told = tells_power(inventory)
    reasons = {
        machine.id: reason
        for machine in inventory.machines
        if (reason := why_not(machine, scale_sets, power_told=told)) is not None
    }
    return MappingProxyType(dict(sorted(reasons.items())))


def unknowns(inventory: Inventory) -> tuple[str, ...]:
    """What the inventory as a whole doesn't know and what follows, a sentence each; for the warnings of a plan."""
    return tuple(
        sentence
        for sentence in (
            _unknown_power(inventory),
            _unknown_agents(inventory),
            _unknown_update_domains(inventory),
            _unknown_regions(inventory),
            *(f"{missing.what} could not be read: {missing.why}" for missing in inventory.unreadable),
        )
        if sentence
    )


_SCALE_SETS = "/virtualmachinescalesets/"


def _in_uniform(machine: Machine, scale_sets: Mapping[ResourceId, ScaleSet]) -> bool:
    if _SCALE_SETS in machine.id and ids.type_of(machine.id) == SCALE_SET_VM_TYPE:
        return True  # Flexible members are ordinary machines
    held = scale_sets.get(machine.scale_set) if machine.scale_set else None
    return held is not None and held.orchestration is Orchestration.UNIFORM


def _why_not_connected(machine: Machine) -> str | None:
    match machine.agent:
        case Agent.READY:
            return None
        case Agent.NOT_READY | Agent.MISSING:
            return "its agent is not connected to Azure Arc"
        case Agent.UNKNOWN:
            return "whether its agent is connected to Azure Arc is not known"
    assert_never(machine.agent)


def _why_not_running(power: Power, *, power_told: bool) -> str | None:
    match power:
        case Power.RUNNING | Power.STARTING:
            return None
        case Power.STOPPED:
            return "it is stopped"
        case Power.STOPPING:
            return "it is stopping"
        case Power.DEALLOCATED:
            return "it is deallocated"
        case Power.DEALLOCATING:
            return "it is being deallocated"
        case Power.UNKNOWN:
            return "its power state is not known, though others' are" if power_told else None
    assert_never(power)


def _why_not_answering(agent: Agent) -> str | None:
    match agent:
        case Agent.READY | Agent.UNKNOWN:
            return None
        case Agent.NOT_READY:
            return "its guest agent is not ready"
        case Agent.MISSING:
            return "it has no guest agent"
    assert_never(agent)


def _unknown_power(inventory: Inventory) -> str:
    if tells_power(inventory):
        return ""
    count = sum(machine.kind is Kind.AZURE_VM for machine in inventory.machines)
    if not count:
        return ""
    return (
        f"no power state for {_of(count, inventory)}: a rollout reads it before it acts; "
        "use `az vm list --show-details` to plan with it"
    )


def _unknown_agents(inventory: Inventory) -> str:
    count = sum(machine.agent is Agent.UNKNOWN and not is_off(machine) for machine in inventory.machines)
    return (
        f"no state of the guest agent for {_of(count, inventory)}: a rollout reads it before it acts"
        if count
        else ""
    )


def _unknown_update_domains(inventory: Inventory) -> str:
    named = {member for held in inventory.availability_sets for member in held.members}
    in_sets = [m for m in inventory.machines if m.availability_set is not None or m.id in named]
    count = sum(machine.update_domain is None for machine in in_sets)
    if not count:
        return ""
    return (
        f"of {_machines(len(in_sets))} in availability sets, {count:,} without a known update domain: "
        "such sets give one machine at a time"
    )


def _unknown_regions(inventory: Inventory) -> str:
    described = {location.name for location in inventory.locations}
    homeless = sum(not machine.location for machine in inventory.machines)
    strange = sorted({m.location for m in inventory.machines if m.location} - described - set(PAIRED))
    sentences = []
    if homeless:
        sentences.append(
            f"no region for {_of(homeless, inventory)}: no rule of zones, regions or pairs holds for them"
        )
    if strange:
        sentences.append(f"no region pair is known for {', '.join(strange)}, and none is kept apart from it")
    return "; ".join(sentences)


def _of(count: int, inventory: Inventory) -> str:
    return f"{count:,} of {_machines(len(inventory.machines))}"


def _machines(count: int) -> str:
    return f"{count:,} machine" + ("" if count == 1 else "s")
