"""Questions to Azure Resource Graph: one query, its pages, and what it says of its quota.

Resource Graph counts the queries of an identity, whatever subscription they are about, and tells with each answer how many are
left and when it counts anew. What it knows is behind: up to a minute for resources, and for patch runs by nobody says how much.
So a row proves that something was so, and a missing row proves nothing.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from typing import Any, Final

from orchestrator.cloud.answers import Received, error_from_answer, retry_after_s
from orchestrator.cloud.asked import Asked
from orchestrator.errors import CloudError, CloudPermanent, CloudTransient

Query = Callable[[Mapping[str, Any], Asked], Awaitable[Received]]
"""One query's body, sent; whatever status the answer brings. Raises CloudError if no answer comes."""

Row = Mapping[str, Any]

PAGE: Final = 1000
"""Rows of one answer at most."""

RATE_LIMITED: Final = "RateLimiting"
"""The code of a refusal because the quota is used up."""


@dataclass(frozen=True, slots=True)
class Page:
    """One answer. `left` queries may follow before `resets_after`; None where it doesn't say."""

    rows: Sequence[Row]
    total: int
    token: str
    left: int | None
    resets_after: timedelta


async def page(
    query: Query, text: str, asked: Asked, *, subscriptions: Sequence[str] | None = None, token: str = ""
) -> Page:
    """One answer to a query, the first or the one that a token leads to. Without subscriptions all that may be seen are meant.

    Raises:
        CloudTransient: With code `RateLimiting` and when the quota begins anew, if it is used up.
        CloudPermanent, AccessDenied: The query isn't answered.
    """
    options: dict[str, Any] = {"resultFormat": "objectArray", "$top": PAGE}
    if token:
        options["$skipToken"] = token
    body: dict[str, Any] = {"query": text, "options": options}
    if subscriptions is not None:
        body["subscriptions"] = list(subscriptions)
    received = await query(body, asked)
    if received.status != HTTPStatus.OK:
        raise _error(received, asked)
    told = received.body
    rows = told.get("data")
    return Page(
        rows=rows if isinstance(rows, list) else (),
        total=int(told.get("totalRecords") or 0),
        token=str(told.get("$skipToken") or ""),
        left=_left(received),
        resets_after=_resets_after(received),
    )


async def rows(
    query: Query, text: str, asked: Asked, *, subscriptions: Sequence[str] | None = None
) -> AsyncIterator[Row]:
    """All rows of a query that finds few. Raises as `page`."""
    token = ""
    while True:
        found = await page(query, text, asked, subscriptions=subscriptions, token=token)
        for row in found.rows:
            yield row
        token = found.token
        if not token:
            return


def quoted(text: str) -> str:
    """A text as a query spells it.

    Raises:
        CloudPermanent: It holds what no name in Azure does.
    """
    if "'" in text or "\\" in text:
        raise CloudPermanent(f"{text!r} can't be asked for: no name in Azure holds a quote or a backslash")
    return f"'{text}'"


def _error(received: Received, asked: Asked) -> CloudError:
    error = error_from_answer(received, asked)
    if received.status == HTTPStatus.TOO_MANY_REQUESTS:
        wait = max(_resets_after(received).total_seconds(), retry_after_s(received) or 0.0)
        return CloudTransient(str(error), code=RATE_LIMITED, retry_after_s=wait)
    return error


def _left(received: Received) -> int | None:
    told = received.headers.get("x-ms-user-quota-remaining", "")
    return int(told) if told.isdigit() else None


def _resets_after(received: Received) -> timedelta:
    """`hh:mm:ss`; five seconds where it isn't told, which is the published example."""
    told = received.headers.get("x-ms-user-quota-resets-after", "").split(":")
    try:
        hours, minutes, seconds = map(float, told)
    except ValueError:
        return timedelta(seconds=5)
    return timedelta(hours=hours, minutes=minutes, seconds=seconds)
