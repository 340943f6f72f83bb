"""The three kinds of constraint, in the judge's own words.

They are made from the JSON of a plan (`document`) or straight from an inventory (`floor_rules`), never from the
classes of the planner: an error in those must not be able to hide here. Ids of machines are in lower case.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Budget:
    """Of these machines at most `limit` are out at once.

    `rule` is the name under which a violation is reported, `title` what people call the group. A `cap` holds while a
    rollout runs; waves are planned without it.

    `spared` count only while they are really out: the plan says that its change keeps them up, so that working on them takes none
    of the limit. `machines` are the others.
    """

    id: str
    rule: str
    title: str
    machines: frozenset[str]
    limit: int
    cap: bool = False
    spared: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Exclusion:
    """Of these domains one at a time; a domain begun is finished, within its stage, before the next begins.

    `level` is the nesting where exclusions cross: the lower is the outer one. `says` is the rule in a few words.
    """

    id: str
    rule: str
    title: str
    domains: Mapping[str, frozenset[str]]
    level: int = 0
    says: str = "only one of its domains at a time"


@dataclass(frozen=True, slots=True)
class Order:
    """These before those, within each stage."""

    id: str
    title: str
    first: frozenset[str]
    then: frozenset[str]
    rule: str = "order"
