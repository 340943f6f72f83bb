"""Long columns of whole numbers sorted: in half the time that an index of them would take to be sorted by value."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]

_BITS: Final = 62
"""Of a value and its place together, that they stay one whole number above zero."""


def sorted_by(values: Ints) -> Ints:
    """The places of the values from the smallest to the largest, equal ones as they stand. No value may be below zero."""
    bits = max(1, len(values) - 1).bit_length()
    if not len(values) or int(values.max()).bit_length() + bits > _BITS:
        return np.argsort(values, kind="stable")
    # Value and place as one number: to sort numbers takes less than to sort places by what stands there.
    packed = values << bits
    packed |= np.arange(len(values))
    packed.sort()
    packed &= (1 << bits) - 1
    return packed


def ranked(values: Ints) -> Ints:
    """Of each value how many different ones are smaller. No value may be below zero."""
    turn = sorted_by(values)
    in_turn = values[turn]
    found = np.empty_like(values)
    found[turn] = np.cumsum(np.r_[False, in_turn[1:] != in_turn[:-1]][: len(values)])
    return found
