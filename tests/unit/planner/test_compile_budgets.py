"""The arithmetic of budgets, as a table, and the groups that they are counted over."""

from __future__ import annotations

import pytest

from orchestrator.availability.model import Budget
from orchestrator.inventory.model import Agent, Kind, Location, MachineId, Power
from orchestrator.planner.budgets import Size, limit_of
from orchestrator.planner.compile import Compiled, compile_constraints
from orchestrator.policy.load import load_one
from orchestrator.policy.model import EVERYTHING, MaxUnavailable, MinAvailable, Origin, Share, Singletons
from orchestrator.topology.graph import build
from tests.fleet import availability_set, flex_id, inventory, scale_set, set_id, vm, vm_id
from tests.unit.planner.compiling import compiled, off


def budgets(result: Compiled) -> list[tuple[int, tuple[str, ...], str]]:
    """Limit, machines by name, and words of each budget; sorted by machines."""
    found = [rule for rule in result.constraints if isinstance(rule, Budget)]
    return sorted(
        ((rule.limit, names(rule.machines), rule.what) for rule in found),
        key=lambda budget: (budget[1], budget[0]),
    )


def names(machines: tuple[MachineId, ...]) -> tuple[str, ...]:
    """Machines by name."""
    return tuple(machine.rpartition("/")[2] for machine in machines)


@pytest.mark.parametrize(
    ("limit", "running", "off_count", "unread", "out"),
    [
        # a percentage rounds down ...
        ("20%", 10, 0, 0, 2),
        ("20%", 14, 0, 0, 2),
        ("20%", 15, 0, 0, 3),
        ("25%", 7, 0, 0, 1),
        ("33%", 100, 0, 0, 33),
        ("29%", 100, 0, 0, 29),  # 0.29 * 100 is 28.999... in floating point
        ("100%", 7, 0, 0, 7),
        # ... at least 1
        ("20%", 4, 0, 0, 1),
        ("20%", 1, 0, 0, 1),
        ("1%", 3, 0, 0, 1),
        # a count is exact
        ("3", 10, 0, 0, 3),
        ("3", 2, 0, 0, 3),
        # off machines are no members, neither in the size nor as out
        ("20%", 10, 5, 0, 2),
        ("20%", 9, 6, 0, 1),
        ("2", 5, 5, 0, 2),
        # members that can't be read are members, and out
        ("20%", 10, 0, 5, -2),
        ("20%", 9, 0, 1, 1),
        ("50%", 4, 0, 2, 1),
        ("2", 5, 0, 1, 1),
        ("1", 5, 0, 1, 0),
        ("20%", 4, 6, 1, 0),
    ],
)
def test_max_unavailable(limit: str, running: int, off_count: int, unread: int, out: int) -> None:
    """How many of the running members may be out at once."""
    share = Share(percent=float(limit[:-1])) if limit.endswith("%") else Share(count=int(limit))
    rule = MaxUnavailable(share, EVERYTHING, (), cap=False, origin=Origin("p"))

    assert limit_of(rule, Size(running, off_count, unread)).out == out


@pytest.mark.parametrize(
    ("floor", "running", "off_count", "unread", "out"),
    [
        # a count is exact and never softened
        ("8", 10, 0, 0, 2),
        ("3", 3, 0, 0, 0),
        ("5", 3, 0, 0, -2),
        # a majority is floor(n / 2) + 1
        ("majority", 1, 0, 0, 0),
        ("majority", 2, 0, 0, 0),
        ("majority", 3, 0, 0, 1),
        ("majority", 4, 0, 0, 1),
        ("majority", 5, 0, 0, 2),
        # the size is always the full one, and machines that are off never serve
        ("majority", 3, 2, 0, 0),
        ("majority", 4, 1, 0, 1),
        ("8", 9, 3, 0, 1),
        # members that can't be read count in the size and as out
        ("majority", 4, 0, 1, 1),
        ("majority", 3, 1, 1, 0),
        ("8", 9, 0, 2, 1),
        # P% means exactly max_unavailable: (100 - P)%
        ("80%", 10, 0, 0, 2),
        ("80%", 4, 0, 0, 1),
        ("75%", 10, 0, 0, 2),
        ("99%", 5, 0, 0, 1),
        ("80%", 10, 5, 0, 2),
        ("80%", 9, 0, 1, 1),
    ],
)
def test_min_available(floor: str, running: int, off_count: int, unread: int, out: int) -> None:
    """How many of the running members may be out at once."""
    share = (
        None
        if floor == "majority"
        else (Share(percent=float(floor[:-1])) if floor.endswith("%") else Share(count=int(floor)))
    )
    rule = MinAvailable(share, EVERYTHING, (), False, Singletons.LEAVE_OUT, Origin("p"))

    assert limit_of(rule, Size(running, off_count, unread)).out == out


