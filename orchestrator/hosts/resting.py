"""When a host may end: nothing moves any more by itself, and the journal knows how to go on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from orchestrator.clock import Clock
from orchestrator.rollout import actions as a
from orchestrator.rollout.agenda import Agenda
from orchestrator.rollout.progress import is_looking
from orchestrator.rollout.state import Rollout, RolloutStatus, StageStatus


@dataclass(slots=True)
class Pace:
    """How a host waits. `patience`: how long it stays while only a person, or somebody's recovery, can move it on.

    `inbox_every_s`: real seconds between looks into the inbox; 0 never looks.
    """

    patience: timedelta = timedelta(minutes=30)
    inbox_every_s: float = 1.0


@dataclass(slots=True)
class Rest:
    """Whether a rollout rests. `tried_by`: until when people who couldn't be told for a while get one more try."""

    rollout: Rollout
    agenda: Agenda
    clock: Clock
    patience: timedelta
    tried_by: datetime
    _blocked_since: datetime | None = None

    def reached(self, going_on: Sequence[a.Activity]) -> bool:
        """Whether it rests now, while these activities go on."""
        rollout = self.rollout
        if rollout.in_flight or self.agenda.steps.due or self._tells():
            self._blocked_since = None
            return False
        if rollout.waits_for_a_person:
            return True
        if not self.blocked(going_on):
            self._blocked_since = None
            return False
        now = self.clock.now()
        opens = self.agenda.opens_at()
        if opens is not None and self._only_hours(going_on):
            self._blocked_since = None
            return opens - now > self.patience
        if is_looking(rollout, now, self.agenda.looked):
            self._blocked_since = None
            return False
        self._blocked_since = self._blocked_since or now
        return now - self._blocked_since >= self.patience

    def blocked(self, going_on: Sequence[a.Activity]) -> bool:
        """Whether only a person, or a machine that gets well, can move the rollout on before `max_wait` is over."""
        if (
            self.rollout.status is not RolloutStatus.RUNNING
            or self.rollout.stage_status is StageStatus.BAKING
        ):
            return False
        # nothing is in flight: of machines that keep their grant
        idle = (a.Watch, a.WatchGroups, a.Verify, a.RunStep)
        return not self.agenda.lanes and all(isinstance(x, idle) for x in going_on)

    def moments(self) -> Iterator[datetime]:
        """When to look again though nothing happened. What is over by now is none: one that rests is kept while a fellow moves."""
        now = self.clock.now()
        if self.tried_by > now:
            yield self.tried_by
        if self._blocked_since is not None and self._blocked_since + self.patience > now:
            yield self._blocked_since + self.patience

    def _tells(self) -> bool:
        """Whether somebody is about to be told something. Who couldn't be for a while gets one try of each process."""
        tells = [x for x in self.agenda.own if isinstance(x, a.Tell)]
        tried = self.clock.now() >= self.tried_by
        return any(not tell.failing for tell in tells) or (bool(tells) and not tried)

    def _only_hours(self, going_on: Sequence[a.Activity]) -> bool:
        """Whether nobody waits for anything but the opening of windows, so that it is known how long nothing can start."""
        return not self.agenda.waiting and all(
            isinstance(x, a.Watch | a.WatchGroups | a.Tell) for x in going_on
        )
