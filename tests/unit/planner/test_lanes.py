"""How machines fall apart into lanes, and which lane waits for which."""

from __future__ import annotations

from orchestrator.planner.lanes import divide, waits
from tests.builders import budget, exclusion, order
from tests.unit.planner.dividing import judged, lanes_of, named, rules_of, shown, waves_of


def test_machines_under_no_common_rule_are_one_lane_of_one_wave() -> None:
    """Nothing would start sooner if they stayed apart."""
    assert shown(lanes_of("a b c")) == {"broad-1": (["a b c"], [])}


def test_applications_that_share_no_rule_never_wait_for_each_other() -> None:
    """Each is a lane; a rule that doesn't bind parts nobody."""
    lanes = lanes_of("a1 a2 b1 b2 b3", budget(1, "a1 a2"), budget(1, "b1 b2 b3"), budget(5, "a1 a2 b1 b2 b3"))

    assert shown(lanes) == {"broad-1": (["a1", "a2"], []), "broad-2": (["b1", "b2", "b3"], [])}


def test_every_lane_of_a_domain_waits_for_all_of_the_one_before() -> None:
    """Not for those that these have waited for already."""
    lanes = lanes_of(
        "a1 a2 a3 b1 b2 c1",
        exclusion({"z1": "a1 a2 a3", "z2": "b1 b2", "z3": "c1"}),
        budget(1, "a1 a2"),
        budget(1, "b1 b2"),
    )

    assert shown(lanes) == {
        "broad-1": (["a1", "a2"], []),
        "broad-2": (["a3"], []),
        "broad-3": (["b1", "b2"], ["broad-1", "broad-2"]),
        "broad-4": (["c1"], ["broad-3"]),
    }


def test_domains_fall_apart_again_and_again() -> None:
    """Regions, then zones in each, then whatever is left of the rules of an application."""
    lanes = lanes_of(
        "w1a w1b w2a n1a n2a",
        exclusion({"west": "w1a w1b w2a", "north": "n1a n2a"}, level=0),
        exclusion({"w1": "w1a w1b", "w2": "w2a"}, level=1),
        exclusion({"n1": "n1a", "n2": "n2a"}, level=1),
        budget(3, "w1a w2a n1a n2a"),
    )

    assert waves_of(lanes) == [["n1a"], ["n2a"], ["w1a w1b"], ["w2a"]]
    assert lanes[0].what == "north / n1 / n1a"


def test_lanes_in_series_may_share_a_budget() -> None:
    """One machine of the quorum at a time: its two zones come one after the other anyway."""
    constraints = (exclusion({"z1": "q1 a", "z2": "q2 b"}), budget(1, "q1 q2"))
    lanes = lanes_of("q1 q2 a b", *constraints)

    assert judged(lanes, *constraints) == []
    assert [len(lane.waves) for lane in lanes] == [1, 1]


def test_what_stands_beside_a_domain_waits_only_for_what_it_shares_a_rule_with() -> None:
    """R shares a budget with z1's machine alone: it waits for that lane, and z2 doesn't wait for r."""
    constraints = (
        exclusion({"z1": "a a2", "z2": "b b2"}),
        budget(1, "a r"),
        budget(1, "b b2"),
        budget(1, "a2 x"),
    )
    lanes = lanes_of("a a2 b b2 r x", *constraints)
    by_first = {named(lane.waves[0].machines): lane for lane in lanes}

    assert judged(lanes, *constraints) == []
    assert by_first["r"].after == (by_first["a"].id,)
    assert set(by_first["b"].after) == {by_first["a"].id, by_first["a2"].id}


def test_regions_in_several_pairs_run_beside_each_other() -> None:
    """Brazil and north central are each paired with south central, not with one another."""
    constraints = (
        exclusion({"brazil": "b1", "scus": "s1"}),
        exclusion({"ncus": "n1", "scus": "s1"}),
    )
    lanes = lanes_of("b1 s1 n1", *constraints)

    assert judged(lanes, *constraints) == []
    assert shown(lanes) == {"broad-1": (["b1 n1"], []), "broad-2": (["s1"], ["broad-1"])}


def test_zones_are_not_changed_over_more_often_than_orders_demand() -> None:
    """After the databases of zone 2 come the web servers of zone 2, which need not wait for others' databases there."""
    constraints = (exclusion({"z1": "d1 w1", "z2": "d2 w2 o2"}), order("d1 d2", "w1 w2"))
    lanes = lanes_of("d1 w1 d2 w2 o2", *constraints)

    assert judged(lanes, *constraints) == []
    by_name = {named(lane.waves[0].machines): lane for lane in lanes}
    assert list(by_name) == ["d1", "d2", "o2", "w2", "w1"]
    assert by_name["w2"].after == (by_name["d2"].id,)
    assert by_name["w1"].after == (by_name["o2"].id, by_name["w2"].id)


def test_lanes_wait_for_the_nearest_only() -> None:
    """Three machines one after another: the third doesn't name the first."""
    rules = rules_of("a b c", exclusion({"x": "a", "y": "b", "z": "c"}))

    assert waits(divide(rules, range(3))) == [(), (0,), (1,)]


def test_lanes_of_thousands_of_machines_come_in_an_order_that_keeps_everything_before_what_waits_for_it() -> (
    None
):
    """So that whoever reads lanes in their order needs no sorting."""
    names = [f"m{n:04}" for n in range(1200)]
    constraints = (
        exclusion({f"z{z}": " ".join(names[z::4]) for z in range(4)}),
        *(budget(1, " ".join(names[n : n + 12])) for n in range(0, 1200, 12)),
    )
    lanes = lanes_of(" ".join(names), *constraints)
    seen: set[str] = set()
    for lane in lanes:
        assert seen.issuperset(lane.after)
        seen.add(lane.id)

    assert len(lanes) == 400
    assert judged(lanes, *constraints) == []


def test_machines_that_have_no_way_by_themselves_go_with_the_others() -> None:
    """Behind the order, two exclusions that cross let nobody go; together with who goes first their domains may be left in between."""
    rules = [
        exclusion({"d0": "m0 m1 m2 m5", "d1": "m3 m4 m9"}, level=0),
        exclusion({"d0": "m1 m2 m3 m5", "d2": "m0 m4 m9"}, level=0),
        order("m1 m2 m4", "m0 m3"),
    ]
    lanes = lanes_of("m0 m1 m2 m3 m4 m5 m9", *rules)
    assert judged(lanes, *rules) == []
    assert len(lanes) == 1
