"""What the agenda kept event by event, against the same asked of everybody anew."""

from __future__ import annotations

from datetime import datetime

from orchestrator.availability.ledger import Reserved
from orchestrator.rollout import actions as a
from orchestrator.rollout.admission import refusal
from orchestrator.rollout.agenda import Agenda, agenda_of


def check_agenda(agenda: Agenda, now: datetime) -> None:
    """Fail unless it is as good as new.

    Which of several waiting machines are looked at depends on who came first, so checks are held against their meaning: each
    has room besides the others, and nobody waits for whom there is room besides them.
    """
    fresh = agenda_of(agenda.scope, agenda.rollout, now)
    assert _others(fresh) == _others(agenda)
    assert fresh.own == agenda.own
    assert fresh.steps.due == agenda.steps.due
    assert set(fresh.lanes) == set(agenda.lanes)
    assert fresh.stage_due == agenda.stage_due
    checked = {machine for machine, x in agenda.activities.items() if isinstance(x, a.Check)}
    again = {machine for machine, x in fresh.activities.items() if isinstance(x, a.Check)}
    assert again | set(fresh.waiting) == checked | set(agenda.waiting)
    assert not checked & set(agenda.waiting)
    _have_room(agenda, checked)
    wanted = fresh.wake_at()
    assert wanted is None or (agenda.wake_at() is not None and agenda.wake_at() <= wanted)


def _others(agenda: Agenda) -> dict[int, a.Activity]:
    return {machine: x for machine, x in agenda.activities.items() if not isinstance(x, a.Check)}


def _have_room(agenda: Agenda, checked: set[int]) -> None:
    scope, rollout = agenda.scope, agenda.rollout
    reserved = Reserved(scope.ledger)
    for machine in sorted(checked):
        refused = refusal(scope, rollout, machine, reserved)
        assert refused is None, f"machine {machine} is looked at though {refused}"
        reserved.add(rollout.planned.machine(machine).id)
    for machine in sorted(agenda.waiting):
        refused = refusal(scope, rollout, machine, reserved)
        assert refused is not None, f"machine {machine} waits though there is room: {agenda.waiting[machine]}"
