"""What may be read: who I am, which rollouts there are, how one stands."""

from __future__ import annotations

from dataclasses import dataclass

from orchestrator.access.model import MAY
from orchestrator.rollout.state import Ended
from orchestrator.service.rollouts import RolloutLine, line_of
from orchestrator.service.status import Status, status
from orchestrator.web.asked import Asked
from orchestrator.web.models import Me, Page
from orchestrator.web.problems import Declined


@dataclass(frozen=True, slots=True)
class OfRollouts:
    """Which rollouts are wanted: in a state, of a campaign."""

    state: str = ""
    campaign: str = ""


async def me(asked: Asked) -> Me:
    """Whom the request comes from."""
    verbs = {verb for grant in asked.person.grants for verb in MAY[grant.role]}
    return Me(asked.person.name, tuple(sorted(verbs)))


async def rollouts(asked: Asked) -> Page[RolloutLine]:
    """Those that the person may see, the latest first."""
    wanted: OfRollouts = asked.query
    lines = (line_of(one) for one in reversed(asked.rollouts()))
    return Page(
        tuple(
            line
            for line in lines
            if wanted.state in ("", line.status) and wanted.campaign.lower() in ("", line.campaign.lower())
        )
    )


async def rollout(asked: Asked) -> Status:
    """The seven answers."""
    found = asked.rollout()
    if isinstance(found, Ended):
        raise Declined("not-found", f"{found.id} is over")
    return status(asked.desk.scope, found, asked.desk.now())
