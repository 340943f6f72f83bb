"""Holds over HTTP: placed, listed and lifted by those who may, once a key."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from orchestrator.access.model import Grant, Person, Reach, Role
from tests.desk import Office, office, someone
from tests.simulation.reference import reference

PEOPLE = (
    someone("grace"),
    someone("olga", Role.OPERATOR),
    someone("otto", Role.OPERATOR, "weekly"),
    someone("wanda", Role.VIEWER, "weekly"),
)


@pytest.fixture
async def there(tmp_path: Path) -> AsyncIterator[Office]:
    """An office with a rollout that goes on."""
    async with office(await reference(), tmp_path, *PEOPLE) as made:
        await made.begin()
        yield made


async def hold(there: Office, select: str, key: str, who: str = "olga", **given: Any) -> tuple[int, Any]:
    """Ask for a hold of six hours."""
    until = given.pop("until", (there.desk.now() + timedelta(hours=6)).isoformat())
    body = {"select": select, "until": until, "reason": "a disk", **given}
    return await there.ask("POST", "/holds", who, json=body, headers={"Idempotency-Key": key})


async def unhold(there: Office, number: str, key: str, who: str = "olga") -> tuple[int, Any]:
    """Ask for its end."""
    headers = {"Idempotency-Key": key}
    return await there.ask("DELETE", f"/holds/{number}", who, json={"reason": "done"}, headers=headers)


async def test_a_hold_is_placed_listed_and_lifted(there: Office) -> None:
    """In the person's name; the list says whom it keeps from being begun."""
    status, told = await hold(there, "name=b*", "k1")
    assert status == 200
    assert told["facts"][0].startswith("hold h1: name=b* is held by olga until ")
    status, told = await there.ask("GET", "/holds", "grace")
    (held,) = told["items"]
    assert (status, held["id"], held["who"], held["reason"]) == (200, "h1", "olga", "a disk")
    (rollout,) = held["rollouts"]
    assert set(rollout["machines"]) >= {"b2", "b3"}
    status, told = await unhold(there, "h1", "k2")
    assert (status, told["facts"]) == (200, ["hold h1 is lifted by olga: done"])
    assert (await there.ask("GET", "/holds", "grace"))[1]["items"] == []
    assert await unhold(there, "h1", "k2") == (status, told)


async def test_a_hold_is_placed_once_a_key(there: Office) -> None:
    """Asked again it is the same one; under another key it is another."""
    until = (there.desk.now() + timedelta(hours=3)).isoformat()
    first = await hold(there, "name=b2", "k1", until=until)
    assert await hold(there, "name=b2", "k1", until=until) == first
    assert (await hold(there, "name=b2", "k2", until=until))[1]["facts"][0].startswith("hold h2")
    assert (await hold(there, "name=b3", "k1", until=until))[0] == 422


@pytest.mark.parametrize(
    ("select", "until", "status", "said"),
    [
        ("app=shop", None, 422, "`app` isn't known; did you mean `tag:app`"),
        ("name=a1", "2020-01-01T00:00Z", 409, "is past already"),
        ("name=a1", "2099-01-01T00:00Z", 409, "lasts for 90d at most"),
        ("name=a1", "2026-11-22T09:00", 409, "with its time zone"),
        ("name=a1", "soon", 422, "The body isn't valid"),
    ],
)
async def test_what_can_not_be_held_is_told(
    there: Office, select: str, until: str | None, status: int, said: str
) -> None:
    """In the words of whoever refuses it."""
    given = {} if until is None else {"until": until}
    answered, told = await hold(there, select, "k1", **given)
    assert (answered, said in told["detail"]) == (status, True)


async def test_only_who_may_holds_and_lifts(there: Office) -> None:
    """A viewer may not; an operator of another campaign may not hold what isn't theirs, nor see it."""
    assert (await hold(there, "name=b*", "k1", "grace"))[0] == 403
    assert (await hold(there, "name=b*", "k1", "otto"))[0] == 403
    assert (await hold(there, "name=b*", "k1"))[0] == 200
    assert (await there.ask("GET", "/holds", "wanda"))[1]["items"] == []
    assert (await unhold(there, "h1", "k2", "otto"))[0] == 404
    assert (await unhold(there, "h1", "k2", "grace"))[0] == 403
    assert (await unhold(there, "h9", "k3"))[0] == 409


