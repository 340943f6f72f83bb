"""Plans of rollouts, ready to be used: as a journal keeps them, or as somebody hands them over."""

from __future__ import annotations

from typing import Final
from weakref import WeakValueDictionary

from orchestrator.errors import JournalError
from orchestrator.planner.document import digest, parse
from orchestrator.planner.packed import pack, unpack
from orchestrator.rollout.planned import Planned, index_plan
from orchestrator.store.port import Journal

LARGE: Final = 4 << 20
"""Bytes of a plan's file, from which on it is packed, too: some thousands of machines, and some hundredths of a second."""

_HELD: Final = WeakValueDictionary[str, Planned]()
"""What was read and is still used, by the digest of the file: a plan says the same however often it is read."""


async def plan_of(journal: Journal, name: str) -> Planned:
    """The plan that is kept under that digest. Raises `JournalError` if the journal hasn't got it."""
    return await _unpacked(journal, name) or planned(await journal.document(name), f"plan {name[:12]}")


async def _unpacked(journal: Journal, name: str) -> Planned | None:
    """The same, by the shortcut; None where there is none: the plan is small, or was kept by another version."""
    try:
        text = await journal.document(packed_name(name))
    except JournalError:
        return None
    found = _HELD.get(name)
    if found is None and (plan := unpack(text, name)) is not None:
        found = _HELD[name] = index_plan(plan)
    return found


def planned(text: bytes, name: str) -> Planned:
    """A plan's file, read and indexed; `name` is what errors call it. Raises `UsageError` for what is none."""
    content = digest(text)
    found = _HELD.get(content)
    if found is None:
        found = _HELD[content] = index_plan(parse(text, name))
    return found


def packed_name(name: str) -> str:
    """Under what a journal keeps the packed form of the plan of that digest."""
    return f"{name}.packed"


def documents_of(file: bytes, plan: Planned) -> dict[str, bytes]:
    """What a journal keeps of a plan: its file, by digest, and of a large one its packed form."""
    name = digest(file)
    kept = {name: file}
    if len(file) >= LARGE:
        kept[packed_name(name)] = pack(plan.plan, name)
    return kept
