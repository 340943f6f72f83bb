"""What a journal tells, for those who only look."""

from __future__ import annotations

from orchestrator.executor.log import replay
from orchestrator.rollout.codec import decode
from orchestrator.rollout.state import Scope
from orchestrator.service.narrate import is_quiet, sentence
from orchestrator.store.port import Journal


async def look(journal: Journal) -> Scope:
    """The state of a scope as its journal tells it. Raises `JournalError` for a journal that can't be trusted."""
    return await replay(journal)


async def story(journal: Journal, scope: Scope, rollout: str, *, everything: bool) -> list[str]:
    """All that happened in a rollout, a line each; without `everything`, what goes without saying is left out."""
    lines = []
    known = scope.rollouts[rollout]
    async for row in journal.read():
        if row.rollout == rollout:
            lines += [
                f"{row.at:%Y-%m-%d %H:%M:%S}  {sentence(known, fact)}"
                for fact in decode(row.body, row.seq, row.rollout)
                if everything or not is_quiet(fact)
            ]
    return lines
