"""What every journal promises, whatever it is kept in. A new adapter is one more entry in `KINDS`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from orchestrator.errors import Defect, JournalError, StaleLease
from orchestrator.store.memory import MemoryDisk, MemoryJournal
from orchestrator.store.port import Journal, Letter, Moving, Row, Snapshot
from orchestrator.store.sqlite import SqliteJournal

NOW = datetime(2026, 11, 22, 1, 0, tzinfo=UTC)


@dataclass
class Place:
    """Somewhere to keep a journal. `steal` takes the lock from under its holder, who doesn't notice."""

    make: Callable[[str], Awaitable[Journal]]
    steal: Callable[[], None]
    name_of: Callable[[str], str]
    make_archive: Callable[[str], Awaitable[Journal]]
    opened: list[Journal] = field(default_factory=list)

    async def open(self, scope: str = "default") -> Journal:
        """Another process's view of the place; closed when the test ends."""
        journal = await self.make(scope)
        self.opened.append(journal)
        return journal

    async def open_archive(self, name: str) -> Journal:
        """An archive of the place."""
        journal = await self.make_archive(name)
        self.opened.append(journal)
        return journal

    async def writer(self, who: str = "ann") -> Journal:
        """The same, as the writer."""
        journal = await self.open()
        await journal.acquire(who, NOW)
        return journal


def memory(_folder: Path) -> Place:
    """A disk in memory."""
    disk = MemoryDisk()

    async def make(scope: str) -> Journal:
        return MemoryJournal(disk, scope)

    def steal() -> None:
        disk.scopes["default"].holder = None

    async def make_archive(name: str) -> Journal:
        return MemoryJournal(disk.archives[name])

    return Place(make, steal, str, make_archive)


def sqlite(folder: Path, *, inline: bool) -> Place:
    """A file in `folder`."""
    path = folder / "journal.db"

    async def make(scope: str) -> Journal:
        return await SqliteJournal.open(path, scope, inline=inline)

    async def make_archive(name: str) -> Journal:
        return await SqliteJournal.read_only(Path(name), inline=inline)

    return Place(
        make,
        path.with_name("journal.db.lock").unlink,
        lambda name: str(folder / f"{name}.db"),
        make_archive,
    )


KINDS: dict[str, Callable[[Path], Place]] = {
    "memory": memory,
    "sqlite": lambda folder: sqlite(folder, inline=False),
    "sqlite-inline": lambda folder: sqlite(folder, inline=True),
}


@pytest.fixture(params=sorted(KINDS))
async def place(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Place]:
    """One place of each kind."""
    kept = KINDS[request.param](tmp_path)
    yield kept
    for journal in reversed(kept.opened):
        await journal.close()


async def rows(journal: Journal, after: int = 0) -> list[Row]:
    """All rows, read to the end."""
    return [row async for row in journal.read(after)]


def letter(name: str, at: datetime = NOW) -> Letter:
    """A letter that says little."""
    return Letter(name, at, "ben", b'{"verb":"pause"}')


# The log


async def test_a_new_journal_is_empty(place: Place) -> None:
    """Nothing was decided, nobody writes, nobody asked for anything."""
    journal = await place.open()
    assert (await rows(journal), await journal.inbox(), await journal.writer()) == ([], (), None)


async def test_what_was_appended_is_read_back(place: Place) -> None:
    """Rows come back in order, numbered from 1, byte for byte, with their times in UTC to the microsecond."""
    journal = await place.writer()
    late = (NOW + timedelta(microseconds=1)).astimezone(timezone(timedelta(hours=2)))
    assert await journal.append(0, "monthly", NOW, b"\x00first") == 1
    assert await journal.append(1, "Größe 2", late, b"") == 2
    assert await rows(journal) == [
        Row(1, 1, "monthly", NOW, b"\x00first"),
        Row(2, 1, "Größe 2", late.astimezone(UTC), b""),
    ]
    assert (await rows(journal))[1].at.tzinfo is UTC


