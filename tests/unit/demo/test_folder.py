"""The folder that is left behind: made anew each time, and never at the cost of anybody else's."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.demo.folder import MARK, claim
from orchestrator.errors import UsageError


def test_a_folder_is_made(tmp_path: Path) -> None:
    """With those above it, and with room for policies and for the second rollout."""
    left = claim(tmp_path / "deep" / "demo")
    assert left.policies.is_dir()
    assert left.bad.root.is_dir()
    assert left.bad.journal.parent == left.bad.root


def test_an_empty_folder_is_taken(tmp_path: Path) -> None:
    """Nobody misses anything."""
    assert (claim(tmp_path).root / MARK).is_file()


def test_one_of_ours_is_emptied(tmp_path: Path) -> None:
    """A second run leaves nothing of the first one."""
    left = claim(tmp_path / "demo")
    left.plan.write_text("old", encoding="utf-8")
    (left.policies / "old.yaml").write_text("old", encoding="utf-8")
    again = claim(tmp_path / "demo")
    assert not again.plan.exists()
    assert list(again.policies.iterdir()) == []


def test_somebody_elses_folder_is_left_as_it_is(tmp_path: Path) -> None:
    """It is refused, with what to do instead."""
    theirs = tmp_path / "demo"
    theirs.mkdir()
    (theirs / "thesis.txt").write_text("years of work", encoding="utf-8")
    with pytest.raises(UsageError, match="--out"):
        claim(theirs)
    assert [path.name for path in theirs.iterdir()] == ["thesis.txt"]


def test_a_file_in_its_place_is_left_as_it_is(tmp_path: Path) -> None:
    """A file is no folder, and nobody's to overwrite."""
    theirs = tmp_path / "demo"
    theirs.write_text("a file", encoding="utf-8")
    with pytest.raises(UsageError, match="--out"):
        claim(theirs)
    assert theirs.read_text(encoding="utf-8") == "a file"


def test_a_folder_that_cannot_be_made_is_an_error_that_says_so(tmp_path: Path) -> None:
    """Under a file there is no folder."""
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(UsageError, match="can't be made"):
        claim(tmp_path / "file" / "demo")
