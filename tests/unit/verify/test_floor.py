"""The floor, read off the inventory."""

from __future__ import annotations

from typing import Any

import pytest

from orchestrator.errors import InventoryError
from orchestrator.verify.floor import judge_floor
from orchestrator.verify.model import Verdict
from tests.unit.verify.documents import (
    OTHER_SUBSCRIPTION,
    SUBSCRIPTION,
    exclusion,
    flex_id,
    inventory,
    lane,
    location,
    order,
    plan,
    set_id,
    vm,
    vm_id,
)


def _rules(verdict: Verdict) -> list[str]:
    return [violation.rule for violation in verdict.violations]


def _in_set(name: str, domain: int | None, **facts: Any) -> dict[str, Any]:
    return vm(name, availability_set=set_id("as-web"), update_domain=domain, **facts)


def _in_flex(name: str, domain: int | None, **facts: Any) -> dict[str, Any]:
    return vm(name, scale_set=flex_id("flex"), fault_domain=domain, **facts)


def _judged(machines: list[dict[str, Any]], *lanes: dict[str, Any], **more: Any) -> Verdict:
    return judge_floor(plan(*lanes), inventory(*machines, **more))


# Who is changed ----------------------------------------------------------------------------------------------


def test_no_inventory() -> None:
    """What is no inventory is an error of whoever asked."""
    with pytest.raises(InventoryError, match=r"wavekeeper\.inventory/1"):
        judge_floor(plan(), {"schema": "x"})
    with pytest.raises(InventoryError, match=r"machines\[0\] of the inventory has no `id`"):
        judge_floor(plan(), inventory({"name": "a"}))
    with pytest.raises(InventoryError, match="list of objects"):
        judge_floor(plan(), inventory(availability_sets={}))


def test_a_broken_plan_is_not_judged() -> None:
    """A plan of which nobody can tell what coincides is not acquitted."""
    verdict = _judged([vm("a")], lane("one", "a", after=["one"]))
    assert _rules(verdict) == ["structure"]
    assert _rules(judge_floor({}, inventory())) == ["structure"]


def test_only_machines_of_the_inventory() -> None:
    """A plan changes machines that the inventory holds."""
    verdict = _judged([vm("A")], lane("one", "a", "b"))
    assert _rules(verdict) == ["changed-machines"]
    assert (vm_id("b").lower(),) == verdict.violations[0].machines


@pytest.mark.parametrize(
    ("facts", "ok"),
    [
        ({"power": "stopped"}, False),
        ({"power": "deallocated"}, False),
        ({"power": "deallocating"}, False),
        ({"power": "starting"}, True),
        ({"power": "unknown"}, True),
        ({}, True),
        ({"kind": "arc", "power": "unknown", "agent": "not_ready"}, False),
        ({"kind": "arc", "power": "stopped", "agent": "ready"}, True),
    ],
)
def test_no_machine_that_was_off(facts: dict[str, Any], *, ok: bool) -> None:
    """A machine that was off, or disconnected, when the inventory was taken is left alone."""
    assert ok == _judged([vm("a", **facts)], lane("one", "a")).ok


# Region pairs ------------------------------------------------------------------------------------------------


def _regions(*lanes: dict[str, Any], pairs: list[dict[str, Any]]) -> Verdict:
    machines = [
        vm("we", location="West Europe"),
        vm("we2", location="westeurope"),
        vm("ne", location="northeurope"),
        vm("fc", location="francecentral"),
    ]
    return _judged(machines, *lanes, locations=pairs)


@pytest.mark.parametrize(
    "pairs",
    [
        [location("westeurope", "northeurope"), location("northeurope", "westeurope")],
        [location("westeurope", "northeurope")],
        [location("North Europe", "westeurope")],
    ],
)
def test_paired_regions(pairs: list[dict[str, Any]]) -> None:
    """Regions of a pair are never out together, whichever of them names the other."""
    verdict = _regions(lane("one", "we"), lane("two", "ne"), pairs=pairs)
    assert _rules(verdict) == ["region-pair"]
    assert verdict.violations[0].what == (
        "regions northeurope and westeurope, a pair: wave 1 of lane two takes ne (northeurope) out and wave 1 of lane one "
        "we (westeurope), and the two can run at the same time; never both regions of a pair at once, and one is finished "
        "before the other begins"
    )
    assert _rules(_regions(lane("one", "we ne"), pairs=pairs)) == ["region-pair"]
    assert _rules(_regions(lane("one", "we", "ne", "we2"), pairs=pairs)) == ["region-pair"]
    assert _regions(lane("one", "we", "we2", "ne"), pairs=pairs).ok
    assert _regions(lane("one", "we"), lane("two", "fc"), pairs=pairs).ok


