"""A route: what the table says of it. Server, OpenAPI document and docs/api.md are held to this one description."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from pydantic import TypeAdapter

from orchestrator.access.model import Verb
from orchestrator.web.asked import Asked

PREFIX: Final = "/api/v1"


@dataclass(frozen=True, slots=True)
class File:
    """An answer that is a file as it lies: JSON by itself, with the name that it is kept under."""

    body: bytes
    name: str


Handler = Callable[[Asked], Awaitable[Any]]


@dataclass(frozen=True)
class Route:
    """One method of one path under `PREFIX`.

    `verb` is what access is asked for; what it is about, the handler says. `query` is a frozen dataclass whose fields are the parameters,
    `body` and `answer` are whatever a `TypeAdapter` takes. `errors` are names of `problems.PROBLEMS` besides those that every route has.
    `takes` are media types of a body that is handed on as it is; else a body is JSON. `keyed`: it changes something, and a repetition under the same Idempotency-Key changes nothing more.
    `settled`: nothing of an answer changes any more once it is given, so that a large one may be written beside the loop.
    """

    name: str
    method: str
    path: str
    verb: Verb
    tells: str
    handle: Handler
    answer: Any
    query: Any = None
    body: Any = None
    takes: tuple[str, ...] = ()
    status: int = 200
    keyed: bool = False
    settled: bool = False
    errors: tuple[str, ...] = ()

    @cached_property
    def answers(self) -> TypeAdapter[Any]:
        """Writes answers, and describes them."""
        return TypeAdapter(self.answer)

    @cached_property
    def queries(self) -> TypeAdapter[Any] | None:
        """Reads the parameters, and describes them."""
        return None if self.query is None else TypeAdapter(self.query)

    @cached_property
    def bodies(self) -> TypeAdapter[Any] | None:
        """Reads the body, and describes it."""
        return None if self.body is None or self.takes else TypeAdapter(self.body)
