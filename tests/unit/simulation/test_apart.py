"""Work in a copy of the process."""

from __future__ import annotations

import pytest

from orchestrator.simulation.apart import CopyDied, apart


def test_the_result_comes_back_and_nothing_else() -> None:
    """What the copy changes stays with it."""
    seen: list[int] = []

    def work() -> int:
        seen.append(1)
        return len(seen)

    assert apart(work) == 1
    assert seen == []


def test_what_goes_wrong_in_a_copy_is_told() -> None:
    """By its type and its words, whatever it was."""
    with pytest.raises(CopyDied, match="KeyError: 'x'"):
        apart(lambda: {}["x"])