def test_all_machines_of_the_policy_count_changed_or_not() -> None:
    """A budget is about who is out, not about who is changed; off machines are no members of it."""
    fleet = inventory(*(vm(f"web-{n}") for n in range(5)), off("web-5"))
    result = compiled(fleet, "  - {max_unavailable: 40%}", "web-0")

    assert budgets(result) == [
        (2, ("web-0", "web-1", "web-2", "web-3", "web-4"), "at most 2 of 5 in p (1 off)"),
    ]
    assert result.constraints[0].origin == Origin("p.yaml", 5)
    assert (result.frozen, result.warnings, result.dropped) == ((), (), ())


def test_an_arc_machine_that_is_disconnected_is_off() -> None:
    """It has no power state; its agent says."""
    fleet = inventory(
        vm("a", kind=Kind.ARC, agent=Agent.READY, power=Power.UNKNOWN),
        vm("b", kind=Kind.ARC, agent=Agent.READY, power=Power.UNKNOWN),
        vm("c", kind=Kind.ARC, agent=Agent.NOT_READY, power=Power.UNKNOWN),
    )

    assert budgets(compiled(fleet, "  - {max_unavailable: 1}")) == [
        (1, ("a", "b"), "at most 1 of 2 in p (1 off)")
    ]


def test_a_rule_may_narrow_and_divide() -> None:
    """`of` within the policy's `select`; `per` by one kind of group, or several at once."""
    fleet = inventory(
        *(vm(f"db-{n}", tags={"tier": "db", "app": "shop"}) for n in range(3)),
        *(vm(f"web-{n}", tags={"tier": "web", "app": "shop"}, location="northeurope") for n in range(2)),
        *(vm(f"wex-{n}", tags={"tier": "web", "app": "shop"}) for n in range(2)),
        vm("alien", tags={"tier": "db"}),
    )
    rules = """\
  - {max_unavailable: 1, of: {tags: {tier: db}}}
  - {max_unavailable: 1, per: ["tag:tier", region]}
"""

    assert budgets(compiled(fleet, rules, select="{tags: {app: shop}}")) == [
        (1, ("db-0", "db-1", "db-2"), "at most 1 of 3 in p (tier=db)"),
        (1, ("web-0", "web-1"), "at most 1 of 2 in tier=web, northeurope"),
        (1, ("wex-0", "wex-1"), "at most 1 of 2 in tier=web, westeurope"),
    ]


@pytest.mark.parametrize(
    ("kind", "groups"),
    [
        ("region", [("a", "b", "c", "d")]),
        ("zone", [("a", "b")]),
        ("subscription", [("a", "b", "c"), ("d", "e")]),
        ("resource_group", [("a", "b")]),
        ("availability_set", [("c", "d")]),
        ("update_domain", []),
        ("scale_set", [("a", "e")]),
        ("fault_domain", [("a", "e")]),
        ("region_pair", [("a", "b", "c", "d", "e")]),
        ('"tag:Tier"', [("a", "c")]),
        ("selection", [("a", "b", "c", "d", "e")]),
    ],
)
def test_every_kind_of_group(kind: str, groups: list[tuple[str, ...]]) -> None:
    """Groups of one are left out here: a budget of 1 can refuse nothing to them."""
    two = "22222222-aaaa-4aaa-8aaa-000000000002"
    machines = (
        vm("a", zone="1", group="rg-1", tags={"tier": "x"}, scale_set=flex_id("ss"), fault_domain=0),
        vm("b", zone="1", group="rg-1"),
        vm("c", zone="2", group="rg-2", tags={"TIER": "x"}, availability_set=set_id("as"), update_domain=0),
        vm(
            "d",
            subscription=two,
            group="rg-1",
            tags={"tier": "y"},
            availability_set=set_id("as"),
            update_domain=1,
        ),
        vm(
            "e",
            subscription=two,
            group="rg-3",
            location="northeurope",
            scale_set=flex_id("ss"),
            fault_domain=0,
        ),
    )
    fleet = inventory(*machines, locations=(Location("westeurope", ("northeurope",)),))
    topology = build(fleet)
    policy = load_one("p", f"version: 1\nname: p\nrules: [{{max_unavailable: 1, per: {kind}}}]\n")
    result = compile_constraints(topology, [policy], None, frozenset(topology.machines))

    assert [budget[1] for budget in budgets(result)] == groups


