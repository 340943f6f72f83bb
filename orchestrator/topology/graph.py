"""The topology: a frozen wrapper around a `networkx.DiGraph`, whose every answer is sorted.

An edge leads from a machine to what it stands in, and on to what that stands in:

    machine -> update domain -> availability set         machine -> zone -> region -> region pair
    machine -> fault domain -> scale set                 machine -> resource group -> subscription
    machine -> back-end pool

A group's members are the machines from which a path leads to it. They are read off the places of machines, as columns; the graph itself is
drawn for whoever asks for it, since planning a large fleet walks no nodes of machines.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from hashlib import sha256
from itertools import chain
from types import MappingProxyType
from typing import Any

import networkx as nx

from orchestrator.errors import Defect
from orchestrator.inventory import native
from orchestrator.inventory.model import Inventory, Machine, MachineId, ResourceId
from orchestrator.topology.model import Group, GroupKind
from orchestrator.topology.places import Place, Places
from orchestrator.topology.zones import zones_of

MACHINE = "machine"
"""The `kind` of a machine's node; groups' nodes have their GroupKind, machines that aren't held have UNKNOWN_MACHINE."""

UNKNOWN_MACHINE = "unknown_machine"


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Topology:
    """A fleet as a graph. Made by `build`, never changed.

    `fingerprint` names the facts that it was built from: everything in the inventory but when and from where it was taken.
    `zone_mapping_unknown` are regions in which machines of several subscriptions stand in zones that can't be compared.
    """

    inventory: Inventory
    machines: tuple[MachineId, ...]  # sorted
    fingerprint: str
    zone_mapping_unknown: tuple[str, ...]
    _by_id: Mapping[MachineId, Machine]
    _groups: Mapping[GroupKind, tuple[Group, ...]]
    _by_key: Mapping[tuple[GroupKind, str], Group]
    _seldom: _Seldom

    @property
    def graph(self) -> nx.DiGraph[str]:
        """The graph: frozen; nodes have `kind`, `name` and, for groups, `key`."""
        return self._seldom.graph

    def __contains__(self, machine: object) -> bool:
        return machine in self._by_id

    def __len__(self) -> int:
        return len(self.machines)

    def machine(self, machine: MachineId) -> Machine:
        """The machine with this id; ask `machine in topology` first if it may be gone."""
        try:
            return self._by_id[machine]
        except KeyError:
            raise Defect(f"{machine} is not in this topology") from None

    def groups(self, kind: GroupKind) -> tuple[Group, ...]:
        """All groups of a kind that have members, known or not; sorted by key. For tags there is `tag_groups`."""
        return self._groups.get(kind, ())

    def group(self, kind: GroupKind, key: str) -> Group | None:
        """The group with this key, if there is one."""
        return self._by_key.get((kind, key))

    def groups_of(self, machine: MachineId) -> tuple[Group, ...]:
        """Every group that a machine is in, sorted by kind (in the order of `GroupKind`) and key."""
        return self._seldom.groups_of.get(machine, ())

    def group_of(self, machine: MachineId, kind: GroupKind) -> Group | None:
        """The one group of this kind that a machine is in.

        Where a machine and an availability set contradict each other, it is in both, and this is the one that the
        machine names. Kinds that allow for several have queries of their own: `region_pairs_of`, `pools_of`, `tag_groups`.
        """
        if kind in {GroupKind.REGION_PAIR, GroupKind.LOAD_BALANCER, GroupKind.TAG}:
            raise Defect(f"a machine may be in several groups of the kind {kind}")
        found = [group for group in self.groups_of(machine) if group.kind is kind]
        if len(found) > 1:
            held = self._by_id[machine]
            own = {held.availability_set, held.scale_set}
            found.sort(key=lambda group: (group.key not in own, group.key))
        return found[0] if found else None

    def region_pairs_of(self, machine: MachineId) -> tuple[Group, ...]:
        """The region pairs that a machine is in; a region may stand in several, since pairing is one-way at places."""
        return tuple(group for group in self.groups_of(machine) if group.kind is GroupKind.REGION_PAIR)

    def pools_of(self, machine: MachineId) -> tuple[Group, ...]:
        """The back-end pools that a machine serves in. For one whose interfaces nobody read, see `Machine.backend_pools`."""
        return tuple(group for group in self.groups_of(machine) if group.kind is GroupKind.LOAD_BALANCER)

    def tag_groups(self, tag: str) -> tuple[Group, ...]:
        """The machines that have a tag, by its value; sorted by value. Names of tags compare without regard to case."""
        wanted = tag.lower()
        by_value: dict[str, dict[MachineId, None]] = defaultdict(dict)  # dicts, as sets that keep their order
        for machine in self.machines:
            for name, value in self._by_id[machine].tags.items():
                if name.lower() == wanted:
                    by_value[value][machine] = None
        return tuple(
            Group(GroupKind.TAG, f"{wanted}={value}", f"{tag}={value}", tuple(by_value[value]))
            for value in sorted(by_value)
        )

    def unknown_update_domain(self, availability_set: ResourceId) -> tuple[MachineId, ...]:
        """The members of an availability set whose update domain nobody told; they may be in any of them."""
        return self._outside(availability_set, GroupKind.AVAILABILITY_SET, GroupKind.UPDATE_DOMAIN)

    def unknown_fault_domain(self, scale_set: ResourceId) -> tuple[MachineId, ...]:
        """The members of a scale set whose fault domain nobody told."""
        return self._outside(scale_set, GroupKind.SCALE_SET, GroupKind.FAULT_DOMAIN)

    def _outside(self, key: str, kind: GroupKind, inner: GroupKind) -> tuple[MachineId, ...]:
        group = self.group(kind, key)
        prefix = f"{key}/"
        return tuple(
            machine
            for machine in (group.members if group else ())
            if not any(g.kind is inner and g.key.startswith(prefix) for g in self.groups_of(machine))
        )


