"""Always: what a journal keeps beside a plan's file says what the file says."""

from __future__ import annotations

import pytest

from orchestrator.planner.document import digest, dump, parse
from orchestrator.planner.packed import pack, unpack
from orchestrator.simulation.fleets import premises


@pytest.mark.parametrize("seed", range(1, 21))
def test_both_forms_give_equal_plans(seed: int) -> None:
    """Over fleets, policies and plans that were drawn; and the same file is written from both."""
    for text in premises(seed).plans:
        plan, name = parse(text, "plan"), digest(text)
        packed = unpack(pack(plan, name), name)
        assert packed == plan
        assert packed is not None
        assert digest(dump(packed)) == name
