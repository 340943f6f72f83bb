"""Policies held against a fleet: whom they select, what concerns nobody, which groups admit nobody."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from orchestrator.errors import PolicyError, Problem
from orchestrator.inventory.model import Machine
from orchestrator.planner.compile import compile_constraints
from orchestrator.planner.compiled import Frozen
from orchestrator.planner.groups import Groups
from orchestrator.policy import words
from orchestrator.policy.effective import settle
from orchestrator.policy.model import OneAtATime, OrderRule, Origin, Policy, Rule, Selector
from orchestrator.policy.select import matcher
from orchestrator.policy.values import SELECTION
from orchestrator.topology.graph import Topology
from orchestrator.wiring.files import floor


@dataclass(frozen=True, slots=True)
class Nothing:
    """Something in a policy that concerns no machine of the fleet."""

    what: str
    origin: Origin


@dataclass(frozen=True, slots=True)
class Against:
    """Policies held against a fleet."""

    machines: int
    selected: dict[str, int]  # policy -> how many it selects
    nothing: tuple[Nothing, ...]
    frozen: tuple[Frozen, ...]


def held_against(topology: Topology, policies: Sequence[Policy]) -> Against:
    """Whom they select, what concerns nobody, which groups admit nobody.

    Raises:
        PolicyError: with everything in which they contradict each other on these machines.
    """
    machines = topology.inventory.machines
    problems: list[Problem] = []
    frozen: tuple[Frozen, ...] = ()
    try:
        settle(machines, policies)
    except PolicyError as error:
        problems += error.problems
    try:
        frozen = compile_constraints(topology, policies, floor(), frozenset(topology.machines)).frozen
    except PolicyError as error:
        problems += error.problems
    if problems:
        raise PolicyError(problems)
    selected = {policy.name: sum(map(matcher(policy.select), machines)) for policy in policies}
    groups = Groups(topology)
    nothing = tuple(found for policy in policies for found in _nothing(policy, machines, groups))
    return Against(len(machines), selected, nothing, frozen)


def _nothing(policy: Policy, machines: Sequence[Machine], groups: Groups) -> Iterator[Nothing]:
    """Everything in a policy that concerns no machine; if it selects none at all, that alone."""
    test = matcher(policy.select)
    mine = [machine for machine in machines if test(machine)]
    origins = dict(policy.origins)
    if not mine:
        yield Nothing(
            f"policy {policy.name} selects no machine ({words.selector(policy.select)})",
            origins.get("select", Origin(policy.file)),
        )
        return
    for rule in policy.rules:
        yield from _nothing_of_rule(rule, mine, groups)
    narrower: list[tuple[str, Selector, Origin]] = [
        *((f"probe {words.probe(probe)}", probe.of, probe.origin) for probe in policy.probes),
        *(
            (f"group probe {words.group_probe(one)}", one.probe.of, one.probe.origin)
            for one in policy.group_probes
        ),
        *((f"step {words.around(around)}", around.of, around.origin) for around in policy.around),
    ]
    if policy.campaign is not None:
        narrower += [(f"stage {stage.name}", stage.select, stage.origin) for stage in policy.campaign.stages]
    for what, select, origin in narrower:
        if not any(map(matcher(select), mine)):
            yield Nothing(f"{what}: no machine is {words.selector(select)}", origin)


def _nothing_of_rule(rule: Rule, mine: Sequence[Machine], groups: Groups) -> Iterator[Nothing]:
    if isinstance(rule, OrderRule):
        for select in rule.sequence:
            if not any(map(matcher(select), mine)):
                yield Nothing(f"{words.rule(rule)}: no machine is {words.selector(select)}", rule.origin)
        return
    test = matcher(rule.of)
    held = [machine for machine in mine if test(machine)]
    if not held:
        yield Nothing(f"{words.rule(rule)}: no machine is {words.selector(rule.of)}", rule.origin)
        return
    kinds = (rule.domain, rule.within) if isinstance(rule, OneAtATime) else rule.per
    for kind in kinds:
        if kind != SELECTION and not any(machine.id in groups.of(kind) for machine in held):
            yield Nothing(
                f"{words.rule(rule)}: none of its machines has a {words.group_kind(kind)}", rule.origin
            )
