"""What happens, as it is told to whoever listens: one fact of a decision, in words, with its machines and its lane."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from orchestrator.executor.log import Decided
from orchestrator.rollout import events as e
from orchestrator.rollout.state import Ended, Rollout
from orchestrator.service.narrate import is_quiet, sentence

__all__ = ["Decided", "Happening", "happenings"]


@dataclass(frozen=True, slots=True)
class Happening:
    """One fact. `seq` and `index` are its place in the journal; `who` is the person, where one did it."""

    seq: int
    index: int
    event: str
    rollout: str  # empty: it is about the whole scope
    at: datetime
    who: str
    sentence: str
    machines: tuple[str, ...]
    lane: str
    quiet: bool  # it goes without saying in a rollout that goes well

    def __str__(self) -> str:
        """`2026-11-29 10:00:00  paused by ada: because`."""
        return f"{self.at:%Y-%m-%d %H:%M:%S}  {self.sentence}"


Sees = Callable[[int], bool]
"""Whether somebody may know of a machine of the rollout, by its place in the plan."""


def happenings(
    rollout: Rollout | Ended | None, decided: Decided, sees: Sees | None = None
) -> tuple[Happening, ...]:
    """The facts of a decision, in their order. `rollout` is the one that they are about, None where they are about none.

    With `sees`, those about machines that may not be seen are left out.
    """
    return tuple(
        Happening(
            decided.seq,
            index,
            type(fact).__name__,
            decided.rollout,
            decided.at,
            str(getattr(fact, "who", "")),
            sentence(rollout, fact),
            _names(rollout, fact),
            _lane(rollout, fact),
            is_quiet(fact),
        )
        for index, fact in enumerate(decided.facts)
        if sees is None or all(map(sees, _numbers(fact)))
    )


def _numbers(fact: e.Event) -> tuple[int, ...]:
    machine: int = getattr(fact, "machine", -1)
    if machine >= 0:
        return (machine,)
    match fact:
        case e.FleetSeen(out, back):
            return (*out, *back)
        case e.HoldSeen(machines=machines):
            return machines
    return ()


def _names(rollout: Rollout | Ended | None, fact: e.Event) -> tuple[str, ...]:
    numbers = _numbers(fact)
    if isinstance(rollout, Rollout):
        return tuple(rollout.planned.machine(number).name for number in numbers)
    if isinstance(rollout, Ended):
        return tuple(rollout.left[number].name for number in numbers if number in rollout.left)
    return ()


def _lane(rollout: Rollout | Ended | None, fact: e.Event) -> str:
    if not isinstance(rollout, Rollout):
        return ""
    lane: int = getattr(fact, "lane", -1)
    machine: int = getattr(fact, "machine", -1)
    if lane < 0 and machine >= 0:
        lane = rollout.planned.lane_of[machine]
    return rollout.planned.plan.lanes[lane].id if lane >= 0 else ""
