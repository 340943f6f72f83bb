"""Which machines are asked about together: the groups of `group_probes`, each once, and those of every machine that changes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Final

from orchestrator.inventory.model import MachineId
from orchestrator.planner.drafts import machines
from orchestrator.planner.groups import Counted, Groups, Scope
from orchestrator.planner.model import ProbedGroup, Warned
from orchestrator.policy import words
from orchestrator.policy.model import EVERYTHING, GroupProbe, Policy
from orchestrator.policy.select import intersection
from orchestrator.topology.graph import Topology

BETWEEN: Final = "/"
"""Between the names of a group that stands in several kinds of group at once, where a probe names it."""


@dataclass(frozen=True, slots=True)
class Probed:
    """The groups, which of them each machine is in (by number, sorted), and what the plan's reader should know."""

    groups: tuple[ProbedGroup, ...]
    of: dict[MachineId, tuple[int, ...]]
    warnings: tuple[Warned, ...]


def probed_groups(topology: Topology, policies: Sequence[Policy], changed: Collection[MachineId]) -> Probed:
    """The groups of these policies that hold machines that change."""
    rows: dict[ProbedGroup, int] = {}
    of: defaultdict[MachineId, set[int]] = defaultdict(set)
    warnings: list[Warned] = []
    groups = Groups(topology)
    for policy in sorted(policies, key=lambda policy: (policy.file, policy.name)):
        for asked in policy.group_probes:
            scope = _scope(topology, policy, asked)
            warnings += _outside(asked, scope, groups, changed)
            for counted in groups.divided(scope, asked.per, whole=False):
                here = [machine for machine in counted.members if machine in changed]
                if here:
                    number = rows.setdefault(_row(asked, scope, counted), len(rows))
                    for machine in here:
                        of[machine].add(number)
    told = {machine: tuple(sorted(numbers)) for machine, numbers in of.items()}
    return Probed(tuple(rows), told, tuple(warnings))


def _scope(topology: Topology, policy: Policy, asked: GroupProbe) -> Scope:
    test = intersection(policy.select, asked.probe.of)
    selected = tuple(machine for machine in topology.machines if test(topology.machine(machine)))
    narrowed = "" if asked.probe.of == EVERYTHING else f" ({words.selector(asked.probe.of)})"
    return Scope(policy.name + narrowed, selected)


def _row(asked: GroupProbe, scope: Scope, counted: Counted) -> ProbedGroup:
    divided = bool(counted.groups)
    return ProbedGroup(
        name=f"{scope.name}, {counted.name}" if divided else scope.name,
        value=BETWEEN.join(group.name for group in counted.groups) if divided else scope.name,
        probe=replace(asked.probe, of=EVERYTHING),
    )


def _outside(asked: GroupProbe, scope: Scope, groups: Groups, changed: Collection[MachineId]) -> list[Warned]:
    """Machines that change and are in no group, since they lack what the probe divides by: nothing is asked about them."""
    found = []
    for kind in asked.per:
        of = groups.of(kind)
        missing = sum(1 for machine in scope.selected if machine in changed and machine not in of)
        if missing:
            what = (
                f"{words.group_probe(asked)}: nothing is asked about {machines(missing)} of {scope.name} "
                f"without a {words.group_kind(kind)}"
            )
            found.append(Warned(what, asked.probe.origin))
    return found