async def test_a_journal_outlives_the_object(place: Place) -> None:
    """Another process finds rows, letters and documents as they were left."""
    first = await place.writer()
    await first.post(letter("waits"))
    await first.append(0, "monthly", NOW, b"1", documents={"d": b"plan"})
    await first.close()
    second = await place.open()
    assert [row.body for row in await rows(second)] == [b"1"]
    assert await second.inbox() == (letter("waits"),)
    assert await second.document("d") == b"plan"


async def test_reading_begins_after_a_row(place: Place) -> None:
    """`after` leaves out what is known already; beyond the end there is nothing."""
    journal = await place.writer()
    for seq in range(4):
        await journal.append(seq, "r", NOW, b"%d" % seq)
    found = [[row.seq for row in await rows(journal, after)] for after in (0, 2, 4, 9)]
    assert found == [[1, 2, 3, 4], [3, 4], [], []]


async def test_a_long_log_is_read_whole_and_in_order(place: Place) -> None:
    """More rows than any adapter reads at once, in order and without a hole."""
    journal = await place.writer()
    await asyncio.gather(*(journal.append(seq, "r", NOW, b"x") for seq in range(1_100)))
    assert [row.seq for row in await rows(journal)] == list(range(1, 1_101))


async def test_large_rows_are_read_whole(place: Place) -> None:
    """Rows of megabytes are as good as small ones."""
    journal = await place.writer()
    for seq in range(3):
        await journal.append(seq, "r", NOW, b"%d" % seq * 3_000_000)
    assert [row.body[:1] * 3_000_000 == row.body for row in await rows(journal)] == [True] * 3


async def test_rows_appended_while_reading_are_read_too(place: Place) -> None:
    """Who reads while another writes gets a log without a hole, up to a row that was there."""
    journal, reader = await place.writer(), await place.open()
    await asyncio.gather(*(journal.append(seq, "r", NOW, b"x") for seq in range(1_050)))
    seen = []
    async for row in reader.read():
        if row.seq == 1:
            await journal.append(1_050, "r", NOW, b"x")
        seen.append(row.seq)
    assert seen == list(range(1, 1_052))


@pytest.mark.parametrize("expected", [0, 1, 3, 99])
async def test_an_append_that_counts_on_another_end_is_refused(place: Place, expected: int) -> None:
    """A decision made on a log that isn't this one changes nothing: no row, no document, no letter taken."""
    journal = await place.writer()
    await journal.append(0, "r", NOW, b"1")
    await journal.append(1, "r", NOW, b"2")
    await journal.post(letter("waits"))
    with pytest.raises(StaleLease, match=f"row {expected + 1} can't follow row 2"):
        await journal.append(expected, "r", NOW, b"3", documents={"d": b""}, letters=["waits"])
    assert len(await rows(journal)) == 2
    assert await journal.inbox() == (letter("waits"),)
    with pytest.raises(JournalError):
        await journal.document("d")


async def test_a_time_without_a_zone_is_refused(place: Place) -> None:
    """A naive time means something else on every machine; it is a mistake in the code."""
    journal = await place.writer()
    with pytest.raises(TypeError):
        await journal.append(0, "r", NOW.replace(tzinfo=None), b"1")
    assert await rows(journal) == []


# Appends that are queued


async def test_appends_may_be_queued(place: Place) -> None:
    """Each counts on those before it, though none was awaited; each is told its own number."""
    journal = await place.writer()
    numbers = await asyncio.gather(*(journal.append(seq, "r", NOW, b"%d" % seq) for seq in range(100)))
    assert numbers == list(range(1, 101))
    assert [row.body for row in await rows(journal)] == [b"%d" % seq for seq in range(100)]


