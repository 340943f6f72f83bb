"""What the page draws: the chart, the tree, who holds what, and what may be done by whom."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from orchestrator.access.model import Person, Role
from orchestrator.rollout import messages as m
from orchestrator.rollout.state import MachineStatus, Rollout, RolloutStatus
from orchestrator.service.verbs import carry_out
from tests.desk import Office, office, someone
from tests.simulation.reference import reference
from tests.waiting import until


@pytest.fixture
async def there(tmp_path: Path) -> AsyncIterator[Office]:
    """An office with a rollout whose canary is in flight, and people of several kinds."""
    people = (someone("grace"), someone("olga", Role.OPERATOR, "weekly"), Person("nobody", (), "nobody"))
    async with office(await reference(), tmp_path, *people) as made:
        rollout = await made.begin()
        await until(made.desk, lambda: bool(rollout.in_flight))
        yield made


def rollout_of(there: Office) -> Rollout:
    """The one that there is."""
    (found,) = there.desk.scope.rollouts.values()
    return found


async def test_a_chart_is_whole_the_first_time_and_then_what_differs(there: Office) -> None:
    """Also across a decision that is made after it was first asked for."""
    rollout = rollout_of(there)
    status, first = await there.get(f"/rollouts/{rollout.id}/chart")
    assert (status, first["whole"]) == (200, True)
    assert len(first["machines"]["name"]) == rollout.planned.changing
    assert sum(first["bars"]["granted"]) >= 0
    assert first["bars"]["machine"]

    await carry_out(there.desk.journal, m.Pause(rollout.id, "ada", "a look"), there.desk.now(), "ada")
    assert rollout.status is RolloutStatus.PAUSED
    status, second = await there.get(f"/rollouts/{rollout.id}/chart?after={first['edition']}")
    assert (status, second["whole"], second["status"]) == (200, False, "paused")
    assert second["lanes"] == []


async def test_whoever_asks_at_once_is_answered_from_one_reading(there: Office) -> None:
    """And all the same."""
    path = f"/rollouts/{rollout_of(there).id}/chart"
    found = await asyncio.gather(*(there.get(path) for _ in range(5)))
    assert len({told["edition"] for _, told in found}) == 1
    assert all(told["whole"] for _, told in found)


async def test_the_tree_is_coloured_by_what_goes_on(there: Office) -> None:
    """And a group's machines are told with their rollout."""
    status, tree = await there.get("/topology")
    assert status == 200
    regions = [one for one in tree["groups"] if not one["parent"]]
    assert sum(one["counts"].get("changing", 0) for one in regions) == rollout_of(there).in_flight
    status, held = await there.get("/topology/members", params={"group": regions[0]["id"]})
    assert status == 200
    assert len(held["name"]) == regions[0]["machines"]
    assert (await there.get("/topology/members", params={"group": "mars"}))[0] == 404


async def test_budgets_name_their_holders(there: Office) -> None:
    """The machines in flight hold places."""
    status, page = await there.get("/budgets")
    assert status == 200
    rollout = rollout_of(there)
    flying = {
        machine.name
        for machine, run in zip(rollout.planned.plan.machines, rollout.machines, strict=True)
        if run.status not in (MachineStatus.PENDING, MachineStatus.DONE) and machine.change
    }
    assert flying & {holder["name"] for one in page["items"] for holder in one["holders"]}


async def test_what_may_be_done_says_why_not(there: Office) -> None:
    """Because of the state, or because of who asks; that first."""
    path = f"/rollouts/{rollout_of(there).id}/acts"
    _, mine = await there.get(path)
    assert {one["verb"]: bool(one["why_not"]) for one in mine["items"]} == {
        "pause": False,
        "resume": True,
        "approve": True,
        "abort": False,
        "emergency": False,
    }
    (hurry,) = (one for one in mine["items"] if one["verb"] == "emergency")
    assert any(one.startswith("bake of stage canary: ") for one in hurry["shortens"])
    _, graces = await there.get(path, "grace")
    for one in graces["items"]:
        needed = "admin" if one["verb"] == "emergency" else "operator"
        assert f"takes the role {needed}, and grace is viewer" in one["why_not"]


async def test_of_a_machine_too(there: Office) -> None:
    """By its name; one that isn't there is not found."""
    rollout = rollout_of(there)
    name = next(
        rollout.planned.machine(i).name
        for i, run in enumerate(rollout.machines)
        if run.status is MachineStatus.PENDING and rollout.planned.lane_of[i] >= 0
    )
    _, told = await there.get(f"/rollouts/{rollout.id}/machines/{name}/acts")
    assert {one["verb"]: bool(one["why_not"]) for one in told["items"]} == {
        "retry": True,
        "skip": False,
        "write-off": False,
    }
    assert (await there.get(f"/rollouts/{rollout.id}/machines/nonesuch/acts"))[0] == 404


async def test_who_sees_only_a_campaign_sees_nothing_of_the_fleet(there: Office) -> None:
    """No machine of it, and no rule."""
    assert (await there.get("/topology"))[1]["groups"]
    assert (await there.get("/topology", "olga"))[1]["groups"] == []
    assert (await there.get("/topology", "nobody"))[1]["groups"] == []
    assert (await there.get("/budgets", "olga"))[0] == 403