async def test_whoever_sees_a_part_of_the_fleet_sees_that_part_of_a_hold(tmp_path: Path) -> None:
    """By tag: the hold of everything is theirs, too, with their own machines alone; lifting it isn't."""
    anna = Person("anna", (Grant(Role.OPERATOR, Reach(tags=(("app", ("a",)),))),), "anna")
    async with office(await reference(), tmp_path, *PEOPLE, anna) as there:
        assert (await hold(there, "name=*", "k1", "anna"))[0] == 403
        assert (await hold(there, "name=*", "k2"))[0] == 200
        (held,) = (await there.ask("GET", "/holds", "anna"))[1]["items"]
        assert [one[-2:] for one in held["matched"]] == ["a1", "a2", "a3", "a4"]
        assert (await unhold(there, "h1", "k3", "anna"))[0] == 403
        assert (await hold(there, "tag:app=a", "k4", "anna"))[0] == 200
        lifted = await unhold(there, "h2", "k5", "anna")
        assert lifted[0] == 200
        assert await unhold(there, "h2", "k5", "anna") == lifted  # whose answer was lost asks again


async def test_a_hold_that_is_none_and_one_that_may_not_be_seen_are_told_alike(tmp_path: Path) -> None:
    """Else somebody could count what is held elsewhere; who may see everything is told that it is none."""
    anna = Person("anna", (Grant(Role.OPERATOR, Reach(tags=(("app", ("a",)),))),), "anna")
    async with office(await reference(), tmp_path, *PEOPLE, anna) as there:
        assert (await hold(there, "tag:app=b", "k1"))[0] == 200
        hidden, none = [await unhold(there, number, f"of {number}", "anna") for number in ("h1", "h9")]
        assert (hidden[0], none[0]) == (404, 404)
        assert hidden[1]["detail"].replace("h1", "h9") == none[1]["detail"]
        assert (await unhold(there, "h9", "k2", "grace"))[0] == 403


async def test_who_asks_again_is_answered_as_before_whatever_the_fleet_is_by_then(tmp_path: Path) -> None:
    """The machine isn't theirs any more, and is held; to hold it anew isn't theirs to ask."""
    anna = Person("anna", (Grant(Role.OPERATOR, Reach(tags=(("app", ("a",)),))),), "anna")
    async with office(await reference(), tmp_path, *PEOPLE, anna) as there:
        until = (there.desk.now() + timedelta(hours=3)).isoformat()
        first = await hold(there, "name=a1", "k1", "anna", until=until)
        assert first[0] == 200
        fleet = there.desk.script.fleet
        moved = (replace(one, tags={"app": "b"}) if one.name == "a1" else one for one in fleet.machines)
        there.desk.script = replace(there.desk.script, fleet=replace(fleet, machines=tuple(moved)))
        assert await hold(there, "name=a1", "k1", "anna", until=until) == first
        assert (await hold(there, "name=a1", "k2", "anna", until=until))[0] == 403


async def test_an_emergency_is_an_admins(there: Office) -> None:
    """And is told of the rollout that it hurries."""
    (name,) = there.desk.scope.rollouts
    body, key = {"reason": "CVE-1"}, {"Idempotency-Key": "k1"}
    path = f"/rollouts/{name}/emergency"
    assert (await there.ask("POST", path, "olga", json=body, headers=key))[0] == 403
    status, told = await there.ask("POST", path, "ada", json=body, headers=key)
    assert status == 200
    assert told["facts"][0].startswith("EMERGENCY declared by ada: CVE-1; bake of stage canary: ")
    status, told = await there.ask("GET", f"/rollouts/{name}", "grace")
    assert told["emergency"].startswith("EMERGENCY by ada since ")
    assert datetime.fromisoformat(told["progress"]["started_at"])


async def test_what_one_may_do_about_holds_says_why_not(there: Office) -> None:
    """Of holding anything at all, and of lifting each that one sees."""
    assert (await hold(there, "name=b*", "k1"))[0] == 200

    async def told(who: str) -> dict[tuple[str, str], str]:
        _, page = await there.get("/holds/acts", who)
        return {(one["verb"], one["hold"]): one["why_not"] for one in page["items"]}

    assert await told("olga") == {("hold", ""): "", ("unhold", "h1"): ""}
    assert await told("otto") == {("hold", ""): ""}
    assert await told("grace") == {
        ("hold", ""): "`hold` takes the role operator, and grace is viewer",
        ("unhold", "h1"): "`unhold` takes the role operator, and grace is viewer",
    }
