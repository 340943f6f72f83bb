"""What is asked of wide exclusions."""

from __future__ import annotations

from orchestrator.availability.model import Constraint
from orchestrator.planner.cells import Numbered
from orchestrator.planner.demands import Asked, asked_of, leading_of
from orchestrator.planner.nesting import Nesting
from tests.builders import budget, exclusion, order
from tests.unit.planner.dividing import named, rules_of

NAMES = "d1 d2 w1 w2 e1 x2 u1 v1 v2"
"""An application of databases and web servers, one whose second tier is in zone 2, and machines in no order."""

ZONES = exclusion({"z1": "d1 w1 e1 u1 v1", "z2": "d2 w2 x2 v2"})
ORDERS = (order("d1 d2", "w1 w2"), order("e1", "x2"))


def asked(*rules: Constraint, names: str = NAMES) -> tuple[Numbered, list[Asked]]:
    """Of all machines as one lane."""
    numbered = rules_of(names, *rules)
    everything = range(len(numbered.machines))
    nest = Nesting(numbered, numbered.view(everything))
    lane = Numbered(numbered, everything, nest)
    return lane, asked_of(lane)


def told(lane: Numbered, one: Asked) -> dict[str, object]:
    """What each unit asks for, by the machines of its sides."""
    sides: dict[int, list[str]] = {}
    for (unit, _), members in sorted(one.sides.items()):
        sides.setdefault(unit, []).append(named([lane.rules.machines[lane.classes[m]] for m in members]))
    return {" > ".join(held): one.demands[unit] for unit, held in sides.items()}


def test_a_unit_asks_for_waves_of_each_domain_side_by_side() -> None:
    """Each side what is proven for it alone; machines in no order are one unit."""
    lane, (found,) = asked(ZONES, *ORDERS, budget(1, "u1 v1 v2"))

    assert told(lane, found) == {
        "d1 d2 > w1 w2": ((1, 1), (1, 1)),
        "e1 > x2": ((1, 0), (0, 1)),
        "u1 v1 v2": ((2, 1),),
    }
    assert found.tree.paths() == [(0,), (1,)]
    assert found.tree.uncut == [False]


def test_who_asks_no_more_than_another_is_not_looked_at() -> None:
    """All others go while d and w do."""
    lane, (found,) = asked(ZONES, *ORDERS)

    assert [found.demands[one] for one in found.leading] == [told(lane, found)["d1 d2 > w1 w2"]]


def test_sides_are_matched_in_their_order() -> None:
    """What needs much of the first zone late isn't served by what needs it early."""
    assert leading_of({1: ((2, 0), (0, 1)), 2: ((0, 1), (1, 0))}) == [1, 2]
    assert leading_of({1: ((2, 1), (0, 1)), 2: ((0, 1), (0, 1))}) == [1]
    assert leading_of({1: ((2, 1), (0, 1)), 2: ((1, 0),)}) == [1]


def test_exclusions_nest_and_one_that_lies_across_is_left_out() -> None:
    """Zones within a region; a pair of applications that never go together stands in both regions."""
    regions = exclusion({"r1": "d1 d2 u1 v1 v2", "r2": "w1 w2 e1 x2"}, level=0)
    zones = exclusion({"z1": "d1 u1 v1", "z2": "d2 v2"}, level=2)
    rivals = exclusion({"a": "d1 w1", "b": "e1 u1"}, level=4)
    _, (found,) = asked(regions, zones, rivals, *ORDERS)

    assert found.tree.paths() == [(1,), (0, 2), (0, 3)]
    assert found.tree.uncut == [True, True]
    assert found.tree.before == [(0, 1)]


def test_an_exclusion_of_few_is_not_wide() -> None:
    """One in more than sixty-four of all machines; nor is one within a single unit."""
    many = " ".join(f"m{n:03}" for n in range(200))
    few = exclusion({"x": "m000", "y": "m001 m002"})
    assert asked(few, order("m000", "m001"), budget(9, many), names=many)[1] == []
    own = exclusion({"x": "d1 w1", "y": "d2 w2"})
    assert asked(own, *ORDERS, budget(3, NAMES))[1] == []
