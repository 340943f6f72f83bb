"""The safeguards that `mutations.py` takes out stand where it says: a script that can't find them would test nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.mutations import MUTATIONS, Mutation

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.name)
def test_a_safeguard_stands_where_it_is_taken_out(mutation: Mutation) -> None:
    """Once, so that nothing else is taken out with it."""
    assert (ROOT / mutation.file).read_text(encoding="utf-8").count(mutation.old) == 1
