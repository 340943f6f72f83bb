"""The fleet as a tree that is coloured by state: regions, zones, and what machines stand in there.

Pure: the inventory says where machines stand and how they were when it was read, the scope says what is done to them now.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from orchestrator.inventory.model import Agent, AppHealth, Inventory, Kind, Machine, MachineId, Power
from orchestrator.inventory.standing import is_off
from orchestrator.rollout.state import A_PERSONS, IN_FLIGHT, MachineStatus, Rollout, Scope


class Standing(StrEnum):
    """How a machine stands, the one that most wants looking at first."""

    UNHEALTHY = "unhealthy"  # well before a change, not now, or undecided: a person's
    OUT = "out"  # of nobody's grant, or left out by a rollout and not seen well since
    CHANGING = "changing"
    AILING = "ailing"  # its application or its agent says so itself, or it is on its way up or down
    WAITING = "waiting"  # a rollout that goes on will change it
    CHANGED = "changed"  # by a rollout that goes on
    NOT_CHANGED = "not_changed"  # that rollout left it as it was
    OFF = "off"
    UNKNOWN = "unknown"
    SERVES = "serves"


STANDINGS: Final = tuple(str(one) for one in Standing)

_APPLICATION_TAGS: Final = ("app", "application", "service", "workload")
"""Tags that name what a machine is part of, by habit of most fleets; the first that it has."""

NO_ZONE: Final = "in no zone"
ON_ITS_OWN: Final = "in no set"


@dataclass(frozen=True, slots=True)
class Group:
    """Machines that stand together. `parent` is the group it is in, empty for a region. `counts` are its machines by standing."""

    id: str
    parent: str
    kind: str  # region, zone, availability_set, scale_set, application, rest
    name: str
    machines: int
    counts: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Topology:
    """The tree, each group after the one it is in. `taken_at` is when the inventory was read; None: there is none yet."""

    taken_at: datetime | None
    standings: tuple[str, ...]
    groups: tuple[Group, ...]


@dataclass(frozen=True, slots=True)
class Members:
    """The machines of a group, a column each; `standing` is a place in `standings`, `rollout` is whose they are now."""

    group: str
    standings: tuple[str, ...]
    name: tuple[str, ...]
    id: tuple[str, ...]
    standing: tuple[int, ...]
    rollout: tuple[str, ...]


class Places:
    """Where the machines of an inventory stand: worked out once, and looked up as often as somebody looks at the tree."""

    def __init__(self, fleet: Inventory) -> None:
        self.fleet = fleet
        self.groups: dict[str, tuple[str, str, str]] = {}  # id -> parent, kind, name
        self.leaf_of: list[str] = []  # of each machine, in the inventory's order
        names = _set_names(fleet)
        for machine in fleet.machines:
            parent = ""
            for kind, name in _path(machine, names):
                identity = f"{parent}/{name}" if parent else name
                self.groups.setdefault(identity, (parent, kind, name))
                parent = identity
            self.leaf_of.append(parent)
        self.order = tuple(sorted(self.groups, key=_in_order))

    def above(self, place: int) -> Iterable[str]:
        """The groups that a machine is in, innermost first."""
        identity = self.leaf_of[place]
        while identity:
            yield identity
            identity = self.groups[identity][0]


class Tree:
    """The tree of some machines, kept up: a look costs what differs since the last one, and a glance at each machine's status.

    It asks nobody to tell it what happened: whatever machines stand by is compared with how it was, so it can't miss anything.
    """

    def __init__(self, places: Places) -> None:
        self.places = places
        self._at = {machine.id: place for place, machine in enumerate(places.fleet.machines)}
        self._was: _Was | None = None
        self._how: list[tuple[Standing, str]] = []  # of each machine, in the inventory's order
        self._counts: dict[str, Counter[Standing]] = {}
        self._groups: dict[str, Group] = {}

    def topology(self, scope: Scope) -> Topology:
        """All groups with how many machines of theirs stand how."""
        self._look(scope)
        return Topology(self.places.fleet.taken_at, STANDINGS, tuple(self._groups.values()))

    def members(self, scope: Scope, group: str) -> Members | None:
        """The machines of a group by its id, those that want looking at first. None: there is no such group."""
        places, within = self.places, f"{group}/"
        if group not in places.groups:
            return None
        self._look(scope)
        found = sorted(
            (STANDINGS.index(standing), machine.name, machine.arm_id, rollout)
            for machine, leaf, (standing, rollout) in zip(
                places.fleet.machines, places.leaf_of, self._how, strict=True
            )
            if leaf == group or leaf.startswith(within)
        )
        numbers, called, ids, rollouts = zip(*found, strict=True)
        return Members(group, STANDINGS, called, ids, numbers, rollouts)

    def _look(self, scope: Scope) -> None:
        """Bring it up to date."""
        now = _Was(scope)
        differs = None if self._was is None else now.differs_from(self._was)
        self._was = now
        if differs is None:
            self._look_at_all(scope)
            return
        touched: set[str] = set()
        for place in {self._at[machine] for machine in differs if machine in self._at}:
            how, was = standing_of(scope, self.places.fleet.machines[place]), self._how[place]
            self._how[place] = how
            if how[0] is not was[0]:
                for identity in self.places.above(place):
                    self._counts[identity][how[0]] += 1
                    self._counts[identity][was[0]] -= 1
                    touched.add(identity)
        for identity in touched:
            self._groups[identity] = self._group(identity)

    def _look_at_all(self, scope: Scope) -> None:
        places, standings = self.places, _Standings(scope)
        self._how = [standings.of(machine) for machine in places.fleet.machines]
        self._counts = {identity: Counter() for identity in places.order}
        for (standing, _), leaf in zip(self._how, places.leaf_of, strict=True):
            self._counts[leaf][standing] += 1
        for identity in reversed(places.order):  # each after those that are in it
            parent = places.groups[identity][0]
            if parent:
                self._counts[parent].update(self._counts[identity])
        self._groups = {identity: self._group(identity) for identity in places.order}

    def _group(self, identity: str) -> Group:
        counts = self._counts[identity]
        told = {str(one): counts[one] for one in Standing if counts[one]}
        return Group(identity, *self.places.groups[identity], counts.total(), told)


def topology(scope: Scope, tree: Tree | None) -> Topology:
    """All groups with how many machines of theirs stand how. None: the fleet wasn't read yet."""
    return Topology(None, STANDINGS, ()) if tree is None else tree.topology(scope)


