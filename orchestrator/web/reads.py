"""What may be read of rollouts: which there are, how one stands, its plan, its machines, all that happened in it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated

from pydantic import Field

from orchestrator.access.model import About, Verb
from orchestrator.rollout.state import Ended, MachineStatus, RolloutStatus
from orchestrator.service.happenings import Happening
from orchestrator.service.machines import MachineLine, MachineTold, in_no_rollout, lines_of, told_of
from orchestrator.service.names import called_for
from orchestrator.service.rollouts import RolloutLine, campaign_of, line_of, with_whole
from orchestrator.service.status import Status, status
from orchestrator.service.story import story_from
from orchestrator.web.asked import Asked
from orchestrator.web.models import Page
from orchestrator.web.paging import Paged, decode, encode, page_of
from orchestrator.web.problems import Declined
from orchestrator.web.routes import File

Name = Annotated[str, Field(max_length=300)]


@dataclass(frozen=True, slots=True)
class OfRollouts(Paged):
    """Which rollouts are wanted: in a state, of a campaign."""

    state: RolloutStatus | None = None
    campaign: Name = ""


@dataclass(frozen=True, slots=True)
class OfMachines(Paged):
    """Which machines of a rollout are wanted: in a state."""

    status: MachineStatus | None = None


@dataclass(frozen=True, slots=True)
class OfStory(Paged):
    """Which facts are wanted: about a machine, by its name. `quiet` ones go without saying in a rollout that goes well."""

    machine: Name = ""
    quiet: bool = True


async def rollouts(asked: Asked) -> Page[RolloutLine]:
    """Those that the person may see, the latest first."""
    wanted: OfRollouts = asked.query
    found = (
        one
        for one in reversed(asked.rollouts())
        if wanted.state in (None, one.status) and wanted.campaign.lower() in ("", campaign_of(one).lower())
    )
    page = page_of(found, lambda one: (one.after, one.id), wanted, first=(0, ""), falling=True)
    return Page(tuple(map(line_of, page.items)), page.next)


async def rollout(asked: Asked) -> Status:
    """The seven answers, also of one that is over."""
    found = await asked.whole()
    return status(with_whole(asked.desk.scope, found), found, asked.desk.now())


async def plan(asked: Asked) -> File:
    """The plan's file as it was reviewed, for whoever may see all of its machines."""
    found = asked.rollout()
    if asked.sees_in(found) is not None:
        raise Declined(
            "forbidden", f"the plan of {found.id} has machines that aren't {asked.person.name}'s to see"
        )
    async with asked.desk.journal_of(found) as journal:
        return File(await journal.document(found.digest), f"{found.id}.plan.json")


async def machines(asked: Asked) -> Page[MachineLine]:
    """Those that it changes, in the order of the plan."""
    wanted: OfMachines = asked.query
    found = await asked.whole()
    after = decode(wanted.cursor, (0,))[0] if wanted.cursor else -1
    sees = asked.sees_in(found)
    lines = (
        line for line in lines_of(found, int(after), wanted.status or "") if sees is None or sees(line.number)
    )
    return page_of(lines, lambda line: (line.number,), wanted, first=(0,))


async def machine(asked: Asked) -> MachineTold:
    """Why it is, or isn't, moving in that rollout, and why the plan has it where it is."""
    found = await asked.whole()
    number = asked.machine_of(found, Verb.VIEW)
    return told_of(with_whole(asked.desk.scope, found), found, number, asked.desk.now())


async def machine_anywhere(asked: Asked) -> MachineTold:
    """The same in the rollout that matters now: that holds its grant, else that goes on, else the last."""
    scope, now = asked.desk.scope, asked.desk.now()
    found = []
    for age, one in enumerate(reversed(asked.rollouts())):
        if isinstance(one, Ended) or not asked.has_machine(one):
            continue
        number = asked.machine_of(one, Verb.VIEW)
        holds = scope.ledger.holds(one.id, one.planned.machine(number).id)
        changes = one.planned.lane_of[number] >= 0
        found.append((not holds, one.over, not changes, age, one, number))
    if not found:
        return _of_fleet(asked)
    ranked = sorted(found, key=lambda entry: entry[:4])
    first, number = ranked[0][4:]
    return replace(told_of(scope, first, number, now), rollouts=tuple(entry[4].id for entry in ranked))


def _of_fleet(asked: Asked) -> MachineTold:
    wanted, fleet = called_for(asked.path["name"]), asked.desk.fleet
    hits = [
        one
        for one in (fleet.machines if fleet is not None else ())
        if wanted in (one.id, one.name.lower()) and asked.sees(About(machines=(one.tags,)))
    ]
    if not hits:
        raise Declined(
            "not-found", f"there is no machine {asked.path['name']} that {asked.person.name} may see"
        )
    if len(hits) > 1:
        raise Declined("invalid", f"several machines are called {asked.path['name']}; give the ARM id")
    return in_no_rollout(hits[0].name, hits[0].arm_id, asked.desk.now())


async def story(asked: Asked) -> Page[Happening]:
    """All that happened in it, oldest first. `next` is null at the end of what has happened so far."""
    wanted: OfStory = asked.query
    one = asked.rollout()
    found = await asked.whole()
    seq, index = decode(wanted.cursor, (0, 0)) if wanted.cursor else (0, -1)
    upto = one.last if isinstance(one, Ended) else None
    told: list[Happening] = []
    async with asked.desk.journal_of(one) as journal:
        facts = story_from(journal, found, (int(seq), int(index)), upto, asked.sees_in(found))
        async for fact in facts:
            if (fact.quiet and not wanted.quiet) or not _is_about(fact, wanted.machine):
                continue
            if len(told) == wanted.limit:
                return Page(tuple(told), encode((told[-1].seq, told[-1].index)))
            told.append(fact)
    return Page(tuple(told))


def _is_about(fact: Happening, machine: str) -> bool:
    return not machine or machine.lower() in map(str.lower, fact.machines)
