"""From policies to constraints: what each rule says about this fleet, and what of it this plan needs.

Three steps. Each rule is drafted for the whole fleet, whatever is changed (`budgets`, `exclusions`, `orders`). Groups that admit
nobody freeze: their machines are left out. Of the rest is kept what could ever refuse a machine that moves, be it together
with others' outages and other rollouts, which only admission sees; what the waves alone can break, the planner finds
out for itself. What can refuse nothing is dropped and reported by rule and reason.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from types import MappingProxyType

from orchestrator.availability.model import Constraint, Exclusion
from orchestrator.errors import PolicyError
from orchestrator.inventory.model import Machine, MachineId
from orchestrator.planner.budgets import draft_budgets
from orchestrator.planner.compiled import Alone, Compiled, Dropped, Frozen
from orchestrator.planner.drafts import Drafted, Nothing, machines
from orchestrator.planner.dropping import Dropping
from orchestrator.planner.exclusions import draft_exclusions, level_of
from orchestrator.planner.groups import Groups, Scope
from orchestrator.planner.model import Warned
from orchestrator.planner.orders import draft_orders, refuse_loops
from orchestrator.planner.restarts import sparing
from orchestrator.policy import codes, words
from orchestrator.policy.model import (
    EVERYTHING,
    MaxUnavailable,
    MinAvailable,
    OneAtATime,
    OrderRule,
    Origin,
    Policy,
    Rule,
    Selector,
)
from orchestrator.policy.select import matcher
from orchestrator.topology.graph import Topology

__all__ = ["Alone", "Compiled", "Dropped", "Frozen", "compile_constraints"]


def compile_constraints(
    topology: Topology,
    policies: Sequence[Policy],
    floor: Policy | None,
    changed: frozenset[MachineId],
    spared: frozenset[MachineId] = frozenset(),
) -> Compiled:
    """The constraints that a change of `changed` must keep under all `policies` and the floor.

    Rules of every policy count, campaigns or not: budgets count all machines that a policy selects, changed or not. Those of
    `spared` are changed without going down, so that budgets of restarts give them room. The same input gives the same constraints in
    the same order, whatever the order of `policies`.

    Raises:
        PolicyError: if rules can't hold together, naming each with its file and line.
    """
    policies = _without_copies(sorted(policies, key=lambda policy: (policy.file, policy.name)), floor)
    warnings: list[Warned] = []
    drafted = list(_drafts(topology, policies, floor, warnings))
    for draft in drafted:
        draft.budgets = [
            replace(one, budget=sparing(one.budget, spared)) if one.budget.restarts else one
            for one in draft.budgets
        ]
    frozen = tuple(_frozen(drafted, changed))
    moving = changed - {machine for group in frozen for machine in group.machines}
    refuse_loops([order for draft in drafted for order in draft.orders], moving)
    rules = {draft.origin: draft.rule for draft in drafted}
    kept: dict[str, Constraint] = {}
    dropping = Dropping()
    for draft in drafted:
        warnings.extend(draft.warnings)
        for constraint, why, group in _sifted(draft, moving, {group.constraint for group in frozen}):
            if group:
                dropping.note_group(draft.origin)
            if constraint is None:
                dropping.drop(draft.rule, draft.origin, why, group)
            else:
                known = kept.get(constraint.id)
                kept[constraint.id] = constraint if known is None else _one_of(known, constraint)
                if known is not None:
                    dropping.drop_twice_said(known, constraint, rules)
    return Compiled(
        constraints=tuple(kept[key] for key in sorted(kept)),
        frozen=frozen,
        warnings=tuple(dict.fromkeys(warnings)),
        alone=tuple(_alone(drafted, moving)),
        dropped=dropping.all,
        rules=MappingProxyType(rules),
    )


def _without_copies(policies: Sequence[Policy], floor: Policy | None) -> list[Policy]:
    """A copy of the floor among the policies is the floor; something else under its name is a mistake."""
    if floor is None:
        return list(policies)
    others = []
    for policy in policies:
        if policy.name.lower() != floor.name.lower():
            others.append(policy)
        elif [_bare(rule) for rule in policy.rules] != [_bare(rule) for rule in floor.rules]:
            origin = dict(policy.origins).get("name", Origin(policy.file))
            what = f"`{floor.name}` is the name of the built-in rules, and this file says something else"
            instead = f"give it another name, and replaces: {floor.name} if it is to loosen them"
            raise PolicyError([origin.problem(what, instead, codes.NAME_TAKEN)])
    return others


def _bare(rule: Rule) -> Rule:
    return replace(rule, origin=Origin(""))


def _drafts(
    topology: Topology, policies: Sequence[Policy], floor: Policy | None, warnings: list[Warned]
) -> Iterator[Drafted]:
    groups = Groups(topology)
    fleet = tuple(topology.machine(machine) for machine in topology.machines)
    selected = {policy.name: _selected(fleet, policy.select) for policy in policies}
    released: set[MachineId] = set()
    for policy in policies:
        if floor is not None and floor.name in policy.replaces:
            released.update(selected[policy.name])
            origin = dict(policy.origins).get("replaces", Origin(policy.file))
            count = machines(len(selected[policy.name]))
            warnings.append(
                Warned(
                    f"{policy.name} replaces {floor.name}: the built-in rules don't hold for {count}", origin
                )
            )
    ranks = _ranks(policies)
    for policy in policies:
        for rule in policy.rules:
            scope = _scope(topology, policy, rule, selected[policy.name])
            yield _told(_draft(rule, scope, groups, ranks), rule, scope)
    if floor is not None:
        held = tuple(machine for machine in topology.machines if machine not in released)
        for rule in floor.rules:
            scope = _scope(topology, floor, rule, held)
            yield _told(_draft(rule, replace(scope, without=frozenset(released)), groups, ranks), rule, scope)


def _draft(rule: Rule, scope: Scope, groups: Groups, ranks: dict[Origin, int]) -> Drafted:
    match rule:
        case MaxUnavailable() | MinAvailable():
            return draft_budgets(rule, scope, groups)
        case OneAtATime():
            return draft_exclusions(rule, scope, groups, level_of(rule, ranks.get(rule.origin, 0)))
        case OrderRule():
            return draft_orders(rule, scope, groups)


def _told(draft: Drafted, rule: Rule, scope: Scope) -> Drafted:
    """The draft; a rule that comes to no group at all says why."""
    if not (draft.budgets or draft.exclusions or draft.orders or draft.nothing):
        kinds = (rule.within,) if isinstance(rule, OneAtATime) else rule.per
        within = " and ".join(words.group_kind(kind) for kind in kinds)
        why = f"none of its machines is in any {within}" if scope.selected else "it selects no machine"
        draft.nothing.append(Nothing(why, ""))
    return draft


def _ranks(policies: Iterable[Policy]) -> dict[Origin, int]:
    """The order of the policies' own exclusions: as written, file by file."""
    origins = {rule.origin for policy in policies for rule in policy.rules if isinstance(rule, OneAtATime)}
    return {origin: rank for rank, origin in enumerate(sorted(origins))}


