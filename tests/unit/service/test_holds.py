"""Holds as people see them: listed, asked for, told of plans and rollouts."""

from __future__ import annotations

from datetime import timedelta

import pytest

from orchestrator.errors import UsageError
from orchestrator.rollout import events as e
from orchestrator.rollout.state import Scope
from orchestrator.service.holds import (
    HeldThere,
    hold_command,
    holds,
    placed,
    until_of,
    what_holds_mean_for,
)
from orchestrator.service.progress import progress
from orchestrator.service.status import headline, machine_status, status, what_is_next
from tests.builders import NOON, lane, plan_of, stage
from tests.diary import WHY, Diary, only
from tests.fleet import inventory, vm, vm_id

HOUR = timedelta(hours=1)


def diary() -> Diary:
    """Two machines, and one in the next wave."""
    return Diary(plan_of(lane("l", "a b", "c")))


def test_holds_are_listed_with_whom_they_keep() -> None:
    """The one that ends first comes first; what is under way is not kept, and what has ended isn't listed."""
    told = diary()
    told.follow("b")
    told.hold("name=*", hours=3)
    told.hold("tag:app=shop", hours=2)
    first, second = holds(told.scope, told.now)
    assert (first.id, first.rollouts) == ("h2", (HeldThere(told.id, (), looking=True),))
    assert second.rollouts == (HeldThere(told.id, ("a", "c")),)
    assert str(second) == f"h1  name=*  held by ada until 2026-11-22 15:00 UTC: {WHY}"
    assert [one.id for one in holds(told.scope, told.now + 2 * HOUR)] == ["h1"]
    assert holds(Scope(), NOON) == ()


def test_status_tells_who_is_held_and_when_it_goes_on() -> None:
    """In its own lines, in what is next, in what waits, and for the machine itself."""
    told = diary()
    told.hold("name=a", hours=3)
    told.finish("b")
    held = f"held by ada until 2026-11-22 15:00 UTC: {WHY} (hold h1)"
    assert status(told.scope, told.rollout, told.now).held == (f"a: {held}",)
    assert what_is_next(told.rollout, told.now) == (
        "a machine of stage broad, at 2026-11-22 15:00 UTC, when h1, a hold of ada's, ends"
    )
    (waiting,) = progress(told.scope, told.rollout, told.now).waiting
    assert (waiting.who, waiting.reason, waiting.until) == ("a", held, NOON + 3 * HOUR)
    lines = machine_status(told.scope, told.rollout, told.index("a"), told.now)
    assert lines[1:] == (f"It is {held}. Lift that for all that it holds: wavekeeper unhold h1 --reason ...",)


def test_status_tells_when_a_wave_goes_on_without_whom_it_would_wait_for_too_long() -> None:
    """An hour after the hold was placed, not at its end."""
    told = diary()
    told.hold("name=a", days=3)
    told.finish("b")
    assert what_is_next(told.rollout, told.now) == (
        "the waves of stage broad go on at 2026-11-22 13:00 UTC, without those held for longer"
    )


def test_status_tells_a_machine_of_a_later_wave_that_it_is_held() -> None:
    """Besides that its turn hasn't come."""
    told = diary()
    told.hold("name=c", hours=3)
    lines = machine_status(told.scope, told.rollout, told.index("c"), told.now)
    assert lines[1].startswith("It is held by ada until 2026-11-22 15:00 UTC")
    assert lines[2] == "It may not go down now: its wave is not open yet."


def test_status_tells_of_an_emergency_first() -> None:
    """Until the rollout is over."""
    told = Diary(plan_of(lane("l", "a"), stages=[stage("broad", bake=HOUR)]))
    told.emergency()
    assert headline(told.rollout).startswith(f"EMERGENCY by ada ({WHY}). Running: 0 of 1 done")
    assert status(told.scope, told.rollout, told.now).emergency == (
        f"EMERGENCY by ada since 2026-11-22 12:00 UTC: {WHY}"
    )
    told.abort()
    assert headline(told.rollout).startswith("Aborted by ada")


def test_a_plan_is_told_whom_of_its_machines_a_hold_keeps() -> None:
    """By the fleet that it was made of, and by whom the hold meant when it was placed."""
    told = diary()
    told.hold("tag:app=shop", hours=3)
    fleet = inventory(vm("a", tags={"app": "shop"}), vm("b"), vm("x", tags={"app": "shop"}))
    (line,) = what_holds_mean_for(told.plan, fleet, holds(told.scope, told.now))
    assert line == (
        f"1 machine of this plan is not begun before 2026-11-22 15:00 UTC, held by ada: {WHY} (hold h1): a"
    )
    assert what_holds_mean_for(told.plan, inventory(vm("b")), holds(told.scope, told.now)) == ()


def test_whom_it_means_is_looked_up_where_an_inventory_is_at_hand() -> None:
    """By id, for whoever reads the journal."""
    fleet = inventory(vm("a", tags={"app": "shop"}), vm("b"))
    assert hold_command("tag:app=shop", NOON, "ada", WHY, fleet).matched == (vm_id("a"),)
    assert hold_command("tag:app=shop", NOON, "ada", WHY).matched == ()
    with pytest.raises(UsageError, match=r"^app=shop: `app` isn't known"):
        hold_command("app=shop", NOON, "ada", WHY)


def test_the_number_of_a_new_hold_is_found_in_its_decision() -> None:
    """And in no other."""
    told = diary()
    facts = told.hold("name=a", hours=3)
    assert placed(facts) == "h1" == only(facts, e.HoldPlaced).hold
    assert placed(told.unhold("h1")) == ""


@pytest.mark.parametrize(
    ("typed", "end"),
    [
        ("6h", NOON + 6 * HOUR),
        ("90m", NOON + timedelta(minutes=90)),
        ("3d", NOON + timedelta(days=3)),
        ("2w", NOON + timedelta(days=14)),
        ("2026-11-23", NOON + 12 * HOUR),
        ("2026-11-22T18:00", NOON + 6 * HOUR),
        ("2026-11-22T18:00+01:00", NOON + 5 * HOUR),
        ("2026-11-22 18:00Z", NOON + 6 * HOUR),
    ],
)
def test_an_end_is_a_moment_or_a_length(typed: str, end: object) -> None:
    """In UTC unless it says otherwise."""
    assert until_of(typed, NOON) == end


@pytest.mark.parametrize("typed", ["", "tomorrow", "6", "6y", "2026-13-01", "18:00", "-6h"])
def test_what_is_no_end_is_refused(typed: str) -> None:
    """With how to write one."""
    with pytest.raises(UsageError, match="is no moment; write a moment, such as"):
        until_of(typed, NOON)
