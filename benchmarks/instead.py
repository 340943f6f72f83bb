"""What a user would do instead of planning: batches of a fixed percentage, colouring, a solver by itself.

Each gives every machine a number, its wave, and all machines of one number go together. Rules that this breaks are counted here, not by
the judge, who reads plans; the same rules, though: a budget in any wave, an exclusion whose domains share a wave, an order of which
one side isn't over before the other begins. That a domain begun is finished before the next isn't asked of them, which helps them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

import networkx as nx
import numpy as np
from apparatus import measured
from generated import Fleet

from orchestrator.availability.model import Budget, Constraint, Exclusion, Order
from orchestrator.inventory.model import MachineId

COLOURED_UP_TO: Final = 10_000  # machines; beyond, cliques of large budgets have too many edges
EQUITABLE_UP_TO: Final = 1_000  # networkx' equitable colouring is quadratic in colours
SOLVED_UP_TO: Final = 10_000
CP_SAT_S: Final = 60.0

Waves = Mapping[MachineId, int]


def compared(fleet: Fleet, rules: Sequence[Constraint], horizon: int, limit_s: float) -> list[dict[str, Any]]:
    """A row for each way. `horizon` is how many waves the solver may use: it has to be told some number, and a good one helps it."""
    ways: list[tuple[str, int, Callable[[], Waves | None]]] = [
        ("a tenth of a zone at a time, as listed", 10**9, lambda: _batches(fleet, None)),
        ("a tenth of a zone at a time, shuffled", 10**9, lambda: _batches(fleet, 1)),
        ("networkx greedy colouring, every budget as 1", COLOURED_UP_TO, lambda: _greedy(fleet, rules)),
        (
            "networkx equitable colouring, every budget as 1",
            EQUITABLE_UP_TO,
            lambda: _equitable(fleet, rules),
        ),
        (f"CP-SAT alone, {limit_s:g} s", SOLVED_UP_TO, lambda: _solved(fleet, rules, horizon, limit_s)),
    ]
    return [
        _row(what, way, rules) if len(fleet) <= most else {"what": what, "skipped": f"over {most:,} machines"}
        for what, most, way in ways
    ]


def _row(what: str, way: Callable[[], Waves | None], rules: Sequence[Constraint]) -> dict[str, Any]:
    try:
        with measured() as used:
            waves = way()
    except ImportError as error:
        return {"what": what, "skipped": str(error)}
    row = {"what": what, "cpu_s": round(used.cpu_s, 2), "wall_s": round(used.wall_s, 2)}
    if waves is None:
        return {**row, "skipped": "found nothing in its time"}
    return {
        **row,
        "waves": len(set(waves.values())),
        "broken": sum(broken(rules, waves)),
        "rules": len(rules),
    }


def broken(rules: Sequence[Constraint], waves: Waves) -> Iterator[bool]:
    """Of each rule whether these waves break it."""
    for rule in rules:
        match rule:
            case Budget():
                yield max(Counter(waves[m] for m in rule.machines).values()) > rule.limit
            case Order():
                yield max(waves[m] for m in rule.first) >= min(waves[m] for m in rule.then)
            case Exclusion():
                begun = [{waves[m] for m in held} for held in rule.domains.values()]
                yield len(frozenset().union(*begun)) < sum(map(len, begun))


def _batches(fleet: Fleet, seed: int | None) -> Waves:
    """Zones of each region one after another, a tenth of each at a time, regions side by side; who is in no zone counts as one."""
    rows = np.arange(len(fleet))
    if seed is not None:
        np.random.default_rng(seed).shuffle(rows)
    place: Counter[tuple[int, int]] = Counter()
    keys = [(int(fleet.region[row]), int(fleet.zone[row])) for row in rows]
    size = Counter(keys)
    names = fleet.ids()
    waves: dict[MachineId, int] = {}
    for row, key in zip(rows.tolist(), keys, strict=True):
        waves[names[row]] = 10 * (key[1] + 1) + 10 * place[key] // size[key]
        place[key] += 1
    return waves


def _conflicts(fleet: Fleet, rules: Sequence[Constraint]) -> nx.Graph[MachineId]:
    """A colouring knows pairs only: all machines of a budget, and those of different domains, are apart. Orders it can't say."""
    graph: nx.Graph[MachineId] = nx.Graph()
    graph.add_nodes_from(fleet.ids())
    for rule in rules:
        match rule:
            case Budget():
                graph.add_edges_from((a, b) for i, a in enumerate(rule.machines) for b in rule.machines[:i])
            case Exclusion():
                held = list(rule.domains.values())
                graph.add_edges_from(
                    (a, b) for i, one in enumerate(held) for other in held[:i] for a in one for b in other
                )
            case Order():
                graph.add_edges_from((a, b) for a in rule.first for b in rule.then)
    return graph


def _greedy(fleet: Fleet, rules: Sequence[Constraint]) -> Waves:
    colours: Waves = nx.greedy_color(_conflicts(fleet, rules), "largest_first")
    return colours


def _equitable(fleet: Fleet, rules: Sequence[Constraint]) -> Waves:
    graph = _conflicts(fleet, rules)
    colours: Waves = nx.equitable_color(graph, 1 + max(degree for _, degree in graph.degree()))
    return colours


def _solved(fleet: Fleet, rules: Sequence[Constraint], horizon: int, limit_s: float) -> Waves | None:
    """All rules at once, fewest waves. That a domain is finished before the next isn't asked: some can't be, where rules cross."""
    from ortools.sat.python import cp_model

    model = cp_model.CpModel()
    turns = range(horizon)
    at = {name: [model.new_bool_var("") for _ in turns] for name in fleet.ids()}
    last = model.new_int_var(0, horizon - 1, "last")
    wave = {name: model.new_int_var(0, horizon - 1, "") for name in at}
    for name, chosen in at.items():
        model.add_exactly_one(chosen)
        model.add(wave[name] == sum(turn * chosen[turn] for turn in turns))
        model.add(wave[name] <= last)
    for rule in rules:
        match rule:
            case Budget():
                for turn in turns:
                    model.add(sum(at[m][turn] for m in rule.machines) <= rule.limit)
            case Exclusion():
                for turn in turns:
                    begun = [model.new_bool_var("") for _ in rule.domains]
                    model.add_at_most_one(begun)
                    for one, held in zip(begun, rule.domains.values(), strict=True):
                        for machine in held:
                            model.add_implication(at[machine][turn], one)
            case Order():
                over = model.new_int_var(0, horizon - 1, "")
                for machine in rule.first:
                    model.add(wave[machine] < over)
                for machine in rule.then:
                    model.add(over <= wave[machine])
    model.minimize(last)
    solver = cp_model.CpSolver()
    solver.parameters.max_time_in_seconds = limit_s
    solver.parameters.num_workers = 2
    if solver.solve(model) not in {cp_model.OPTIMAL, cp_model.FEASIBLE}:
        return None
    return {name: solver.value(var) for name, var in wave.items()}
