"""What a rollout's end means for the command that drove it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from orchestrator.planner.model import LeftOut
from orchestrator.service.ending import ExitCode, exit_code
from tests.builders import lane, plan_of, stage
from tests.diary import Diary
from tests.fleet import vm_id

PLAN = plan_of(
    lane("one", "a", stage="canary"), lane("two", "b"), stages=[stage("canary", approve=True), stage("broad")]
)


def done(diary: Diary) -> None:
    """To the end, all well."""
    diary.finish("a")
    diary.approve()
    diary.finish("b")


def one_not_changed(diary: Diary) -> None:
    """To the end, and one machine didn't take its change."""
    diary.finish("a")
    diary.approve()
    diary.follow("b")
    diary.ended("b", changed=False)
    diary.healthy("b")


def stopped(diary: Diary) -> None:
    """The first unhealthy canary."""
    diary.change("a")
    diary.unhealthy("a")


@pytest.mark.parametrize(
    ("story", "code"),
    [
        (done, ExitCode.DONE),
        (one_not_changed, ExitCode.NOT_ALL),
        (stopped, ExitCode.STOPPED),
        (lambda diary: diary.abort(), ExitCode.ABORTED),
        (lambda diary: diary.pause(), ExitCode.NOT_FINISHED),
        (lambda diary: diary.finish("a"), ExitCode.NOT_FINISHED),
    ],
)
def test_each_end_has_its_code(story: Callable[[Diary], object], code: ExitCode) -> None:
    """Scripts rely on them."""
    diary = Diary(PLAN)
    story(diary)
    assert exit_code(diary.rollout) is code


def test_a_rollout_that_was_refused_says_so() -> None:
    """Its probes are misconfigured: nothing was touched."""
    diary = Diary(PLAN, prepared=False)
    assert exit_code(diary.rollout) is ExitCode.NOT_FINISHED
    diary.looked(asked=1, unasked=9)
    assert exit_code(diary.rollout) is ExitCode.REFUSED


def test_machines_that_the_plan_leaves_out_are_not_done() -> None:
    """All that it changes are; not all that the campaign selects."""
    diary = Diary(replace(PLAN, left_out=(LeftOut(vm_id("z"), "it is off"),)))
    done(diary)
    assert exit_code(diary.rollout) is ExitCode.NOT_ALL


def test_the_numbers_are_those_of_the_manual() -> None:
    """DONE to NOT_ALL are 0 to 7."""
    assert [int(code) for code in ExitCode] == list(range(8))