async def test_when_a_queued_append_fails_so_do_those_that_count_on_it(place: Place) -> None:
    """No row stands on one that was refused, and what doesn't count on it is appended."""
    journal = await place.writer()
    outcomes = await asyncio.gather(
        journal.append(0, "r", NOW, b"first"),
        journal.append(1, "r", NOW, b"refused", letters=["nobody wrote this"]),
        journal.append(2, "r", NOW, b"on top of it"),
        journal.append(1, "r", NOW, b"not on top of it"),
        return_exceptions=True,
    )
    assert [o if isinstance(o, int) else type(o) for o in outcomes] == [1, Defect, StaleLease, 2]
    assert [row.body for row in await rows(journal)] == [b"first", b"not on top of it"]


# One writer


async def test_only_the_writer_appends(place: Place) -> None:
    """Neither before the scope was acquired nor after it was released."""
    journal = await place.open()
    with pytest.raises(StaleLease):
        await journal.append(0, "r", NOW, b"1")
    await journal.acquire("ann", NOW)
    await journal.release()
    with pytest.raises(StaleLease):
        await journal.append(0, "r", NOW, b"1")
    assert await rows(journal) == []


async def test_each_writer_has_an_epoch_of_its_own(place: Place) -> None:
    """Epochs grow by one, and each row says under which it was appended."""
    journal = await place.open()
    for epoch in (1, 2, 3):
        assert await journal.acquire("ann", NOW) == epoch
        await journal.append(epoch - 1, "r", NOW, b"x")
        await journal.release()
    assert [row.epoch for row in await rows(journal)] == [1, 2, 3]


async def test_a_second_writer_is_refused_and_told_who_writes(place: Place) -> None:
    """The message names the holder and since when; the first goes on undisturbed."""
    first, second = await place.writer("ann"), await place.open()
    with pytest.raises(JournalError, match=r"ann, process \d+ on .*, .* since 2026-11-22 01:00:00 UTC"):
        await second.acquire("ben", NOW + timedelta(hours=1))
    with pytest.raises(StaleLease):
        await second.append(0, "r", NOW, b"ben's")
    assert await first.append(0, "r", NOW, b"ann's") == 1


async def test_the_writer_itself_is_refused_a_second_time(place: Place) -> None:
    """Acquiring twice is told the same, and stays the writer."""
    journal = await place.writer("ann")
    with pytest.raises(JournalError, match="ann"):
        await journal.acquire("ann", NOW)
    assert await journal.append(0, "r", NOW, b"1") == 1


async def test_anyone_sees_who_writes(place: Place) -> None:
    """The live writer, and none once it released, closed, or never was."""
    first, looker = await place.writer("ann"), await place.open()
    seen = [await looker.writer(), await first.writer()]
    assert [(w.who, w.since) for w in seen if w] == [("ann", NOW)] * 2
    await first.release()
    assert await looker.writer() is None
    await first.acquire("cleo", NOW)
    await first.close()
    assert await looker.writer() is None


async def test_a_closed_journal_frees_the_scope(place: Place) -> None:
    """Closing releases, so that the next may begin at once."""
    first, second = await place.writer(), await place.open()
    await first.close()
    assert await second.acquire("ben", NOW) == 2


async def test_a_writer_that_lost_its_lock_unnoticed_is_fenced(place: Place) -> None:
    """Its next append fails and changes nothing, whatever it believes; the new writer goes on."""
    old = await place.writer("ann")
    await old.append(0, "r", NOW, b"1")
    place.steal()
    new = await place.open()
    assert await new.acquire("ben", NOW) == 2
    with pytest.raises(StaleLease, match="another process became the writer"):
        await old.append(1, "r", NOW, b"zombie", documents={"z": b""})
    assert await new.append(1, "r", NOW, b"2") == 2
    with pytest.raises(StaleLease):
        await old.append(2, "r", NOW, b"zombie")
    assert [(row.epoch, row.body) for row in await rows(new)] == [(1, b"1"), (2, b"2")]
    await old.close()
    writer = await new.writer()
    assert writer is not None
    assert writer.who == "ben"


