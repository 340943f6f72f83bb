"""Rollouts as they are read: lists by pages that hold still, machines, stories, plans; also of what is over and archived."""

from __future__ import annotations

import gzip
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from orchestrator.access.model import Grant, Person, Reach, Role
from orchestrator.rollout.retention import Retention
from orchestrator.rollout.state import Ended
from orchestrator.web.models import Coming, ObservationTold
from orchestrator.web.paging import encode
from tests.desk import Office, office, someone
from tests.simulation.reference import CAMPAIGN, reference, twins
from tests.virtual import START, Script, script

OF_A = Person("anna", (Grant(Role.OPERATOR, Reach(tags=(("app", ("a",)),))),), "anna")
PEOPLE = (someone("grace"), someone("otto", Role.VIEWER, "weekly"), OF_A)


CLOSED = 'windows: [{start: wed, at: "22:00", for: 6h, time_zone: UTC}]'


async def other(name: str) -> Script:
    """The script of another campaign on the same fleet, in which nothing is begun before Wednesday."""
    return await script(twins(), CAMPAIGN.replace("name: monthly", f"name: {name}") + CLOSED)


@pytest.fixture
async def there(tmp_path: Path) -> AsyncIterator[Office]:
    """An office with a rollout that goes on."""
    async with office(await reference(), tmp_path, *PEOPLE) as made:
        await made.begin()
        yield made


async def post(there: Office, path: str, key: str, body: Any = None, **options: Any) -> tuple[int, Any]:
    """Something that changes."""
    headers = {"Idempotency-Key": key, **options.pop("headers", {})}
    return await there.ask("POST", path, json=body, headers=headers, **options)


async def ended(there: Office, *names: str) -> None:
    """Rollouts of these campaigns that were begun and aborted before anything was touched."""
    for name in names:
        rollout = await there.begin(await other(name))
        assert (await post(there, f"/rollouts/{rollout.id}/abort", f"end {name}", {"reason": "enough"}))[
            0
        ] == 200


async def all_pages(there: Office, path: str, limit: int, who: str = "ada") -> list[list[Any]]:
    """Every page of a list."""
    pages, cursor = [], ""
    while True:
        mark = "&" if "?" in path else "?"
        status, page = await there.get(f"{path}{mark}limit={limit}&cursor={cursor}", who)
        assert status == 200, page
        pages.append(page["items"])
        if page["next"] is None:
            return pages
        cursor = page["next"]


async def test_pages_hold_still_while_rollouts_come(tmp_path: Path) -> None:
    """Who reads on where they were sees each of those that were there once, whatever was begun meanwhile."""
    async with office(await reference(), tmp_path) as there:
        await ended(there, "one", "two", "three")
        first = (await there.get("/rollouts?limit=2"))[1]
        await ended(there, "four")
        second = (await there.get(f"/rollouts?limit=2&cursor={first['next']}"))[1]
        found = [line["campaign"] for line in (*first["items"], *second["items"])]
        assert (found, second["next"]) == (["three", "two", "one"], None)


async def test_a_cursor_beyond_every_row_is_told(there: Office) -> None:
    """No number is too large to be asked for, and none is a mistake of the daemon's."""
    rollout = (await there.get("/rollouts"))[1]["items"][0]["id"]
    status, told = await there.get(f"/rollouts/{rollout}/story?cursor={encode((1 << 63, 0))}")
    assert (status, told["problems"][0]["place"]) == (400, "?cursor")


@pytest.mark.parametrize("cursor", ["x", "!", "W10", "WyJhIl0", "bnVsbA", "e30"])
async def test_a_cursor_that_is_none_is_told(there: Office, cursor: str) -> None:
    """Whatever it is made of."""
    status, told = await there.get(f"/rollouts?cursor={cursor}")
    assert (status, told["problems"][0]["place"]) == (400, "?cursor")


@pytest.mark.parametrize("limit", ["0", "1001", "many"])
async def test_a_limit_has_its_bounds(there: Office, limit: str) -> None:
    """Told with its place."""
    status, told = await there.get(f"/rollouts?limit={limit}")
    assert (status, told["problems"][0]["place"]) == (400, "?limit")


