"""Long columns sorted."""

from __future__ import annotations

import numpy as np
import pytest

from orchestrator.planner.sorting import ranked, sorted_by

COLUMNS = (
    [],
    [0],
    [3, 1, 3, 0, 1, 3],
    [0, 0, 0],
    [2**61, 5, 2**61, 0],  # too large to stand in one number with its place
)


@pytest.mark.parametrize("values", COLUMNS)
def test_equal_values_stay_as_they_stand(values: list[int]) -> None:
    """As a stable sort of places, however large the values are."""
    column = np.array(values, dtype=np.int64)

    assert sorted_by(column).tolist() == np.argsort(column, kind="stable").tolist()


@pytest.mark.parametrize("values", COLUMNS)
def test_a_rank_is_how_many_different_values_are_smaller(values: list[int]) -> None:
    """Equal values have the same."""
    column = np.array(values, dtype=np.int64)

    assert ranked(column).tolist() == [len({other for other in values if other < one}) for one in values]
