"""A rollout of two machines, brought to where the first one stands in each of its statuses."""

from __future__ import annotations

from collections.abc import Callable

from orchestrator.rollout.state import MachineStatus as M
from tests.builders import budget, lane, plan_of, step
from tests.diary import OLD, Diary


def plain() -> Diary:
    """Two machines, one after the other; failures are not counted."""
    return Diary(plan_of(lane("west", "a", "b"), rules=[budget(1, "a b")]))


def granted() -> Diary:
    """Machine a granted."""
    diary = Diary(plan_of(lane("west", "a", "b"), before=[step("drain")], after=[step("undrain")]))
    diary.well("a")
    return diary


def intended() -> Diary:
    """Machine a intended."""
    diary = plain()
    diary.well("a")
    return diary


def unsettled() -> Diary:
    """Machine a unsettled."""
    diary = intended()
    diary.unsettled("a")
    return diary


def running() -> Diary:
    """Machine a running."""
    diary = intended()
    diary.accepted("a")
    return diary


def verifying() -> Diary:
    """Machine a verifying."""
    diary = running()
    diary.ended("a")
    return diary


def done() -> Diary:
    """Machine a done."""
    diary = verifying()
    diary.healthy("a")
    return diary


def not_changed() -> Diary:
    """Machine a not changed."""
    diary = running()
    diary.ended("a", changed=False)
    diary.healthy("a")
    return diary


def unhealthy() -> Diary:
    """Machine a unhealthy."""
    diary = verifying()
    diary.unhealthy("a")
    return diary


def undecided() -> Diary:
    """Machine a undecided."""
    diary = unsettled()
    diary.read_back("a", OLD, certain=False)
    return diary


def gone() -> Diary:
    """Machine a gone."""
    diary = plain()
    diary.gone("a")
    return diary


def left_out() -> Diary:
    """Machine a left out."""
    diary = plain()
    diary.out("a")
    return diary


def skipped() -> Diary:
    """Machine a skipped."""
    diary = plain()
    diary.skip("a")
    return diary


def written_off() -> Diary:
    """Machine a written off."""
    diary = plain()
    diary.write_off("a")
    return diary


AT: dict[M, Callable[[], Diary]] = {
    M.PENDING: plain,
    M.GRANTED: granted,
    M.INTENDED: intended,
    M.UNSETTLED: unsettled,
    M.RUNNING: running,
    M.VERIFYING: verifying,
    M.DONE: done,
    M.NOT_CHANGED: not_changed,
    M.UNHEALTHY: unhealthy,
    M.UNDECIDED: undecided,
    M.GONE: gone,
    M.LEFT_OUT: left_out,
    M.SKIPPED: skipped,
    M.WRITTEN_OFF: written_off,
}
"""A rollout whose machine a stands there."""
