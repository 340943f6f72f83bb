"""What an answer that is no success means for whoever typed the command: the error that the same command has on a journal, where it has one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from pydantic import TypeAdapter, ValidationError

from orchestrator.client.address import Address
from orchestrator.client.credentials import Credential
from orchestrator.errors import Busy, Refused, ServerError, UsageError, WavekeeperError
from orchestrator.web.models import ProblemDetails

PROBLEM: Final = "application/problem+json"

AGAIN: Final = frozenset({429, 502, 503, 504})
"""What passes by itself: too many requests, or a daemon that starts, stops, or has its hands full."""

LATER: Final = (
    "the daemon has not decided on it yet: it waits in its inbox, and will be decided as soon as it can; look with wavekeeper status "
    "before you ask once more"
)

_PROBLEMS: Final = TypeAdapter(ProblemDetails)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    kind: str  # the media type, without its parameters
    body: bytes
    version: str = ""  # the daemon's, if it says so
    retry_after: float | None = None  # seconds

    @property
    def problem(self) -> ProblemDetails | None:
        """Why it came to nothing, if the daemon says so."""
        if self.kind != PROBLEM:
            return None
        try:
            return _PROBLEMS.validate_json(self.body)
        except ValidationError:
            return None


def error_of(answer: Answer, address: Address, credential: Credential) -> WavekeeperError:
    """The error to raise."""
    problem = answer.problem
    if 300 <= answer.status < 400:
        return ServerError(f"{address} sends on to another address; give that one with --server")
    if problem is None:
        what = f"{answer.status}, {answer.kind or 'nothing'}"
        return ServerError(
            f"{address} doesn't answer as a Wavekeeper daemon does ({what}); is --server right?"
        )
    name = problem.type.rpartition(":")[2]
    told = "\n  ".join((problem.detail, *(_flaw(*flaw) for flaw in _flaws(problem))))
    match name:
        case "sign-in":
            return ServerError(f"{address} doesn't let you in: {told}\n{_how_to_sign_in(credential)}")
        case "refused":
            return Refused(told)
        case "later":
            return Refused(LATER)
        case "busy":
            return Busy(told, rollout="")
        case "not-found" | "invalid" | "bad-request" | "too-large":
            return UsageError(told)
        case "forbidden":
            return ServerError(f"{address} says no: {told}")
        case _:
            return ServerError(f"{address}: {problem.title}: {told}")


def _flaws(problem: ProblemDetails) -> list[tuple[str, str, str]]:
    return [(one.place, one.what, one.instead) for one in problem.problems]


def _flaw(place: str, what: str, instead: str) -> str:
    return f"{place}: {what}" + (f"; {instead}" if instead else "")


def _how_to_sign_in(credential: Credential) -> str:
    if credential.fetch is None:
        return "give a token in WAVEKEEPER_TOKEN or with --token-file FILE, or this machine's Azure identity with --audience"
    return f"{credential.what.rstrip(',')} was not taken: it may have expired, been taken back, or be for another daemon"
