"""The state of a scope and its journal, in step: replayed from it, and written ahead of everything."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import NamedTuple

import orjson

from orchestrator.errors import JournalError, WavekeeperError
from orchestrator.executor.collector import nothing_collected
from orchestrator.executor.plans import plan_of
from orchestrator.executor.whole import whole
from orchestrator.rollout import events as e
from orchestrator.rollout.codec import decode, encode
from orchestrator.rollout.ended import put_away
from orchestrator.rollout.evolve import apply, begin
from orchestrator.rollout.kept import held, references, referring, resolve, still_held
from orchestrator.rollout.planned import Planned
from orchestrator.rollout.snapshot import FORM, digests, dump, load
from orchestrator.rollout.state import Scope
from orchestrator.store.port import Journal, Moving, Snapshot

_TOLD = logging.getLogger("wavekeeper")


class Decided(NamedTuple):
    """One decision: its row's number, its rollout, its time, its facts. A tuple, as `Row` is, for a replay's sake."""

    seq: int
    rollout: str
    at: datetime
    facts: tuple[e.Event, ...]


SNAPSHOT_EVERY = 20_000
"""Rows between two snapshots; at the end of a stage a twentieth of them is enough. Reading as many takes a fraction of a second."""


async def replay(journal: Journal, *, whole: bool = False) -> Scope:
    """The state of a scope, from its journal: from the snapshot kept last and what came after it, or, if `whole`, from every row.

    Raises `JournalError` for a row that can't be read. A snapshot that can't be used is told, and everything is read.
    """
    with nothing_collected():
        scope = (None if whole else await _from_snapshot(journal)) or Scope()
        await _fold(scope, journal)
    for wanted in list(references(scope)):
        while still_held(scope, wanted):
            try:
                resolve(scope, wanted, await journal.document(wanted.digest))
            except JournalError:
                # Who only looks reads rows and documents at different moments: the operation may have ended in between.
                await _fold(scope, journal)
                if still_held(scope, wanted):
                    raise
    return scope


async def _from_snapshot(journal: Journal) -> Scope | None:
    kept = await journal.snapshot()
    if kept is None:
        return None
    why = kept.fault or ("" if kept.form == FORM else "it is of another version of Wavekeeper")
    told = {} if why else orjson.loads(kept.body)
    plans = {}
    try:
        for rollout, digest in (digests(told) if told else {}).items():
            plans[rollout] = await plan_of(journal, digest)
    except JournalError as error:  # it was taken before an archive was made, and kept after it
        why = str(error)
    if why:
        _TOLD.warning(
            "the snapshot of the journal at row %d isn't used: %s; every row is read", kept.seq, why
        )
        return None
    return load(told, plans)


async def _fold(scope: Scope, journal: Journal) -> None:
    async for _ in read_on(scope, journal):
        pass


async def read_on(scope: Scope, journal: Journal) -> AsyncIterator[Decided]:
    """Bring a scope up to date with its journal, decision by decision: each is applied when it is given out.

    Rollouts that nothing can move any more are put away, all but their end. Enough to look at it. Who is to act needs the operations' addresses as well, which `replay` looks up.
    """
    async for row in journal.read(scope.seq):
        facts = decode(row.body, row.seq, row.rollout)
        ended = scope.ended.get(row.rollout)
        if (
            ended is not None
            and not ended.archive
            and any(not isinstance(x, e.CommandRefused) for x in facts)
        ):
            await whole(scope, journal, ended)  # it was thought that nothing moves it any more
        for fact in facts:
            if isinstance(fact, e.RolloutStarted):
                begin(scope, fact, await plan_of(journal, fact.digest), row.at)
            else:
                apply(scope, row.rollout, fact, row.at)
        scope.seq = row.seq
        rollout = scope.rollouts.get(row.rollout)
        if rollout is not None and rollout.ended_at is not None:
            put_away(scope, rollout.id)
        yield Decided(row.seq, row.rollout, row.at, facts)


class Log:
    """Appends decisions and applies them. Appends are queued in order; each one's future tells when it is durable.

    The state runs ahead of the disk between the two. Should an append fail, the process must end: what is in memory then
    never happened.
    """

    def __init__(self, scope: Scope, journal: Journal, snapshot_every: int = SNAPSHOT_EVERY) -> None:
        self.scope = scope
        self.journal = journal
        self._snapshot_every = snapshot_every
        self._snapshot_at = scope.seq
        self._keeping: asyncio.Task[None] | None = None
        self._last: asyncio.Task[int] | None = None
        self._last_of: dict[str, int] = {}  # rollout -> its last row that this process appended
        self._listeners: list[Callable[[Decided], None]] = []
        self._untold: deque[tuple[Decided, asyncio.Task[int]]] = deque()

    def record(
        self,
        rollout: str,
        facts: tuple[e.Event, ...],
        at: datetime,
        *,
        planned: Planned | None = None,
        documents: Mapping[str, bytes] | None = None,
        letters: Sequence[str] = (),
        moving: Moving | None = None,
    ) -> tuple[Decided, asyncio.Task[int]]:
        """Apply the decision, and queue it for the journal. `planned` comes with a `RolloutStarted`, `moving` with an `Archived`.

        A fact that can't follow raises `Defect` here, before it can stand in a journal that nobody could replay.
        """
        expected = self.scope.seq
        kept = dict(documents or {})
        written = []
        for fact in facts:
            fact_in_row, document = referring(rollout, fact)
            written.append(fact_in_row)
            if document is not None:
                kept[document[0]] = document[1]
        body = encode(tuple(written), rollout)
        drops = []
        for fact in facts:
            before = self._held(rollout, fact)
            if isinstance(fact, e.RolloutStarted):
                assert planned is not None
                begin(self.scope, fact, planned, at)
            else:
                apply(self.scope, rollout, fact, at)
            if before and before != self._held(rollout, fact):
                drops.append(before)
        self.scope.seq = expected + 1
        append = self.journal.append(
            expected, rollout, at, body, documents=kept, letters=letters, drops=drops, moving=moving
        )
        self._last_of[rollout] = self.scope.seq
        self._last = commit = asyncio.ensure_future(append)
        self._keep_if_due(commit, facts)
        decided = Decided(expected + 1, rollout, at, facts)
        self._untold.append(
            (decided, commit)
        )  # whoever listens before it is durable may not find it in the journal yet
        commit.add_done_callback(self._tell)
        return decided, commit

    @contextmanager
    def listening(self, listener: Callable[[Decided], None]) -> Iterator[None]:
        """Have every decision that becomes durable within the block told, in the order of the journal.

        A listener must be quick. One that raises misses that decision, and nobody else does.
        """
        self._listeners.append(listener)
        try:
            yield
        finally:
            self._listeners.remove(listener)

    def _tell(self, _: asyncio.Task[int]) -> None:
        """Rows became durable. What failed, and what counted on it, is told to nobody: it never happened."""
        while self._untold and self._untold[0][1].done():
            decided, commit = self._untold.popleft()
            if not commit.cancelled() and commit.exception() is None:
                for listener in tuple(self._listeners):
                    try:
                        listener(decided)
                    except Exception:  # noqa: BLE001 - its own affair: the others hear of it
                        _TOLD.exception("a listener failed on row %d", decided.seq)

    async def durable(self) -> None:
        """Wait until all rows that were queued so far are durable. Raises what the last of them did."""
        if self._last is not None:
            await asyncio.shield(self._last)

    def moved_after(self, rollout: str, seq: int) -> bool:
        """Whether this process wrote anything of a rollout after row `seq`."""
        return self._last_of.get(rollout, 0) > seq

    async def settled(self) -> None:
        """Wait until the last snapshot that is due is kept, or isn't to be."""
        if self._keeping is not None:
            await asyncio.wait([self._keeping])

    def _keep_if_due(self, commit: asyncio.Task[int], facts: tuple[e.Event, ...]) -> None:
        since = self.scope.seq - self._snapshot_at
        ends = any(isinstance(fact, e.StageBaking | e.StageAwaiting | e.RolloutFinished) for fact in facts)
        moved = any(isinstance(fact, e.Archived) for fact in facts)  # and the snapshot with it
        if not moved and since < (self._snapshot_every // 20 if ends else self._snapshot_every):
            return
        self._snapshot_at = self.scope.seq
        self._keeping = asyncio.ensure_future(
            self._keep(commit, Snapshot(self.scope.seq, FORM, dump(self.scope)))
        )

    async def _keep(self, commit: asyncio.Task[int], snapshot: Snapshot) -> None:
        """Once its row is durable. A shortcut that can't be written is no reason to stop: the row that failed is."""
        try:
            await asyncio.wait([commit])
            if commit.cancelled() or commit.exception() is not None:
                return
            await self.journal.keep(snapshot)
        except WavekeeperError as error:
            _TOLD.warning("a snapshot of the journal wasn't kept: %s", error)

    def _held(self, rollout: str, fact: e.Event) -> str:
        """The document that the state needs of the machine that a fact is about, if it is about one."""
        machine = getattr(fact, "machine", -1)
        known = self.scope.rollouts.get(rollout)
        return held(known, machine) if machine >= 0 and known is not None else ""
