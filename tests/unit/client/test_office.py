"""A daemon answers as its journal would: each question is asked of both, of one and the same state."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib.metadata import version
from pathlib import Path

import pytest

from orchestrator.access.model import Role
from orchestrator.client.credentials import from_environment
from orchestrator.client.office import ServerOffice
from orchestrator.errors import Refused, ServerError, UsageError
from orchestrator.rollout.retention import Retention
from orchestrator.service.office import OfMachine, OfRollout, OfSeveral
from orchestrator.web.models import Coming
from orchestrator.wiring.office import JournalOffice
from tests.desk import Office, office, someone
from tests.fakes.daemons import fake_daemon, meeting, problem, said
from tests.simulation.reference import CAMPAIGN, twins
from tests.virtual import START, Script, script

CLOSED = 'windows: [{start: wed, at: "22:00", for: 6h, time_zone: UTC}]'
NOON = START + timedelta(hours=11)


@dataclass(frozen=True)
class Stopped:
    """A clock that stands, so that both are asked at one moment."""

    scale: float = 1.0

    def now(self) -> datetime:
        """Always this."""
        return NOON

    async def sleep(self, _: float) -> None:
        """Nobody does."""


@dataclass
class Both:
    """One state, and both who tell of it."""

    there: Office
    server: ServerOffice
    journal: JournalOffice


@asynccontextmanager
async def both(made: Script, folder: Path, who: str = "ada") -> AsyncIterator[Both]:
    """An office whose rollouts stand still: nothing may begin before Wednesday."""
    async with (
        office(made, folder, someone("grace"), someone("olga", Role.OPERATOR, "weekly")) as there,
        meeting(there.url, from_environment(who)) as met,
    ):
        there.desk.clock = Stopped()  # type: ignore[assignment]  # all that is asked of it
        server = ServerOffice(met.connection, version("wavekeeper"))
        yield Both(there, server, JournalOffice(folder / "journal.db", clock=Stopped()))


async def closed(name: str = "monthly", whom: str = 'select: {names: "*"}') -> Script:
    """A campaign in which nothing is begun for now."""
    policy = CAMPAIGN.replace("name: monthly", f"name: {name}").replace('select: {names: "*"}', whom)
    return await script(twins(), policy + CLOSED)


@pytest.fixture
async def of(tmp_path: Path) -> AsyncIterator[Both]:
    """Both, with a rollout that waits."""
    async with both(await closed(), tmp_path) as made:
        await begun(made.there)
        yield made


async def begun(there: Office, made: Script | None = None) -> None:
    """A rollout that has looked at everything, and waits for its window."""
    rollout = await there.begin(made)
    await there.until(lambda: any(lane.open for lane in rollout.lanes))


async def test_status_is_the_same(of: Both) -> None:
    """Of what goes on, of a rollout by a beginning of its id, of a machine."""
    told = await of.server.whereabouts(None)
    assert isinstance(told, OfRollout)
    assert told == await of.journal.whereabouts(None)
    assert told == await of.server.whereabouts("month")
    machine = await of.server.whereabouts("A1")
    assert isinstance(machine, OfMachine)
    assert machine == await of.journal.whereabouts("A1")


async def test_several_are_told_alike(tmp_path: Path) -> None:
    """Each in its place."""
    first = await closed("one", "select: {tags: {app: a}}")
    async with both(first, tmp_path) as of:
        for made in (first, await closed("two", "select: {tags: {app: b}}")):
            await begun(of.there, made)
        told = await of.server.whereabouts(None)
        assert isinstance(told, OfSeveral)
        assert len(told.rollouts) == 2
        assert told == await of.journal.whereabouts(None)


async def test_a_story_is_the_same(of: Both) -> None:
    """Fact for fact."""
    told = await of.server.story(None)
    assert str(told[0]).endswith("started by schedule")
    assert told == await of.journal.story(None)


async def test_what_is_not_there_is_refused_alike(of: Both) -> None:
    """In the same words, by the same error."""
    for name in ("nonesuch", "web-99"):
        with pytest.raises(UsageError) as there:
            await of.server.whereabouts(name)
        with pytest.raises(UsageError) as here:
            await of.journal.whereabouts(name)
        assert str(there.value) == str(here.value)
    for asked in (of.server, of.journal):
        with pytest.raises(UsageError, match="wrote no settings"):
            await asked.enrolled("monthly")
        with pytest.raises(Refused, match="has installed nothing that can be taken back"):
            await asked.installed("monthly", None)
        with pytest.raises(Refused, match="has installed no KB5087423"):
            await asked.installed("monthly", ("5087423",))


async def test_a_verb_is_carried_out_by_the_person(of: Both) -> None:
    """By the name of their token, whatever this machine's user is called; and told in the journal's words."""
    done = await of.server.carry_out("pause", None, "look first")
    assert done.facts == ("paused by ada: look first",)
    assert done.driven
    with pytest.raises(Refused, match="paused"):
        await of.server.carry_out("pause", "monthly", "again")
    done = await of.server.carry_out("skip", "A1", "not this one")
    assert done.facts[0].startswith("a1")
    assert [one.who for one in await of.journal.story(None) if one.sentence.startswith("paused")] == ["ada"]


async def test_why_is_wanted_before_anything_is_asked(of: Both) -> None:
    """Of whom nobody can ask later."""
    with pytest.raises(UsageError, match="say why"):
        await of.server.carry_out("pause", None, " ")


async def test_an_update_is_blocked_and_let_in(of: Both) -> None:
    """And told alike by both."""
    done = await of.server.block("block", "5087423", "it breaks the shop")
    assert [str(one).partition(" since")[0] for one in done.blocked] == ["KB5087423 is blocked by ada"]
    assert done.going_on == tuple(of.there.desk.scope.rollouts)
    assert await of.server.blocked() == await of.journal.blocked() == done.blocked
    with pytest.raises(Refused, match="KB5087423 is blocked by ada"):
        await of.server.block("block", "5087423", "again")
    assert (await of.server.block("unblock", "5087423", "mended")).blocked == ()


async def test_machines_are_held_and_let_go(of: Both) -> None:
    """Whom it means is looked up in the daemon's fleet; both tell of it alike."""
    number, standing = await of.server.hold("name=a1", "6h", "a disk is replaced")
    assert [(one.id, one.who, one.select) for one in standing] == [(number, "ada", "name=a1")]
    assert [one.rsplit("/", 1)[-1] for one in standing[0].matched] == ["a1"]
    assert await of.server.holds() == await of.journal.holds() == standing
    with pytest.raises(UsageError, match="leave --inventory and --subscription away"):
        await of.server.hold("name=a1", "6h", "why", of.there.desk.script.fleet)
    assert await of.server.unhold(number, "it is in") == ()


