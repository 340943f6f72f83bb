"""A rollout on a daemon, shown as it happens."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from orchestrator.cli import handing_over
from orchestrator.cli.handing_over import HandingOver, follow, hand_over
from orchestrator.cli.place import Place
from orchestrator.errors import Busy, Refused, ServerError
from orchestrator.service.happenings import Happening
from orchestrator.service.office import Standing
from orchestrator.service.status import status
from orchestrator.web.models import Done
from tests.builders import lane, plan_of
from tests.diary import NOON, Diary
from tests.simulation.reference import reference

AT = datetime(2026, 11, 29, 12, tzinfo=UTC)


def happening(seq: int, sentence: str, *, quiet: bool = False) -> Happening:
    """One thing that happened."""
    return Happening(seq, 0, "", "r1", AT, "", sentence, (), "", quiet)


def standing(*, rests: bool, code: int) -> Standing:
    """How it stands."""
    diary = Diary(plan_of(lane("west", "a b")))
    return Standing(status(diary.scope, diary.rollout, NOON), rests, code)


@dataclass
class Opened:
    """A stream that is there at once."""

    since: int
    connected: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass
class FakeOffice:
    """A daemon that stands like this the first time it is asked, and like that from then on."""

    standings: list[Standing]
    news: list[Happening | ServerError]
    busy: int = 0
    facts: tuple[str, ...] = ("started",)
    since: list[int] = field(default_factory=list)
    heard: asyncio.Event = field(default_factory=asyncio.Event)

    async def hand_over(self, plan: bytes, reason: str, emergency: str) -> Done:
        """Refused so often as another has the machines."""
        if self.busy:
            self.busy -= 1
            raise Busy("8 machines are in r0", rollout="")
        return Done(7, "r1", AT, self.facts)

    async def standing(self, _: str) -> Standing:
        """The next one, once everything is heard."""
        if len(self.standings) > 1:
            return self.standings.pop(0)
        await self.heard.wait()
        return self.standings[0]

    def stream(self, _: str, since: int) -> Opened:
        """From there on."""
        self.since.append(since)
        return Opened(since)

    async def happenings(self, stream: Opened) -> AsyncIterator[Happening]:
        """What comes; then nothing any more."""
        stream.connected.set()
        for one in self.news:
            if isinstance(one, ServerError):
                raise one
            yield one
        self.heard.set()
        await asyncio.Event().wait()


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits."""
    for name in ("LOOK_EVERY_S", "LOOK_ANYWAY_S", "LAST_WORDS_S", "TRY_EVERY_S"):
        monkeypatch.setattr(handing_over, name, 0.01)


def there_is(monkeypatch: pytest.MonkeyPatch, office: FakeOffice) -> None:
    """Every place has that daemon."""
    monkeypatch.setattr(Place, "daemon", lambda _: nullcontext(office))


async def test_it_is_shown_until_it_rests(capsys: pytest.CaptureFixture[str]) -> None:
    """Each thing that tells something, in order; then the answers, and the exit code that it has."""
    goes_on = standing(rests=False, code=6)
    news = [happening(1, "started"), happening(2, "a: granted", quiet=True), happening(3, "finished")]
    there: Any = FakeOffice([goes_on, goes_on, standing(rests=True, code=7)], [*news])
    assert await follow(there, "r1", 0, verbose=False, as_json=False) == 7
    told = capsys.readouterr().out
    assert told.startswith("2026-11-29 12:00:00  started\n2026-11-29 12:00:00  finished\n")
    assert "You may now:" in told


async def test_everything_is_told_to_who_wants_it(capsys: pytest.CaptureFixture[str]) -> None:
    """Beside the JSON, which is alone on its stream."""
    there: Any = FakeOffice(
        [standing(rests=False, code=6), standing(rests=True, code=0)],
        [happening(2, "a: granted", quiet=True)],
    )
    assert await follow(there, "r1", 0, verbose=True, as_json=True) == 0
    said = capsys.readouterr()
    assert said.out.startswith("{")
    assert said.err == "2026-11-29 12:00:00  a: granted\n"


async def test_a_daemon_that_stays_away_ends_it() -> None:
    """With why; what was heard before was told."""
    goes_on = standing(rests=False, code=6)
    there: Any = FakeOffice([goes_on] * 20, [happening(1, "started"), ServerError("it stays away")])
    with pytest.raises(ServerError, match="it stays away"):
        await follow(there, "r1", 0, verbose=False, as_json=False)


async def test_a_plan_waits_where_it_is_asked_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Until no other rollout has its machines; and is told from its very beginning then."""
    (tmp_path / "plan.json").write_bytes(b"{}")
    there: Any = FakeOffice([standing(rests=True, code=0)], [], busy=3)
    there.heard.set()
    there_is(monkeypatch, there)
    wanted = HandingOver(tmp_path / "plan.json", "reviewed", queue=True, verbose=False, as_json=False)
    assert await hand_over(wanted, Place(tmp_path, named=True)) == 0
    assert there.since == [6]
    assert capsys.readouterr().err.count("queued: 8 machines are in r0") == 1
    there.busy = 1
    with pytest.raises(Busy):
        await hand_over(replace(wanted, queue=False), Place(tmp_path, named=True))


async def test_an_emergency_is_named_and_agreed_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Before anything is sent; and of what goes on already, it is declared by a command of its own."""
    (tmp_path / "plan.json").write_bytes((await reference()).plan)
    calm: Any = FakeOffice([standing(rests=True, code=0)], [], facts=())
    calm.heard.set()
    there = Place(tmp_path, named=True)
    there_is(monkeypatch, calm)
    wanted = HandingOver(
        tmp_path / "plan.json", "now", queue=False, verbose=False, as_json=False, emergency="it is exploited"
    )
    with pytest.raises(Refused, match="nobody is here to say yes"):
        await hand_over(wanted, there)
    assert "EMERGENCY: it is exploited" in capsys.readouterr().err
    with pytest.raises(Refused, match="say it of that: wavekeeper emergency r1"):
        await hand_over(replace(wanted, yes=True), there)
