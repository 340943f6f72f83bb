"""Which machines go first among equals: those that a policy calls exposed, then those with the most patches outstanding.

Exposure never makes a plan longer and never moves a machine into another stage. It orders the machines of a stage, and whoever fills
waves asks the machines of one stage in this order wherever rules leave a choice. The first of several stages is left as it is:
canaries are chosen for what they say of others, and who is most in need is the wrong one to try a patch on.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from orchestrator.inventory.model import Machine, MachineId
from orchestrator.planner.model import Warned
from orchestrator.policy import words
from orchestrator.policy.model import Change, Patches, Sooner
from orchestrator.policy.select import matcher

_FEW: Final = 0.5
"""How many outstanding patches are taken of a machine that was never assessed: fewer than any that is known to need one, and more
than none."""


def in_turn(
    machines: Sequence[MachineId],
    fleet: Mapping[MachineId, Machine],
    change: Change,
    sooner: Sequence[Sooner],
) -> Sequence[MachineId]:
    """These machines, the most exposed first; among equals in the order given.

    Where a policy installs patches, the critical and security ones of a machine's last assessment count; a restart installs none.
    """
    tests = [matcher(entry.select) for entry in sooner]
    counts = isinstance(change, Patches)
    ranked: dict[tuple[int, float], list[MachineId]] = {}
    for machine in machines:
        held = fleet[machine]
        place = next((place for place, test in enumerate(tests) if test(held)), len(tests)) if tests else 0
        rank = place, -_outstanding(held) if counts else 0
        ranked.setdefault(rank, []).append(machine)
    if len(ranked) < 2:
        return machines
    return [machine for rank in sorted(ranked) for machine in ranked[rank]]


def numbered(
    stages: Sequence[Sequence[MachineId]],
    fleet: Mapping[MachineId, Machine],
    change: Change,
    sooner: Sequence[Sooner],
) -> Iterator[Sequence[MachineId]]:
    """The machines of each stage in the order in which they are numbered for planning: after the first stage, by exposure."""
    for place, machines in enumerate(stages):
        if place == 0 and len(stages) > 1:
            yield machines
        else:
            yield in_turn(machines, fleet, change, sooner)


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


def _outstanding(machine: Machine) -> float:
    known = machine.patches.critical_and_security
    return _FEW if known is None else known
