"""Tables of whole numbers laid out flat, for loops that run as they stand and, compiled, over arrays.

A table is a named tuple of columns. Columns are lists where Python runs the loops, since it reads an item of a list in a third of the time,
and arrays where machine code does; `as_arrays` turns the one into the other.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import accumulate, chain
from typing import NamedTuple, Protocol, Self, TypeVar, overload

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]


class Numbers(Protocol):
    """A column: a list of whole numbers, or an array of them."""

    def __len__(self) -> int: ...

    @overload
    def __getitem__(self, at: int, /) -> int: ...

    @overload
    def __getitem__(self, at: slice, /) -> Self: ...

    def __setitem__(self, at: int, value: int, /) -> None: ...

    def copy(self) -> Self:
        """Another of the same numbers."""


class Rows(NamedTuple):
    """Rows of differing length: row n is `items[starts[n]:starts[n + 1]]`."""

    starts: Numbers
    items: Numbers


_Table = TypeVar("_Table", bound=NamedTuple)


def rows_of(nested: Iterable[Sequence[int]]) -> Rows:
    """Lists of numbers, one after another."""
    held = list(nested)
    return Rows([0, *accumulate(map(len, held))], list(chain.from_iterable(held)))


def as_arrays(table: _Table) -> _Table:
    """The table with arrays instead of lists, in all tables within it."""
    return table._make(as_arrays(each) if isinstance(each, Rows) else _as_array(each) for each in table)


def array_of(column: Numbers) -> Ints:
    """A column that is known to be an array."""
    assert isinstance(column, np.ndarray)
    return column


def listed(column: Numbers) -> list[int]:
    """A column as a list, if it isn't one."""
    return column if isinstance(column, list) else array_of(column).tolist()


def blank(like: Numbers, count: int, value: int = 0) -> Numbers:
    """A new column of so many, in the form of another."""
    return [value] * count if isinstance(like, list) else np.full(count, value, dtype=np.int64)


def _as_array(column: object) -> object:
    return np.array(column, dtype=np.int64) if isinstance(column, list) else column
