"""What a selection of machines consists of: sets, zones, and tags that look like tiers, clusters or rings, with their sizes."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from orchestrator.inventory.ids import name_of
from orchestrator.inventory.interfaces import pool_name
from orchestrator.inventory.model import Machine
from orchestrator.inventory.standing import is_off

QUORUM: Final = range(3, 8)
"""Sizes of groups that vote: fewer than three can't lose anybody, and more than seven are slow to agree."""

MOST_VALUES: Final = 40
"""Values of a tag that divides machines into groups; one with more is a number, a date or an owner."""


class Looks(StrEnum):
    """What a tag seems to be for, by its name and its values."""

    TIER = "tier"  # parts of an application that are alike: web, api, db
    CLUSTER = "cluster"  # groups that belong together: one cluster, one shard, one site
    RING = "ring"  # who is first


_NAMES: Final = {
    Looks.RING: ("ring", "patch-ring", "patchring", "update-ring", "updatering", "wave", "canary", "stage-ring", "rollout"),
    Looks.CLUSTER: (
        "cluster", "ag", "availability-group", "quorum", "ensemble", "replica-set", "replicaset", "shard", "ad-domain", "domain",
        "site", "ad-site", "pool", "node-pool", "nodepool", "farm", "group",
    ),
    Looks.TIER: ("tier", "role", "layer", "component", "function", "service", "workload", "kind", "type", "app-tier"),
}  # fmt: skip

_VOTES: Final = re.compile(
    r"\b(db|dbs|database|sql|mssql|mysql|maria|mariadb|galera|postgres|postgresql|pg|patroni|mongo|mongodb|cassandra|scylla|cockroach|"
    r"etcd|zookeeper|zk|kafka|consul|vault|nomad|rabbit|rabbitmq|mq|nats|elastic|elasticsearch|opensearch|ceph|redis|sentinel|"
    r"quorum|dc|control|controller|master|masters|raft|witness)\b"
)
"""Words that software which votes goes by."""

_CANARY: Final = ("canary", "canaries", "ring0", "ring-0", "0", "first", "early", "pilot", "insider")


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of group with its groups by name, the largest first. `without`: machines that are in none."""

    name: str
    sizes: tuple[tuple[str, int], ...]
    without: int = 0

    @property
    def voting(self) -> tuple[str, ...]:
        """Groups whose name and size are those of machines that vote."""
        return tuple(group for group, size in self.sizes if size in QUORUM and votes(group))


@dataclass(frozen=True, slots=True)
class Tag(Kind):
    """A tag that divides the machines."""

    looks: Looks | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """What there is among the machines of a selection."""

    machines: int
    off: int
    regions: Kind
    zones: Kind
    availability_sets: Kind
    scale_sets: Kind
    pools: Kind  # of load balancers; a machine may be in several
    tags: tuple[Tag, ...]  # those that look like something first

    def looking_like(self, looks: Looks) -> tuple[Tag, ...]:
        """The tags that seem to be for this."""
        return tuple(tag for tag in self.tags if tag.looks is looks)


def found(machines: Sequence[Machine]) -> Found:
    """Look at the machines of a selection."""
    tags = [tag for name in sorted(_names(machines)) if (tag := _tag(name, machines)) is not None]
    order = [*Looks, None]
    return Found(
        machines=len(machines),
        off=sum(map(is_off, machines)),
        regions=_kind("region", machines, lambda machine: machine.location or None),
        zones=_kind("zone", machines, lambda m: f"{m.location} zone {m.zone}" if m.zone else None),
        availability_sets=_kind(
            "availability set", machines, lambda m: m.availability_set and name_of(m.availability_set)
        ),
        scale_sets=_kind("scale set", machines, lambda m: m.scale_set and name_of(m.scale_set)),
        pools=_pools(machines),
        tags=tuple(sorted(tags, key=lambda tag: (order.index(tag.looks), tag.name))),
    )


def canary(tag: Tag) -> str | None:
    """The value of a ring's tag that seems to go first."""
    values = {value.lower(): value for value, _ in tag.sizes}
    return next((values[word] for word in _CANARY if word in values), None)


def votes(name: str) -> bool:
    """Whether a name is one that software which votes goes by."""
    return _VOTES.search(re.sub(r"[_\d.]+", " ", name.lower())) is not None


def _kind(name: str, machines: Iterable[Machine], of: Callable[[Machine], str | None]) -> Kind:
    counted = Counter(map(of, machines))
    without = counted.pop(None, 0)
    sizes = sorted(((str(group), size) for group, size in counted.items()), key=lambda one: (-one[1], one[0]))
    return Kind(name, tuple(sizes), without)


def _pools(machines: Iterable[Machine]) -> Kind:
    """Machines whose interfaces nobody read are in none, as far as is known."""
    told = [machine.backend_pools or () for machine in machines]
    sizes = Counter(pool_name(pool) for pools in told for pool in pools)
    largest = sorted(sizes.items(), key=lambda one: (-one[1], one[0]))
    return Kind("back-end pool", tuple(largest), sum(not pools for pools in told))


def _names(machines: Iterable[Machine]) -> set[str]:
    return {name.lower() for machine in machines for name in machine.tags}


def _tag(name: str, machines: Sequence[Machine]) -> Tag | None:
    """A tag that divides the machines into groups; None for one that says the same of all, or something else of each."""
    values = [_value(machine.tags, name) for machine in machines]
    kind = _kind(name, machines, lambda machine: _value(machine.tags, name))
    many = len(kind.sizes)
    looks = next((looks for looks, names in _NAMES.items() if name.replace("_", "-") in names), None)
    divides = many > 1 or (many == 1 and kind.without > 0)
    if (
        not divides
        or many > MOST_VALUES
        or (many == len([v for v in values if v]) and many > 2 and looks is not Looks.RING)
    ):
        return None
    return Tag(name, kind.sizes, kind.without, looks)


def _value(tags: Mapping[str, str], name: str) -> str | None:
    """The value in lower case, since policies don't mind it."""
    return next((value.lower() for tag, value in tags.items() if tag.lower() == name and value), None)
