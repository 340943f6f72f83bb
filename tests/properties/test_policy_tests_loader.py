"""Files of tests of policies, mutated: an error with its place or tests, never a traceback."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.errors import PolicyError, Problem
from orchestrator.rehearsal.read import read_books

EXAMPLES = Path(__file__).parents[2] / "policies" / "examples"
SEEDS = tuple(path.read_text(encoding="utf-8") for path in sorted(EXAMPLES.rglob("*.test.yaml")))
BITS = (
    "[",
    "]",
    "{",
    "}",
    ": ",
    "\n",
    "- ",
    "&a",
    "*a",
    '"',
    "null",
    "99999999",
    "[1-3]",
    "[9-1]",
    "\t",
    "expect",
    "run",
    "~",
    "{}",
    "[]",
    "é",
)


@st.composite
def mutated(draw: st.DrawFn) -> str:
    """An example with a few pieces cut out, doubled or put in."""
    text = draw(st.sampled_from(SEEDS))
    for _ in range(draw(st.integers(1, 4))):
        at, length = draw(st.integers(0, len(text))), draw(st.integers(0, 12))
        put = draw(st.sampled_from(BITS) | st.just(text[at : at + length] * 2))
        text = text[:at] + put + text[at + draw(st.integers(0, length)) :]
    return text


@settings(max_examples=400)
@given(mutated())
def test_whatever_is_written_is_read_or_told(text: str) -> None:
    """Each problem has a sentence and, but for the file as a whole, a line."""
    problems = told(text)
    assert problems is None or (problems and all(one.what and one.line >= 0 for one in problems))


def told(text: str) -> tuple[Problem, ...] | None:
    """What is wrong with a text; None if nothing is."""
    try:
        read_books([("a.test.yaml", text)])
    except PolicyError as error:
        return error.problems
    return None
