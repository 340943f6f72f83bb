"""Rules with `rebootless`: two budgets, of restarts and of everything, and who takes no place of the first."""

from __future__ import annotations

from dataclasses import replace

import pytest

from orchestrator.availability.model import Budget
from orchestrator.hotpatch.model import Restarts
from orchestrator.inventory.model import Os, PatchState, RebootBehavior, Update
from orchestrator.planner.compile import compile_constraints
from orchestrator.planner.plan import plan
from orchestrator.policy.load import load, load_one
from orchestrator.topology.graph import build
from tests.builders import NOON
from tests.fleet import inventory, vm, vm_id

HOTPATCH = PatchState(
    NOON, reboot_pending=False, updates=(Update("u", "1", ("Security",), RebootBehavior.NEVER),)
)
NAMES = "abcde"


def budgets(rule: str, spared: str = "", changed: str = NAMES) -> list[tuple[str, int, str]]:
    """What a rule over five machines comes to: what it is called, its limit, and whom it spares."""
    topology = build(inventory(*(vm(name) for name in NAMES)))
    policy = load_one("p.yaml", f"version: 1\nname: p\nrules: [{{{rule}}}]\n")
    moving, up = (frozenset(map(vm_id, names)) for names in (changed, spared))
    found = compile_constraints(topology, [policy], None, moving, up).constraints
    return sorted(
        (one.what, one.limit, "".join(m[-1] for m in one.spared)) for one in found if isinstance(one, Budget)
    )


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (
            "max_unavailable: 1, rebootless: {max_unavailable: 3}",
            [("at most 1 of 5 restarting in p", 1, "ab"), ("at most 3 of 5 in p", 3, "")],
        ),
        (
            "max_unavailable: 20%, rebootless: {max_unavailable: 79%}",
            [("at most 1 of 5 restarting in p", 1, "ab"), ("at most 3 of 5 in p", 3, "")],
        ),
        (
            "min_available: majority, rebootless: {max_unavailable: 3}",
            [("at most 2 of 5 restarting in p", 2, "ab"), ("at most 3 of 5 in p", 3, "")],
        ),
        ("max_unavailable: 2, rebootless: {max_unavailable: 40%}", [("at most 2 of 5 in p", 2, "")]),
        (
            "max_unavailable: 2, rebootless: {max_unavailable: 100%}",
            [("at most 2 of 5 restarting in p", 2, "ab")],
        ),
    ],
)
def test_two_limits(rule: str, expected: list[tuple[str, int, str]]) -> None:
    """The wider one bounds all; one that isn't wider says nothing, and one as large as the group binds nobody."""
    assert budgets(rule, "ab") == expected


def test_a_group_that_lets_nobody_restart_lets_those_go_that_do_not() -> None:
    """Who would restart is left out, the rest isn't frozen."""
    rule = "min_available: 5, rebootless: {max_unavailable: 2}"
    assert budgets(rule, "ab") == [
        ("at most 0 of 5 restarting in p", 0, "ab"),
        ("at most 2 of 5 in p", 2, ""),
    ]
    assert budgets(rule) == []


def test_the_id_says_what_it_counts_and_not_who_is_spared() -> None:
    """Two rollouts share its counter, whatever either of them does to a machine; a budget of all out is another one."""
    topology = build(inventory(*(vm(name) for name in NAMES)))
    with_room = load_one(
        "p.yaml", "version: 1\nname: p\nrules: [{max_unavailable: 1, rebootless: {max_unavailable: 3}}]\n"
    )
    bare = load_one("p.yaml", "version: 1\nname: p\nrules: [{max_unavailable: 1}]\n")
    everybody = frozenset(topology.machines)

    def ids(policy: object, spared: str) -> set[str]:
        up = frozenset(map(vm_id, spared))
        return {one.id for one in compile_constraints(topology, [policy], None, everybody, up).constraints}  # type: ignore[list-item]

    assert ids(with_room, "") == ids(with_room, "abc")
    assert ids(bare, "").isdisjoint(ids(with_room, ""))


def test_a_plan_keeps_the_prediction_of_each_machine_and_makes_fewer_waves() -> None:
    """Three that stay up go with one that restarts; drained ones don't stay up."""
    fleet = inventory(
        *(
            vm(name, os=Os.WINDOWS, patches=HOTPATCH if name in "abc" else PatchState(), tags={"tier": name})
            for name in NAMES
        ),
        taken_at=NOON,
    )
    text = """version: 1
name: p
replaces: availability-first
select: {names: "*"}
rules: [{max_unavailable: 1, rebootless: {max_unavailable: 4}}]
change: {patches: {reboot: never}}
stages: [{name: all}]
"""
    drained = "around: [{each: machine, of: {tags: {tier: a}}, before: [{webhook: drain}]}]\n"
    made = plan(build(fleet), load([("p.yaml", text)]), None)
    other = plan(build(fleet), load([("p.yaml", text + drained)]), None)
    unknown = plan(build(replace(fleet, taken_at=None)), load([("p.yaml", text)]), None)

    assert [machine.restart for machine in made.machines] == [Restarts.NEVER] * 3 + [Restarts.UNKNOWN] * 2
    assert [machine.stays_up for machine in other.machines] == [False, True, True, False, False]
    assert [len(lane.waves) for one in (made, other, unknown) for lane in one.lanes] == [2, 3, 5]
