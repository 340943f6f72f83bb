"""Lanes under wide exclusions, filled along an itinerary of their domains."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from orchestrator.availability.model import Constraint
from orchestrator.planner import guided, waves
from orchestrator.planner.bound import prove
from orchestrator.planner.cells import Numbered
from orchestrator.planner.guided import Guide, Taken
from orchestrator.planner.model import Bound, Lane, Wave
from orchestrator.planner.nesting import Nesting
from orchestrator.planner.waves import pack
from tests.builders import budget, exclusion, order
from tests.unit.planner.applications import applications
from tests.unit.planner.dividing import judged, rules_of


def packed(names: str, rules: Sequence[Constraint]) -> tuple[int, int]:
    """How many waves all machines take as one lane, which the judge has nothing against, and their bound."""
    numbered = rules_of(names, *rules)
    everything = range(len(numbered.machines))
    nest = Nesting(numbered, numbered.view(everything))
    bound = prove(numbered, everything).waves
    found = pack(numbered, everything, bound, nest)
    assert found is not None
    held = tuple(Wave(tuple(sorted(numbered.machines[one] for one in wave))) for wave in found)
    assert judged([Lane("l", "broad", (), held, Bound(bound, ""))], *rules) == []
    assert sorted(one for wave in found for one in wave) == list(everything)
    return len(found), bound


def test_an_itinerary_of_zones_meets_a_bound_that_urgency_misses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nine applications of three tiers in three zones: whichever zone is the most urgent, somebody waits for another."""
    names, rules = applications(9, 0)
    assert packed(names, rules) == (22, 22)
    monkeypatch.setattr(waves, "GUIDED", 10)  # of more classes none is made
    assert packed(names, rules) == (23, 22)


def test_who_was_late_gets_a_wave_more_in_the_next_itinerary(monkeypatch: pytest.MonkeyPatch) -> None:
    """A budget across all of them makes some take longer than each needs by itself."""
    monkeypatch.setattr(waves, "RESTARTS", 0)
    names, rules = applications(12, 0, across=14)
    assert packed(names, rules) == (23, 23)
    monkeypatch.setattr(guided, "ROUNDS", 1)
    assert packed(names, rules) == (26, 23)


def test_where_no_exclusion_is_wide_nothing_is_tried() -> None:
    """An exclusion of one unit's own is a matter of its own."""
    names = "d1 d2 w1 w2"
    rules = rules_of(
        names, exclusion({"x": "d1 w1", "y": "d2 w2"}), order("d1 d2", "w1 w2"), budget(1, names)
    )
    nest = Nesting(rules, rules.view(range(4)))
    lane = Numbered(rules, range(4), nest)

    def never(guide: Guide, shake: int) -> Taken | None:
        raise AssertionError((guide, shake))

    assert guided.guided(lane, 4, None, never) is None
