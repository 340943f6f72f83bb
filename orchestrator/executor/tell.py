"""Tell people by webhook what happened, until they have heard it."""

from __future__ import annotations

from orchestrator.executor.services import Services
from orchestrator.rollout import actions as a
from orchestrator.rollout import messages as m
from orchestrator.rollout.notices import body_of, notice_key
from orchestrator.rollout.state import Rollout


async def tell(services: Services, rollout: Rollout, activity: a.Tell) -> m.Observation:
    """Call the webhook until it says yes. What isn't heard for a while is reported once, and tried on."""
    webhook, settings, clock = activity.webhook, services.settings, services.clock
    notice = rollout.untold.get(webhook, {}).get(activity.notice)
    if notice is None:  # whoever was to be told is no receiver any more
        return m.NoticeTold(rollout.id, webhook, activity.notice, ok=True, evidence="")
    body = body_of(rollout, notice, settings.link_base)
    key = notice_key(rollout, activity.notice)
    until = clock.now() + settings.tell_for
    pause = settings.tell_every if activity.failing else settings.step_retry
    while True:
        delivery = await services.webhooks.call(webhook, key, body, settings.request_timeout_s)
        late = not activity.failing and clock.now() + pause >= until
        if delivery.ok or late:
            return m.NoticeTold(rollout.id, webhook, activity.notice, delivery.ok, delivery.evidence)
        await clock.sleep(pause.total_seconds())
