"""A letter to the process that writes a journal, and its answer."""

from __future__ import annotations

import asyncio
import math
from datetime import datetime
from uuid import uuid4

from orchestrator.errors import Refused
from orchestrator.executor.log import Decided
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
    return (await decision_of(journal, row, letter.id)).facts


async def decision_of(journal: Journal, taken_by: int, letter: str) -> Decided:
    """The decision that took a letter. Raises `Refused` where it is that the letter isn't carried out."""
    async for row in journal.read(taken_by - 1):
        if row.seq != taken_by:
            break
        facts = decode(row.body, row.seq, row.rollout)
        for fact in facts:
            if isinstance(fact, e.CommandRefused) and fact.letter == letter:
                raise Refused(fact.why)
        return Decided(row.seq, row.rollout, row.at, facts)
    raise Refused("what came of it is in an archive by now")
