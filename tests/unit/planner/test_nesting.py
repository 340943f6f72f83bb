"""Which rules cut the domains of an exclusion."""

from __future__ import annotations

from orchestrator.planner.nesting import crossed_by, cut_by, depths, sequence
from tests.builders import exclusion, order
from tests.unit.planner.dividing import rules_of


def test_domains_come_in_an_order_that_orders_allow() -> None:
    """By name where there is a choice; the one that was gone through last comes first if it may."""
    rules = rules_of("a b c", exclusion({"x": "a", "y": "b", "z": "c"}), order("c", "a"))
    view = rules.view(range(3))

    assert sequence(rules, view, 0) == [1, 2, 0]
    assert sequence(rules, view, 0, first=2) == [2, 0, 1]
    assert sequence(rules, view, 0, first=0) == [1, 2, 0]


def test_orders_lead_through_machines_that_stand_in_no_domain() -> None:
    """Before a comes r, before r comes b: so y before x."""
    rules = rules_of("a b r", exclusion({"x": "a", "y": "b"}), order("b", "r"), order("r", "a"))

    assert sequence(rules, rules.view(range(3)), 0) == [1, 0]


def test_orders_across_domains_in_both_directions_cut_them() -> None:
    """Databases of both zones before web servers of both zones: no zone is finished in one go."""
    rules = rules_of("d1 w1 d2 w2", exclusion({"z1": "d1 w1", "z2": "d2 w2"}), order("d1 d2", "w1 w2"))
    view = rules.view(range(4))

    assert sequence(rules, view, 0) is None
    assert crossed_by(rules, view, 0) == (1,)
    assert cut_by(rules, view, 0) == (1,)


def test_an_outer_exclusion_cuts_a_domain_that_stands_in_several_of_its_own() -> None:
    """A cell that spans zones; not the other way round, and not a cell within one zone."""
    zones = exclusion({"z1": "a b", "z2": "c d"}, level=1)
    spanning = exclusion({"c1": "a c", "c2": "b d"}, level=2)
    within = exclusion({"k1": "a", "k2": "b"}, level=3)
    rules = rules_of("a b c d", zones, spanning, within)
    view = rules.view(range(4))

    assert [cut_by(rules, view, number) for number in range(3)] == [(), (0,), ()]


def test_a_domain_partly_outside_the_outer_ones_is_cut_too() -> None:
    """Of one cell, a stands in zone 1 and e in no zone."""
    rules = rules_of(
        "a b e", exclusion({"z1": "a", "z2": "b"}, level=1), exclusion({"c": "a e", "k": "b"}, level=2)
    )

    assert cut_by(rules, rules.view(range(3)), 1) == (0,)


def test_what_cuts_an_exclusion_cuts_those_within() -> None:
    """Orders cut zones, so they cut what is inside zones."""
    rules = rules_of(
        "d1 w1 d2 w2",
        exclusion({"z1": "d1 w1", "z2": "d2 w2"}, level=1),
        exclusion({"u1": "d1", "u2": "w1"}, level=2),
        order("d1 d2", "w1 w2"),
    )

    assert cut_by(rules, rules.view(range(4)), 1) == (2,)


def test_depth_is_how_many_orders_lead_to_a_machine() -> None:
    """The longest way counts."""
    rules = rules_of("a b c d", order("a", "b"), order("b", "c"), order("a", "c d"))

    assert depths(rules, rules.view(range(4)), range(3)) == {0: 0, 1: 1, 2: 2, 3: 1}
