"""Who has a blocked update already, and what blocks mean for a plan."""

from __future__ import annotations

from dataclasses import replace

import pytest

from orchestrator.errors import UsageError
from orchestrator.inventory.model import Os
from orchestrator.policy.change import Patches
from orchestrator.rollout.state import Blocked
from orchestrator.service.blocking import blocked_lines, kb_digits, what_it_means_for, who_has
from orchestrator.service.status import status
from tests.builders import NOON, lane, plan_of, stage
from tests.diary import Diary

KB = "5087423"


def installed() -> Diary:
    """The canary a has the update, and so has b."""
    lanes = lane("first", "a", stage="canary"), lane("west", "b c")
    diary = Diary(plan_of(*lanes, stages=[stage("canary"), stage("broad")]))
    for name in "ab":
        diary.follow(name)
        diary.ended(name, patches=(f"iKB{KB}",))
        diary.healthy(name)
    diary.follow("c")
    diary.ended("c", changed=False, patches=(f"fKB{KB}",))
    return diary


def test_the_canary_that_has_it_is_named_first() -> None:
    """Whoever blocks an update learns where it is already; where it failed it isn't."""
    (has,) = who_has(installed().scope, KB)
    assert str(has) == "the canary of r1 has it: a; and 1 machine more of that rollout: b"


def test_a_machine_without_the_update_is_not_named() -> None:
    """Another KB."""
    assert who_has(installed().scope, "1111111") == ()


def test_status_tells_what_is_kept_out() -> None:
    """To whoever wonders why it isn't installed."""
    diary = installed()
    diary.scope.blocked[KB] = Blocked(KB, "ada", "bad", NOON)
    told = status(diary.scope, diary.rollout, diary.now)
    assert told.blocked == blocked_lines(diary.scope)
    assert told.blocked == ("KB5087423 is blocked by ada since 2026-11-22 12:00 UTC: bad",)


def test_a_plan_is_told_what_blocks_mean_for_it() -> None:
    """Nothing left for anybody, or for some."""
    plan = plan_of(lane("west", "a b"), change=Patches((), include_kbs=(KB,)))
    windows = replace(plan, machines=tuple(replace(x, os=Os.WINDOWS) for x in plan.machines))
    assert what_it_means_for(windows, {KB}) == (
        "this plan would install nothing but what is blocked: it will be refused"
    )
    first, *others = windows.machines
    mixed = replace(windows, machines=(replace(first, os=Os.LINUX), *others))
    assert what_it_means_for(mixed, {KB}).startswith("1 machine of this plan would get nothing but")
    assert what_it_means_for(replace(plan, change=Patches()), {KB}) == ""


def test_a_kb_is_written_in_two_ways() -> None:
    """With its letters or without, and nothing else is one."""
    assert kb_digits("kb5087423") == kb_digits("5087423") == KB
    with pytest.raises(UsageError, match="openssl is no KB"):
        kb_digits("openssl")
