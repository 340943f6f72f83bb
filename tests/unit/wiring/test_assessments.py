"""The file in which assessments are kept."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from orchestrator.errors import UsageError
from orchestrator.service.kept import KEEP_FOR
from orchestrator.wiring.assessments import assessments_path, keeping, read_assessments
from tests.unit.service.test_kept import KEPT


def test_what_is_kept_outlives_the_process(tmp_path: Path) -> None:
    """Each is on disk when it was told, before anybody closes the file."""
    path = tmp_path / "state" / "assessments.jsonl"
    with keeping(path, KEPT.ended) as keeper:
        keeper.keep(KEPT)
        assert read_assessments(path) == (KEPT,)


def test_the_old_is_taken_out_when_nobody_else_writes(tmp_path: Path) -> None:
    """A process that adds to the file keeps what it has: only whoever is alone tidies."""
    path, later = tmp_path / "a.jsonl", KEPT.ended + KEEP_FOR + timedelta(days=1)
    with keeping(path, KEPT.ended) as keeper:
        keeper.keep(KEPT)
        with keeping(path, later):
            assert read_assessments(path) == (KEPT,)
    with keeping(path, later):
        assert read_assessments(path) == ()


def test_no_file_is_nothing_kept(tmp_path: Path) -> None:
    """And what can't be read is told."""
    assert read_assessments(tmp_path / "none.jsonl") == ()
    with pytest.raises(UsageError, match="can't be read"):
        read_assessments(tmp_path)


def test_where_it_lies_can_be_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """By the environment; else beside the journal."""
    monkeypatch.setenv("WAVEKEEPER_ASSESSMENTS", "/elsewhere/a.jsonl")
    assert assessments_path() == Path("/elsewhere/a.jsonl")
    monkeypatch.delenv("WAVEKEEPER_ASSESSMENTS")
    monkeypatch.setenv("XDG_STATE_HOME", "/state")
    assert assessments_path() == Path("/state/wavekeeper/assessments.jsonl")