def _scope(topology: Topology, policy: Policy, rule: Rule, selected: tuple[MachineId, ...]) -> Scope:
    """The machines that a rule is about: its own selector within the policy's."""
    of = EVERYTHING if isinstance(rule, OrderRule) else rule.of
    if of == EVERYTHING:
        return Scope(policy.name, selected)
    test = matcher(of)
    return Scope(
        f"{policy.name} ({words.selector(of)})",
        tuple(machine for machine in selected if test(topology.machine(machine))),
    )


def _selected(fleet: Sequence[Machine], selector: Selector) -> tuple[MachineId, ...]:
    test = matcher(selector)
    return tuple(machine.id for machine in fleet if test(machine))


def _frozen(drafted: Iterable[Drafted], changed: frozenset[MachineId]) -> Iterator[Frozen]:
    found: dict[str, Frozen] = {}
    for draft in drafted:
        for one in draft.budgets:
            if one.budget.limit >= 1:
                continue
            stuck = tuple(machine for machine in one.budget.machines if machine in changed)
            if stuck:
                found.setdefault(
                    one.budget.id, Frozen(one.group, one.budget.id, stuck, one.why, one.budget.origin)
                )
    yield from sorted(found.values(), key=lambda frozen: (frozen.origin, frozen.group, frozen.constraint))


def _alone(drafted: Iterable[Drafted], moving: frozenset[MachineId]) -> Iterator[Alone]:
    found = {
        (draft.origin, nothing.asks)
        for draft in drafted
        for nothing in draft.nothing
        if nothing.asks is not None and nothing.asks in moving
    }
    for origin, machine in sorted(found):
        yield Alone(machine, origin)


def _sifted(
    draft: Drafted, moving: frozenset[MachineId], frozen: Collection[str]
) -> Iterator[tuple[Constraint | None, str, str]]:
    """Each constraint of a rule as this plan needs it, or the reason why it doesn't; with the group it is about."""
    for nothing in draft.nothing:
        yield None, nothing.why, nothing.group
    for one in draft.budgets:
        budget = one.budget
        if budget.id in frozen and not _moves(budget.spared, moving):
            yield None, "the group is frozen, and its machines are left out", one.group
        elif not _moves(budget.members, moving):
            yield None, "none of the group's machines changes", one.group
        elif budget.limit >= len(budget.members):
            yield None, "all of the group's machines may be out at once", one.group
        else:
            yield budget, "", one.group
    for exclusion in draft.exclusions:
        if any(_moves(held, moving) for held in exclusion.domains.values()):
            yield exclusion, "", exclusion.what
        else:
            yield None, "none of the domains' machines changes", exclusion.what
    for order in draft.orders:
        if _moves(order.first, moving) and _moves(order.then, moving):
            yield order, "", order.what
        else:
            yield None, "one of the two sides changes nothing", order.what


def _moves(held: Iterable[MachineId], moving: frozenset[MachineId]) -> bool:
    return any(machine in moving for machine in held)


def _one_of(known: Constraint, constraint: Constraint) -> Constraint:
    """One of two rules that say the same stays: the first as written, an exclusion at the outer of their levels."""
    first = min((known, constraint), key=lambda one: (one.origin, one.what))
    if isinstance(first, Exclusion) and isinstance(known, Exclusion) and isinstance(constraint, Exclusion):
        return replace(first, level=min(known.level, constraint.level))
    return first
