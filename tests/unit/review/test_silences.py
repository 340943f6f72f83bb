"""Warnings that are silenced in place."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.policy.load import read_all
from orchestrator.review.review import review
from orchestrator.wiring.files import floor
from tests.unit.review.reviewing import NOW, found, reviewed

ROOT = Path(__file__).parents[3]
FREEZE = "{from: 2026-05-01, to: 2026-05-30, reason: x}"


@pytest.mark.parametrize(
    "text",
    [
        f"freezes:\n  - {FREEZE}  # wavekeeper: ignore[WK202] kept for the record",
        f"freezes:\n  # wavekeeper: ignore[WK202] kept for the record\n  - {FREEZE}",
        f"freezes:\n  # wavekeeper: ignore[wk202]: kept for the record\n\n  # and more\n  - {FREEZE}",
        f"freezes:\n  # prose # wavekeeper:ignore[ WK202 ] - kept for the record\n  - {FREEZE}",
    ],
)
def test_at_the_line_or_above_it(text: str) -> None:
    """A comment at the end of the line, or before it with other comments and blank lines between."""
    told = reviewed(text)

    assert told.problems == ()
    assert [(problem.code, reason) for problem, reason in told.silenced] == [("WK202", "kept for the record")]


@pytest.mark.parametrize(
    ("comment", "told"),
    [
        ("ignore[WK202]", ["WK901"]),
        ("ignore[WK2O2] a letter", ["WK902", "WK202"]),
        ("ignore[WK201] another", ["WK903", "WK202"]),
        ("ignore[WK202, WK201] both", ["WK903"]),
        ("ignore[WK305] only a fleet shows", ["WK202"]),
        ("ignore[WK104] an error", ["WK904", "WK202"]),
        ("ignore WK202", ["WK905", "WK202"]),
        ("ignore[] nothing", ["WK905", "WK202"]),
        ("is a fine program", ["WK202"]),
    ],
)
def test_a_silence_that_is_wrong_is_a_warning(comment: str, told: list[str]) -> None:
    """Without a reason, of no code, of nothing, of an error, or not understood; what takes a fleet is judged with one only."""
    text = f"freezes:\n  # wavekeeper: {comment}\n  - {FREEZE}"

    assert sorted(told) == sorted(one.rpartition(" ")[2] for one in found(text))


def test_text_that_looks_like_a_comment_is_none() -> None:
    """A `#` within quotes or a block of text is part of a value."""
    quoted = 'freezes: [{from: 2027-05-01, to: 2027-05-30, reason: "x # wavekeeper: ignore[WK202] y"}]'
    block = "freezes:\n  - from: 2027-05-01\n    to: 2027-05-30\n    reason: |\n      # wavekeeper: ignore[WK202] y"

    assert found(quoted) == found(block) == []


def test_a_broken_file_s_silences_are_not_judged() -> None:
    """Of a file that couldn't be read whole nobody knows what they would silence."""
    text = f"rulez: []\nfreezes:\n  - {FREEZE}  # wavekeeper: ignore[WK202] kept for the record"

    assert found(text) == ["0.yaml:3:1: WK101"]


@pytest.mark.parametrize(
    "folder", sorted((ROOT / "policies" / "examples").iterdir()), ids=lambda one: one.name
)
def test_the_shipped_policies_leave_nothing_to_ask(folder: Path) -> None:
    """What people copy passes its own check, by what it says or with a reason."""
    files = [(path.name, path.read_bytes()) for path in folder.glob("*.yaml") if ".test." not in path.name]

    assert review(read_all(files), floor(), NOW).problems == ()
