"""The server answers by its table, and whatever goes wrong is told as a problem."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from orchestrator.access.model import Role
from tests.desk import Office, office, someone
from tests.simulation.reference import reference


@pytest.fixture
async def there(tmp_path: Path) -> AsyncIterator[Office]:
    """An office with a rollout that goes on, and people of several kinds."""
    people = (someone("grace"), someone("olga", Role.OPERATOR, "weekly"))
    async with office(await reference(), tmp_path, *people) as made:
        await made.begin()
        yield made


async def test_who_one_is(there: Office) -> None:
    """With the verbs of one's roles."""
    status, told = await there.get("/me", "grace")
    assert (status, told["name"], told["verbs"]) == (200, "grace", ["view"])
    assert told["at"].endswith("Z")


async def test_rollouts_are_listed_and_shown(there: Office) -> None:
    """In a line each, and whole by their ids."""
    status, page = await there.get("/rollouts")
    assert (status, page["next"]) == (200, None)
    (line,) = page["items"]
    assert (line["campaign"], line["who"], line["machines"]) == ("monthly", "schedule", 8)
    status, shown = await there.get(f"/rollouts/{line['id']}")
    assert (status, shown["rollout"]) == (200, line["id"])
    assert shown["progress"]["started_at"].endswith("Z")


async def test_lists_are_narrowed_by_state_and_campaign(there: Office) -> None:
    """Nothing matches: an empty list, and no error."""
    assert (await there.get("/rollouts?campaign=Monthly"))[1]["items"]
    assert (await there.get("/rollouts?campaign=weekly"))[1]["items"] == []
    assert (await there.get("/rollouts?state=finished"))[1]["items"] == []


async def test_what_may_not_be_seen_is_not_there(there: Office) -> None:
    """Unknown and invisible are told alike."""
    (line,) = (await there.get("/rollouts"))[1]["items"]
    assert (await there.get("/rollouts", "olga"))[1]["items"] == []
    for name in (line["id"], "nonesuch"):
        status, told = await there.get(f"/rollouts/{name}", "olga")
        assert (status, told["type"]) == (404, "urn:wavekeeper:problem:not-found")


async def test_a_wrong_request_is_told_in_full(there: Office) -> None:
    """Each parameter that is wrong, at once, with what to write instead."""
    status, told = await there.get("/rollouts?stat=running&cmpaign=monthly")
    assert (status, told["title"]) == (400, "The request can't be understood")
    assert [one["place"] for one in told["problems"]] == ["?stat", "?cmpaign"]
    assert "campaign" in told["problems"][0]["instead"]


async def test_what_is_not_there_at_all(there: Office) -> None:
    """A path that no route has, and a method that a path hasn't."""
    assert (await there.get("/nothing"))[0] == 404
    status, told = await there.ask("DELETE", "/rollouts")
    assert (status, told["type"]) == (405, "urn:wavekeeper:problem:method")
