"""Looks at the whole fleet: once before the first grant, and now and then while a rollout runs."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final, Never

from orchestrator.cloud.port import View
from orchestrator.errors import CloudError, CloudTransient
from orchestrator.executor.held import look_again
from orchestrator.executor.services import Services
from orchestrator.executor.settings import Settings
from orchestrator.executor.wellness import NETWORK, Round, ask_network, probes_of, unwell_by_view
from orchestrator.inventory.model import AppHealth, Kind, MachineId, Power
from orchestrator.planner.model import PlannedMachine, ProbedGroup
from orchestrator.policy.model import ProbeKind
from orchestrator.probes.port import Reply
from orchestrator.rollout import messages as m
from orchestrator.rollout.membership import outsiders
from orchestrator.rollout.state import A_PERSONS, IN_FLIGHT, MachineStatus, Rollout

Report = Callable[[m.Observation], None]
Look = Callable[[Services, Rollout], Awaitable[tuple[m.Observation, ...]]]

UNLISTED: Final = "it is not listed any more"
PATCHED_BY_OTHERS: Final = "somebody else is patching it now"


async def prepare(services: Services, rollout: Rollout) -> m.Observation:
    """Ask every probe of every machine once, so that what is out already is known before anything is granted."""
    views = await sweep_all(services, rollout)
    machines = rollout.planned.plan.machines
    rounds = await _ask(services, rollout, [i for i in range(len(machines)) if _networked(rollout, i)])
    doubtful = [i for i, seen in rounds.items() if not seen.well and seen.asked]
    if doubtful:  # a second look, so that one lost packet takes no machine out of the count
        await services.clock.sleep(rollout.planned.plan.health[0].interval.total_seconds())
        rounds.update(await _ask(services, rollout, doubtful))
    out = [
        i
        for i, x in enumerate(machines)
        if _out_by_view(x, views) or (i in rounds and not rounds[i].well and rounds[i].asked)
    ]
    groups = await _ask_groups(services, rollout)
    mute = [f"{machines[i].name}: {seen.evidence}" for i, seen in rounds.items() if seen.unasked]
    mute += [f"group {group.name}: {reply.evidence}" for group, reply in groups if not reply.asked]
    asked = sum(seen.asked for seen in rounds.values()) + sum(reply.asked for _, reply in groups)
    unasked = sum(seen.unasked for seen in rounds.values()) + sum(not reply.asked for _, reply in groups)
    return m.FleetLooked(rollout.id, tuple(out), asked, unasked, next(iter(mute), ""))


async def _ask_groups(services: Services, rollout: Rollout) -> list[tuple[ProbedGroup, Reply]]:
    """What is answered about each group of the plan. One that isn't well is nobody's news before a machine of it is to be granted."""
    groups, within = rollout.planned.plan.group_probes, rollout.planned.plan.health[0].interval
    replies = await asyncio.gather(*(services.groups.ask(group, within) for group in groups))
    return list(zip(groups, replies, strict=True))


async def sweep_all(services: Services, rollout: Rollout) -> Mapping[MachineId, View]:
    """The views of all subscriptions of a plan; tried until it succeeds, since nothing may start without.

    Raises:
        CloudPermanent, AccessDenied: It won't succeed before a person has done something about it.
    """
    views: dict[MachineId, View] = {}
    for subscription, kinds in _held(rollout):
        while True:
            try:
                views.update(await services.views.sweep(subscription, kinds))
                break
            except CloudTransient:
                await services.clock.sleep(services.settings.settle_every.total_seconds())
    return views


def _out_by_view(machine: PlannedMachine, views: Mapping[MachineId, View]) -> bool:
    """Whether a machine doesn't serve, by its view alone: not listed, not running, its application unwell, or somebody patches it.

    A run that somebody else began (a schedule, a person) may restart the machine at any moment: it counts as out until that is over.
    A guest agent that is away takes nothing from users; it keeps a machine from being changed, which its own check sees.
    """
    view = views.get(machine.id)
    return view is None or not serves(view)


def serves(view: View) -> bool:
    """Whether a machine serves, as far as its view tells."""
    return view.power is Power.RUNNING and view.app_health is not AppHealth.UNHEALTHY and not view.installing


async def catch_up(services: Services, rollout: Rollout) -> tuple[m.Observation, ...]:
    """Who went out, or came back, while nobody looked: asked by a process that goes on with a rollout, before it grants.

    Whoever seems out is asked as often as its policy says before that is believed. Raises as `sweep_all`.
    """
    plan = rollout.planned.plan
    networked = [i for i in range(len(plan.machines)) if _networked(rollout, i)]
    seen_at = services.clock.now()
    views = await sweep_all(services, rollout)
    strangers = outsiders(rollout)
    others = (_of_outsiders(rollout, strangers, views),) if strangers else ()
    seen = await _look(services, rollout, views, networked)
    for _ in range(max(health.fail_after for health in plan.health) - 1):
        doubtful = {i for i, bad in seen.items() if bad}
        if not doubtful:
            break
        await services.clock.sleep(plan.health[0].interval.total_seconds())
        networked = [i for i in sorted(doubtful) if _networked(rollout, i)]
        again = await _look(services, rollout, await sweep_all(services, rollout), networked)
        seen = {i: again.get(i, "") if i in doubtful else bad for i, bad in seen.items()}
    out = {i: bad for i, bad in seen.items() if bad}
    return (*others, *_changes(rollout, out, [i for i in seen if not seen[i]], seen_at))


async def look_anew(services: Services, rollout: Rollout) -> tuple[m.Observation, ...]:
    """As `catch_up`, on a host that has just woken up: it may be without a network, or a login, for a while."""
    while True:
        try:
            return await catch_up(services, rollout)
        except CloudError:
            await services.clock.sleep(services.settings.settle_every.total_seconds())


async def watch(services: Services, rollout: Rollout, report: Report) -> Never:
    """Look at the fleet now and then, for as long as this is desired, and report who went out or came back."""
    settings = services.settings
    every = looks_each(settings, len(rollout.machines))
    misses: Counter[int] = Counter()
    turn, looked_at = 0, services.clock.now()
    while True:
        await services.clock.sleep(every.total_seconds())
        if services.clock.now() - looked_at >= settings.held_every:
            looked_at = services.clock.now()
            if (held := await look_again(services, rollout)) is not None:
                report(held)
        try:
            views, seen_at = await _sweeps(services, rollout, every / 2)
        except CloudError:
            continue
        seen = await _look(services, rollout, views, _turn(rollout, turn, settings.watch_probes), seen_at)
        turn += 1
        _count(rollout, misses, seen)
        out = {i: bad for i, bad in seen.items() if bad and misses[i] == _looks(rollout, i, bad)}
        for observation in _changes(rollout, out, [i for i in seen if not seen[i]], seen_at):
            report(observation)
        if strangers := outsiders(rollout):
            report(_of_outsiders(rollout, strangers, views))


def looks_each(settings: Settings, machines: int) -> timedelta:
    """How often a fleet of so many is looked at: a look lists every machine, and lists have a narrow quota of their own."""
    return min(settings.watch_most, max(settings.watch_least, machines * settings.watch_per_machine))


def _of_outsiders(
    rollout: Rollout, strangers: Sequence[MachineId], views: Mapping[MachineId, View]
) -> m.OutsidersLooked:
    """How those stand that count and that the plan doesn't have: by their views alone, since no plan says what to ask them.

    One that is deleted again leaves its groups as they were reviewed, and counts no more.
    """
    out = tuple(one for one in strangers if (view := views.get(one)) is not None and not serves(view))
    return m.OutsidersLooked(rollout.id, out, tuple(one for one in strangers if one not in out))


def _looks(rollout: Rollout, index: int, bad: str) -> int:
    """How many looks in a row it takes to believe that a machine is out. A patch run that is shown is no lost packet."""
    plan = rollout.planned.plan
    return 1 if bad == PATCHED_BY_OTHERS else plan.health[plan.machines[index].health].fail_after


def _count(rollout: Rollout, misses: Counter[int], seen: Mapping[int, str]) -> None:
    """Misses in a row; a machine that a grant is about begins anew after it."""
    for index in [i for i in misses if rollout.machines[i].status in IN_FLIGHT | A_PERSONS]:
        del misses[index]
    for index, bad in seen.items():
        misses[index] = misses[index] + 1 if bad else 0


async def _look(
    services: Services,
    rollout: Rollout,
    views: Mapping[MachineId, View],
    networked: Sequence[int],
    seen_at: datetime | None = None,
) -> dict[int, str]:
    """Why each machine is out, empty if it serves; without those that nobody can tell of now, or that a grant is about.

    `networked` are asked over the network, so many at a time. `seen_at`: when the views were asked for, where that was a while ago; of
    a machine about which something was decided since then they tell nothing.
    """
    rounds = await _ask(services, rollout, networked)
    seen = {}
    for index, machine in enumerate(rollout.planned.plan.machines):
        run = rollout.machines[index]
        known_since = seen_at is not None and run.since is not None and run.since > seen_at
        if run.status not in IN_FLIGHT | A_PERSONS and not known_since:
            bad = _bad(rollout, index, views.get(machine.id), rounds.get(index))
            if bad is not None:
                seen[index] = bad
    return seen


async def _ask(services: Services, rollout: Rollout, machines: Sequence[int]) -> dict[int, Round]:
    """One round of each machine's network probes, by as many tasks as may ask at a time, however large the fleet."""
    plan, left = rollout.planned.plan, iter(machines)
    rounds: dict[int, Round] = {}

    async def work() -> None:
        for index in left:
            machine = plan.machines[index]
            rounds[index] = await ask_network(services, machine, probes_of(plan, machine))

    await asyncio.gather(*(work() for _ in range(min(len(machines), services.settings.prepare_at_once))))
    return {index: rounds[index] for index in machines}


