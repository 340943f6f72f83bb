"""What the shell must be doing, given the facts: desired activities, not orders.

An activity is desired as long as `due` lists it. The runner starts those that are missing and stops those that are no
longer desired; how often one polls inside is its own affair. Each carries all that identifies it: equal, it goes on.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Prepare:
    """Look at the whole fleet once, asking every probe."""

    rollout: str


@dataclass(frozen=True, slots=True)
class Check:
    """Ask one machine's probes and read its instance view, with room reserved for its grant."""

    rollout: str
    machine: int


@dataclass(frozen=True, slots=True)
class RunStep:
    """Carry out one step. `key` makes it the same call after a crash."""

    rollout: str
    machine: int
    attempt: int
    after: bool
    step: int
    key: str


@dataclass(frozen=True, slots=True)
class RunStretchStep:
    """The same around a wave `(lane, wave)`, a stage `(stage,)` or the rollout `()`, which was begun so many `times`."""

    rollout: str
    where: tuple[int, ...]
    times: int
    after: bool
    step: int
    key: str


@dataclass(frozen=True, slots=True)
class ReadBaseline:
    """Read the last patch run's id again, right before an intent. Not before `not_before`."""

    rollout: str
    machine: int
    attempt: int
    not_before: datetime | None


@dataclass(frozen=True, slots=True)
class Send:
    """Send the one request, unless `not_after` has passed."""

    rollout: str
    machine: int
    attempt: int
    key: str
    not_after: datetime


@dataclass(frozen=True, slots=True)
class Settle:
    """Read the machine back until a run shows, or long enough has passed."""

    rollout: str
    machine: int
    attempt: int
    baseline: str
    not_after: datetime


@dataclass(frozen=True, slots=True)
class Follow:
    """Follow an operation to its end."""

    rollout: str
    machine: int
    attempt: int
    status_url: str
    result_url: str


@dataclass(frozen=True, slots=True)
class Assess:
    """Have the machine assess what is missing now."""

    rollout: str
    machine: int
    attempt: int


@dataclass(frozen=True, slots=True)
class Verify:
    """Ask the probes until they pass for long enough, or the deadline is over.

    `briefly`: steps after have run on a machine that was verified; one clean round is enough. `hoping`: the verdict was
    bad and it keeps its grant; only good news is reported.
    """

    rollout: str
    machine: int
    attempt: int
    since: datetime
    briefly: bool
    hoping: bool


@dataclass(frozen=True, slots=True)
class Watch:
    """Look at the fleet now and then: machines of others that count, and those that are done."""

    rollout: str


@dataclass(frozen=True, slots=True)
class WatchGroups:
    """Ask about the groups that aren't well, until they are: their machines wait."""

    rollout: str


@dataclass(frozen=True, slots=True)
class LookForHeld:
    """Look at the fleet once, for whom these holds mean: whoever they may mean waits for that."""

    rollout: str
    holds: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Replan:
    """Plan what was not begun anew: these budgets, by their places in the plan, have so much room and no more."""

    rollout: str
    shrunk: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Tell:
    """Tell a receiver of something. `failing`: it couldn't be told for a while, so it is tried now and then, for as long as it takes."""

    rollout: str
    webhook: str
    notice: int
    failing: bool


Activity = (
    Prepare
    | Check
    | RunStep
    | RunStretchStep
    | ReadBaseline
    | Send
    | Settle
    | Follow
    | Assess
    | Verify
    | Watch
    | WatchGroups
    | LookForHeld
    | Replan
    | Tell
)
