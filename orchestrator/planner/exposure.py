"""Which machines go first among equals: those that a policy calls exposed, then those with the most patches outstanding.

Exposure never makes a plan longer and never moves a machine into another stage. It orders the machines of a stage, and whoever fills
waves asks the machines of one stage in this order wherever rules leave a choice. The first of several stages is left as it is:
canaries are chosen for what they say of others, and who is most in need is the wrong one to try a patch on.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import inf
from typing import Final

from orchestrator.inventory.model import Machine, MachineId
from orchestrator.planner.model import Lane, PlannedMachine, Warned
from orchestrator.policy import words
from orchestrator.policy.model import Change, Patches, Sooner
from orchestrator.policy.select import matcher

_FEW: Final = 0.5
"""How many outstanding patches are taken of a machine that was never assessed: fewer than any that is known to need one, and more
than none."""

Rank = tuple[float, float]
FIRST: Final[Rank] = (-inf, -inf)
"""Before every machine."""


@dataclass(frozen=True, slots=True)
class Exposure:
    """The first entry of `sooner` that selects a machine, and how many critical and security patches it needs, as far as known."""

    sooner: int | None = None
    outstanding: int | None = None

    @property
    def rank(self) -> Rank:
        """The least goes first."""
        place = inf if self.sooner is None else self.sooner
        return place, -(_FEW if self.outstanding is None else self.outstanding)


@dataclass(frozen=True, slots=True)
class Ordered:
    """The machines of each stage in the order in which they are numbered, and how exposed those are that were ordered."""

    stages: tuple[Sequence[MachineId], ...]
    of: Mapping[MachineId, Exposure]


def ordered(
    stages: Sequence[Sequence[MachineId]],
    fleet: Mapping[MachineId, Machine],
    change: Change,
    sooner: Sequence[Sooner],
) -> Ordered:
    """The machines of each stage in their order, and what decided it, for the plan to carry.

    After the first of several stages the most exposed come first; equals stay in the order given. Where a policy installs patches, the
    critical and security ones of a machine's last assessment count; a restart installs none.
    """
    first = _left_as_it_is(stages)
    found = [_of(machines, fleet, change, sooner) for machines in stages[first:]]
    later = map(_in_turn, stages[first:], found)
    return Ordered((*stages[:first], *later), {machine: held for of in found for machine, held in of.items()})


def rank_of(machine: PlannedMachine) -> Rank:
    """Where a plan's machine stands among equals: the least goes first."""
    return Exposure(machine.sooner, machine.outstanding).rank


def ahead(lane: Lane, ranks: Mapping[MachineId, Rank]) -> int:
    """How many machines of a lane are in an earlier wave than one that is less exposed."""
    last, found = FIRST, 0
    for wave in reversed(lane.waves):
        held = [ranks[machine] for machine in wave.machines]
        found += sum(rank < last for rank in held)
        last = max([last, *held])
    return found


def warnings(
    machines: Iterable[MachineId], fleet: Mapping[MachineId, Machine], sooner: Sequence[Sooner]
) -> Iterator[Warned]:
    """Entries of `sooner` that select none of the machines, most likely by a slip of the pen."""
    tests = {entry: matcher(entry.select) for entry in sooner}
    for machine in machines:
        if not tests:
            return
        for entry in [entry for entry, test in tests.items() if test(fleet[machine])]:
            del tests[entry]
    for entry in tests:
        what = f"`sooner` selects none of the machines that are changed by {words.selector(entry.select)}"
        yield Warned(what, entry.origin)


def _in_turn(machines: Sequence[MachineId], of: Mapping[MachineId, Exposure]) -> Sequence[MachineId]:
    ranked: dict[Rank, list[MachineId]] = {}
    ranks: dict[int, list[MachineId]] = {}  # by identity: machines that are as exposed share a value
    for machine in machines:
        exposure = of[machine]
        held = ranks.get(id(exposure))
        if held is None:
            held = ranks[id(exposure)] = ranked.setdefault(exposure.rank, [])
        held.append(machine)
    if len(ranked) < 2:
        return machines
    return [machine for rank in sorted(ranked) for machine in ranked[rank]]


def _left_as_it_is(stages: Sequence[object]) -> int:
    """How many stages are not ordered: the first of several."""
    return 1 if len(stages) > 1 else 0


def _of(
    machines: Iterable[MachineId],
    fleet: Mapping[MachineId, Machine],
    change: Change,
    sooner: Sequence[Sooner],
) -> Mapping[MachineId, Exposure]:
    tests = [matcher(entry.select) for entry in sooner]
    counts = isinstance(change, Patches)
    known: dict[tuple[int | None, int | None], Exposure] = {}
    found: dict[MachineId, Exposure] = {}
    for machine in machines:
        held = fleet[machine]
        place = next((place for place, test in enumerate(tests) if test(held)), None) if tests else None
        told = place, held.patches.critical_and_security if counts else None
        exposure = known.get(told)
        if exposure is None:
            exposure = known[told] = Exposure(*told)
        found[machine] = exposure
    return found