async def test_the_past_is_the_same(of: Both) -> None:
    """For compliance, at any moment."""
    told = await of.server.past(NOON, timedelta(days=30))
    assert told == await of.journal.past(NOON, timedelta(days=30))
    assert told.rollouts == 1


async def test_what_is_over_is_told_alike_and_archived(of: Both) -> None:
    """Though the daemon keeps but its end."""
    name = (await of.server.target("", None)).rollout
    await of.server.carry_out("abort", None, "enough")
    await of.there.until(lambda: name in of.there.desk.scope.ended)
    assert await of.server.whereabouts(name) == await of.journal.whereabouts(name)
    assert await of.server.whereabouts("a1") == await of.journal.whereabouts("a1")
    assert await of.server.story("a1") == await of.journal.story("a1")
    standing = await of.server.standing(name)
    assert (standing.rests, standing.code) == (True, 5)
    assert name in of.there.desk.scope.ended
    with pytest.raises(UsageError, match="--to is a file of this machine"):
        await of.server.archive(Retention(), Path("there.db"))
    went = await of.server.archive(Retention(), None)
    assert went.rollouts == (name,)
    assert went.archive.endswith("journal.archive-0001.db")
    assert await of.server.whereabouts(name) == await of.journal.whereabouts(name)


async def test_a_plan_is_handed_over(tmp_path: Path) -> None:
    """Once, however often; the second time nothing is written."""
    made = await closed()
    async with both(made, tmp_path) as of:
        done = await of.server.hand_over(made.plan, "it is reviewed")
        assert done.facts[0] == "started by ada: it is reviewed"
        again = await of.server.hand_over(made.plan, "it is reviewed")
        assert (again.rollout, again.facts) == (done.rollout, ())
        with pytest.raises(UsageError, match="plan"):
            await of.server.hand_over(b"{}", "no plan")


async def test_the_calendar_is_told(of: Both) -> None:
    """As the daemon keeps it."""
    of.there.desk.coming = (Coming("monthly", act=True, next=NOON), Coming("weekly", act=False, next=None))
    assert await of.server.calendar() == of.there.desk.coming


async def test_who_one_is(of: Both) -> None:
    """As the daemon knows it by the token."""
    assert "pause" in (await of.server.me()).verbs


async def test_what_one_may_not_is_said_with_the_reason(tmp_path: Path) -> None:
    """And what one may not see isn't there."""
    async with both(await closed(), tmp_path, "grace") as of:
        await of.there.begin()
        with pytest.raises(ServerError, match="says no: `pause` takes the role operator"):
            await of.server.carry_out("pause", None, "look")
        with pytest.raises(ServerError, match="says no: `block` takes"):
            await of.server.block("block", "5087423", "bad")
        with pytest.raises(ServerError, match="says no: `archive` takes"):
            await of.server.archive(Retention(), None)
        of.server.connection.credential = from_environment("olga")
        with pytest.raises(UsageError, match="this journal knows no rollout yet"):
            await of.server.whereabouts(None)


async def test_another_version_is_named() -> None:
    """Where its answers can't be read, and where it doesn't know what is asked."""
    unread = "that daemon is Wavekeeper 2.0, and this is Wavekeeper 1.0: use the version of the daemon"
    for answer, error in (
        (said({"new": 1}, Wavekeeper_Version="2.0"), ServerError),
        (problem("not-found", 404, "there is nothing here", Wavekeeper_Version="2.0"), UsageError),
    ):
        async with fake_daemon(answer) as daemon, meeting(daemon.url) as met:
            with pytest.raises(error, match=unread):
                await ServerOffice(met.connection, "1.0").whereabouts(None)
    same = problem("not-found", 404, "there is no r9", Wavekeeper_Version="1.0")
    async with fake_daemon(same) as daemon, meeting(daemon.url) as met:
        with pytest.raises(UsageError, match=r"^there is no r9$"):
            await ServerOffice(met.connection, "1.0").whereabouts(None)
