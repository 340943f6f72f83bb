"""What a drawing of a topology shows inside of what: region pairs, regions, zones, sets, machines."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

import networkx as nx

from orchestrator.inventory.model import MachineId
from orchestrator.topology.graph import Topology
from orchestrator.topology.model import Group, GroupKind


class BoxKind(StrEnum):
    """What a box of the drawing stands for."""

    PAIRS = "pairs"  # regions that are tied by region pairs
    REGION = "region"
    ZONE = "zone"
    NO_ZONE = "no_zone"
    AVAILABILITY_SET = "availability_set"
    SCALE_SET = "scale_set"
    POOL = "pool"  # a back-end pool; each zone that it spans shows its part
    LOOSE = "loose"  # machines in no set; has no frame


@dataclass(frozen=True, slots=True)
class Box:
    """A box holds boxes, or machines in columns: update domains of an availability set, fault domains of a scale set.

    `columns` without `column_names` are one column of machines in no particular place.
    """

    kind: BoxKind
    title: str
    count: int  # machines in it, however deep
    boxes: tuple[Box, ...] = ()
    columns: tuple[tuple[MachineId, ...], ...] = ()
    column_names: tuple[str, ...] = ()
    note: str = ""  # behind the count


def boxes_of(topology: Topology) -> tuple[Box, ...]:
    """The outermost boxes: regions, those that are paired in one box; each machine is in exactly one place."""
    regions = {
        group.key: _region(topology, group.key, group.members) for group in topology.groups(GroupKind.REGION)
    }
    homeless = [m for m in topology.machines if topology.group_of(m, GroupKind.REGION) is None]
    tied: nx.Graph[str] = nx.Graph()
    tied.add_nodes_from(regions)
    for pair in topology.groups(GroupKind.REGION_PAIR):
        tied.add_edge(*pair.key.split("|"))
    found = []
    for names in sorted(sorted(component) for component in nx.connected_components(tied)):
        together = tuple(regions[name] for name in names)
        if len(together) == 1:
            found.append(together[0])
        else:
            pairs = [
                group.name
                for group in topology.groups(GroupKind.REGION_PAIR)
                if group.key.split("|")[0] in names
            ]
            title = "paired: " + ", ".join(pairs)
            found.append(Box(BoxKind.PAIRS, title, sum(box.count for box in together), together))
    if homeless:
        found.append(_region(topology, "no region", homeless))
    return tuple(found)


def natural(name: str) -> tuple[tuple[int, str], ...]:
    """A key that sorts web-2 before web-10."""
    return tuple(
        (int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", name.lower())
    )


def _region(topology: Topology, name: str, members: Iterable[MachineId]) -> Box:
    by_zone: dict[str, list[MachineId]] = defaultdict(list)
    titles: dict[str, str] = {}
    for machine in members:
        zone = topology.group_of(machine, GroupKind.ZONE)
        key = zone.key if zone else ""
        by_zone[key].append(machine)
        titles[key] = _short(zone.name.removeprefix(f"{name} ")) if zone else "no zone"
    inside = tuple(
        _within(topology, BoxKind.ZONE if key else BoxKind.NO_ZONE, titles[key], by_zone[key])
        for key in sorted(by_zone, key=lambda key: (not key, natural(key)))
    )
    return Box(BoxKind.REGION, name, sum(box.count for box in inside), inside)


def _short(title: str) -> str:
    """A subscription's first digits tell it apart; the whole of it would be the widest thing of the drawing."""
    return re.sub(r"subscription ([0-9a-f]{8})-[0-9a-f-]{27}", r"\1…", title)


def _within(topology: Topology, kind: BoxKind, title: str, members: Iterable[MachineId]) -> Box:
    """The sets that stand in a zone, or outside of zones, and the machines beside them, by the first of their back-end pools."""
    by_set: dict[Group, list[MachineId]] = defaultdict(list)
    loose = []
    for machine in members:
        group = topology.group_of(machine, GroupKind.AVAILABILITY_SET) or topology.group_of(
            machine, GroupKind.SCALE_SET
        )
        group = group or next(iter(topology.pools_of(machine)), None)
        if group is None:
            loose.append(machine)
        else:
            by_set[group].append(machine)
    inside = [
        _set(topology, group, by_set[group])
        for group in sorted(by_set, key=lambda g: (natural(g.name), g.key))
    ]
    if loose:
        inside.append(Box(BoxKind.LOOSE, "", len(loose), columns=(_by_name(topology, loose),)))
    return Box(kind, title, sum(box.count for box in inside), tuple(inside))


def _set(topology: Topology, group: Group, members: list[MachineId]) -> Box:
    if group.kind is GroupKind.LOAD_BALANCER:
        here = (_by_name(topology, members),)
        note = f" of {len(group.members):,}" if len(group.members) > len(members) else ""
        return Box(BoxKind.POOL, group.name, len(members), columns=here, note=note)
    in_set = group.kind is GroupKind.AVAILABILITY_SET
    by_domain: dict[int, list[MachineId]] = defaultdict(list)
    for machine in members:
        facts = topology.machine(machine)
        domain = facts.update_domain if in_set else facts.fault_domain
        by_domain[-1 if domain is None else domain].append(machine)
    note = f" (+{len(group.unknown)} unknown)" if group.unknown else ""
    kind = BoxKind.AVAILABILITY_SET if in_set else BoxKind.SCALE_SET
    if set(by_domain) == {-1} or (not in_set and len(by_domain) == 1):
        return Box(kind, group.name, len(members), columns=(_by_name(topology, members),), note=note)
    domains = sorted(by_domain, key=lambda domain: (domain < 0, domain))
    return Box(
        kind,
        group.name,
        len(members),
        columns=tuple(_by_name(topology, by_domain[domain]) for domain in domains),
        column_names=tuple("?" if domain < 0 else str(domain) for domain in domains),
        note=note,
    )


def _by_name(topology: Topology, members: Iterable[MachineId]) -> tuple[MachineId, ...]:
    names: Mapping[MachineId, str] = {machine: topology.machine(machine).name for machine in members}
    return tuple(sorted(names, key=lambda machine: (natural(names[machine]), machine)))
