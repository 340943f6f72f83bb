"""How long a journal keeps what is over, and which rollouts may go by that. Pure: whoever moves them asks here first."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from orchestrator.rollout import events as e
from orchestrator.rollout.ended import owes, summary
from orchestrator.rollout.shared_events import Held, OutSince
from orchestrator.rollout.state import Ended, Rollout, Scope


@dataclass(frozen=True, slots=True)
class Retention:
    """What stays: rollouts that ended within `older_than`, and the `keep_last` that ended last. Both hold where both are given."""

    older_than: timedelta = timedelta(0)
    keep_last: int = 0


@dataclass(frozen=True, slots=True)
class MayGo:
    """The rollouts that may go into an archive, those that ended first first; and those that stay though they are old enough, and why."""

    ids: tuple[str, ...]
    held: tuple[tuple[str, str], ...]


def may_go(scope: Scope, retention: Retention, now: datetime, *, driven: Collection[str] = ()) -> MayGo:
    """Which ended rollouts may go into an archive at `now`. `driven` are those that this process has in hand.

    Machines that they left out go nowhere: they stay on the books of the journal. What is still to be done around a rollout keeps it
    here, since nobody would do it for one that is archived.
    """
    ended = sorted(_ended(scope), key=lambda one: (one[0], one[1].after))
    old = ended[: len(ended) - retention.keep_last] if retention.keep_last else ended
    going, held = [], []
    for at, rollout in old:
        if at + retention.older_than > now:
            continue
        why = owes(rollout) if isinstance(rollout, Rollout) else ""
        if rollout.id in driven:
            why = why or "this process has it in hand"
        if why:
            held.append((rollout.id, why))
        else:
            going.append(rollout.id)
    return MayGo(tuple(going), tuple(held))


def _ended(scope: Scope) -> list[tuple[datetime, Rollout | Ended]]:
    found: list[tuple[datetime, Rollout | Ended]] = [
        (rollout.ended_at, rollout) for rollout in scope.rollouts.values() if rollout.ended_at is not None
    ]
    found += [(ended.ended_at, ended) for ended in scope.ended.values() if not ended.archive]
    return found


def archived(scope: Scope, ids: Collection[str], archive: str, rows: int) -> e.Archived:
    """The fact that rollouts went into an archive: who they were, and all that is out as of now."""
    ledger = scope.ledger
    gone = [summary(scope, one) for one in scope.rollouts.values() if one.id in ids]
    gone += [one for one in scope.ended.values() if one.id in ids]
    return e.Archived(
        archive,
        rows,
        tuple(replace(one, archive=archive) for one in sorted(gone, key=lambda one: one.after)),
        tuple(Held(machine, grant) for machine, grant in ledger.grants.items()),
        tuple(OutSince(machine, since) for machine, since in ledger.others.items()),
    )
