"""The routes of what a terminal asks besides, and of what concerns the fleet as a whole."""

from __future__ import annotations

from typing import Final

from orchestrator.access.model import Verb
from orchestrator.rollout.state import Blocked
from orchestrator.service.compliance import Past
from orchestrator.service.enrolment import Enrolled
from orchestrator.service.office import Barred, Standing, Target, Went, Whereabouts
from orchestrator.service.taking_back import TakenBack
from orchestrator.web import keeping, terminal
from orchestrator.web.models import Page, Reason
from orchestrator.web.routes import Route

TERMINAL: Final = (
    Route(
        "whereabouts",
        "GET",
        "/whereabouts",
        Verb.VIEW,
        "What `wavekeeper status NAME` tells of a name as people type it: of a rollout, of a machine, or of what goes on.",
        terminal.where,
        Whereabouts,
        query=terminal.OfName,
        errors=("invalid",),
    ),
    Route(
        "target",
        "GET",
        "/targets",
        Verb.VIEW,
        "What a name means for a verb: the rollout by its whole id, and the machine.",
        terminal.target,
        Target,
        query=terminal.OfVerb,
        errors=("invalid",),
    ),
    Route(
        "standing",
        "GET",
        "/rollouts/{id}/standing",
        Verb.VIEW,
        "How a rollout stands for whoever follows it: the answers of `wavekeeper status`, and whether anything moves by itself.",
        terminal.stands,
        Standing,
        errors=("not-found", "refused"),
    ),
    Route(
        "installed",
        "GET",
        "/rollouts/{id}/installed",
        Verb.VIEW,
        "The updates that a rollout installed and that can be taken back, machine by machine.",
        terminal.installed,
        TakenBack,
        query=terminal.OfKbs,
        errors=("not-found", "forbidden", "refused", "invalid"),
    ),
    Route(
        "enrolled",
        "GET",
        "/rollouts/{id}/enrolled",
        Verb.VIEW,
        "The settings that an enrolment wrote, and how they were before.",
        terminal.enrolled,
        Enrolled,
        errors=("not-found", "forbidden", "refused", "invalid"),
    ),
    Route(
        "past",
        "GET",
        "/past",
        Verb.VIEW,
        "What the rollouts of the last thirteen months made of machines, for the compliance at a moment.",
        terminal.what_was,
        Past,
        query=terminal.OfPast,
    ),
    Route(
        "blocks",
        "GET",
        "/blocks",
        Verb.VIEW,
        "The updates that people keep out of every campaign.",
        keeping.blocked,
        Page[Blocked],
    ),
    *(
        Route(
            str(verb),
            "POST",
            f"/blocks/{{kb}}/{verb}",
            verb,
            tells,
            keeping.of_update(verb),
            Barred,
            body=Reason,
            keyed=True,
            errors=("forbidden", "refused", "invalid", "key-reused", "later"),
        )
        for verb, tells in {
            Verb.BLOCK: "Keep an update out of every campaign at once, running ones included; says who has it already.",
            Verb.UNBLOCK: "Let an update in again.",
        }.items()
    ),
    Route(
        "archive",
        "POST",
        "/archive",
        Verb.ARCHIVE,
        "Move rollouts that have been over for long into an archive beside the journal.",
        keeping.archive,
        Went,
        body=keeping.MayGo,
        keyed=True,
        errors=("forbidden", "refused", "key-reused", "later"),
    ),
)
