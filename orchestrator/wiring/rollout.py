"""A rollout put together: cloud, probes, webhooks, journal, host. For the command, the demonstration and the benchmarks alike."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import orjson

from orchestrator.egress.rules import ON_A_DESK, Rules
from orchestrator.errors import Refused, UsageError
from orchestrator.executor.collector import nothing_collected
from orchestrator.executor.log import Log, replay
from orchestrator.executor.plans import documents_of, planned
from orchestrator.executor.services import Services, services
from orchestrator.executor.settings import Settings
from orchestrator.executor.whole import whole
from orchestrator.hosts.local import LocalHost
from orchestrator.hosts.resting import Pace
from orchestrator.hosts.scope import ScopeHost
from orchestrator.inventory.model import Inventory
from orchestrator.notify.port import Webhooks
from orchestrator.notify.webhook import HttpWebhooks, Target
from orchestrator.planner.document import digest
from orchestrator.planner.facts import facts_of
from orchestrator.policy.model import ProbeKind
from orchestrator.probes.http import HttpProber
from orchestrator.probes.port import Prober
from orchestrator.probes.tcp import TcpProber
from orchestrator.rollout.decide import decide
from orchestrator.rollout.letters import Handover
from orchestrator.rollout.messages import Start
from orchestrator.rollout.planned import Planned
from orchestrator.rollout.state import Rollout, Scope
from orchestrator.service.enrolment import moved_since
from orchestrator.service.start import (
    drift,
    known_rollout,
    new_id,
    refuse_if_outrun,
    refuse_unknown_webhooks,
    refuse_unless_judged,
)
from orchestrator.store.port import Journal, Letter
from orchestrator.wiring.cloud import Cloud, is_loopback
from orchestrator.wiring.counted import CountedWebhooks
from orchestrator.wiring.files import read_bytes

__all__ = [
    "ReadPlan",
    "Running",
    "ScopeHost",
    "Services",
    "aim",
    "begin",
    "doors",
    "going_on",
    "make_services",
    "open_scope",
    "prepare",
    "read_plan",
    "read_webhooks",
    "settings_of",
    "start",
    "start_command",
]


T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Running:
    """A rollout that is ready to be driven, or driven."""

    house: ScopeHost
    host: LocalHost
    rollout: Rollout
    scope: Scope
    services: Services
    resumed: bool

    async def run(self) -> None:
        """Drive it, and what is handed over meanwhile, until nothing moves any more by itself."""
        await self.house.run()


def read_webhooks(path: Path | None) -> Mapping[str, Target]:
    """Where webhooks go: `{"name": {"url": "https://...", "secret": "..."}}`. Raises `UsageError` with every mistake."""
    if path is None:
        return {}
    try:
        document = orjson.loads(read_bytes(path, "webhook file"))
    except orjson.JSONDecodeError as error:
        raise UsageError(f"{path}: not JSON: {error}") from None
    if not isinstance(document, dict):
        raise UsageError(f'{path}: expected an object such as {{"lb-drain": {{"url": "https://..."}}}}')
    wrong = [name for name, entry in document.items() if not _is_target(entry)]
    if wrong:
        raise UsageError(f'{path}: {", ".join(wrong)}: expected {{"url": "https://...", "secret": "..."}}')
    return {name: Target(entry["url"], entry.get("secret", "")) for name, entry in document.items()}


def _is_target(entry: Any) -> bool:
    if not isinstance(entry, dict) or set(entry) - {"url", "secret"}:
        return False
    url = entry.get("url")
    return (
        isinstance(url, str)
        and url.startswith(("http://", "https://"))
        and isinstance(entry.get("secret", ""), str)
    )


LOOPBACK_TRANSIT_S = 1.0
"""Real seconds within which a request to this very machine has arrived: nothing queues but the emulator's own loop, which
takes requests in the order in which it answers them."""


def settings_of(cloud: Cloud, looks: timedelta | None = None) -> Settings:
    """The executor's pace with this cloud. `looks`: how often the whole fleet is looked at, at the most."""
    made = Settings(in_transit_s=LOOPBACK_TRANSIT_S) if is_loopback(cloud.endpoint) else Settings()
    return made if looks is None else replace(made, watch_least=looks, watch_most=max(made.watch_most, looks))


