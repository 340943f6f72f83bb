"""The stream: as it happens, or from an id on; nobody misses anything, and nobody who is slow holds anything up."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
import orjson
import pytest

from orchestrator.access.model import Grant, Person, Reach, Role
from orchestrator.rollout.retention import Retention
from orchestrator.web.asked import Asked
from orchestrator.web.broadcast import Broadcast, Listener, Piece
from orchestrator.web.events import SinceEvent, _Telling, events
from orchestrator.web.problems import Declined
from tests.desk import ADA, Office, office, someone
from tests.simulation.reference import reference
from tests.unit.web.test_reads import ended, other

OF_A = Person("anna", (Grant(Role.VIEWER, Reach(tags=(("app", ("a",)),))),), "anna")
PEOPLE = (someone("otto", Role.VIEWER, "weekly"), OF_A)


@dataclass
class Ear:
    """Who listens: the events, and the comments."""

    lines: AsyncIterator[bytes]
    comments: list[bytes] = field(default_factory=list)

    async def event(self) -> tuple[str, str, Any]:
        """The next event: id, name, data."""
        told: dict[str, str] = {}
        async for raw in self.lines:
            line = raw.rstrip(b"\n").decode()
            if line.startswith(":"):
                self.comments.append(raw)
            elif line:
                name, _, value = line.partition(": ")
                told[name] = value
            elif "data" in told:
                return told["id"], told["event"], orjson.loads(told["data"])
        raise EOFError

    async def until(self, event: str) -> list[tuple[str, str, Any]]:
        """All events up to one of that name."""
        found = [await self.event()]
        while found[-1][1] != event:
            found.append(await self.event())
        return found


@contextlib.asynccontextmanager
async def listening(there: Office, more: str = "", who: str = "ada", **headers: str) -> AsyncIterator[Ear]:
    """An ear, once the server has said that it is there."""
    url = f"{there.url}/api/v1/events{more}"
    async with there.client.get(url, headers={"X-Who": who, **headers}) as got:
        assert (got.status, got.content_type) == (200, "text/event-stream"), await got.text()
        ear = Ear(got.content.__aiter__())
        assert await got.content.readuntil(b"\n\n") == b"retry: 2000\n: here\n\n"
        yield ear


async def begun(there: Office, name: str) -> str:
    """A rollout in which nothing is begun for now, once it is prepared."""
    rollout = await there.begin(await other(name))
    await there.until(lambda: rollout.prepared)
    await there.desk.house.log.durable()
    return rollout.id


async def act(there: Office, verb: str, name: str, key: str) -> None:
    """Ask for a verb."""
    status, told = await there.ask(
        "POST", f"/rollouts/{name}/{verb}", json={"reason": key}, headers={"Idempotency-Key": key}
    )
    assert status == 200, told


async def test_what_happens_is_told_as_it_happens(tmp_path: Path) -> None:
    """With its place, its name, who did it, and in words."""
    async with office(await reference(), tmp_path) as there:
        name = await begun(there, "one")
        async with listening(there) as ear:
            await act(there, "pause", name, "k1")
            place, event, data = (await ear.until("RolloutPaused"))[-1]
            assert (event, data["sentence"], data["who"]) == ("RolloutPaused", "paused by ada: k1", "ada")
            assert (place, data["rollout"]) == (f"{data['seq']}.{data['index']}", name)


async def test_from_any_id_on_nothing_is_missed_and_nothing_comes_twice(tmp_path: Path) -> None:
    """Also from the middle of a decision, also over rollouts that are over and archived."""
    async with office(await reference(), tmp_path) as there:
        await ended(there, "one", "two")
        await there.until(lambda: len(there.desk.scope.ended) == 2)
        keep = Retention(older_than=timedelta(0), keep_last=1)
        await there.desk.house.archive(keep, lambda _: str(tmp_path / "archive.db"))
        name = await begun(there, "three")
        await act(there, "pause", name, "k1")
        async with listening(there, "?after=0") as ear:
            everything = await ear.until("RolloutPaused")
        events = [event for _, event, _ in everything]
        assert events.count("RolloutStarted") == 3
        assert events.count("Archived") == 1
        places = [tuple(map(int, place.split("."))) for place, _, _ in everything]
        assert places == sorted(set(places))
        for number, (place, _, _) in enumerate(everything[:-1]):
            async with listening(there, **{"Last-Event-ID": place}) as ear:
                assert await ear.until("RolloutPaused") == everything[number + 1 :]


async def test_past_and_present_join_without_a_seam(tmp_path: Path) -> None:
    """What happens while the past is read comes once."""
    async with office(await reference(), tmp_path) as there:
        name = await begun(there, "one")
        async with listening(there, "?after=0") as ear:
            for number in range(20):
                await act(there, ("pause", "resume")[number % 2], name, f"k{number}")
            found = []
            while not found or found[-1][2]["sentence"] != "resumed by ada: k19":
                found.append(await ear.event())
            places = [place for place, _, _ in found]
            assert len(places) == len(set(places))
            told = [data["sentence"] for _, _, data in found if data["who"] == "ada"]
            assert len(told) == 20


async def test_what_happens_while_the_past_is_read_comes_once(tmp_path: Path) -> None:
    """It is read from the journal and heard as well."""
    async with office(await reference(), tmp_path) as there:
        name = await begun(there, "one")

        async def again() -> Person:
            return ADA

        nothing: Any = None  # what the stream doesn't ask
        asked = Asked(
            there.desk, nothing, ADA, {}, nothing, there.broadcast, again, query=SinceEvent(after="0")
        )
        async with contextlib.aclosing((await events(asked)).pieces) as pieces:
            told = [await anext(pieces), await anext(pieces)]  # in the middle of the past
            await act(there, "pause", name, "k1")
            while b"RolloutPaused" not in told[-1]:
                told.append(await anext(pieces))
            await act(there, "resume", name, "k2")
            while b"RolloutResumed" not in told[-1]:
                told.append(await anext(pieces))
        assert b"".join(told).count(b"event: RolloutPaused") == 1


async def test_one_hears_of_what_one_may_see(tmp_path: Path) -> None:
    """Of no other campaigns, and of no other machines."""
    async with office(await reference(), tmp_path, *PEOPLE) as there:
        first, second = await begun(there, "weekly"), ""
        await act(there, "abort", first, "k1")
        second = await begun(there, "monthly-2")
        for machine in ("a2", "b2"):
            path = f"/rollouts/{second}/machines/{machine}/skip"
            await there.ask("POST", path, json={"reason": "x"}, headers={"Idempotency-Key": machine})
        await act(there, "abort", second, "k2")
        async with listening(there, "?after=0", who="otto") as ear:
            assert {data["rollout"] for _, _, data in await ear.until("RolloutAborted")} == {first}
        async with listening(there, f"?after=0&rollout={second}", who="anna") as ear:
            told = [data for _, _, data in await ear.until("RolloutAborted")]
            assert {data["rollout"] for data in told} == {second}
            assert {machine for data in told for machine in data["machines"]} == {"a2"}


@pytest.mark.parametrize("after", ["x", "1.x", "-1", "999999"])
async def test_a_place_that_is_none_is_told(tmp_path: Path, after: str) -> None:
    """Such as one of another journal."""
    async with office(await reference(), tmp_path) as there:
        for options in ({"params": {"after": after}}, {"headers": {"Last-Event-ID": after}}):
            status, told = await there.get("/events", **options)
            assert (status, told["type"]) == (400, "urn:wavekeeper:problem:bad-request")


async def test_a_line_in_use_says_so_and_asks_again_who_it_is(tmp_path: Path) -> None:
    """A comment in the silence; nobody listens on whose session is over."""
    async with office(await reference(), tmp_path, *PEOPLE, heartbeat_s=0.02) as there:
        async with listening(there, who="otto") as ear:
            assert await anext(ear.lines) == b":\n"
            del there.people["otto"]
            with pytest.raises(EOFError):
                await ear.event()
        async with listening(there) as ear:
            name = await begun(there, "one")
            await act(there, "pause", name, "k1")
            await ear.until("RolloutPaused")


async def test_whose_rights_change_is_let_go(tmp_path: Path) -> None:
    """Nobody goes on hearing what is no longer theirs; they come back, and are told what is."""
    async with (
        office(await reference(), tmp_path, *PEOPLE, heartbeat_s=0.02) as there,
        listening(there, who="otto") as ear,
    ):
        assert await anext(ear.lines) == b":\n"
        there.people["otto"] = someone("otto", Role.VIEWER, "monthly")
        with pytest.raises(EOFError):
            await ear.event()


async def test_whose_rights_change_while_the_past_is_told_is_let_go(tmp_path: Path) -> None:
    """Who reads slowly may read the past for hours."""
    async with office(await reference(), tmp_path, heartbeat_s=0.0) as there:
        name = await begun(there, "one")
        await act(there, "pause", name, "k1")
        rights = [ADA, ADA]

        async def again() -> Person:
            return rights.pop() if rights else replace(ADA, grants=())

        nothing: Any = None  # what the stream doesn't ask
        asked = Asked(
            there.desk, nothing, ADA, {}, nothing, there.broadcast, again, query=SinceEvent(after="0")
        )
        told = b"".join([piece async for piece in (await events(asked)).pieces])
        assert (b"RolloutStarted" in told, b"RolloutPaused" in told) == (True, False)


async def test_a_machine_is_told_of_by_the_tags_that_it_has_by_now(tmp_path: Path) -> None:
    """However long the line has lasted."""
    async with office(await reference(), tmp_path, OF_A) as there:
        rollout = there.desk.scope.rollouts[await begun(there, "one")]

        async def again() -> Person:
            return OF_A

        nothing: Any = None
        asked = Asked(there.desk, nothing, OF_A, {}, nothing, there.broadcast, again)
        with there.broadcast.listening() as listener:
            telling = _Telling(asked, "", listener, [])
            assert telling._sight(rollout)[0]
            fleet = there.desk.script.fleet
            moved = tuple(replace(one, tags={}) for one in fleet.machines)
            there.desk.script = replace(there.desk.script, fleet=replace(fleet, machines=moved))
            assert not telling._sight(rollout)[0]


async def test_who_falls_behind_is_cut_off(tmp_path: Path) -> None:
    """Nothing waits for them; they come back by the last id they have."""
    async with office(await reference(), tmp_path) as there:
        broadcast = Broadcast(there.desk, room=3)
        cut: list[bool] = []
        with broadcast.listening() as listener:
            listener.cut = lambda: cut.append(True)
            name = await begun(there, "one")
            await act(there, "pause", name, "k1")
            await act(there, "resume", name, "k2")
            assert (listener.behind, len(listener.waiting), cut) == (True, 0, [True])


async def test_the_line_of_who_is_cut_off_breaks(tmp_path: Path) -> None:
    """Whatever is still on its way: who doesn't read would never see a proper end."""
    async with office(await reference(), tmp_path) as there:
        there.broadcast._room = 0
        async with listening(there) as ear:
            await begun(there, "one")
            with pytest.raises(aiohttp.ClientPayloadError):
                await ear.event()