def _changes(
    rollout: Rollout, out: Mapping[int, str], back: Sequence[int], seen_at: datetime | None = None
) -> tuple[m.Observation, ...]:
    """One observation for each machine that is out, with its own evidence, and one for all that serve.

    One that was to be changed yet and isn't listed any more is gone: nothing is left to wait for, and whoever is kept waiting by
    it is told so, and by what word of a person it ends.
    """
    gone = [
        m.FoundGone(rollout.id, index)
        if out[index] == UNLISTED and rollout.machines[index].status is MachineStatus.PENDING
        else m.FleetChanged(rollout.id, (index,), (), out[index])
        for index in sorted(out)
    ]
    return (*gone, *([m.FleetChanged(rollout.id, (), tuple(back), seen_at=seen_at)] if back else []))


def _networked(rollout: Rollout, index: int) -> bool:
    """Whether it is to be asked over the network."""
    plan = rollout.planned.plan
    return any(plan.probes[p].kind in NETWORK for p in plan.machines[index].probes)


async def _sweeps(
    services: Services, rollout: Rollout, within: timedelta
) -> tuple[dict[MachineId, View], datetime]:
    """The views of all subscriptions, and since when they may be so: the moment at which the first of them was asked for."""
    views: dict[MachineId, View] = {}
    seen_at = services.clock.now()
    for subscription, kinds in _held(rollout):
        views.update(await services.views.sweep(subscription, kinds, within))
        seen_at = min(seen_at, services.views.asked_at(subscription) or seen_at)
    return views, seen_at