def make_services(
    cloud: Cloud, webhooks: Webhooks, settings: Settings | None = None, egress: Rules = ON_A_DESK
) -> Services:
    """The doors to machines and the cloud, with the pace of this cloud. `egress` says where probes may go."""
    settings = settings or settings_of(cloud)
    probers: Mapping[ProbeKind, Prober] = {
        ProbeKind.HTTP: HttpProber(egress=egress),
        ProbeKind.TCP: TcpProber(egress=egress),
    }
    return services(cloud.provider, probers, webhooks, cloud.clock, settings, _in_a_thread)


async def _in_a_thread(work: Callable[[], T]) -> T:
    return await asyncio.to_thread(work)


@asynccontextmanager
async def doors(
    cloud: Cloud,
    webhooks: Mapping[str, Target],
    settings: Settings | None = None,
    egress: Rules = ON_A_DESK,
) -> AsyncIterator[Services]:
    """Services that are given back at the end. Probes and webhooks go where `egress` says: a person's own command may ask its machine."""
    made = make_services(cloud, HttpWebhooks(webhooks, egress=egress), settings, egress)
    try:
        yield made
    finally:
        for prober in made.probers.values():
            await prober.close()
        await made.webhooks.close()
        await made.views.close()
        await cloud.provider.close()


def aim(made: Services, webhooks: Mapping[str, Target]) -> None:
    """Have webhooks go where a newer configuration says; calls under way go where they were sent."""
    assert isinstance(made.webhooks, HttpWebhooks | CountedWebhooks)
    made.webhooks.aim(webhooks)


async def open_scope(
    journal: Journal, made: Services, *, endpoint: str = "", pace: Pace | None = None, stay: bool = False
) -> ScopeHost:
    """A scope as its journal tells it, to drive rollouts of. The journal is held by now. `stay`: also while there are none."""
    log = Log(await replay(journal), journal)
    return ScopeHost(log, made, partial(_take, endpoint), pace, stay=stay)


async def begin(
    journal: Journal,
    made: Services,
    plan: bytes,
    *,
    who: str,
    reason: str = "",
    live: Inventory | None = None,
    accept_drift: bool = False,
    pace: Pace | None = None,
    endpoint: str = "",
    read: ReadPlan | None = None,
    emergency: str = "",
) -> Running:
    """Start a reviewed plan, or go on with the rollout of it that the journal knows, be it over. The journal is held by now.

    `read` is the plan, if somebody has read it already.
    `live` is the fleet as it is at this moment: a plan is compared with it and judged by it before it starts.
    Raises `Refused` and `PlanRefused`, with nothing done.
    """
    house = await open_scope(journal, made, endpoint=endpoint, pace=pace)
    scope = house.log.scope
    known = await going_on(journal, scope, plan, made.clock.scale)
    if known is not None:
        return Running(house, house.drive(known), known, scope, made, resumed=True)
    read = read or read_plan(plan)
    handover = await prepare(
        read, made, who=who, reason=reason, live=live, accept_drift=accept_drift, emergency=emergency
    )
    rollout = await _start(house, read, _command(scope, read, handover, made.clock.now()))
    return Running(house, house.drive(rollout), rollout, scope, made, resumed=False)


async def going_on(journal: Journal, scope: Scope, plan: bytes, scale: float) -> Rollout | None:
    """The rollout of this plan that the journal knows, if any. Raises `Refused` where it was begun on another clock, or is archived."""
    return await _known(journal, scope, digest(plan), scale)


async def _known(journal: Journal, scope: Scope, name: str, scale: float) -> Rollout | None:
    known = known_rollout(scope, name)
    if known is not None and known.scale != scale:
        raise Refused(
            f"rollout {known.id} was started where time runs {known.scale:g} times as fast; go on there"
        )
    return None if known is None else await whole(scope, journal, known)


@dataclass(frozen=True, slots=True)
class ReadPlan:
    """A plan's file, read once for all that is asked of it. `kept` is what a journal keeps of it."""

    file: bytes
    planned: Planned
    digest: str
    kept: Mapping[str, bytes]


def read_plan(file: bytes) -> ReadPlan:
    """Read and index a plan: a second or two for 100,000 machines. Raises `UsageError` for what is none."""
    with nothing_collected():
        read = planned(file, "the plan")
        return ReadPlan(file, read, digest(file), documents_of(file, read))


