"""Who is taken up once more in a campaign's next windows, after its rollout is over. Pure arithmetic on what rollouts came to.

The rule. A moment of a schedule opens one rollout; when that is over, and as long as the campaign's deadline (from that moment) lasts and
no later moment has come, each opening of the campaign's own windows may open one more for the same moment; without windows, each day. It
is planned on a fresh inventory and changes whom the campaign selects now and no rollout of this moment has settled:

- left out (it waited for too long, its windows closed, it was off or out), not begun, or new in the fleet: taken up;
- not changed, and well: taken up once;
- done, skipped or written off by a person, gone, unhealthy, undecided: not taken up.

The same set of machines is never taken up twice, nobody's abort is undone, and where nobody is left, nothing is opened.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Final

from orchestrator.daemon.calendar import Due, Entry, campaign_of
from orchestrator.daemon.config import OBSERVED, Campaign
from orchestrator.inventory.model import MachineId
from orchestrator.policy.model import Policy
from orchestrator.policy.schedules import due_last
from orchestrator.policy.windows import calendar, spans
from orchestrator.rollout.state import Ended, MachineStatus, Rollout, RolloutStatus

EACH: Final = timedelta(days=1)
"""Of a campaign without windows, which would else be taken up the moment it is over."""

TRIES: Final = 2
"""How many rollouts of one moment try a machine whose change doesn't take."""

_TAKEN_UP: Final = frozenset({MachineStatus.LEFT_OUT, MachineStatus.PENDING})

_WHY: Final = {
    MachineStatus.DONE: "done already",
    MachineStatus.SKIPPED: "skipped by a person",
    MachineStatus.WRITTEN_OFF: "written off",
    MachineStatus.GONE: "gone",
    MachineStatus.NOT_CHANGED: "not changed twice",
}


@dataclass(frozen=True, slots=True)
class Tried:
    """What a rollout came to, as far as it matters to those after it."""

    rollout: str
    changing: frozenset[MachineId]
    statuses: tuple[tuple[MachineId, MachineStatus], ...]


def tried(rollout: Rollout) -> Tried:
    """Of a rollout that is over."""
    statuses = tuple(
        (machine.id, run.status)
        for machine, run in zip(rollout.planned.plan.machines, rollout.machines, strict=True)
        if machine.change
    )
    return Tried(rollout.id, frozenset(machine for machine, _ in statuses), statuses)


def settled(rollouts: Iterable[Tried]) -> dict[MachineId, str]:
    """Whom the rollouts of one moment have settled, each with the reason why it isn't taken up again."""
    found: dict[MachineId, str] = {}
    failed: Counter[MachineId] = Counter()
    for one in rollouts:
        for machine, status in one.statuses:
            failed[machine] += status is MachineStatus.NOT_CHANGED
            again = status in _TAKEN_UP or (status is MachineStatus.NOT_CHANGED and failed[machine] < TRIES)
            if not again:
                found[machine] = f"{_WHY.get(status, 'a person must look at it')}, in rollout {one.rollout}"
    return found


def is_new(changing: frozenset[MachineId], before: Iterable[Tried]) -> bool:
    """Whether no rollout of this moment was opened for just these machines."""
    return bool(changing) and all(changing != one.changing for one in before)


def with_stragglers(
    entries: Iterable[Entry],
    policies: Iterable[Policy],
    allowed: Mapping[str, Campaign],
    rollouts: Iterable[Rollout | Ended],
    now: datetime,
    looked: Mapping[Due, datetime] = MappingProxyType({}),
) -> tuple[Entry, ...]:
    """The calendar with when stragglers are taken up: of campaigns that act, and only of the last moment."""
    named = {policy.name: policy for policy in policies}
    opened_for = defaultdict(list)
    for one in rollouts:
        if one.due is not None:
            opened_for[Due(campaign_of(one), one.due)].append(one)
    told = []
    for entry in entries:
        policy, may = named[entry.campaign], allowed.get(entry.campaign.lower(), OBSERVED)
        schedule = policy.campaign.schedule if policy.campaign is not None else None
        at = None
        if entry.act and may.stragglers and schedule is not None:
            last = Due(entry.campaign, due_last(schedule, now))
            at = taken_up_at(policy, last.at, opened_for.get(last, ()), looked.get(last))
        told.append(replace(entry, taken_up=at))
    return tuple(told)


def taken_up_at(
    policy: Policy, moment: datetime, rollouts: Sequence[Rollout | Ended], looked: datetime | None
) -> datetime | None:
    """When a campaign's stragglers are taken up next; None if they aren't.

    `rollouts` are those that were opened for this moment of its schedule, `looked` when last there was nobody to take up.
    """
    assert policy.campaign is not None
    ends = [one.ended_at for one in rollouts if one.over and one.ended_at is not None]
    if not ends or len(ends) < len(rollouts):
        return None
    if max(rollouts, key=lambda one: one.started_at).status is RolloutStatus.ABORTED:
        return None
    if any(isinstance(one, Ended) and one.archive for one in rollouts):
        return None  # whom it left is in the archive
    since = max(*ends, looked) if looked is not None else max(ends)
    until = moment + policy.campaign.deadline
    at = _opening(policy, since, until) if policy.windows else since + EACH
    return at if at is not None and at < until else None


def _opening(policy: Policy, since: datetime, until: datetime) -> datetime | None:
    """The first opening of its own windows after `since`; one that is open then has been used."""
    when = calendar((policy.windows,), policy.freezes, None)
    return next((span.start for span in spans(when, since, until) if span.start > since), None)
