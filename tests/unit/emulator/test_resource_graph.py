"""Resource Graph over a world: scopes, pages, quota, and how far it is behind."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from orchestrator.emulator.arm import Response
from orchestrator.emulator.faults import ForeignRun, InstallFails, ServerError
from orchestrator.emulator.rights import Rights, Role
from orchestrator.emulator.state import Kind
from orchestrator.inventory.assessments import Assessments
from orchestrator.inventory.installations import Installations
from orchestrator.inventory.model import Machine, PatchState
from tests.fleet import SUBSCRIPTION, arc, arc_id, set_id, vm
from tests.unit.emulator.callers import OTHER, Caller, body, code
from tests.unit.emulator.worlds import ALL, START, at, windows, world

PATH = "/providers/Microsoft.ResourceGraph/resources"
VERSION = "api-version=2021-03-01"
MACHINES = (
    "resources | where type in~ ('microsoft.compute/virtualmachines', 'microsoft.hybridcompute/machines')"
)
RUNS = (
    "patchinstallationresources | where type =~ 'microsoft.hybridcompute/machines/patchinstallationresults'"
)
PATCHES = f"{RUNS[:-1]}/softwarepatches'"


def ask(who: Caller, query: str, subscriptions: list[str] | None = None, **options: Any) -> Response:
    """One query."""
    told = {"query": query, "options": options}
    return who.post(
        PATH, told if subscriptions is None else {**told, "subscriptions": subscriptions}, VERSION
    )


def rows(who: Caller, query: str, now: datetime | None = None) -> list[dict[str, Any]]:
    """What a query finds, on one page; the quota is left alone."""
    who.now = now or who.now + timedelta(seconds=5)
    response = ask(who, query)
    assert response.status == 200, response.body
    found: list[dict[str, Any]] = body(response)["data"]
    return found


def test_machines_of_both_kinds() -> None:
    """Virtual machines with their power, Arc machines with their status; columns that all rows have."""
    who = Caller(world(machines=(windows("web", zone="2"), arc("site1"))))
    web, site = rows(who, f"{MACHINES} | order by name desc")
    assert web["zones"] == ["2"]
    assert web["subscriptionId"] == SUBSCRIPTION
    assert web["resourceGroup"] == "rg-shop"
    assert web["properties"]["extended"]["instanceView"]["powerState"]["code"] == "PowerState/running"
    assert (site["id"], site["properties"]["status"]) == (arc_id("site1"), "Connected")


def test_scopes() -> None:
    """Only the subscriptions that were named, or all of them; one that nobody may see holds nothing."""
    who = Caller(world(machines=(vm("a"), vm("b", subscription=OTHER))))
    names = lambda told: [row["name"] for row in body(told)["data"]]  # noqa: E731 - said once, three times
    assert names(ask(who, MACHINES)) == ["a", "b"]
    assert names(ask(who, MACHINES, [OTHER.upper()])) == ["b"]
    assert names(ask(who, MACHINES, ["33333333-0000-0000-0000-000000000000"])) == []


def test_pages() -> None:
    """Tokens lead from page to page, all of them of the same moment."""
    who = Caller(world(machines=tuple(vm(f"m{n}") for n in range(5))))
    names, token = [], {}
    for _ in range(3):
        told = body(ask(who, f"{MACHINES} | project id, name", **{"$top": 2, **token}))
        assert told["totalRecords"] == 5
        names += [row["name"] for row in told["data"]]
        token = {"$skipToken": told.get("$skipToken")}
    assert names == [f"m{n}" for n in range(5)]
    assert token == {"$skipToken": None}
    assert ask(who, MACHINES, **{"$skipToken": "bm9uZSAx"}).status == 400


def test_quota() -> None:
    """Fifteen queries in five seconds, told with every answer; refused ones say when it begins anew."""
    who = Caller(world())
    left = [ask(who, MACHINES).headers["x-ms-user-quota-remaining"] for _ in range(15)]
    assert left == [str(n) for n in range(14, -1, -1)]
    refused = ask(who, MACHINES)
    assert (refused.status, code(refused)) == (429, "RateLimiting")
    assert refused.headers["x-ms-user-quota-resets-after"] == "00:00:05"
    who.now = at(5)
    assert ask(who, MACHINES).status == 200


def test_what_isnt_understood_is_refused() -> None:
    """No answer to a part of the question."""
    who = Caller(world())
    for query in ("resources | summarize count()", "healthresources", "resources | where"):
        assert (ask(who, query).status, code(ask(who, query))) == (400, "InvalidQuery")


def test_faults_strike() -> None:
    """A fault of kind `graph` is one of its requests."""
    who = Caller(world(ServerError(on=(Kind.GRAPH,), status=503)))
    assert ask(who, MACHINES).status == 503


def test_a_run_shows_late() -> None:
    """A run appears after it began, and ends there after it ended; then its patches are there too."""
    who = Caller(world(machines=(arc("site1"),)))
    assert who.post(f"{arc_id('site1')}/installPatches", ALL, "api-version=2026-07-15").status == 202
    assert rows(who, RUNS, at(2)) == []
    (run,) = rows(who, RUNS, at(90))
    assert run["properties"]["status"] == "InProgress"
    assert rows(who, PATCHES) == []
    (operation,) = who.world.operations(arc_id("site1"))
    who.world.advance(START + timedelta(hours=2))
    assert operation.ended is not None
    (run,) = rows(who, RUNS, START + timedelta(hours=3))
    told = run["properties"]
    assert (told["status"], told["installationActivityId"]) == ("Succeeded", operation.id)
    assert run["id"] == f"{arc_id('site1')}/patchInstallationResults/{operation.id}"
    assert len(rows(who, PATCHES)) == sum(told[key] for key in told if key.endswith("PatchCount"))


def test_a_run_that_just_ended_is_still_in_progress() -> None:
    """Whoever reads it in the same second finds it so."""
    who = Caller(world(machines=(arc("site1"),)))
    who.post(f"{arc_id('site1')}/installPatches", ALL, "api-version=2026-07-15")
    (operation,) = who.world.operations(arc_id("site1"))
    who.world.advance(START + timedelta(minutes=5))
    while operation.ended is None:
        who.world.advance(who.world.next_happening() or START)
    (run,) = rows(who, RUNS, operation.ended)
    assert run["properties"]["status"] == "InProgress"


def test_what_others_did_and_what_was_before() -> None:
    """Runs of somebody else are there, and the one that the inventory tells of."""
    before = PatchState(
        installation_id="11111111-0000-4000-8000-000000000000", installation_status="Succeeded"
    )
    machines: tuple[Machine, ...] = (arc("site1", patches=before),)
    who = Caller(world(ForeignRun(at=timedelta(minutes=1), by="azure"), InstallFails(), machines=machines))
    found = rows(who, RUNS, START + timedelta(hours=3))
    assert sorted(run["properties"]["status"] for run in found) == ["Failed", "Succeeded"]
    assert {run["properties"]["startedBy"] for run in found} == {"Platform", "User"}


def test_what_is_kept() -> None:
    """Runs are forgotten after thirty days."""
    who = Caller(world(machines=(arc("site1"),)))
    who.post(f"{arc_id('site1')}/installPatches", ALL, "api-version=2026-07-15")
    assert len(rows(who, RUNS, START + timedelta(days=29))) == 1
    assert rows(who, RUNS, START + timedelta(days=31)) == []


@pytest.mark.parametrize("kind", ["microsoft.compute/virtualmachines", "microsoft.hybridcompute/machines"])
def test_assessments_are_read_as_azures(kind: str) -> None:
    """An assessment and what it found are what the inventory's reader takes for one."""
    machine = arc("m") if "hybrid" in kind else windows("m")
    who = Caller(world(machines=(machine,)))
    who.post(f"{machine.arm_id}/assessPatches", None, "api-version=2026-07-15")
    seen = Assessments()
    for row in rows(who, "patchassessmentresources", START + timedelta(hours=1)):
        assert row["type"].startswith(kind)
        seen.take(row)
    (told,) = seen.of([machine])
    assert told.patches.updates
    assert told.patches.assessed_at is not None