def test_of_sets_the_other_members_count_too() -> None:
    """A set is as available as all its machines, whoever's they are; members that can't be read count as out."""
    fleet = inventory(
        *(
            vm(f"web-{n}", availability_set=set_id("as-web"), tags={"app": "shop"} if n < 2 else {})
            for n in range(4)
        ),
        availability_sets=(availability_set("as-web", "web-0", "ghost-1"),),
    )
    rules = "  - {max_unavailable: 50%, per: availability_set}"
    result = compiled(fleet, rules, "web-0", select="{tags: {app: shop}}")

    assert budgets(result) == [
        (
            1,
            ("web-0", "web-1", "web-2", "web-3"),
            "at most 1 of 4 in availability set as-web (1 can't be read and counts as out)",
        )
    ]


def test_a_group_that_admits_nobody_is_frozen() -> None:
    """Its changed machines are named, with the group, the rule and the numbers; the rest goes on."""
    fleet = inventory(
        *(vm(f"db-{n}", tags={"tier": "db"}) for n in range(3)),
        off("db-3", tags={"tier": "db"}),
        *(vm(f"web-{n}", tags={"tier": "web"}) for n in range(3)),
    )
    result = compiled(fleet, '  - {min_available: 3, per: "tag:tier", of: {tags: {tier: db}}}\n  - {max_unavailable: 2}', "db-0", "web-0")  # fmt: skip

    (frozen,) = result.frozen
    assert frozen.machines == (vm_id("db-0"),)
    assert frozen.group == "tier=db"
    assert frozen.why == "at least 3 of 4 must serve; 1 off"
    assert frozen.origin == Origin("p.yaml", 5)
    assert frozen.constraint.startswith("budget:")
    assert [budget[2] for budget in budgets(result)] == ["at most 2 of 6 in p (1 off)"]


def test_a_machine_that_is_frozen_moves_in_no_other_rule() -> None:
    """A budget whose only changed machine is frozen can refuse nothing any more."""
    fleet = inventory(*(vm(f"db-{n}", tags={"tier": "db"}) for n in range(2)), vm("web-0"))
    result = compiled(fleet, '  - {min_available: 2, of: {tags: {tier: db}}}\n  - {max_unavailable: 1, per: "tag:tier"}', "db-0")  # fmt: skip

    assert result.constraints == ()
    assert [(dropped.rule, dropped.why) for dropped in result.dropped] == [
        ("at least 2 available", "the group is frozen, and its machines are left out"),
        ("at most 1 unavailable per tag tier", "none of the group's machines changes"),
    ]


@pytest.mark.parametrize(
    ("rule", "frozen"),
    [
        ("{min_available: 1, per: zone}", ["at least 1 of 1 must serve, and it is alone in its group (singletons: leave_out)"]),
        ("{min_available: majority, per: zone}", ["at least 1 of 1 must serve, and it is alone in its group (singletons: leave_out)"]),
        ("{min_available: majority, per: zone, singletons: leave_out}", ["at least 1 of 1 must serve, and it is alone in its group (singletons: leave_out)"]),
        ("{min_available: majority, per: zone, singletons: allow}", []),
        ("{min_available: 50%, per: zone}", []),
        ("{max_unavailable: 50%, per: zone}", []),
    ],
)  # fmt: skip
def test_a_group_of_one(rule: str, frozen: list[str]) -> None:
    """`singletons` says what a count or a majority means for it; a percentage lets it go anyway."""
    fleet = inventory(*(vm(f"web-{n}", zone="1") for n in range(3)), vm("lone", zone="2"))
    result = compiled(fleet, f"  - {rule}")

    assert [group.why for group in result.frozen] == frozen
    assert all(group.machines == (vm_id("lone"),) for group in result.frozen)


