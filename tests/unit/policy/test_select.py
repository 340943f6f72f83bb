"""Which machines a selector selects, and selectors of the command line."""

from __future__ import annotations

import pytest

from orchestrator.errors import UsageError
from orchestrator.inventory.model import Kind, Os
from orchestrator.policy import words
from orchestrator.policy.model import EVERYTHING, Selector
from orchestrator.policy.select import intersection, matches, parse_selector_expression
from tests.fleet import arm_id, flex_id, set_id, vm

WEB = vm(
    "Web-01",
    group="RG-Shop",
    zone="1",
    tags={"App": "Shop", "tier": "web", "empty": ""},
    os=Os.LINUX,
    availability_set=set_id("as-web"),
)


@pytest.mark.parametrize(
    ("selector", "selected"),
    [
        (Selector(), True),
        (Selector(tags=(("app", ("shop",)),)), True),
        (Selector(tags=(("app", ("blog", "shop")),)), True),
        (Selector(tags=(("APP", ("SHOP",)), ("TIER", ("WEB",)))), True),
        (Selector(tags=(("app", ("blog",)),)), False),
        (Selector(tags=(("app", ("sh*",)), ("tier", ("w?b",)))), True),
        (Selector(tags=(("app", ("shop",)), ("tier", ("db",)))), False),
        (Selector(tags=(("app", ("*",)),)), True),
        (Selector(tags=(("empty", ("*",)),)), True),
        (Selector(tags=(("ring", ("*",)),)), False),
        (Selector(without_tags=("ring",)), True),
        (Selector(without_tags=("app",)), False),
        (Selector(without_tags=("ring", "empty")), False),
        (Selector(without_tags=("rin*",), tags=(("app", ("shop",)),)), True),
        (Selector(without_tags=("*",)), True),
        (Selector(names=("web-01",)), True),
        (Selector(names=("web-*",)), True),
        (Selector(names=("api-*", "*-01")), True),
        (Selector(names=("web",)), False),
        (Selector(names=("web-[0-9]*",)), False),
        (Selector(regions=("westeurope",)), True),
        (Selector(regions=("west*",)), True),
        (Selector(regions=("northeurope",)), False),
        (Selector(zones=("1", "2")), True),
        (Selector(zones=("3",)), False),
        (Selector(subscriptions=(WEB.subscription,)), True),
        (Selector(subscriptions=("other",)), False),
        (Selector(resource_groups=("rg-shop",)), True),
        (Selector(resource_groups=("rg-*",)), True),
        (Selector(resource_groups=("rg",)), False),
        (Selector(os=("linux",)), True),
        (Selector(os=("windows",)), False),
        (Selector(kinds=("arc", "azure_vm")), True),
        (Selector(kinds=("arc",)), False),
        (Selector(availability_sets=("*",)), True),
        (Selector(availability_sets=("as-*",)), True),
        (Selector(availability_sets=(arm_id("as-web", "availabilitySets").lower(),)), True),
        (Selector(availability_sets=("as-db",)), False),
        (Selector(scale_sets=("*",)), False),
        (Selector(none_of=(Selector(names=("web-*",)),)), False),
        (Selector(none_of=(Selector(names=("db-*",)),)), True),
        (Selector(none_of=(Selector(names=("db-*",)), Selector(zones=("1",)))), False),
        (Selector(any_of=(Selector(names=("db-*",)), Selector(zones=("1",)))), True),
        (Selector(any_of=(Selector(names=("db-*",)), Selector(zones=("2",)))), False),
        (Selector(regions=("westeurope",), any_of=(Selector(zones=("2",)),)), False),
        (Selector(none_of=(Selector(any_of=(Selector(scale_sets=("*",)), Selector(os=("windows",)))),)), True),
    ],
)  # fmt: skip
def test_a_machine_is_selected_if_all_that_is_said_holds(selector: Selector, *, selected: bool) -> None:
    """Of several values of one key any; case doesn't matter; globs know `*` and `?` only."""
    assert matches(selector, WEB) is selected


def test_a_machine_without_the_thing_isn_t_selected_by_it() -> None:
    """No zone, no set, no tag: nothing to match, not even by `*`."""
    bare = vm("bare", os=Os.UNKNOWN, kind=Kind.ARC)

    assert not matches(Selector(zones=("*",)), bare)
    assert not matches(Selector(availability_sets=("*",)), bare)
    assert not matches(Selector(tags=(("app", ("*",)),)), bare)
    assert matches(Selector(os=("unknown",), kinds=("arc",)), bare)


