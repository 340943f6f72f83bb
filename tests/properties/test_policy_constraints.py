"""Never: constraints that depend on the order of things, and policies that loosen each other."""

from __future__ import annotations

import random
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from orchestrator.availability.model import Budget, Constraint, Exclusion, Order
from orchestrator.inventory.model import Inventory, Location, MachineId, Power
from orchestrator.inventory.standing import is_off
from orchestrator.planner.compile import Compiled, compile_constraints
from orchestrator.policy.load import load, load_one
from orchestrator.policy.model import Policy
from orchestrator.topology.graph import Topology, build
from tests.fleet import availability_set, flex_id, inventory, pool, pool_id, scale_set, set_id, vm
from tests.unit.planner.compiling import floor

RULES = (
    "{max_unavailable: 25%}",
    "{max_unavailable: 1, rebootless: {max_unavailable: 3}}",
    "{max_unavailable: 20%, rebootless: {max_unavailable: 60%}, per: region}",
    "{min_available: majority, rebootless: {max_unavailable: 90%}, of: {tags: {tier: db}}}",
    "{min_available: 5, rebootless: {max_unavailable: 2}, cap: true}",
    '{max_unavailable: 1, per: "tag:tier"}',
    "{max_unavailable: 2, per: availability_set, of: {tags: {tier: web}}}",
    "{max_unavailable: 50%, per: [region, zone]}",
    "{min_available: majority, of: {tags: {tier: db}}}",
    "{min_available: 2, per: scale_set}",
    "{max_unavailable: 1, per: load_balancer}",
    "{min_available: majority, per: [region, load_balancer]}",
    "{one_at_a_time: load_balancer, within: region}",
    "{one_at_a_time: zone, within: load_balancer}",
    "{order: [{tags: {tier: db}}, {}], per: load_balancer}",
    "{min_available: 60%, per: region_pair, cap: true}",
    "{min_available: 1, per: update_domain, singletons: allow}",
    "{min_available: majority, per: zone, singletons: approve}",
    "{one_at_a_time: zone, within: region}",
    "{one_at_a_time: region}",
    '{one_at_a_time: "tag:tier", within: region}',
    "{one_at_a_time: availability_set}",
    "{one_at_a_time: update_domain, within: availability_set}",
    "{order: [{tags: {tier: db}}, {tags: {tier: web}}, {}], per: region}",
    "{order: [{tags: {tier: db}}, {tags: {tier: api}}]}",
)
POOLS = (None, (), (), (pool_id("web"),), (pool_id("api"),), (pool_id("api"), pool_id("web")))
SELECTS = ("{}", "{tags: {app: shop}}", "{not: {tags: {tier: db}}}", "{regions: westeurope}")
PAIR = (Location("westeurope", ("northeurope",)),)


@st.composite
def fleets(draw: st.DrawFn) -> Inventory:
    """Up to twelve machines that stand in anything, some off, some unread."""
    machines = []
    for number in range(draw(st.integers(1, 12))):
        stands = draw(st.sampled_from(["set", "flex", "zone", "nowhere"]))
        domain = draw(st.sampled_from([None, 0, 1]))
        facts: dict[str, object] = {
            "set": {"availability_set": set_id(f"as-{number % 2}"), "update_domain": domain},
            "flex": {"scale_set": flex_id("ss"), "fault_domain": domain},
            "zone": {"zone": str(1 + (domain or 0))},
            "nowhere": {},
        }[stands]
        machines.append(
            vm(
                f"m-{number:02}",
                location=draw(st.sampled_from(["westeurope", "northeurope"])),
                subscription=draw(st.sampled_from(["sub-1", "sub-2"])),
                power=draw(st.sampled_from([Power.RUNNING, Power.RUNNING, Power.DEALLOCATED])),
                tags=draw(
                    st.fixed_dictionaries(
                        {}, optional={"tier": st.sampled_from(["db", "web", "api"]), "app": st.just("shop")}
                    )
                ),
                backend_pools=draw(st.sampled_from(POOLS)),
                **facts,
            )
        )
    ghosts = draw(st.booleans())
    return inventory(
        *machines,
        locations=PAIR,
        availability_sets=(availability_set("as-0", "ghost"),) if ghosts else (),
        scale_sets=(scale_set("ss", "spook"),) if ghosts else (),
        backend_pools=(pool("web", "shade"),) if ghosts else (),
    )


