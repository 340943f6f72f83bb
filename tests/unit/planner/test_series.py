"""What is cut in series, where what stands beside goes, and what is left in one lane."""

from __future__ import annotations

import pytest

from orchestrator.availability.model import Constraint
from orchestrator.planner import series
from orchestrator.planner.bound import Prover, prove
from orchestrator.planner.nesting import of_all
from orchestrator.planner.series import cut
from orchestrator.planner.writing import step_name
from tests.builders import budget, exclusion, order
from tests.unit.planner.dividing import lanes_of, named, rules_of


def groups(names: str, *constraints: Constraint, anyway: bool = False) -> dict[str, str] | None:
    """The groups that a component falls into, by their names."""
    rules = rules_of(names, *constraints)
    everything = range(len(rules.machines))
    found = cut(Prover(rules), everything, of_all(rules), None if anyway else prove(rules, everything).waves)
    if found is None:
        return None
    return {step_name(rules, group.at): named([rules.machines[m] for m in group.classes]) for group in found}


def test_an_exclusion_that_covers_a_component_cuts_it() -> None:
    """Its domains share no wave whatever anybody does."""
    assert groups("a b c", exclusion({"z1": "a b", "z2": "c"})) == {"z1": "a b", "z2": "c"}


def test_the_outer_exclusion_cuts_first() -> None:
    """The one of the lower level, whatever its name."""
    regions = exclusion({"west": "a b", "north": "c d"}, level=0)
    cells = exclusion({"c1": "a c", "c2": "b d"}, level=1)

    assert groups("a b c d", cells, regions) == {"north": "c d", "west": "a b"}


def test_who_stands_in_no_domain_goes_beside_the_one_it_shares_nothing_with() -> None:
    """R shares a budget with z1's machine: beside z2 it is a lane of its own, and costs nothing."""
    assert groups("a b r", exclusion({"z1": "a", "z2": "b"}), budget(1, "a r")) == {"z1": "a", "z2": "b r"}


def test_a_set_goes_beside_zones_one_update_domain_at_a_time() -> None:
    """Four waves of zones and four update domains: side by side, they take four waves, not seven."""
    zones = exclusion({"z1": "a1 a2", "z2": "b1 b2"}, level=1)
    domains = exclusion({f"ud{n}": f"s{n}" for n in range(4)}, level=2)
    found = groups(
        "a1 a2 b1 b2 s0 s1 s2 s3",
        zones,
        domains,
        budget(1, "a1 a2"),
        budget(1, "b1 b2"),
        budget(2, "a1 b1 s0 s1 s2 s3"),
    )

    assert found == {"z1": "a1 a2 s0 s2", "z2": "b1 b2 s1 s3"}


def test_a_component_is_not_cut_if_that_makes_it_longer() -> None:
    """r1 to r3 take three waves, and both zones go along with them: beside one zone it would be three and one."""
    rest = budget(1, "r1 r2 r3")
    linked = (budget(3, "a r1 r2 r3"), budget(3, "b r1 r2 r3"))

    assert groups("a b r1 r2 r3", exclusion({"z1": "a", "z2": "b"}), rest, *linked) is None
    assert lanes_of("a b r1 r2 r3", exclusion({"z1": "a", "z2": "b"}), rest, *linked)[0].optimal


def test_a_domain_of_another_exclusion_is_never_torn_apart() -> None:
    """Both of the same level: scus is in two pairs. Whatever is cut, each region is finished in one go."""
    pairs = (
        exclusion({"brazil": "b1 b2", "scus": "s1 s2"}),
        exclusion({"ncus": "n1 n2", "scus": "s1 s2"}),
    )

    assert groups("b1 b2 s1 s2 n1 n2", *pairs) == {"brazil": "b1 b2 n1 n2", "scus": "s1 s2"}


def test_orders_put_domains_in_sequence() -> None:
    """What has to go first is in z2, so z2 goes first."""
    found = groups("a b", exclusion({"z1": "a", "z2": "b"}), order("b", "a"))

    assert found is not None
    assert list(found) == ["z2", "z1"]


