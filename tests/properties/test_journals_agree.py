"""Never: the journal in memory promises what the one on disk doesn't keep, or the other way round.

Simulations run on the first, rollouts on the second. So any sequence of calls by two processes must have the same
outcomes on both.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.errors import WavekeeperError
from orchestrator.store.memory import MemoryDisk, MemoryJournal
from orchestrator.store.port import Journal, Letter
from orchestrator.store.sqlite import SqliteJournal

NOW = datetime(2026, 11, 22, 1, 0, tzinfo=UTC)
WHO = st.integers(0, 1)
LETTERS = st.sampled_from("ab")
CALLS = st.one_of(
    st.tuples(st.just("acquire"), WHO),
    st.tuples(st.just("release"), WHO),
    st.tuples(st.just("append"), WHO, st.integers(-1, 1), st.lists(LETTERS, unique=True), st.booleans()),
    st.tuples(st.just("post"), WHO, LETTERS),
    st.tuples(st.just("read"), WHO, st.integers(0, 3)),
    st.tuples(st.just("look"), WHO),
    st.tuples(st.just("steal"), WHO),
)


async def do(journal: Journal, end: int, call: Sequence[Any]) -> Any:
    """Make one call; its outcome as a value that doesn't tell which journal it was."""
    match call:
        case "acquire", who:
            return await journal.acquire(str(who), NOW)
        case "release", _:
            return await journal.release()
        case "append", who, off, letters, document:
            documents = {f"d{end}": b"plan"} if document else None
            body = f"{who} after {end}".encode()
            return await journal.append(
                max(0, end + off), "r", NOW, body, documents=documents, letters=letters
            )
        case "post", who, name:
            return await journal.post(Letter(name, NOW, str(who), b"{}"))
        case "read", _, after:
            return [row async for row in journal.read(after)]
        case _:
            held = await journal.writer()
            return (
                held and (held.who, held.pid),
                await journal.inbox(),
                await journal.document(f"d{end - 1}"),
            )


async def outcomes(pair: Sequence[Journal], steal: Any, calls: Sequence[Any]) -> list[Any]:
    """What each call came to: its result, or the kind of its error."""
    found: list[Any] = []
    for call in calls:
        if call[0] == "steal":
            steal()
            continue
        end = len([row async for row in pair[0].read()])
        try:
            found.append(await do(pair[call[1]], end, call))
        except WavekeeperError as error:
            found.append(type(error))
    found.append([row async for row in pair[1].read()])
    for journal in pair:
        await journal.close()
    return found


async def both(folder: Path, calls: Sequence[Any]) -> tuple[list[Any], list[Any]]:
    """The outcomes in memory and on disk."""
    disk = MemoryDisk()
    path = folder / "journal.db"

    def forget_holder() -> None:
        disk.scopes["default"].holder = None

    def remove_lock() -> None:
        with suppress(FileNotFoundError):
            path.with_name("journal.db.lock").unlink()

    on_disk = [await SqliteJournal.open(path, inline=True) for _ in range(2)]
    in_memory = [MemoryJournal(disk) for _ in range(2)]
    return await outcomes(in_memory, forget_holder, calls), await outcomes(on_disk, remove_lock, calls)


@settings(max_examples=60, deadline=None)
@given(st.lists(CALLS, max_size=25))
async def test_the_same_calls_have_the_same_outcomes(calls: list[Any]) -> None:
    """Rows, epochs, letters, documents, refusals: on both the same."""
    with TemporaryDirectory() as folder:
        in_memory, on_disk = await both(Path(folder), calls)
    assert in_memory == on_disk