def _held(rollout: Rollout) -> list[tuple[str, frozenset[Kind]]]:
    """The plan's subscriptions, each with the kinds of machine to look for: no list is asked for that may not be read."""
    kinds: dict[str, set[Kind]] = {}
    for machine in rollout.planned.plan.machines:
        kinds.setdefault(machine.subscription, set()).add(machine.kind)
    return [(subscription, frozenset(kinds[subscription])) for subscription in sorted(kinds)]


def _turn(rollout: Rollout, turn: int, limit: int) -> list[int]:
    """The machines whose network probes are asked in this look: those that are done or out, in turns.

    And those of Arc that wait: Azure tells a quarter of an hour late that one of them went silent.
    """
    machines = rollout.planned.plan.machines
    wanted = [
        i
        for i, run in enumerate(rollout.machines)
        if (
            run.status is MachineStatus.DONE
            or run.status is MachineStatus.LEFT_OUT
            or (run.status is MachineStatus.PENDING and machines[i].kind is not Kind.AZURE_VM)
        )
        and _networked(rollout, i)
    ]
    if len(wanted) <= limit:
        return wanted
    start = turn * limit % len(wanted)
    return (wanted + wanted)[start : start + limit]


def _bad(rollout: Rollout, index: int, view: View | None, network: Round | None) -> str | None:
    """Why the machine is out; empty if it serves; None where this look can't tell, or where it no longer matters."""
    if view is None:  # one that is done may be deleted afterwards
        done = rollout.machines[index].status is MachineStatus.DONE
        return None if done else UNLISTED
    plan, machine = rollout.planned.plan, rollout.planned.machine(index)
    probes = tuple(p for p in probes_of(plan, machine) if p.kind is not ProbeKind.VM_AGENT)
    by_view = unwell_by_view(probes, view)
    if by_view:
        return by_view
    if view.installing and rollout.machines[index].status is not MachineStatus.DONE:
        return PATCHED_BY_OTHERS  # no failure of one that is done: that is for when it goes out
    if any(p.kind in NETWORK for p in probes):
        if network is None:
            return None
        return network.evidence if network.asked or network.well else None
    return ""
