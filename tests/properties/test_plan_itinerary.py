"""Never: an itinerary that doesn't serve everybody, or one shorter than any can be; a guided plan that breaks a rule."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby, product

from hypothesis import event, given, settings
from hypothesis import strategies as st

from orchestrator.planner.demands import NOWHERE, Demand, Needs, Tree
from orchestrator.planner.itinerary import Searcher
from orchestrator.planner.progress import Paths, States, windows
from tests.unit.planner.applications import applications
from tests.unit.planner.test_guided import packed

MOST = 6
"""Waves up to which everything is tried."""


@st.composite
def askings(draw: st.DrawFn) -> tuple[Tree, list[Demand]]:
    """Two or three zones, or a region of two and another one; one to three units of one or two sides."""
    tree = Tree()
    if draw(st.booleans()):
        tree.add(tree.add(NOWHERE, 2, uncut=draw(st.booleans())), 2, uncut=False)
    else:
        tree.add(NOWHERE, draw(st.integers(2, 3)), uncut=draw(st.booleans()))
    one_side = st.lists(st.integers(0, 2), min_size=len(tree.rule), max_size=len(tree.rule)).map(
        lambda needs: _whole(tree, needs)
    )
    sides = st.lists(one_side.filter(any), min_size=1, max_size=2).map(tuple)
    return tree, draw(st.lists(sides, min_size=1, max_size=3))


def _whole(tree: Tree, needs: list[int]) -> Needs:
    """With no place that needs less than those inside it."""
    for place in reversed(range(len(needs))):
        needs[place] = max(needs[place], sum(needs[inner] for inner in tree.inside[place]))
    return tuple(needs)


def served(tree: Tree, demand: Demand, ways: Sequence[tuple[int, ...]]) -> bool:
    """By trying all that a unit may do in each wave, the slow way."""

    def from_(wave: int, side: int, left: Needs, begun: frozenset[int]) -> bool:
        if not any(left):
            return side + 1 == len(demand) or from_(wave, side + 1, demand[side + 1], frozenset())
        if wave == len(ways):
            return False
        path = ways[wave]
        for depth in range(len(path) + 1):
            gone = path[:depth]
            if any(not left[place] for place in gone) or any(
                other not in gone and tree.rule[other] == tree.rule[place]
                for place in gone
                for other in begun
            ):
                continue
            now = list(left)
            for place in reversed(gone):
                now[place] = max(now[place] - 1, sum(now[inner] for inner in tree.inside[place]))
            open_ = frozenset(place for place in begun | set(gone) if now[place])
            if from_(wave + 1, side, tuple(now), open_):
                return True
        return False

    return from_(0, 0, demand[0], frozenset())


@settings(max_examples=150, deadline=None)
@given(askings(), st.data())
def test_a_demand_is_done_when_it_can_be(asking: tuple[Tree, list[Demand]], data: st.DataObject) -> None:
    """As soon as anything that a unit may do leads to its end; its windows then tell of every side."""
    tree, demands = asking
    paths = Paths(tree)
    ways = data.draw(st.lists(st.integers(0, len(paths.all) - 1), max_size=9))
    states = States(paths)
    for demand in demands:
        state = states.start(demand)
        for way in ways:
            state = states.after(state, way)
        event(f"done {states.done[state]}")
        assert states.done[state] == served(tree, demand, [paths.all[way] for way in ways])
        assert (len(windows(paths, demand, ways)) == len(demand)) == states.done[state]


@settings(max_examples=60, deadline=None)
@given(askings())
def test_an_itinerary_serves_everybody_and_takes_no_longer_than_one_alone_needs(
    asking: tuple[Tree, list[Demand]],
) -> None:
    """Uncut domains are finished one before another. Where all are tried, no unit that is alone could be served sooner."""
    tree, demands = asking
    if any(tree.uncut):  # what needs a domain before another and again after it would cut it
        demands = [demand[:1] for demand in demands]
    paths = Paths(tree)
    found = Searcher(paths).find(demands, 40)
    assert found is not None
    ways = [paths.all[way] for way in found]
    assert all(served(tree, demand, ways) for demand in demands)
    for rule in (rule for rule, uncut in enumerate(tree.uncut) if uncut):
        at = [place for path in ways for place in path if tree.rule[place] == rule]
        assert len(list(groupby(at))) == len(set(at))
    if len(found) <= MOST:
        shorter = any(
            all(served(tree, demand, tried) for demand in demands)
            for tried in product(paths.all, repeat=len(found) - 1)
        )
        event(f"a shorter one: {shorter}")
        assert not shorter or len(demands) > 1


@settings(max_examples=40, deadline=None)
@given(st.integers(2, 9), st.integers(0, 10_000), st.integers(0, 9))
def test_guided_lanes_keep_every_rule(count: int, seed: int, across: int) -> None:
    """Applications in zones that go one at a time, and a budget across: nobody is lost, nothing is below the bound."""
    names, rules = applications(count, seed, across=min(across, count) if across > 1 else 0)
    waves, bound = packed(names, rules)
    event(f"above the bound: {waves - bound}")
    assert waves >= bound
