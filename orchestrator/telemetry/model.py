"""What can be read off a service at one moment, and what each metric is called and means.

Labels have few values: statuses, campaigns, webhooks. No machine, no rollout, no URL is ever a label: those stand in logs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

PREFIX: Final = "wavekeeper_"


class Type(StrEnum):
    """What Prometheus calls a kind of metric."""

    GAUGE = "gauge"
    COUNTER = "counter"
    HISTOGRAM = "histogram"


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric as docs/operations.md has it; a test holds the two together."""

    name: str
    type: Type
    means: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()

    @property
    def exposed(self) -> str:
        """The name that a query uses; of a histogram, what its three series begin with."""
        return f"{PREFIX}{self.name}{'_total' if self.type is Type.COUNTER else ''}"


@dataclass(frozen=True, slots=True)
class Readings:
    """A service at one moment. None: not known, or there is no such thing; then the metric has no value."""

    version: str
    rollouts: Mapping[str, int]  # by status
    machines: Mapping[tuple[str, str], int]  # by campaign and status, of rollouts that aren't over
    in_flight: int
    undecided: int
    out_by_us: int
    out_by_others: int
    budgets: int
    budgets_full: int
    room_lowest: int | None
    journal_rows: int
    inventory_age_s: float | None = None
    health_age_s: float | None = None
    fleet: Mapping[str, int] = field(
        default_factory=dict
    )  # machines that serve, and that are out, at the last look
    commit: str = ""
    commit_made_s: float | None = None  # since 1970
    commit_refused: bool = False
    git_unreachable_s: float = 0.0
    next_s: Mapping[str, float] = field(default_factory=dict)  # by campaign
    waiting: Mapping[str, bool] = field(default_factory=dict)  # by campaign: due, and can't be opened
    queued: Mapping[str, int] = field(default_factory=dict)  # by webhook: what isn't told yet
    mute: frozenset[str] = frozenset()  # webhooks that can't be told now
    queues_held: int = 0
    holds: int | None = None
    certificate_expires_s: float | None = None  # since 1970


def _gauge(name: str, means: str, *labels: str) -> Metric:
    return Metric(name, Type.GAUGE, means, labels)


def _counter(name: str, means: str, *labels: str) -> Metric:
    return Metric(name, Type.COUNTER, means, labels)


def _histogram(name: str, means: str, *buckets: float) -> Metric:
    return Metric(name, Type.HISTOGRAM, means, (), buckets)


BUILD: Final = _gauge("build_info", "Always 1; the version is its label.", "version")
ROLLOUTS: Final = _gauge("rollouts", "Rollouts that the journal knows, by where they stand.", "status")
MACHINES: Final = _gauge(
    "machines", "Machines of rollouts that aren't over, by where they stand.", "campaign", "status"
)
IN_FLIGHT: Final = _gauge("machines_in_flight", "Machines that are begun and not ended, of all rollouts.")
UNDECIDED: Final = _gauge(
    "machines_undecided", "Machines of which nobody knows what became of their change: a person's."
)
OUT: Final = _gauge(
    "machines_out", "Machines that count as out: of a grant of ours (`us`), or of nobody's (`others`).", "by"
)
BUDGETS: Final = _gauge("budgets", "Budgets that hold now.")
BUDGETS_FULL: Final = _gauge("budgets_full", "Budgets of which no more machine may go out.")
ROOM_LOWEST: Final = _gauge(
    "budget_room_lowest",
    "How many more machines the tightest budget lets go out; negative: too many are out.",
)
JOURNAL_ROWS: Final = _gauge("journal_rows", "The number of the journal's last row.")
INVENTORY_AGE: Final = _gauge("inventory_age_seconds", "How old the inventory is that commits are tried on.")
HEALTH_AGE: Final = _gauge("health_age_seconds", "How long ago the fleet's health was last looked at.")
FLEET: Final = _gauge(
    "fleet_machines",
    "Machines of the fleet at the last look, by their views alone: `serving` or `out`.",
    "state",
)
COMMIT: Final = _gauge("policies_info", "Always 1; the commit that counts is its label.", "commit")
COMMIT_MADE: Final = _gauge(
    "policies_commit_timestamp_seconds", "When the commit that counts was made, in seconds since 1970."
)
COMMIT_REFUSED: Final = _gauge("policies_refused", "1 while the newest commit is bad and does not count.")
GIT_UNREACHABLE: Final = _gauge(
    "git_unreachable_seconds", "For how long git couldn't be asked; 0 while it can."
)
NEXT: Final = _gauge(
    "campaign_next_seconds", "Until the campaign's next moment; without a schedule, no value.", "campaign"
)
WAITING: Final = _gauge(
    "campaign_waiting", "1 while a moment of the campaign is due and can't be opened.", "campaign"
)
QUEUED: Final = _gauge("webhook_queued", "What the webhook isn't told yet.", "webhook")
MUTE: Final = _gauge("webhook_failing", "1 while the webhook can't be told.", "webhook")
QUEUES_HELD: Final = _gauge(
    "cloud_queues_held",
    "Queues of requests that wait since the cloud said 429: a subscription, region and kind each.",
)
HOLDS: Final = _gauge("holds", "Holds that keep machines out now.")
CERTIFICATE: Final = _gauge(
    "certificate_expiry_timestamp_seconds", "When the server's certificate expires, in seconds since 1970."
)

GAUGES: Final = (
    BUILD, ROLLOUTS, MACHINES, IN_FLIGHT, UNDECIDED, OUT, BUDGETS, BUDGETS_FULL, ROOM_LOWEST, JOURNAL_ROWS, INVENTORY_AGE,
    HEALTH_AGE, FLEET, COMMIT, COMMIT_MADE, COMMIT_REFUSED, GIT_UNREACHABLE, NEXT, WAITING, QUEUED, MUTE, QUEUES_HELD, HOLDS, CERTIFICATE,
)  # fmt: skip
"""Read when they are asked for."""

GRANTS: Final = _counter("grants", "Machines that were granted, since the process began.", "campaign")
UNHEALTHY: Final = _counter("unhealthy", "Machines that were found unhealthy after their change.", "campaign")
REQUESTS: Final = _counter(
    "cloud_requests",
    "Requests to the cloud: `read` or `write`; `ok`, `throttled` (429), `denied` (401, 403), `refused` (other 4xx), `failed` (5xx), `unanswered`.",
    "kind",
    "outcome",
)
CALLS: Final = _counter("webhook_calls", "Calls of a webhook: `ok` or `failed`.", "webhook", "outcome")
RETRY_AFTER: Final = _histogram(
    "cloud_retry_after_seconds", "What the cloud asked to wait with each 429.", 1, 5, 15, 60, 300, 1200, 3600
)
APPEND: Final = _histogram(
    "journal_append_seconds", "From a decision until it is durable.",
    .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5,
)  # fmt: skip
LAG: Final = _histogram(
    "event_loop_lag_seconds", "By how much the event loop is late, looked at twice a second.",
    .001, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5,
)  # fmt: skip

COUNTED: Final = (GRANTS, UNHEALTHY, REQUESTS, CALLS, RETRY_AFTER, APPEND, LAG)
"""Counted as things happen."""

ALL: Final = (*GAUGES, *COUNTED)
