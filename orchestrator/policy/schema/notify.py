"""Who is told of what happens in a rollout."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from orchestrator.policy.model import Notify, Occasion
from orchestrator.policy.schema.section import Section
from orchestrator.policy.values import OneOrMany, Webhook, one_of


class NotifySection(Section):
    """One receiver, and what it is told."""

    webhook: Webhook = Field(
        description="The name of a webhook; where it goes is configuration, never a policy's.",
        examples=["platform-team"],
    )
    on: Annotated[list[Annotated[Occasion, one_of(*Occasion)]], OneOrMany] = Field(
        default=list(Notify("").on),
        description="Of what: started, stage (its machines are all verified), approval (a stage waits for a person's yes, or an emergency was declared, so that none does), unhealthy (a machine, or one whose fate nobody knows), stopped, paused (by a person, or resumed), finished (or aborted). stopped, approval and finished if left out.",
        examples=["[stopped, unhealthy, approval, finished]"],
    )
