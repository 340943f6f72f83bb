"""A token bucket, as arithmetic: `now` in, `not_before` out. It reads no clock and waits for nobody.

A hold (the cloud's Retry-After) closes it until a moment, and empties it: what the cloud has just refused it hasn't got. So
after a hold requests come one by one, and a storm that goes on costs one refusal, not one for each that waits.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from orchestrator.cloud.port import Rate


class Bucket:
    """Tokens refill steadily up to `burst`."""

    def __init__(self, rate: Rate) -> None:
        self._rate = rate
        self._tokens = float(rate.burst)
        self._at: datetime | None = None
        self._held_until: datetime | None = None

    def _refill(self, now: datetime) -> None:
        if self._at is not None and now > self._at:
            gained = (now - self._at).total_seconds() * self._rate.per_minute / 60
            self._tokens = min(float(self._rate.burst), self._tokens + gained)
        self._at = now if self._at is None else max(self._at, now)

    def not_before(self, now: datetime) -> datetime:
        """The moment from which one more request may go, `now` if at once."""
        self._refill(now)
        assert self._at is not None
        missing = max(0.0, 1 - self._tokens)
        free = self._at + timedelta(seconds=missing * 60 / self._rate.per_minute) if missing else now
        return max(free, now, self._held_until or now)

    def take(self, now: datetime) -> None:
        """Spend one token."""
        self._refill(now)
        self._tokens -= 1

    def hold(self, until: datetime) -> None:
        """Let nothing go before `until`, and then one by one."""
        self._held_until = until if self._held_until is None else max(self._held_until, until)
        self._tokens = min(self._tokens, 1.0)
        self._at = self._held_until if self._at is None else max(self._at, self._held_until)

    def held_until(self, now: datetime) -> datetime | None:
        """Until when it is held, if it is."""
        return self._held_until if self._held_until is not None and self._held_until > now else None
