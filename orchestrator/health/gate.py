"""The gate on one machine: well for `min_healthy_time`, by `healthy_deadline`.

The words and defaults are those of Nomad's `update` block and of Kubernetes' probes. Unknown is *not yet* until the deadline
and *unwell* after it. A single miss doesn't start the healthy time anew; `fail_after` misses in a row do.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from orchestrator.policy.model import Health


class Verdict(StrEnum):
    """What the samples so far say."""

    WAIT = "wait"
    WELL = "well"
    UNWELL = "unwell"


@dataclass(frozen=True, slots=True)
class Gate:
    """The samples of one machine, added up. `well_since` is the start of the healthy time that still counts."""

    opened_at: datetime  # when the change ended
    well_since: datetime | None = None
    misses: int = 0  # in a row
    evidence: str = ""  # of the last miss, for people


def sample(gate: Gate, health: Health, at: datetime, *, well: bool, evidence: str) -> Gate:
    """Add one round of all probes, taken at `at`."""
    if well:
        return replace(gate, well_since=gate.well_since or at, misses=0)
    misses = gate.misses + 1
    lost = misses >= health.fail_after
    return replace(gate, well_since=None if lost else gate.well_since, misses=misses, evidence=evidence)


def judge(gate: Gate, health: Health, now: datetime, *, briefly: bool = False) -> Verdict:
    """The verdict at `now`. `briefly`: one clean round is enough, since the machine was verified before."""
    needed = timedelta(0) if briefly else health.min_healthy_time
    if gate.well_since is not None and gate.misses == 0 and now - gate.well_since >= needed:
        return Verdict.WELL
    if now - gate.opened_at >= health.healthy_deadline:
        return Verdict.UNWELL
    return Verdict.WAIT


def next_sample_at(gate: Gate, health: Health, now: datetime, *, briefly: bool = False) -> datetime:
    """When to ask next: each `interval`, but not before the deadline or the end of the healthy time calls for it."""
    at = now + health.interval
    if gate.well_since is not None and gate.misses == 0 and not briefly:
        at = min(at, max(now, gate.well_since + health.min_healthy_time))
    return max(now + timedelta(seconds=1), min(at, max(now, gate.opened_at + health.healthy_deadline)))
