"""Which machines are asked about together, and how a plan's file says so."""

from __future__ import annotations

from orchestrator.planner.document import dump, parse
from orchestrator.planner.model import Plan
from orchestrator.planner.plan import plan
from orchestrator.policy.load import load
from orchestrator.topology.graph import build
from tests.fleet import inventory, vm
from tests.unit.planner.compiling import floor

CAMPAIGN = "version: 1\nname: monthly\nselect: {tags: {patching: yes}}\nchange: {patches: {}}\n"

FLEET = (
    vm("db-1", tags={"tier": "db", "patching": "yes"}),
    vm("db-2", tags={"tier": "db"}),
    vm("db-3", tags={"tier": "db", "patching": "yes"}, location="northeurope"),
    vm("web-1", tags={"tier": "web", "patching": "yes"}),
)


def planned(probes: str) -> Plan:
    """The plan of that fleet, under a policy with these group probes."""
    shop = f"version: 1\nname: shop\nhealth:\n  group_probes:\n{probes}"
    return plan(build(inventory(*FLEET)), load([("monthly.yaml", CAMPAIGN), ("shop.yaml", shop)]), floor())


def told(made: Plan) -> dict[str, list[str]]:
    """The groups that are asked about for each machine that changes."""
    return {
        machine.name: [made.group_probes[place].name for place in machine.groups]
        for machine in made.machines
        if machine.change
    }


def test_the_machines_that_a_probe_selects_are_one_group() -> None:
    """Those of its policy, and of them only its own; whoever changes nothing isn't in the plan's groups."""
    made = planned('    - {http: {url: "http://status/{group}"}, of: {tags: {tier: db}}}')
    assert told(made) == {"db-1": ["shop (tier=db)"], "db-3": ["shop (tier=db)"], "web-1": []}
    assert [group.value for group in made.group_probes] == ["shop (tier=db)"]


def test_per_divides_them() -> None:
    """Each group by itself, by the name that `{group}` stands for."""
    made = planned('    - {http: {url: "http://status/{group}"}, of: {tags: {tier: db}}, per: region}')
    assert told(made) == {
        "db-1": ["shop (tier=db), westeurope"],
        "db-3": ["shop (tier=db), northeurope"],
        "web-1": [],
    }
    assert {group.value for group in made.group_probes} == {"westeurope", "northeurope"}
    both = planned('    - {tcp: {host: "{group}.example", port: 1}, per: [region, "tag:tier"]}')
    assert "westeurope/tier=db" in {group.value for group in both.group_probes}


def test_machines_outside_every_group_are_told() -> None:
    """Nothing is asked about them, which their owner may not have meant."""
    made = planned('    - {http: {url: "http://status/{group}"}, per: "tag:cluster"}')
    assert told(made) == {"db-1": [], "db-3": [], "web-1": []}
    (warned,) = (w.what for w in made.warnings if "nothing is asked" in w.what)
    assert warned == (
        "http http://status/{group}, expecting 200 within 5s per tag cluster: "
        "nothing is asked about 3 machines of shop without a tag cluster"
    )


def test_a_plan_carries_its_groups() -> None:
    """And one without any is the file that it always was."""
    made = planned('    - {http: {url: "http://status/{group}", expect_status: 204}, per: region}')
    assert parse(dump(made), "plan.json") == made
    assert b'"groups"' in dump(made)
    silent = plan(build(inventory(*FLEET)), load([("monthly.yaml", CAMPAIGN)]), floor())
    assert b'"group' not in dump(silent)


def test_a_tag_that_decides_who_is_asked_about_is_read() -> None:
    """A machine that changes it is another machine to the plan."""
    made = planned('    - {http: {url: "http://status/{group}"}, of: {tags: {Tier: db}}, per: "tag:cluster"}')
    assert set(made.read_tags) >= {"tier", "cluster"}
