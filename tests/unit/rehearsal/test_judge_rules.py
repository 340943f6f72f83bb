"""Expectations that are rules, of plans and of rollouts."""

from __future__ import annotations

import pytest

from tests.rehearsing import CAMPAIGN, rehearsed, told

LOOSE = "version: 1\nname: loose\nselect: {tags: {app: shop}}\nchange: {patches: {}}\nreplaces: availability-first\n"


@pytest.mark.parametrize("run", ["", "run: {}\n"])
@pytest.mark.parametrize(
    "expectation",
    [
        "{at_most_out: 2, of: {tags: {tier: web}}}",
        "{at_most_out: 34%, of: {tags: {tier: web}}}",
        "{at_most_out: 2, of: {tags: {app: shop}}, per: zone}",
        "{at_least_serving: majority, of: {tags: {tier: db}}}",
        "{at_least_serving: 4, of: {tags: {tier: web}}}",
        "{order: [{tags: {tier: db}}, {tags: {tier: web}}]}",
        "{one_at_a_time: zone, within: region}",
    ],
)
def test_what_the_rules_keep_holds(run: str, expectation: str) -> None:
    """On paper and in a rollout."""
    result = rehearsed(f"{run}expect: [{expectation}]")
    assert told(result) == ""


@pytest.mark.parametrize("run", ["", "run: {}\n"])
@pytest.mark.parametrize(
    ("expectation", "found"),
    [
        ("{at_most_out: 1, of: {tags: {app: shop}}}", "takes 2 machines out together"),
        ("{at_least_serving: 6, of: {tags: {tier: web}}}", "takes 1 machine out"),
        ("{order: [{tags: {tier: web}}, {tags: {tier: db}}]}", "must be done before"),
    ],
)
def test_what_they_do_not_keep_fails_and_says_who_and_why(run: str, expectation: str, found: str) -> None:
    """With the plan's own rules for these machines."""
    result = rehearsed(f"{run}expect: [{expectation}]")

    assert found in told(result)
    assert "what holds for them: " in told(result) or "no rule holds for" in told(result)


def test_machines_that_are_off_count_as_out() -> None:
    """One of three that is off leaves no room: the plan leaves the others alone, and the expectation holds."""
    off = "given: {off: db-1}\nexpect: [{at_most_out: 1, of: {tags: {tier: db}}}, {left_out: [db-2, db-3], because: admits nobody}]"
    assert told(rehearsed(off)) == ""

    result = rehearsed("given: {off: [db-1, db-2]}\nexpect: [{at_most_out: 1, of: {tags: {tier: db}}}]")
    assert "2 of 3 are out before anything is done: db-1, db-2" in told(result)


def test_a_machine_that_is_off_leaves_less_room_to_the_plan() -> None:
    """A plan that takes the next one all the same is found out on paper."""
    result = rehearsed("given: {off: db-1}\nexpect: [{at_most_out: 2, of: {tags: {tier: db}}}]", LOOSE)
    assert "takes 2 machines out together (db-1 being off already)" in told(result)


def test_a_loose_policy_is_found_out_by_the_rollout_too() -> None:
    """Without rules everything goes at once; the message says that no rule holds for them."""
    result = rehearsed("run: {}\nexpect: [{at_most_out: 1, of: {tags: {tier: db}}}]", LOOSE)

    assert "in the plan" in told(result)
    assert "the rollout had 2 out: db-1, db-2" in told(result)
    assert "no rule holds for db-1, db-2" in told(result)


def test_an_order_that_a_rollout_breaks_is_found_out() -> None:
    """Two machines that go together are in no order."""
    result = rehearsed("run: {}\nexpect: [{order: [db-1, db-2]}]", LOOSE)
    assert "the rollout began db-2 at" in told(result)


def test_domains_that_a_rollout_mixes_are_found_out() -> None:
    """Zones are one at a time by the built-in rules alone, and they were replaced."""
    result = rehearsed("run: {}\nexpect: [{one_at_a_time: zone}]", LOOSE)
    assert "out, of westeurope zone 1 and westeurope zone 2" in told(result)


def test_domains_that_nobody_is_in_are_told() -> None:
    """An expectation over availability sets says nothing of a fleet without any."""
    said = told(rehearsed("expect: [{one_at_a_time: availability_set}]"))
    assert "of the machines, none is in any availability set" in said


def test_an_expectation_of_nobody_never_holds() -> None:
    """A typing error in a tag must not pass for years."""
    for expectation in (
        "at_most_out: 1, of: {tags: {tier: dbb}}",
        "order: [db-9, db-1]",
        "one_at_a_time: zone, of: x-1",
    ):
        result = rehearsed(f"expect: [{{{expectation}}}]", CAMPAIGN)
        assert "no machine of the fleet is" in told(result)
