"""The office of this machine: a journal's file, opened for each question as that needs it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from orchestrator.clock import Clock, SystemClock
from orchestrator.inventory.model import Inventory
from orchestrator.rollout.letters import make
from orchestrator.rollout.retention import Retention
from orchestrator.rollout.state import Blocked, Scope
from orchestrator.service.blocking import look_for_installed
from orchestrator.service.compliance import NO_PAST, REACH, Past
from orchestrator.service.compliance import past as past_of
from orchestrator.service.enrolment import Enrolled, done_by
from orchestrator.service.happenings import Happening
from orchestrator.service.holds import Held, hold_command, holds, placed, unhold_command, until_of
from orchestrator.service.journal import move_to_archive
from orchestrator.service.look import look, look_back, look_for
from orchestrator.service.narrate import sentence
from orchestrator.service.office import Barred, Carried, Went, Whereabouts
from orchestrator.service.story import story_from
from orchestrator.service.taking_back import TakenBack, what_can_be_taken_back
from orchestrator.service.telling import blocks, went, whereabouts
from orchestrator.service.verbs import carry_out, command, find, find_rollout
from orchestrator.store.port import Journal
from orchestrator.wiring.journal import archive_of, look_into, open_existing, open_journal, whoami


@dataclass(frozen=True, slots=True)
class JournalOffice:
    """What a journal tells, and what may be written into it. `named`: a person said which file, so it has to be there."""

    path: Path
    named: bool = True
    clock: Clock = field(default_factory=SystemClock)

    async def whereabouts(self, name: str | None) -> Whereabouts:
        """As the port says. Only reads."""
        async with self._reading() as journal:
            scope = await look_for(journal, name)
            return whereabouts(scope, name, self.clock.now(), await journal.writer())

    async def story(self, name: str | None) -> Sequence[Happening]:
        """As the port says. Only reads."""
        async with self._reading() as journal:
            scope = await look_for(journal, name)
            return [one async for one in story_from(journal, find(scope, name).rollout)]

    async def carry_out(self, verb: str, name: str | None, reason: str) -> Carried:
        """Decided here, or by the process that writes the journal."""
        journal = await open_existing(self.path)
        try:
            scope = await look_for(journal, name)
            who = whoami()
            wanted = command(scope, verb, name, who, reason)
            rollout = scope.rollouts.get(wanted.rollout) or scope.ended[wanted.rollout]
            emulated = rollout.scale != 1
            now = scope.last if emulated and scope.last is not None else self.clock.now()
            facts = await carry_out(journal, wanted, now, who)
            told = tuple(sentence(rollout, fact) for fact in facts)
            return Carried(wanted.rollout, verb, told, await journal.writer() is not None)
        finally:
            await journal.close()

    async def blocked(self) -> tuple[Blocked, ...]:
        """As the port says; nothing where there is no journal yet."""
        if not await asyncio.to_thread(self.path.exists):
            return ()
        async with self._reading() as journal:
            return blocks(await look(journal))

    async def block(self, verb: str, kb: str, reason: str) -> Barred:
        """As the port says; a journal is made if there is none, since a fleet may be warned before its first rollout."""
        journal = await open_journal(self.path)
        try:
            scope = await look(journal)
            now = self._present(scope)
            await carry_out(journal, make(verb, kb=kb, who=whoami(), reason=reason), now, whoami())
            scope, has = await look_for_installed(journal, kb)
            return Barred(blocks(scope), tuple(one.id for one in scope.active()), has)
        finally:
            await journal.close()

    async def holds(self) -> tuple[Held, ...]:
        """As the port says; none where there is no journal yet."""
        if not await asyncio.to_thread(self.path.exists):
            return ()
        async with self._reading() as journal:
            scope = await look(journal)
            return holds(scope, self._present(scope))

    async def hold(
        self, select: str, until: str, reason: str, fleet: Inventory | None = None
    ) -> tuple[str, tuple[Held, ...]]:
        """As the port says; a journal is made if there is none, as for `block`."""
        journal = await open_journal(self.path)
        try:
            scope = await look(journal)
            now = self._present(scope)
            wanted = hold_command(select, until_of(until, now), whoami(), reason, fleet)
            facts = await carry_out(journal, wanted, now, whoami())
            return placed(facts), holds(await look(journal), now)
        finally:
            await journal.close()

    async def unhold(self, hold: str, reason: str) -> tuple[Held, ...]:
        """Decided here, or by the process that writes the journal."""
        journal = await open_existing(self.path)
        try:
            now = self._present(await look(journal))
            await carry_out(journal, unhold_command(hold, whoami(), reason), now, whoami())
            return holds(await look(journal), now)
        finally:
            await journal.close()

    async def installed(self, name: str, kbs: Collection[str] | None) -> tuple[str, TakenBack]:
        """As the port says. Only reads."""
        async with self._reading() as journal:
            found = find_rollout(await look_for(journal, name), name)
            return found.id, what_can_be_taken_back(found, kbs)

    async def enrolled(self, name: str) -> Enrolled:
        """As the port says. Only reads."""
        async with self._reading() as journal:
            return done_by(find_rollout(await look_for(journal, name), name))

    async def past(self, now: datetime, deadline: timedelta) -> Past:
        """As the port says; nothing if there is no journal and nobody named one."""
        if not self.named and not await asyncio.to_thread(self.path.exists):
            return NO_PAST
        async with self._reading() as journal:
            return past_of(await look_back(journal, now - REACH), now, deadline)

    async def archive(self, retention: Retention, to: Path | None) -> Went:
        """Moved here, or by the process that writes the journal; beside it, if nobody says where."""
        journal = await open_existing(self.path)
        try:
            scope = await look(journal)
            name = str((to or archive_of(self.path, scope.archivings + 1)).resolve())
            return went(*await move_to_archive(journal, retention, name, whoami(), self.clock.now()))
        finally:
            await journal.close()

    @asynccontextmanager
    async def _reading(self) -> AsyncIterator[Journal]:
        journal = await look_into(self.path)
        try:
            yield journal
        finally:
            await journal.close()

    def _present(self, scope: Scope) -> datetime:
        """The present. Where emulated time runs faster, only its writer knows it: then the moment of the last fact."""
        emulated = any(rollout.scale != 1 for rollout in scope.rollouts.values())
        return scope.last if emulated and scope.last is not None else self.clock.now()