async def test_scopes_have_nothing_to_do_with_each_other(place: Place) -> None:
    """Each has a writer, epochs, rows and an inbox of its own."""
    shop, till = await place.open("shop"), await place.open("till")
    assert [await shop.acquire("ann", NOW), await till.acquire("ben", NOW)] == [1, 1]
    await shop.append(0, "r", NOW, b"shop's")
    await till.append(0, "r", NOW, b"till's")
    await till.post(letter("l"))
    assert [row.body for row in await rows(shop)] == [b"shop's"]
    assert [row.body for row in await rows(till)] == [b"till's"]
    assert [await shop.inbox(), await till.inbox()] == [(), (letter("l"),)]


# Documents


async def test_documents_are_kept_with_their_decision(place: Place) -> None:
    """A decision and the plan it speaks of are there together; the same document again is no second one."""
    journal = await place.writer()
    plan = b'{"lanes":[]}' * 400_000
    await journal.append(0, "r", NOW, b"1", documents={"plan": plan, "empty": b""})
    await journal.append(1, "r", NOW, b"2", documents={"plan": plan})
    assert await journal.document("plan") == plan
    assert await journal.document("empty") == b""


async def test_a_document_that_was_never_kept_is_named(place: Place) -> None:
    """The error says which."""
    journal = await place.open()
    with pytest.raises(JournalError, match="sha256-abc"):
        await journal.document("sha256-abc")


async def test_documents_are_dropped_with_a_decision(place: Place) -> None:
    """In its transaction or not at all; one that isn't there is no mistake, and one kept by the same decision stays."""
    journal = await place.writer()
    await journal.append(0, "r", NOW, b"1", documents={"a": b"a", "b": b"b", "c": b"c"})
    with pytest.raises(StaleLease):
        await journal.append(5, "r", NOW, b"refused", drops=["a"])
    assert await journal.document("a") == b"a"
    await journal.append(1, "r", NOW, b"2", drops=["a", "c", "never there"], documents={"c": b"anew"})
    with pytest.raises(JournalError, match="a"):
        await journal.document("a")
    assert [await journal.document("b"), await journal.document("c")] == [b"b", b"anew"]


# Snapshots


async def test_the_last_snapshot_is_read_back(place: Place) -> None:
    """Only the last, by another process as well."""
    journal = await place.writer()
    assert await journal.snapshot() is None
    await journal.append(0, "r", NOW, b"1")
    await journal.append(1, "r", NOW, b"2")
    await journal.keep(Snapshot(1, 7, b"state"))
    await journal.keep(Snapshot(2, 7, b"later state"))
    assert await (await place.open()).snapshot() == Snapshot(2, 7, b"later state")


async def test_only_the_writer_keeps_snapshots_and_only_of_its_log(place: Place) -> None:
    """Nobody else's state, and none of rows that aren't there."""
    journal, other = await place.writer(), await place.open()
    await journal.append(0, "r", NOW, b"1")
    for who, seq in ((other, 1), (journal, 2), (journal, 0)):
        with pytest.raises(StaleLease):
            await who.keep(Snapshot(seq, 7, b"state"))
    assert await journal.snapshot() is None


# The inbox


async def test_anybody_may_post_and_the_writer_reads_in_order(place: Place) -> None:
    """Letters wait in the order in which they came, whatever the clocks of their senders say."""
    writer, other = await place.writer(), await place.open()
    sent = [letter("second", NOW + timedelta(hours=2)), letter("first", NOW), letter("third", NOW)]
    for one in sent:
        await other.post(one)
    assert await writer.inbox() == tuple(sent)


async def test_a_letter_is_taken_by_the_decision_that_answers_it(place: Place) -> None:
    """Row and letter change together: taken with the row, waiting while there is none."""
    writer = await place.writer()
    for name in ("a", "b", "c"):
        await writer.post(letter(name))
    await writer.append(0, "r", NOW, b"1", letters=["a", "c"])
    assert await writer.inbox() == (letter("b"),)
    assert [await writer.taken(name) for name in ("a", "b", "c", "never came")] == [1, None, 1, None]


