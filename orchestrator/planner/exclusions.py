"""`one_at_a_time` to exclusions: of each `within` one, with the domains that its machines stand in.

A fact that isn't known is the careful case, and a warning:

    update domain   of a member that runs: one machine of that set at a time, besides the exclusion among the domains that are known
    fault domain    the machine is in none; where fewer than two are known the rule falls away
    back-end pools  of the rule's machines one at a time
    zone mapping    the topology keeps each subscription's zones apart, so that they go one after the other
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Final

import networkx as nx

from orchestrator.availability.model import Exclusion
from orchestrator.inventory.model import MachineId, ResourceId
from orchestrator.planner.budgets import careful_about_pools, one_machine_at_a_time
from orchestrator.planner.drafts import Drafted, Nothing, content_id, listed, machines
from orchestrator.planner.groups import Counted, Groups, Scope
from orchestrator.policy import words
from orchestrator.policy.model import OneAtATime
from orchestrator.topology.model import Group, GroupKind

POLICY_LEVEL: Final = 4
"""Exclusions without a place in the physical nesting come after it, in the order in which policies write them."""

_LEVELS: Final[Mapping[str, int]] = MappingProxyType(
    {
        GroupKind.REGION: 1,
        GroupKind.ZONE: 2,
        GroupKind.UPDATE_DOMAIN: 3,
        GroupKind.FAULT_DOMAIN: 3,
    }
)


def level_of(rule: OneAtATime, rank: int) -> int:
    """Where exclusions cross, which one is finished: region pair, region, zone, update domain, then the policies' own by rank."""
    if rule.domain == GroupKind.REGION and rule.within == GroupKind.REGION_PAIR:
        return 0
    return _LEVELS.get(rule.domain, POLICY_LEVEL + rank)


def draft_exclusions(rule: OneAtATime, scope: Scope, groups: Groups, level: int) -> Drafted:
    """One exclusion for each `within` that has at least two domains."""
    drafted = Drafted(words.rule(rule), rule.origin)
    drafted.warn_of_outsiders(scope, groups, (rule.domain, rule.within))
    for whole in groups.divided(scope, (rule.within,)):
        domains = _domains(rule.domain, whole, scope, groups)
        if len(domains) < 2:
            drafted.nothing.append(Nothing(_too_few(rule.domain, len(domains)), whole.name))
            continue
        drafted.exclusions.append(
            Exclusion(
                id=content_id("exclusion", *([name, *held] for name, held in domains.items())),
                domains=MappingProxyType(domains),
                what=f"one {words.group_kind(rule.domain)} at a time in {whole.name}",
                origin=rule.origin,
                level=level,
            )
        )
    careful_about_pools(drafted, scope, groups, (rule.domain, rule.within))
    if rule.domain == GroupKind.UPDATE_DOMAIN:
        _unknown_update_domains(drafted, scope, groups)
    if rule.domain == GroupKind.FAULT_DOMAIN:
        _unknown_fault_domains(drafted, scope, groups)
    if rule.domain == GroupKind.ZONE:
        warn_of_zones(drafted, scope, groups)
    return drafted


def warn_of_zones(drafted: Drafted, scope: Scope, groups: Groups) -> None:
    """Regions in which the zones of several subscriptions can't be compared."""
    topology = groups.topology
    if not topology.zone_mapping_unknown:
        return
    zoned = groups.of(GroupKind.ZONE)
    regions = {topology.machine(machine).location for machine in scope.selected if machine in zoned}
    for region in topology.zone_mapping_unknown:
        if region in regions:
            drafted.warn(
                f"which zones of several subscriptions in {region} are the same data centre isn't known: "
                "each subscription's zones are taken as zones of their own, one after the other"
            )


