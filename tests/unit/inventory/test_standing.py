"""Which machines can't be rolled, and what isn't known of the fleet."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from orchestrator.inventory.model import (
    Agent,
    Connection,
    Kind,
    Location,
    Machine,
    Orchestration,
    Power,
    Unreadable,
    machine_id,
)
from orchestrator.inventory.standing import cannot_roll, is_off, unknowns, why_not
from tests.fleet import arm_id, availability_set, flex_id, inventory, scale_set, set_id, vm, vm_id

WEST = (Location("westeurope", ("northeurope",)),)


def arc(agent: Agent) -> Machine:
    """An Arc machine; it has no power state of its own."""
    return vm("branch", kind=Kind.ARC, agent=agent, power=Power.UNKNOWN)


@pytest.mark.parametrize(
    ("machine", "expected"),
    [
        (vm("m"), None),
        (vm("m", power=Power.STARTING), None),
        (vm("m", power=Power.STOPPED), "it is stopped"),
        (vm("m", power=Power.STOPPING), "it is stopping"),
        (vm("m", power=Power.DEALLOCATED), "it is deallocated"),
        (vm("m", power=Power.DEALLOCATING), "it is being deallocated"),
        (vm("m", power=Power.UNKNOWN), "its power state is not known, though others' are"),
        (vm("m", agent=Agent.NOT_READY), "its guest agent is not ready"),
        (vm("m", agent=Agent.MISSING), "it has no guest agent"),
        (vm("m", agent=Agent.UNKNOWN), None),
        (vm("m", provisioning="Succeeded"), None),
        (vm("m", provisioning="Updating"), None),
        (vm("m", provisioning="Dreaming"), None),
        (vm("m", provisioning="Deleting"), "it is being deleted (provisioning state Deleting)"),
        (
            vm("m", provisioning="failed"),
            "the last operation on it failed (provisioning state Failed); reapply it first",
        ),
        (vm("m", power=Power.DEALLOCATED, agent=Agent.NOT_READY), "it is deallocated"),
        (arc(Agent.READY), None),
        (arc(Agent.NOT_READY), "its agent is not connected to Azure Arc"),
        (
            replace(arc(Agent.NOT_READY), connection=Connection.ERROR),
            "Azure Arc reports an error of its agent",
        ),
        (
            replace(arc(Agent.NOT_READY), connection=Connection.AWAITING),
            "its agent never connected to Azure Arc",
        ),
        (arc(Agent.UNKNOWN), "whether its agent is connected to Azure Arc is not known"),
    ],
)
def test_a_machine_that_cannot_be_rolled_has_a_reason(machine: Machine, expected: str | None) -> None:
    """The reason names the state; words that aren't known keep no machine back."""
    assert expected == why_not(machine, {})


@pytest.mark.parametrize(
    ("orchestration", "left_out"),
    [(Orchestration.UNIFORM, True), (Orchestration.FLEXIBLE, False), (Orchestration.UNKNOWN, False)],
)
def test_members_of_a_uniform_scale_set_are_left_out(orchestration: Orchestration, left_out: bool) -> None:
    """Azure patches no Uniform instance in the guest."""
    scale_sets = {flex_id("batch"): scale_set("batch", orchestration=orchestration)}

    assert (why_not(vm("m", scale_set=flex_id("batch")), scale_sets) is not None) == left_out


def test_an_instance_of_a_uniform_scale_set_is_known_by_its_id() -> None:
    """Even where the scale set isn't in the inventory."""
    instance = replace(
        vm("m"), id=machine_id(arm_id("batch", "virtualMachineScaleSets") + "/virtualMachines/0")
    )

    assert why_not(instance, {}) == (
        "it belongs to a Uniform scale set, whose instances Azure doesn't patch in the guest"
    )


def test_a_source_without_power_states_leaves_nobody_out() -> None:
    """Plain `az vm list` tells of no machine whether it runs; that is a warning, not a fleet that can't be rolled."""
    silent = inventory(vm("a", power=Power.UNKNOWN), vm("b", power=Power.UNKNOWN), locations=WEST)

    assert dict(cannot_roll(silent)) == {}
    assert unknowns(silent) == (
        (
            "no power state for 2 of 2 machines: a rollout reads it before it acts; "
            "use `az vm list --show-details` to plan with it"
        ),
    )


def test_a_machine_without_power_state_among_others_is_left_out() -> None:
    """If the source tells of the others, the silence about one means something. Arc machines aren't those others."""
    odd = inventory(vm("a", power=Power.UNKNOWN), vm("b"), locations=WEST)
    mixed = inventory(vm("a", power=Power.UNKNOWN), vm("branch", kind=Kind.ARC), locations=WEST)

    assert dict(cannot_roll(odd)) == {vm_id("a"): "its power state is not known, though others' are"}
    assert dict(cannot_roll(mixed)) == {}
    assert unknowns(odd) == ()


def test_reasons_come_sorted_by_machine() -> None:
    """The same inventory gives the same list."""
    fleet = inventory(*(vm(name, power=Power.STOPPED) for name in "cab"))

    assert list(cannot_roll(fleet)) == [vm_id(name) for name in "abc"]


@pytest.mark.parametrize(
    ("machine", "expected"),
    [
        (vm("m"), False),
        (vm("m", power=Power.STOPPING), False),
        (vm("m", power=Power.STOPPED), True),
        (vm("m", power=Power.DEALLOCATING), True),
        (vm("m", power=Power.DEALLOCATED), True),
        (vm("m", power=Power.UNKNOWN), False),
        (vm("m", agent=Agent.NOT_READY), False),
        (arc(Agent.NOT_READY), True),
        (arc(Agent.READY), False),
    ],
)
def test_off_is_a_state_that_nobody_expects_to_pass(machine: Machine, expected: bool) -> None:
    """A machine on its way down is out; one whose agent is silent may serve all the same."""
    assert expected == is_off(machine)


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({}, ()),
        (
            {"availability_sets": (availability_set("as", "a", "stranger"),)},
            (
                "of 2 machines in availability sets, 2 without a known update domain: such sets give one machine at a time",
            ),
        ),
        (
            {"locations": ()},
            ("no region pair is known for atlantis, and none is kept apart from it",),
        ),
        (
            {"unreadable": (Unreadable("scale sets of s1", "no permission to read them"),)},
            ("scale sets of s1 could not be read: no permission to read them",),
        ),
    ],
)
def test_what_is_not_known_is_said_with_what_follows(
    facts: dict[str, Any], expected: tuple[str, ...]
) -> None:
    """Each sentence counts machines and names the consequence."""
    atlantis = {"locations": (Location("atlantis"), *WEST)}
    fleet = inventory(
        vm("a"), vm("b", availability_set=set_id("as") if "availability_sets" in facts else None),
        vm("c", location="atlantis"),
        **{**atlantis, **facts},
    )  # fmt: skip

    assert expected == unknowns(fleet)


def test_unknown_agents_and_regions_are_counted() -> None:
    """Machines that are off anyway don't count; a machine without a region escapes rules, so it is named."""
    fleet = inventory(
        vm("a", agent=Agent.UNKNOWN),
        vm("b", agent=Agent.UNKNOWN, power=Power.DEALLOCATED),
        vm("c", location=""),
    )

    assert unknowns(fleet) == (
        "no state of the guest agent for 1 of 3 machines: a rollout reads it before it acts",
        "no region for 1 of 3 machines: no rule of zones, regions or pairs holds for them",
    )
