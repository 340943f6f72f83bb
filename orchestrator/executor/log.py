"""The state of a scope and its journal, in step: replayed from it, and written ahead of everything."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from orchestrator.errors import JournalError
from orchestrator.planner.document import parse
from orchestrator.rollout import events as e
from orchestrator.rollout.codec import decode, encode
from orchestrator.rollout.evolve import apply, begin
from orchestrator.rollout.kept import held, references, referring, resolve, still_held
from orchestrator.rollout.planned import Planned, index_plan
from orchestrator.rollout.state import Scope
from orchestrator.store.port import Journal


@dataclass(frozen=True, slots=True)
class Decided:
    """One decision: its row's number, its rollout, its time, its facts."""

    seq: int
    rollout: str
    at: datetime
    facts: tuple[e.Event, ...]


async def replay(journal: Journal) -> Scope:
    """The state of a scope, from its journal. Raises `JournalError` for a row that can't be read."""
    scope = Scope()
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


async def _fold(scope: Scope, journal: Journal) -> None:
    async for _ in read_on(scope, journal):
        pass


async def read_on(scope: Scope, journal: Journal) -> AsyncIterator[Decided]:
    """Bring a scope up to date with its journal, decision by decision: each is applied when it is given out.

    Enough to look at it. Who is to act needs the operations' addresses as well, which `replay` looks up.
    """
    async for row in journal.read(scope.seq):
        facts = tuple(decode(row.body, row.seq, row.rollout))
        for fact in facts:
            if isinstance(fact, e.RolloutStarted):
                plan = parse(await journal.document(fact.digest), f"plan {fact.digest[:12]}")
                begin(scope, fact, index_plan(plan), row.at)
            else:
                apply(scope, row.rollout, fact, row.at)
        scope.seq = row.seq
        yield Decided(row.seq, row.rollout, row.at, facts)


class Log:
    """Appends decisions and applies them. Appends are queued in order; each one's future tells when it is durable.

    The state runs ahead of the disk between the two. Should an append fail, the process must end: what is in memory then
    never happened.
    """

    def __init__(self, scope: Scope, journal: Journal) -> None:
        self.scope = scope
        self.journal = journal

    def record(
        self,
        rollout: str,
        facts: tuple[e.Event, ...],
        at: datetime,
        *,
        planned: Planned | None = None,
        documents: Mapping[str, bytes] | None = None,
        letters: Sequence[str] = (),
    ) -> tuple[Decided, asyncio.Task[int]]:
        """Apply the decision, and queue it for the journal. `planned` comes with a `RolloutStarted`.

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
            expected, rollout, at, body, documents=kept, letters=letters, drops=drops
        )
        commit = asyncio.ensure_future(append)
        return Decided(expected + 1, rollout, at, facts), commit

    def _held(self, rollout: str, fact: e.Event) -> str:
        """The document that the state needs of the machine that a fact is about, if it is about one."""
        machine = getattr(fact, "machine", -1)
        return held(self.scope.rollouts[rollout], machine) if machine >= 0 else ""
