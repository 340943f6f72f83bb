"""A rollout in a line, for lists of them: who it is, how it stands, how far it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from orchestrator.rollout.state import Ended, Rollout, Scope


@dataclass(frozen=True, slots=True)
class RolloutLine:
    """One rollout. `counts` are its machines by state, `machines` how many it changes; `archive` is the file that has its facts, if
    the journal hasn't any more.
    """

    id: str
    campaign: str
    status: str
    cause: str
    by: str
    stage: str
    who: str
    reason: str
    started_at: datetime
    ended_at: datetime | None
    machines: int
    counts: Mapping[str, int]
    due: datetime | None
    commit: str
    archive: str


def campaign_of(one: Rollout | Ended) -> str:
    """The campaign that it is a rollout of."""
    return one.name if isinstance(one, Ended) else one.planned.plan.name


def with_whole(scope: Scope, rollout: Rollout) -> Scope:
    """The scope with this rollout whole in it, which may be one that was put away or archived. It shares all else; only look at it."""
    if scope.rollouts.get(rollout.id) is rollout:
        return scope
    ended = {name: one for name, one in scope.ended.items() if name != rollout.id}
    return replace(scope, rollouts={**scope.rollouts, rollout.id: rollout}, ended=ended)


def line_of(one: Rollout | Ended) -> RolloutLine:
    """The line of a rollout, whatever is kept of it."""
    stage, machines, archive = "", 0, ""
    if isinstance(one, Ended):
        machines, archive = one.changing, one.archive
    else:
        stage, machines = one.planned.plan.stages[one.stage].name, one.planned.changing
    return RolloutLine(
        one.id,
        campaign_of(one),
        str(one.status),
        one.cause,
        one.by,
        stage,
        one.who,
        one.reason,
        one.started_at,
        one.ended_at,
        machines,
        {str(status): number for status, number in sorted(one.counts.items()) if number},
        one.due,
        one.commit,
        archive,
    )
