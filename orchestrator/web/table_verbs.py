"""The routes that change something: each with its verb, a reason and a key."""

from __future__ import annotations

from typing import Final

from orchestrator.access.model import Verb
from orchestrator.web import starting, verbs
from orchestrator.web.models import Done, Reason
from orchestrator.web.reading import GZIP
from orchestrator.web.routes import Route

_ERRORS: Final = ("not-found", "refused", "key-reused", "later")

_OF_ROLLOUT: Final = {
    Verb.PAUSE: "No new grants; what is in flight is carried through.",
    Verb.RESUME: "Go on: gates are asked first, and windows hold.",
    Verb.APPROVE: "Say yes to the stage that waits for it.",
    Verb.EMERGENCY: "Wait for less: windows, freezes, bakes and approvals. No budget, exclusion, order, probe, gate, stop or hold is touched.",
    Verb.ABORT: "End it for good. Nothing is reverted; what is in flight is carried through.",
}

_OF_MACHINE: Final = {
    Verb.RETRY: "The next attempt at a machine, under a fresh grant.",
    Verb.SKIP: "Not this machine; it counts as out until it is well.",
    Verb.WRITE_OFF: "Give a machine up: its grant is closed, and it counts as out no more.",
}

VERBS: Final = (
    Route(
        "start",
        "POST",
        "/rollouts",
        Verb.START,
        "Begin a reviewed plan: the body is its file. One that is known already isn't begun again; the answer names its rollout.",
        starting.hand_over,
        Done,
        query=starting.WithReason,
        body=bytes,
        takes=("application/json", GZIP),
        keyed=True,
        errors=("forbidden", "refused", "busy", "cloud", "key-reused", "later"),
    ),
    *(
        Route(
            str(verb),
            "POST",
            f"/rollouts/{{id}}/{verb}",
            verb,
            tells,
            verbs.of_rollout(verb),
            Done,
            body=Reason,
            keyed=True,
            errors=_ERRORS,
        )
        for verb, tells in _OF_ROLLOUT.items()
    ),
    *(
        Route(
            str(verb),
            "POST",
            f"/rollouts/{{id}}/machines/{{name}}/{verb}",
            verb,
            tells,
            verbs.of_machine(verb),
            Done,
            body=Reason,
            keyed=True,
            errors=_ERRORS,
        )
        for verb, tells in _OF_MACHINE.items()
    ),
)