def test_chains_of_pairs() -> None:
    """A one-way pair holds by itself: its ends that are no pair may go together."""
    machines = [vm("w3", location="westus3"), vm("e", location="eastus"), vm("w", location="westus")]
    pairs = [location("westus3", "eastus"), location("eastus", "westus"), location("westus", "eastus")]
    assert _judged(machines, lane("one", "w3 w", "e"), locations=pairs).ok
    assert not _judged(machines, lane("one", "w3", "e w"), locations=pairs).ok
    assert not _judged(machines, lane("one", "w3"), lane("two", "e"), locations=pairs).ok


def test_a_region_is_no_pair_of_itself() -> None:
    """A region that names itself is kept apart from nothing."""
    machines = [vm("a"), vm("b")]
    verdict = _judged(machines, lane("one", "a b"), locations=[location("westeurope", "West Europe")])
    assert verdict.ok
    assert "no region pair is known for westeurope: no pair was judged there" in verdict.notes


def test_pairs_nobody_knows_are_noted() -> None:
    """Where the inventory tells no pair or no region, the verdict says that none was judged."""
    verdict = _judged([vm("a"), vm("b", location="")], lane("one", "a b"))
    assert verdict.ok
    assert verdict.notes == (
        "no region pair is known for westeurope: no pair was judged there",
        "the region of 1 machine isn't known: no rule of regions was judged for them",
    )


# Zones -------------------------------------------------------------------------------------------------------


def test_one_zone_at_a_time() -> None:
    """In a region one zone at a time; machines in no zone, and other regions' zones, don't matter."""
    machines = [vm("a", zone="1"), vm("b", zone="2"), vm("c"), vm("d", zone="3", location="francecentral")]
    assert _rules(_judged(machines, lane("one", "a"), lane("two", "b"))) == ["zone"]
    assert _rules(_judged(machines, lane("one", "a b"))) == ["zone"]
    assert _judged(machines, lane("one", "a c d", "b")).ok


def test_zones_of_arc_machines_are_ignored() -> None:
    """Only Azure VMs stand in zones and sets."""
    machines = [vm("a", zone="1", kind="arc"), vm("b", zone="2", kind="arc")]
    assert _judged(machines, lane("one", "a b")).ok


def _two_subscriptions(*lanes: dict[str, Any], zones: dict[str, dict[str, str]]) -> Verdict:
    machines = [vm("a", zone="1"), vm("b", zone="2")]
    machines += [
        vm(name, zone=zone, subscription=OTHER_SUBSCRIPTION.upper())
        for name, zone in (("x", "1"), ("y", "2"))
    ]
    return _judged(machines, *lanes, locations=[location("westeurope", zones=zones)])


def test_physical_zones() -> None:
    """Between subscriptions the data centre counts, not the number."""
    zones = {
        SUBSCRIPTION: {"1": "we-az1", "2": "we-az2"},
        OTHER_SUBSCRIPTION: {"1": "WE-AZ2", "2": "we-az1"},
    }
    assert _two_subscriptions(lane("one", "a y", "b x"), zones=zones).ok
    assert _rules(_two_subscriptions(lane("one", "a x", "b", "y"), zones=zones)) == ["zone"]


@pytest.mark.parametrize("known", [{}, {SUBSCRIPTION: {"1": "we-az1", "2": "we-az2"}}])
def test_unknown_zones(known: dict[str, dict[str, str]]) -> None:
    """Where the mapping of a subscription isn't known, no two of their zones go together, whatever the numbers."""
    assert not _two_subscriptions(lane("one", "a x"), zones=known).ok
    assert not _two_subscriptions(lane("one", "a y"), zones=known).ok
    verdict = _two_subscriptions(lane("one", "a", "b", "x", "y"), zones=known)
    assert verdict.ok
    assert "each subscription's zones were judged as zones of their own" in verdict.notes[1]


def test_one_subscription_needs_no_mapping() -> None:
    """Within a subscription the numbers tell zones apart."""
    machines = [vm("a", zone="1"), vm("b", zone="2"), vm("c", zone="1")]
    verdict = _judged(machines, lane("one", "a c", "b"))
    assert verdict.ok
    assert not any("subscription" in note for note in verdict.notes)


