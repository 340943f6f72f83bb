"""Holds while rollouts run: what a person's word makes happen, who is held now, and until when.

What has begun is carried through. A machine that is held is granted to nobody; one that was granted, and of which no request was sent, gives
its grant back. Holds are asked where windows are: both keep a machine waiting until a moment that is known.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from orchestrator.availability.ledger import Refusal
from orchestrator.errors import Refused, UsageError
from orchestrator.policy.words import duration
from orchestrator.rollout import events as e
from orchestrator.rollout import messages as m
from orchestrator.rollout.holds import LONGEST, Hold, meant_by, read_select, standing
from orchestrator.rollout.state import Rollout, Scope

HELD: Final = "hold"
"""The name that holds go by among constraints."""


def decide_hold(scope: Scope, command: m.Hold | m.Unhold, now: datetime) -> tuple[e.Event, ...]:
    """The fact of it. Raises `Refused` with what to say instead."""
    if isinstance(command, m.Unhold):
        return _lift(scope, command, now)
    try:
        read_select(command.select)
    except UsageError as error:
        raise Refused(f"nothing is held: {error}") from None
    if not command.reason.strip():
        raise Refused("say why, for whoever reads it later: --reason ...")
    if command.until.tzinfo is None:
        raise Refused("say until when with its time zone, such as 2026-12-01T10:00Z")
    until = command.until.astimezone(UTC)  # as everything that tells of it says
    if until <= now:
        raise Refused(
            f"{until:%Y-%m-%d %H:%M} UTC is past already: it is {now:%Y-%m-%d %H:%M} UTC; say a later time with --until"
        )
    if until > now + LONGEST:
        raise Refused(
            f"a hold lasts for {duration(LONGEST)} at most, now until {now + LONGEST:%Y-%m-%d %H:%M} UTC; "
            "hold again when that is over, or take the machines out of the campaign"
        )
    number = f"h{scope.holdings + 1}"
    return (e.HoldPlaced(number, command.select, until, command.who, command.reason, command.matched),)


def _lift(scope: Scope, command: m.Unhold, now: datetime) -> tuple[e.Event, ...]:
    if not command.reason.strip():
        raise Refused("say why, for whoever reads it later: --reason ...")
    holds = standing(scope.holds, now)
    if command.hold not in {hold.id for hold in holds}:
        others = "; ".join(f"{hold.id}, {hold.select}, {hold}" for hold in holds) or "nothing is held"
        raise Refused(f"there is no hold {command.hold}; {others}")
    return (e.HoldLifted(command.hold, command.who, command.reason),)


def decide_looked(rollout: Rollout, message: m.HoldsLooked) -> tuple[e.Event, ...]:
    """Whom a look at the fleet found to be held; nothing where that was known."""
    facts = []
    for hold, machines in message.found:
        meant = rollout.meant.get(hold)
        if meant is None:
            continue
        fresh = tuple(sorted(set(machines) - meant.surely))
        if fresh or not meant.looked:
            facts.append(e.HoldSeen(hold, fresh))
    return tuple(facts)


# The fold -------------------------------------------------------------------------------------------------------


def fold_hold(scope: Scope, event: e.HoldPlaced | e.HoldLifted, at: datetime) -> None:
    """Facts of the scope, whatever row they stand in. What has ended by the clock is forgotten with the next hold."""
    scope.holdings_changed += 1
    if isinstance(event, e.HoldLifted):
        _forget(scope, event.hold)
        return
    for ended in [hold.id for hold in scope.holds.values() if hold.until <= at]:
        _forget(scope, ended)
    hold = Hold(event.hold, event.select, event.until, event.who, event.reason, at, event.matched)
    scope.holds[hold.id] = hold
    scope.holdings += 1
    for rollout in scope.rollouts.values():
        if not rollout.over:
            rollout.meant[hold.id] = meant_by(hold, rollout.planned)


def _forget(scope: Scope, hold: str) -> None:
    scope.holds.pop(hold, None)
    for rollout in scope.rollouts.values():
        rollout.meant.pop(hold, None)


def held_from_the_start(scope: Scope, rollout: Rollout, at: datetime) -> None:
    """A rollout begins under the holds that stand."""
    for hold in standing(scope.holds, at):
        rollout.meant[hold.id] = meant_by(hold, rollout.planned)


def fold_seen(_: Scope, rollout: Rollout, event: e.HoldSeen, _at: datetime) -> None:
    """A look at the fleet found these besides."""
    meant = rollout.meant.get(event.hold)
    if meant is not None:  # else it was lifted meanwhile
        meant.surely.update(event.machines)
        meant.looked = True


# Who is held ----------------------------------------------------------------------------------------------------


def hold_on(rollout: Rollout, machine: int, now: datetime) -> Hold | None:
    """The hold that keeps the machine from being begun; of several the one that ends last."""
    found = None
    for name, meant in rollout.meant.items():
        if meant.holds(machine):
            hold = rollout.holds[name]
            if hold.until > now and (found is None or hold.until > found.until):
                found = hold
    return found


def surely_held(rollout: Rollout, machine: int, after: datetime) -> Hold | None:
    """The hold that keeps a machine of which that is known for longer than until `after`."""
    held = [
        rollout.holds[name]
        for name, meant in rollout.meant.items()
        if machine in meant.surely and rollout.holds[name].until > after
    ]
    return max(held, key=lambda hold: hold.until, default=None)


def held_refusal(rollout: Rollout, machine: int, now: datetime) -> Refusal | None:
    """Why a hold doesn't let the machine be begun now; None if none does."""
    hold = hold_on(rollout, machine, now)
    if hold is None:
        return None
    if machine in rollout.meant[hold.id].surely:
        return Refusal(HELD, str(hold))
    return Refusal(HELD, f"whether it is {hold} isn't known before the fleet was looked at")


def unlooked(rollout: Rollout) -> tuple[str, ...]:
    """The holds of which nobody has looked yet whom of this rollout they mean."""
    return tuple(name for name, meant in rollout.meant.items() if not meant.looked)


def held_machines(rollout: Rollout, now: datetime) -> dict[str, list[int]]:
    """The machines of each hold that stands, of those that are known to be held."""
    return {
        name: sorted(meant.surely)
        for name, meant in rollout.meant.items()
        if rollout.holds[name].until > now and meant.surely
    }


def next_held(rollout: Rollout, moment: datetime) -> Hold | None:
    """The hold that ends at this moment, if one does."""
    return next((hold for name in rollout.meant if (hold := rollout.holds[name]).until == moment), None)
