"""Having machines assess what they lack, before anything is planned: whom to ask, asking them, and what each would get.

An assessment changes nothing on a machine. It takes minutes there, and a request of the budget that installations use.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final

from orchestrator.cloud.asked import Permission
from orchestrator.errors import WavekeeperError
from orchestrator.executor.assessing import THROTTLE, UNSETTLED, Assessed, assess_machine
from orchestrator.executor.services import Services, target_of
from orchestrator.hotpatch.selection import selected
from orchestrator.inventory.assessments import Assessment, Assessments, with_assessment
from orchestrator.inventory.model import Inventory, Kind, Machine, MachineId, PatchState, Update
from orchestrator.inventory.standing import tells_power, why_not
from orchestrator.planner.restarts import installation_of
from orchestrator.policy.change import Patches
from orchestrator.policy.model import Policy, Selector
from orchestrator.policy.select import matcher
from orchestrator.rollout.meanings import meaning_of
from orchestrator.service.kept import SKEW, Kept

OLDER_THAN: Final = timedelta(hours=24)
"""An assessment that is older is made anew. Azure assesses the machines that it looks after once a day."""

AT_ONCE: Final = 1500
"""Assessments under way in one subscription and region. At 200 a minute, of up to six minutes each, no more are under way anyway."""

DENIED: Final = frozenset({"AuthorizationFailed", "AccessDenied", "LinkedAuthorizationFailed"})

INCOMPLETE: Final = "ListIncomplete"
"""An assessment that doesn't name all that it found."""

ADVICE: Final[Mapping[str, str]] = {
    THROTTLE: "other requests of this subscription and region use up what Azure takes (200 a minute, installations among them); "
    "run the same command again later",
    UNSETTLED: "another operation may be under way on it: run the same command again when that is over",
    INCOMPLETE: "run the same command again; of an Arc machine Resource Graph alone knows which updates it lacks, and takes "
    f"{Permission.READ_ARC_ASSESSMENTS} to say it",
    "NeverEnded": "look at the machine: its agent or its patch extension hangs",
}
"""What to do about an assessment that wasn't made, where that is other than for an installation."""


@dataclass(frozen=True, slots=True)
class Choice:
    """Whom to ask, and whom not. Each machine that is of interest stands in one of the three; all are sorted by id."""

    ask: tuple[Machine, ...]
    recent: tuple[Machine, ...]  # those of which it is known already, by an assessment that is recent
    left: Mapping[MachineId, str]  # the reason for each


def choose(
    inventory: Inventory, among: Callable[[Machine], bool], older_than: timedelta, now: datetime
) -> Choice:
    """Whom of these machines to ask: who can answer, and hasn't lately."""
    sets = {held.id: held for held in inventory.scale_sets}
    told = tells_power(inventory)
    ask, recent, left = [], [], {}
    for machine in inventory.machines:
        if not among(machine):
            continue
        if _is_recent(machine, older_than, now):
            recent.append(machine)
        elif (why := why_not(machine, sets, power_told=told)) is not None:
            left[machine.id] = why
        else:
            ask.append(machine)
    return Choice(tuple(ask), tuple(recent), left)


def _is_recent(machine: Machine, older_than: timedelta, now: datetime) -> bool:
    at = machine.patches.assessed_at
    return machine.patches.updates is not None and at is not None and now - at < older_than


def learned(
    machines: Iterable[Machine], rows: Iterable[Mapping[str, Any]], older_than: timedelta, now: datetime
) -> tuple[Outcome, ...]:
    """What Resource Graph knows of these machines already, by assessments that somebody else asked for, and that are recent.

    One that the machine's own view contradicts (it was assessed or patched since) is passed over.
    """
    told = Assessments()
    for row in rows:
        told.take(row)
    asked = {machine.id: machine for machine in machines}
    bare = (replace(machine, patches=PatchState()) for machine in asked.values())
    return tuple(
        Outcome(asked[machine.id], at, _found(machine.patches, at))
        for machine in told.of(bare)
        if (at := machine.patches.assessed_at) is not None
        and _is_recent(machine, older_than, now)
        and _is_last(asked[machine.id].patches, at)
    )


def _found(patches: PatchState, at: datetime) -> Assessment:
    lacks = patches.updates or ()
    important = sum(any(kind.lower() in _IMPORTANT for kind in update.classifications) for update in lacks)
    return Assessment(at, patches.reboot_pending, important, len(lacks) - important, lacks)


_IMPORTANT: Final = frozenset({"critical", "security", "critical updates", "security updates"})


def _is_last(seen: PatchState, at: datetime) -> bool:
    assessed = seen.assessed_at is None or seen.assessed_at <= at + SKEW
    return assessed and (seen.installed_at is None or seen.installed_at <= at)


