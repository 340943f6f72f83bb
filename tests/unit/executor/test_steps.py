"""One step around a machine: a webhook, tried again within its time."""

from __future__ import annotations

from datetime import timedelta

from orchestrator.executor.perform import perform
from orchestrator.policy.model import Each, Step
from orchestrator.rollout import messages as m
from tests.builders import lane, plan_of, step, surrounded
from tests.fakes.webhooks import FakeWebhooks
from tests.fleet import arm_id
from tests.unit.executor.doors import Doors
from tests.virtual import virtual

DRAIN = Step("drain", timeout=timedelta(minutes=2))


def doors(answers: str) -> Doors:
    """A machine that is drained before; the receiver says yes (+) or no (-), and the last word again and again."""
    said = iter(answers + answers[-1] * 1000)
    hooks = FakeWebhooks(lambda name, key, body: next(said) == "+")
    return Doors(plan_of(lane("west", "a"), before=[DRAIN], after=[step("undrain")]), webhooks=hooks)


@virtual
async def test_a_step_that_succeeds_is_reported_with_its_evidence() -> None:
    """At once."""
    here = doors("+")
    await here.step("a")
    assert await here.do("a") == m.StepReported(
        "r1", 0, 0, after=False, step=0, ok=True, evidence="drain: 200"
    )
    assert here.passed == timedelta(0)


@virtual
async def test_the_receiver_is_told_what_it_is_about() -> None:
    """Which machine, which side of the change, which rollout."""
    here = doors("+")
    await here.step("a")
    await here.do("a")
    (call,) = here.webhooks.calls
    assert call == (
        "drain",
        "r1-0-1-before-0",
        {
            "rollout": "r1",
            "machine": arm_id("a"),
            "name": "a",
            "phase": "before",
            "attempt": 0,
            "change": "patches",
        },
    )


@virtual
async def test_a_step_is_tried_again_until_it_succeeds() -> None:
    """Each ten seconds, under the same key."""
    here = doors("--+")
    await here.step("a")
    seen = await here.do("a")
    assert isinstance(seen, m.StepReported)
    assert (seen.ok, here.passed) == (True, timedelta(seconds=20))
    assert len({key for _, key, _ in here.webhooks.calls}) == 1


@virtual
async def test_a_step_fails_when_its_time_is_over() -> None:
    """No try begins after that."""
    here = doors("-")
    await here.step("a")
    seen = await here.do("a")
    assert isinstance(seen, m.StepReported)
    assert (seen.ok, seen.evidence) == (False, "drain: 500: no")
    assert here.passed <= DRAIN.timeout
    assert len(here.webhooks.calls) == 12


@virtual
async def test_a_step_around_a_wave_tells_which() -> None:
    """Under the key that the facts give it, tried again like any other."""
    said = iter("-+++")
    hooks = FakeWebhooks(lambda name, key, body: next(said) == "+")
    here = Doors(
        surrounded(plan_of(lane("west", "a", "b")), Each.WAVE, [DRAIN], [step("undrain")]), webhooks=hooks
    )
    await here.step("a")
    due = here.diary.around(0, 0)
    assert due is not None
    seen = await perform(here.services, here.diary.rollout, due, here.reports.append)
    assert seen == m.StretchStepReported("r1", (0, 0), 1, after=False, step=0, ok=True, evidence="drain: 200")
    assert here.passed == timedelta(seconds=10)
    assert {key for _, key, _ in hooks.calls} == {"r1-around-0-0-1-before-0"}
    assert hooks.calls[0][2] == {
        "rollout": "r1",
        "each": "wave",
        "stage": "broad",
        "lane": "west",
        "wave": 1,
        "machines": [arm_id("a")],
        "phase": "before",
        "times": 1,
        "change": "patches",
    }