def test_installations_are_read_as_azures() -> None:
    """So are runs and what they installed."""
    machine = windows("m")
    who = Caller(world(machines=(machine,)))
    who.post(f"{machine.arm_id}/installPatches", ALL)
    seen = Installations()
    for row in rows(who, "patchinstallationresources", START + timedelta(hours=3)):
        seen.take(row)
    (told,) = seen.of([machine])
    assert told.patches.installation_status == "Succeeded"
    assert told.patches.installed


def test_what_may_not_be_read_is_left_out_without_a_word() -> None:
    """An identity without the right to see runs is told that there are none; so it is with machines."""
    who = Caller(world(machines=(arc("site1"), vm("web"))))
    who.post(f"{arc_id('site1')}/installPatches", ALL, "api-version=2026-07-15")
    who.world.rights = Rights((Role(("Microsoft.HybridCompute/machines/read",)),))
    assert rows(who, RUNS, START + timedelta(hours=3)) == []
    assert [row["name"] for row in rows(who, MACHINES)] == ["site1"]
    assert [row["name"] for row in rows(who, f"{MACHINES} | order by id asc")] == ["site1"]


def test_sets_and_interfaces_and_subscriptions() -> None:
    """All else that an inventory asks for."""
    fleet = (windows("a", availability_set=set_id("as")),)
    who = Caller(world(machines=fleet))
    types = {row["type"] for row in rows(who, "resources")}
    assert types == {
        "microsoft.compute/virtualmachines",
        "microsoft.compute/availabilitysets",
        "microsoft.network/networkinterfaces",
    }
    (held,) = rows(who, "resourcecontainers | where type =~ 'microsoft.resources/subscriptions'")
    assert held["subscriptionId"] == SUBSCRIPTION
