"""The lock file: held means held by a live process, whatever stands in it."""

from __future__ import annotations

import fcntl
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from orchestrator.errors import JournalError
from orchestrator.store.lock import FileLock
from orchestrator.store.port import Writer

ANN = Writer("ann", "box-1", 4711, datetime(2026, 11, 22, 1, 0, tzinfo=UTC), "wavekeeper rollout p.json")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the lock file is to be."""
    return tmp_path / "journal.db.lock"


def test_the_holder_is_told_as_it_said(path: Path) -> None:
    """Who, where, which process and since when."""
    lock = FileLock(path)
    lock.take(ANN)
    assert FileLock(path).holder() == ANN
    lock.drop()


def test_nobody_holds_a_lock_that_was_let_go(path: Path) -> None:
    """Nor one that never was; and asking makes no file."""
    lock = FileLock(path)
    assert lock.holder() is None
    assert not path.exists()
    lock.take(ANN)
    lock.drop()
    lock.drop()
    assert lock.holder() is None


def test_what_a_dead_holder_wrote_is_not_believed(path: Path) -> None:
    """The file of a process that was killed says who, but the kernel says nobody."""
    path.write_text('{"who":"ghost","host":"box-1","pid":1,"since":"2026-11-22T01:00:00+00:00"}')
    lock = FileLock(path)
    assert lock.holder() is None
    lock.take(ANN)
    assert lock.holder() == ANN
    lock.drop()


def test_a_held_lock_names_its_holder(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message has all a person needs to find them, and what to do; it comes without waiting."""
    monkeypatch.setattr("orchestrator.store.lock.time.sleep", lambda _seconds: pytest.fail("waited"))
    lock = FileLock(path)
    lock.take(ANN)
    with pytest.raises(JournalError) as refused:
        FileLock(path).take(Writer("ben", "box-2", 1, ANN.since))
    assert str(refused.value) == (
        f"{path}: ann, process 4711 on box-1 (`wavekeeper rollout p.json`), has been writing this journal since 2026-11-22 01:00:00 UTC; "
        "`wavekeeper status` shows what it does, the verbs (pause, abort, ...) reach it, and the lock goes when that process ends"
    )
    assert lock.holder() == ANN
    lock.drop()


def test_a_lock_whose_file_was_removed_can_be_taken_again(path: Path) -> None:
    """The old file is given back, the new one is held."""
    lock = FileLock(path)
    lock.take(ANN)
    path.unlink()
    assert lock.holder() is None
    lock.take(ANN)
    assert lock.holder() == ANN
    lock.drop()
    assert lock.holder() is None


@pytest.mark.parametrize("text", ["", "{", "[]", '{"who":"ann"}', '{"who":1,"host":2,"pid":3,"since":4}'])
def test_a_holder_that_has_not_said_who_is_a_holder_still(path: Path, text: str) -> None:
    """Whoever locked and was not done writing, or wrote nonsense, keeps others out."""
    path.write_text(text)
    file = os.open(path, os.O_RDWR)
    fcntl.flock(file, fcntl.LOCK_EX)
    holder = FileLock(path).holder()
    assert holder is not None
    assert (holder.who, holder.pid) == ("somebody", 0)
    with pytest.raises(JournalError, match="somebody, process 0 on an unknown host"):
        FileLock(path).take(ANN)
    os.close(file)


def test_somebody_who_only_looks_keeps_nobody_out(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A look holds a shared lock for a moment; who wants to write waits that moment out."""
    path.touch()
    looking = os.open(path, os.O_RDONLY)
    fcntl.flock(looking, fcntl.LOCK_SH)
    waits: list[float] = []

    def sleep(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == 3:
            os.close(looking)

    monkeypatch.setattr("orchestrator.store.lock.time.sleep", sleep)
    lock = FileLock(path)
    lock.take(ANN)
    assert waits == [0.001] * 3
    lock.drop()


def test_a_look_that_never_ends_is_a_holder(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Waiting has an end, and says so as for any holder."""
    path.touch()
    looking = os.open(path, os.O_RDONLY)
    fcntl.flock(looking, fcntl.LOCK_SH)
    monkeypatch.setattr("orchestrator.store.lock.time.sleep", lambda _seconds: None)
    with pytest.raises(JournalError, match="somebody"):
        FileLock(path).take(ANN)
    os.close(looking)


def test_a_lock_that_cannot_be_made_says_why(tmp_path: Path) -> None:
    """A missing folder is named, with what to do."""
    with pytest.raises(JournalError, match=r"lock can't be opened .*; make the journal's folder writable"):
        FileLock(tmp_path / "gone" / "x.lock").take(ANN)


def test_a_lock_that_cannot_be_read_says_why(tmp_path: Path) -> None:
    """Not knowing who writes isn't the same as nobody."""
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    with pytest.raises(JournalError, match=r"lock can't be read"):
        FileLock(tmp_path / "loop").holder()


def test_a_file_system_without_locks_is_refused(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Writing without a lock would be worse than not writing."""

    def no_locks(_file: int, _kind: int) -> None:
        raise OSError(37, "No locks available")

    monkeypatch.setattr("orchestrator.store.lock.fcntl.flock", no_locks)
    with pytest.raises(
        JournalError, match=r"can't be locked \(No locks available\); keep the journal on a local disk"
    ):
        FileLock(path).take(ANN)