async def test_letters_are_found_by_how_their_ids_begin(place: Place) -> None:
    """Whether they wait or were taken; no character of an id means anything."""
    writer = await place.writer()
    for name in ("b.2", "a%_.1", "b.1", "bb", "c"):
        await writer.post(letter(name))
    await writer.append(0, "r", NOW, b"1", letters=["b.1"])
    found = [await writer.letters(beginning) for beginning in ("b.", "a%", "a_", "z")]
    assert found == [("b.1", "b.2"), ("a%_.1",), (), ()]


async def test_no_letter_is_decided_on_twice(place: Place) -> None:
    """A letter that was taken, or never came, makes the whole append fail and leaves its other letters waiting."""
    writer = await place.writer()
    await writer.post(letter("a"))
    await writer.post(letter("b"))
    await writer.append(0, "r", NOW, b"1", letters=["a"])
    for bad in ("a", "never came"):
        with pytest.raises(Defect, match=bad):
            await writer.append(1, "r", NOW, b"2", letters=["b", bad])
    assert len(await rows(writer)) == 1
    assert await writer.inbox() == (letter("b"),)


async def test_a_letter_posted_again_changes_nothing(place: Place) -> None:
    """Neither while the first waits nor after it was taken: who isn't sure posts again."""
    writer = await place.writer()
    await writer.post(letter("a"))
    await writer.post(letter("a", NOW + timedelta(hours=1)))
    assert await writer.inbox() == (letter("a"),)
    await writer.append(0, "r", NOW, b"1", letters=["a"])
    await writer.post(letter("a"))
    assert await writer.inbox() == ()


# The end


async def test_closing_finishes_what_is_queued(place: Place) -> None:
    """What was asked for before is done; closing again does nothing; asking after that is a mistake in the code."""
    journal = await place.writer()
    appends = asyncio.gather(*(journal.append(seq, "r", NOW, b"x") for seq in range(20)))
    await asyncio.sleep(0)
    await journal.close()
    assert await appends == list(range(1, 21))
    await journal.close()
    with pytest.raises(Defect, match="closed"):
        await journal.append(20, "r", NOW, b"x")
    with pytest.raises(Defect, match="closed"):
        await journal.inbox()


# Archives


async def _of_three(journal: Journal) -> None:
    """Rows 1 to 9 of three rollouts, interleaved: a b c a b c a b c; each has a document and a letter that its first row took."""
    for name in "abc":
        await journal.post(letter(name))
    for seq in range(9):
        name = "abc"[seq % 3]
        first = seq < 3
        await journal.append(
            seq,
            name,
            NOW,
            b"%d" % (seq + 1),
            documents={name: name.encode() * 9} if first else None,
            letters=[name] if first else (),
        )


GOING = Moving(("a", "c"), ("a", "c"), 9)


async def test_what_was_archived_is_in_the_archive_and_there_alone(place: Place) -> None:
    """Rows keep their numbers; what is read beside the gaps is what is left, and the log goes on."""
    journal = await place.writer()
    await _of_three(journal)
    to = place.name_of("archive")
    assert await journal.archive(GOING, to, NOW) == 6
    assert [row.seq for row in await rows(journal)] == list(range(1, 10))  # nothing goes by that
    assert await journal.append(9, "", NOW, b"they went", moving=GOING) == 10
    assert await journal.append(10, "b", NOW, b"11") == 11
    again = await place.open()
    assert [row.seq for row in await rows(again)] == [2, 5, 8, 10, 11]
    assert [row.seq for row in await rows(again, 3)] == [5, 8, 10, 11]
    assert [row.seq for row in await rows(again, 9)] == [10, 11]
    assert await again.document("b") == b"b" * 9
    for digest in "ac":
        with pytest.raises(JournalError):
            await again.document(digest)
    archive = await place.open_archive(to)
    assert [(row.seq, row.rollout, row.body) for row in await rows(archive)] == [
        (seq, "abc"[(seq - 1) % 3], b"%d" % seq) for seq in (1, 3, 4, 6, 7, 9)
    ]
    assert [await archive.document(digest) for digest in "ac"] == [b"a" * 9, b"c" * 9]
    with pytest.raises(JournalError):
        await archive.document("b")


