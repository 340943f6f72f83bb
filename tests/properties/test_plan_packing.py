"""Always: the same waves, whether a lane is packed over lists, on whole arrays, or by machine code."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from random import Random
from unittest.mock import patch

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from orchestrator.availability.model import Constraint
from orchestrator.planner import filling, waves
from orchestrator.planner.cells import Cells, Numbered, Way
from orchestrator.planner.machine_code import compiled
from orchestrator.planner.nesting import of_all
from orchestrator.planner.rules import Rules, number
from tests.builders import budget, exclusion, ids, order
from tests.properties.test_plan_lanes_never import problems

MANNERS = {
    "lists": (10**9, 10**9),
    "arrays": (0, 10**9),
    "machine code": (0, 0),
}
"""SMALL, and LARGE and AGAIN, of `filling`, so that every lane is packed in this manner."""

SHAKEN = (0, 1, 5)
"""Tries by number: by urgency alone, and by chance too."""

Tried = list[list[tuple[int, int]]] | None
"""The waves as (class, machines); None for a dead end."""


@settings(max_examples=150, deadline=None)
@given(problems(most=12), st.lists(st.integers(1, 5), min_size=12, max_size=12))
def test_small_lanes_are_packed_alike(problem: tuple[str, list[Constraint]], sizes: list[int]) -> None:
    """Rules as crossed as hypothesis likes, over classes of several machines."""
    names, constraints = problem
    rules = number(ids(names), constraints)
    found = _everywhere(replace(rules, sizes=tuple(sizes[: len(rules.sizes)])))
    event(f"{sum(tried is None for tried in found)} dead ends")


@pytest.mark.parametrize("seed", range(12))
def test_large_lanes_are_packed_alike(seed: int) -> None:
    """Some hundred machines under exclusions within exclusions, budgets across them and orders: tries are shaken, domains cut."""
    chance = Random(seed)
    names = [f"m{n:03}" for n in range(chance.randint(60, 240))]
    rules = number(ids(" ".join(names)), list({rule.id: rule for rule in _crossed(names, chance)}.values()))
    through = [tried for tried in _everywhere(rules) if tried is not None]
    assert through
    assert all(
        sorted(one for wave in tried for one, _ in wave) == list(range(len(names))) for tried in through
    )


def _everywhere(rules: Rules) -> list[Tried]:
    """Tries at packing everything as one lane, the same in each manner."""
    everybody = range(len(rules.sizes))
    lane = Numbered(rules, everybody, of_all(rules))
    found = {
        manner: list(_tries(lane, small, large))
        for manner, (small, large) in MANNERS.items()
        if manner != "machine code" or compiled() is not None
    }
    assert all(tries == found["lists"] for tries in found.values()), found
    return found["lists"]


def _tries(lane: Numbered, small: int, large: int) -> Iterator[Tried]:
    with patch.multiple(filling, SMALL=small, LARGE=large, AGAIN=large):
        for way in Way:
            packing = waves._Packing(lane, Cells(lane, way), way)
            yield from (packing.run(shake) for shake in SHAKEN)


def _crossed(names: Sequence[str], chance: Random) -> Iterator[Constraint]:
    regions = {name: chance.choice("ab") for name in names}
    zones = {name: regions[name] + chance.choice("123") for name in names}
    yield exclusion(_by(regions), level=0)
    for region in "ab":
        within = _by({name: zone for name, zone in zones.items() if zone[0] == region})
        if len(within) > 1:
            yield exclusion(within, level=2)
    for _ in range(chance.randint(2, 6)):
        some = chance.sample(names, chance.randint(4, 20))
        yield exclusion(_by({name: chance.choice("xyz") for name in some}), level=3)
    for _ in range(len(names) // 3):
        some = chance.sample(names, chance.randint(3, 24))
        yield budget(chance.randint(1, max(1, len(some) // 4)), " ".join(sorted(some)))
    tiers = {name: chance.randrange(12) for name in names}
    for at in range(chance.choice([0, 6, 11])):
        first = [name for name in names if tiers[name] == at]
        then = [name for name in names if tiers[name] == at + 1]
        if first and then:
            yield order(" ".join(first), " ".join(then))


def _by(of: dict[str, str]) -> dict[str, str]:
    found: dict[str, list[str]] = {}
    for name, domain in of.items():
        found.setdefault(domain, []).append(name)
    return {domain: " ".join(sorted(held)) for domain, held in sorted(found.items())}
