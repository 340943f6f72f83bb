"""The daemon for whoever operates it: metrics and health served, what happens logged, the supervisor told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import partial

import structlog

from orchestrator.daemon.readings import readings, unready
from orchestrator.daemon.service import Daemon
from orchestrator.policy.words import counted
from orchestrator.rollout.state import Ended, Rollout, RolloutStatus
from orchestrator.service.happenings import Decided, happenings
from orchestrator.telemetry.endpoint import listening
from orchestrator.telemetry.metrics import Metrics
from orchestrator.telemetry.pulse import keep_pulse
from orchestrator.telemetry.supervisor import Supervisor

log = structlog.get_logger("wavekeeper.facts")


@asynccontextmanager
async def operated(daemon: Daemon, metrics: Metrics, supervisor: Supervisor) -> AsyncIterator[None]:
    """Until the block ends. Raises `UsageError` where metrics are to be served and can't be."""
    metrics.read_off(partial(readings, daemon))
    with _listened(daemon, metrics):
        pulse = asyncio.create_task(keep_pulse(supervisor, metrics.lagged, partial(line, daemon)))
        try:
            if daemon.config.metrics is None:
                yield
            else:
                ready = partial(unready, daemon)
                async with listening(daemon.config.metrics, metrics, list, ready):
                    yield
        finally:
            pulse.cancel()


@contextmanager
def _listened(daemon: Daemon, metrics: Metrics) -> Iterator[None]:
    def hear(decided: Decided) -> None:
        tell(daemon, metrics, decided)

    with daemon.house.log.listening(hear):
        yield


def tell(daemon: Daemon, metrics: Metrics, decided: Decided) -> None:
    """Count a decision that is durable, and log its facts: those of a rollout that goes well too, since each names its machine."""
    scope = daemon.house.log.scope
    rollout = scope.rollouts.get(decided.rollout) or scope.ended.get(decided.rollout)
    campaign = _campaign(rollout)
    for fact in decided.facts:
        metrics.fact(campaign, fact)
    for one in happenings(rollout, decided):
        about = {
            "rollout": one.rollout,
            "campaign": campaign,
            "lane": one.lane,
            "machine": one.machines[0] if len(one.machines) == 1 else "",
            "machines": list(one.machines) if len(one.machines) > 1 else "",
            "who": one.who,
        }
        log.info(
            one.sentence, fact=one.event, seq=one.seq, **{key: value for key, value in about.items() if value}
        )


def _campaign(rollout: Rollout | Ended | None) -> str:
    if rollout is None:
        return ""
    return rollout.name if isinstance(rollout, Ended) else rollout.planned.plan.name


def line(daemon: Daemon) -> str:
    """How it stands, for `systemctl status`."""
    active = daemon.house.log.scope.active()
    flight = sum(one.in_flight for one in active)
    waits = sum(one.waits_for_a_person for one in active)
    stopped = sum(one.status is RolloutStatus.STOPPED for one in active)
    parts = [f"{counted(len(active), 'rollout')} under way, {counted(flight, 'machine')} in flight"]
    if waits:
        parts.append(f"{waits} waiting for a person" + (f" ({stopped} stopped)" if stopped else ""))
    good = daemon.following.followed.good
    parts.append(f"policies {good.commit.short}" if good is not None else "no commit counts yet")
    if daemon.following.followed.bad is not None:
        parts.append(f"commit {daemon.following.followed.bad.commit.short} is bad")
    return "; ".join(parts)
