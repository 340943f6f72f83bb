"""How one lane is packed."""

from __future__ import annotations

import pytest

from orchestrator.availability.model import Constraint
from orchestrator.errors import Refused
from orchestrator.planner import waves
from orchestrator.planner.anyorder import any_order
from orchestrator.planner.bound import prove
from orchestrator.planner.cells import Cells, Numbered, Way
from orchestrator.planner.model import Bound, Lane, Wave
from orchestrator.planner.nesting import of_all
from orchestrator.planner.waves import pack, pack_anyhow
from tests.builders import budget, exclusion, ids, order
from tests.unit.planner.dividing import judged, named, rules_of


def packed(names: str, *constraints: Constraint) -> list[str]:
    """All machines as one lane."""
    rules = rules_of(names, *constraints)
    everything = range(len(rules.machines))
    nest = of_all(rules)
    found = pack(rules, everything, prove(rules, everything).waves, nest) or pack_anyhow(
        rules, everything, nest.view
    )
    return [named([rules.machines[m] for m in wave]) for wave in found]


def test_a_wave_is_as_full_as_its_budget() -> None:
    """By id where nothing else decides, so that a person finds them in the order they know."""
    assert packed("a b c d e", budget(2, "a b c d e")) == ["a b", "c d", "e"]


def test_who_stands_in_the_longest_line_goes_first() -> None:
    """c, d and e need three waves among themselves; taking a and b first would cost a fourth."""
    assert packed("a b c d e", budget(2, "a b c d e"), budget(1, "c d e")) == ["a c", "b d", "e"]


def test_those_that_many_wait_for_go_first() -> None:
    """Z is nobody's neighbour in a budget, but three waves come after it."""
    found = packed("a b z x1 x2 x3", order("z", "x1 x2 x3"), budget(1, "x1 x2 x3"), budget(1, "a b z"))

    assert len(found) == 4
    assert "z" in found[0]


def test_a_domain_that_was_begun_is_finished_first() -> None:
    """Within the lane as between lanes."""
    found = packed("a b c d r", exclusion({"x": "a b", "y": "c d"}), budget(1, "a b"), budget(1, "c d r"))

    assert [wave.replace(" r", "") for wave in found] in (["c", "d", "a", "b"], ["a", "b", "c", "d"])


def test_nobody_goes_along_with_what_comes_before_it() -> None:
    """Not even where there is room."""
    assert packed("a b c", order("a", "b"), budget(3, "a b c")) == ["a c", "b"]


def test_a_domain_is_not_begun_that_could_not_be_finished() -> None:
    """X waits for a machine that nothing lets go before y is through."""
    found = packed(
        "x1 x2 y1 y2 p",
        exclusion({"x": "x1 x2", "y": "y1 y2"}),
        order("y1", "p"),
        order("p", "x2"),
        budget(2, "x1 x2 y1 y2 p"),
    )
    wave_of = {name: number for number, wave in enumerate(found) for name in wave.split()}

    assert max(wave_of["y1"], wave_of["y2"]) < min(wave_of["x1"], wave_of["x2"])


def test_orders_across_domains_leave_them_finished_side_by_side() -> None:
    """No zone can be finished in one go, so each is within what goes first and what goes then."""
    found = packed("d1 d2 w1 w2", exclusion({"z1": "d1 w1", "z2": "d2 w2"}), order("d1 d2", "w1 w2"))

    assert sorted(found[:2]) == ["d1", "d2"]
    assert sorted(found[2:]) == ["w1", "w2"]


def test_a_gap_is_closed_by_trying_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Going by urgency and name alone puts a and b together, so that c and d take two waves more; a later try finds the way."""
    constraints = (budget(2, "a b c"), budget(2, "a b d"), budget(1, "c d"))
    assert len(packed("a b c d", *constraints)) == 2
    monkeypatch.setattr(waves, "RESTARTS", 0)
    assert len(packed("a b c d", *constraints)) == 3


def test_dead_ends_are_searched_for_a_way_out() -> None:
    """Every way is tried before the rules are said not to hold together; the waves keep all of them."""
    rules = rules_of("a b c", exclusion({"x": "a b", "y": "c"}), order("a", "c"), budget(1, "a b"))

    found = any_order(rules, range(3), of_all(rules).view)
    assert found is not None
    assert [named([rules.machines[m] for m in wave]) for wave in found] == ["a", "b", "c"]


def test_rules_that_cannot_hold_together_are_refused_by_name() -> None:
    """Two exclusions of one level whose domains lie across each other: each would have to wait for the other."""
    with pytest.raises(Refused) as refused:
        packed(
            "ax ay bx by",
            exclusion({"a": "ax ay", "b": "bx by"}, level=5),
            exclusion({"x": "ax bx", "y": "ay by"}, level=5),
        )

    told = str(refused.value)
    assert (
        "these rules can't hold together for ax, ay, bx, by, and without any one of them the others can: "
        in told
    )
    assert "one of a, b at a time (policies/test.yaml:1)" in told
    assert "one of x, y at a time (policies/test.yaml:1)" in told


def test_a_rule_that_is_not_to_blame_is_not_named() -> None:
    """Nor the machines that stand in none of those that are."""
    with pytest.raises(Refused) as refused:
        packed(
            "ax ay bx by c",
            exclusion({"a": "ax ay", "b": "bx by"}, level=5),
            exclusion({"x": "ax bx", "y": "ay by"}, level=5),
            order("ax", "c"),
            budget(1, "ax ay bx by c"),
        )

    told = str(refused.value)
    assert told.startswith("these rules can't hold together for ax, ay, bx, by, and without")
    assert told.count("policies/test.yaml:1") == 2
    assert "ax before c" not in told


TIERS = "a1 a2 b1 b2 c1 c2 u1 u2 v1 v2"
TIERED = (
    exclusion({"z1": "a1 b1 c1 u1 u2", "z2": "a2 b2 c2 v1 v2"}),
    order("a1 a2", "b1 b2"),
    order("b1 b2", "c1 c2"),
    budget(1, "u1 u2"),
    budget(1, "v1 v2"),
)


def test_cells_that_may_go_in_turn_do_where_it_saves_a_wave() -> None:
    """The tiers a, b and c of both zones follow each other, so zones are changed three times: the others fill what that leaves in
    theirs. With one zone closed as long as u is unfinished it would be seven.
    """
    found = packed(TIERS, *TIERED)
    assert len(found) == 6
    lane = Lane("l", "broad", (), tuple(Wave(tuple(ids(wave))) for wave in found), Bound(6, ""))
    assert judged([lane], *TIERED) == []


@pytest.mark.parametrize(
    ("many", "ways"),
    [
        (10, [Way.WHOLE, Way.BY_CELL, Way.IN_TURN]),
        (9, [Way.WHOLE, Way.IN_TURN]),
    ],
)
def test_in_a_lane_of_many_the_ways_come_first_that_give_the_fewest_waves(
    many: int, ways: list[Way], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where each try takes seconds, none is spent on what only shows that there is a way. The plan is as short, and keeps all rules."""
    tried: list[Way] = []

    class Noted(waves._Packing):
        def __init__(self, lane: Numbered, cells: Cells, way: Way) -> None:
            tried.append(way)
            super().__init__(lane, cells, way)

    monkeypatch.setattr(waves, "MANY", many)
    monkeypatch.setattr(waves, "_Packing", Noted)
    found = packed(TIERS, *TIERED)
    assert (tried, len(found)) == (ways, 6)
    lane = Lane("l", "broad", (), tuple(Wave(tuple(ids(wave))) for wave in found), Bound(6, ""))
    assert judged([lane], *TIERED) == []
