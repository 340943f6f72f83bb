"""Whether what was not begun is to be planned anew, kept up to date fact by fact."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from orchestrator.inventory.model import MachineId
from orchestrator.rollout import actions as a
from orchestrator.rollout import events as e
from orchestrator.rollout.replanning import STEADY, due_replan, replan_wakes_at
from orchestrator.rollout.state import Rollout, Scope


@dataclass(slots=True)
class Replans:
    """What is due, and when to ask again. It looks at who is out when somebody was out for long enough, and costs nothing in between."""

    scope: Scope
    rollout: Rollout
    due: tuple[a.Replan, ...] = ()
    wakes_at: datetime | None = None

    def ask(self, now: datetime) -> None:
        """Ask anew."""
        due = due_replan(self.scope, self.rollout, now)
        self.due = () if due is None else (due,)
        self.wakes_at = replan_wakes_at(self.scope, self.rollout, now)

    def refresh(self, facts: Iterable[e.Event], now: datetime) -> None:
        """Ask again if these facts, already applied, may end what is due; or later, if somebody went out."""
        if any(isinstance(fact, e.MachineGone) or _went_out(fact) for fact in facts):
            self._wait(now)
        if self.due:
            self.ask(now)

    def ledger_moved(self, machines: Iterable[MachineId], now: datetime) -> None:
        """The same for what another rollout of the scope saw."""
        if any(machine in self.scope.ledger.others for machine in machines):
            self._wait(now)

    def wake(self, now: datetime) -> None:
        """Ask if the time has come."""
        if self.wakes_at is not None and self.wakes_at <= now:
            self.ask(now)

    def _wait(self, now: datetime) -> None:
        """One moment is enough: whoever went out after is found then, and waited for in turn."""
        if self.wakes_at is None:
            self.wakes_at = now + STEADY


def _went_out(fact: e.Event) -> bool:
    return isinstance(fact, e.ForeignRunSeen) or (isinstance(fact, e.FleetSeen) and bool(fact.out))
