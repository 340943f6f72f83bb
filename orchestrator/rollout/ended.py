"""Rollouts that are over: which of them nothing can move any more, and what is kept of those.

A whole rollout is its plan and a state for each machine. Once it is over, nothing is in flight and nothing of it is open, all that anybody
asks of it is who it was and how it ended: a few hundred bytes. Whoever wants more reads its rows again (`executor.whole`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from orchestrator.errors import Defect
from orchestrator.rollout import events as e
from orchestrator.rollout.state import Ended, LeftOpen, MachineStatus, Rollout, Scope
from orchestrator.rollout.stretches import under_way


def owes(rollout: Rollout) -> str:
    """What is still to be done around a rollout that is over, by whoever goes on with it; empty if nothing is."""
    if any(rollout.untold.values()):
        return "somebody isn't told of it yet"
    return "steps after it aren't done yet" if under_way(rollout) else ""


def left_open(scope: Scope, rollout: Rollout) -> dict[int, LeftOpen]:
    """The machines that are out by a rollout, or gone in it and not written off."""
    index, found = rollout.planned.index, {}
    for machine, grant in scope.ledger.grants.items():
        if grant.rollout == rollout.id:
            found[index[machine]] = _left(rollout, index[machine])
    if rollout.counts[MachineStatus.GONE]:
        for number, run in enumerate(rollout.machines):
            if run.status is MachineStatus.GONE and rollout.planned.machine(number).id in scope.ledger.others:
                found[number] = _left(rollout, number)
    return found


def _left(rollout: Rollout, number: int) -> LeftOpen:
    machine, run = rollout.planned.machine(number), rollout.machines[number]
    return LeftOpen(machine.id, machine.name, run.status, run.since, run.detail)


def is_closed(scope: Scope, rollout: Rollout) -> bool:
    """Whether a rollout is over and nothing can move it any more: nothing in flight, nobody out by it, nothing owed."""
    return rollout.ended_at is not None and not owes(rollout) and not left_open(scope, rollout)


def summary(scope: Scope, rollout: Rollout) -> Ended:
    """What is kept of a rollout that is over, with whom it left out."""
    assert rollout.ended_at is not None
    return Ended(
        rollout.id,
        rollout.planned.plan.name,
        rollout.digest,
        rollout.who,
        rollout.reason,
        rollout.scale,
        rollout.status,
        rollout.cause,
        rollout.by,
        rollout.started_at,
        rollout.ended_at,
        rollout.planned.changing,
        {status: number for status, number in sorted(rollout.counts.items()) if number},
        rollout.after,
        scope.seq,
        left=left_open(scope, rollout),
        due=rollout.due,
        commit=rollout.commit,
    )


def put_away(scope: Scope, rollout_id: str) -> None:
    """Keep of a rollout what is asked of those that nothing can move any more, if it is such a one."""
    rollout = scope.rollouts.get(rollout_id)
    if rollout is not None and is_closed(scope, rollout):
        scope.ended[rollout_id] = summary(scope, rollout)
        del scope.rollouts[rollout_id]


def known(scope: Scope) -> list[Rollout | Ended]:
    """All rollouts of a scope in the order in which they were started, whatever is kept of them."""
    return sorted((*scope.rollouts.values(), *scope.ended.values()), key=lambda one: (one.after, one.id))


# What is folded though the rollout isn't kept whole --------------------------------------------------------------


def apply_to_ended(scope: Scope, ended: Ended, event: e.Event) -> None:
    """A fact about a rollout of which nothing but this is kept. Raises `Defect` for one that can't be."""
    match event:
        case e.CommandRefused():
            pass
        case e.MachineWrittenOff(machine) if machine in ended.left:
            scope.ledger.release(ended.left[machine].machine, ended.id)
            scope.ledger.mark_back(ended.left[machine].machine)
            others = {number: left for number, left in ended.left.items() if number != machine}
            scope.ended[ended.id] = replace(ended, left=others)
        case _:
            raise Defect(f"{type(event).__name__} can't follow in rollout {ended.id}, which is over")


def still_left(scope: Scope, ended: Ended) -> Iterable[tuple[int, LeftOpen]]:
    """Whom an archived rollout left out and who still is: those that were seen well since are not."""
    for number, left in ended.left.items():
        if scope.ledger.holds(ended.id, left.machine) or (
            left.status is MachineStatus.GONE and left.machine in scope.ledger.others
        ):
            yield number, left


def apply_archived(scope: Scope, event: e.Archived) -> None:
    """Rollouts went into an archive with all their rows: what they left open stays, since this says so."""
    for ended in event.rollouts:
        scope.rollouts.pop(ended.id, None)
        scope.ended[ended.id] = ended
    scope.archivings += 1
    ledger = scope.ledger
    grants = {held.machine: held for held in event.grants}
    for machine in [m for m in ledger.grants if m not in grants]:
        ledger.release(machine, ledger.grants[machine].rollout)
    for machine, held in grants.items():
        if ledger.grants.get(machine) != held.grant:
            ledger.release(machine, held.grant.rollout)
            ledger.grant(machine, held.grant.rollout, held.grant.since, restarts=held.grant.restarts)
    others = {out.machine: out.since for out in event.others}
    for machine in [m for m in ledger.others if others.get(m) != ledger.others[m]]:
        ledger.mark_back(machine)
    for machine, since in others.items():
        ledger.mark_out(machine, since)
