"""What is true of the fleet is read again and again, and told to the rollouts whose plans are older."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from orchestrator.cloud.port import View
from orchestrator.daemon.fleet import Fleet, Known
from orchestrator.daemon.living import ELSEWHERE, Living, as_seen, moved
from orchestrator.errors import CloudTransient
from orchestrator.executor.services import at_once
from orchestrator.inventory import native
from orchestrator.inventory.model import Agent, AppHealth, Inventory, Power
from orchestrator.planner.document import dump
from orchestrator.planner.membership import Moved, Movements
from orchestrator.planner.plan import plan
from orchestrator.policy.load import load_one
from orchestrator.rollout.messages import FleetMoved
from orchestrator.topology.graph import build
from orchestrator.wiring.files import floor
from tests.builders import NOON, lane, plan_of
from tests.diary import Diary
from tests.fleet import inventory, vm, vm_id

HOUR = timedelta(hours=1)


@dataclass
class House:
    """Rollouts that go on, and what is reported to them."""

    diary: Diary
    reports: list[FleetMoved] = field(default_factory=list)

    def living(self, found: Movements, good: object = SimpleNamespace(policies=())) -> Living:
        """The daemon's part, with an answer for everybody who asks who has moved."""

        async def apart(_: Callable[..., Any], *_given: Any) -> Movements:
            return found

        async def document(_: str) -> bytes:
            return b""

        house = SimpleNamespace(
            driven=lambda: [self.diary.rollout],
            report=self.reports.append,
            log=SimpleNamespace(journal=SimpleNamespace(document=document)),
        )
        following = SimpleNamespace(followed=SimpleNamespace(good=good))
        parts: Any = (lambda: None, None, house, following, apart)
        return Living(*parts)


def known(at: datetime) -> Known:
    """An inventory of that moment."""
    return Known(inventory(vm("a")), b"", at)


FOUND = Movements((Moved(vm_id("new"), (0,)),), (1,))


async def test_a_rollout_hears_of_who_has_moved_since_its_plan() -> None:
    """With why the machines that it was to change are left to the next plan."""
    house = House(Diary(plan_of(lane("one", "a b"))))
    await house.living(FOUND).tell(known(NOON + HOUR))
    assert house.reports == [FleetMoved("r1", FOUND.members, ((1, ELSEWHERE),))]


@pytest.mark.parametrize("found", [Movements(), FOUND])
async def test_one_that_was_planned_later_or_where_nobody_moved_hears_nothing(found: Movements) -> None:
    """Its plan knows better."""
    house = House(Diary(plan_of(lane("one", "a b"))))
    at = NOON - HOUR if found.members else NOON + HOUR
    await house.living(found).tell(known(at))
    await house.living(FOUND, None).tell(known(NOON + HOUR))
    assert house.reports == []


def test_the_files_are_enough_to_find_out_who_has_moved() -> None:
    """In another process; the floor's rules count as well."""
    policy = load_one("p.yaml", "version: 1\nname: p\nselect: {names: '*'}\nchange: {patches: {}}\n")
    before = [vm(name) for name in ("a", "b", "c", "d", "e", "f")]
    made = plan(build(inventory(*before)), [policy], floor())
    now: Inventory = inventory(*before[1:], replace(before[0], location="northeurope"), vm("new"))
    found = moved(dump(made), native.dump(now), [policy])
    assert found.elsewhere == (0,)
    assert {one.identity for one in found.members} >= {vm_id("new")}


def test_the_fleet_is_shown_as_it_was_seen_last() -> None:
    """By the views of its machines; whoever has none stands as the inventory has it."""
    read = inventory(vm("a"), vm("b"))
    off = View(Power.STOPPED, Agent.NOT_READY, AppHealth.NONE)
    (first, second) = as_seen(read, {vm_id("a"): off}).machines
    assert (first.power, first.agent) == (Power.STOPPED, Agent.NOT_READY)
    assert second is read.machines[1]


async def test_an_inventory_is_read_again_once_it_is_too_old() -> None:
    """By one at a time; one that can't be read leaves the last one standing."""
    asked: list[tuple[str, ...]] = []
    now = NOON

    async def ask(subscriptions: Any) -> bytes:
        asked.append(tuple(subscriptions))
        if len(asked) == 2:
            raise CloudTransient("no answer")
        return native.dump(inventory(vm("a")))

    fleet = Fleet(ask, lambda: now, at_once)
    assert fleet.age is None
    first = await fleet.younger(["s"], HOUR)
    now += HOUR
    assert await fleet.younger(["s"], HOUR) is first
    assert fleet.age == HOUR
    now += timedelta(seconds=1)
    with pytest.raises(CloudTransient):
        await fleet.younger(["s"], HOUR)
    assert fleet.known is first
    assert await fleet.younger(["s"], HOUR) is not first
    assert asked == [("s",)] * 3
