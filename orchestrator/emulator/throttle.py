"""Token buckets in emulated time, with the sizes that Azure publishes for the Compute provider and for ARM itself."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime

from orchestrator.emulator.state import Kind


@dataclass(frozen=True, slots=True)
class Limit:
    """A bucket of `burst` tokens that refills at `per_minute`; `name` is how the answer's header calls it."""

    name: str
    per_minute: float
    burst: int


@dataclass(frozen=True, slots=True)
class Policy:
    """A rate limit of the Compute provider: for each machine, and for each subscription in each region."""

    name: str
    resource: Limit | None
    subscription: Limit


def _policy(name: str, resource: tuple[float, int] | None, subscription: tuple[float, int]) -> Policy:
    return Policy(
        name,
        None if resource is None else Limit(f"{name}Resource", *resource),
        Limit(f"{name}SubscriptionMaximum", *subscription),
    )


# learn.microsoft.com/azure/virtual-machines/compute-throttling-limits: refill a minute, bucket.
# The names are those of recorded `x-ms-ratelimit-remaining-resource` headers.
GUEST_PATCH = _policy("VMGuestPatchOperation", (2, 6), (200, 600))
UPDATE_VM = _policy("UpdateVM", (4, 12), (500, 1500))
LOW_COST_GET = _policy("LowCostGet", (12, 36), (8000, 24000))
HIGH_COST_GET = _policy("HighCostGet", None, (300, 900))
GET_OPERATION = _policy("GetOperation", (15, 45), (5000, 15000))

POLICY: dict[Kind, Policy] = {
    Kind.INSTALL: GUEST_PATCH,
    Kind.ASSESS: GUEST_PATCH,
    Kind.RESTART: UPDATE_VM,
    Kind.RUN_COMMAND: UPDATE_VM,
    Kind.UPDATE: UPDATE_VM,
    Kind.VIEW: LOW_COST_GET,
    Kind.GET: LOW_COST_GET,
    Kind.SET: LOW_COST_GET,
    Kind.LIST: HIGH_COST_GET,
    Kind.OPERATION: GET_OPERATION,
}

# learn.microsoft.com/azure/azure-resource-manager/management/request-limits-and-throttling: a subscription's bucket and
# refill a second, for one principal; all principals together have fifteen times as much.
READS = Limit("x-ms-ratelimit-remaining-subscription-reads", 25 * 60, 250)
WRITES = Limit("x-ms-ratelimit-remaining-subscription-writes", 10 * 60, 200)
GLOBAL_READS = Limit("x-ms-ratelimit-remaining-subscription-global-reads", 15 * 25 * 60, 15 * 250)
GLOBAL_WRITES = Limit("x-ms-ratelimit-remaining-subscription-global-writes", 15 * 10 * 60, 15 * 200)


_ROUNDING = 1e-6  # a token, or a second, less a rounding error of floats is a whole one


@dataclass(slots=True)
class Bucket:
    """One bucket, full at first. Times are seconds since the world began."""

    limit: Limit
    level: float
    at: float = 0.0

    def fill(self, now: float) -> float:
        """The tokens there are at `now`."""
        if now > self.at:
            self.level = min(
                float(self.limit.burst), self.level + (now - self.at) * self.limit.per_minute / 60
            )
            self.at = now
        return self.level

    def wait(self) -> float:
        """Seconds until there is a whole token, counted from the last `fill`."""
        return max(0.0, 1.0 - self.level) * 60 / self.limit.per_minute


@dataclass(frozen=True, slots=True)
class Empty:
    """A bucket without a token: which, and after how many whole seconds it has one."""

    limit: Limit
    retry_after_s: int


class Buckets:
    """All buckets of one world. A refused request spends nothing."""

    def __init__(self, start: datetime) -> None:
        self._start = start
        self._buckets: dict[tuple[str, ...], Bucket] = {}

    def spend(self, wanted: list[tuple[Limit, tuple[str, ...]]], now: datetime) -> dict[str, int] | Empty:
        """Take a token from each bucket, and say what is left by limit; or say which of them is empty.

        Each bucket is named by its limit and what it is kept for, such as (subscription, region).
        """
        seconds = (now - self._start).total_seconds()
        buckets = []
        for limit, owner in wanted:
            key = (limit.name, *owner)
            bucket = self._buckets.get(key)
            if bucket is None:
                bucket = self._buckets[key] = Bucket(limit, float(limit.burst), seconds)
            if bucket.fill(seconds) < 1 - _ROUNDING:
                return Empty(limit, max(1, math.ceil(bucket.wait() - _ROUNDING)))
            buckets.append(bucket)
        for bucket in buckets:
            bucket.level -= 1
        return {bucket.limit.name: int(bucket.level) for bucket in buckets}