async def test_machines_come_page_by_page(there: Office) -> None:
    """Each once, in the order of the plan, with where it stands."""
    (name,) = there.desk.scope.rollouts
    pages = await all_pages(there, f"/rollouts/{name}/machines", 3)
    assert [len(page) for page in pages] == [3, 3, 2]
    lines = [line for page in pages for line in page]
    assert sorted(line["name"] for line in lines) == sorted(m.name for m in twins().machines)
    assert {line["stage"] for line in lines} == {"canary", "broad"}
    pending = (await there.get(f"/rollouts/{name}/machines?status=done"))[1]["items"]
    assert pending == []


async def test_a_machine_tells_why_it_is_where_it_is(there: Office) -> None:
    """By its name or its ARM id, in a rollout or wherever it is."""
    (name,) = there.desk.scope.rollouts
    arm_id = next(
        one.arm_id for one in there.desk.scope.rollouts[name].planned.plan.machines if one.name == "a2"
    )
    for path in (f"/rollouts/{name}/machines/A2", "/machines/a2", f"/machines/{quote(arm_id, safe='')}"):
        status, told = await there.get(path)
        assert (status, told["rollout"], told["rollouts"], told["name"]) == (200, name, [name], "a2")
        assert told["why"][0].startswith("a2 is pending")
        assert "stage" in told["explain"][0]
    assert (await there.get("/machines/nonesuch"))[0] == 404


async def test_who_may_see_some_machines_sees_no_others(there: Office) -> None:
    """In lists, in stories, alone; and not the plan, which has them all."""
    (name,) = there.desk.scope.rollouts
    await there.until(lambda: there.desk.scope.rollouts[name].in_flight > 1)
    await there.desk.house.log.durable()
    lines = (await there.get(f"/rollouts/{name}/machines", "anna"))[1]["items"]
    assert {line["name"][0] for line in lines} == {"a"}
    story = (await there.get(f"/rollouts/{name}/story", "anna"))[1]["items"]
    assert {machine[0] for fact in story for machine in fact["machines"]} == {"a"}
    assert (await there.get(f"/rollouts/{name}/machines/b1", "anna"))[0] == 404
    assert (await there.get("/machines/b1", "anna"))[0] == 404
    assert (await there.get(f"/rollouts/{name}/plan", "anna"))[0] == 403
    assert (await there.get(f"/rollouts/{name}/plan", "otto"))[0] == 404


async def test_the_plan_is_the_file_that_was_reviewed(there: Office) -> None:
    """To the byte."""
    (name,) = there.desk.scope.rollouts
    async with there.client.get(
        f"{there.url}/api/v1/rollouts/{name}/plan", headers={"X-Who": "grace"}
    ) as got:
        assert await got.read() == there.desk.script.plan
        assert got.headers["Content-Disposition"] == f'attachment; filename="{name}.plan.json"'


async def test_a_story_is_told_page_by_page(tmp_path: Path) -> None:
    """Every fact once, with its place, and who did what."""
    async with office(await reference(), tmp_path) as there:
        await ended(there, "one")
        (name,) = (line["id"] for line in (await there.get("/rollouts"))[1]["items"])
        whole = (await there.get(f"/rollouts/{name}/story?limit=1000"))[1]["items"]
        pages = await all_pages(there, f"/rollouts/{name}/story", 2)
        assert [fact for page in pages for fact in page] == whole
        assert (whole[0]["event"], whole[0]["index"]) == ("RolloutStarted", 0)
        assert (whole[-1]["sentence"], whole[-1]["who"]) == ("aborted by ada: enough", "ada")
        telling = (await there.get(f"/rollouts/{name}/story?quiet=false"))[1]["items"]
        assert telling == [fact for fact in whole if not fact["quiet"]]


async def test_what_is_over_and_archived_is_read_as_what_goes_on(tmp_path: Path) -> None:
    """Its answers, its machines, its story and its plan: from the archive that has them."""
    async with office(await reference(), tmp_path) as there:
        await ended(there, "one")
        (name,) = (line["id"] for line in (await there.get("/rollouts"))[1]["items"])
        paths = [f"/rollouts/{name}{more}" for more in ("", "/machines", "/story", "/plan", "/machines/a1")]
        await there.until(lambda: isinstance(there.desk.scope.ended.get(name), Ended))
        before = [await there.get(path) for path in paths]
        assert [status for status, _ in before] == [200] * len(paths)
        archive = tmp_path / "journal.archive-0001.db"
        await there.desk.house.archive(Retention(older_than=timedelta(0)), lambda _: str(archive))
        assert there.desk.scope.ended[name].archive == str(archive)
        after = [await there.get(path) for path in paths]
        assert _timeless(after) == _timeless(before)
        (line,) = (await there.get("/rollouts"))[1]["items"]
        assert line["archive"] == str(archive)


