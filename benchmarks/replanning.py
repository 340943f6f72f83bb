"""What planning the rest of a plan anew costs, lane by lane: part of `planning.py`.

Latencies are CPU milliseconds of single replans, of rules that chance chooses: a budget that bound loses a place before anything was
begun; with half of the waves begun of every lane that waits for none; and a budget over several lanes that bound nobody has
less room than all of them take at once. Worst besides: every budget of the plan loses a place at once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median
from typing import Final

import numpy as np
from apparatus import measured

from orchestrator.availability.model import Budget
from orchestrator.planner.model import Plan
from orchestrator.planner.replan import Replanner, Standing

REPLANS: Final = 100
"""Budgets that shrink, each by itself, of each kind."""


def replanning(made: Plan, seed: int) -> dict[str, float]:
    """Milliseconds: of the index, and the median, 99th percentile and worst of each kind of replan; how many changed something."""
    chance = np.random.default_rng(seed)
    with measured() as used:
        kept = Replanner(made)
    found = {"index": round(1000 * used.cpu_s, 1)}
    half = {lane.id: len(lane.waves) // 2 for lane in made.lanes if not lane.after}
    budgets = [rule for rule in made.constraints if isinstance(rule, Budget) and not rule.cap]
    lanes = {machine: lane.id for lane in made.lanes for wave in lane.waves for machine in wave.machines}
    wide = [rule for rule in budgets if rule.limit > 1]
    held = {rule.id: [lanes[m] for m in rule.machines if m in lanes] for rule in wide}
    slack = [rule for rule in wide if len(held[rule.id]) <= rule.limit and len(set(held[rule.id])) > 1]
    for what, rules, begun in (
        ("a machine is out", wide, {}),
        ("half done, a machine is out", wide, half),
        ("a rule that bound nobody begins to", slack, {}),
    ):
        if rules:
            found |= _told(what, _each(kept, rules, begun, held, chance))
    with measured() as used:
        kept.replan(Standing(half, {rule.id: rule.limit - 1 for rule in wide}))
    return {**found, "every budget at once": round(1000 * used.cpu_s, 1)}


def _each(
    kept: Replanner,
    rules: Sequence[Budget],
    begun: Mapping[str, int],
    held: Mapping[str, Sequence[str]],
    chance: np.random.Generator,
) -> list[tuple[float, bool]]:
    """CPU milliseconds of each, and whether it changed anything. The largest budget is always among them."""
    chosen = chance.choice(len(rules), min(REPLANS, len(rules)), replace=False).tolist()
    largest = max(range(len(rules)), key=lambda at: len(rules[at].machines))
    taken = []
    for at in dict.fromkeys([*chosen, largest]):
        rule = rules[at]
        standing = Standing(begun, {rule.id: min(rule.limit, max(2, len(held[rule.id]))) - 1})
        with measured() as used:
            changes = kept.replan(standing).changes
        taken.append((1000 * used.cpu_s, changes))
    return taken


def _told(what: str, taken: Sequence[tuple[float, bool]]) -> dict[str, float]:
    costs = sorted(cost for cost, _ in taken)
    return {
        what: round(median(costs), 2),
        f"{what}, p99": round(costs[min(len(costs) - 1, int(0.99 * len(costs)))], 2),
        f"{what}, worst": round(costs[-1], 2),
        f"{what}, changed": round(sum(changes for _, changes in taken) / len(taken), 3),
    }
