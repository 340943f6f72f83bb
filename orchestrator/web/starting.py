"""A reviewed plan handed over, to be run: once a key, after it was held to the judge and to the fleet as it is."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace

from orchestrator.access.model import About, Verb
from orchestrator.rollout.letters import Handover, dump
from orchestrator.service.letterbox import Letter, slip
from orchestrator.web.asked import Asked, TagsOfMany
from orchestrator.web.models import Done, Line
from orchestrator.web.verbs import answered


@dataclass(frozen=True, slots=True)
class WithReason:
    """Why it is started: it stands in the journal beside the person's name.

    `emergency`: why it waits for less, from its first moment on; that takes a right of its own.
    """

    reason: Line
    emergency: Line | None = None


async def hand_over(asked: Asked) -> Done:
    """Begin the plan of the body, or find the rollout of it that there is. Raises as the judge does, with nothing done."""
    wanted: WithReason = asked.query
    plan: bytes = asked.body
    hurry = () if wanted.emergency is None else (wanted.emergency.encode(),)
    named = slip(asked.person.id, asked.key, b"\0".join((b"start", wanted.reason.encode(), *hurry, plan)))
    if not await asked.letters.known(named):
        handover = await _judged(asked, wanted, plan)
        letter = Letter(
            named.id, asked.desk.now(), asked.person.name, await asyncio.to_thread(dump, handover)
        )
        await asked.letters.post(named, letter)
    return await answered(asked, named)


async def _judged(asked: Asked, wanted: WithReason, plan: bytes) -> Handover:
    """The plan, held to the person's rights, to the judge and to the fleet as it is."""
    read = await asked.desk.read(plan)
    parsed = read.planned.plan
    changing = [machine.id for machine in parsed.machines if machine.change]
    concerns = About(parsed.name, TagsOfMany(changing, asked.desk.tags))
    asked.require(Verb.START, concerns)
    if wanted.emergency is not None:
        asked.require(Verb.EMERGENCY, concerns)
    judged = await asked.desk.prepare(read, asked.person.name, wanted.reason)
    return replace(judged, emergency=wanted.emergency or "")
