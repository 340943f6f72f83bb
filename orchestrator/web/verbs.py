"""Steering: what a person asks of a rollout or a machine of it, posted as a letter under their key, and answered when it is decided."""

from __future__ import annotations

from dataclasses import replace

from orchestrator.access.model import Verb
from orchestrator.rollout.letters import dump, make
from orchestrator.rollout.messages import Command
from orchestrator.service.happenings import happenings
from orchestrator.service.letterbox import Letter, Slip, slip
from orchestrator.web.asked import Asked
from orchestrator.web.models import Done, Reason
from orchestrator.web.routes import Handler


def of_rollout(verb: Verb) -> Handler:
    """Carries out a verb on the rollout of the path."""

    async def carry_out(asked: Asked) -> Done:
        wanted: Reason = asked.body
        rollout = asked.rollout(verb)
        return await by_letter(
            asked, make(verb, rollout=rollout.id, who=asked.person.name, reason=wanted.reason)
        )

    return carry_out


def of_machine(verb: Verb) -> Handler:
    """Carries out a verb on a machine of the rollout."""

    async def carry_out(asked: Asked) -> Done:
        wanted: Reason = asked.body
        rollout, machine = asked.machine(verb)
        command = make(verb, rollout=rollout.id, machine=machine, who=asked.person.name, reason=wanted.reason)
        return await by_letter(asked, command)

    return carry_out


async def by_letter(asked: Asked, command: Command, same: bytes | None = None) -> Done:
    """Have a command decided on once, however often it is sent. Raises `Refused` with the decision's own words.

    `same`: what makes it the same once more, where that isn't all of the command.
    """
    named = slip_of(asked, command) if same is None else slip(asked.person.id, asked.key, same)
    letter = Letter(named.id, asked.desk.now(), asked.person.name, dump(command))
    await asked.letters.post(named, letter)
    return await answered(asked, named)


def slip_of(asked: Asked, command: Command) -> Slip:
    """A command's slip. The person's name is not in it: the issuer may change it between two sends, and their id it may not."""
    return slip(asked.person.id, asked.key, dump(replace(command, who=asked.person.id)))


async def answered(asked: Asked, named: Slip) -> Done:
    """What was decided on a letter that was posted. Raises `Refused` with the decision's own words."""
    decided = await asked.letters.answer(named)
    told = happenings(await asked.told_of(decided.rollout), decided)
    return Done(decided.seq, decided.rollout, decided.at, tuple(one.sentence for one in told))
