"""What is told of a name that somebody typed, read off a scope in which what it names is whole (`look.look_for`)."""

from __future__ import annotations

from datetime import datetime

from orchestrator.rollout.events import Archived
from orchestrator.rollout.state import Blocked, Rollout, Scope
from orchestrator.service.ending import exit_code
from orchestrator.service.follow import rests
from orchestrator.service.office import (
    OfArchived,
    OfMachine,
    OfRollout,
    OfSeveral,
    Standing,
    Went,
    Whereabouts,
)
from orchestrator.service.status import archived_status, machine_status, status
from orchestrator.service.verbs import archived_rollout, find
from orchestrator.store.port import Writer


def whereabouts(
    scope: Scope, name: str | None, real: datetime, writer: Writer | None, *, among: Scope | None = None
) -> Whereabouts:
    """Where a rollout or a machine stands; without a name, the rollout that goes on, or each if several do.

    `real` is the time by this machine's clock; `among` are the rollouts that whoever asks may see, if not all. Raises `UsageError` for what
    isn't there.
    """
    seen = scope if among is None else among
    going_on = [rollout for rollout in seen.rollouts.values() if not rollout.over]
    if name is None and len(going_on) > 1:
        return OfSeveral(tuple(status(scope, one, moment(scope, one, real)) for one in going_on))
    if (ended := archived_rollout(seen, name)) is not None:
        return OfArchived(ended.id, ended.archive, archived_status(scope, ended))
    found = find(seen, name)
    now = moment(scope, found.rollout, real)
    if name is not None and found.machine >= 0:
        return OfMachine(name, found.rollout.id, machine_status(scope, found.rollout, found.machine, now))
    return OfRollout(status(scope, found.rollout, now), writer)


def standing(scope: Scope, rollout: Rollout, real: datetime) -> Standing:
    """How a rollout stands for whoever follows it."""
    told = status(scope, rollout, moment(scope, rollout, real))
    return Standing(told, rests(rollout), int(exit_code(rollout)))


def moment(scope: Scope, rollout: Rollout, real: datetime) -> datetime:
    """The present. Where emulated time runs faster, only its writer knows it: then the moment of the last fact."""
    if scope.last is None:
        return real
    return max(scope.last, real) if rollout.scale == 1 else scope.last


def went(fact: Archived, space: str) -> Went:
    """An archiving, as it is told. `space` says why the journal's file keeps its size, if it does."""
    left = (
        f"{one.name} of {ended.id}, {one.status}" for ended in fact.rollouts for one in ended.left.values()
    )
    return Went(fact.archive, fact.rows, tuple(one.id for one in fact.rollouts), tuple(left), space)


def blocks(scope: Scope) -> tuple[Blocked, ...]:
    """The updates that are kept out, by their numbers."""
    return tuple(scope.blocked[kb] for kb in sorted(scope.blocked))
