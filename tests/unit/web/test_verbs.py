"""Steering over HTTP: once a key, in the person's name, with the decision's own words."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from orchestrator.access.model import Role
from orchestrator.rollout.state import RolloutStatus
from tests.desk import Office, office, someone
from tests.simulation.reference import reference

PEOPLE = (
    someone("grace"),
    someone("olga", Role.OPERATOR),
    someone("otto", Role.OPERATOR, "weekly"),
)


@pytest.fixture
async def there(tmp_path: Path) -> AsyncIterator[Office]:
    """An office with a rollout that goes on."""
    async with office(await reference(), tmp_path, *PEOPLE) as made:
        await made.begin()
        yield made


def name_of(there: Office) -> str:
    """The one rollout's id."""
    (name,) = there.desk.scope.rollouts
    return name


async def act(
    there: Office, verb: str, key: str, reason: str = "looking", who: str = "olga", machine: str = ""
) -> tuple[int, Any]:
    """Ask for a verb."""
    of = f"/machines/{machine}" if machine else ""
    return await there.ask(
        "POST",
        f"/rollouts/{name_of(there)}{of}/{verb}",
        who,
        json={"reason": reason},
        headers={"Idempotency-Key": key},
    )


async def test_a_pause_is_carried_out_in_the_persons_name(there: Office) -> None:
    """The answer is what was written down; the journal names who it was."""
    status, told = await act(there, "pause", "k1")
    assert (status, told["facts"]) == (200, ["paused by olga: looking"])
    rollout = there.desk.scope.rollouts[name_of(there)]
    assert (rollout.status, rollout.by) == (RolloutStatus.PAUSED, "olga")


async def test_a_verb_is_carried_out_once_a_key(there: Office) -> None:
    """Also when two clients send it at once; both are answered by the one decision."""
    first, second = await asyncio.gather(act(there, "pause", "k1"), act(there, "pause", "k1"))
    assert first == second
    await act(there, "resume", "k2")
    assert await act(there, "pause", "k1") == first
    assert there.desk.scope.rollouts[name_of(there)].status is not RolloutStatus.PAUSED


async def test_a_key_is_remembered_across_a_restart(tmp_path: Path) -> None:
    """The journal is the memory: another process gives the same answer, and does nothing more."""
    script = await reference()
    async with office(script, tmp_path, *PEOPLE) as before:
        await before.begin()
        first = await act(before, "pause", "k1")
    async with office(script, tmp_path, *PEOPLE) as after:
        await act(after, "resume", "k2")
        assert await act(after, "pause", "k1") == first
        refused = await act(after, "approve", "k3")
        assert refused[0] == 409
    async with office(script, tmp_path, *PEOPLE) as once_more:
        assert await act(once_more, "approve", "k3") == refused


async def test_the_same_key_for_something_else_is_a_mistake(there: Office) -> None:
    """Another reason, another verb: told, and not done."""
    await act(there, "pause", "k1")
    for verb, reason in (("pause", "another reason"), ("resume", "looking")):
        status, told = await act(there, verb, "k1", reason)
        assert (status, told["type"]) == (422, "urn:wavekeeper:problem:key-reused")
    assert there.desk.scope.rollouts[name_of(there)].status is RolloutStatus.PAUSED


async def test_at_once_one_key_for_two_things_does_one_of_them(there: Office) -> None:
    """Whichever came first."""
    found = await asyncio.gather(act(there, "pause", "k1"), act(there, "abort", "k1"))
    assert sorted(status for status, _ in found) == [200, 422]


async def test_a_key_outlives_another_name_at_the_issuer(there: Office) -> None:
    """Of the same person, between two sends: the answer is the first one's."""
    first = await act(there, "pause", "k1")
    there.people["olga"] = replace(there.people["olga"], name="Olga N.")
    assert await act(there, "pause", "k1") == first
    assert (await act(there, "resume", "k2"))[1]["facts"] == ["resumed by Olga N.: looking"]


async def test_keys_of_two_people_have_nothing_to_do_with_each_other(there: Office) -> None:
    """A key is its person's."""
    assert (await act(there, "pause", "k1"))[0] == 200
    assert (await act(there, "resume", "k1", who="ada"))[0] == 200


async def test_what_is_refused_is_told_in_the_services_words(there: Office) -> None:
    """409, and nothing was done."""
    status, told = await act(there, "approve", "k1")
    assert (status, told["type"]) == (409, "urn:wavekeeper:problem:refused")
    assert "approv" in told["detail"]


async def test_who_may_not_is_told_why_and_who_may_not_see_finds_nothing(there: Office) -> None:
    """403 with a reason; 404 for what isn't theirs to see."""
    status, told = await act(there, "pause", "k1", who="grace")
    assert (status, told["detail"]) == (403, "`pause` takes the role operator, and grace is viewer")
    assert (await act(there, "pause", "k1", who="otto"))[0] == 404


async def test_a_machine_is_steered_by_its_name(there: Office) -> None:
    """In its rollout; one that isn't there is not found."""
    status, told = await act(there, "skip", "k1", machine="A2")
    assert (status, told["facts"]) == (200, ["a2: skipped by olga: looking"])
    assert (await act(there, "skip", "k2", machine="nonesuch"))[0] == 404


@pytest.mark.parametrize("reason", ["", " ", "\x1b[2Jgone", "a\nb", "x" * 1001])
async def test_a_reason_is_a_line_that_can_be_read(there: Office, reason: str) -> None:
    """It is printed in terminals for years."""
    status, told = await act(there, "pause", "k1", reason)
    assert (status, told["problems"][0]["place"]) == (422, "reason")


async def test_what_is_sent_wrongly_is_told(there: Office) -> None:
    """No key, no JSON, another kind of body."""
    path, key = f"/rollouts/{name_of(there)}/pause", {"Idempotency-Key": "k1"}
    status, told = await there.ask("POST", path, json={"reason": "x"})
    assert (status, told["problems"][0]["place"]) == (400, "Idempotency-Key")
    assert (await there.ask("POST", path, data=b"{", headers={**key, "Content-Type": "application/json"}))[
        0
    ] == 422
    assert (await there.ask("POST", path, data=b"reason=x", headers=key))[0] == 415
