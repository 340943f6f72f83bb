"""What may excuse that a domain isn't finished in one go, and what may not."""

from __future__ import annotations

from typing import Any

from orchestrator.verify.model import Verdict
from orchestrator.verify.plan import judge_plan
from tests.unit.verify.documents import exclusion, lane, order, plan


def _judged(*waves: str, constraints: list[dict[str, Any]]) -> Verdict:
    return judge_plan(plan(lane("one", *waves), constraints=constraints))


def _rules(verdict: Verdict) -> list[str]:
    return [violation.rule for violation in verdict.violations]


def test_cells_that_span_zones() -> None:
    """An inner exclusion is finished within each domain of the outer one that cuts it, and the verdict says so."""
    zones = exclusion("zones", z1="a1 b1", z2="a2 b2")
    cells = exclusion("cells", 1, a="a1 a2", b="b1 b2")
    verdict = _judged("a1", "b1", "a2", "b2", constraints=[zones, cells])
    assert verdict.ok, verdict.to_json()
    assert (
        (verdict.notes[0])
        == "exclusion:cells: in stage broad its domains are finished part by part, because of exclusion:zones"
    )


def test_the_outer_one_is_strict() -> None:
    """An inner exclusion excuses nothing of the outer one."""
    zones = exclusion("zones", z1="a1 b1", z2="a2 b2")
    cells = exclusion("cells", 1, a="a1 a2", b="b1 b2")
    assert _rules(_judged("a1", "a2", "b1", "b2", constraints=[zones, cells])) == ["exclusion"]


def test_within_a_part_it_is_strict() -> None:
    """Within one domain of the outer, a domain of the inner one is finished before the next."""
    zones = exclusion("zones", z1="a1 b1 c1", z2="a2 b2")
    cells = exclusion("cells", 1, a="a1 c1 a2", b="b1 b2")
    assert _judged("a1", "c1", "b1", "a2", "b2", constraints=[zones, cells]).ok
    assert not _judged("a1", "b1", "c1", "a2", "b2", constraints=[zones, cells]).ok


def test_equal_levels_excuse_nothing() -> None:
    """Where the plan doesn't say which exclusion is the outer one, both are strict."""
    zones = exclusion("zones", z1="a1 b1", z2="a2 b2")
    cells = exclusion("cells", a="a1 a2", b="b1 b2")
    assert _rules(_judged("a1", "b1", "a2", "b2", constraints=[zones, cells])) == ["exclusion"]


def test_an_outer_one_that_cuts_nothing_excuses_nothing() -> None:
    """If every domain stands in one domain of the outer exclusion, or in none, each is finished in one go."""
    zones = exclusion("zones", z1="a1 a2 b1 b2", z2="c1")
    cells = exclusion("cells", 1, a="a1 a2", b="b1 b2", c="c1", d="d1 d2")
    assert _judged("a1", "a2", "b1", "b2", "c1", "d1", "d2", constraints=[zones, cells]).ok
    assert not _judged("a1", "b1", "a2", "b2", "c1", "d1", "d2", constraints=[zones, cells]).ok
    assert not _judged("a1", "a2", "b1", "b2", "d1", "c1", "d2", constraints=[zones, cells]).ok


def test_machines_in_no_zone_are_a_part() -> None:
    """A cell that stands partly in a zone and partly in none is finished in each by itself."""
    zones = exclusion("zones", z1="a1 b1", z2="c1")
    cells = exclusion("cells", 1, a="a1 a0", b="b1 b0")
    assert _judged("a0", "b0", "a1", "b1", "c1", constraints=[zones, cells]).ok


def test_orders_across_domains() -> None:
    """Databases before web servers, both in both zones: zones take turns, databases first."""
    constraints = [exclusion("zones", z1="db1 web1", z2="db2 web2"), order("db1 db2", "web1 web2")]
    verdict = _judged("db1", "db2", "web1", "web2", constraints=constraints)
    assert verdict.ok, verdict.to_json()
    assert "because of order:o" in verdict.notes[0]
    assert _rules(_judged("db1", "web1", "db2", "web2", constraints=constraints)) == ["order"]


