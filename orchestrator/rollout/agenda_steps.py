"""Steps that are to be going on around waves, stages and the rollout, kept up to date fact by fact."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from orchestrator.planner.stretches import Where
from orchestrator.rollout import actions as a
from orchestrator.rollout import events as e
from orchestrator.rollout.state import Rollout
from orchestrator.rollout.stretches import due_stretch

A_WAVE = 2
"""How many numbers say where a wave is."""

_FIRST = -2


def place_of(stretch: int) -> int:
    """The place of a stretch among those of machines, whose numbers begin at 0, and the rollout's own, -1."""
    return _FIRST - stretch


@dataclass(slots=True)
class Steps:
    """What is due, by stretch. Its cost per fact is that of the stretches concerned, of which a machine is in three at most."""

    rollout: Rollout
    due: dict[int, a.RunStretchStep] = field(default_factory=dict)

    def at(self, place: int) -> a.RunStretchStep | None:
        """What is to be going on in a place."""
        return self.due.get(_FIRST - place)

    def ask_all(self) -> set[int]:
        """Ask about every stretch. Returns all places."""
        return self._ask(range(len(self.rollout.stretches)))

    def refresh(self, facts: Iterable[e.Event]) -> set[int]:
        """Ask again about whatever these facts, already applied, concern. Returns the places whose step may differ."""
        if not self.rollout.stretches:
            return set()
        return self._ask({number for fact in facts for number in self._concerned(fact)})

    def _ask(self, numbers: Iterable[int]) -> set[int]:
        asked = set()
        for number in numbers:
            step = due_stretch(self.rollout, number)
            if step is None:
                self.due.pop(number, None)
            else:
                self.due[number] = step
            asked.add(place_of(number))
        return asked

    def _concerned(self, fact: e.Event) -> Iterator[int]:
        planned = self.rollout.planned
        stretches = planned.stretches
        match fact:
            case e.StretchBegun() | e.StretchStepEnded():
                number = stretches.at[fact.where]
                yield from (*stretches.outer[number], number, *stretches.inner[number])
            case e.WavePassed() | e.LaneGaveUp():
                lane = fact.lane
                wheres: tuple[Where, ...] = (
                    (lane, self.rollout.lanes[lane].wave),
                    (planned.lanes[lane].stage,),
                    (),
                )
                yield from (stretches.at[where] for where in wheres if where in stretches.at)
            case _ if (machine := getattr(fact, "machine", -1)) >= 0:
                yield from stretches.of.get(machine, ())
