"""In which turn the classes of a lane are asked who may go in a wave, once it is known who is in the line and how urgent each is.

The most urgent first; where a try is shaken, by urgency and chance, and a class has the same lot throughout the try. In lists for
few classes and on arrays for many, with the same result.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from orchestrator.planner.flat import Ints
from orchestrator.planner.mixing import mixed
from orchestrator.planner.packing import Line
from orchestrator.planner.sorting import sorted_by

_SHAKE: Final = 8
"""Into how many steps a wave of urgency is divided when the order is shaken."""

_STRIDE: Final = 0x9E3779B97F4A7C15
"""Far apart from try to try: 2^64 by the golden ratio."""

_BITS: Final = 62
"""Of urgency and weight together, that they stay one whole number above zero."""


class Turn:
    """How it is sorted in one try."""

    def __init__(self, classes: int, shake: int, *, begun_first: bool) -> None:
        self.begun_first = begun_first
        self.swing = _SHAKE * (1 + shake // 4) if shake else 0  # later tries are shaken harder
        seed = np.uint64(shake * _STRIDE & 0xFFFFFFFFFFFFFFFF)
        self.lots: NDArray[np.uint64] = mixed(np.arange(classes if shake else 0, dtype=np.uint64) + seed)


def turn_of_few(turn: Turn, line: Line, count: int) -> list[int]:
    """The first of the line, which are in lists, in turn."""
    who, urgency, weight, begun = line[:4]
    swing, first = turn.swing, int(turn.begun_first)
    lots = turn.lots.tolist()

    def key(at: int) -> tuple[int, int, int]:
        if not swing:
            return -first * begun[at], -urgency[at], -weight[at]
        lot = lots[who[at]]
        return -first * begun[at], -(urgency[at] * _SHAKE + lot % swing), lot

    return [who[at] for at in sorted(range(count), key=key)]


def turn_of_many(turn: Turn, who: Ints, urgency: Ints, weight: Ints, begun: Ints | NDArray[np.bool_]) -> Ints:
    """The line in turn, on arrays."""
    if turn.swing:
        lots = turn.lots[who]
        swing = (lots % np.uint64(turn.swing)).astype(np.int64)
        order = np.lexsort((lots, -(urgency * _SHAKE + swing)))
    else:
        order = _most_first(urgency, weight)
    if turn.begun_first:
        first = begun[order] > 0
        order = np.concatenate((order[first], order[~first]))
    return who[order]


def _most_first(urgency: Ints, weight: Ints) -> Ints:
    """Places by urgency, then by weight, then as they stand."""
    most, heaviest = int(urgency.max(initial=0)), int(weight.max(initial=0))
    if most.bit_length() + (heaviest + 1).bit_length() > _BITS:
        return np.lexsort((-weight, -urgency))
    return sorted_by((most - urgency) * (heaviest + 1) + (heaviest - weight))
