"""What a terminal asks besides: names as people type them, of what they may see."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from orchestrator.access.model import Role
from tests.desk import Office, office, someone
from tests.simulation.reference import reference


@pytest.fixture
async def there(tmp_path: Path) -> AsyncIterator[Office]:
    """An office with a rollout that goes on, and somebody who sees another campaign alone."""
    async with office(await reference(), tmp_path, someone("olga", Role.OPERATOR, "weekly")) as made:
        await made.begin()
        yield made


async def test_a_name_is_found_as_it_is_typed(there: Office) -> None:
    """The rollout that goes on, a beginning of an id, a machine in any case."""
    rollout = (await there.get("/whereabouts"))[1]["status"]["rollout"]
    assert (await there.get(f"/whereabouts?name={rollout[:8]}"))[1]["status"]["rollout"] == rollout
    status, told = await there.get("/whereabouts?name=A1")
    assert (status, told["machine"], told["rollout"]) == (200, "A1", rollout)


async def test_a_name_means_something_for_a_verb(there: Office) -> None:
    """Whole ids, so that it means the same when it is carried out; the name of a machine by which it can be found."""
    (line,) = (await there.get("/rollouts"))[1]["items"]
    assert await there.get("/targets?verb=pause") == (200, {"rollout": line["id"], "machine": ""})
    assert await there.get("/targets?verb=retry&name=A1") == (200, {"rollout": line["id"], "machine": "a1"})
    assert await there.get("/targets?name=month") == (200, {"rollout": line["id"], "machine": ""})
    status, told = await there.get("/targets?verb=retry")
    assert (status, told["detail"]) == (
        422,
        "say which machine to retry: wavekeeper retry MACHINE --reason ...",
    )
    status, told = await there.get("/targets?verb=dance")
    assert (status, told["detail"]) == (422, "dance is no verb for a rollout or a machine")


async def test_what_may_not_be_seen_has_no_name(there: Office) -> None:
    """Nor a standing, nor a past: as if it weren't there."""
    (line,) = (await there.get("/rollouts"))[1]["items"]
    for name in ("", line["id"], "a1"):
        status, told = await there.get(f"/whereabouts?name={name}", "olga")
        unseen = await there.get(f"/whereabouts?name={name and 'nonesuch'}", "olga")
        assert (status, told["detail"].replace(name or "-", "nonesuch")) == (422, unseen[1]["detail"])
        assert (await there.get(f"/targets?verb=pause&name={name}", "olga"))[0] == 422
    for path in ("standing", "installed", "enrolled"):
        assert (await there.get(f"/rollouts/{line['id']}/{path}", "olga"))[0] == 404
    past = (await there.get("/past?at=2026-11-29T00:00:00Z", "olga"))[1]
    assert past == {"rollouts": 0, "archived": 0, "outcomes": {}, "months": []}
    assert (await there.get("/past?at=2026-11-29T00:00:00Z"))[1]["rollouts"] == 1


async def test_how_a_rollout_stands_for_whoever_follows_it(there: Office) -> None:
    """Whether anything moves by itself, and how a command would end."""
    (line,) = (await there.get("/rollouts"))[1]["items"]
    status, told = await there.get(f"/rollouts/{line['id']}/standing")
    assert (status, told["rests"], told["code"]) == (200, False, 6)
    assert told["status"]["rollout"] == line["id"]


async def test_what_can_not_be_taken_back_is_refused(there: Office) -> None:
    """In the words that the command has for it."""
    (line,) = (await there.get("/rollouts"))[1]["items"]
    status, told = await there.get(f"/rollouts/{line['id']}/enrolled")
    assert (status, told["detail"].partition(";")[0]) == (422, f"rollout {line['id']} wrote no settings")
    assert (await there.get(f"/rollouts/{line['id']}/installed?kbs=KB1,x"))[0] == 422
