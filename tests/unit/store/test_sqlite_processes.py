"""Several processes at one journal: who may write, what a kill leaves, who reads meanwhile."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from orchestrator.errors import JournalError
from orchestrator.store.port import Letter
from orchestrator.store.sqlite import SqliteJournal

pytestmark = pytest.mark.process

NOW = datetime(2026, 11, 22, 1, 0, tzinfo=UTC)

PREAMBLE = """
import asyncio, sys
from datetime import UTC, datetime
from pathlib import Path
from orchestrator.errors import JournalError, StaleLease
from orchestrator.store.port import Letter
from orchestrator.store.sqlite import SqliteJournal

PATH, NOW = Path(sys.argv[1]), datetime(2026, 11, 22, 1, 0, tzinfo=UTC)

def say(*words): print(*words, flush=True)
def wait(): return sys.stdin.readline()

"""

HOLD = """
async def main():
    journal = await SqliteJournal.open(PATH)
    say(await journal.acquire("child", NOW))
    wait()
"""

SLEEP_THEN_APPEND = """
async def main():
    journal = await SqliteJournal.open(PATH)
    say(await journal.acquire("child", NOW))
    wait()
    try:
        await journal.append(0, "r", NOW, b"late")
    except StaleLease as error:
        say(error)
"""

APPEND_FOR_EVER = """
async def main():
    journal = await SqliteJournal.open(PATH)
    await journal.acquire("child", NOW)
    seq = 0
    while True:
        pending = [journal.append(seq + n, "r", NOW, b"%d" % (seq + n + 1)) for n in range(5)]
        say((await asyncio.gather(*pending))[-1])
        seq += 5
"""

READ_AND_POST = """
async def main():
    journal = await SqliteJournal.read_only(PATH)
    poster = await SqliteJournal.open(PATH, create=False)
    last = 0
    while last < 300:
        seen = [row.seq async for row in journal.read()]
        assert seen == list(range(1, len(seen) + 1)), seen
        assert len(seen) >= last, (len(seen), last)
        last = len(seen)
        await poster.post(Letter(f"seen {last}", NOW, "child", b""))
    say("done")
"""

LOOK_AND_LEAVE = """
async def main():
    journal = await SqliteJournal.open(PATH)
    say(len([row async for row in journal.read()]))
    await journal.close()
"""

TAKE_TURNS = """
async def main():
    journal = await SqliteJournal.open(PATH)
    say("ready")
    wait()
    done = refused = 0
    while done < 10:
        try:
            await journal.acquire("child", NOW)
        except JournalError:
            refused += 1
            await asyncio.sleep(0)
            continue
        seen = [row.seq async for row in journal.read()]
        await journal.append(len(seen), "r", NOW, b"x")
        await journal.release()
        done += 1
    await journal.close()
    say(refused)
"""

Start = Callable[[str], "subprocess.Popen[str]"]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the journal is to be."""
    return tmp_path / "journal.db"


