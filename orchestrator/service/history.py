"""How long changes took, off a journal: what durations are learned from (`planner.durations.learn`).

A change counts from its request until the machine was seen well. The time to stay well is taken off, and steps before and after
are outside of it: both belong to the plan of then, and a plan of today adds its own. Counted is what ended well and was watched
all the way: while no process ran, or another took over, nobody saw when it was done. A machine that was broken before, or
became so, tells nothing of those that come.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from orchestrator.errors import UsageError
from orchestrator.planner.document import parse
from orchestrator.planner.durations import class_of
from orchestrator.planner.model import Plan
from orchestrator.rollout import events as e
from orchestrator.rollout.codec import decode
from orchestrator.store.port import Journal


@dataclass(frozen=True, slots=True)
class History:
    """Samples of (class, seconds) in the order in which they ended. `unread`: rollouts whose plans can't be read any more."""

    samples: tuple[tuple[str, float], ...]
    rollouts: int
    unread: tuple[str, ...] = ()
    told: frozenset[tuple[str, str]] = field(
        default=frozenset(), compare=False
    )  # its rollouts, with the digests of their plans

    def counts(self) -> Mapping[str, int]:
        """How many there are of each class."""
        return dict(sorted(Counter(name for name, _ in self.samples).items()))


@dataclass(slots=True)
class _Attempt:
    """A machine's change that isn't over, watched by the writer of `epoch`."""

    epoch: int
    began: datetime | None = None
    changed: datetime | None = None


@dataclass(slots=True)
class Watching:
    """Decisions of a journal added one after another, those of several rollouts as they come."""

    digests: dict[str, str] = field(default_factory=dict)  # rollout -> its plan's
    ended: list[tuple[str, int, float]] = field(default_factory=list)  # rollout, machine, seconds
    _open: dict[tuple[str, int], _Attempt] = field(default_factory=dict)

    def add(self, rollout: str, epoch: int, at: datetime, fact: e.Event) -> None:
        """One fact, when it was written down and by whom."""
        match fact:
            case e.RolloutStarted(rollout=name, digest=digest):
                self.digests[name] = digest
            case e.Granted(machine, broken):
                self._open.pop((rollout, machine), None)
                if not broken:
                    self._open[rollout, machine] = _Attempt(epoch)
            case e.Intended(machine) if attempt := self._open.get((rollout, machine)):
                attempt.began, attempt.epoch = at, epoch
            case e.ChangeEnded(machine, changed) if attempt := self._open.get((rollout, machine)):
                if changed:
                    attempt.changed = at
                else:
                    del self._open[rollout, machine]
            case e.Verified(machine, well):
                self._over(rollout, machine, epoch, at, well=well)
            case e.MachineEnded(machine, outcome):
                self._over(rollout, machine, epoch, at, well=outcome is e.Outcome.DONE)
            case e.MachineUnhealthy(machine) | e.MachineGone(machine) | e.Undecided(machine):
                self._open.pop((rollout, machine), None)
            case e.MachineSkipped(machine) | e.MachineWrittenOff(machine):
                self._open.pop((rollout, machine), None)
            case _:
                pass

    def _over(self, rollout: str, machine: int, epoch: int, at: datetime, *, well: bool) -> None:
        attempt = self._open.pop((rollout, machine), None)
        if attempt is None or attempt.began is None or attempt.changed is None:
            return
        if well and attempt.epoch == epoch and attempt.began <= attempt.changed <= at:
            self.ended.append((rollout, machine, (at - attempt.began).total_seconds()))


async def history(journal: Journal, told: Container[tuple[str, str]] = ()) -> History:
    """All that a journal or an archive tells of how long changes took, also while a rollout writes to it.

    `told` are rollouts, with the digests of their plans, of which another file has told by now: none counts twice.

    Raises:
        JournalError: for a journal that can't be trusted, or that a newer version wrote.
    """
    watching = Watching()
    async for row in journal.read():
        for fact in decode(row.body, row.seq, row.rollout):
            watching.add(row.rollout, row.epoch, row.at, fact)
    plans: dict[str, Plan | None] = {}
    for rollout in dict.fromkeys(rollout for rollout, _, _ in watching.ended):
        plans[rollout] = await _plan(journal, watching.digests.get(rollout, ""))
    samples = []
    again = {rollout for rollout in watching.digests.items() if rollout in told}
    for rollout, machine, seconds in watching.ended:
        plan = plans[rollout]
        if (rollout, watching.digests.get(rollout, "")) in again:
            continue
        if plan is not None and machine < len(plan.machines):
            samples.append(_sample(plan, machine, seconds))
    unread = tuple(sorted(name for name, plan in plans.items() if plan is None))
    known = frozenset(watching.digests.items())
    return History(tuple(samples), len(known - again), unread, known)


def _sample(plan: Plan, machine: int, seconds: float) -> tuple[str, float]:
    planned = plan.machines[machine]
    stayed = plan.health[planned.health].min_healthy_time.total_seconds()
    return class_of(plan.change, planned.kind, planned.os), max(0.0, seconds - stayed)


async def _plan(journal: Journal, digest: str) -> Plan | None:
    """The plan of a rollout; None if it isn't there, or is of a form that this version doesn't read."""
    try:
        return parse(await journal.document(digest), "the plan")
    except UsageError:  # a `JournalError` too
        return None
