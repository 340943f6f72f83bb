"""`--server`: what a command prints of a daemon is what it prints of the daemon's journal."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from orchestrator.access.model import Role
from tests.desk import office, someone
from tests.simulation.reference import CAMPAIGN, twins
from tests.unit.cli.conftest import Typed
from tests.virtual import Script, script

CLOSED = 'windows: [{start: wed, at: "22:00", for: 6h, time_zone: UTC}]'


@contextmanager
def served(made: Script, folder: Path) -> Iterator[str]:
    """A daemon's API in a thread of its own, with a rollout that waits for Wednesday: its URL.

    Its time runs at twice the pace of ours, so that whoever reads the journal takes the last fact's time for the present, as it does.
    """
    ready, ending = threading.Event(), asyncio.Event()
    loop = asyncio.new_event_loop()
    urls: list[str] = []

    async def serve() -> None:
        async with office(made, folder, someone("grace", Role.VIEWER), scale=2.0) as there:
            rollout = await there.begin()
            await there.until(lambda: any(lane.open for lane in rollout.lanes))
            urls.append(there.url)
            ready.set()
            await ending.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    try:
        assert ready.wait(30)
        yield urls[0]
    finally:
        loop.call_soon_threadsafe(ending.set)
        thread.join(30)
        loop.close()


@pytest.fixture
def made() -> Script:
    """A campaign in which nothing is begun for now."""
    return asyncio.run(script(twins(), CAMPAIGN + CLOSED))


@pytest.fixture
def url(made: Script, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A daemon, and a token for it."""
    monkeypatch.setenv("WAVEKEEPER_TOKEN", "ada")
    with served(made, tmp_path) as there:
        yield there


@pytest.mark.parametrize(
    "words",
    [
        ("status",),
        ("status", "--json"),
        ("status", "month"),
        ("status", "A1"),
        ("status", "A1", "--json"),
        ("status", "--history"),
        ("status", "nonesuch"),
        ("block",),
        ("block", "--json"),
        ("rollback", "month"),
        ("unenrol", "month", "-o", "plan.json"),
        ("compliance", "-i", "fleet.json"),
    ],
    ids=" ".join,
)
def test_both_print_the_same(wavekeeper: Typed, url: str, fleet: str, words: tuple[str, ...]) -> None:
    """To the letter, with the same exit code, errors too."""
    assert fleet == "fleet.json"
    there = wavekeeper(*words, "--server", url)
    here = wavekeeper(*words, "--journal", "journal.db")
    assert (there.code, there.out, there.err) == (here.code, here.out, here.err)
    assert there.out or there.err


def test_verbs_are_carried_out_there(wavekeeper: Typed, url: str) -> None:
    """In the name of the token's person; and seen in the journal."""
    ran = wavekeeper("pause", "--server", url, "--reason", "look first")
    assert (ran.code, ran.out) == (0, "paused by ada: look first\n")
    assert "Paused by ada" in wavekeeper("status", "--journal", "journal.db").out
    ran = wavekeeper("skip", "a1", "--server", url, "--reason", "not this", "--json")
    assert (ran.code, ran.json()["verb"]) == (0, "skip")
    ran = wavekeeper("block", "KB5087423", "--server", url, "--reason", "bad")
    assert "KB5087423 is blocked by ada" in ran.out
    ran = wavekeeper("abort", "--server", url, "--reason", "enough")
    assert ran.code == 0
    ran = wavekeeper("journal", "archive", "--keep-last", "0", "--server", url)
    assert (ran.code, "journal.archive-0001.db: 1 rollout" in ran.out) == (0, True)


@pytest.mark.parametrize("verb", ["verify", "export", "upgrade"])
def test_what_needs_the_file_says_so(wavekeeper: Typed, verb: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """And where to run it; nothing is asked of anybody."""
    monkeypatch.setenv("WAVEKEEPER_SERVER", "https://wavekeeper.example")
    ran = wavekeeper("journal", verb)
    assert (ran.code, ran.out) == (1, "")
    assert f"journal {verb} needs the journal's file" in ran.err
    assert "run it there, with --journal FILE" in ran.err
    assert "none.db: there is no such journal" in wavekeeper("journal", verb, "--journal", "none.db").err


def test_where_it_is_must_be_clear(wavekeeper: Typed, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file or a daemon; and a calendar has the daemon alone."""
    ran = wavekeeper("status", "--journal", "j.db", "--server", "http://127.0.0.1:1")
    assert "give one of them" in ran.err
    assert "say which one with --server URL" in wavekeeper("calendar").err
    monkeypatch.setenv("WAVEKEEPER_SERVER", "https://wavekeeper.example")
    monkeypatch.setenv("WAVEKEEPER_JOURNAL", "j.db")
    assert "are both set" in wavekeeper("status").err
    assert "j.db" in wavekeeper("status", "--journal", "j.db").err


def test_a_token_is_not_sent_in_clear(wavekeeper: Typed, monkeypatch: pytest.MonkeyPatch) -> None:
    """Over plain http it goes nowhere but to this machine."""
    monkeypatch.setenv("WAVEKEEPER_TOKEN", "sesame")
    ran = wavekeeper("status", "--server", "http://wavekeeper.example")
    assert (ran.code, "use https" in ran.err, "sesame" in ran.err) == (1, True, False)


def test_a_rollout_is_handed_over_only_as_it_was_reviewed(
    wavekeeper: Typed, monkeypatch: pytest.MonkeyPatch, plan: str
) -> None:
    """Each thing that a daemon can't take from here is named."""
    monkeypatch.setenv("WAVEKEEPER_SERVER", "http://127.0.0.1:1")
    ran = wavekeeper("rollout", "-i", "fleet.json", "-p", "rules")
    assert "a daemon is given reviewed plans" in ran.err
    ran = wavekeeper("rollout", plan, "--endpoint", "http://127.0.0.1:2", "--accept-drift")
    assert "leave --endpoint and --accept-drift away" in ran.err
    assert "say why" in wavekeeper("rollout", plan).err
    ran = wavekeeper("enrol", "-s", "11111111-aaaa-4aaa-8aaa-000000000001")
    assert "hand it over: wavekeeper rollout FILE --server" in ran.err
