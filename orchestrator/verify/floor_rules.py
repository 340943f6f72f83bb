"""The floor: the rules under every machine, made from the inventory alone.

They are what Azure keeps for the patches that it installs by itself ("availability-first updates",
learn.microsoft.com/azure/virtual-machines/automatic-vm-guest-patching), and what `policies/availability-first.yaml` says.
Each function states one rule and where it comes from. A fact that isn't known is taken as the careful case.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from orchestrator.verify.constraints import Budget, Exclusion
from orchestrator.verify.fleet import Circle, Fleet, Standing
from orchestrator.verify.model import machines

PAIR, ZONE, UPDATE_DOMAIN, FAULT_DOMAIN = "region-pair", "zone", "update-domain", "fault-domain"
SET_SHARE, SCALE_SET_SHARE, SUBSCRIPTION_SHARE = "set-share", "scale-set-share", "subscription-share"

# Where exclusions cross, the pair is finished outermost, then the zone, then the domains of sets.
PAIR_LEVEL, ZONE_LEVEL, SET_LEVEL = 0, 1, 2


@dataclass(frozen=True, slots=True)
class FloorRules:
    """The floor of one fleet, for the machines that a plan changes."""

    budgets: tuple[Budget, ...]
    exclusions: tuple[Exclusion, ...]
    notes: tuple[str, ...]


def floor_of(fleet: Fleet, changed: Collection[str]) -> FloorRules:
    """Every rule of the floor. `changed` are the machines of a plan's waves: what is unknown matters for them alone."""
    notes: list[str] = []
    exclusions = [*_pairs(fleet, notes), *_zones(fleet, notes)]
    budgets: list[Budget] = []
    for held in fleet.availability_sets:
        unknown = [m for m in _held(held, fleet) if m.id in changed and _update_domain(m, held) is None]
        budgets.append(_share_of_set(held, fleet, careful=bool(unknown)))
        if unknown:
            notes.append(
                f"availability set {held.name}: the update domain of {machines(len(unknown))} isn't known, "
                "so it was held to one machine at a time"
            )
        else:
            exclusions += _update_domains(held, fleet)
    for held in fleet.scale_sets:
        budgets.append(_share_of_scale_set(held, fleet))
        exclusions += _fault_domains(held, fleet, notes)
    budgets += _share_of_subscriptions(fleet)
    return FloorRules(tuple(budgets), tuple(exclusions), tuple(notes))


def _pairs(fleet: Fleet, notes: list[str]) -> Iterator[Exclusion]:
    """Paired regions are never touched together, and a region begun is finished before its pair begins.

    Azure never updates geo-paired regions concurrently. Pairing is not symmetric: one rule for each pair that either
    region names, never for chains of pairs (westus3 - eastus - westus are two rules, and westus3 and westus may go together).
    """
    members: defaultdict[str, set[str]] = defaultdict(set)
    for machine in fleet.machines.values():
        if machine.region:
            members[machine.region].add(machine.id)
    alone = sorted(members.keys() - fleet.paired_regions)
    if alone:
        notes.append(f"no region pair is known for {', '.join(alone)}: no pair was judged there")
    homeless = sum(not machine.region for machine in fleet.machines.values())
    if homeless:
        notes.append(
            f"the region of {machines(homeless)} isn't known: no rule of regions was judged for them"
        )
    for one, other in fleet.pairs:
        if one in members and other in members:
            yield Exclusion(
                id=f"floor:{PAIR}:{one}|{other}",
                rule=PAIR,
                title=f"regions {one} and {other}, a pair",
                domains={one: frozenset(members[one]), other: frozenset(members[other])},
                level=PAIR_LEVEL,
                says="never both regions of a pair at once, and one is finished before the other begins",
            )


def _zones(fleet: Fleet, notes: list[str]) -> Iterator[Exclusion]:
    """In a region one zone at a time, by data centre.

    Azure doesn't update machines in different availability zones concurrently. A zone's number means something within its
    subscription only (`availabilityZoneMappings` of GET /subscriptions/{id}/locations leads to the data centre).
    Where several subscriptions stand in zones of a region and any of these can't be mapped, the zones of each subscription are
    domains of their own, so that they go one after the other. A machine in no zone is in no domain.
    """
    by_region: defaultdict[str, list[Standing]] = defaultdict(list)
    for machine in fleet.machines.values():
        if machine.zone is not None and machine.region:
            by_region[machine.region].append(machine)
    for region, standing in sorted(by_region.items()):
        subscriptions = {machine.subscription for machine in standing}
        mapped = all((region, m.subscription, m.zone) in fleet.physical for m in standing if m.zone)
        if not mapped and len(subscriptions) > 1:
            notes.append(
                f"zones in {region}: how {len(subscriptions)} subscriptions number them isn't known in full, "
                "so each subscription's zones were judged as zones of their own"
            )
        domains: defaultdict[str, set[str]] = defaultdict(set)
        for m in standing:
            name = f"zone {m.zone} of subscription {m.subscription}"
            if mapped:
                name = f"zone {fleet.physical[region, m.subscription, m.zone or '']}"
            domains[name].add(m.id)
        yield Exclusion(
            id=f"floor:{ZONE}:{region}",
            rule=ZONE,
            title=f"zones in {region}",
            domains={name: frozenset(ids) for name, ids in domains.items()},
            level=ZONE_LEVEL,
            says="only one zone at a time in a region",
        )


