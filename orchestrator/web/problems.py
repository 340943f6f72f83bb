"""Why a request comes to nothing, as an answer: `application/problem+json` of RFC 9457."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Final

from aiohttp import web
from pydantic import TypeAdapter

from orchestrator.errors import (
    Busy,
    CloudError,
    IssuerError,
    JournalError,
    PolicyError,
    Problem,
    Refused,
    Unrecognised,
    UsageError,
    WavekeeperError,
)
from orchestrator.service.letterbox import KeyReused, NotYet
from orchestrator.web.models import Flaw, ProblemDetails

MEDIA_TYPE: Final = "application/problem+json"

PROBLEMS: Final[Mapping[str, tuple[HTTPStatus, str]]] = {
    "bad-request": (HTTPStatus.BAD_REQUEST, "The request can't be understood"),
    "sign-in": (HTTPStatus.UNAUTHORIZED, "Who asks isn't known"),
    "forbidden": (HTTPStatus.FORBIDDEN, "This person may not do that"),
    "foreign-page": (HTTPStatus.FORBIDDEN, "Asked from another site's page"),
    "not-found": (HTTPStatus.NOT_FOUND, "There is no such thing, or it may not be seen"),
    "method": (HTTPStatus.METHOD_NOT_ALLOWED, "Not with this method"),
    "refused": (HTTPStatus.CONFLICT, "Refused, with nothing done"),
    "busy": (HTTPStatus.CONFLICT, "Another rollout has these machines"),
    "too-large": (HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "The body is too large"),
    "media-type": (HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "The body is of another kind than expected"),
    "wrong-host": (HTTPStatus.MISDIRECTED_REQUEST, "Addressed to another host"),
    "invalid": (HTTPStatus.UNPROCESSABLE_ENTITY, "What was sent isn't valid"),
    "key-reused": (HTTPStatus.UNPROCESSABLE_ENTITY, "The Idempotency-Key stands for another request"),
    "too-many": (HTTPStatus.TOO_MANY_REQUESTS, "Too many requests"),
    "defect": (HTTPStatus.INTERNAL_SERVER_ERROR, "A fault of Wavekeeper's own"),
    "issuer": (HTTPStatus.SERVICE_UNAVAILABLE, "Whoever says who people are can't be asked"),
    "cloud": (HTTPStatus.BAD_GATEWAY, "The cloud can't be asked"),
    "later": (HTTPStatus.SERVICE_UNAVAILABLE, "Not yet: ask again, with the same key"),
}
"""What can be wrong: a name, which docs/api.md explains, with the status that it is answered with and its title."""

_WRITER: Final = TypeAdapter(ProblemDetails)


class Declined(WavekeeperError):
    """A request that comes to nothing. `name` is one of `PROBLEMS`."""

    def __init__(
        self, name: str, detail: str, *, flaws: Sequence[Flaw] = (), headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(detail)
        self.name = name
        self.flaws = tuple(flaws)
        self.headers = dict(headers or {})


def declined_for(error: WavekeeperError) -> Declined:
    """What is answered where the service says no, in its own words."""
    match error:
        case Declined():
            return error
        case KeyReused():
            return Declined("key-reused", str(error))
        case NotYet():
            return Declined("later", str(error), headers={"Retry-After": "1"})
        case Unrecognised():
            return Declined("sign-in", str(error), headers={"WWW-Authenticate": 'Bearer realm="wavekeeper"'})
        case IssuerError():
            return Declined("issuer", str(error))
        case Busy():
            return Declined("busy", str(error))
        case Refused():
            return Declined("refused", str(error))
        case PolicyError():
            return Declined(
                "invalid",
                "Nothing was done.",
                flaws=[Flaw(_place(one), one.what, one.instead) for one in error.problems],
            )
        case JournalError():
            return Declined("defect", str(error))
        case UsageError():
            return Declined("invalid", str(error))
        case CloudError():
            return Declined("cloud", str(error))
        case _:
            return Declined("defect", str(error))


def response_of(declined: Declined) -> web.Response:
    """The answer."""
    status, title = PROBLEMS[declined.name]
    details = ProblemDetails(
        f"urn:wavekeeper:problem:{declined.name}", title, status, str(declined), declined.flaws
    )
    return web.Response(
        body=_WRITER.dump_json(details), status=status, content_type=MEDIA_TYPE, headers=declined.headers
    )


def _place(problem: Problem) -> str:
    return f"{problem.file}:{problem.line}:{problem.column}"
