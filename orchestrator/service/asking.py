"""A letter to the process that writes a journal, and its answer."""

from __future__ import annotations

import asyncio
import math
from datetime import datetime
from uuid import uuid4

from orchestrator.errors import Refused
from orchestrator.rollout import events as e
from orchestrator.rollout import messages as m
from orchestrator.rollout.codec import decode
from orchestrator.rollout.letters import ArchiveOrder, Handover, dump
from orchestrator.store.port import Journal, Letter

LOOK_EVERY_S = 0.2
"""Real seconds between two looks for an answer: quick enough for people, and nothing to the writer."""


async def ask_writer(
    journal: Journal,
    wanted: m.Command | Handover | ArchiveOrder,
    now: datetime,
    *,
    within_s: float = math.inf,
) -> tuple[e.Event, ...] | None:
    """Post a command, and wait until a decision has taken it: its facts. None if nobody writes any more, or not `within_s`.

    The letter stays then, and whoever writes next takes it. Raises `Refused` with the writer's own words.
    """
    letter = Letter(uuid4().hex, now, wanted.who, dump(wanted))
    await journal.post(letter)
    waited = 0.0
    while (row := await journal.taken(letter.id)) is None:
        if waited >= within_s or await journal.writer() is None:
            return None
        await asyncio.sleep(LOOK_EVERY_S)
        waited += LOOK_EVERY_S
    return await _answer(journal, row, letter.id)


async def _answer(journal: Journal, taken_by: int, letter: str) -> tuple[e.Event, ...]:
    async for row in journal.read(taken_by - 1):
        facts = decode(row.body, row.seq, row.rollout) if row.seq == taken_by else ()
        for fact in facts:
            if isinstance(fact, e.CommandRefused) and fact.letter == letter:
                raise Refused(fact.why)
        return facts
    return ()
