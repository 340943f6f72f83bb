"""What metrics read off the daemon, and whether it is ready: nothing is asked of anybody, and nothing waits."""

from __future__ import annotations

import os
import shutil
from collections import Counter
from collections.abc import Iterator
from importlib.metadata import version
from typing import Final

from orchestrator.daemon.service import Daemon
from orchestrator.rollout.ended import known, still_left
from orchestrator.rollout.holds import standing
from orchestrator.rollout.state import MachineStatus, RolloutStatus, Scope
from orchestrator.telemetry.model import Readings

VERSION: Final = version("wavekeeper")

LEAST_FREE: Final = 64 << 20
"""Bytes below which the journal's disk counts as full: some hundred thousand decisions."""


def readings(daemon: Daemon) -> Readings:
    """How the daemon stands now."""
    scope, followed, now = daemon.house.log.scope, daemon.following.followed, daemon.cloud.clock.now()
    entries = daemon.entries()
    budgets = [rule.limit - taken for rule, taken in scope.ledger.budgets()]
    rollouts = Counter(str(one.status) for one in known(scope))
    queued, mute = _untold(scope)
    age = daemon.fleet.age
    swept_at, health = daemon.house.services.views.swept_at, daemon.living.health
    good, ends = followed.good, daemon.certificate_ends()
    return Readings(
        version=VERSION,
        rollouts={str(status): rollouts[str(status)] for status in RolloutStatus},
        machines=_machines(scope),
        in_flight=sum(one.in_flight for one in scope.rollouts.values()),
        undecided=_undecided(scope),
        out_by_us=len(scope.ledger.grants),
        out_by_others=len(scope.ledger.others.keys() - scope.ledger.grants.keys()),
        budgets=len(budgets),
        budgets_full=sum(room <= 0 for room in budgets),
        room_lowest=min(budgets, default=None),
        journal_rows=scope.seq,
        inventory_age_s=age.total_seconds() if age is not None else None,
        health_age_s=(now - swept_at).total_seconds() if swept_at is not None else None,
        fleet={"serving": health.of - len(health.out), "out": len(health.out)} if health is not None else {},
        commit=good.commit.short if good is not None else "",
        commit_made_s=good.commit.at.timestamp() if good is not None else None,
        commit_refused=followed.bad is not None,
        git_unreachable_s=(now - followed.unreachable_since).total_seconds()
        if followed.unreachable_since
        else 0.0,
        next_s={one.campaign: (one.next - now).total_seconds() for one in entries if one.next is not None},
        waiting={
            one.campaign: one.due is not None and one.campaign in daemon.opening.waits for one in entries
        },
        queued=queued,
        mute=mute,
        queues_held=len(daemon.house.services.dispatcher.held()),
        holds=len(standing(scope.holds, now)),
        certificate_expires_s=ends.timestamp() if ends is not None else None,
    )


def _machines(scope: Scope) -> dict[tuple[str, str], int]:
    """Of rollouts that aren't over, each status of each campaign, so that a series doesn't come and go."""
    found: Counter[tuple[str, str]] = Counter()
    for rollout in scope.rollouts.values():
        if not rollout.over or rollout.in_flight:
            for status in MachineStatus:
                found[rollout.planned.plan.name, str(status)] += rollout.counts[status]
    return dict(found)


def _undecided(scope: Scope) -> int:
    left = (one for ended in scope.ended.values() for _, one in still_left(scope, ended))
    return sum(one.counts[MachineStatus.UNDECIDED] for one in scope.rollouts.values()) + sum(
        one.status is MachineStatus.UNDECIDED for one in left
    )


def _untold(scope: Scope) -> tuple[dict[str, int], frozenset[str]]:
    """By webhook, of rollouts and of the daemon; those that can't be told."""
    tidings = scope.tidings
    queued: Counter[str] = Counter(dict.fromkeys(tidings.receivers, 0))
    mute = set(tidings.mute)
    for webhook, news in tidings.untold.items():
        queued[webhook] += len(news)
    for rollout in scope.rollouts.values():
        for webhook, notices in rollout.untold.items():
            queued[webhook] += len(notices)
        mute.update(rollout.mute)
    return dict(queued), frozenset(mute & queued.keys())


# Health -----------------------------------------------------------------------------------------------------------


def unready(daemon: Daemon) -> list[str]:
    """Why the daemon can't do all that it is for, a sentence each; empty: it can."""
    return [*_disk(daemon), *_policies(daemon), *_fleet(daemon)]


def _disk(daemon: Daemon) -> Iterator[str]:
    path = daemon.config.journal
    try:
        free = shutil.disk_usage(path.parent).free
    except OSError as error:
        yield f"the journal's folder can't be looked at: {error.strerror}"
        return
    if free < LEAST_FREE:
        yield f"the journal's disk is full: {free >> 20} MiB are left"
    if not os.access(path, os.W_OK):
        yield "the journal can't be written"


def _policies(daemon: Daemon) -> Iterator[str]:
    if daemon.following.followed.good is None:
        yield "no commit of the policies counts yet"


def _fleet(daemon: Daemon) -> Iterator[str]:
    age = daemon.fleet.age
    if age is None:
        yield "the fleet was not read yet"
    elif age > daemon.config.inventory_limit:
        yield f"the inventory is {age.total_seconds() / 60:.0f} minutes old"
