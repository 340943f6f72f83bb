"""The routes of holds."""

from __future__ import annotations

from typing import Final

from orchestrator.access.model import Verb
from orchestrator.service.holds import Held
from orchestrator.web import holding
from orchestrator.web.models import Done, Page, Reason
from orchestrator.web.paging import Paged
from orchestrator.web.routes import Route

_ERRORS: Final = ("refused", "key-reused", "later")

HOLDS: Final = (
    Route(
        "list_holds",
        "GET",
        "/holds",
        Verb.VIEW,
        "Who is held, by whom, until when and why; the hold that ends first before the others.",
        holding.listed,
        Page[Held],
        query=Paged,
    ),
    Route(
        "hold_acts",
        "GET",
        "/holds/acts",
        Verb.VIEW,
        "Whether the person may hold machines, and lift each hold; and why not where they may not.",
        holding.acts,
        Page[holding.HoldAct],
    ),
    Route(
        "hold",
        "POST",
        "/holds",
        Verb.HOLD,
        "Keep machines out of every rollout until then, running ones included. What is in flight is carried through.",
        holding.place,
        Done,
        body=holding.HoldWanted,
        keyed=True,
        errors=_ERRORS,
    ),
    Route(
        "unhold",
        "DELETE",
        "/holds/{id}",
        Verb.UNHOLD,
        "End a hold before its time. Machines that another hold means stay held.",
        holding.lift,
        Done,
        body=Reason,
        keyed=True,
        errors=("not-found", *_ERRORS),
    ),
)