# What is wanted -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which machines are of interest, and what would be installed on them; without patches, everything that they lack."""

    select: Selector
    patches: Patches | None = None
    campaign: str = ""


def wanted_by(policies: Iterable[Policy], campaign: str | None = None) -> tuple[Wanted, ...]:
    """What campaigns install, or the one of this name. One that installs nothing takes no assessment."""
    return tuple(
        Wanted(policy.select, policy.campaign.change, policy.name)
        for policy in policies
        if policy.campaign is not None
        and isinstance(policy.campaign.change, Patches)
        and (campaign is None or policy.name.lower() == campaign.lower())
    )


def concerns(wanted: Sequence[Wanted]) -> Callable[[Machine], bool]:
    """Whether a machine is of interest to any of them."""
    tests = [matcher(one.select) for one in wanted]
    return lambda machine: any(test(machine) for test in tests)


def getting(wanted: Sequence[Wanted]) -> Callable[[Machine], tuple[Update, ...] | None]:
    """What a machine would get, of the updates that it lacks; None if nobody knows those."""
    tests = [
        (matcher(one.select), None if one.patches is None else installation_of(one.patches)) for one in wanted
    ]

    def gets(machine: Machine) -> tuple[Update, ...] | None:
        lacks = machine.patches.updates
        if lacks is None:
            return None
        found: dict[Update, None] = {}
        for selects, wish in tests:
            if selects(machine):
                found |= dict.fromkeys(lacks if wish is None else selected(machine.os, lacks, wish))
        return tuple(found)

    return gets


# Asking ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of asking one machine, and when that was known: what was found, or why nothing was and what to do about it."""

    machine: Machine
    at: datetime
    found: Assessment | None = None
    code: str = ""
    message: str = ""
    advice: str = ""


Told = Callable[[Outcome], None]
"""Is told of each machine when it is known what came of it."""


async def assess_all(services: Services, machines: Sequence[Machine], told: Told) -> None:
    """Ask all of them, as fast as the cloud takes it; whoever isn't permitted in a subscription is refused there once.

    Whoever ends it half-way loses nothing that was told already.
    """
    queues: defaultdict[tuple[str, str], list[Machine]] = defaultdict(list)
    for machine in machines:
        queues[machine.subscription.lower(), machine.location].append(machine)
    denied: dict[tuple[str, Permission], Assessed] = {}
    failed: BaseException | None = None
    try:
        async with asyncio.TaskGroup() as group:
            for _, waiting in sorted(queues.items()):
                turns = iter(waiting)
                for _ in range(min(AT_ONCE, len(waiting))):
                    group.create_task(_work(services, turns, denied, told))
    except* WavekeeperError as several:
        failed = several.exceptions[0]
    if failed is not None:  # such as a disk that is full: one is told, whoever met it
        raise failed


async def _work(
    services: Services, turns: Iterator[Machine], denied: dict[tuple[str, Permission], Assessed], told: Told
) -> None:
    for machine in turns:
        right = machine.subscription.lower(), permission_for(machine)
        answer = await assess_machine(
            services,
            target_of(machine),
            f"assess-{services.clock.now():%Y%m%dT%H%M%S}-{machine.name}",
            machine.patches.assessed_at,
            unless=partial(denied.get, right),
        )
        if answer.code in DENIED:
            lacks = f"this identity lacks {right[1]} in subscription {machine.subscription}"
            answer = denied.setdefault(right, replace(answer, message=lacks))
        told(_outcome(machine, services.clock.now(), answer))


def permission_for(machine: Machine) -> Permission:
    """What it takes to have this machine assess."""
    return Permission.ASSESS if machine.kind is Kind.AZURE_VM else Permission.ASSESS_ARC


def _outcome(machine: Machine, now: datetime, answer: Assessed) -> Outcome:
    code, message, found = answer.code, answer.message, answer.found
    if found is not None and found.updates is not None:
        return Outcome(machine, now, found)
    if found is not None:
        code, message = INCOMPLETE, "it counted more updates than it named"
    advice = ADVICE.get(code) or meaning_of(code, message).advice
    if code in DENIED:
        advice = f"have a role granted that includes {permission_for(machine)}; `wavekeeper doctor` says what else is missing"
    return Outcome(machine, now, None, code, message, advice)


def kept_of(one: Outcome, endpoint: str) -> Kept:
    """What was found, fit to be kept. Only for outcomes that found something."""
    assert one.found is not None
    return Kept(endpoint, one.machine.id, one.at, one.found)


def with_found(inventory: Inventory, outcomes: Iterable[Outcome]) -> Inventory:
    """The inventory with what was found, and when that was."""
    found = {one.machine.id: (one.found, one.at) for one in outcomes if one.found is not None}
    machines = tuple(
        with_assessment(machine, *found[machine.id]) if machine.id in found else machine
        for machine in inventory.machines
    )
    return replace(inventory, machines=machines)
