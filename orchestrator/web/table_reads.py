"""The routes that only read."""

from __future__ import annotations

from typing import Any, Final

from orchestrator.access.model import Verb
from orchestrator.service.happenings import Happening
from orchestrator.service.machines import MachineLine, MachineTold
from orchestrator.service.rollouts import RolloutLine
from orchestrator.service.status import Status
from orchestrator.web import events, reads, reads_house
from orchestrator.web.models import Coming, Me, ObservationTold, Page, PoliciesTold
from orchestrator.web.paging import Paged
from orchestrator.web.routes import File, Handler, Route


def _read(
    name: str, path: str, tells: str, handle: Handler, answer: Any, query: Any = None, *errors: str
) -> Route:
    """A GET. What names something in its path may not find it."""
    missing = ("not-found",) if "{" in path else ()
    return Route(name, "GET", path, Verb.VIEW, tells, handle, answer, query=query, errors=(*missing, *errors))


READS: Final = (
    _read("me", "/me", "Whom the request comes from, and what they may do.", reads_house.me, Me),
    _read(
        "list_rollouts",
        "/rollouts",
        "All rollouts that the person may see, the latest first.",
        reads.rollouts,
        Page[RolloutLine],
        reads.OfRollouts,
    ),
    _read(
        "rollout",
        "/rollouts/{id}",
        "How a rollout stands: the seven answers of `wavekeeper status`.",
        reads.rollout,
        Status,
    ),
    _read(
        "plan",
        "/rollouts/{id}/plan",
        "The plan's file, as it was reviewed.",
        reads.plan,
        File,
        None,
        "forbidden",
    ),
    _read(
        "story",
        "/rollouts/{id}/story",
        "All that happened in a rollout, oldest first, in words.",
        reads.story,
        Page[Happening],
        reads.OfStory,
    ),
    _read(
        "machines",
        "/rollouts/{id}/machines",
        "The machines that a rollout changes, in the order of the plan.",
        reads.machines,
        Page[MachineLine],
        reads.OfMachines,
    ),
    _read(
        "machine",
        "/rollouts/{id}/machines/{name}",
        "Why a machine is, or isn't, moving in a rollout, and why the plan has it where it is.",
        reads.machine,
        MachineTold,
        None,
        "invalid",
    ),
    _read(
        "machine_anywhere",
        "/machines/{name}",
        "The same in the rollout that matters now, with all that have the machine in their plans.",
        reads.machine_anywhere,
        MachineTold,
        None,
        "invalid",
    ),
    _read(
        "calendar",
        "/calendar",
        "What comes: every campaign, the one that is due next first.",
        reads_house.calendar,
        Page[Coming],
    ),
    _read(
        "policies",
        "/policies",
        "Which commit counts, and what is wrong with a newer one.",
        reads_house.policies,
        PoliciesTold,
        None,
        "forbidden",
    ),
    _read(
        "observations",
        "/observations",
        "What campaigns that may not act would have done, the latest first.",
        reads_house.observations,
        Page[ObservationTold],
        Paged,
    ),
    _read(
        "events",
        "/events",
        "Everything that happens, as server-sent events: `id` is the place in the journal, `event` the fact's name.",
        events.events,
        events.Stream,
        events.SinceEvent,
        "later",
    ),
)
