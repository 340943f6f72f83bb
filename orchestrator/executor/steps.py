"""Steps around machines, waves, stages and the rollout: webhooks by name, tried again within their own time under the same key, and
scripts on the machine.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from orchestrator.executor.commands import run_command
from orchestrator.executor.services import Services, target_of
from orchestrator.notify.port import Delivery
from orchestrator.planner.stretches import Where
from orchestrator.policy.model import Change, RunCommand, Step
from orchestrator.rollout import actions as a
from orchestrator.rollout import messages as m
from orchestrator.rollout.state import Rollout


async def run_step(services: Services, rollout: Rollout, activity: a.RunStep) -> m.Observation:
    """Call the step's webhook until it says yes or its time is over, or run its script on the machine."""
    index = activity.machine
    planned = rollout.planned
    steps = planned.steps_after(index) if activity.after else planned.steps_before(index)
    step, machine = steps[activity.step], planned.machine(index)
    body = {
        "rollout": rollout.id,
        "machine": machine.arm_id,
        "name": machine.name,
        "phase": "after" if activity.after else "before",
        "attempt": activity.attempt,
        "change": _called(planned.plan.change),
    }
    if step.command is not None:
        begun = rollout.machines[index].since or services.clock.now()
        ok, evidence = await run_command(services, step.command, target_of(machine), activity.key, begun)
        ended = Delivery(ok, evidence)
    else:
        ended = await _delivered(services, step, activity.key, body)
    return m.StepReported(
        rollout.id, index, activity.attempt, activity.after, activity.step, ended.ok, ended.evidence
    )


async def run_stretch_step(services: Services, rollout: Rollout, activity: a.RunStretchStep) -> m.Observation:
    """The same for a step around a wave, a stage or the rollout."""
    planned, where = rollout.planned, activity.where
    stretch = planned.stretches.all[planned.stretches.at[where]]
    step = (stretch.after if activity.after else stretch.before)[activity.step]
    body = {
        "rollout": rollout.id,
        **_told(rollout, where),
        "phase": "after" if activity.after else "before",
        "times": activity.times,
        "change": _called(planned.plan.change),
    }
    ended = await _delivered(services, step, activity.key, body)
    return m.StretchStepReported(
        rollout.id, where, activity.times, activity.after, activity.step, ended.ok, ended.evidence
    )


def _told(rollout: Rollout, where: Where) -> dict[str, Any]:
    """What a receiver is told of a wave, a stage or the rollout."""
    planned = rollout.planned
    match where:
        case (lane, wave):
            stage = planned.plan.stages[planned.lanes[lane].stage].name
            machines = [planned.machine(m).arm_id for m in planned.lanes[lane].waves[wave]]
            return {
                "each": "wave",
                "stage": stage,
                "lane": planned.lanes[lane].id,
                "wave": wave + 1,
                "machines": machines,
            }
        case (stage_number,):
            return {"each": "stage", "stage": planned.plan.stages[stage_number].name}
        case _:
            return {"each": "rollout"}


async def _delivered(services: Services, step: Step, key: str, body: Mapping[str, Any]) -> Delivery:
    """What came of a step in the end, with the webhook's name before the evidence: tried again until its time is over."""
    until = services.clock.now() + step.timeout
    while True:
        left: timedelta = until - services.clock.now()
        real_s = max(
            1.0, min(services.settings.request_timeout_s, left.total_seconds() / services.clock.scale)
        )
        delivery = await services.webhooks.call(step.webhook, key, body, real_s)
        if delivery.ok or services.clock.now() + services.settings.step_retry >= until:
            return Delivery(delivery.ok, f"{step.webhook}: {delivery.evidence}")
        await services.clock.sleep(services.settings.step_retry.total_seconds())


def _called(change: Change) -> str:
    """What receivers are told is done: the kind of change, as plans name it."""
    return "run_command" if isinstance(change, RunCommand) else type(change).__name__.lower()