def policy_files(count: int) -> st.SearchStrategy[list[tuple[str, str]]]:
    """Some policies of some rules. Their orders never loop: db before the rest, in every rule."""
    body = st.tuples(st.sampled_from(SELECTS), st.lists(st.sampled_from(RULES), min_size=1, max_size=4))
    return st.lists(body, min_size=1, max_size=count).map(
        lambda bodies: [
            (
                f"p{number}.yaml",
                f"version: 1\nname: p{number}\nselect: {select}\nrules:\n"
                + "".join(f"  - {rule}\n" for rule in rules),
            )
            for number, (select, rules) in enumerate(bodies)
        ]
    )


def compiled(topology: Topology, policies: tuple[Policy, ...], changed: frozenset[MachineId]) -> Compiled:
    """Under the floor too."""
    return compile_constraints(topology, policies, floor(), changed)


def members(rule: Constraint) -> frozenset[MachineId]:
    """Every machine that a constraint is about."""
    match rule:
        case Budget():
            return frozenset(rule.machines)
        case Exclusion():
            return frozenset(machine for held in rule.domains.values() for machine in held)
        case Order():
            return frozenset((*rule.first, *rule.then))


@given(fleets(), policy_files(3), st.randoms(use_true_random=False))
def test_the_order_of_files_and_of_the_inventory_changes_nothing(
    fleet: Inventory, files: list[tuple[str, str]], chance: random.Random
) -> None:
    """Same constraints, same ids, same order, same words."""
    policies = list(load(files))
    shuffled = list(fleet.machines)
    topology = build(fleet)
    changed = frozenset(chance.sample(topology.machines, chance.randint(0, len(topology.machines))))
    before = compiled(topology, tuple(policies), changed)
    chance.shuffle(policies)
    chance.shuffle(shuffled)

    assert compiled(build(replace(fleet, machines=tuple(shuffled))), tuple(policies), changed) == before


@given(fleets(), policy_files(2), st.randoms(use_true_random=False))
def test_what_is_changed_never_changes_a_constraint_s_content(
    fleet: Inventory, files: list[tuple[str, str]], chance: random.Random
) -> None:
    """Two rollouts under one policy share its counters: of what both have, each says the same."""
    topology, policies = build(fleet), load(files)
    everything = frozenset(topology.machines)
    some = frozenset(chance.sample(topology.machines, chance.randint(0, len(topology.machines))))
    whole = {rule.id: rule for rule in compiled(topology, policies, everything).constraints}
    for rule in compiled(topology, policies, some).constraints:
        if rule.id in whole:
            assert rule == whole[rule.id]


@given(fleets(), policy_files(2), policy_files(1))
def test_another_policy_never_takes_a_constraint_away(
    fleet: Inventory, files: list[tuple[str, str]], more: list[tuple[str, str]]
) -> None:
    """Unless none of its machines moves any more, or another one says the same."""
    topology, policies = build(fleet), load(files)
    ((_, text),) = more
    added = load_one("added.yaml", text.replace("name: p0", "name: added"))
    changed = frozenset(topology.machines)
    before = compiled(topology, policies, changed)
    after = compiled(topology, (*policies, added), changed)
    still = changed - {machine for group in after.frozen for machine in group.machines}
    kept = {rule.id for rule in after.constraints}
    for rule in before.constraints:
        if isinstance(rule, Order):
            assert rule.id in kept or not (still & set(rule.first) and still & set(rule.then))
        else:
            assert rule.id in kept or not still & members(rule)


@given(fleets(), policy_files(3))
def test_every_constraint_is_well_formed(fleet: Inventory, files: list[tuple[str, str]]) -> None:
    """Sorted, disjoint, without machines that are off where they don't count, each id once, nobody frozen in it."""
    topology = build(fleet)
    changed = frozenset(topology.machines)
    result = compiled(topology, load(files), changed)
    frozen = {machine for group in result.frozen for machine in group.machines}
    ids = [rule.id for rule in result.constraints]

    assert ids == sorted(set(ids))
    for rule in result.constraints:
        assert members(rule) <= changed
        assert members(rule) - frozen
        match rule:
            case Budget():
                assert list(rule.machines) == sorted(set(rule.machines))
                assert not any(is_off(topology.machine(machine)) for machine in rule.machines)
                assert rule.limit < len(rule.machines)
                assert rule.limit > 0 or members(rule).isdisjoint(changed - frozen)
            case Exclusion():
                assert list(rule.domains) == sorted(rule.domains)
                assert len(rule.domains) > 1
                assert sum(map(len, rule.domains.values())) == len(members(rule))
            case Order():
                assert set(rule.first).isdisjoint(rule.then)
                assert rule.first
                assert rule.then
