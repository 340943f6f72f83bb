"""Stretches of a rollout with steps around them: waves, stages, the rollout itself. Read off the machines that name the steps.

A wave has the steps that any of its machines names, and so has a stage, and the rollout. All machines of a stretch wait for its
steps, not only those that name them: it is begun once, for all of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from orchestrator.planner.model import Plan
from orchestrator.policy.model import Each, Step

Where = tuple[int, ...]
"""A stretch by its place in the plan: `(lane, wave)`, `(stage,)`, or `()`, the rollout."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """A wave, a stage or the rollout, with its steps in the order in which they are done. `size`: how many machines it changes."""

    where: Where
    before: tuple[Step, ...]
    after: tuple[Step, ...]
    size: int


@dataclass(frozen=True, slots=True)
class Stretches:
    """All of a plan, numbered; `of` has those of each machine that has any, the outermost first, as are `outer` of each stretch."""

    all: tuple[Stretch, ...] = ()
    at: Mapping[Where, int] = field(default_factory=dict)
    of: Mapping[int, tuple[int, ...]] = field(default_factory=dict)
    outer: tuple[tuple[int, ...], ...] = ()
    inner: tuple[tuple[int, ...], ...] = ()


def stretches_of(plan: Plan, lanes: Sequence[tuple[int, Sequence[Sequence[int]]]]) -> Stretches:
    """The stretches of a plan whose lanes are (stage, waves of machines by number)."""
    if all(steps.each is Each.MACHINE for steps in plan.around):
        return Stretches()
    named: dict[Where, set[int]] = {}  # -> places in the plan's table of steps
    sizes: dict[Where, int] = {}
    for lane, wave, stage, machines in _waves(lanes):
        places = {a for m in machines for a in plan.machines[m].around}
        for where, each in (((lane, wave), Each.WAVE), ((stage,), Each.STAGE), ((), Each.ROLLOUT)):
            sizes[where] = sizes.get(where, 0) + len(machines)
            if mine := {a for a in places if plan.around[a].each is each}:
                named.setdefault(where, set()).update(mine)
    wheres = sorted(named, key=lambda where: (len(where), where))
    at = {where: number for number, where in enumerate(wheres)}
    of: dict[int, tuple[int, ...]] = {}
    outer: list[tuple[int, ...]] = [() for _ in wheres]
    for lane, wave, stage, machines in _waves(lanes):
        mine_here = tuple(at[where] for where in ((), (stage,), (lane, wave)) if where in at)
        of.update((machine, mine_here) for machine in machines if mine_here)
        for place, number in enumerate(mine_here):
            outer[number] = mine_here[:place]
    inner = tuple(
        tuple(n for n, around in enumerate(outer) if number in around) for number in range(len(wheres))
    )
    rows = tuple(_stretch(plan, where, sorted(named[where]), sizes[where]) for where in wheres)
    return Stretches(rows, at, of, tuple(outer), inner)


def _waves(
    lanes: Iterable[tuple[int, Sequence[Sequence[int]]]],
) -> Iterator[tuple[int, int, int, Sequence[int]]]:
    """Lane, wave, stage and machines of every wave."""
    for lane, (stage, waves) in enumerate(lanes):
        for wave, machines in enumerate(waves):
            yield lane, wave, stage, machines


def _stretch(plan: Plan, where: Where, places: Sequence[int], size: int) -> Stretch:
    """What was done last is undone first."""
    return Stretch(
        where,
        tuple(step for place in places for step in plan.around[place].before),
        tuple(step for place in reversed(places) for step in plan.around[place].after),
        size,
    )
