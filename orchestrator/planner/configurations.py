"""Configurations: what makes one machine another than the next, to a change that may go wrong on it.

Machines of one image, size, region, system and role are alike: what went well on one will likely go well on the others. A fleet has a few
dozen to a few thousand configurations, so whoever chooses among its machines divides them once and then works on the groups.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, fields
from operator import attrgetter
from types import MappingProxyType
from typing import Final

from orchestrator.inventory.model import Machine, Os

ROLE_TAGS: Final = ("role", "tier")
"""The tags that say what a machine is for, in any spelling; the first of them that a machine has counts."""


@dataclass(frozen=True, slots=True, order=True)
class Configuration:
    """One configuration. Empty is what Azure doesn't tell: the image of a machine made from a disk, say, or a role that no tag names."""

    region: str
    os: str
    image: str  # offer and sku, without the version: patches are what differs between versions
    size: str
    role: str


Trait = tuple[int, str]
"""A value of one field of a configuration, as (place of the field, value)."""


def by_configuration(machines: Iterable[Machine]) -> dict[Configuration, list[Machine]]:
    """The machines of each configuration, sorted by configuration. Costs about a microsecond a machine."""
    role_of = _Roles()
    found: dict[tuple[str, ...], list[Machine]] = {}
    for machine in machines:
        key = (*_FACTS(machine), role_of(machine.tags))
        held = found.get(key)
        if held is None:
            found[key] = [machine]
        else:
            held.append(machine)
    groups: dict[Configuration, list[Machine]] = {}
    for (region, os, offer, sku, size, role), held in found.items():
        configuration = Configuration(region, os, f"{offer} {sku}".strip(), size, role)
        groups.setdefault(configuration, []).extend(held)  # an offer alone may read like a sku alone
    return dict(sorted(groups.items()))


def traits(configuration: Configuration) -> tuple[Trait, ...]:
    """Everything about a configuration that others may share."""
    return tuple(enumerate(_VALUES(configuration)))


def in_words(one: Configuration) -> str:
    """`WindowsServer 2022-datacenter, Standard_D4s_v5, westeurope, role db`; the system instead of an image that isn't told."""
    system = one.image or f"{_word('os', one.os)} ({_UNTOLD['image']})"
    return ", ".join([system, *(_word(name, getattr(one, name)) for name in ("size", "region", "role"))])


def trait_in_words(trait: Trait) -> str:
    """`Standard_D4s_v5`, `role db`, `no role`: how people call a value."""
    place, value = trait
    return _word(_NAMES[place], value)


def _word(name: str, value: str) -> str:
    if not value or value == Os.UNKNOWN:
        return _UNTOLD[name]
    return f"role {value}" if name == "role" else value


_FACTS: Final = attrgetter("location", "os._value_", "image.offer", "image.sku", "size")
"""What a machine says of its configuration, in one step: as plain strings, whose hashes are remembered."""

_NAMES: Final = tuple(field.name for field in fields(Configuration))

_VALUES: Final = attrgetter(*_NAMES)

_UNTOLD: Final = MappingProxyType(
    {"region": "no region", "os": "unknown system", "image": "no marketplace image", "size": "unknown size", "role": "no role"}
)  # fmt: skip


class _Roles:
    """Finds the role among tags, whose names Azure doesn't tell apart by case. Remembers every spelling."""

    def __init__(self) -> None:
        self._ranks: dict[str, int] = {}

    def __call__(self, tags: Mapping[str, str]) -> str:
        role, best = "", len(ROLE_TAGS)
        ranks = self._ranks
        for name in tags:
            rank = ranks.get(name)
            if rank is None:
                rank = ranks[name] = _rank(name.lower(), ROLE_TAGS)
            if rank < best:
                role, best = tags[name].lower(), rank
        return role


def _rank(name: str, names: Collection[str]) -> int:
    return next((rank for rank, known in enumerate(names) if known == name), len(names))
