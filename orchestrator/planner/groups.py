"""Whom a rule counts together: the machines of a policy, divided by the kinds of group that the rule names.

A machine without a group of some kind (no zone, no such tag) is in no group of the rule. Of availability sets, scale sets and
their domains, and of load balancers' back-end pools, the other members are counted too, whether the policy selects them or not: a set is as
available as all its machines. Members that Azure names and the inventory doesn't hold are kept apart: they count as out.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import Final

from orchestrator.inventory.model import MachineId
from orchestrator.inventory.standing import is_off, may_be_in_any_pool
from orchestrator.policy.values import SELECTION
from orchestrator.topology.graph import Topology
from orchestrator.topology.model import Group, GroupKind

WHOLE: Final = frozenset(
    {
        GroupKind.AVAILABILITY_SET,
        GroupKind.UPDATE_DOMAIN,
        GroupKind.SCALE_SET,
        GroupKind.FAULT_DOMAIN,
        GroupKind.LOAD_BALANCER,
    }
)
"""Kinds of which all members are counted, not only those that a policy selects."""

_LABELS: Final[Mapping[GroupKind, str]] = {
    GroupKind.AVAILABILITY_SET: "availability set ",
    GroupKind.SCALE_SET: "scale set ",
    GroupKind.SUBSCRIPTION: "subscription ",
    GroupKind.RESOURCE_GROUP: "resource group ",
    GroupKind.LOAD_BALANCER: "back-end pool ",
    GroupKind.CLUSTER: "cluster ",
    GroupKind.REGION_PAIR: "the region pair ",
}
"""What stands before a group's name in a sentence; zones, regions, domains and tags name themselves."""


@dataclass(frozen=True, slots=True)
class Scope:
    """Whom a rule is about. `without` are machines that it doesn't hold for and doesn't count, whatever set they are in."""

    name: str  # for people: "shop", or "shop (tier=db)"
    selected: tuple[MachineId, ...]  # sorted
    without: frozenset[MachineId] = frozenset()


@dataclass(frozen=True, slots=True)
class Counted:
    """Machines that a rule counts together. `groups` is empty where the rule doesn't divide its scope."""

    name: str  # for people: "availability set as-web"
    members: tuple[MachineId, ...]  # sorted
    unknown: tuple[MachineId, ...]  # sorted; members that the inventory doesn't hold
    groups: tuple[Group, ...]


@dataclass(slots=True)
class _Stand:
    """Where machines stand that are in the same groups: combinations of these by their keys, and who is in each."""

    entered: dict[tuple[str, ...], tuple[Group, ...]]
    members: list[list[MachineId]]
    touched: bool = False  # whether any of these machines is selected


