"""What every cloud promises of reading an estate by Resource Graph, whichever way its requests go (`faces`)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from orchestrator.emulator.faults import Drop, Fault, ServerError, Throttle, Vanishes
from orchestrator.emulator.state import Kind as Asking
from orchestrator.errors import AccessDenied
from orchestrator.inventory.discovery import Discovery, Progress
from orchestrator.inventory.model import (
    Agent,
    AppHealth,
    Inventory,
    Machine,
    Orchestration,
    Os,
    PatchState,
    Power,
)
from tests.contracts.faces import FACES, Face, Play, aimed, player
from tests.fleet import (
    SUBSCRIPTION,
    arc,
    availability_set,
    flex_id,
    inventory,
    pool,
    pool_id,
    scale_set,
    set_id,
    vm,
    vm_id,
)

OTHER = "22222222-bbbb-4bbb-8bbb-000000000002"
SCHEDULE = f"/subscriptions/{SUBSCRIPTION}/resourcegroups/rg/providers/microsoft.maintenance/maintenanceconfigurations/m"
FLEET = inventory(
    vm("web01", os=Os.WINDOWS, zone="1", tags={"ring": "canary"}, backend_pools=(pool_id("web"),)),
    vm("web02", os=Os.LINUX, zone="2", schedules=(SCHEDULE,)),
    vm("sql01", os=Os.WINDOWS, availability_set=set_id("sql"), update_domain=3, fault_domain=1),
    vm("sql02", os=Os.WINDOWS, availability_set=set_id("sql")),
    vm("flex01", os=Os.LINUX, scale_set=flex_id("flex")),
    vm("off01", os=Os.LINUX, power=Power.DEALLOCATED),
    vm("other01", os=Os.LINUX, subscription=OTHER, location="northeurope", zone="1"),
    arc("site1", subscription=OTHER),
    arc("site2", agent=Agent.NOT_READY, power=Power.UNKNOWN),
    availability_sets=(availability_set("sql", "sql01", "sql02", update_domains=5, fault_domains=2),),
    scale_sets=(scale_set("flex", "flex01", orchestration=Orchestration.FLEXIBLE, fault_domains=3),),
)


@pytest.fixture(params=FACES)
def play(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Play:
    """Runs a scenario over each of the faces."""
    return player(request.param, FLEET, monkeypatch, tmp_path)


def coarse(told: Inventory) -> tuple[Machine, ...]:
    """The machines without what instance views alone tell, but for domains."""
    return tuple(
        replace(
            machine,
            arm_id="",  # lists spell resource groups in upper case
            agent=Agent.UNKNOWN,
            agent_version=None,
            app_health=AppHealth.NONE,
            patches=PatchState(),
            os_name=None,
            os_version=None,
            connection_since=None,
        )
        for machine in told.machines
    )


async def discovered(
    face: Face, subscriptions: Sequence[str] | None = None, *, updates: bool = False
) -> Discovery:
    """The estate."""
    return await face.cloud.discover(subscriptions, updates=updates)


def test_the_same_as_by_arm(play: Play) -> None:
    """Machines with all that rules go by, sets, pools, regions and zones are what ARM's lists tell."""

    async def scenario(face: Face) -> None:
        by_graph = (await discovered(face)).inventory
        by_arm = await face.cloud.inventory([SUBSCRIPTION, OTHER])
        assert coarse(by_graph) == coarse(by_arm)
        assert by_graph.availability_sets == by_arm.availability_sets
        assert by_graph.scale_sets == by_arm.scale_sets
        assert by_graph.backend_pools == by_arm.backend_pools == (pool("web", "web01"),)
        assert by_graph.locations == by_arm.locations
        assert by_graph.unreadable == ()
        machines = {machine.name: machine for machine in by_graph.machines}
        assert (machines["sql01"].update_domain, machines["sql01"].fault_domain) == (3, 1)
        assert machines["web02"].schedules == (SCHEDULE,)
        zones = {location.name: location.zones for location in by_graph.locations}
        assert set(zones["westeurope"]) == {SUBSCRIPTION, OTHER}

    play(scenario)


def test_what_it_took(play: Play) -> None:
    """Few questions, and each is told of on the way."""
    told: list[Progress] = []

    async def scenario(face: Face) -> None:
        found = await face.cloud.discover(None, told.append)
        assert (found.subscriptions, found.empty, found.queries) == (2, (), 3)
        assert found.reads <= 10

    play(scenario)
    assert {progress.what for progress in told} == {
        "reading Resource Graph",
        "reading regions",
        "reading update and fault domains",
    }
    for what in {progress.what for progress in told}:
        last = [progress for progress in told if progress.what == what][-1]
        assert last.done == last.total


def test_only_what_was_named(play: Play) -> None:
    """Other subscriptions' machines stay out; one that shows nothing is told of."""

    async def scenario(face: Face) -> None:
        found = await discovered(face, [OTHER.upper()])
        assert {machine.subscription for machine in found.inventory.machines} == set()
        assert found.empty == (OTHER,)
        found = await discovered(face, [SUBSCRIPTION])
        assert {machine.subscription for machine in found.inventory.machines} == {SUBSCRIPTION}

    play(scenario, Vanishes(subscriptions=(OTHER,), at="2026-11-22T01:00:00Z"))


def test_subscriptions_that_cannot_be_seen(play: Play) -> None:
    """Resource Graph would leave them out without a word: all of them are named instead."""

    async def scenario(face: Face) -> None:
        with pytest.raises(AccessDenied) as raised:
            await discovered(face, [SUBSCRIPTION, "33333333-cccc-4ccc-8ccc-000000000003", "no guid"])
        assert "33333333-cccc-4ccc-8ccc-000000000003" in str(raised.value)
        assert "no guid" in str(raised.value)

    play(scenario)


@pytest.mark.parametrize(
    "fault",
    [
        Throttle(on=(Asking.GRAPH,), retry_after=7, times=2),
        ServerError(on=(Asking.GRAPH, Asking.VIEW, Asking.LOCATIONS, Asking.LIST), times=2, retry_after=3),
        Drop(on=(Asking.GRAPH, Asking.VIEW, Asking.LOCATIONS), times=2),
    ],
    ids=["429", "5xx", "cut"],
)
def test_trouble_that_passes(play: Play, fault: Fault) -> None:
    """It is waited out, and nothing is missing in the end."""

    async def scenario(face: Face) -> None:
        found = await discovered(face)
        assert len(found.inventory.machines) == len(FLEET.machines)
        assert next(m for m in found.inventory.machines if m.id == vm_id("sql01")).update_domain == 3

    play(scenario, fault)


def test_updates(play: Play) -> None:
    """Asked for, what a machine lacks is told as well, and what was installed on it."""

    async def scenario(face: Face) -> None:
        target = next(machine for machine in FLEET.machines if machine.name == "site1")
        answer = await face.cloud.assess(aimed(target), "key-1", 5)
        await face.followed(answer.operation)  # type: ignore[union-attr]  # it is accepted
        await face.clock.sleep(90)
        without = (await discovered(face)).inventory
        assert next(m for m in without.machines if m.name == "site1").patches.updates is None
        told = (await discovered(face, updates=True)).inventory
        assert next(m for m in told.machines if m.name == "site1").patches.updates

    play(scenario)