def test_orders_never_excuse_two_domains_at_once() -> None:
    """However orders run, two domains never coincide."""
    constraints = [exclusion("zones", z1="db1 web1", z2="db2 web2"), order("db1 db2", "web1 web2")]
    assert _rules(_judged("db1 db2", "web1", "web2", constraints=constraints)) == ["exclusion"]


def test_orders_that_allow_finishing_excuse_nothing() -> None:
    """An order that both zones can keep by themselves is no reason to leave one of them."""
    constraints = [
        exclusion("zones", z1="db1 web1", z2="db2 web2"),
        order("db1", "web1", "1"),
        order("db2", "web2", "2"),
    ]
    assert _rules(_judged("db1", "db2", "web1", "web2", constraints=constraints)) == ["exclusion"]
    assert _judged("db1", "web1", "db2", "web2", constraints=constraints).ok


def test_two_orders_together() -> None:
    """One order asks for zone 1 first, another for zone 2: only together they excuse."""
    zones = exclusion("zones", z1="a1 b1", z2="a2 b2")
    both = [zones, order("a1", "a2", "a"), order("b2", "b1", "b")]
    assert _judged("a1", "a2 b2", "b1", constraints=both).ok
    assert not _judged("a1", "a2 b2", "b1", constraints=both[:2]).ok


def test_orders_through_machines_elsewhere() -> None:
    """Orders that follow from each other count, though the machine between them stands in no zone."""
    zones = exclusion("zones", z1="db1 api1", z2="db2 api2")
    chained = [zones, order("db1 db2", "web", "1"), order("web", "api1 api2", "2")]
    assert _judged("db1", "db2", "web", "api1", "api2", constraints=chained).ok
    assert not _judged("db1", "db2", "web", "api1", "api2", constraints=chained[:2]).ok


def test_orders_through_another_stage_excuse_nothing() -> None:
    """Orders hold within a stage: what is changed in another one connects nothing."""
    chained = [
        exclusion("zones", z1="db1 api1", z2="db2 api2"),
        order("db1 db2", "web", "1"),
        order("web", "api1 api2", "2"),
    ]
    lanes = [lane("one", "web", stage="canary"), lane("two", "db1", "db2", "api1", "api2")]
    assert not judge_plan(plan(*lanes, stages=("canary", "broad"), constraints=chained)).ok


def test_each_side_of_an_order_is_strict() -> None:
    """Within the databases, and within the web servers, each zone is finished in one go."""
    constraints = [exclusion("zones", z1="d1 d3 w1", z2="d2 w2"), order("d1 d2 d3", "w1 w2")]
    assert _judged("d1", "d3", "d2", "w2", "w1", constraints=constraints).ok
    assert not _judged("d1", "d2", "d3", "w1", "w2", constraints=constraints).ok


def test_what_stands_within_is_cut_with_it() -> None:
    """Zones visited twice because of an order excuse the update domains that stand within them."""
    zones = exclusion("zones", z1="db1 web1 p", z2="db2 web2")
    domains = exclusion("set", 1, ud0="db1 web1", ud1="p")
    constraints = [zones, domains, order("db1 db2", "web1 web2")]
    assert _judged("db1", "p", "db2", "web2", "web1", constraints=constraints).ok
    assert not _judged("db1", "p", "web1", constraints=[domains, order("db1", "web1")]).ok


def test_a_stage_without_the_conflict_is_strict() -> None:
    """What excuses in one stage excuses nothing in another."""
    constraints = [exclusion("zones", z1="d1 w1 x y", z2="d2 w2 z"), order("d1 d2", "w1 w2")]
    lanes = [lane("one", "d1", "d2", "w2", "w1", stage="canary"), lane("two", "x", "z", "y")]
    verdict = judge_plan(plan(*lanes, stages=("canary", "broad"), constraints=constraints))
    assert _rules(verdict) == ["exclusion"]
    assert "stage broad" in verdict.violations[0].what
