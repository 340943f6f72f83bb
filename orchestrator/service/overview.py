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
from orchestrator.rollout.state import A_PERSONS, IN_FLIGHT, MachineStatus, Scope


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


def topology(scope: Scope, places: Places | None) -> Topology:
    """All groups with how many machines of theirs stand how. None: the fleet wasn't read yet."""
    if places is None:
        return Topology(None, STANDINGS, ())
    standings = _Standings(scope)
    counts: dict[str, Counter[Standing]] = {identity: Counter() for identity in places.order}
    for machine, leaf in zip(places.fleet.machines, places.leaf_of, strict=True):
        counts[leaf][standings.of(machine)[0]] += 1
    for identity in reversed(places.order):  # each after those that are in it
        parent = places.groups[identity][0]
        if parent:
            counts[parent].update(counts[identity])
    found = (_group(identity, *places.groups[identity], counts[identity]) for identity in places.order)
    return Topology(places.fleet.taken_at, STANDINGS, tuple(found))


def _group(identity: str, parent: str, kind: str, name: str, counts: Counter[Standing]) -> Group:
    told = {str(one): counts[one] for one in Standing if counts[one]}
    return Group(identity, parent, kind, name, counts.total(), told)


def members(scope: Scope, places: Places | None, group: str) -> Members | None:
    """The machines of a group by its id, those that want looking at first. None: there is no such group."""
    if places is None or group not in places.groups:
        return None
    standings, within = _Standings(scope), f"{group}/"
    found = sorted(
        (STANDINGS.index(standing), machine.name, machine.arm_id, rollout)
        for machine, leaf in zip(places.fleet.machines, places.leaf_of, strict=True)
        if leaf == group or leaf.startswith(within)
        for standing, rollout in (standings.of(machine),)
    )
    numbers, called, ids, rollouts = zip(*found, strict=True)
    return Members(group, STANDINGS, called, ids, numbers, rollouts)


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


class _Standings:
    """How machines stand, looked up in the rollouts that concern them."""

    def __init__(self, scope: Scope) -> None:
        self._ledger = scope.ledger
        self._of: dict[MachineId, tuple[Standing, str]] = {}
        for rollout in scope.rollouts.values():
            for lane, machine, run in zip(
                rollout.planned.lane_of, rollout.planned.plan.machines, rollout.machines, strict=True
            ):
                holds = scope.ledger.holds(rollout.id, machine.id)
                if lane >= 0 and (holds or (not rollout.over and machine.id not in scope.ledger.grants)):
                    self._of[machine.id] = (_in_rollout(run.status, holds=holds), rollout.id)
        for ended in scope.ended.values():
            for left in ended.left.values():
                if scope.ledger.holds(ended.id, left.machine):
                    self._of[left.machine] = (_in_rollout(left.status, holds=True), ended.id)

    def of(self, machine: Machine) -> tuple[Standing, str]:
        """How it stands, and the rollout whose it is."""
        standing, rollout = self._of.get(machine.id, (None, ""))
        if standing in (Standing.UNHEALTHY, Standing.CHANGING):
            return standing, rollout
        if standing is Standing.OUT or self._ledger.is_out(machine.id):
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
