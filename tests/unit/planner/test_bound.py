"""How few waves a lane can have, and the sentence that proves it."""

from __future__ import annotations

import pytest

from orchestrator.availability.model import Constraint
from orchestrator.planner.bound import because, prove
from tests.builders import budget, exclusion, order
from tests.unit.planner.dividing import rules_of


@pytest.mark.parametrize(
    ("names", "constraints", "waves"),
    [
        ("a", (), 1),
        ("a b c", (), 1),
        ("a b c d e", (budget(2, "a b c d e"),), 3),
        ("a b c d e", (budget(2, "a b c d e"), budget(1, "a b c d")), 4),
        ("a b c", (exclusion({"x": "a", "y": "b", "z": "c"}),), 3),
        ("a b c d", (exclusion({"x": "a b c", "y": "d"}), budget(1, "a b c")), 4),
        ("a b c d", (order("a b", "c d"), budget(1, "a b"), budget(1, "c d")), 4),
        ("a b c", (order("a", "b"), order("b", "c"), order("a", "c")), 3),
        # two domains, an order within one of them
        ("a b c d", (exclusion({"x": "a b", "y": "c d"}), order("a", "b")), 3),
        # an order across, an exclusion on one of its sides
        ("a b c d", (order("a", "b c d"), exclusion({"x": "b", "y": "c"}), budget(1, "c d")), 3),
        # what comes before both and what comes after one of them chain through a side within a side
        ("a b c d", (order("a", "b c"), order("b", "d")), 3),
    ],
)
def test_the_bound_nests(names: str, constraints: tuple[Constraint, ...], waves: int) -> None:
    """Budgets within domains, domains within sides of orders, chains of orders."""
    rules = rules_of(names, *constraints)

    assert waves == prove(rules, range(len(rules.machines))).waves


def test_the_sentence_holds_every_term() -> None:
    """From the outside in; whoever reads it needs nothing else to check it."""
    rules = rules_of(
        "a b c d e", exclusion({"zone 1": "a b c", "zone 2": "d e"}), budget(1, "a b c"), budget(1, "d e")
    )

    assert because(rules, prove(rules, range(5))) == (
        "one of zone 1, zone 2 at a time: zone 1 3 + zone 2 2; "
        "zone 1: 3 machines, 1 at a time (at most 1 of 3); zone 2: 2 machines, 1 at a time (at most 1 of 2)"
    )


def test_orders_are_told_in_their_sequence() -> None:
    """A chain of two orders names both."""
    rules = rules_of("a b c", order("a", "b"), order("b", "c"))

    assert because(rules, prove(rules, range(3))) == "a before b, b before c: first 1 + then 1 + then 1"


def test_a_lane_without_a_binding_rule_needs_one_wave() -> None:
    """And says so."""
    rules = rules_of("a b", budget(2, "a b"))

    assert because(rules, prove(rules, range(2))) == "whatever is changed takes a wave"


def test_a_proof_gives_up_rather_than_go_on_forever() -> None:
    """Exclusions that all cross each other could be nested in any order; what is found in time is still valid."""
    names = " ".join(f"m{n:02}" for n in range(64))
    crossing = [
        exclusion({f"d{part}": " ".join(n for i, n in enumerate(names.split()) if i * shift % 7 == part) for part in range(7)}, level=shift)
        for shift in range(1, 7)
    ]  # fmt: skip
    rules = rules_of(names, *crossing)

    assert prove(rules, range(64)).waves >= 7
