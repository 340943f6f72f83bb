"""How far a demand is after some waves."""

from __future__ import annotations

from collections.abc import Sequence

from orchestrator.planner.demands import NOWHERE, Demand, Tree
from orchestrator.planner.progress import Paths, States, windows


def zones(count: int, *, regions: int = 0) -> Paths:
    """A tree of so many zones; or of so many regions, with zones in the first."""
    tree = Tree()
    around = tree.add(NOWHERE, regions, uncut=False) if regions else NOWHERE
    tree.add(around, count, uncut=False)
    return Paths(tree)


def left(paths: Paths, demand: Demand, ways: Sequence[int]) -> tuple[int, ...]:
    """What is still needed at least after these waves."""
    states = States(paths)
    state = states.start(demand)
    for way in ways:
        state = states.after(state, way)
    return states.least[state]


def test_a_side_begins_when_the_one_before_it_is_done() -> None:
    """Not in the same wave."""
    paths = zones(2)
    demand = ((1, 0), (1, 1))
    assert left(paths, demand, []) == (2, 1)
    assert left(paths, demand, [1]) == (2, 1)
    assert left(paths, demand, [0]) == (1, 1)
    assert left(paths, demand, [0, 1, 0]) == (0, 0)


def test_a_domain_that_was_begun_is_finished_before_another() -> None:
    """Zone 0 needs two waves. Begun in the first, it keeps zone 1 from going in the second; not begun, it needs both later."""
    paths = zones(2)
    assert windows(paths, ((2, 1),), [0, 1, 0]) == []
    assert windows(paths, ((2, 1),), [0, 1, 0, 1]) == [{0: (0, 2), 1: (3, 3)}]
    assert windows(paths, ((2, 1),), [0, 1, 0, 0]) == [{1: (1, 1), 0: (2, 3)}]


def test_a_region_takes_what_its_zones_take() -> None:
    """And what it needs beside them, in any of its zones."""
    paths = zones(2, regions=2)
    assert paths.all == [(1,), (0, 2), (0, 3)]
    demand = ((3, 1, 1, 1),)
    assert left(paths, demand, [1, 1]) == (1, 1, 0, 1)
    assert windows(paths, demand, [1, 1, 2, 0]) == [{0: (0, 2), 2: (0, 0), 3: (2, 2), 1: (3, 3)}]


def test_waves_that_do_not_suffice_give_as_many_windows_as_they_do() -> None:
    """The sides that end within them."""
    assert windows(zones(2), ((1, 0), (0, 1), (1, 0)), [0, 1]) == [{0: (0, 0)}, {1: (1, 1)}]
