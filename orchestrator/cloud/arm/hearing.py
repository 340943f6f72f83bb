"""Who wants to know how requests fare: told of each that left, once, whatever became of it. Nothing is changed by it."""

from __future__ import annotations

from collections.abc import Callable

from azure.core.pipeline import PipelineRequest, PipelineResponse
from azure.core.pipeline.policies import AsyncHTTPPolicy
from azure.core.rest import AsyncHttpResponse, HttpRequest

Hear = Callable[[str, int, float | None], None]
"""The method, the status (0: no answer came), and the cloud's Retry-After in seconds, if it gave one."""


def unheard(_: str, __: int, ___: float | None) -> None:
    """Nobody wants to know."""


class Hearing(AsyncHTTPPolicy[HttpRequest, AsyncHttpResponse]):
    """The pipeline's last step before the transport: what comes by here is sent."""

    def __init__(self, hear: Hear) -> None:
        super().__init__()
        self._hear = hear

    async def send(
        self, request: PipelineRequest[HttpRequest]
    ) -> PipelineResponse[HttpRequest, AsyncHttpResponse]:
        """Send it on, and tell."""
        status, retry_after_s = 0, None
        try:
            response = await self.next.send(request)
            status = response.http_response.status_code
            retry_after_s = _seconds(response.http_response.headers.get("Retry-After", ""))
        finally:
            self._hear(request.http_request.method, status, retry_after_s)
        return response


def _seconds(told: str) -> float | None:
    """Azure gives seconds; a date counts as not told."""
    return float(told) if told.isdigit() else None
