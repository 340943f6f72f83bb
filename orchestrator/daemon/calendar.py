"""What is due of which campaign: pure arithmetic on schedules, what was opened, and when a campaign came to count.

The rule: a moment of a schedule opens one rollout, ever. One that passed while nobody looked is caught up as long as the configuration
says; of several, only the last, since a rollout does all that those before it would have done. Moments before a campaign came
to count are none of it: whoever merges a policy on Thursday doesn't mean last Tuesday.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from orchestrator.daemon.config import Campaign
from orchestrator.policy.model import Policy
from orchestrator.policy.schedules import due_last, due_next
from orchestrator.rollout.state import Ended, Rollout


@dataclass(frozen=True, slots=True)
class Due:
    """A moment of a campaign's schedule that nothing was opened for yet."""

    campaign: str
    at: datetime

    def __str__(self) -> str:
        return f"{self.campaign} of {self.at:%Y-%m-%d %H:%M} UTC"


@dataclass(frozen=True, slots=True)
class Entry:
    """A campaign in the calendar. `next`: when it is due next, None without a schedule. `due`: now, and not opened yet."""

    campaign: str
    act: bool
    next: datetime | None
    due: Due | None = None
    missed: datetime | None = None  # too long ago to be caught up
    taken_up: datetime | None = None  # when those that the last rollout left are taken up


def opened(rollouts: Iterable[Rollout | Ended]) -> frozenset[Due]:
    """The moments that rollouts were opened for."""
    return frozenset(Due(campaign_of(one), one.due) for one in rollouts if one.due is not None)


def campaign_of(rollout: Rollout | Ended) -> str:
    """The campaign that it is a rollout of."""
    return rollout.name if isinstance(rollout, Ended) else rollout.planned.plan.name


def strangers(policies: Iterable[Policy], allowed: Mapping[str, Campaign]) -> tuple[str, ...]:
    """Campaigns of the configuration that no policy has: mostly a typing error, and then the one that was meant only observes."""
    there = {policy.name.lower() for policy in policies if policy.campaign is not None}
    return tuple(sorted(allowed.keys() - there))


def calendar(
    policies: Iterable[Policy],
    allowed: Mapping[str, Campaign],
    since: Mapping[str, datetime],
    done: frozenset[Due],
    now: datetime,
) -> tuple[Entry, ...]:
    """Every campaign, the one that is due next first; those without a schedule last.

    `since` is when a campaign came to count, by its name; `done` are moments that were opened, or observed.
    """
    entries = [
        _entry(policy, allowed.get(policy.name.lower(), Campaign()), since.get(policy.name, now), done, now)
        for policy in policies
        if policy.campaign is not None
    ]
    return tuple(sorted(entries, key=lambda one: (one.next is None, one.next or now, one.campaign)))


def _entry(policy: Policy, allowed: Campaign, since: datetime, done: frozenset[Due], now: datetime) -> Entry:
    assert policy.campaign is not None
    schedule = policy.campaign.schedule
    if schedule is None:
        return Entry(policy.name, allowed.act, None)
    upcoming, last = due_next(schedule, now), Due(policy.name, due_last(schedule, now))
    if last.at < since or last in done:
        return Entry(policy.name, allowed.act, upcoming)
    if last.at < now - allowed.catch_up:
        return Entry(policy.name, allowed.act, upcoming, missed=last.at)
    return Entry(policy.name, allowed.act, upcoming, due=last)