def members(scope: Scope, tree: Tree | None, group: str) -> Members | None:
    """The machines of a group by its id, those that want looking at first. None: there is no such group."""
    return None if tree is None else tree.members(scope, group)


def _in_order(identity: str) -> list[tuple[bool, str]]:
    """Groups beside each other by name, those of leftover machines last."""
    return [(part in (NO_ZONE, ON_ITS_OWN), part) for part in identity.split("/")]


def _path(machine: Machine, names: Mapping[str, str]) -> Iterable[tuple[str, str]]:
    """What a machine stands in, outermost first."""
    yield "region", machine.location.replace("/", " ")
    yield "zone", f"zone {machine.zone}" if machine.zone else NO_ZONE
    if machine.availability_set is not None:
        yield "availability_set", names[machine.availability_set]
    elif machine.scale_set is not None:
        yield "scale_set", names[machine.scale_set]
    else:
        tags = {name.lower(): value for name, value in machine.tags.items()}
        application = next((tags[tag] for tag in _APPLICATION_TAGS if tags.get(tag)), "")
        yield ("application", application.replace("/", " ")) if application else ("rest", ON_ITS_OWN)


class _SetNames(dict[str, str]):
    """Names of sets by id; of one that the inventory doesn't hold, the end of its id."""

    def __missing__(self, key: str) -> str:
        return key.rsplit("/", 1)[-1]


def _set_names(fleet: Inventory) -> Mapping[str, str]:
    names = {str(one.id): one.name for one in fleet.availability_sets}
    return _SetNames(names | {str(one.id): one.name for one in fleet.scale_sets})


