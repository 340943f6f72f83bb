"""The routes that the page draws its pictures from."""

from __future__ import annotations

from typing import Final

from orchestrator.access.model import Verb
from orchestrator.service.acts import Act
from orchestrator.service.chart import Chart
from orchestrator.service.overview import Members, Topology
from orchestrator.service.rooms import Headroom
from orchestrator.web import picture
from orchestrator.web.models import Page
from orchestrator.web.routes import Route

PICTURE: Final = (
    Route(
        "chart",
        "GET",
        "/rollouts/{id}/chart",
        Verb.VIEW,
        "Lanes, waves and machines over time, in columns; with `after` only what differs since that edition.",
        picture.chart,
        Chart,
        query=picture.SinceEdition,
        settled=True,
        errors=("not-found", "refused"),
    ),
    Route(
        "acts",
        "GET",
        "/rollouts/{id}/acts",
        Verb.VIEW,
        "What the person may do to a rollout now, what each would start, and why not where it can't be done.",
        picture.acts,
        Page[Act],
        errors=("not-found",),
    ),
    Route(
        "machine_acts",
        "GET",
        "/rollouts/{id}/machines/{name}/acts",
        Verb.VIEW,
        "The same of one machine of a rollout.",
        picture.acts_on_machine,
        Page[Act],
        errors=("not-found",),
    ),
    Route(
        "budgets",
        "GET",
        "/budgets",
        Verb.VIEW,
        "Every rule that counts now: how much of it is taken, and who holds it.",
        picture.budgets,
        Page[Headroom],
        errors=("forbidden",),
    ),
    Route(
        "topology",
        "GET",
        "/topology",
        Verb.VIEW,
        "The fleet as a tree of regions, zones and what stands in there, with how many machines stand how.",
        picture.fleet,
        Topology,
        settled=True,
    ),
    Route(
        "topology_members",
        "GET",
        "/topology/members",
        Verb.VIEW,
        "The machines of one group of the tree.",
        picture.group,
        Members,
        query=picture.OfGroup,
        settled=True,
        errors=("not-found",),
    ),
)
