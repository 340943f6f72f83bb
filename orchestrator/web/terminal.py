"""What a terminal asks besides: names as people type them, and what a rollout left behind, by the functions that read a journal there."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Annotated

from pydantic import AwareDatetime, Field

from orchestrator.access.model import FLEET, About
from orchestrator.errors import UsageError
from orchestrator.inventory.model import MachineId
from orchestrator.rollout.ended import known
from orchestrator.rollout.state import Ended, Rollout, Scope
from orchestrator.service.blocking import kb_digits
from orchestrator.service.compliance import REACH, Past, past
from orchestrator.service.enrolment import Enrolled, done_by
from orchestrator.service.look import make_whole, remembered
from orchestrator.service.office import OfMachine, Standing, Target, Whereabouts
from orchestrator.service.rollouts import campaign_of, with_whole
from orchestrator.service.taking_back import TakenBack, what_can_be_taken_back
from orchestrator.service.telling import standing, whereabouts
from orchestrator.service.verbs import MACHINE_VERBS, ROLLOUT_VERBS, command, find
from orchestrator.web.asked import Asked
from orchestrator.web.problems import Declined

LOOKED_THROUGH = 20
"""Rollouts that are over and are looked through for a machine's name, at most: each is read from the journal for it."""


Name = Annotated[str, Field(max_length=400)]


@dataclass(frozen=True, slots=True)
class OfName:
    """A rollout's id or a beginning of it, or a machine's name or id; left out: the rollout that goes on."""

    name: Name = ""


@dataclass(frozen=True, slots=True)
class OfVerb:
    """What a name is to mean something for. Left out: for whoever wants the rollout alone."""

    verb: Annotated[str, Field(max_length=40)] = ""
    name: Name = ""


@dataclass(frozen=True, slots=True)
class OfKbs:
    """Which updates: KBs, with commas between. Left out: all."""

    kbs: Annotated[str, Field(max_length=2_000)] = ""


@dataclass(frozen=True, slots=True)
class OfPast:
    """The moment that compliance is told of, and within how many days updates are to be in."""

    at: Annotated[
        AwareDatetime, Field(ge=datetime(2010, 1, 1, tzinfo=UTC), le=datetime(2200, 1, 1, tzinfo=UTC))
    ]
    deadline_days: Annotated[float, Field(ge=0, le=3_660, allow_inf_nan=False)] = 30.0


async def where(asked: Asked) -> Whereabouts:
    """What `wavekeeper status NAME` tells."""
    wanted: OfName = asked.query
    name = wanted.name or None
    seen = await _seen(asked, name)
    writer = await asked.desk.journal.writer()
    scope = asked.desk.scope
    for one in seen.rollouts.values():
        scope = with_whole(scope, one)
    told = whereabouts(scope, name, asked.desk.now(), writer, among=seen)
    if isinstance(told, OfMachine):
        found = find(seen, name)
        _refuse_unseen(asked, found.rollout, found.machine, told.machine)
    return told


async def target(asked: Asked) -> Target:
    """What a name means for a verb. It may not be carried out by this; and whether it may, is asked when it is."""
    wanted: OfVerb = asked.query
    if wanted.verb and wanted.verb not in MACHINE_VERBS | ROLLOUT_VERBS:
        raise UsageError(f"{wanted.verb} is no verb for a rollout or a machine")
    name = wanted.name or None
    seen = await _seen(asked, name)
    if not wanted.verb:
        return Target(find(seen, name).rollout.id)
    found = command(seen, wanted.verb, name, asked.person.name, "")
    machine = getattr(found, "machine", -1)
    if machine < 0:
        return Target(found.rollout)
    rollout = seen.rollouts.get(found.rollout) or seen.ended[found.rollout]
    _refuse_unseen(asked, rollout, machine, wanted.name)
    return Target(found.rollout, _called(rollout, machine))


async def stands(asked: Asked) -> Standing:
    """How a rollout stands, for whoever follows it."""
    rollout = await asked.whole()
    return standing(with_whole(asked.desk.scope, rollout), rollout, asked.desk.now())


async def installed(asked: Asked) -> TakenBack:
    """What a rollout installed that can be taken back, for whoever may see all of its machines."""
    wanted: OfKbs = asked.query
    kbs = tuple(map(kb_digits, wanted.kbs.split(","))) if wanted.kbs else None
    return what_can_be_taken_back(await _all_of_it(asked), kbs)


async def enrolled(asked: Asked) -> Enrolled:
    """The settings that a rollout wrote, for whoever may see all of its machines."""
    return done_by(await _all_of_it(asked))


async def what_was(asked: Asked) -> Past:
    """What the rollouts that the person may see made of the machines that they may see."""
    wanted: OfPast = asked.query
    seen = await _seen(asked, "")
    campaigns = {campaign_of(one) for one in known(seen)}
    found = await remembered(seen, asked.desk.whole, wanted.at - REACH)
    told = past(found, wanted.at, timedelta(days=wanted.deadline_days))
    fleet_too = asked.sees(FLEET)
    outcomes = {
        machine: outcome
        for machine, outcome in told.outcomes.items()
        if fleet_too or any(_sees(asked, campaign, machine) for campaign in campaigns)
    }
    return replace(told, outcomes=outcomes)


def _sees(asked: Asked, campaign: str, machine: MachineId) -> bool:
    return asked.sees(About(campaign, (asked.desk.tags(machine),)))


async def _seen(asked: Asked, name: str | None) -> Scope:
    """The rollouts that the person may see, with what is named whole among them. The daemon's own state stays as it is."""
    scope = asked.desk.scope
    mine = {one.id for one in asked.rollouts()}
    seen = replace(
        scope,
        rollouts={key: one for key, one in scope.rollouts.items() if key in mine},
        ended={key: one for key, one in scope.ended.items() if key in mine},
    )
    if name != "":
        await make_whole(seen, asked.desk.whole, name, most=LOOKED_THROUGH)
    return seen


def _refuse_unseen(asked: Asked, rollout: Rollout | Ended, machine: int, name: str) -> None:
    """Raise, for a machine that the person may not see, what is said of one that isn't there."""
    sees = asked.sees_in(rollout)
    if sees is not None and not sees(machine):
        raise UsageError(f"no rollout of this journal has a machine {name}")


async def _all_of_it(asked: Asked) -> Rollout:
    rollout = await asked.whole()
    if asked.sees_in(rollout) is not None:
        who = asked.person.name
        raise Declined("forbidden", f"{rollout.id} has machines that aren't {who}'s to see")
    return rollout


def _called(rollout: Rollout | Ended, machine: int) -> str:
    """A machine's name; its id where another of the plan is called so too."""
    if isinstance(rollout, Ended):
        return rollout.left[machine].name
    planned = rollout.planned.plan.machines
    name = planned[machine].name
    alone = sum(one.name.lower() == name.lower() for one in planned) == 1
    return name if alone else planned[machine].arm_id
