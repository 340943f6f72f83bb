"""All routes of the API."""

from __future__ import annotations

from typing import Final

from orchestrator.access.model import Verb
from orchestrator.service.rollouts import RolloutLine
from orchestrator.service.status import Status
from orchestrator.web import reads
from orchestrator.web.models import Me, Page
from orchestrator.web.routes import Route
from orchestrator.web.table_picture import PICTURE
from orchestrator.web.table_verbs import VERBS

ROUTES: Final = (
    Route("me", "GET", "/me", Verb.VIEW, "Whom the request comes from, and what they may do.", reads.me, Me),
    Route(
        "list_rollouts",
        "GET",
        "/rollouts",
        Verb.VIEW,
        "All rollouts that the person may see, the latest first.",
        reads.rollouts,
        Page[RolloutLine],
        query=reads.OfRollouts,
    ),
    Route(
        "rollout",
        "GET",
        "/rollouts/{id}",
        Verb.VIEW,
        "How a rollout stands: the seven answers of `wavekeeper status`.",
        reads.rollout,
        Status,
        errors=("not-found",),
    ),
    *PICTURE,
    *VERBS,
)
