"""Many questions at the pace that the cloud sets: Resource Graph's quota as its answers tell it, ARM's refusals waited out.

For reading a whole estate, which is done once and takes its time; a rollout's own requests go through its dispatcher.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import Final, TypeVar

from orchestrator.clock import Clock
from orchestrator.cloud import graph
from orchestrator.cloud.answers import TRANSIENT_STATUSES, Received, retry_after_s
from orchestrator.cloud.asked import Asked
from orchestrator.cloud.graph import Page, Query, Row
from orchestrator.cloud.reading import Get
from orchestrator.errors import CloudTransient

GROUP: Final = 100
"""Subscriptions of one query: "Guidance for throttled requests" advises less than 300."""

AT_ONCE: Final = 3
"""Queries under way at once: an answer of a thousand rows takes about a second, and the quota is three in a second."""

TRIES: Final = 8
"""Of one question, until the cloud's trouble is the reader's too."""

UNREACHED: Final = frozenset({"NotConnected", "NameNotResolved"})
"""Trouble that isn't waited out before the first answer: then it is the endpoint, or there is no network."""

T = TypeVar("T")


class PacedGraph:
    """Resource Graph, asked no faster than it takes it. Counts what was asked."""

    def __init__(self, query: Query, clock: Clock) -> None:
        self._query = query
        self._clock = clock
        self._not_before: datetime | None = None
        self._reached = False  # whether anybody ever answered
        self.queries = 0

    async def page(
        self, text: str, asked: Asked, *, subscriptions: Sequence[str] | None = None, token: str = ""
    ) -> Page:
        """One page of a query's answer. Raises as `graph.page`, after having tried for a while."""

        async def once() -> Page:
            await self._quota()
            self.queries += 1
            return await graph.page(self._query, text, asked, subscriptions=subscriptions, token=token)

        found = await self._patiently(once)
        if found.left is not None and found.left < AT_ONCE:  # those under way have to fit in as well
            self._not_before = self._clock.now() + found.resets_after
        return found

    async def rows(self, text: str, asked: Asked, subscriptions: Sequence[str]) -> AsyncIterator[Row]:
        """All rows of all these subscriptions, however many. Raises as `page`."""
        wanted = sorted({one.strip().lower() for one in subscriptions})
        for at in range(0, len(wanted), GROUP):
            token, first = "", True
            while first or token:
                found = await self.page(text, asked, subscriptions=wanted[at : at + GROUP], token=token)
                for row in found.rows:
                    yield row
                token, first = found.token, False

    async def _quota(self) -> None:
        """Wait until the quota begins anew, if it is used up."""
        while self._not_before is not None and self._not_before > (now := self._clock.now()):
            await self._clock.sleep((self._not_before - now).total_seconds())

    async def _patiently(self, once: Callable[[], Awaitable[T]]) -> T:
        for tried in range(TRIES):
            try:
                answer = await once()
            except CloudTransient as error:
                if tried + 1 == TRIES or (error.code in UNREACHED and not self._reached):
                    raise
                wait = timedelta(seconds=max(error.retry_after_s or 0.0, 2.0**tried))
                if error.code == graph.RATE_LIMITED:
                    self._not_before = self._clock.now() + timedelta(seconds=error.retry_after_s or 5.0)
                    continue
                await self._clock.sleep(wait.total_seconds())
            else:
                self._reached = True
                return answer
        raise AssertionError("the last try returns or raises")


class Paced(PacedGraph):
    """Resource Graph and ARM."""

    def __init__(self, get: Get, query: Query, clock: Clock) -> None:
        super().__init__(query, clock)
        self._get = get
        self.reads = 0

    async def get(self, url: str, asked: Asked) -> Received:
        """One GET of ARM. What passes is waited for; the answer, whatever its status, after having tried for a while."""
        answer: Received | None = None

        async def once() -> Received:
            nonlocal answer
            self.reads += 1
            answer = await self._get(url, asked)
            if answer.status in TRANSIENT_STATUSES or answer.status >= 500:
                raise CloudTransient("", retry_after_s=retry_after_s(answer))
            return answer

        try:
            return await self._patiently(once)
        except CloudTransient:
            if answer is None:
                raise
            return answer
