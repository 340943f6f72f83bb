"""The heaviest set of lanes that aren't ordered among themselves."""

from __future__ import annotations

import pytest

from orchestrator.errors import Defect
from orchestrator.verify import antichain
from orchestrator.verify.antichain import Worst, heaviest


def _later(size: int, *pairs: tuple[int, int]) -> dict[int, int]:
    """The transitive closure of `one before other`, for lanes numbered so that one < other."""
    later = dict.fromkeys(range(size), 0)
    for one in reversed(range(size)):
        for first, other in pairs:
            if first == one:
                later[one] |= later[other] | 1 << other
    return later


def test_a_chain_weighs_as_its_heaviest() -> None:
    """Lanes that all run one after another weigh as much as the heaviest of them."""
    assert Worst(5, (1,)) == heaviest({0: 2, 1: 5, 2: 4}, _later(3, (0, 1), (1, 2)), enough=4)


def test_lanes_side_by_side_add_up() -> None:
    """Lanes that aren't ordered add up."""
    assert Worst(11, (0, 1, 2)) == heaviest({0: 2, 1: 5, 2: 4}, _later(3), enough=10)


def test_the_answer_may_stop_at_enough() -> None:
    """Where the limit holds, that is all that is said."""
    assert heaviest({0: 2, 1: 5, 2: 4}, _later(3, (0, 1), (1, 2)), enough=7).weight <= 7


def test_an_order_that_is_not_series_parallel() -> None:
    """The N: 0 before 2 and 3, 1 before 3. The heaviest is {1, 2}, which neither levels nor chains show."""
    later = _later(4, (0, 2), (0, 3), (1, 3))
    assert Worst(8, (1, 2)) == heaviest({0: 3, 1: 4, 2: 4, 3: 3}, later, enough=7)


def test_joined_units_are_joined_anew_where_that_helps() -> None:
    """Following the first that is free is not always best; units are re-joined until no more can be."""
    later = _later(4, (0, 2), (0, 3), (1, 2))
    assert Worst(2, (2, 3)) == heaviest({0: 1, 1: 1, 2: 1, 3: 1}, later, enough=1)
    assert heaviest({0: 1, 1: 1, 2: 1, 3: 1}, later, enough=2).weight == 2


def test_a_wrong_answer_is_a_defect(monkeypatch: pytest.MonkeyPatch) -> None:
    """The answer is checked against its own proof, so that an error in the search is never taken for a verdict."""
    monkeypatch.setattr(antichain._Joining, "unjoined_antichain", lambda self: (0, 1))
    with pytest.raises(Defect):
        heaviest({0: 2, 1: 5, 2: 4}, _later(3, (0, 1), (1, 2)), enough=4)