class _Was:
    """All that machines stand by, as it was at a look."""

    def __init__(self, scope: Scope) -> None:
        self._rollouts = [(one, one.planned, one.over) for one in scope.rollouts.values()]
        self._ended = list(scope.ended.values())
        self._statuses = [[run.status for run in one.machines] for one in scope.rollouts.values()]
        self._grants = {machine: grant.rollout for machine, grant in scope.ledger.grants.items()}
        self._others = set(scope.ledger.others)

    def differs_from(self, other: _Was) -> set[MachineId] | None:
        """The machines that may stand differently; None: anybody may, since rollouts came, ended, were planned anew or put away."""
        if self._shape() != other._shape():
            return None
        found = {machine for machine, _ in self._grants.items() ^ other._grants.items()}
        found |= self._others ^ other._others
        for (_, planned, _), now, was in zip(self._rollouts, self._statuses, other._statuses, strict=True):
            if now != was:
                found.update(
                    planned.machine(number).id
                    for number, (one, before) in enumerate(zip(now, was, strict=True))
                    if one is not before
                )
        return found

    def _shape(self) -> list[tuple[int, ...]]:
        """By identity: what is compared is held, so that no other has its number."""
        told = [(id(one), id(planned), over) for one, planned, over in self._rollouts]
        return [*told, *((id(one),) for one in self._ended)]


def standing_of(scope: Scope, machine: Machine) -> tuple[Standing, str]:
    """How one machine stands, and the rollout whose it is: what `_Standings` says of all."""
    found: tuple[Standing, str] | None = None
    for rollout in scope.rollouts.values():
        number = rollout.planned.index.get(machine.id)
        if number is not None and (told := _in(scope, rollout, number, machine.id)) is not None:
            found = told
    grant = scope.ledger.grants.get(machine.id)
    if grant is not None and (ended := scope.ended.get(grant.rollout)) is not None:
        for left in ended.left.values():
            if left.machine == machine.id:
                found = _in_rollout(left.status, holds=True), ended.id
    return _as_seen(machine, found, out=scope.ledger.is_out(machine.id))


class _Standings:
    """How machines stand, looked up in the rollouts that concern them."""

    def __init__(self, scope: Scope) -> None:
        self._ledger = scope.ledger
        self._of: dict[MachineId, tuple[Standing, str]] = {}
        for rollout in scope.rollouts.values():
            for number, machine in enumerate(rollout.planned.plan.machines):
                if (told := _in(scope, rollout, number, machine.id)) is not None:
                    self._of[machine.id] = told
        for ended in scope.ended.values():
            for left in ended.left.values():
                if scope.ledger.holds(ended.id, left.machine):
                    self._of[left.machine] = (_in_rollout(left.status, holds=True), ended.id)

    def of(self, machine: Machine) -> tuple[Standing, str]:
        """How it stands, and the rollout whose it is."""
        return _as_seen(machine, self._of.get(machine.id), out=self._ledger.is_out(machine.id))


def _in(scope: Scope, rollout: Rollout, number: int, machine: MachineId) -> tuple[Standing, str] | None:
    """How a rollout has a machine; None: it isn't that rollout's now."""
    if rollout.planned.lane_of[number] < 0:
        return None
    holds = scope.ledger.holds(rollout.id, machine)
    if not holds and (rollout.over or machine in scope.ledger.grants):
        return None
    return _in_rollout(rollout.machines[number].status, holds=holds), rollout.id


def _as_seen(machine: Machine, told: tuple[Standing, str] | None, *, out: bool) -> tuple[Standing, str]:
    """As rollouts have it, and the inventory where they don't say more."""
    standing, rollout = (None, "") if told is None else told
    if standing in (Standing.UNHEALTHY, Standing.CHANGING):
        return standing, rollout
    if standing is Standing.OUT or out:
        return Standing.OUT, rollout
    seen = _seen(machine)
    return (seen, rollout) if standing is None or seen is Standing.AILING else (standing, rollout)


def _in_rollout(status: MachineStatus, *, holds: bool) -> Standing:
    if status in A_PERSONS:
        return Standing.UNHEALTHY
    if status in IN_FLIGHT:
        return Standing.CHANGING
    if holds:  # retried, skipped or left out, and not seen well since
        return Standing.OUT
    if status is MachineStatus.PENDING:
        return Standing.WAITING
    return Standing.CHANGED if status is MachineStatus.DONE else Standing.NOT_CHANGED


def _seen(machine: Machine) -> Standing:
    """As the inventory has it."""
    if is_off(machine):
        return Standing.OFF
    if (
        machine.app_health is AppHealth.UNHEALTHY
        or machine.power in {Power.STARTING, Power.STOPPING}
        or machine.agent in {Agent.NOT_READY, Agent.MISSING}
    ):
        return Standing.AILING
    if machine.power is Power.UNKNOWN and machine.kind is Kind.AZURE_VM:
        return Standing.UNKNOWN
    return Standing.SERVES