class _Seldom:
    """What is made when it is first asked for, since a plan doesn't need it."""

    def __init__(self, inventory: Inventory, groups: Mapping[GroupKind, tuple[Group, ...]]) -> None:
        self._inventory = inventory
        self._groups = groups

    @cached_property
    def graph(self) -> nx.DiGraph[str]:
        """Machines in the order of their ids, and what they stand in."""
        machines = sorted(self._inventory.machines, key=lambda machine: machine.id)
        return nx.freeze(_draw(machines, Places(self._inventory, zones_of(self._inventory))))

    @cached_property
    def groups_of(self) -> Mapping[MachineId, tuple[Group, ...]]:
        """Each machine's groups, by kind and key."""
        standing: dict[MachineId, list[Group]] = defaultdict(list)
        for groups in self._groups.values():  # in the order of `GroupKind`
            for group in groups:
                for machine in group.members:
                    standing[machine].append(group)
        return MappingProxyType(dict(zip(standing, map(tuple, standing.values()), strict=True)))


def build(inventory: Inventory) -> Topology:
    """The topology of an inventory. The same facts give the same topology, in whatever order they came."""
    machines = tuple(sorted(inventory.machines, key=lambda machine: machine.id))
    zones = zones_of(inventory)
    groups = _groups(machines, Places(inventory, zones))
    return Topology(
        inventory=inventory,
        machines=tuple([machine.id for machine in machines]),
        fingerprint=fingerprint_of(inventory),
        zone_mapping_unknown=zones.mapping_unknown,
        _by_id=MappingProxyType({machine.id: machine for machine in machines}),
        _groups=groups,
        _by_key=MappingProxyType({(kind, group.key): group for kind in groups for group in groups[kind]}),
        _seldom=_Seldom(inventory, groups),
    )


def fingerprint_of(inventory: Inventory) -> str:
    """A digest of the facts alone: when they were taken and from where makes no difference, nor does their order."""
    return sha256(native.dump(replace(inventory, taken_at=None, source=""))).hexdigest()


def _draw(machines: Iterable[Machine], places: Places) -> nx.DiGraph[str]:
    nodes: dict[str, dict[str, Any]] = {}
    edges: list[tuple[str, str]] = []

    def add(place: Place) -> None:
        if place.node in nodes:
            return
        nodes[place.node] = {"kind": place.kind, "name": place.name, "key": place.key}
        for outer in place.within:
            add(outer)
            edges.append((place.node, outer.node))

    for machine in machines:
        nodes[machine.id] = {"kind": MACHINE, "name": machine.name}
        for place in places.of(machine):
            add(place)
            edges.append((machine.id, place.node))
    for stranger, place in places.strangers():
        nodes[stranger] = {"kind": UNKNOWN_MACHINE, "name": stranger.rpartition("/")[2]}
        add(place)
        edges.append((stranger, place.node))
    graph: nx.DiGraph[str] = nx.DiGraph()
    graph.add_nodes_from(nodes.items())
    graph.add_edges_from(edges)
    return graph


def _groups(machines: Sequence[Machine], places: Places) -> Mapping[GroupKind, tuple[Group, ...]]:
    """Everything that machines stand in, with its members: whoever stands in it, or in something within it."""
    direct: dict[str, list[int]] = defaultdict(list)  # node of a place -> numbers of machines
    strange: dict[str, list[MachineId]] = defaultdict(list)
    for number, machine in enumerate(machines):
        for place in places.of(machine):
            direct[place.node].append(number)
    for stranger, place in places.strangers():
        strange[place.node].append(stranger)
    inner: dict[str, list[str]] = defaultdict(list)
    for place in places.made:
        for outer in place.within:
            inner[outer.node].append(place.node)

    def beneath(node: str) -> list[str]:
        return [node, *chain.from_iterable(map(beneath, inner[node]))] if node in inner else [node]

    names = [machine.id for machine in machines]
    found: dict[GroupKind, list[Group]] = defaultdict(list)
    for place in sorted(places.made, key=lambda place: place.node):
        within = beneath(place.node)
        numbers = _united([direct[node] for node in within if node in direct])
        unknown = sorted({stranger for node in within if node in strange for stranger in strange[node]})
        members = tuple([names[number] for number in numbers])
        found[place.kind].append(Group(place.kind, place.key, place.name, members, tuple(unknown)))
    return MappingProxyType({kind: tuple(found[kind]) for kind in GroupKind if kind in found})


def _united(sorted_lists: Sequence[Sequence[int]]) -> Sequence[int]:
    """All of these numbers, sorted, each once."""
    if len(sorted_lists) == 1:
        return sorted_lists[0]
    return sorted(set(chain.from_iterable(sorted_lists)))