async def test_a_second_archive_goes_on_from_the_first(place: Place) -> None:
    """Gaps that touch become one, and all that is left is read on over them."""
    journal = await place.writer()
    await _of_three(journal)
    for number, (going, expected) in enumerate((("b", [1, 3, 4, 6, 7, 9, 10]), ("a", [3, 6, 9, 10, 11]))):
        moving = Moving((going,), (going,), 9 + number)
        assert await journal.archive(moving, place.name_of(going), NOW) == 3
        await journal.append(9 + number, "", NOW, b"went", moving=moving)
        assert [row.seq for row in await rows(await place.open())] == expected
    everything = Moving(("c", ""), ("c",), 11)
    assert await journal.archive(everything, place.name_of("rest"), NOW) == 5
    await journal.append(11, "", NOW, b"all went", moving=everything)
    assert [row.seq for row in await rows(await place.open())] == [12]
    await journal.close()
    assert await (await place.open()).acquire("ben", NOW) == 2


async def test_who_reads_on_finds_what_came_whatever_went(place: Place) -> None:
    """Also from a row that went, and in the middle of reading."""
    journal, reader = await place.writer(), await place.open()
    await asyncio.gather(*(journal.append(seq, "ab"[seq % 2], NOW, b"x") for seq in range(1_050)))
    going = Moving(("a",), (), 1_050)
    seen = []
    async for row in reader.read():
        seen.append(row.seq)
        if row.seq == 1:
            assert await journal.archive(going, place.name_of("archive"), NOW) == 525
            await journal.append(1_050, "", NOW, b"went", moving=going)
    left = [*range(2, 1_051, 2), 1_051]
    assert seen == sorted(set(seen))
    assert set(left) < set(seen)
    assert [len(await rows(reader, after)) for after in (0, 1, 2, 3, 1_049, 1_051)] == [
        526,
        526,
        525,
        525,
        2,
        0,
    ]


async def test_an_archive_that_a_dead_process_left_is_replaced(place: Place) -> None:
    """Its rows never went. One whose rows did is never touched."""
    journal = await place.writer()
    await _of_three(journal)
    to = place.name_of("archive")
    await journal.archive(Moving(("a",), ("a",), 9), to, NOW)
    assert await journal.archive(GOING, to, NOW) == 6
    await journal.append(9, "", NOW, b"went", moving=GOING)
    with pytest.raises(JournalError, match="is there already"):
        await journal.archive(Moving(("b",), ("b",), 10), to, NOW)
    assert len(await rows(await place.open_archive(to))) == 6


async def test_rows_that_no_archive_has_do_not_go(place: Place) -> None:
    """What came of a rollout after its archive was made keeps all of it here."""
    journal = await place.writer()
    await _of_three(journal)
    with pytest.raises(Defect, match="rows came after"):
        await journal.append(9, "", NOW, b"went", moving=Moving(("a",), ("a",), 6))
    assert [row.seq for row in await rows(journal)] == list(range(1, 10))
    assert await journal.document("a") == b"a" * 9


async def test_the_letters_of_rows_that_went_go_too(place: Place) -> None:
    """Those that wait stay, and so do those of rows that are here; a snapshot may need what went, and goes."""
    journal = await place.writer()
    await _of_three(journal)
    await journal.post(letter("waits"))
    await journal.keep(Snapshot(8, 7, b"state"))
    await journal.archive(GOING, place.name_of("archive"), NOW)
    await journal.append(9, "", NOW, b"went", moving=GOING)
    assert [await journal.taken(name) for name in ("a", "b", "c", "waits")] == [None, 2, None, None]
    assert await journal.inbox() == (letter("waits"),)
    assert await journal.snapshot() is None
    await journal.tidy()
    assert [row.seq for row in await rows(journal)] == [2, 5, 8, 10]
