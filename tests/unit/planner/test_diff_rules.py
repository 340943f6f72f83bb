"""Which constraints of two plans are the same one, and which is the tighter."""

from __future__ import annotations

from dataclasses import replace

import pytest

from orchestrator.availability.model import Budget, Constraint
from orchestrator.planner.diff_model import Course
from orchestrator.planner.diff_rules import by_course, implies, rule_changes
from orchestrator.policy.model import Origin
from tests.builders import budget, exclusion, order

SHOP = Origin("policies/shop.yaml", 7)


def named(limit: int, names: str, group: str, origin: Origin = SHOP, note: str = "") -> Budget:
    """A budget that is called as the compiler calls it."""
    made = budget(limit, names)
    what = f"at most {limit} of {len(made.machines)} in {group}{note}"
    return replace(made, id=f"{made.id}:{group}", what=what, origin=origin)


def courses(old: list[Constraint], new: list[Constraint]) -> list[tuple[str, str, str]]:
    """What became of what, in words."""
    return [
        (change.course.value, change.was.what if change.was else "", change.now.what if change.now else "")
        for change in rule_changes(old, new)
    ]


def test_what_stays_is_no_change() -> None:
    """Wherever it is written now, and whatever it is called."""
    rule = named(1, "a b", "web")

    assert rule_changes([rule], [replace(rule, origin=Origin("other.yaml", 1), what="else")]) == ()


def test_a_limit_tightens_or_loosens_and_the_group_is_found_again() -> None:
    """Of several groups of one rule, and whatever a machine that is off adds to the name."""
    old = [named(2, "a b c", "tier=web"), named(2, "d e f", "tier=api (x)")]
    new = [named(1, "a b c", "tier=web"), named(3, "d e f g", "tier=api (x)", note=" (1 off)")]

    assert courses([*old], [*new]) == [
        ("tightened", "at most 2 of 3 in tier=web", "at most 1 of 3 in tier=web"),
        # Whoever took two of the three, and the new one, keeps it.
        ("loosened", "at most 2 of 3 in tier=api (x)", "at most 3 of 4 in tier=api (x) (1 off)"),
    ]


def test_who_joined_and_who_left_is_counted() -> None:
    """And such a change comes after those that policies caused."""
    old = [named(1, "a b", "as-1"), named(2, "d e f", "as-2")]
    new = [named(1, "b c x", "as-1"), named(1, "d e f", "as-2")]
    found = rule_changes(old, new)

    assert [(change.told.what, change.joined, change.left) for change in found] == [
        ("at most 1 of 3 in as-2", 0, 0),
        ("at most 1 of 3 in as-1", 2, 1),
    ]


def test_the_place_tells_groups_of_one_name_apart() -> None:
    """Two policies that count the same group each keep their own; one that moved to another line is found by its file."""
    lab = Origin("policies/lab.yaml", 3)
    old = [named(2, "a b c", "tier=web"), named(1, "x y", "tier=web", lab)]
    new = [named(1, "a b c", "tier=web", Origin(SHOP.file, 9)), named(2, "x y", "tier=web", lab)]

    assert courses([*old], [*new]) == [
        ("loosened", "at most 1 of 2 in tier=web", "at most 2 of 2 in tier=web"),
        ("tightened", "at most 2 of 3 in tier=web", "at most 1 of 3 in tier=web"),
    ]


def test_a_renamed_group_is_found_by_its_machines() -> None:
    """If the two share half of the larger one's machines, in the same file; else one went and another came."""
    old = [named(1, "a b c d", "before")]

    assert courses([*old], [named(2, "b c", "after")]) == [
        ("loosened", "at most 1 of 4 in before", "at most 2 of 2 in after")
    ]
    assert courses([*old], [named(2, "c x y", "after")]) == [
        ("removed", "at most 1 of 4 in before", ""),
        ("added", "", "at most 2 of 3 in after"),
    ]


def test_another_kind_of_constraint_is_another_constraint() -> None:
    """A budget doesn't become an order."""
    assert [change.course for change in rule_changes([budget(1, "a b")], [order("a", "b")])] == [
        Course.REMOVED,
        Course.ADDED,
    ]


def test_an_exclusion_that_moves_further_in_has_changed() -> None:
    """It keeps the same machines apart, and other rules are finished first now."""
    rule = exclusion({"1": "a", "2": "b"}, level=1)

    assert [change.course for change in rule_changes([rule], [replace(rule, level=2)])] == [Course.CHANGED]


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (budget(1, "a b c"), budget(2, "a b c"), True),
        (budget(2, "a b c"), budget(1, "a b c"), False),
        (budget(1, "a b c"), budget(1, "a b"), True),
        (budget(1, "a b"), budget(1, "a b c"), False),
        (budget(1, "a b"), budget(2, "a b c"), True),  # at most one of two, and a third
        (budget(3, "a"), budget(1, "a b"), False),
        (budget(1, "a b"), budget(1, "a b", cap=True), True),
        (budget(1, "a b", cap=True), budget(1, "a b"), False),
        (exclusion({"1": "a", "2": "b", "3": "c"}), exclusion({"1": "a b", "2": "c"}), True),
        (exclusion({"1": "a b", "2": "c"}), exclusion({"1": "a", "2": "b", "3": "c"}), False),
        (exclusion({"1": "a", "2": "b"}), exclusion({"1": "a", "2": "x"}), False),
        (order("a b", "c d"), order("a", "d"), True),
        (order("a", "d"), order("a b", "d"), False),
        (order("a", "d"), order("d", "a"), False),
        (budget(1, "a b"), exclusion({"1": "a", "2": "b"}), False),
    ],
)
def test_which_keeps_which(one: Constraint, other: Constraint, expected: bool) -> None:
    """Whatever keeps the one keeps the other."""
    assert implies(one, other) is expected


def test_changes_are_counted_by_their_course() -> None:
    """Those that occur, in the order in which a reviewer should see them."""
    changes = rule_changes([named(1, "a b", "x")], [named(2, "a b", "x"), named(1, "c d", "y")])

    assert dict(by_course(changes)) == {Course.LOOSENED: 1, Course.ADDED: 1}
    assert list(by_course(changes)) == [Course.LOOSENED, Course.ADDED]
