"""Packs the machines of one lane into waves, each as full as the rules allow.

Wave by wave, machines are taken in the order of how many waves their rules still force, most first: whoever stands in the
longest line goes before those who could go at any time. That meets the bound nearly always. Where it doesn't, it is tried
again with the order shaken a little, a fixed number of times: the search is bounded by work, never by time, so that a
plan is the same on every machine.

An exclusion holds a *cell* open: a domain, or what rules above leave of it in one piece (`nesting`), which is tried where
whole domains lead into a dead end. A cell that was begun is finished before another domain begins. Where that makes a lane
longer than its bound, no more is kept than has to be: a cell is finished before those of other domains begin that stand in
the same place of what cuts them. Others may go in turn with it, in waves of their own; which of them in which wave is planned
first (`itinerary`), and only tried by urgency where that doesn't meet the bound.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Final

from orchestrator.errors import Refused
from orchestrator.planner import conflict, nesting
from orchestrator.planner.anyorder import any_order
from orchestrator.planner.cells import LOOSE, Cells, Numbered, Way
from orchestrator.planner.filling import begin
from orchestrator.planner.guided import Guide, guided
from orchestrator.planner.rules import RuleKind, Rules, View

RESTARTS: Final = 12
"""How often a lane that is longer than its bound is packed anew. Nearly all that gain anything do within the first few."""

LOOKS: Final = 3_000_000
"""How many looks at a class (may it go in this wave?) restarts may cost a lane: two or three seconds at most."""

DEAD_ENDS: Final = 2
"""After so many shaken tries that all ended in a dead end, there is hardly a way that urgency would find."""

MANY: Final = 200_000
"""Classes of a lane in which each try takes seconds."""

GUIDED: Final = 20_000
"""Classes of a lane up to which an itinerary is made: what it takes in a larger one isn't measured yet."""

_AT_ONCE: Final = 16
"""How many classes are reckoned on arrays at the cost of one look."""

_OF_MANY: Final = (Way.WHOLE, Way.BEGUN_FIRST, Way.IN_TURN, Way.BY_CELL)
"""In a lane of many classes those come first that give the fewest waves: one that only shows that there is a way takes as long."""

_Taken = list[list[tuple[int, int]]]
"""Waves of a lane as (class, machines), by the lane's own numbers."""

Waves = list[list[int]]
"""The waves of a lane, each sorted: a class once for each of its machines."""


def pack(rules: Rules, machines: Sequence[int], least: int, nest: nesting.Nesting) -> Waves | None:
    """Pack a lane into waves; None if every try leads into a dead end. `least` is its bound: once it is met, the search is over."""
    if len(nest.binding) < 2:
        plain = _plain(rules, sorted(machines), nest.view, nest.binding)
        if plain is not None:
            return plain
    lane = Numbered(rules, sorted(machines), nest)
    best: _Taken | None = None
    loose: Cells | None = None  # they are the same for both of the loose ways
    for way in Way if len(lane.classes) <= MANY else _OF_MANY:
        if way is not Way.WHOLE and not lane.is_cut:
            break
        if best is not None and (way not in LOOSE or len(best) <= least):
            continue
        if way not in LOOSE:
            best = _Packing(lane, Cells(lane, way), way).shortest(least, best)
            continue
        if loose is None:
            loose = Cells(lane, way)
            if len(lane.classes) <= GUIDED:
                best = guided(lane, least, best, _Packing(lane, loose, Way.IN_TURN).along)
        if best is None or len(best) > least:
            best = _Packing(lane, loose, way).shortest(least, best)
    if best is None:
        return None
    return [sorted(lane.classes[one] for one, many in wave for _ in range(many)) for wave in best]


def _plain(rules: Rules, classes: Sequence[int], view: View, binding: Sequence[int]) -> Waves | None:
    """Waves where nothing binds, or only one budget over all of the machines; None where it's another rule."""
    everybody = [one for one in classes for _ in range(rules.sizes[one])]
    if not binding:
        return [everybody]
    only = binding[0]
    if rules.kinds[only] is not RuleKind.BUDGET or len(view[only][0]) < len(classes):
        return None
    limit = rules.limits[only]
    return [everybody[at : at + limit] for at in range(0, len(everybody), limit)]


def pack_anyhow(rules: Rules, machines: Sequence[int], view: View) -> Waves:
    """Waves that keep every rule, though not the fewest, for a lane that `pack` has no way through.

    Raises:
        Refused: if rules cross so that no way was found to finish every domain that is begun.
    """
    waves = any_order(rules, machines, view)
    if waves is None:
        raise Refused(_crossing(rules, view, machines))
    return waves


def _crossing(rules: Rules, view: View, machines: Sequence[int]) -> str:
    """What to say of a lane in which no machine may go next, whoever went before."""
    shaping = (*nesting.exclusions_of(rules, view), *nesting.orders_of(rules, view))

    def feasible(some: Sequence[int]) -> bool:
        return (
            any_order(_only(rules, machines, some), machines, {c: view[c] for c in sorted(some)}) is not None
        )

    found = conflict.conflict_of_rules({c: rules.constraints[c] for c in shaping}, feasible)
    blamed = [rules.constraints[c] for c in found.entries]
    told = conflict.in_words(blamed, (rules.machines[m] for m in machines), minimal=found.minimal)
    return (
        f"{told}. No way was found to finish every domain that is begun before another has to begin; "
        "loosen one of them, or select fewer machines"
    )


def _only(rules: Rules, machines: Sequence[int], some: Collection[int]) -> Rules:
    """The rules as if these machines stood in no other constraints."""
    places = list(rules.places)
    for machine in machines:
        places[machine] = tuple(at for at in places[machine] if at[0] in some)
    return replace(rules, places=tuple(places))


class _Packing:
    """Packs a lane once and again, under one way of finishing domains."""

    def __init__(self, lane: Numbered, cells: Cells, way: Way) -> None:
        self._lane = lane
        self._cells = cells
        self._way = way
        self._looks = 0

    def shortest(self, least: int, best: _Taken | None = None) -> _Taken | None:
        """The shortest that is found, or `best` if none is shorter; None if every try ends where no machine may go next."""
        for shake in range(RESTARTS + 1):
            found = self.run(shake, shorter_than=len(best) if best else None)
            best = found or best
            if (best and len(best) <= least) or self._looks > LOOKS or (not best and shake >= DEAD_ENDS):
                break
            if best and self._way is Way.BY_CELL:
                break  # that there is a way is all that is asked: the looser ones are tried next, and get shorter
        return best

    def along(self, guide: Guide, shake: int) -> _Taken | None:
        """As `run`, whatever it comes to; None also if what the tries of a lane may cost is spent."""
        return self.run(shake, guide=guide) if self._looks <= LOOKS else None

    def run(
        self, shake: int, *, shorter_than: int | None = None, guide: Guide | None = None
    ) -> _Taken | None:
        """The waves, or None if no machine may go next, or if it would get no shorter than asked."""
        filling = begin(self._lane, self._cells, self._way, shake)
        waves: _Taken = []
        while filling.machines:
            if shorter_than is not None and len(waves) + 1 >= shorter_than:
                return None
            turn = filling.in_turn()
            self._looks += len(turn) + len(self._lane.classes) // _AT_ONCE
            wave = filling.fill(guide.in_turn(turn, len(waves)) if guide else turn)
            if not wave:
                return None
            waves.append(wave)
        return waves
