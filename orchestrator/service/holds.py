"""Holds as people see them: which stand, whom they mean where, how one is asked for, and what they mean for a plan."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from orchestrator.errors import UsageError
from orchestrator.inventory.model import Inventory, MachineId
from orchestrator.planner.model import Plan
from orchestrator.policy.words import counted
from orchestrator.rollout import events as e
from orchestrator.rollout import messages as m
from orchestrator.rollout.holding import held_machines, unlooked
from orchestrator.rollout.holds import Hold, found_in, read_select, standing
from orchestrator.rollout.state import MachineStatus, Rollout, Scope

NAMED: Final = 5
"""Machines told by name in a sentence."""


@dataclass(frozen=True, slots=True)
class HeldThere:
    """What a hold means to a rollout that goes on: whom it keeps from being begun, by name.

    `looking`: whom it means besides, by tags, zones or sets, isn't known before the fleet was looked at; they wait for that.
    """

    rollout: str
    machines: tuple[str, ...]
    looking: bool = False


@dataclass(frozen=True, slots=True)
class Held:
    """A hold that stands. `matched`: whom it meant in the inventory of whoever placed it, if there was one."""

    id: str
    select: str
    until: datetime
    who: str
    reason: str
    since: datetime
    matched: tuple[MachineId, ...] = ()
    rollouts: tuple[HeldThere, ...] = ()

    def __str__(self) -> str:
        """`h1  tag:app=shop  held by ada until 2026-12-01 10:00 UTC: a disk is replaced`."""
        return f"{self.id}  {self.select}  held by {self.who} until {self.until:%Y-%m-%d %H:%M} UTC: {self.reason}"


def holds(scope: Scope, now: datetime) -> tuple[Held, ...]:
    """The holds that stand at `now`, the one that ends first before the others."""
    found = sorted(standing(scope.holds, now), key=lambda hold: (hold.until, hold.id))
    return tuple(_told(scope, hold, now) for hold in found)


def _told(scope: Scope, hold: Hold, now: datetime) -> Held:
    there = tuple(
        HeldThere(rollout.id, names_held(rollout, hold.id, now), hold.id in unlooked(rollout))
        for rollout in scope.active()
        if hold.id in rollout.meant
    )
    concerned = tuple(one for one in there if one.machines or one.looking)
    return Held(hold.id, hold.select, hold.until, hold.who, hold.reason, hold.since, hold.matched, concerned)


def names_held(rollout: Rollout, hold: str, now: datetime) -> tuple[str, ...]:
    """The machines of a rollout that a hold keeps from being begun now: those that are under way or settled are none."""
    return tuple(
        rollout.planned.machine(machine).name
        for machine in held_machines(rollout, now).get(hold, ())
        if rollout.machines[machine].status is MachineStatus.PENDING
    )


def held_lines(rollout: Rollout, now: datetime) -> tuple[str, ...]:
    """Who of a rollout is held, by whom, until when and why; a sentence a hold."""
    lines = []
    for hold in standing(rollout.holds, now):
        if hold.id not in rollout.meant:
            continue
        if names := names_held(rollout, hold.id, now):
            lines.append(f"{some(names)}: {hold}")
        if hold.id in unlooked(rollout):
            lines.append(f"whoever {hold.select} means waits until the fleet was looked at: {hold}")
    return tuple(lines)


def some(names: Sequence[str]) -> str:
    """`a, b, c, d, e and 3 more`."""
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more


def machines_meant(scope: Scope, held: Held) -> tuple[MachineId, ...]:
    """Whom a hold means as far as anybody knows: of the inventory that it was placed with, and of rollouts that go on."""
    found = dict.fromkeys(held.matched)
    for rollout in scope.active():
        if (meant := rollout.meant.get(held.id)) is not None:
            found.update((rollout.planned.machine(machine).id, None) for machine in sorted(meant.surely))
    return tuple(found)


# Asking ---------------------------------------------------------------------------------------------------------


def hold_command(
    select: str, until: datetime, who: str, reason: str, fleet: Inventory | None = None
) -> m.Hold:
    """What asks for a hold. `fleet`: the inventory at hand, if any. Raises `UsageError` for a selector that can't be read."""
    read_select(select)
    matched = found_in(fleet, select) if fleet is not None else ()
    return m.Hold(select, until, who, reason, matched)


def unhold_command(hold: str, who: str, reason: str) -> m.Unhold:
    """What ends one before its time."""
    return m.Unhold(hold, who, reason)


def placed(facts: Iterable[e.Event]) -> str:
    """The number of the hold that a decision placed; empty if it placed none."""
    return next((fact.hold for fact in facts if isinstance(fact, e.HoldPlaced)), "")


_UNITS: Final = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_MOMENT: Final = (
    "write a moment, such as 2026-12-01T10:00 (UTC, unless it says otherwise), or a length, such as 6h or 3d"
)


def until_of(typed: str, now: datetime) -> datetime:
    """The end of a hold that was typed: a date, a moment, or how long from now. Raises `UsageError` that says how to write it."""
    text = typed.strip()
    if length := re.fullmatch(r"(\d{1,4})([mhdw])", text.lower()):
        return now + timedelta(**{_UNITS[length[2]]: int(length[1])})
    try:
        if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
            return datetime.combine(date.fromisoformat(text), time(), UTC)
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(f"--until {typed} is no moment; {_MOMENT}") from None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


# Plans ----------------------------------------------------------------------------------------------------------


def what_holds_mean_for(plan: Plan, fleet: Inventory, held: Iterable[Held]) -> tuple[str, ...]:
    """Whom of a plan's machines a hold keeps from being begun, a sentence a hold; nothing where it keeps nobody."""
    names = {machine.id: machine.name for machine in plan.machines if machine.change}
    lines = []
    for hold in held:
        chosen = [
            names[one]
            for one in dict.fromkeys((*hold.matched, *found_in(fleet, hold.select)))
            if one in names
        ]
        if chosen:
            verb = "is" if len(chosen) == 1 else "are"
            lines.append(
                f"{counted(len(chosen), 'machine')} of this plan {verb} not begun before {hold.until:%Y-%m-%d %H:%M} UTC, "
                f"held by {hold.who}: {hold.reason} (hold {hold.id}): {some(chosen)}"
            )
    return tuple(lines)