def test_members_of_a_scale_set() -> None:
    """By its name or its id."""
    flex = vm("f", scale_set=flex_id("VMSS-Shop"))

    assert matches(Selector(scale_sets=("vmss-shop",)), flex)
    assert matches(Selector(scale_sets=(flex_id("vmss-shop"),)), flex)


def test_a_glob_that_would_backtrack_for_ever_doesn_t() -> None:
    """Many stars against a long name that nearly matches."""
    glob, name = "a*" * 40 + "b", "a" * 200

    assert not matches(Selector(names=(glob,)), vm(name))


@pytest.mark.parametrize(
    ("one", "other", "selected"),
    [
        (EVERYTHING, EVERYTHING, True),
        (EVERYTHING, Selector(zones=("2",)), False),
        (Selector(zones=("1",)), EVERYTHING, True),
        (Selector(zones=("1",)), Selector(os=("windows",)), False),
    ],
)
def test_a_rule_s_selector_counts_within_its_policy_s(
    one: Selector, other: Selector, *, selected: bool
) -> None:
    """Both must hold."""
    assert intersection(one, other)(WEB) is selected


@pytest.mark.parametrize(
    ("expression", "selector"),
    [
        ("tag:app=shop", Selector(tags=(("app", ("shop",)),))),
        ("tag:App=Shop,tag:app=blog, tag:ring", Selector(tags=(("app", ("blog", "shop")), ("ring", ("*",))))),
        (
            "tag:app=shop,without_tag:Ring,without_tag:patching",
            Selector(tags=(("app", ("shop",)),), without_tags=("patching", "ring")),
        ),
        ("region=West Europe,name=Web-*", Selector(names=("web-*",), regions=("westeurope",))),
        (
            "zone=1,zone=2,subscription=A,resource_group=RG,os=windows,kind=arc,availability_set=as,scale_set=*",
            Selector(
                zones=("1", "2"),
                subscriptions=("a",),
                resource_groups=("rg",),
                os=("windows",),
                kinds=("arc",),
                availability_sets=("as",),
                scale_sets=("*",),
            ),
        ),
        ("tag:url=a=b", Selector(tags=(("url", ("a=b",)),))),
    ],
)
def test_selectors_of_the_command_line(expression: str, selector: Selector) -> None:
    """Parts joined by commas all hold; a key that is repeated needs any of its values."""
    assert parse_selector_expression(expression) == selector


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("", "an empty part; write key=value, joined by commas"),
        ("name=a,,os=linux", "an empty part; write key=value, joined by commas"),
        ("regon=x", "`regon` isn't known; did you mean `region`?"),
        ("app=shop", "`app` isn't known; did you mean `tag:app`?"),
        ("x", "`x` isn't known; write one of name, region, zone, subscription, resource_group, os, kind, availability_set, scale_set or tag:NAME"),
        ("name=", "`name=` has no value; write name=VALUE"),
        ("without_tag:", "`without_tag:` isn't the name of a tag; write without_tag:NAME for machines that don't have it"),
        ("without_tag:a=b", "`without_tag:a=b` isn't the name of a tag; write without_tag:NAME for machines that don't have it"),
        ("name", "`name` has no value; write name=VALUE"),
        ("tag:=x", "`tag:=x` names no tag; write tag:NAME=VALUE, or tag:NAME for machines that have it"),
        ("tag:app=", "`tag:app=` has no value; write tag:app alone for machines that have it"),
        ("os=win", "`win` is no os; write one of windows, linux, unknown"),
        ("kind=vm,os=bsd", "`vm` is no kind; write one of azure_vm, arc, azure_local; `bsd` is no os; write one of windows, linux, unknown"),
    ],
)  # fmt: skip
def test_what_isn_t_a_selector_is_told_what_to_write(expression: str, said: str) -> None:
    """Every part that is wrong, in one message."""
    with pytest.raises(UsageError) as caught:
        parse_selector_expression(expression)

    assert str(caught.value) == f"--select {expression}: {said}"


def test_a_selector_in_a_sentence() -> None:
    """Values, presence and absence each in words."""
    selector = Selector(
        tags=(("app", ("shop",)), ("ring", ("*",))), without_tags=("legacy", "owner"), regions=("westeurope",)
    )

    assert words.selector(selector) == "app=shop and ring and no tag legacy and no tag owner and westeurope"