def test_an_order_of_the_plan_may_make_zones_take_turns() -> None:
    """Orders can excuse that a zone is left and taken up again, and nothing else."""
    machines = [vm("d1", zone="1"), vm("w1", zone="1"), vm("d2", zone="2"), vm("w2", zone="2")]
    held = inventory(*machines)
    by_tier = order("d1 d2", "w1 w2")
    assert judge_floor(plan(lane("one", "d1", "d2", "w1", "w2"), constraints=[by_tier]), held).ok
    assert not judge_floor(plan(lane("one", "d1", "d2", "w1", "w2")), held).ok
    assert not judge_floor(plan(lane("one", "d1 d2", "w1", "w2"), constraints=[by_tier]), held).ok


def test_the_plan_s_exclusions_excuse_nothing() -> None:
    """A policy's exclusion stands below the floor's, whatever level the plan gives it."""
    machines = [vm("a1", zone="1"), vm("b1", zone="1"), vm("a2", zone="2"), vm("b2", zone="2")]
    cells = exclusion("cells", -5, a="a1 a2", b="b1 b2")
    assert not judge_floor(
        plan(lane("one", "a1", "a2", "b1", "b2"), constraints=[cells]), inventory(*machines)
    ).ok


# Availability sets -------------------------------------------------------------------------------------------


def test_one_update_domain_at_a_time() -> None:
    """In an availability set one update domain at a time, and a domain begun is finished."""
    machines = [_in_set(f"w{n}", n % 5) for n in range(20)]
    verdict = _judged(machines, lane("one", "w0 w2"))
    assert verdict.violations[0].what == (
        "availability set as-web: wave 1 of lane one takes w0 (update domain 0) and w2 (update domain 2) out together; "
        "only one update domain at a time"
    )
    assert _rules(verdict) == ["update-domain"]
    assert _judged(machines, lane("one", "w0 w5 w10 w15")).ok
    assert not _judged(machines, lane("one", "w0", "w1", "w5")).ok
    assert not _judged(machines, lane("one", "w0"), lane("two", "w1")).ok


@pytest.mark.parametrize(("size", "limit"), [(1, 1), (4, 1), (9, 1), (10, 2), (14, 2), (15, 3), (20, 4)])
def test_a_fifth_of_a_set(size: int, limit: int) -> None:
    """At most 20 % of a set, rounded down; fewer than ten machines: one."""
    machines = [_in_set(f"w{n}", 0) for n in range(size)]
    names = [f"w{n}" for n in range(size)]
    assert _judged(machines, lane("one", " ".join(names[:limit]))).ok
    if limit < size:
        verdict = _judged(machines, lane("one", " ".join(names[: limit + 1])))
        assert _rules(verdict) == ["set-share"]
        assert f"availability set as-web, {size} machines: wave 1" in verdict.violations[0].what


def test_machines_that_are_off_don_t_count() -> None:
    """Machines that were off are no members: neither in the size nor as out."""
    running = [_in_set(f"w{n}", 0) for n in range(9)]
    off = [_in_set(f"x{n}", None, power="deallocated") for n in range(3)]
    assert _judged(running + off, lane("one", "w0", "w1")).ok
    assert not _judged(running + off, lane("one", "w0 w1")).ok


def test_members_nobody_can_read_count_as_out() -> None:
    """A member that the set names and the inventory doesn't hold takes up room all the time."""
    machines = [vm(f"w{n}", update_domain=0) for n in range(9)]
    members = [vm_id(f"W{n}") for n in range(9)]
    held = {"id": set_id("AS-WEB"), "name": "as-web", "members": members}
    assert _judged(machines, lane("one", "w0"), availability_sets=[held]).ok
    held = held | {"members": [*members, vm_id("hidden")]}
    assert _judged(machines, lane("one", "w0"), availability_sets=[held]).ok
    assert not _judged(machines, lane("one", "w0 w1"), availability_sets=[held]).ok
    held = held | {"members": [*members, vm_id("hidden"), vm_id("hidden2")]}
    verdict = _judged(machines, lane("one", "w0"), availability_sets=[held])
    assert verdict.violations[0].what == (
        "availability set as-web, 11 machines, of which 2 can't be read and count as out: wave 1 of lane one (w0) takes "
        "1 machine out together; only 0 may be out at once"
    )


def test_unknown_update_domains() -> None:
    """If a changed machine's update domain isn't known, the set gives one machine at a time."""
    machines = [_in_set(f"w{n}", 0) for n in range(19)] + [_in_set("odd", None)]
    verdict = _judged(machines, lane("one", "w0 w1", "odd"))
    assert _rules(verdict) == ["set-share"]
    assert any("held to one machine at a time" in note for note in verdict.notes)
    assert _judged(machines, lane("one", "w0", "w1", "odd")).ok
    assert _judged(machines, lane("one", "w0 w1")).ok


