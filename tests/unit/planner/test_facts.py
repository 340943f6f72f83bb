"""Digests of what a plan was made of."""

from __future__ import annotations

from dataclasses import replace

import pytest

from orchestrator.inventory.model import Agent, Machine, Power
from orchestrator.planner.facts import facts_digest, facts_of, policies_fingerprint, read_tags
from orchestrator.planner.plan import plan
from orchestrator.policy.load import load, load_one
from orchestrator.policy.model import Selector
from orchestrator.topology.graph import build
from tests.fleet import availability_set, inventory, set_id, vm
from tests.unit.planner.company import RULES, policies
from tests.unit.planner.compiling import floor

WEB = vm("web", zone="1", tags={"Tier": "web", "cost": "42"}, update_domain=1, fault_domain=0)
READ = ("tier",)


@pytest.mark.parametrize(
    "moved",
    [
        replace(WEB, zone="2"),
        replace(WEB, location="northeurope"),
        replace(WEB, tags={"tier": "db", "cost": "42"}),
        replace(WEB, tags={"cost": "42"}),
        replace(WEB, availability_set=set_id("as")),
        replace(WEB, update_domain=2),
        replace(WEB, fault_domain=None),
    ],
)
def test_what_rules_read_is_in_the_digest(moved: Machine) -> None:
    """Zone, region, sets, domains, and the tags that rules name."""
    assert facts_digest(moved, READ) != facts_digest(WEB, READ)


@pytest.mark.parametrize(
    "moved",
    [
        replace(WEB, tags={"tier": "web", "cost": "7", "scanned": "today"}),
        replace(WEB, power=Power.STOPPED, agent=Agent.MISSING),
        replace(WEB, size="Standard_D64s_v5"),
    ],
)
def test_what_no_rule_reads_is_not(moved: Machine) -> None:
    """Other tags, and what changes all day."""
    assert facts_digest(moved, READ) == facts_digest(WEB, READ)


def test_learning_what_was_unknown_makes_a_plan_no_worse() -> None:
    """A plan from a plain file took the careful case for update domains; the live fleet knows them."""
    told = [replace(WEB, name=f"web{n}", id=vm(f"web{n}").id, availability_set=set_id("as"), zone=None, update_domain=n) for n in (0, 1)]  # fmt: skip
    untold = [replace(machine, update_domain=None, fault_domain=None) for machine in told]
    campaign = [load_one("c.yaml", "version: 1\nname: c\nselect: {names: '*'}\nchange: {restart: {}}\n")]
    made = plan(build(inventory(*untold, availability_sets=(availability_set("as"),))), campaign, floor())
    digest = facts_of(made)

    assert made.machines[0].facts.endswith(" without update_domain, fault_domain")
    assert [digest(machine) for machine in told] == [machine.facts for machine in made.machines]
    assert digest(replace(told[0], zone="3")) != made.machines[0].facts


def test_the_tags_that_decide_what_holds() -> None:
    """Of selections, rules, groups and stages; in lower case."""
    campaign = (
        "version: 1\nname: c\nselect: {tags: {patching: '*'}, without_tags: Legacy}\nchange: {restart: {}}\n"
        "stages: [{name: canary, select: {tags: {Ring: canary}}}, {name: broad}]\n"
    )

    assert read_tags(load([("c.yaml", campaign), ("a.yaml", RULES)]), Selector(tags=(("only", ("x",)),))) == (
        "app",
        "legacy",
        "only",
        "patching",
        "ring",
        "tier",
    )


def test_policies_are_named_by_what_they_say() -> None:
    """Files, comments and line breaks make no difference, nor does the order of files; a value does."""
    one = load_one("a.yaml", RULES)
    same = load_one("b/c.yaml", RULES.replace("rules:", "# a comment\n\nrules:"))
    other = load_one("a.yaml", RULES.replace("25%", "20%"))

    assert policies_fingerprint([one]) == policies_fingerprint([same])
    assert policies_fingerprint([one]) != policies_fingerprint([other])
    assert policies_fingerprint(policies()) == policies_fingerprint(reversed(policies()))