def test_a_pair_under_a_majority_is_frozen_whatever_singletons_says() -> None:
    """Two of two must serve, and two are no group of one."""
    fleet = inventory(vm("a"), vm("b"))
    result = compiled(fleet, "  - {min_available: majority, singletons: allow}")

    assert [group.why for group in result.frozen] == ["at least 2 of 2 must serve"]


def test_a_group_of_one_that_is_off_otherwise_isn_t_alone() -> None:
    """Its sibling is a member, and off: the majority of two is two."""
    fleet = inventory(vm("a"), off("b"))
    result = compiled(fleet, "  - {min_available: majority, singletons: allow}")

    assert [group.why for group in result.frozen] == ["at least 2 of 2 must serve; 1 off"]


def test_what_can_refuse_nothing_is_dropped_with_its_reason() -> None:
    """One line a rule and reason, however many groups."""
    fleet = inventory(
        *(vm(f"a-{n}", zone="1") for n in range(3)),
        *(vm(f"b-{n}", zone="2") for n in range(3)),
        vm("c-0", zone="3"),
    )
    result = compiled(fleet, "  - {max_unavailable: 1, per: zone}", "a-0", "c-0")

    assert [budget[1] for budget in budgets(result)] == [("a-0", "a-1", "a-2")]
    assert [(d.rule, d.why, d.groups, d.origin) for d in result.dropped] == [
        (
            "at most 1 unavailable per zone",
            "all of the group's machines may be out at once",
            1,
            Origin("p.yaml", 5),
        ),
        ("at most 1 unavailable per zone", "none of the group's machines changes", 1, Origin("p.yaml", 5)),
    ]


def test_a_budget_that_waves_alone_can_t_break_is_kept() -> None:
    """One machine of three moves, and at most one may be out: another one's outage refuses it while the rollout runs."""
    fleet = inventory(*(vm(f"web-{n}") for n in range(3)))

    assert [budget[0] for budget in budgets(compiled(fleet, "  - {max_unavailable: 1}", "web-0"))] == [1]


def test_machines_without_the_tag_of_a_rule_are_told() -> None:
    """A rule that silently doesn't hold would be worse than none."""
    fleet = inventory(*(vm(f"web-{n}", tags={"tier": "web"}) for n in range(3)), vm("lone"))
    result = compiled(fleet, '  - {max_unavailable: 1, per: "tag:tier"}')

    assert [(warned.what, warned.origin) for warned in result.warnings] == [
        ("the rule doesn't hold for 1 machine of p without the tag tier", Origin("p.yaml", 5))
    ]


def test_caps_stay_caps() -> None:
    """And a cap is another constraint than a budget that says the same."""
    fleet = inventory(*(vm(f"web-{n}") for n in range(3)))
    result = compiled(fleet, "  - {max_unavailable: 1, cap: true}\n  - {max_unavailable: 1}")

    assert sorted(rule.cap for rule in result.constraints if isinstance(rule, Budget)) == [False, True]


def test_a_scale_set_with_a_ghost_is_frozen_when_it_is_small() -> None:
    """At most one of five may be out, and the ghost counts as out."""
    fleet = inventory(
        *(vm(f"f-{n}", scale_set=flex_id("ss")) for n in range(4)),
        scale_sets=(scale_set("ss", "f-0", "ghost"),),
    )
    result = compiled(fleet, "  - {max_unavailable: 20%, per: scale_set}")

    assert [(group.group, group.why) for group in result.frozen] == [
        ("scale set ss", "at most 1 of 5 may be out; 1 can't be read and counts as out")
    ]