def test_orders_across_the_domains_cut_before_the_exclusion() -> None:
    """Databases of all zones, then web servers of all zones; who is neither goes with either."""
    found = groups("d1 d2 w1 w2 x1", exclusion({"z1": "d1 w1 x1", "z2": "d2 w2"}), order("d1 d2", "w1 w2"))

    assert found == {"goes first": "d1 d2 x1", "goes then": "w1 w2"}


def test_an_order_alone_cuts_if_it_costs_nothing() -> None:
    """And what comes first is found to be independent of one another."""
    assert groups("d1 d2 w1 w2", order("d1 d2", "w1 w2")) == {"goes first": "d1 d2", "goes then": "w1 w2"}


def test_two_chains_of_unequal_steps_stay_in_one_lane() -> None:
    """Cut by depth they would take 3 + 3 waves; side by side they take 4."""
    constraints = (
        order("a1 a2 a3", "a4"),
        order("b1", "b2 b3 b4"),
        budget(1, "a1 a2 a3"),
        budget(1, "b2 b3 b4"),
        budget(2, "a1 a4 b1 b2"),
    )

    assert groups("a1 a2 a3 a4 b1 b2 b3 b4", *constraints) is None


def test_a_piece_that_orders_hold_between_two_domains_goes_between() -> None:
    """R after z1 and before z3, although beside z1 it would cost nothing."""
    found = groups(
        "a b c r",
        exclusion({"z1": "a", "z2": "b", "z3": "c"}),
        order("a", "r"),
        order("r", "c"),
        budget(1, "a r"),
    )

    assert found == {"z1": "a", "z2": "b r", "z3": "c"}


def test_what_cannot_be_packed_as_it_is_is_cut_at_any_cost() -> None:
    """The component of three and both zones again: cut, it takes a wave more."""
    rest = budget(1, "r1 r2 r3")
    linked = (budget(3, "a r1 r2 r3"), budget(3, "b r1 r2 r3"))
    zones = exclusion({"z1": "a", "z2": "b"})

    assert groups("a b r1 r2 r3", zones, rest, *linked, anyway=True) == {"z1": "a r1 r2 r3", "z2": "b"}


def test_a_large_component_is_not_cut_by_an_exclusion_of_few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two of six machines: what few stand in isn't what makes the others wait."""
    names, constraints = "a b r1 r2 r3 r4", (exclusion({"z1": "a", "z2": "b"}), budget(1, "a r1 r2 r3 r4"))
    monkeypatch.setattr(series, "LARGE", 6)
    assert groups(names, *constraints) == {"z1": "a", "z2": "b r1 r2 r3 r4"}
    monkeypatch.setattr(series, "LARGE", 5)
    assert groups(names, *constraints) is None


def test_a_large_component_is_cut_by_orders_that_cross_zones_only_if_it_costs_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """By depth they take 3 + 3 waves, side by side 4. A small one is cut all the same: there is little to go beside. One that is neither
    small nor large is if a wave more for each so many is enough for that.
    """
    constraints = (
        exclusion({"z1": "a1 b4", "z2": "a4 b1"}),
        order("a1 a2 a3", "a4"),
        order("b1", "b2 b3 b4"),
        budget(1, "a1 a2 a3"),
        budget(1, "b2 b3 b4"),
        budget(2, "a1 a4 b1 b2"),
    )
    names = "a1 a2 a3 a4 b1 b2 b3 b4"
    by_depth = {"goes first": "a1 a2 a3 b1", "goes then": "a4 b2 b3 b4"}
    monkeypatch.setattr(series, "CUT_ANYWAY", 8)
    assert groups(names, *constraints) == by_depth
    monkeypatch.setattr(series, "CUT_ANYWAY", 7)
    assert groups(names, *constraints) is None
    monkeypatch.setattr(series, "WORTH", 2)
    assert groups(names, *constraints) == by_depth
    monkeypatch.setattr(series, "LARGE", 7)
    assert groups(names, *constraints) is None
