"""Orders that loop on a fleet. Few rules can take part in a loop; only these are compiled."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import reduce
from operator import or_

import networkx as nx

from orchestrator.errors import PolicyError, Problem
from orchestrator.planner.drafts import Drafted
from orchestrator.planner.groups import Groups, Scope
from orchestrator.planner.orders import draft_orders, refuse_loops
from orchestrator.policy.index import Mask
from orchestrator.policy.model import OrderRule
from orchestrator.review.counting import Held
from orchestrator.review.fleet import Fleet
from orchestrator.topology.graph import build


def of_loops(rules: Iterable[Held], fleet: Fleet) -> Iterator[Problem]:
    """An error for each rule of a loop. A rule whose later machines are the earlier ones of another may lead to it."""
    orders = [(held, *_ends(held, fleet)) for held in rules if isinstance(held.rule, OrderRule)]
    seen = shared = 0
    for _, first, then in orders:
        shared |= seen & (first | then)
        seen |= first | then
    leads: nx.DiGraph[int] = nx.DiGraph()
    starts: dict[int, list[int]] = {}
    for number, (_, first, _) in enumerate(orders):
        for place in fleet.index.places(first & shared).tolist():
            starts.setdefault(place, []).append(number)
    for number, (_, _, then) in enumerate(orders):
        for place in fleet.index.places(then & shared).tolist():
            leads.add_edges_from((number, other) for other in starts.get(place, ()) if other != number)
    for component in sorted(map(sorted, nx.strongly_connected_components(leads))):
        if len(component) > 1:
            yield from _refused([orders[number][0] for number in component], fleet)


def _ends(held: Held, fleet: Fleet) -> tuple[Mask, Mask]:
    """The machines that come before others, and those that come after others."""
    assert isinstance(held.rule, OrderRule)
    masks: list[Mask] = []
    earlier = 0
    for entry in held.rule.sequence:
        mask = held.machines & fleet.index.mask(entry) & ~earlier
        masks.append(mask)
        earlier |= mask
    return reduce(or_, masks[:-1], 0), reduce(or_, masks[1:], 0)


def _refused(rules: Iterable[Held], fleet: Fleet) -> Iterator[Problem]:
    """What the planner says of these rules on their machines."""
    rules = list(rules)
    everybody = reduce(or_, (held.machines for held in rules))
    machines = tuple(fleet.index.members(everybody))
    topology = build(replace(fleet.inventory, machines=machines))
    groups = Groups(topology)
    drafted: list[Drafted] = []
    for held in rules:
        assert isinstance(held.rule, OrderRule)
        members = tuple(sorted(machine.id for machine in fleet.index.members(held.machines)))
        drafted.append(draft_orders(held.rule, Scope(held.subject.policy.name, members), groups))
    try:
        refuse_loops([order for draft in drafted for order in draft.orders], frozenset(topology.machines))
    except PolicyError as error:
        yield from error.problems
