"""Whom a campaign changes, and why not the others."""

from __future__ import annotations

from orchestrator.inventory.model import Agent
from orchestrator.planner.candidates import choose, leave_out, without_frozen
from orchestrator.planner.compiled import Frozen
from orchestrator.planner.model import LeftOut
from orchestrator.policy.model import Origin, Selector
from orchestrator.topology.graph import build
from tests.builders import NOON
from tests.fleet import inventory, vm, vm_id
from tests.unit.planner.compiling import off

ORIGIN = Origin("shop.yaml", 7)
EVERYBODY = Selector()


def test_what_cannot_be_rolled_is_left_out_with_its_reason() -> None:
    """Only of those that are selected."""
    topology = build(
        inventory(
            vm("a", tags={"app": "shop"}),
            off("b", tags={"app": "shop"}),
            vm("c", tags={"app": "shop"}, agent=Agent.MISSING),
            off("d"),
        )
    )
    found = choose(topology, Selector(tags=(("app", ("shop",)),)))

    assert found.changed == (vm_id("a"),)
    assert found.left_out == (
        LeftOut(vm_id("b"), "it is deallocated"),
        LeftOut(vm_id("c"), "it has no guest agent"),
    )


def test_whoever_is_on_hold_when_the_inventory_was_taken_is_left_out() -> None:
    """Of a machine that couldn't be rolled anyway, that is told first."""
    topology = build(
        inventory(
            vm("a", tags={"wavekeeper-hold": "2026-11-01 over"}),
            vm("b", tags={"wavekeeper-hold": "2026-12-24 holidays"}),
            off("c", tags={"wavekeeper-hold": "2026-12-24"}),
            taken_at=NOON,
        )
    )
    found = choose(topology, EVERYBODY)

    assert found.changed == (vm_id("a"),)
    assert found.left_out == (
        LeftOut(vm_id("b"), "it is on hold until 2026-12-24: holidays (tag wavekeeper-hold)"),
        LeftOut(vm_id("c"), "it is deallocated"),
    )


def test_frozen_groups_are_left_out_by_group_and_rule() -> None:
    """A machine of two such groups is left out once, and told of both."""
    candidates = choose(build(inventory(vm("a"), vm("b"), vm("c"))), EVERYBODY)
    frozen = [
        Frozen("app=shop", "budget:1", (vm_id("a"), vm_id("b")), "at least 2 of 2 must serve", ORIGIN),
        Frozen("availability set as", "budget:2", (vm_id("b"),), "1 can't be read", Origin("floor.yaml", 3)),
    ]
    found = without_frozen(candidates, frozen)
    alone = "app=shop admits nobody: at least 2 of 2 must serve (shop.yaml:7)"

    assert found.changed == (vm_id("c"),)
    assert found.left_out == (
        LeftOut(vm_id("a"), alone, "budget:1"),
        LeftOut(
            vm_id("b"),
            f"{alone}; availability set as admits nobody: 1 can't be read (floor.yaml:3)",
            "budget:1",
        ),
    )


def test_everybody_stays_counted() -> None:
    """Changed or left out, never neither."""
    candidates = choose(build(inventory(vm("a"), vm("b"))), EVERYBODY)
    fewer = leave_out(candidates, {vm_id("b"): LeftOut(vm_id("b"), "no stage takes it")})

    assert len(candidates) == 2
    assert len(fewer) == 2
    assert [left.machine for left in fewer.left_out] == [vm_id("b")]
