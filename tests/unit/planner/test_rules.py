"""Constraints by numbers."""

from __future__ import annotations

from orchestrator.planner.rules import FIRST, THEN, components, members
from tests.builders import budget, exclusion, ids, order
from tests.unit.planner.dividing import rules_of


def test_constraints_are_numbered_from_the_outermost_in() -> None:
    """Exclusions by level, then orders, then budgets; caps, which bind no wave, not at all."""
    inner, outer = exclusion({"x": "a", "y": "b"}, level=2), exclusion({"p": "a", "q": "b"}, level=0)
    rules = rules_of("a b", budget(1, "a b"), order("a", "b"), inner, budget(1, "a b", cap=True), outer)

    assert [outer.id, inner.id, order("a", "b").id, budget(1, "a b").id] == [
        rule.id for rule in rules.constraints
    ]


def test_a_view_tells_who_stands_in_which_part() -> None:
    """Machines that aren't changed are nobody's concern here."""
    rules = rules_of("a b c", order("a gone", "b"), budget(1, "b c gone"))

    assert rules.view([0, 1, 2]) == {0: {FIRST: [0], THEN: [1]}, 1: {0: [1, 2]}}
    assert rules.view([0]) == {0: {FIRST: [0]}}


def test_only_what_binds_joins() -> None:
    """A budget of two joins three machines, and not two of them; an exclusion joins once two of its domains are there."""
    rules = rules_of("a b c d e f", budget(2, "a b c"), exclusion({"x": "d e", "y": "f"}))

    assert components(rules, range(6), rules.view(range(6))) == [[0, 1, 2], [3, 4, 5]]
    assert components(rules, [0, 1, 3, 4], rules.view([0, 1, 3, 4])) == [[0], [1], [3], [4]]


def test_components_are_joined_through_others() -> None:
    """Rules join a with b and b with c: one component; whoever shares nothing is alone."""
    rules = rules_of("a b c d", budget(1, "a b"), order("b", "c"))

    assert components(rules, range(4), rules.view(range(4))) == [[0, 1, 2], [3]]


def test_every_machine_that_a_constraint_names() -> None:
    """Of all three kinds."""
    assert ids("a b") == tuple(members(budget(1, "a b")))
    assert ids("a b c") == tuple(members(exclusion({"x": "a b", "y": "c"})))
    assert ids("a b") == tuple(members(order("a", "b")))
