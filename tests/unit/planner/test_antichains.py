"""The heaviest antichain, against every set of parts tried by hand."""

from __future__ import annotations

from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from orchestrator.planner.antichains import heaviest_antichain


@given(st.data())
def test_it_is_the_heaviest_of_all_sets_without_order(data: st.DataObject) -> None:
    """For orders of up to seven, closed as they have to be."""
    count = data.draw(st.integers(1, 7))
    weights = data.draw(st.lists(st.integers(0, 5), min_size=count, max_size=count))
    before: list[int] = []
    for n in range(count):
        direct = data.draw(st.integers(0, (1 << n) - 1))
        bits = direct
        for m in range(n):
            if direct >> m & 1:
                bits |= before[m]
        before.append(bits)

    every = (some for size in range(count + 1) for some in combinations(range(count), size))
    free = (some for some in every if not any(before[b] >> a & 1 for a, b in combinations(some, 2)))
    assert heaviest_antichain(weights, before) == max(sum(weights[one] for one in some) for some in free)


def test_two_chains_side_by_side() -> None:
    """The heaviest link of each."""
    assert heaviest_antichain([3, 1, 2, 5], [0, 0b1, 0, 0b100]) == 8
