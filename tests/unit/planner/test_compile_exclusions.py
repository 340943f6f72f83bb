"""`one_at_a_time` to exclusions: domains, facts that nobody knows, nesting."""

from __future__ import annotations

import pytest

from orchestrator.availability.model import Exclusion
from orchestrator.inventory.model import Location, Power
from tests.fleet import availability_set, flex_id, inventory, scale_set, set_id, vm
from tests.unit.planner.compiling import budgets, compiled, exclusions, told

TWO = "22222222-aaaa-4aaa-8aaa-000000000002"


def test_one_zone_at_a_time_in_each_region() -> None:
    """A machine without a zone is in no domain."""
    fleet = inventory(
        vm("a", zone="1"),
        vm("b", zone="2"),
        vm("c", zone="2"),
        vm("d"),
        vm("e", zone="1", location="northeurope"),
        vm("f", zone="3", location="northeurope"),
    )
    result = compiled(fleet, "  - {one_at_a_time: zone, within: region}")

    assert exclusions(result) == {
        "one zone at a time in westeurope": {"westeurope zone 1": "a", "westeurope zone 2": "b c"},
        "one zone at a time in northeurope": {"northeurope zone 1": "e", "northeurope zone 3": "f"},
    }


def test_an_exclusion_counts_whom_the_policy_selects_changed_or_not() -> None:
    """With one domain that moves it is kept: another rollout may hold the other one."""
    fleet = inventory(
        vm("a", zone="1"), vm("b", zone="2", power=Power.STOPPED), vm("c", zone="3", tags={"x": "y"})
    )
    result = compiled(fleet, "  - {one_at_a_time: zone, of: {not: {tags: {x: y}}}}", "a")

    assert exclusions(result) == {
        "one zone at a time in p (not (x=y))": {"westeurope zone 1": "a", "westeurope zone 2": "b"}
    }


def test_an_exclusion_that_says_nothing_is_dropped_with_its_reason() -> None:
    """No domain, one domain, or none that moves."""
    fleet = inventory(vm("a", zone="1"), vm("b", location="northeurope"), *(vm(f"c-{n}", zone=str(n), location="uksouth") for n in (1, 2)))  # fmt: skip
    result = compiled(fleet, "  - {one_at_a_time: zone, within: region}", "a", "b")

    assert result.constraints == ()
    assert [(d.rule, d.why, d.groups) for d in result.dropped] == [
        ("one zone at a time within region", "no zone is known there", 1),
        ("one zone at a time within region", "none of the domains' machines changes", 1),
        ("one zone at a time within region", "there is only one zone", 1),
    ]


def test_subscriptions_that_number_zones_differently_and_nobody_knows_how() -> None:
    """Their zones are domains of their own, one after the other, and the plan says so."""
    fleet = inventory(vm("a", zone="1"), vm("b", zone="1", subscription=TWO), vm("c", location="uksouth"))
    result = compiled(fleet, "  - {one_at_a_time: zone, within: region}")
    (domains,) = exclusions(result).values()

    assert list(domains.values()) == ["a", "b"]
    assert told(result) == [
        (
            "which zones of several subscriptions in westeurope are the same data centre isn't known: "
            "each subscription's zones are taken as zones of their own, one after the other"
        )
    ]


def test_a_region_of_two_pairs_is_in_two_exclusions_never_in_a_chain() -> None:
    """Pairs are not transitive: the outer two of three may go together."""
    fleet = inventory(
        vm("a", location="westus3"),
        vm("b", location="eastus"),
        vm("c", location="westus"),
        locations=(
            Location("westus3", ("eastus",)),
            Location("eastus", ("westus",)),
            Location("westus", ("eastus",)),
        ),
    )
    result = compiled(fleet, "  - {one_at_a_time: region, within: region_pair}")

    assert exclusions(result) == {
        "one region at a time in the region pair eastus + westus": {"eastus": "b", "westus": "c"},
        "one region at a time in the region pair eastus + westus3": {"eastus": "b", "westus3": "a"},
    }


def test_update_domains_of_a_set() -> None:
    """All members of the set, whoever selects them; a member that is off needs no known domain."""
    web = set_id("as-web")
    fleet = inventory(
        vm("a", availability_set=web, update_domain=0, tags={"app": "shop"}),
        vm("b", availability_set=web, update_domain=1),
        vm("c", availability_set=web, power=Power.DEALLOCATED),
    )
    result = compiled(fleet, "  - {one_at_a_time: update_domain, within: availability_set}", select="{tags: {app: shop}}")  # fmt: skip

    assert exclusions(result) == {
        "one update domain at a time in availability set as-web": {
            "update domain 0 of as-web": "a",
            "update domain 1 of as-web": "b",
        }
    }
    assert told(result) == []