def _domains(kind: str, whole: Counted, scope: Scope, groups: Groups) -> dict[str, tuple[MachineId, ...]]:
    """The domains of a group by name, each machine in one of them; sorted."""
    of = groups.of(kind)
    members = groups.with_others(Scope(scope.name, whole.members, scope.without), (kind,))
    if kind == GroupKind.LOAD_BALANCER:
        return _pools(members, of)
    found: dict[str, Group] = {}
    held: dict[str, list[MachineId]] = {}
    for machine in members:
        standing = of.get(machine)
        if standing:  # of two that contradict each other the first by key, so that domains stay disjoint
            domain = standing[0]
            into = held.get(domain.key)
            if into is None:
                found[domain.key], into = domain, held.setdefault(domain.key, [])
            into.append(machine)
    names = _unique(found.values())
    return {names[key]: tuple(held[key]) for key in sorted(found, key=lambda key: names[key])}


def _pools(
    members: Iterable[MachineId], of: Mapping[MachineId, Sequence[Group]]
) -> dict[str, tuple[MachineId, ...]]:
    """Back-end pools as domains. Pools that share a machine are one: whoever touches it touches all of them."""
    shared: nx.Graph[str] = nx.Graph()
    pools: dict[str, Group] = {}
    held: dict[str, list[MachineId]] = defaultdict(list)  # by the first of a machine's pools
    for machine in members:
        standing = of.get(machine, ())
        pools |= {pool.key: pool for pool in standing}
        shared.add_nodes_from(pool.key for pool in standing)
        shared.add_edges_from((standing[0].key, pool.key) for pool in standing[1:])
        if standing:
            held[standing[0].key].append(machine)
    names = _unique(pools.values())
    domains = {
        " + ".join(sorted(names[key] for key in keys)): tuple(sorted(m for key in keys for m in held[key]))
        for keys in nx.connected_components(shared)
    }
    return dict(sorted(domains.items()))


def _unique(domains: Iterable[Group]) -> dict[str, str]:
    """Names of domains by key; those that share a name are told apart by their key."""
    by_name: dict[str, list[str]] = defaultdict(list)
    for domain in domains:
        by_name[domain.name].append(domain.key)
    return {
        key: name if len(keys) == 1 else f"{name} ({key})" for name, keys in by_name.items() for key in keys
    }


def _unknown_update_domains(drafted: Drafted, scope: Scope, groups: Groups) -> None:
    known: dict[str, set[MachineId]] = defaultdict(
        set
    )  # by the key of their set, with which that of a domain begins
    for domain in groups.all(GroupKind.UPDATE_DOMAIN):
        known[domain.key.rpartition("/")[0]].update(domain.members)
    for held in groups.divided(scope, (GroupKind.AVAILABILITY_SET,)):
        told = known[held.groups[0].key]
        if told.issuperset(held.members):
            continue
        # Azure tells no update domain of a machine that is deallocated
        unknown = [m for m in held.members if m not in told and m not in groups.off]
        if unknown:
            drafted.budgets.append(one_machine_at_a_time(held, groups.off, drafted.origin))
            drafted.warn(
                f"{held.name}: one machine at a time, since the update domain of {machines(len(unknown))} "
                f"isn't known ({listed(unknown)})"
            )


def _unknown_fault_domains(drafted: Drafted, scope: Scope, groups: Groups) -> None:
    domains = groups.of(GroupKind.FAULT_DOMAIN)
    single = {held.id for held in groups.topology.inventory.scale_sets if held.fault_domains == 1}
    for held in groups.divided(scope, (GroupKind.SCALE_SET,)):
        if ResourceId(held.groups[0].key) in single:
            continue
        unknown = [m for m in held.members if m not in domains and m not in groups.off]
        if unknown:
            drafted.warn(
                f"{held.name}: the fault domain of {machines(len(unknown))} isn't known ({listed(unknown)}), "
                "so one fault domain at a time doesn't hold for them; budgets do"
            )


def _too_few(kind: str, count: int) -> str:
    return (
        f"no {words.group_kind(kind)} is known there"
        if count == 0
        else f"there is only one {words.group_kind(kind)}"
    )
