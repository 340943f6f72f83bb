"""Holds over HTTP: which stand, and a person's word that places or lifts one.

A hold concerns the machines that it means as far as anybody knows: those of the fleet as it is, and those of rollouts that go on. One that means
nobody yet may mean anybody, so it concerns the fleet as a whole.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated

import orjson
from pydantic import Field

from orchestrator.access.decide import decide
from orchestrator.access.model import FLEET, MAY, About, Denied, Verb
from orchestrator.inventory.model import MachineId
from orchestrator.service.holds import Held, hold_command, holds, machines_meant, unhold_command
from orchestrator.service.letterbox import slip
from orchestrator.web.asked import Asked, TagsOfMany, about
from orchestrator.web.models import Done, Line, Page, Reason
from orchestrator.web.paging import Paged, page_of
from orchestrator.web.problems import Declined
from orchestrator.web.verbs import answered, by_letter, slip_of


@dataclass(frozen=True, slots=True)
class HoldWanted:
    """Which machines, until when, and why."""

    select: Annotated[
        Line, Field(description="As for --select: name=web-1, or tag:app=shop,region=westeurope.")
    ]
    until: Annotated[datetime, Field(description="With its time zone; at most 90 days from now.")]
    reason: Line


@dataclass(frozen=True, slots=True)
class HoldAct:
    """What the person may do about holds: `hold` machines, or `unhold` the hold of that id; `why_not` is empty where they may."""

    verb: str
    hold: str = ""
    why_not: str = ""


async def listed(asked: Asked) -> Page[Held]:
    """Those that the person may see, the one that ends first before the others; of the machines that each meant, theirs."""
    wanted: Paged = asked.query
    seen = (
        replace(
            one,
            matched=tuple(machine for machine in one.matched if asked.sees(_concerns(asked, [machine]))),
            rollouts=tuple(there for there in one.rollouts if _may_see(asked, there.rollout)),
        )
        for one in holds(asked.desk.scope, asked.desk.now())
        if asked.sees(_concerns(asked, machines_meant(asked.desk.scope, one)))
    )
    return page_of(seen, lambda one: (one.until.isoformat(), one.id), wanted, first=("", ""))


async def acts(asked: Asked) -> Page[HoldAct]:
    """Of holding, whether the person may hold any machine at all; of each hold that they see, whether they may lift it."""
    anywhere = any(Verb.HOLD in MAY[grant.role] for grant in asked.person.grants)
    told = [HoldAct(str(Verb.HOLD), why_not="" if anywhere else _why_not(asked, Verb.HOLD, FLEET))]
    for one in holds(asked.desk.scope, asked.desk.now()):
        concerns = _concerns(asked, machines_meant(asked.desk.scope, one))
        if asked.sees(concerns):
            told.append(HoldAct(str(Verb.UNHOLD), one.id, _why_not(asked, Verb.UNHOLD, concerns)))
    return Page(tuple(told))


async def place(asked: Asked) -> Done:
    """Hold machines. The key stands for what was asked, whatever the fleet is when it is asked again."""
    wanted: HoldWanted = asked.body
    same = orjson.dumps(["hold", wanted.select, wanted.until, wanted.reason])
    named = slip(asked.person.id, asked.key, same)
    if await asked.letters.known(named):
        return await answered(asked, named)
    command = await asyncio.to_thread(
        hold_command, wanted.select, wanted.until, asked.person.name, wanted.reason, asked.desk.fleet
    )
    asked.require(Verb.HOLD, _concerns(asked, command.matched))
    return await by_letter(asked, command, same)


async def lift(asked: Asked) -> Done:
    """End a hold before its time."""
    wanted: Reason = asked.body
    command = unhold_command(asked.path["id"], asked.person.name, wanted.reason)
    named = slip_of(asked, command)
    if await asked.letters.known(named):  # they lifted it themselves, and ask for the answer once more
        return await answered(asked, named)
    held = next((one for one in holds(asked.desk.scope, asked.desk.now()) if one.id == command.hold), None)
    concerns = FLEET if held is None else _concerns(asked, machines_meant(asked.desk.scope, held))
    if not asked.sees(concerns):
        raise Declined("not-found", f"there is no hold {command.hold} that {asked.person.name} may see")
    asked.require(Verb.UNHOLD, concerns)
    return await by_letter(asked, command)


def _concerns(asked: Asked, machines: Sequence[MachineId]) -> About:
    return About(machines=TagsOfMany(machines, asked.desk.tags)) if machines else FLEET


def _why_not(asked: Asked, verb: Verb, concerns: About) -> str:
    decided = decide(asked.person, verb, concerns)
    return decided.why if isinstance(decided, Denied) else ""


def _may_see(asked: Asked, rollout: str) -> bool:
    return asked.sees(about(asked.desk.scope.rollouts[rollout], asked.desk.tags))