def test_an_update_domain_that_nobody_knows() -> None:
    """One machine of the set at a time, besides what is known, and a warning."""
    web = set_id("as-web")
    fleet = inventory(
        vm("a", availability_set=web, update_domain=0),
        vm("b", availability_set=web, update_domain=1),
        vm("c", availability_set=web),
        *(vm(f"d-{n}", availability_set=set_id("as-db"), update_domain=n % 2) for n in range(3)),
    )
    result = compiled(fleet, "  - {one_at_a_time: update_domain, within: availability_set}")

    assert budgets(result) == {"at most 1 of 3 in availability set as-web": "a b c"}
    assert sorted(exclusions(result)) == [
        "one update domain at a time in availability set as-db",
        "one update domain at a time in availability set as-web",
    ]
    assert told(result) == [
        "availability set as-web: one machine at a time, since the update domain of 1 machine isn't known (c)"
    ]


def test_a_set_with_an_unknown_domain_and_a_member_that_can_t_be_read_is_frozen() -> None:
    """One machine at a time, and the one that can't be read counts as out."""
    fleet = inventory(
        *(vm(f"a-{n}", availability_set=set_id("as")) for n in range(20)),
        availability_sets=(availability_set("as", "ghost"),),
    )
    result = compiled(fleet, "  - {one_at_a_time: update_domain, within: availability_set}")

    assert [group.why for group in result.frozen] == [
        "one machine at a time, since update domains are unknown; 1 can't be read and counts as out"
    ]


@pytest.mark.parametrize(
    ("domains", "told_of", "excluded"),
    [
        ((0, 1, 1), 0, ["a", "b c"]),
        ((0, 0, 0), 0, []),  # single: the rule falls away
        ((None, None, None), 3, []),  # unknown: the same, with a warning
        ((0, 1, None), 1, ["a", "b"]),  # known in part: it holds for those
    ],
)
def test_fault_domains_of_a_scale_set(
    domains: tuple[int | None, ...], told_of: int, excluded: list[str]
) -> None:
    """A Flexible set has no update domains; its fault domains stand in for them."""
    machines = [
        vm(name, scale_set=flex_id("ss"), fault_domain=fd) for name, fd in zip("abc", domains, strict=True)
    ]
    result = compiled(inventory(*machines), "  - {one_at_a_time: fault_domain, within: scale_set}")

    assert [list(found.values()) for found in exclusions(result).values()] == ([excluded] if excluded else [])
    assert len(told(result)) == bool(told_of)
    assert all(f"the fault domain of {told_of} machine" in what for what in told(result))


def test_a_scale_set_that_has_one_fault_domain_by_choice_warns_of_nothing() -> None:
    """Azure gives zonal sets a single one; nothing is unknown then."""
    fleet = inventory(vm("a", scale_set=flex_id("ss")), scale_sets=(scale_set("ss", "a", fault_domains=1),))

    assert told(compiled(fleet, "  - {one_at_a_time: fault_domain, within: scale_set}")) == []


def test_domains_that_share_a_name_are_told_apart() -> None:
    """Two sets of one name in two resource groups are two domains."""
    one, other = set_id("as"), set_id("as").replace("rg-shop", "rg-blog")
    fleet = inventory(vm("a", availability_set=one), vm("b", availability_set=other))
    (domains,) = exclusions(compiled(fleet, "  - {one_at_a_time: availability_set}")).values()

    assert domains == {f"as ({other})": "b", f"as ({one})": "a"}


def test_which_exclusion_is_the_outer_one() -> None:
    """Region pair, region, zone, update and fault domain, then the policies' own as they are written."""
    web, flex = set_id("as"), flex_id("ss")
    fleet = inventory(
        vm("a", zone="1", availability_set=web, update_domain=0, tags={"x": "1", "y": "1"}),
        vm("b", zone="2", availability_set=web, update_domain=1, tags={"x": "2", "y": "2"}),
        vm("c", location="northeurope", scale_set=flex, fault_domain=0),
        vm("d", scale_set=flex, fault_domain=1),
        locations=(Location("westeurope", ("northeurope",)),),
    )
    rules = """\
  - {one_at_a_time: "tag:y"}
  - {one_at_a_time: "tag:x"}
  - {one_at_a_time: update_domain, within: availability_set}
  - {one_at_a_time: fault_domain, within: scale_set}
  - {one_at_a_time: zone, within: region}
  - {one_at_a_time: region}
  - {one_at_a_time: region, within: region_pair}
"""
    found = [rule for rule in compiled(fleet, rules).constraints if isinstance(rule, Exclusion)]

    assert sorted((rule.level, rule.origin.line) for rule in found) == [
        (0, 10), (2, 9), (3, 7), (3, 8), (4, 5), (5, 6),
    ]  # fmt: skip
