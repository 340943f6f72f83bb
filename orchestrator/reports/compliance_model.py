"""Who is patched, who is exposed since when, who misses the deadline and why; and month over month."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Any


class State(StrEnum):
    """How a machine stands with critical and security updates."""

    CURRENT = "current"  # nothing outstanding, by an assessment since this month's updates came out
    EXPOSED = "exposed"  # something outstanding, the deadline ahead
    OVERDUE = "overdue"  # something outstanding, the deadline passed
    UNKNOWN = "unknown"  # nobody has looked since this month's updates came out


class Why(StrEnum):
    """What keeps a machine that isn't current from being so."""

    OFF = "off"
    HELD = "held"
    CANNOT = "cannot be patched"
    FROZEN = "frozen"
    LEFT_OUT = "left out"
    FAILED = "failed"
    SKIPPED = "skipped"
    WAITING = "waiting"
    UNSELECTED = "not selected"
    UNASSESSED = "not assessed"


@dataclass(frozen=True, slots=True)
class Standing:
    """One machine. `since`: when the oldest update that it lacks came out; `estimated`: nobody told, and it is deduced.

    `level` is the build that it runs, or the newest update that is known to be installed. `reason` says more of `why`.
    """

    machine: str  # ARM id
    name: str
    subscription: str
    resource_group: str
    region: str
    kind: str
    os: str
    level: str
    state: State
    outstanding: int | None
    since: datetime | None = None
    estimated: bool = False
    deadline: datetime | None = None
    patched_at: datetime | None = None
    why: Why | None = None
    reason: str = ""

    def to_json(self) -> dict[str, Any]:
        """Plain values; what isn't known is null."""
        return {
            "machine": self.machine,
            "name": self.name,
            "subscription": self.subscription,
            "resource_group": self.resource_group,
            "region": self.region,
            "kind": self.kind,
            "os": self.os,
            "level": self.level or None,
            "state": self.state.value,
            "outstanding": self.outstanding,
            "exposed_since": self.since,
            "exposed_since_is_estimated": self.estimated,
            "deadline": self.deadline,
            "patched_at": self.patched_at,
            "why": self.why.value if self.why else None,
            "reason": self.reason or None,
        }


@dataclass(frozen=True, slots=True)
class MonthOf:
    """What rollouts did for one month's updates. Days count from the day on which they came out; None: nobody was done."""

    month: str  # 2026-11
    rollouts: int
    machines: int  # that they were to change
    done: int
    in_time: int  # done within the deadline
    failed: int  # not changed, unhealthy, undecided
    left_out: int
    half_days: float | None  # until half of `machines` were done
    last_days: float | None  # until the last one that is done

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True)
class Compliance:
    """A fleet at one moment, the most urgent first, and the months that the journal knows, the latest first."""

    at: datetime
    month: str  # whose updates are the newest
    released: datetime
    deadline: timedelta
    machines: tuple[Standing, ...]
    months: tuple[MonthOf, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def counts(self) -> Mapping[State, int]:
        """Machines by state."""
        counted = Counter(one.state for one in self.machines)
        return MappingProxyType({state: counted[state] for state in State})

    @property
    def reasons(self) -> Mapping[Why, int]:
        """What keeps machines that aren't current, the most frequent first."""
        counted = Counter(one.why for one in self.machines if one.why is not None)
        return MappingProxyType(dict(sorted(counted.items(), key=lambda item: (-item[1], item[0]))))

    @property
    def ok(self) -> bool:
        """Whether nobody has missed the deadline."""
        return not self.counts[State.OVERDUE]

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "ok": self.ok,
            "at": self.at,
            "month": self.month,
            "released": self.released,
            "deadline": self.deadline,
            "counts": {state.value: count for state, count in self.counts.items()},
            "reasons": {why.value: count for why, count in self.reasons.items()},
            "machines": [one.to_json() for one in self.machines],
            "months": [one.to_json() for one in self.months],
            "notes": list(self.notes),
        }
