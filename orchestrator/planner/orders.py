"""`order` to orders, and orders that loop.

Each two entries of a list become an order, not only neighbours: if everything in the middle is left out while a rollout
runs, the first still comes before the last.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from graphlib import CycleError, TopologicalSorter
from itertools import combinations

from orchestrator.availability.model import Order
from orchestrator.errors import PolicyError, Problem
from orchestrator.inventory.model import MachineId
from orchestrator.planner.conflict import smallest_conflict
from orchestrator.planner.drafts import Drafted, Nothing, content_id, listed, machines
from orchestrator.planner.groups import Groups, Scope
from orchestrator.policy import codes, words
from orchestrator.policy.model import OrderRule, Origin
from orchestrator.policy.select import matcher


def draft_orders(rule: OrderRule, scope: Scope, groups: Groups) -> Drafted:
    """The orders of each group of the rule. A machine stands where the first selector that matches it does."""
    names = [words.selector(selector) for selector in rule.sequence]
    drafted = Drafted(words.rule(rule), rule.origin)
    drafted.warn_of_outsiders(scope, groups, rule.per)
    place = _places(rule, scope, groups)
    for group in groups.divided(scope, _per(rule, drafted, scope, groups), whole=False):
        entries: list[list[MachineId]] = [[] for _ in rule.sequence]
        for machine in group.members:
            if machine in place:
                entries[place[machine]].append(machine)
        pairs = [
            (one, other)
            for one, other in combinations(range(len(entries)), 2)
            if entries[one] and entries[other]
        ]
        if not pairs:
            drafted.nothing.append(Nothing("fewer than two of its entries have machines", group.name))
        for one, other in pairs:
            where = f" in {group.name}" if group.groups else ""
            drafted.orders.append(
                Order(
                    id=content_id("order", entries[one], entries[other]),
                    first=tuple(entries[one]),
                    then=tuple(entries[other]),
                    what=f"{names[one]} before {names[other]}{where}",
                    origin=rule.origin,
                )
            )
    return drafted


def _per(rule: OrderRule, drafted: Drafted, scope: Scope, groups: Groups) -> tuple[str, ...]:
    """By what the rule divides. Where machines may be in any back-end pool, the order holds for all, which is the careful case."""
    unknown = groups.unpooled(scope, rule.per)
    if not unknown:
        return rule.per
    drafted.warn(
        f"{drafted.rule}: it holds for all of {scope.name} together, since the back-end pools of "
        f"{machines(len(unknown))} aren't known ({listed(unknown)})"
    )
    return ()


def refuse_loops(orders: Sequence[Order], moving: frozenset[MachineId]) -> None:
    """Orders of several rules that no sequence can keep.

    A machine that isn't changed satisfies every order, so only those that move can close a loop.

    Raises:
        PolicyError: naming each rule of the loop with its file and line, and machines of the loop.
    """
    if len({order.origin for order in orders}) < 2:
        return  # entries of one list follow each other
    cycle = _cycle(orders, moving)
    if cycle is None:
        return

    def of(origins: Iterable[Origin]) -> list[Order]:
        wanted = frozenset(origins)
        return [order for order in orders if order.origin in wanted]

    looping = sorted({order.origin for order in orders if order.id in cycle})
    few = smallest_conflict(looping, lambda some: _cycle(of(some), moving) is None)
    narrowed = of(few.entries)
    cycle = _cycle(narrowed, moving) or cycle
    through = sorted(MachineId(node) for node in cycle - {order.id for order in narrowed})
    raise PolicyError(list(_problems([order for order in narrowed if order.id in cycle], through)))


def _cycle(orders: Iterable[Order], moving: frozenset[MachineId]) -> frozenset[str] | None:
    """Orders, by id, and machines that close a loop; None if there is none."""
    graph: TopologicalSorter[str] = TopologicalSorter()
    for order in orders:
        graph.add(order.id, *(machine for machine in order.first if machine in moving))
        for machine in order.then:
            graph.add(machine, order.id)
    try:
        graph.prepare()
    except CycleError as error:
        return frozenset(error.args[1])
    return None


def _problems(loop: Iterable[Order], through: Sequence[MachineId]) -> Iterator[Problem]:
    rules = sorted({(order.origin, order.what) for order in loop})
    for origin, what in rules:
        others = "; ".join(f"{other} ({place})" for place, other in rules if (place, other) != (origin, what))
        told = f"this order and others loop, so no sequence keeps them: {what}, and {others} (machines: {listed(through)})"
        yield origin.problem(told, "take one of them back, or narrow it", codes.LOOP)


def _places(rule: OrderRule, scope: Scope, groups: Groups) -> dict[MachineId, int]:
    tests = [matcher(selector) for selector in rule.sequence]
    places: dict[MachineId, int] = {}
    for machine in scope.selected:
        held = groups.topology.machine(machine)
        for place, test in enumerate(tests):
            if test(held):
                places[machine] = place
                break
    return places
