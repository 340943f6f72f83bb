"""Telling people: at once, again and again, and without holding anything up."""

from __future__ import annotations

from datetime import timedelta

from orchestrator.executor.perform import perform
from orchestrator.rollout import actions as a
from orchestrator.rollout import messages as m
from tests.builders import lane, plan_of, telling
from tests.fakes.webhooks import FakeWebhooks
from tests.unit.executor.doors import Doors
from tests.virtual import virtual


def doors(answers: str) -> Doors:
    """Somebody who wants to know all; the receiver says yes (+) or no (-), and the last word again and again."""
    said = iter(answers + answers[-1] * 1000)
    hooks = FakeWebhooks(lambda name, key, body: next(said) == "+")
    return Doors(telling(plan_of(lane("west", "a")), "ops"), webhooks=hooks)


async def tell(here: Doors, *, failing: bool = False) -> m.Observation:
    """Have the first notice told."""
    activity = a.Tell("r1", "ops", 1, failing)
    return await perform(here.services, here.diary.rollout, activity, here.reports.append)


@virtual
async def test_a_notice_is_told_at_once() -> None:
    """Under its id."""
    here = doors("+")
    assert await tell(here) == m.NoticeTold("r1", "ops", 1, ok=True, evidence="200")
    ((name, key, body),) = here.webhooks.calls
    assert (name, key, body["id"], body["occasion"]) == ("ops", "r1-notice-1", "r1-notice-1", "started")
    assert here.passed == timedelta(0)


@virtual
async def test_one_that_is_not_heard_is_told_again() -> None:
    """Each ten seconds, under the same id."""
    here = doors("--+")
    await tell(here)
    assert here.passed == timedelta(seconds=20)
    assert {key for _, key, _ in here.webhooks.calls} == {"r1-notice-1"}


@virtual
async def test_one_that_is_not_heard_for_two_minutes_is_reported() -> None:
    """And then told now and then, without another word before it is heard."""
    here = doors("-")
    assert await tell(here) == m.NoticeTold("r1", "ops", 1, ok=False, evidence="500: no")
    assert timedelta(minutes=1) < here.passed < timedelta(minutes=2)
    here = doors("---+")
    assert await tell(here, failing=True) == m.NoticeTold("r1", "ops", 1, ok=True, evidence="200")
    assert here.passed == timedelta(minutes=15)
