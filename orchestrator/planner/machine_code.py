"""The loops of packing as machine code, by numba: `pip install "wavekeeper[fast]"`.

It is loaded by the first lane that is large enough to repay that: importing it takes half a second, compiling the loops some ten seconds,
once, since what was compiled is kept beside this file, or in the user's cache where that can't be written. Without it, or
where it can't be loaded, the same loops are run as they stand, and give the same plan.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import Final, TypeVar

from orchestrator.planner import packing
from orchestrator.planner.flat import Numbers
from orchestrator.planner.packing import Groups, Lane, Line, Stands, State

_PACKAGE: Final = "numba"

_F = TypeVar("_F", bound=Callable[..., object])


@dataclass(frozen=True, slots=True)
class Loops:
    """The functions of `packing`, as they stand or compiled."""

    weigh: Callable[[Groups, State], None] = packing.weigh
    look: Callable[[Stands, State, Line], None] = packing.look
    line_up: Callable[[Lane, Stands, Groups, State, Line], int] = packing.line_up
    fill: Callable[[Lane, Stands, State, int, Numbers, Numbers, Numbers], int] = packing.fill
    finish: Callable[[Lane, Stands, State, Numbers, Numbers, int], None] = packing.finish
    relieve: Callable[[Groups, State, Numbers, Numbers, int], None] = packing.relieve


AS_THEY_STAND: Final = Loops()


@cache
def compiled() -> Loops | None:
    """The loops as machine code; None where that can't be had."""
    try:
        jit: Callable[..., Callable[[_F], _F]] = import_module(_PACKAGE).njit
    except ImportError:
        return None

    def compile_one(loop: _F) -> _F:
        try:
            return jit(cache=True, nogil=True)(loop)
        except RuntimeError:  # there is nowhere to keep it
            return jit(nogil=True)(loop)

    plain = AS_THEY_STAND
    return Loops(
        compile_one(plain.weigh),
        compile_one(plain.look),
        compile_one(plain.line_up),
        compile_one(plain.fill),
        compile_one(plain.finish),
        compile_one(plain.relieve),
    )