def test_a_listener_begins_anew_with_room() -> None:
    """As while the past is read."""
    listener, piece = Listener(1), Piece(None, None)  # type: ignore[arg-type]  # whatever it is
    for _ in range(3):
        listener.offer(piece)
    assert listener.behind
    listener.begin_anew()
    listener.offer(piece)
    assert (listener.behind, len(listener.waiting)) == (False, 1)


async def test_nobody_listens_to_the_desk_for_nobody(tmp_path: Path) -> None:
    """The last who leaves ends it, and there are only so many."""
    async with office(await reference(), tmp_path) as there:
        broadcast = Broadcast(there.desk)
        with broadcast.listening():
            assert len(there.desk.house.log._listeners) == 1
        assert there.desk.house.log._listeners == []


async def test_too_many_are_told_to_come_later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before anything is sent."""
    monkeypatch.setattr("orchestrator.web.broadcast.MOST", 0)
    async with office(await reference(), tmp_path) as there:
        assert (await there.get("/events"))[0] == 503
        with pytest.raises(Declined), Broadcast(there.desk).listening():
            pass


async def test_the_server_leaves_without_waiting_for_listeners(tmp_path: Path) -> None:
    """They are told, and come back to the next one."""
    async with office(await reference(), tmp_path) as there, listening(there) as ear:
        hearing = asyncio.create_task(ear.event())
        there.broadcast.close()
        with pytest.raises(EOFError):
            await hearing
