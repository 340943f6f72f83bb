"""Applications in zones, made by a seed: what a fleet under one exclusion looks like, in small."""

from __future__ import annotations

from itertools import pairwise
from random import Random

from orchestrator.availability.model import Constraint
from tests.builders import budget, exclusion, order

ZONES = ("z1", "z2", "z3")
TIERS = ("db", "app", "web")


def applications(count: int, seed: int, *, across: int = 0) -> tuple[str, list[Constraint]]:
    """So many applications, each of three tiers, one after another, in three zones that go one at a time; a third has no order. Of a tier
    one machine goes at a time. So many machines, whosever they are, go one at a time too.
    """
    chance = Random(seed)
    zones: dict[str, list[str]] = {zone: [] for zone in ZONES}
    rules: list[Constraint] = []
    names: list[str] = []
    for app in range(count):
        tiers: list[list[str]] = []
        for tier in TIERS:
            held = []
            for zone in ZONES:
                held += [f"a{app:02}-{tier}-{zone}-{n}" for n in range(chance.choice([0, 1, 1, 2, 3]))]
            tiers.append(held)
            names += held
            if len(held) > 1:
                rules.append(budget(1, " ".join(held)))
        sides = [" ".join(held) for held in tiers if held]
        if app % 3:
            rules += [order(first, then) for first, then in pairwise(sides)]
    for name in names:
        zones[name.split("-")[2]].append(name)
    rules.append(exclusion({zone: " ".join(held) for zone, held in zones.items()}))
    if across:
        rules.append(budget(1, " ".join(sorted(chance.sample(names, across)))))
    return " ".join(names), rules
