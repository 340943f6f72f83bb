"""Which machines a change restarts, as far as it is known, and which it leaves serving throughout."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from orchestrator.availability.model import Budget, Constraint
from orchestrator.hotpatch.model import Installation, Restarts
from orchestrator.hotpatch.predict import restart_of
from orchestrator.inventory.model import MachineId
from orchestrator.policy.model import Change, Patches, Policy, Reboot
from orchestrator.policy.select import matcher
from orchestrator.topology.graph import Topology

_Rule = TypeVar("_Rule", bound=Constraint)


@dataclass(frozen=True, slots=True)
class Predicted:
    """What assessments tell before a change; of machines without one, nothing.

    `stay_up` are those of `Restarts.NEVER` around which no steps are done either.
    """

    of: Mapping[MachineId, Restarts]
    stay_up: frozenset[MachineId]


def predict(
    topology: Topology, machines: Iterable[MachineId], change: Change, policies: Sequence[Policy]
) -> Predicted:
    """What the change does to each of these machines."""
    if not isinstance(change, Patches):
        return Predicted({}, frozenset())
    wanted = installation_of(change)
    told = (machine for machine in map(topology.machine, machines) if machine.patches.updates is not None)
    found = {machine.id: restart_of(machine, wanted) for machine in told}
    never = [machine for machine, restarts in found.items() if restarts is Restarts.NEVER]
    return Predicted(found, frozenset(never) - _with_steps(topology, never, policies))


def installation_of(change: Patches) -> Installation:
    """The change in the words of a prediction."""
    return Installation(
        classifications=change.classifications,
        include_kbs=change.include_kbs,
        exclude_kbs=change.exclude_kbs,
        may_restart=change.reboot is not Reboot.NEVER,
        always_restarts=change.reboot is Reboot.ALWAYS,
        published_until=change.published_until,
        include_names=change.include_names,
        exclude_names=change.exclude_names,
        include_packages=change.include_packages,
        exclude_packages=change.exclude_packages,
        never_reboots_only=change.hotpatch_only,
        only_kbs=change.only_kbs,
        only_packages=change.only_packages,
    )


def _with_steps(
    topology: Topology, machines: Sequence[MachineId], policies: Sequence[Policy]
) -> frozenset[MachineId]:
    """Those around which steps are done: they drain a machine, or a whole wave, so that it counts as out whatever its updates do."""
    tests = [(matcher(policy.select), matcher(around.of)) for policy in policies for around in policy.around]
    return frozenset(
        machine
        for machine in machines
        if any(selected(held) and of(held) for selected, of in tests for held in (topology.machine(machine),))
    )


def sparing(rule: _Rule, stay_up: frozenset[MachineId]) -> _Rule:
    """The constraint as a change takes places of it that leaves these machines serving. Only budgets of restarts know the difference.

    The id stays: another rollout may restart who is spared here.
    """
    if not (isinstance(rule, Budget) and rule.restarts):
        return rule
    counted = tuple(machine for machine in rule.members if machine not in stay_up)
    return replace(
        rule, machines=counted, spared=tuple(machine for machine in rule.members if machine in stay_up)
    )
