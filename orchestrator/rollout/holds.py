"""Machines that a person keeps out of every rollout for a time: the hold, and whom of a plan it means.

A hold is a fact of the scope. It only ever takes machines away, and it ends by the clock. Its selector is the expression of `--select`;
a plan tells name, place, family and kind of its machines, so a selector of those alone is settled by the plan. Tags, zones and sets
stand in no plan: whom such a selector means, a look at the fleet says, and until somebody has looked, whoever it may mean waits.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final

from orchestrator.errors import UsageError
from orchestrator.inventory.ids import resource_group_of
from orchestrator.inventory.model import Inventory, Machine, MachineId
from orchestrator.planner.model import PlannedMachine
from orchestrator.policy.model import Selector
from orchestrator.policy.select import matcher, parse_selector_expression
from orchestrator.rollout.planned import Planned

LONGEST: Final = timedelta(days=90)
"""A machine that is held for longer than that is not held but forgotten."""


@dataclass(frozen=True, slots=True)
class Hold:
    """`select` is what the person typed, `matched` whom it meant in the inventory that the person had at hand, if any."""

    id: str
    select: str
    until: datetime
    who: str
    reason: str
    since: datetime
    matched: tuple[MachineId, ...] = ()

    def __str__(self) -> str:
        """`held by ada until 2026-12-01 10:00 UTC: a disk is replaced (hold h3)`."""
        return f"held by {self.who} until {self.until:%Y-%m-%d %H:%M} UTC: {self.reason} (hold {self.id})"


@dataclass(slots=True)
class Meant:
    """Whom of a rollout's plan a hold means, by place in the plan: `surely`; and `perhaps`, by what no plan tells.

    Once somebody has `looked`, whoever of `perhaps` isn't in `surely` is free. Nobody is taken out of `surely` before the hold ends,
    whatever becomes of its tags: a person lifts a hold, or the clock does.
    """

    surely: set[int] = field(default_factory=set)
    perhaps: set[int] = field(default_factory=set)
    looked: bool = False

    def holds(self, machine: int) -> bool:
        """Whether the machine is held, or may be for all that anybody knows."""
        return machine in self.surely or (not self.looked and machine in self.perhaps)


@lru_cache(maxsize=256)
def read_select(expression: str) -> Selector:
    """The selector of a hold. Raises `UsageError` with every mistake in it, and what to write instead."""
    try:
        return parse_selector_expression(expression)
    except UsageError as error:
        raise UsageError(str(error).removeprefix("--select ")) from None


def meant_by(hold: Hold, planned: Planned) -> Meant:
    """Whom of a plan's machines that are to be changed a hold means, by what the plan tells and the hold knows."""
    selector = read_select(hold.select)
    told = replace(selector, tags=(), without_tags=(), zones=(), availability_sets=(), scale_sets=())
    test, settled, matched = matcher(told), told == selector, frozenset(hold.matched)
    meant = Meant()
    for machine, one in enumerate(planned.plan.machines):
        if planned.lane_of[machine] < 0:
            continue
        if one.id in matched:
            meant.surely.add(machine)
        elif test(_as_told(one)):
            (meant.surely if settled else meant.perhaps).add(machine)
    meant.looked = not meant.perhaps
    return meant


def _as_told(one: PlannedMachine) -> Machine:
    """A planned machine as an inventory would have it, as far as the plan tells."""
    group = resource_group_of(one.arm_id)
    return Machine(one.id, one.name, one.subscription, group, one.location, one.arm_id, one.kind, os=one.os)


def found_in(fleet: Inventory, select: str) -> tuple[MachineId, ...]:
    """Whom a hold's selector means in an inventory."""
    test = matcher(read_select(select))
    return tuple(machine.id for machine in fleet.machines if test(machine))


def standing(holds: Mapping[str, Hold], now: datetime) -> list[Hold]:
    """The holds that haven't ended by `now`, the oldest first."""
    return [hold for hold in holds.values() if hold.until > now]


def tester(holds: Collection[Hold]) -> Callable[[Machine], Hold | None]:
    """What finds the hold under which a machine of an inventory is; of several the one that ends last."""
    tests = [
        (hold, matcher(read_select(hold.select)), frozenset(hold.matched))
        for hold in sorted(holds, key=lambda hold: hold.until, reverse=True)
    ]
    return lambda machine: next(
        (hold for hold, test, matched in tests if machine.id in matched or test(machine)), None
    )
