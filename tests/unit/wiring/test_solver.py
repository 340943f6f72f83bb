"""Whether there is a search, and that it is loaded no sooner than it is needed."""

from __future__ import annotations

import subprocess
import sys

import pytest

from orchestrator.errors import UsageError
from orchestrator.planner.search import Problem
from orchestrator.wiring import solver as wired

_ONE = Problem((1,), (), (), (), ())

_NEVER_LOADED = """
import sys
from orchestrator.cli import planning
from orchestrator.wiring.solver import solver
assert solver() is not None
print("ortools" in sys.modules)
"""


def test_nothing_is_loaded_before_it_is_asked() -> None:
    """A command that never asks doesn't pay for it."""
    ran = subprocess.run([sys.executable, "-c", _NEVER_LOADED], capture_output=True, text=True, check=True)

    assert ran.stdout.strip() == "False"


def test_the_first_question_loads_it() -> None:
    """And it answers as the solver does."""
    found = wired.solver()

    assert found is not None
    assert found.fewest(_ONE, 1, 2, 1.0).waves == [[0]]
    assert found.name.startswith("ortools ")


def test_without_the_package_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """Plans are made all the same."""
    monkeypatch.setattr(wired, "find_spec", lambda name: None)

    assert wired.solver() is None


def test_a_package_that_cannot_be_loaded_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """With what to type."""
    monkeypatch.setitem(sys.modules, "orchestrator.planner.exact", None)
    found = wired.solver()
    assert found is not None

    with pytest.raises(UsageError, match=r"can't be loaded .*`pip install \"wavekeeper\[exact\]\""):
        found.fewest(_ONE, 1, 1, 1.0)