def _update_domains(held: Circle, fleet: Fleet) -> Iterator[Exclusion]:
    """In an availability set one update domain at a time.

    Azure updates within the boundaries of update domains: machines of several of them aren't updated concurrently.
    """
    domains: defaultdict[str, set[str]] = defaultdict(set)
    for machine in _held(held, fleet):
        number = _update_domain(machine, held)
        if number is not None:
            domains[f"update domain {number}"].add(machine.id)
    yield Exclusion(
        id=f"floor:{UPDATE_DOMAIN}:{held.id}",
        rule=UPDATE_DOMAIN,
        title=f"availability set {held.name}",
        domains={name: frozenset(members) for name, members in domains.items()},
        level=SET_LEVEL,
        says="only one update domain at a time",
    )


def _share_of_set(held: Circle, fleet: Fleet, *, careful: bool) -> Budget:
    """At most 20 % of an availability set at a time; fewer than 10 machines: one.

    Azure updates no more than 20 % of a set's machines at a time, and of sets with fewer than 10 machines one at a time.
    That is one figure: a fifth, rounded down, at least one. `careful`: the update domain of a machine isn't known, so one machine of the set at a time.
    """
    limit = 1 if careful else None
    return _share(held, fleet, SET_SHARE, f"availability set {held.name}", limit)


def _share_of_scale_set(held: Circle, fleet: Fleet) -> Budget:
    """At most 20 % of a Flexible scale set at a time, at least one; the figure is that of availability sets."""
    return _share(held, fleet, SCALE_SET_SHARE, f"scale set {held.name}", None)


def _fault_domains(held: Circle, fleet: Fleet, notes: list[str]) -> Iterator[Exclusion]:
    """In a Flexible scale set, which has no update domains, one fault domain at a time.

    A set with a single fault domain (as zonal ones have) has nothing to tell apart, and a machine whose fault
    domain isn't known is in none: there the rule falls away, and the 20 % stay.
    """
    if held.fault_domains == 1:
        return
    domains: defaultdict[str, set[str]] = defaultdict(set)
    unknown = 0
    for machine in _held(held, fleet):
        if machine.fault_domain is None or machine.scale_set not in {None, held.id}:
            unknown += 1
        else:
            domains[f"fault domain {machine.fault_domain}"].add(machine.id)
    if unknown:
        notes.append(
            f"scale set {held.name}: the fault domain of {machines(unknown)} isn't known, "
            "so only the 20 % were judged for them"
        )
    if len(domains) > 1:
        yield Exclusion(
            id=f"floor:{FAULT_DOMAIN}:{held.id}",
            rule=FAULT_DOMAIN,
            title=f"scale set {held.name}",
            domains={name: frozenset(members) for name, members in domains.items()},
            level=SET_LEVEL,
            says="only one fault domain at a time",
        )


def _share_of_subscriptions(fleet: Fleet) -> Iterator[Budget]:
    """Machines in no set: at most 20 %, at least one, of a subscription's machines in a region; a cap.

    Azure batches them, as well as it can, so that not all machines of a subscription are updated concurrently. It
    publishes no figure for that; 20 % is the one it publishes for sets.
    """
    in_sets = {m for held in (*fleet.availability_sets, *fleet.scale_sets) for m in held.members}
    groups: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    for machine in fleet.machines.values():
        if machine.id not in in_sets and not machine.off and machine.region:
            groups[machine.subscription, machine.region].add(machine.id)
    for (subscription, region), members in sorted(groups.items()):
        yield Budget(
            id=f"floor:{SUBSCRIPTION_SHARE}:{subscription}/{region}",
            rule=SUBSCRIPTION_SHARE,
            title=f"20 % of {machines(len(members))} of subscription {subscription} in {region} that are in no set",
            machines=frozenset(members),
            limit=_fifth(len(members)),
            cap=True,
        )


def _share(held: Circle, fleet: Fleet, rule: str, title: str, limit: int | None) -> Budget:
    """20 % of the members that weren't off. Members that the inventory doesn't hold count as out all the time."""
    off = {m.id for m in _held(held, fleet) if m.off}
    # One by one: to take all keys away goes through the whole fleet.
    missing = {m for m in held.members if m not in fleet.machines}
    size = len(held.members - off)
    out = f", of which {len(missing)} can't be read and count as out" if missing else ""
    return Budget(
        id=f"floor:{rule}:{held.id}",
        rule=rule,
        title=f"{title}, {machines(size)}{out}",
        machines=held.members - off - missing,
        limit=(_fifth(size) if limit is None else limit) - len(missing),
    )


def _fifth(size: int) -> int:
    """20 %, rounded down, at least one."""
    return max(1, size // 5)


def _held(held: Circle, fleet: Fleet) -> list[Standing]:
    return [fleet.machines[m] for m in sorted(held.members & fleet.machines.keys())]


def _update_domain(machine: Standing, held: Circle) -> int | None:
    """The machine's domain in this very set; its number means nothing in a set that it says it doesn't stand in."""
    return machine.update_domain if machine.availability_set in {None, held.id} else None
