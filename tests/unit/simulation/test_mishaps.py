"""Mishaps as short words."""

from __future__ import annotations

import pytest

from orchestrator.errors import UsageError
from orchestrator.simulation.mishaps import Mishap, What, read_mishaps, write_mishaps


def test_they_are_read_as_they_are_written_in_the_order_in_which_they_happen() -> None:
    """Round trip, seconds left away where there are none, negative ones for a clock that goes back."""
    told = read_mishaps("crash@133/240s, clock@40/-60s,twin@7")
    assert told == (Mishap(7, What.TWIN), Mishap(40, What.CLOCK, -60), Mishap(133, What.CRASH, 240))
    assert write_mishaps(told) == "twin@7,clock@40/-60s,crash@133/240s"


@pytest.mark.parametrize("word", ["crash", "crash@x", "flood@3", "crash@3/4m"])
def test_what_is_none_is_refused_with_what_to_write(word: str) -> None:
    """And names the kinds that there are."""
    with pytest.raises(UsageError, match=r"such as crash@133/240s; kinds are crash, late"):
        read_mishaps(word)