class Groups:
    """The groups of a topology by machine, made once for all rules."""

    def __init__(self, topology: Topology) -> None:
        self.topology = topology
        self._all: dict[str, tuple[Group, ...]] = {}
        self._of: dict[str, dict[MachineId, Sequence[Group]]] = {}

    @cached_property
    def off(self) -> frozenset[MachineId]:
        """The machines that don't run, and that nobody expects to."""
        return frozenset(machine.id for machine in self.topology.inventory.machines if is_off(machine))

    def all(self, kind: str) -> tuple[Group, ...]:
        """All groups of one kind, `tag:NAME` included, sorted by key."""
        known = self._all.get(kind)
        if known is None:
            if kind.startswith("tag:"):
                known = self.topology.tag_groups(kind.removeprefix("tag:"))
            else:
                known = self.topology.groups(GroupKind(kind))
            self._all[kind] = known
        return known

    def of(self, kind: str) -> Mapping[MachineId, Sequence[Group]]:
        """The groups of one kind, `tag:NAME` included, that each machine is in; sorted by key. Machines of the same groups share one value."""
        known = self._of.get(kind)
        if known is None:
            known = self._of[kind] = {}
            several: dict[MachineId, list[Group]] = {}
            for group in self.all(kind):
                own = (group,)
                if known.keys().isdisjoint(group.members):
                    known.update(dict.fromkeys(group.members, own))
                    continue
                for machine in group.members:
                    first = known.setdefault(machine, own)
                    if first is not own:
                        several.setdefault(machine, list(first)).append(group)
            alike: dict[tuple[str, ...], Sequence[Group]] = {}
            for machine, held in several.items():
                known[machine] = alike.setdefault(tuple(group.key for group in held), tuple(held))
        return known

    def divided(self, scope: Scope, per: Iterable[str], *, whole: bool = True) -> tuple[Counted, ...]:
        """The scope by `per`, sorted by the groups' keys; groups that hold no selected machine are left out.

        `whole` also counts the other members of sets. Without `per` the scope is one group.
        """
        kinds = [kind for kind in per if kind != SELECTION]
        if not scope.selected:
            return ()
        if not kinds:
            return (Counted(scope.name, scope.selected, (), ()),)
        if len(kinds) == 1:
            return tuple(self._by_one(scope, kinds[0], whole=whole and kinds[0] in WHOLE))
        return self._by_several(scope, kinds, whole=whole)

    def _by_one(self, scope: Scope, kind: str, *, whole: bool) -> Iterator[Counted]:
        """By one kind: its groups are at hand, and no machine needs to be looked at that isn't in one."""
        selected = frozenset(scope.selected)
        everybody = len(selected) == len(self.topology)
        for group in self.all(kind):
            members = group.members
            if whole and scope.without:
                members = tuple([machine for machine in members if machine not in scope.without])
            if not everybody:
                if whole and selected.isdisjoint(members):
                    continue
                if not whole:
                    members = tuple([machine for machine in members if machine in selected])
            if members:
                yield Counted(named((group,)), members, _unknown((group,), scope), (group,))

    def _by_several(self, scope: Scope, kinds: Sequence[str], *, whole: bool) -> tuple[Counted, ...]:
        maps = [self.of(kind).get for kind in kinds]
        selected = frozenset(scope.selected)
        members: dict[tuple[str, ...], list[MachineId]] = defaultdict(list)  # by the groups' keys
        touched: dict[tuple[str, ...], tuple[Group, ...]] = {}
        stands: dict[
            tuple[int, ...], _Stand
        ] = {}  # of machines in the same groups, which share their tuple of them
        for machine in self.with_others(scope, kinds) if whole else scope.selected:
            alike = tuple([id(held(machine, ())) for held in maps])
            stand = stands.get(alike)
            if stand is None:
                entered = {
                    tuple(group.key for group in groups): groups
                    for groups in product(*(held(machine, ()) for held in maps))
                }
                stand = stands[alike] = _Stand(entered, [members[key] for key in entered])
            for into in stand.members:
                into.append(machine)
            if not stand.touched and machine in selected:
                stand.touched = True
                touched |= stand.entered
        return tuple(
            Counted(named(groups), tuple(members[key]), _unknown(groups, scope), groups)
            for key, groups in sorted(touched.items(), key=lambda item: item[0])
        )

    def outside(self, scope: Scope, per: Iterable[str]) -> dict[str, int]:
        """How many selected machines have no group of a kind that somebody chose by hand: a tag, a cluster."""
        chosen = [kind for kind in per if kind.startswith("tag:") or kind == GroupKind.CLUSTER]
        missing = {
            kind: len(scope.selected) - sum(map(self.of(kind).__contains__, scope.selected))
            for kind in chosen
        }
        return {kind: count for kind, count in missing.items() if count}

    def unpooled(self, scope: Scope, kinds: Iterable[str]) -> tuple[MachineId, ...]:
        """The selected machines that may be in any back-end pool, if a kind asks for pools."""
        if GroupKind.LOAD_BALANCER not in kinds:
            return ()
        told = self.of(GroupKind.LOAD_BALANCER)
        return tuple(
            machine
            for machine in scope.selected
            if machine not in told and may_be_in_any_pool(self.topology.machine(machine))
        )

    def with_others(self, scope: Scope, kinds: Iterable[str]) -> Iterable[MachineId]:
        """The selected machines, and the other members of every set that they are in; sorted."""
        wholes = [kind for kind in kinds if kind in WHOLE]
        if not wholes:
            return scope.selected
        found = set(scope.selected)
        for kind in wholes:
            of = self.of(kind)
            touched = {group.key: group for machine in scope.selected for group in of.get(machine, ())}
            for group in touched.values():
                found.update(group.members)
        return sorted(found - scope.without)


def named(groups: Iterable[Group]) -> str:
    """Groups in a sentence: `subscription s1, westeurope`."""
    return ", ".join(_LABELS.get(group.kind, "") + group.name for group in groups)


def _unknown(groups: tuple[Group, ...], scope: Scope) -> tuple[MachineId, ...]:
    """Unread members of any of the groups: whether they stand in all of them can't be told, the careful case."""
    return tuple(sorted({machine for group in groups for machine in group.unknown} - scope.without))
