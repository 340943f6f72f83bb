"""The fleet moves while a rollout runs: machines are made, change their tags or their place, and count where they are now.

What was reviewed is never loosened by it. A new machine counts in the groups that it is in, once it is out; limits stay as they were. One that
has left a group serves it no more, so that it counts there as out. One that was to be changed and stands elsewhere is left to the
next plan, since its wave may be wrong for it; what has begun is carried through.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from orchestrator.inventory.model import MachineId
from orchestrator.rollout import events as e
from orchestrator.rollout import messages as m
from orchestrator.rollout.state import MachineStatus, Membership, Rollout, Scope


def decide_moved(rollout: Rollout, found: m.FleetMoved) -> tuple[e.Event, ...]:
    """The facts of an inventory; none of what is known already. Nothing that was joined or left is taken back before the end."""
    if rollout.over:
        return ()
    return (*_members(rollout, found), *_left_out(rollout, found))


def _members(rollout: Rollout, found: m.FleetMoved) -> Iterator[e.Event]:
    for one in found.members:
        before = rollout.moved.get(one.identity)
        known = before or Membership((), ())
        joins = tuple(sorted(set(one.joins) - set(known.joins)))
        leaves = tuple(sorted(set(one.leaves) - set(known.leaves)))
        if joins or leaves or (before is None and one.identity in rollout.planned.index):
            yield e.MemberMoved(one.identity, joins, leaves)


def _left_out(rollout: Rollout, found: m.FleetMoved) -> Iterator[e.Event]:
    """Each once: one that a person wants all the same, who has seen that, is theirs."""
    for machine, why in found.changed:
        told = rollout.planned.machine(machine).id in rollout.moved
        pending = rollout.machines[machine].status is MachineStatus.PENDING
        if rollout.planned.lane_of[machine] >= 0 and pending and not told:
            yield e.MachineLeftOut(machine, why)


def decide_outsiders(scope: Scope, rollout: Rollout, found: m.OutsidersLooked) -> tuple[e.Event, ...]:
    """Who of them went out or came back, where that is news."""
    others = scope.ledger.others
    out = tuple(one for one in found.out if one in rollout.moved and not scope.ledger.is_out(one))
    back = tuple(one for one in found.back if one in rollout.moved and one in others)
    return (e.OutsidersSeen(out, back),) if out or back else ()


def outsiders(rollout: Rollout) -> tuple[MachineId, ...]:
    """Those that count in its budgets and that its plan doesn't have."""
    return tuple(one for one in rollout.moved if one not in rollout.planned.index)


# Folds ----------------------------------------------------------------------------------------------------------


def member_moved(scope: Scope, rollout: Rollout, event: e.MemberMoved, _at: datetime) -> None:
    """Have it count there from now on."""
    before = rollout.moved.get(event.identity, Membership((), ()))
    rollout.moved[event.identity] = Membership(
        tuple(sorted({*before.joins, *event.joins})), tuple(sorted({*before.leaves, *event.leaves}))
    )
    if rollout.ended_at is None:
        count_elsewhere(scope, rollout, event.identity, Membership(event.joins, event.leaves))


def count_elsewhere(scope: Scope, rollout: Rollout, machine: MachineId, membership: Membership) -> None:
    """Tell the ledger, which has the plan's constraints by their ids."""
    ids = [rule.id for rule in rollout.planned.plan.constraints]
    scope.ledger.move(
        rollout.id, machine, [ids[n] for n in membership.joins], [ids[n] for n in membership.leaves]
    )


def outsiders_seen(scope: Scope, _: Rollout, event: e.OutsidersSeen, at: datetime) -> None:
    """They count as out, or no more."""
    for machine in event.out:
        scope.ledger.mark_out(machine, at)
    for machine in event.back:
        scope.ledger.mark_back(machine)