def _timeless(answers: list[tuple[int, Any]]) -> list[tuple[int, Any]]:
    """Without the moment at which they were asked for."""
    for _, told in answers:
        told.pop("at", None)
        told.get("progress", {}).pop("at", None)
    return answers


async def test_the_house_tells_of_itself_what_one_may_see(there: Office) -> None:
    """Campaigns by reach; the commit to whoever may see the fleet."""
    there.desk.coming = (Coming("monthly", act=True, next=START), Coming("weekly", act=False, next=None))
    seen = ObservationTold("weekly", START, "finished", "", 3, START)
    there.desk.observed = (seen, replace(seen, campaign="monthly"))
    assert [one["campaign"] for one in (await there.get("/calendar", "otto"))[1]["items"]] == ["weekly"]
    assert [one["campaign"] for one in (await there.get("/observations", "otto"))[1]["items"]] == ["weekly"]
    assert len(await all_pages(there, "/observations", 1)) == 2
    assert (await there.get("/policies", "grace"))[0] == 200
    assert (await there.get("/policies", "otto"))[0] == 403


async def test_a_plan_is_handed_over_once(tmp_path: Path) -> None:
    """The same key gives the same answer; another key finds the rollout that there is."""
    made = await reference()
    async with office(made, tmp_path, *PEOPLE) as there:
        body = {"data": made.plan, "headers": {"Content-Type": "application/json", "Idempotency-Key": "k1"}}
        status, told = await there.ask("POST", "/rollouts?reason=now", **body)
        assert status == 200, told
        assert told["facts"][0].startswith("started by ada: now")
        assert await there.ask("POST", "/rollouts?reason=now", **body) == (status, told)
        packed = {"Content-Type": "application/gzip", "Idempotency-Key": "k2"}
        status, again = await there.ask(
            "POST", "/rollouts?reason=now", data=gzip.compress(made.plan), headers=packed
        )
        assert (status, again["rollout"], again["facts"]) == (200, told["rollout"], [])
        assert len(there.desk.scope.rollouts) == 1


async def test_a_plan_is_begun_in_an_emergency_by_whoever_may_declare_one(tmp_path: Path) -> None:
    """From its first moment on, with who and why."""
    made = await reference()
    headers = {"Idempotency-Key": "k1", "Content-Type": "application/json"}
    async with office(made, tmp_path, someone("olga", Role.OPERATOR)) as there:
        asked = "/rollouts?reason=now&emergency=CVE-1"
        assert (await there.ask("POST", asked, "olga", data=made.plan, headers=headers))[0] == 403
        status, told = await there.ask("POST", asked, "ada", data=made.plan, headers=headers)
        assert (status, told["facts"][0]) == (200, "started by ada: now")
        assert told["facts"][1].startswith("EMERGENCY declared by ada: CVE-1; bake of stage canary: ")
        (rollout,) = there.desk.scope.rollouts.values()
        assert rollout.emergency is not None


async def test_what_is_no_plan_is_told_and_nothing_is_done(tmp_path: Path) -> None:
    """Whatever is sent; and who may not start one is told that."""
    made = await reference()
    async with office(made, tmp_path, *PEOPLE) as there:
        for kind, data, expected in (
            ("application/json", b"{}", 422),
            ("application/json", b"", 422),
            ("application/gzip", b"no gzip", 422),
            ("text/plain", made.plan, 415),
        ):
            headers = {"Content-Type": kind, "Idempotency-Key": "k"}
            status, told = await there.ask("POST", "/rollouts?reason=now", data=data, headers=headers)
            assert status == expected, told
        headers = {"Content-Type": "application/json", "Idempotency-Key": "k"}
        status, told = await there.ask(
            "POST", "/rollouts?reason=now", "grace", data=made.plan, headers=headers
        )
        assert (status, "admin" in told["detail"]) == (403, True)
        assert (await there.ask("POST", "/rollouts", data=made.plan, headers=headers))[0] == 400
        assert there.desk.scope.rollouts == {}
