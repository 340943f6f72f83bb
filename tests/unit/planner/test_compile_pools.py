"""Rules over load balancers: a group is a back-end pool, and a machine may be in several, or in nobody knows which."""

from __future__ import annotations

from dataclasses import replace

import pytest

from orchestrator.inventory.model import Inventory, Kind
from orchestrator.planner.facts import POOLS_READ, facts_digest, read_tags, unknown_facts
from orchestrator.policy.load import load_one
from orchestrator.policy.model import EVERYTHING
from tests.fleet import inventory, pool, pool_id, vm
from tests.unit.planner.compiling import budgets, compiled, exclusions, off, orders, told

WEB, API = pool_id("web"), pool_id("api")


def shop(*more: object) -> Inventory:
    """Two web machines, one that serves both, two api machines, one behind nothing."""
    return inventory(
        vm("w1", backend_pools=(WEB,), zone="1"),
        vm("w2", backend_pools=(WEB,), zone="2"),
        vm("both", backend_pools=(API, WEB), zone="1"),
        vm("a1", backend_pools=(API,), zone="2"),
        vm("a2", backend_pools=(API,), zone="3"),
        vm("lone", backend_pools=()),
        *more,  # type: ignore[arg-type]
    )


def test_each_pool_is_a_group_and_a_machine_may_be_in_several() -> None:
    """Who is in none is held by nothing."""
    assert budgets(compiled(shop(), "  - {max_unavailable: 1, per: load_balancer}")) == {
        "at most 1 of 3 in back-end pool lb/api": "a1 a2 both",
        "at most 1 of 3 in back-end pool lb/web": "both w1 w2",
    }


def test_a_pool_counts_members_that_the_policy_does_not_select_and_that_nobody_can_read() -> None:
    """As a set does: a pool is as available as all its machines."""
    fleet = replace(shop(), backend_pools=(pool("web", "ghost"),))
    result = compiled(fleet, "  - {max_unavailable: 2, per: load_balancer, of: {names: w1}}")

    assert budgets(result) == {
        "at most 1 of 3 in back-end pool lb/web (1 can't be read and counts as out)": "both w1 w2"
    }


def test_pools_that_share_a_machine_are_one_domain() -> None:
    """Whoever touches it touches both; apart from them stands a third pool."""
    fleet = shop(vm("m1", backend_pools=(pool_id("media"),)))
    result = compiled(fleet, "  - {one_at_a_time: load_balancer}")

    assert exclusions(result) == {
        "one back-end pool at a time in p": {"lb/api + lb/web": "a1 a2 both w1 w2", "lb/media": "m1"}
    }


def test_domains_within_each_pool() -> None:
    """A zone at a time of each pool."""
    result = compiled(shop(), "  - {one_at_a_time: zone, within: load_balancer}")

    assert exclusions(result) == {
        "one zone at a time in back-end pool lb/api": {
            "westeurope zone 1": "both",
            "westeurope zone 2": "a1",
            "westeurope zone 3": "a2",
        },
        "one zone at a time in back-end pool lb/web": {
            "westeurope zone 1": "both w1",
            "westeurope zone 2": "w2",
        },
    }


@pytest.mark.parametrize(
    "rule",
    [
        "{max_unavailable: 50%, per: load_balancer}",
        "{min_available: 1, per: [region, load_balancer]}",
        "{one_at_a_time: load_balancer}",
        "{one_at_a_time: zone, within: load_balancer}",
    ],
)
def test_a_machine_that_may_be_in_any_pool_makes_all_go_one_at_a_time(rule: str) -> None:
    """It might be in each of the pools, so that none may lose a machine beside it."""
    result = compiled(shop(vm("x", backend_pools=None)), f"  - {rule}")

    careful = "at most 1 of 7 in p, whose back-end pools aren't all known"
    assert budgets(result)[careful] == "a1 a2 both lone w1 w2 x"
    assert (
        "one machine of p at a time, since the back-end pools of 1 machine aren't known (x)"
        in told(result)[0]
    )


def test_who_can_not_be_in_a_pool_is_not_asked_about() -> None:
    """Arc machines have no interfaces in Azure, and a machine that is off serves nowhere."""
    fleet = shop(vm("arc", kind=Kind.ARC), off("asleep"))

    assert told(compiled(fleet, "  - {max_unavailable: 1, per: load_balancer}")) == []


def test_an_order_per_pool_holds_for_all_where_a_pool_is_unknown() -> None:
    """Of the same machines, in one order that no division can loosen."""
    rule = "  - {order: [{names: 'w*'}, {names: 'a*'}, {names: both}], per: load_balancer}"
    fleet = shop(vm("ax", backend_pools=None))

    assert orders(compiled(shop(), rule)) == {
        "a* before both in back-end pool lb/api": ("a1 a2", "both"),
        "w* before both in back-end pool lb/web": ("w1 w2", "both"),
    }
    assert orders(compiled(fleet, rule))["w* before a*"] == ("w1 w2", "a1 a2 ax")


def test_facts_hold_the_pools_where_a_rule_reads_them() -> None:
    """So that a machine that moves to another pool is planned anew, and plans without such rules don't mind."""
    policy = load_one("p.yaml", "version: 1\nname: p\nrules: [{max_unavailable: 1, per: load_balancer}]\n")
    reads = read_tags([policy], EVERYTHING)
    web, api, unknown = (vm("a", backend_pools=pools) for pools in ((WEB,), (API,), None))

    assert reads == (POOLS_READ,)
    assert facts_digest(web, reads) != facts_digest(api, reads)
    assert facts_digest(web, ()) == facts_digest(api, ())
    assert "backend_pools" in unknown_facts(facts_digest(unknown, reads))
    assert "backend_pools" not in unknown_facts(facts_digest(unknown, ()))
