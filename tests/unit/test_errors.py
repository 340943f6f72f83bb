"""What errors carry to people."""

from __future__ import annotations

from orchestrator.errors import Problem


def test_a_problem_is_one_line_whatever_it_quotes() -> None:
    """A line break in a value could forge a line of the report, and an escape could move the terminal's cursor."""
    problem = Problem("shop.yaml", 3, "`a\nb\x1b[31m\u202e` isn't a name", "write `a\r` or \u00e9", 5)

    assert str(problem) == "shop.yaml:3:5: `a\\nb\\x1b[31m\\u202e` isn't a name; write `a\\r` or \u00e9"
