"""Sentences that plans, errors and progress have in common."""

from __future__ import annotations

import pytest

from orchestrator.policy.words import counted


@pytest.mark.parametrize(("number", "said"), [(0, "0 machines"), (1, "1 machine"), (1200, "1,200 machines")])
def test_one_thing_is_told_without_an_s(number: int, said: str) -> None:
    """Thousands are told apart."""
    assert counted(number, "machine") == said
