"""Narrowing down what can't hold together."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.planner.conflict import Conflict, conflict_of_rules, in_words, smallest_conflict
from tests.builders import budget, exclusion, ids, order


@given(
    st.sets(st.integers(0, 11), min_size=1, max_size=12),
    st.lists(st.sets(st.integers(0, 11), min_size=1, max_size=4), max_size=3),
)
def test_none_of_what_is_left_can_be_spared(first: set[int], more: list[set[int]]) -> None:
    """Whichever sets can't hold together: what is found is one of them, and any part of it holds."""
    bad = [first, *more]

    def feasible(some: Sequence[int]) -> bool:
        return not any(one <= set(some) for one in bad)

    found = smallest_conflict(range(12), feasible, tries=1000)

    assert found.minimal
    assert not feasible(found.entries)
    assert all(feasible(part) for part in combinations(found.entries, len(found.entries) - 1))


def test_work_is_bounded() -> None:
    """What is left when tries run out can't hold together either, and isn't called minimal."""
    asked: list[int] = []

    def feasible(some: Sequence[int]) -> bool:
        asked.append(len(some))
        return not {3, 700} <= set(some)

    found = smallest_conflict(range(1000), feasible, tries=5)

    assert len(asked) == found.tries == 5
    assert {3, 700} <= set(found.entries)
    assert (found.minimal, len(found.entries) < 1000) == (False, True)
    assert smallest_conflict(range(1000), feasible, tries=0) == Conflict(
        tuple(range(1000)), minimal=False, tries=0
    )


def test_few_tries_find_few_of_many() -> None:
    """Halves go first, so that a thousand rules cost some dozens of tries and not a thousand."""
    found = smallest_conflict(range(1000), lambda some: not {3, 700} <= set(some), tries=1000)

    assert found.entries == (3, 700)
    assert found.tries < 60


@pytest.mark.parametrize("entries", [(), (1,)])
def test_what_can_t_be_narrowed(entries: tuple[int, ...]) -> None:
    """Nothing, or one entry, which needs no try."""
    assert smallest_conflict(entries, lambda _: False) == Conflict(entries, minimal=True, tries=0)


def test_rules_go_before_their_constraints() -> None:
    """Those of one place are first taken away together."""
    rules = {0: budget(1, "a b"), 1: order("a", "b"), 2: order("b", "c")}
    asked: list[list[int]] = []

    def feasible(some: Sequence[int]) -> bool:
        asked.append(list(some))
        return 2 not in some

    assert conflict_of_rules(rules, feasible).entries == (2,)
    assert all(
        len(some) < 3 for some in asked
    )  # all of one line: there is nothing to take away but parts of it


def test_the_sentence_names_rules_and_the_machines_in_them() -> None:
    """Not those that the rules don't name; and no more than a few."""
    rules = [order("a", "b"), exclusion({"x": "b", "y": "c"})]

    assert in_words(rules, ids("a b c d"), minimal=True) == (
        "these rules can't hold together for a, b, c, and without any one of them the others can: "
        "a before b (policies/test.yaml:1); one of x, y at a time (policies/test.yaml:1)"
    )
    many = in_words([order("a b c d", "e f g")] * 7, ids("a b c d e f g"), minimal=False)
    assert many.startswith("these rules can't hold together for a, b, c, d, e and 2 more: ")
    assert many.endswith("; and 2 rules more")