def test_a_set_s_own_word_on_its_members() -> None:
    """A machine is in a set if either says so, and its domain counts in the set that it names itself."""
    machines = [vm("a", update_domain=0), vm("b", update_domain=1)]
    held = {"id": set_id("as-web"), "members": [vm_id("A"), vm_id("B")]}
    assert _rules(_judged(machines, lane("one", "a b"), availability_sets=[held])) == [
        "set-share",
        "update-domain",
    ]
    machines = [vm(f"m{n}", update_domain=0, availability_set=set_id("other")) for n in range(10)]
    held = {"id": set_id("as-web"), "members": [vm_id(f"m{n}") for n in range(10)]}
    assert _rules(_judged(machines, lane("one", "m0 m1"), availability_sets=[held])) == ["set-share"]


# Flexible scale sets -----------------------------------------------------------------------------------------


def test_one_fault_domain_at_a_time() -> None:
    """In a Flexible scale set one fault domain at a time."""
    machines = [_in_flex(f"f{n}", n % 2) for n in range(20)]
    assert _rules(_judged(machines, lane("one", "f0 f1"))) == ["fault-domain"]
    assert _judged(machines, lane("one", "f0 f2 f4 f6")).ok


def test_a_fifth_of_a_scale_set() -> None:
    """At most 20 % of a scale set."""
    machines = [_in_flex(f"f{n}", 0) for n in range(20)]
    assert _rules(_judged(machines, lane("one", "f0 f1 f2 f3 f4"))) == ["scale-set-share"]


def test_single_or_unknown_fault_domains() -> None:
    """With a single fault domain, or an unknown one, that rule falls away and the 20 % stay."""
    machines = [_in_flex(f"f{n}", n % 2) for n in range(10)]
    single = {"id": flex_id("flex"), "orchestration": "flexible", "fault_domains": 1}
    assert _judged(machines, lane("one", "f0 f1"), scale_sets=[single]).ok
    assert not _judged(machines, lane("one", "f0 f1 f2"), scale_sets=[single]).ok
    some = [_in_flex(f"f{n}", None if n else 0) for n in range(10)]
    verdict = _judged(some, lane("one", "f0 f1"))
    assert verdict.ok
    assert any("the fault domain of 9 machines isn't known" in note for note in verdict.notes)
    mixed = [_in_flex(f"f{n}", (0, 1, None)[n % 3]) for n in range(10)]
    assert _judged(mixed, lane("one", "f0 f2")).ok
    assert not _judged(mixed, lane("one", "f0 f1")).ok


def test_fault_domains_that_zones_cut() -> None:
    """A scale set over zones: its fault domains are finished within each zone."""
    machines = [_in_flex(f"z{z}f{f}n{n}", f, zone=str(z)) for z in (1, 2) for f in (0, 1) for n in range(3)]
    good = [f"z{z}f{f}n{n}" for z in (1, 2) for f in (0, 1) for n in range(3)]
    assert _judged(machines, lane("one", *good)).ok
    bad = [f"z1f{f}n{n}" for n in range(3) for f in (0, 1)]
    assert not _judged(machines, lane("one", *bad)).ok


# The rest ----------------------------------------------------------------------------------------------------


def test_the_share_of_a_subscription_is_a_cap() -> None:
    """A plan isn't held to the share of machines in no set; it is counted as left to the audit."""
    verdict = _judged([vm(f"m{n}") for n in range(5)], lane("one", "m0 m1 m2 m3 m4"))
    assert verdict.ok
    assert verdict.judged["caps, left to the audit"] == 1


def test_a_replaced_floor_is_not_held_against_a_plan() -> None:
    """A plan that says that a policy replaces the floor is told what the floor would have said, and no more."""
    machines = [vm("a", zone="1"), vm("b", zone="2")]
    verdict = judge_floor(plan(lane("one", "a b"), replaces=["availability-first"]), inventory(*machines))
    assert verdict.ok
    assert verdict.notes[0] == "a policy replaces availability-first: the floor is not held against this plan"
    assert verdict.notes[1].startswith("the floor would be broken in 1 places, such as: zones in westeurope")
    assert not judge_floor(plan(lane("one", "a b"), replaces=["something"]), inventory(*machines)).ok


def test_constraints_of_the_plan_are_not_believed() -> None:
    """A plan without any constraint, or with wrong ones, is held to the floor all the same."""
    machines = [_in_set("a", 0), _in_set("b", 1)]
    wrong = exclusion("as-web", ud0="a b")
    verdict = judge_floor(plan(lane("one", "a b"), constraints=[wrong]), inventory(*machines))
    assert {"set-share", "update-domain"} == set(_rules(verdict))
