"""Plans of rollouts, ready to be used: as a journal keeps them, or as somebody hands them over."""

from __future__ import annotations

from typing import Final
from weakref import WeakValueDictionary

from orchestrator.planner.document import digest, parse
from orchestrator.rollout.planned import Planned, index_plan
from orchestrator.store.port import Journal

_HELD: Final = WeakValueDictionary[str, Planned]()
"""What was read and is still used, by the digest of the text: a plan says the same however often it is read."""


async def plan_of(journal: Journal, name: str) -> Planned:
    """The plan that is kept under that digest. Raises `JournalError` if the journal hasn't got it."""
    return planned(await journal.document(name), f"plan {name[:12]}")


def planned(text: bytes, name: str) -> Planned:
    """A plan's file, read and indexed; `name` is what errors call it. Raises `UsageError` for what is none."""
    content = digest(text)
    found = _HELD.get(content)
    if found is None:
        found = _HELD[content] = index_plan(parse(text, name))
    return found
