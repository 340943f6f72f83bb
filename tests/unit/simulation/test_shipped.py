"""The tests beside the policies that are shipped, each of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.simulation.books import Performance, open_books

EXAMPLES = Path(__file__).parents[3] / "policies" / "examples"
BOOKS = open_books([EXAMPLES])


@pytest.mark.parametrize("one", BOOKS, ids=lambda one: f"{Path(one.file).name}: {one.case.name}")
def test_a_shipped_policy_does_what_its_test_says(one: Performance) -> None:
    """With the reasons, if it doesn't."""
    result = one.perform()
    assert [line for failure in result.failures for line in failure.lines()] == []


def test_every_example_has_tests() -> None:
    """A folder without any would show nothing."""
    tested = {Path(one.file).parent for one in BOOKS}
    assert {folder for folder in EXAMPLES.iterdir() if folder.is_dir()} == tested