@pytest.fixture
def start(path: Path) -> Iterator[Start]:
    """Start a process that runs `main` of a program; all are gone when the test ends."""
    children: list[subprocess.Popen[str]] = []

    def start_one(program: str) -> subprocess.Popen[str]:
        child = subprocess.Popen(
            [sys.executable, "-c", f"{PREAMBLE}{program}\nasyncio.run(main())", str(path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        children.append(child)
        return child

    yield start_one
    for child in children:
        child.kill()
        child.communicate()


def line(child: subprocess.Popen[str]) -> str:
    """The next line that the child says."""
    assert child.stdout is not None
    return child.stdout.readline().strip()


def tell(child: subprocess.Popen[str]) -> None:
    """Let the child go on."""
    assert child.stdin is not None
    child.stdin.write("\n")
    child.stdin.flush()


async def count(journal: SqliteJournal) -> int:
    """How many rows there are."""
    return len([row async for row in journal.read()])


async def test_a_second_process_is_refused_until_the_first_is_killed(path: Path, start: Start) -> None:
    """The refusal names the process; `kill -9` frees the lock though its file still has the dead one's name in it."""
    child = start(HOLD)
    assert line(child) == "1"
    journal = await SqliteJournal.open(path)
    with pytest.raises(JournalError, match=f"child, process {child.pid} on "):
        await journal.acquire("ann", NOW)
    held = await journal.writer()
    assert held is not None
    assert (held.who, held.pid, held.since) == ("child", child.pid, NOW)

    child.send_signal(signal.SIGKILL)
    child.wait()
    assert str(child.pid) in path.with_name("journal.db.lock").read_text()
    assert await journal.writer() is None
    assert await journal.acquire("ann", NOW) == 2
    await journal.close()


async def test_a_killed_writer_loses_nothing_that_it_was_told(path: Path, start: Start) -> None:
    """Every append that returned is there after a `kill -9`, in order; the next writer goes on after the last row."""
    child = start(APPEND_FOR_EVER)
    told = 0
    while told < 200:
        told = int(line(child))
    child.send_signal(signal.SIGKILL)
    assert child.stdout is not None
    told = max([told, *(int(word) for word in child.stdout.read().split("\n")[:-1])])

    looker = await SqliteJournal.read_only(path)  # the first to open it since, and to look only
    rows = [row async for row in looker.read()]
    await looker.close()
    assert [(row.seq, row.body) for row in rows] == [(n, b"%d" % n) for n in range(1, len(rows) + 1)]
    assert len(rows) >= told
    journal = await SqliteJournal.open(path)
    assert await journal.acquire("ann", NOW) == 2
    assert await journal.append(len(rows), "r", NOW, b"next") == len(rows) + 1
    await journal.close()


async def test_others_read_and_post_while_one_writes(path: Path, start: Start) -> None:
    """A reader sees a log without a hole that only grows; its letters arrive; neither stops the other."""
    journal = await SqliteJournal.open(path)
    await journal.acquire("ann", NOW)
    child = start(READ_AND_POST)
    seq = 0
    while child.poll() is None and seq < 20_000:
        if seq < 300 or seq % 100 == 0:
            await journal.append(seq, "r", NOW, b"x" * 200)
            seq += 1
        taken = await journal.inbox()
        if taken:
            await journal.append(seq, "r", NOW, b"taken", letters=[letter.id for letter in taken])
            seq += 1
    assert line(child) == "done"
    assert child.wait() == 0
    assert await journal.writer() is not None
    await journal.close()


async def test_looking_on_within_the_writers_process_keeps_its_file_safe(path: Path, start: Start) -> None:
    """A second journal opened and closed in this process mustn't drop the first one's locks.

    If it did, the other process below would take itself for the last user of the file, fold the write-ahead log into
    it and remove that, while the writer goes on writing to what is no longer there.
    """
    journal = await SqliteJournal.open(path)
    await journal.acquire("ann", NOW)
    await journal.append(0, "r", NOW, b"1")
    for again in (SqliteJournal.open(path), SqliteJournal.read_only(path)):
        await (await again).close()
    log = path.with_name("journal.db-wal")
    inode = log.stat().st_ino

    assert line(start(LOOK_AND_LEAVE)) == "1"
    assert log.stat().st_ino == inode
    await journal.append(1, "r", NOW, b"2")
    assert line(start(LOOK_AND_LEAVE)) == "2"
    await journal.close()


async def test_processes_that_take_turns_leave_no_hole(path: Path, start: Start) -> None:
    """Three that fight for the lock get one row each turn, each turn an epoch."""
    children = [start(TAKE_TURNS) for _ in range(3)]
    assert [line(child) for child in children] == ["ready"] * 3
    for child in children:
        tell(child)
    assert [child.wait() for child in children] == [0, 0, 0]
    journal = await SqliteJournal.read_only(path)
    rows = [(row.seq, row.epoch) async for row in journal.read()]
    assert rows == [(n, n) for n in range(1, 31)]
    assert await journal.writer() is None
    await journal.close()


async def test_a_process_that_lost_its_lock_is_fenced_when_it_wakes(path: Path, start: Start) -> None:
    """Somebody removed the lock's file while its holder slept; the new writer's epoch keeps the old one out."""
    child = start(SLEEP_THEN_APPEND)
    assert line(child) == "1"
    path.with_name("journal.db.lock").unlink()
    journal = await SqliteJournal.open(path)
    assert await journal.acquire("ann", NOW) == 2
    tell(child)
    assert line(child) == f"{path}: another process became the writer (epoch 2, this one's is 1)"
    assert await count(journal) == 0
    assert await journal.append(0, "r", NOW, b"x") == 1
    await journal.close()


async def test_letters_reach_the_writer_of_another_process(path: Path, start: Start) -> None:
    """A command typed in another terminal waits where the writer looks."""
    child = start(HOLD)
    line(child)
    poster = await SqliteJournal.open(path, create=False)
    await poster.post(Letter("pause-1", NOW, "ben", b'{"verb":"pause"}'))
    assert [letter.id for letter in await poster.inbox()] == ["pause-1"]
    await poster.close()