async def prepare(
    plan: ReadPlan,
    made: Services,
    *,
    who: str,
    reason: str = "",
    live: Inventory | None = None,
    accept_drift: bool = False,
    endpoint: str = "",
    due: datetime | None = None,
    commit: str = "",
    emergency: str = "",
) -> Handover:
    """Hold a plan to the judge and to the fleet as it is, beside the loop. Without `live`, it was made of that very fleet, and judged.

    Raises `Refused` and `PlanRefused`, with nothing done.
    """
    refuse_unknown_webhooks(plan.planned.plan, made.webhooks.knows)
    dropped = await made.aside(partial(_held, plan, live, accept_drift=accept_drift))
    return Handover(plan.file, who, reason, dropped, endpoint, made.clock.scale, due, commit, emergency)


def _held(plan: ReadPlan, live: Inventory | None, *, accept_drift: bool) -> tuple[tuple[int, str], ...]:
    """Whom the plan leaves alone after all, and why. Seconds for large plans. Raises as `prepare`."""
    parsed = plan.planned.plan
    if not any(machine.change for machine in parsed.machines):
        raise Refused("the plan changes no machine: all that it selects are left out, see wavekeeper explain")
    if live is None:
        return ()
    with nothing_collected():
        moved = drift(parsed, live, facts_of(parsed))
        refuse_if_outrun(parsed, moved, accept=accept_drift)
        dropped = tuple(dict((*moved_since(parsed, live), *moved.dropped)).items())
        refuse_unless_judged(plan.file, live, [parsed.machines[index].id for index, _ in dropped])
    return dropped


async def start(house: ScopeHost, plan: ReadPlan, handover: Handover) -> Rollout:
    """Begin a plan in a process that drives its scope. Raises `Refused` where it may not beside what goes on, such as `Busy`."""
    command = _command(house.log.scope, plan, handover, house.services.clock.now())
    rollout = await _start(house, plan, command)
    house.drive(rollout)
    return rollout


async def _start(house: ScopeHost, plan: ReadPlan, command: Start, letters: Sequence[str] = ()) -> Rollout:
    """Write down that a plan begins. Raises `Refused` where it may not beside what goes on."""
    scope = house.log.scope
    at = scope.event_time(house.services.clock.now())
    _, commit = house.log.record(
        command.rollout,
        decide(scope, command, at),
        at,
        planned=command.planned,
        documents=plan.kept,
        letters=letters,
    )
    await commit
    return scope.rollouts[command.rollout]


def start_command(scope: Scope, plan: ReadPlan, handover: Handover, now: datetime) -> Start:
    """The command that begins a plan. Raises `Refused` where it may not begin beside what goes on, such as `Busy`."""
    command = _command(scope, plan, handover, now)
    decide(scope, command, scope.event_time(now))
    return command


def _command(scope: Scope, plan: ReadPlan, handover: Handover, now: datetime) -> Start:
    return Start(
        new_id(scope, plan.planned.plan, handover.due or now),
        plan.planned,
        plan.digest,
        handover.who,
        handover.reason,
        handover.dropped,
        handover.scale,
        handover.due,
        handover.commit,
        handover.emergency,
    )


async def _take(endpoint: str, house: ScopeHost, letter: Letter, handover: Handover) -> Rollout:
    """Run what another process hands over, or go on with it. Raises `Refused` with what to do instead."""
    made = house.services
    if (handover.endpoint, handover.scale) != (endpoint, made.clock.scale):
        raise Refused(
            f"the process that writes this journal works on another cloud ({endpoint or 'Azure'}); "
            "use another journal: --journal FILE"
        )
    log = house.log
    read: ReadPlan | None = None
    name = await made.aside(partial(digest, handover.plan))
    known = await _known(log.journal, log.scope, name, made.clock.scale)
    if known is None:
        read = await made.aside(partial(read_plan, handover.plan))
        refuse_unknown_webhooks(read.planned.plan, made.webhooks.knows)
        known = await _known(log.journal, log.scope, name, made.clock.scale)  # handed over twice
    if known is None:
        assert read is not None
        command = _command(log.scope, read, handover, made.clock.now())
        return await _start(house, read, command, [letter.id])
    at = log.scope.event_time(made.clock.now())
    _, commit = log.record(known.id, (), at, letters=[letter.id])
    await commit
    return known
