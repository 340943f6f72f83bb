"""A reviewed plan handed over, to be run: once a key, after it was held to the judge and to the fleet as it is."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from orchestrator.access.model import About, Verb
from orchestrator.rollout.letters import dump
from orchestrator.service.happenings import happenings
from orchestrator.service.letterbox import Letter, slip
from orchestrator.web.asked import Asked, TagsOfMany
from orchestrator.web.models import Done, Line


@dataclass(frozen=True, slots=True)
class WithReason:
    """Why it is started: it stands in the journal beside the person's name."""

    reason: Line


async def hand_over(asked: Asked) -> Done:
    """Begin the plan of the body, or find the rollout of it that there is. Raises as the judge does, with nothing done."""
    wanted: WithReason = asked.query
    plan: bytes = asked.body
    named = slip(asked.person.id, asked.key, b"\0".join((b"start", wanted.reason.encode(), plan)))
    read = await asked.desk.read(plan)
    parsed = read.planned.plan
    changing = [machine.id for machine in parsed.machines if machine.change]
    asked.require(Verb.START, About(parsed.name, TagsOfMany(changing, asked.desk.tags)))
    if not await asked.letters.known(named):
        handover = await asked.desk.prepare(read, asked.person.name, wanted.reason)
        letter = Letter(
            named.id, asked.desk.now(), asked.person.name, await asyncio.to_thread(dump, handover)
        )
        await asked.letters.post(named, letter)
    decided = await asked.letters.answer(named)
    told = happenings(await asked.told_of(decided.rollout), decided)
    return Done(decided.seq, decided.rollout, decided.at, tuple(one.sentence for one in told))
