"""What it would save to loosen the constraints of a plan."""

from __future__ import annotations

from dataclasses import replace

import orjson
import pytest

from orchestrator.availability.model import Constraint
from orchestrator.planner.loosening import loosenings
from orchestrator.planner.model import Plan
from orchestrator.policy.model import Origin
from tests.builders import budget, exclusion, lane, order, plan_of
from tests.unit.planner.company import planned
from tests.unit.planner.dividing import lanes_of

ELSEWHERE = Origin("policies/other.yaml", 3)


def plan_under(names: str, *constraints: Constraint) -> Plan:
    """The plan of these machines."""
    return plan_of(*lanes_of(names, *constraints), rules=constraints)


def told(plan: Plan) -> list[tuple[str, int, int]]:
    """What saves how much."""
    return [(str(one), one.before, one.after) for one in loosenings(plan).found]


def test_a_budget_that_may_take_one_more() -> None:
    """Half as many waves."""
    assert told(plan_under("a b c d", budget(1, "a b c d"))) == [("at most 1 of 4 at 2 instead of 1", 4, 2)]


@pytest.mark.parametrize(("size", "limit", "to", "waves"), [(9, 4, 5, 3), (20, 7, 10, 3), (12, 6, 12, 2)])
def test_a_budget_grows_until_it_saves_a_wave(size: int, limit: int, to: int, waves: int) -> None:
    """By one if that is enough, else by the fewest that can be."""
    names = " ".join(f"m{n:02}" for n in range(size))

    assert told(plan_under(names, budget(limit, names))) == [
        (f"at most {limit} of {size} at {to} instead of {limit}", waves, waves - 1)
    ]


def test_what_one_line_says_of_two_groups_is_loosened_together() -> None:
    """Side by side neither of them saves anything by itself."""
    plan = plan_under("a b c d", budget(1, "a b"), budget(1, "c d"))

    assert told(plan) == [("at most 1 of 2 at 2 instead of 1; at most 1 of 2 at 2 instead of 1", 2, 1)]


def test_what_two_lines_say_isn_t() -> None:
    """Nobody writes both at once, so nothing is told."""
    plan = plan_under("a b c d", budget(1, "a b"), replace(budget(1, "c d"), origin=ELSEWHERE))

    assert told(plan) == []
    assert loosenings(plan).tried == 2


def test_more_than_what_saves_isn_t_told() -> None:
    """The longer of two groups alone saves as much as both."""
    assert told(plan_under("a b c d e f", budget(1, "a b c d"), budget(1, "e f"))) == [
        ("at most 1 of 4 at 2 instead of 1", 4, 2)
    ]


def test_an_exclusion_is_taken_away() -> None:
    """There is nothing between one domain at a time and all of them."""
    plan = plan_under("a b c d", exclusion({"1": "a b", "2": "c d"}), budget(1, "a b"))

    assert told(plan) == [
        ("at most 1 of 2 at 2 instead of 1", 3, 2),
        ("without one of 1, 2 at a time", 3, 2),
    ]


def test_so_is_an_order() -> None:
    """Those who waited go along with the others."""
    assert told(plan_under("a b c", order("a b", "c"))) == [("without a b before c", 2, 1)]


def test_a_cap_holds_no_wave_up() -> None:
    """It is never tried."""
    plan = plan_under("a b", budget(1, "a b", cap=True))

    assert (told(plan), loosenings(plan).candidates) == ([], 0)


def test_what_makes_all_of_the_longest_chains_long_is_found() -> None:
    """Two chains of two zones: to take half of the waves away, all four groups must grow."""
    zones = exclusion({"1": "a b e f", "2": "c d g h"})
    plan = plan_under("a b c d e f g h", zones, *(budget(1, names) for names in ("a b", "c d", "e f", "g h")))

    assert told(plan) == [
        ("without one of 1, 2 at a time", 4, 2),
        ("at most 1 of 2 at 2 instead of 1; " * 2 + "at most 1 of 2 at 2 instead of 1 and 1 more", 4, 2),
    ]


def test_budgets_that_force_the_same_are_found_together() -> None:
    """Each by itself proves the length of the lane, so none of them alone makes it shorter."""
    plan = plan_under("a b c d", *(budget(1, names) for names in ("a b", "b c", "c d")))

    assert [(len(one.loosened), one.before, one.after) for one in loosenings(plan).found] == [(3, 2, 1)]


def test_a_plan_that_is_longer_than_it_need_be_saves_nothing_by_that() -> None:
    """What planning anew alone gains isn't gained by loosening."""
    plan = plan_of(lane("l", "a", "b", "c"), rules=[budget(2, "a b c")])

    assert loosenings(plan).waves == 2
    assert told(plan) == [("at most 2 of 3 at 3 instead of 2", 2, 1)]


def test_how_much_is_tried_is_bounded() -> None:
    """By a number of tries and by machines, but for the first three."""
    names = "a b c d e f g h i j"
    plan = plan_under(
        names, *(budget(1, f"{one} {other}") for one, other in zip("abcdefghi", "bcdefghij", strict=True))
    )

    few = loosenings(plan, most=2)
    assert (few.tried, few.candidates) == (2, 10)
    assert loosenings(plan, machines=50).tried == 5
    assert loosenings(plan, machines=1).tried == 3


def test_free_machines_have_nothing_to_loosen() -> None:
    """A single wave, and no candidate."""
    found = loosenings(plan_of(lane("l", "a b c")))

    assert (found.waves, found.found, found.candidates) == (1, (), 0)


def test_programs_are_told_the_same() -> None:
    """With the limits, before and after."""
    found = orjson.loads(orjson.dumps(loosenings(plan_under("a b", budget(1, "a b"))).to_json()))

    assert found["waves"] == 2
    assert found["found"][0]["told"] == "at most 1 of 2 at 2 instead of 1: 2 waves become 1"
    assert (found["found"][0]["loosened"][0]["limit"], found["found"][0]["loosened"][0]["to"]) == (1, 2)


def test_a_company_is_told_what_its_rules_cost() -> None:
    """The most first, each with the line that says it."""
    plan, _ = planned(300)
    found = loosenings(plan).found

    assert [one.after for one in found] == sorted(one.after for one in found)
    assert all(one.after < one.before for one in found)
    assert {one.origin.file for one in found} == {"apps.yaml", "floor.yaml"}
    assert any("without one region at a time" in str(one) for one in found)
