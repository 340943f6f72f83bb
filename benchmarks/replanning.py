"""What planning the rest of a plan anew costs, lane by lane: part of `planning.py`.

Latencies are CPU milliseconds of single replans, of rules that chance chooses: a budget that bound loses a place before anything was
begun; with half of the waves begun of every lane that waits for none; and a budget that bound nobody, over machines of any lanes, comes
down to half of these. Worst besides: every budget of the plan loses a place at once.

Rules that bind nobody are no part of a generated fleet; they are added to the plan here, as a rule stands in one that counts many
machines of which few are changed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from statistics import median
from typing import Final

import numpy as np
from apparatus import measured

from orchestrator.availability.model import Budget
from orchestrator.planner.model import Plan
from orchestrator.planner.replan import Replanner, Standing
from orchestrator.policy.model import Origin

REPLANS: Final = 100
"""Budgets that shrink, each by itself, of each kind."""


def replanning(made: Plan, seed: int) -> dict[str, float]:
    """Milliseconds: of the index, and the median, 99th percentile and worst of each kind of replan; how many changed something."""
    chance = np.random.default_rng(seed)
    slack = list(_slack(made, chance))
    with measured() as used:
        kept = Replanner(replace(made, constraints=(*made.constraints, *slack)))
    found = {"index": round(1000 * used.cpu_s, 1)}
    half = {lane.id: len(lane.waves) // 2 for lane in made.lanes if not lane.after}
    wide = [rule for rule in made.constraints if isinstance(rule, Budget) and not rule.cap and rule.limit > 1]
    for what, rules, begun in (
        ("a machine is out", wide, {}),
        ("half done, a machine is out", wide, half),
        ("a rule that bound nobody begins to", slack, {}),
    ):
        if rules:
            found |= _told(what, _each(kept, rules, begun, chance))
    with measured() as used:
        kept.replan(Standing(half, {rule.id: rule.limit - 1 for rule in wide}))
    return {**found, "every budget at once": round(1000 * used.cpu_s, 1)}


def _slack(made: Plan, chance: np.random.Generator) -> Iterator[Budget]:
    """Budgets that let everybody go: over 10 to 60 machines, wherever these are."""
    machines = [machine.id for machine in made.machines]
    for number in range(REPLANS):
        size = min(len(machines), int(chance.integers(10, 61)))
        held = tuple(
            machines[at] for at in sorted(chance.choice(len(machines), size, replace=False).tolist())
        )
        yield Budget(
            f"budget:slack {number}", held, size, f"at most {size} of {size}", Origin("generated", 1)
        )


def _each(
    kept: Replanner,
    rules: Sequence[Budget],
    begun: Mapping[str, int],
    chance: np.random.Generator,
) -> list[tuple[float, bool]]:
    """CPU milliseconds of each, and whether it changed anything. The largest budget is always among them."""
    chosen = chance.choice(len(rules), min(REPLANS, len(rules)), replace=False).tolist()
    largest = max(range(len(rules)), key=lambda at: len(rules[at].machines))
    taken = []
    for at in dict.fromkeys([*chosen, largest]):
        rule = rules[at]
        binds = rule.limit < len(rule.machines)
        standing = Standing(begun, {rule.id: rule.limit - 1 if binds else rule.limit // 2})
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
