"""One request to Azure Resource Manager that was let in, taken apart; and what every route does with it."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import urlencode

import orjson

from orchestrator.emulator.problems import GATEWAY, problem
from orchestrator.emulator.state import Answer, Json
from orchestrator.emulator.world import PUBLIC, World


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request. `query` is raw, without the question mark; names in `headers` are in lower case (or the mapping
    doesn't care); `base` is scheme and host as the caller reached them, for the URLs in answers.
    """

    method: str
    path: str
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    base: str = PUBLIC


@dataclass(frozen=True, slots=True)
class Call:
    """A request that is let in, taken apart. `parts` is the path in lower case, `spelled` as it came."""

    world: World
    request: Request
    now: datetime
    page_size: int
    query: Mapping[str, str]
    parts: Sequence[str]
    spelled: Sequence[str]

    @property
    def subscription(self) -> str:
        """Whose it is, in lower case."""
        return self.parts[1]


def read_body(raw: bytes) -> Json | Answer:
    """The JSON object that a request carries; none at all is an empty one."""
    try:
        body = orjson.loads(raw or b"{}")
        wrong = "" if isinstance(body, dict) else "an object was expected"
    except orjson.JSONDecodeError as error:
        body, wrong = {}, str(error)
    if wrong:
        message = f"The request content was invalid and could not be deserialized: '{wrong}'."
        return problem(400, "InvalidRequestContent", message, headers=GATEWAY)
    return dict(body)


def paged(call: Call, items: Sequence[object]) -> Answer:
    """One page of a list, with a `nextLink` that leads to the next as long as there is one."""
    begin = 0
    if "$skiptoken" in call.query:
        try:
            begin = int(urlsafe_b64decode(call.query["$skiptoken"]))
        except ValueError:
            return problem(
                400, "InvalidSkipToken", "The provided '$skiptoken' is not one that was given out."
            )
    body: Json = {"value": list(items[begin : begin + call.page_size])}
    if begin + call.page_size < len(items):
        token = urlsafe_b64encode(str(begin + call.page_size).encode()).decode()
        query = urlencode({**{k: v for k, v in call.query.items() if k != "$skiptoken"}, "$skiptoken": token})
        body["nextLink"] = f"{call.request.base}{call.request.path}?{query}"
    return Answer(200, {}, body)


def nowhere(request: Request) -> Answer:
    """The refusal of a route that isn't emulated."""
    message = f"This emulator of Azure Resource Manager has nothing for {request.method} {request.path}; see docs/emulator.md."
    return problem(404, "InvalidResourceType", message, headers=GATEWAY)
