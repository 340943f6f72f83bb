"""Short sequences of domains that serve everybody."""

from __future__ import annotations

from orchestrator.planner.demands import NOWHERE, Tree
from orchestrator.planner.itinerary import Searcher
from orchestrator.planner.progress import Paths
from tests.unit.planner.test_progress import zones


def test_what_serves_one_serves_others_in_passing() -> None:
    """Each takes six waves by itself, in its own order, and so do both together."""
    paths = zones(3)
    demands = [((1, 1, 1), (1, 1, 1)), ((1, 1, 1), (1, 1, 1))]
    found = Searcher(paths).find(demands, 20)
    assert found is not None
    assert len(found) == 6


def test_what_is_asked_for_in_opposite_order_takes_longer_than_any_alone() -> None:
    """Three waves of zone 0 and then zone 1, and the other way round: seven, where the most that is needed of each comes to four."""
    found = Searcher(zones(2)).find([((2, 0), (0, 2)), ((0, 2), (2, 0))], 20)
    assert found is not None
    assert len(found) == 6
    assert Searcher(zones(2)).find([((2, 0), (0, 2)), ((0, 2), (2, 0))], 5) is None


def test_an_uncut_domain_is_finished_by_all_before_another_begins() -> None:
    """And what orders put first goes first."""
    tree = Tree()
    tree.add(NOWHERE, 2, uncut=True)
    assert Searcher(Paths(tree)).find([((1, 2),), ((2, 0),)], 20) in ([0, 0, 1, 1], [1, 1, 0, 0])
    tree.before.append((1, 0))
    assert Searcher(Paths(tree)).find([((1, 2),), ((2, 0),)], 20) == [1, 1, 0, 0]


def test_the_search_ends_with_what_is_enough() -> None:
    """The same question gives the same answer, whatever was asked before."""
    searcher = Searcher(zones(3))
    demands = [((1, 2, 1), (2, 1, 1)), ((2, 1, 1), (1, 1, 2)), ((1, 1, 1), (1, 1, 1))]
    shortest = searcher.find(demands, 20)
    assert shortest is not None
    assert searcher.find(demands, 20) == shortest
    assert len(searcher.find(demands, 20, enough=20) or ()) >= len(shortest)
