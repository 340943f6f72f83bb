"""Steps around a machine: webhooks by name, tried again within their own time under the same key."""

from __future__ import annotations

from datetime import timedelta

from orchestrator.executor.services import Services
from orchestrator.rollout import actions as a
from orchestrator.rollout import messages as m
from orchestrator.rollout.state import Rollout


async def run_step(services: Services, rollout: Rollout, activity: a.RunStep) -> m.Observation:
    """Call the step's webhook until it says yes or its time is over."""
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
        "change": type(planned.plan.change).__name__.lower(),
    }
    until = services.clock.now() + step.timeout
    while True:
        left: timedelta = until - services.clock.now()
        real_s = max(
            1.0, min(services.settings.request_timeout_s, left.total_seconds() / services.clock.scale)
        )
        delivery = await services.webhooks.call(step.webhook, activity.key, body, real_s)
        if delivery.ok or services.clock.now() + services.settings.step_retry >= until:
            evidence = f"{step.webhook}: {delivery.evidence}"
            return m.StepReported(
                rollout.id, index, activity.attempt, activity.after, activity.step, delivery.ok, evidence
            )
        await services.clock.sleep(services.settings.step_retry.total_seconds())
