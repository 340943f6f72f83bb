"""The exhaustive search of the planner, where the package for it is installed: `pip install "wavekeeper[exact]"`."""

from __future__ import annotations

from functools import cached_property
from importlib.util import find_spec
from typing import Final

from orchestrator.errors import UsageError
from orchestrator.planner.search import Answer, Problem, Solver

INSTALL: Final = 'pip install "wavekeeper[exact]"'
"""What to type for it."""

_PACKAGE: Final = "ortools"


def solver() -> Solver | None:
    """The search, if it is installed. It is loaded when it is first asked: that takes half a second, and most plans never ask."""
    return _Loaded() if find_spec(_PACKAGE) is not None else None


class _Loaded:
    """A `search.Solver` that is loaded by the first question."""

    @property
    def name(self) -> str:
        """As the solver's own."""
        return self._solver.name

    def fewest(self, problem: Problem, least: int, most: int, work: float) -> Answer:
        """As the solver's own.

        Raises:
            UsageError: if the package is there and can't be loaded.
        """
        return self._solver.fewest(problem, least, most, work)

    @cached_property
    def _solver(self) -> Solver:
        try:
            from orchestrator.planner.exact import CpSat
        except ImportError as error:
            raise UsageError(
                f"{_PACKAGE} is installed and can't be loaded ({error}); install it again with `{INSTALL}`, "
                f"or plan without it after `pip uninstall {_PACKAGE}`"
            ) from error
        return CpSat()
