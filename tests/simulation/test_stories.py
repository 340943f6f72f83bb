"""Trials that once failed, each as a text: the command that replays it, what happened, and how it is judged now.

`pytest tests/simulation/test_stories.py --rewrite-scenarios` tells them anew. Read the difference.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.simulation.command import trial_from
from orchestrator.simulation.telling import story

TEXTS = sorted((Path(__file__).parent / "stories").glob("*.txt"))


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.stem)
def test_it_goes_as_written_and_every_promise_is_kept(path: Path, pytestconfig: pytest.Config) -> None:
    """To the letter."""
    text = path.read_text(encoding="utf-8")
    told = story(trial_from(text.splitlines()[0]))
    if pytestconfig.getoption("--rewrite-scenarios"):
        path.write_text(told.text, encoding="utf-8")
    else:
        assert told.text == text
    assert told.judgement.well
