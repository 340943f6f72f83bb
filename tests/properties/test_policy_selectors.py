"""Never: a selector that selects otherwise than its definition, read naively, says."""

from __future__ import annotations

from dataclasses import fields
from fnmatch import fnmatchcase

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.inventory.model import Kind, Machine, Os
from orchestrator.policy import index as index_of_machines
from orchestrator.policy.index import Index
from orchestrator.policy.model import Selector
from orchestrator.policy.select import intersection, matches
from tests.fleet import SUBSCRIPTION, flex_id, set_id, vm

TAGS = st.dictionaries(
    st.sampled_from(["app", "App", "tier", "RING"]),
    st.sampled_from(["shop", "Shop", "web", "", "a?b"]),
    max_size=3,
)
NAMES = ["web-1", "WEB-2", "api", "a.b", "x[1]"]

MACHINES = st.builds(
    lambda name, zone, location, tags, os, kind, held, flex: vm(
        name,
        zone=zone,
        location=location,
        tags=tags,
        os=os,
        kind=kind,
        availability_set=held and set_id(held),
        scale_set=flex and flex_id(flex),
    ),
    st.sampled_from(NAMES),
    st.sampled_from([None, "1", "2"]),
    st.sampled_from(["westeurope", "northeurope", ""]),
    TAGS,
    st.sampled_from(list(Os)),
    st.sampled_from(list(Kind)),
    st.sampled_from([None, "as-1", "AS-2"]),
    st.sampled_from([None, "ss-1"]),
)


def some(*values: str) -> st.SearchStrategy[tuple[str, ...]]:
    """None, one or two of these."""
    return st.lists(st.sampled_from(values), max_size=2).map(tuple)


def selectors() -> st.SearchStrategy[Selector]:
    """Selectors in the spelling that the loader gives them, nested a little."""
    tags = st.lists(
        st.tuples(
            st.sampled_from(["app", "tier", "ring"]),
            st.lists(st.sampled_from(["shop", "*", "w*", "?hop", "a?b", ""]), min_size=1, max_size=2).map(
                tuple
            ),
        ),
        max_size=2,
        unique_by=lambda tag: tag[0],
    ).map(tuple)
    flat = st.builds(
        Selector,
        tags=tags,
        without_tags=some("app", "ring", "x"),
        names=some("web-*", "api", "*", "a.?", "x[1]", "x[*"),
        regions=some("westeurope", "north*"),
        zones=some("1", "*"),
        subscriptions=some(SUBSCRIPTION, "other"),
        resource_groups=some("rg-shop", "rg-*", "x"),
        os=some("windows", "unknown"),
        kinds=some("arc", "azure_vm"),
        availability_sets=some("*", "as-1", set_id("as-2")),
        scale_sets=some("ss-?", "x"),
    )
    return st.recursive(
        flat,
        lambda inner: st.builds(
            Selector,
            tags=tags,
            none_of=st.lists(inner, max_size=2).map(tuple),
            any_of=st.lists(inner, max_size=2).map(tuple),
        ),
        max_leaves=4,
    )


def like(value: str | None, patterns: tuple[str, ...]) -> bool:
    """One of the patterns, without regard to case; brackets are no globs."""
    return value is not None and any(
        fnmatchcase(value.lower(), p.lower().replace("[", "[[]")) for p in patterns
    )


def naive(selector: Selector, machine: Machine) -> bool:
    """The definition, word for word."""
    tags = {name.lower(): value for name, value in sorted(machine.tags.items())}
    if len(tags) < len(machine.tags):
        return matches(selector, machine)  # Azure has no two tags that differ in case alone
    plain = (
        (selector.names, (machine.name,)),
        (selector.regions, (machine.location,)),
        (selector.zones, (machine.zone,)),
        (selector.subscriptions, (machine.subscription,)),
        (selector.resource_groups, (machine.resource_group,)),
        (selector.os, (machine.os,)),
        (selector.kinds, (machine.kind,)),
        (
            selector.availability_sets,
            (machine.availability_set, (machine.availability_set or "").rpartition("/")[2] or None),
        ),
        (selector.scale_sets, (machine.scale_set, (machine.scale_set or "").rpartition("/")[2] or None)),
    )
    return (
        all(like(tags.get(name), values) for name, values in selector.tags)
        and not any(name in tags for name in selector.without_tags)
        and all(any(like(value, patterns) for value in values) for patterns, values in plain if patterns)
        and (not selector.any_of or any(naive(option, machine) for option in selector.any_of))
        and not any(naive(excluded, machine) for excluded in selector.none_of)
    )


@given(selectors(), MACHINES)
def test_a_compiled_selector_says_what_the_definition_says(selector: Selector, machine: Machine) -> None:
    """For every selector and machine."""
    assert matches(selector, machine) is naive(selector, machine)


@given(selectors(), selectors(), MACHINES)
def test_an_intersection_is_both(one: Selector, other: Selector, machine: Machine) -> None:
    """Whatever is left out for speed."""
    assert intersection(one, other)(machine) is (matches(one, machine) and matches(other, machine))


@given(st.lists(MACHINES, max_size=20), selectors())
def test_the_index_selects_as_the_matcher_does(machines: list[Machine], selector: Selector) -> None:
    """Looked up by value or asked one by one, the answer is the same."""
    index = Index(machines)
    wanted = [place for place, machine in enumerate(machines) if matches(selector, machine)]

    assert wanted == index.places(index.mask(selector)).tolist()
    assert index.mask(selector) == index.of(wanted)


@pytest.mark.parametrize("field", [one.name for one in fields(Selector)])
def test_the_index_knows_every_field_of_a_selector(field: str) -> None:
    """A field that it doesn't look up is asked of each machine, never passed over; today it looks up all."""
    assert field in index_of_machines._KNOWN
