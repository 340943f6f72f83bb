"""The way to one ARM: a pipeline of the Azure SDK, the connections under it, and the identity it speaks with.

The pipeline is put together here: nothing in it sends a request twice (no retry, no redirect, no registration of resource
providers on the side), since Retry-After is real or emulated time that only the scheduler understands, and a start must
never be repeated. It also costs a third of the SDK's default one (0.3 ms of CPU a call against 1.0).
"""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import Mapping
from importlib.metadata import version
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from azure.core.credentials_async import AsyncTokenCredential
from azure.core.pipeline import AsyncPipeline
from azure.core.pipeline.policies import CustomHookPolicy, HeadersPolicy, UserAgentPolicy
from azure.core.pipeline.transport import AioHttpTransport, AsyncHttpTransport
from azure.core.rest import AsyncHttpResponse, HttpRequest
from azure.mgmt.core import AsyncARMPipelineClient
from azure.mgmt.core.policies import AsyncARMChallengeAuthenticationPolicy

from orchestrator.cloud import urls
from orchestrator.cloud.answers import Received, received
from orchestrator.cloud.arm.connections import CONNECT_TIMEOUT_S, Session, VerbatimSession
from orchestrator.cloud.arm.credentials import ToldCredential
from orchestrator.cloud.arm.errors import error_from
from orchestrator.cloud.arm.hearing import Hear, Hearing, unheard
from orchestrator.cloud.arm.smoother import Smoother
from orchestrator.cloud.asked import Asked
from orchestrator.errors import UsageError
from orchestrator.inventory.ids import subscription_of

if TYPE_CHECKING:
    from azure.mgmt.compute.aio import ComputeManagementClient
    from azure.mgmt.hybridcompute.aio import HybridComputeManagementClient

PUBLIC_ENDPOINT = "https://management.azure.com"
READ_TIMEOUT_S = 60.0
AT_ONCE = 32
"""Requests of a kind that are prepared or under way at once. A thousand that become due in one moment would keep the loop from
everything else for a second; ARM's budgets let no subscription send more than some tens a second anyway."""

NO_TOKEN = "Bearer loopback"  # noqa: S105 - what an emulator gets to see in place of a token


class ArmClient:
    """One ARM, all its subscriptions, one pool of connections. Made anywhere, used in one event loop."""

    def __init__(
        self,
        endpoint: str = PUBLIC_ENDPOINT,
        *,
        credential: AsyncTokenCredential | None = None,
        time_scale: float = 1.0,
        session: Session | None = None,
        hear: Hear = unheard,
    ) -> None:
        """`session` takes the place of sockets; then time may be virtual, and reads aren't smoothed. `hear` is told of each request.

        Raises:
            UsageError: The endpoint isn't one that a token may be sent to.
        """
        self.endpoint = checked_endpoint(endpoint)
        self._loopback = self.endpoint.startswith("http://")
        self._credential = ToldCredential(credential)
        self._smoothers: dict[str, Smoother] | None = {} if session is None else None
        self._time_scale = time_scale
        self._hear = hear
        sockets = session or VerbatimSession(through_proxy=not self._loopback)
        pipeline = self._pipeline(AioHttpTransport(session=sockets, connection_timeout=CONNECT_TIMEOUT_S))
        self._client = AsyncARMPipelineClient[HttpRequest, AsyncHttpResponse](
            self.endpoint, pipeline=pipeline, policies=[]
        )
        self._reads = asyncio.Semaphore(AT_ONCE)
        self.starts = asyncio.Semaphore(AT_ONCE)
        self._options: dict[str, Any] = {"base_url": self.endpoint, "pipeline": pipeline}
        # Up to a second: it is spent here, not inside the first start and its time-out.
        from azure.mgmt.compute.aio import ComputeManagementClient

        self._sdk = ComputeManagementClient
        self._of_subscription: dict[str, ComputeManagementClient] = {}
        self._hybrid_of: dict[str, HybridComputeManagementClient] = {}

    def compute(self, subscription: str) -> ComputeManagementClient:
        """The SDK's client of one subscription, on the same pipeline as everything else."""
        client = self._of_subscription.get(subscription)
        if client is None:
            client = self._sdk(self._credential, subscription, **self._options)
            self._of_subscription[subscription] = client
        return client

    def hybrid(self, subscription: str) -> HybridComputeManagementClient:
        """The SDK's client for a subscription's Arc machines. Its package is loaded when the first of them is changed."""
        client = self._hybrid_of.get(subscription)
        if client is None:
            from azure.mgmt.hybridcompute.aio import HybridComputeManagementClient

            client = HybridComputeManagementClient(self._credential, subscription, **self._options)
            self._hybrid_of[subscription] = client
        return client

    async def query(self, body: Mapping[str, Any], asked: Asked) -> Received:
        """One query of Resource Graph, which only reads though it is a POST; the answer, whatever its status. Raises as `get`."""
        return await self._read(
            HttpRequest("POST", self.endpoint + urls.resource_graph(), json=dict(body)), asked
        )

    async def get(self, url: str, asked: Asked) -> Received:
        """One GET of `url`, sent to the byte, or of a path of this ARM; the answer, whatever its status.

        Raises:
            CloudTransient: No answer came.
            CloudPermanent: The endpoint can't be trusted.
            AccessDenied: There is no token to send.
        """
        if url.startswith("/"):
            url = self.endpoint + url
        await self._turn(url)
        return await self._read(HttpRequest("GET", url), asked)

    async def delete(self, url: str, asked: Asked) -> Received:
        """One DELETE of a path of this ARM; the answer, whatever its status. Raises as `get`."""
        await self._turn(url)
        return await self._read(HttpRequest("DELETE", self.endpoint + url), asked)

    async def _read(self, request: HttpRequest, asked: Asked) -> Received:
        try:
            async with self._reads, asyncio.timeout(READ_TIMEOUT_S):
                response = await self._client.send_request(request)
                # Not `await response.read()`: a second reading of an empty body raises StreamConsumedError (azure-core 1.41).
                return received(response.status_code, response.headers, response.content)
        except Exception as error:
            raise error_from(error, asked, self.endpoint) from error

    async def close(self) -> None:
        """Give back connections and what the credential holds."""
        await self._client.close()
        await self._credential.close()

    async def _turn(self, url: str) -> None:
        if self._smoothers is None:
            return
        subscription = subscription_of(url)
        smoother = self._smoothers.get(subscription)
        if smoother is None:
            smoother = self._smoothers[subscription] = Smoother(self._time_scale)
        await smoother.turn()

    def _pipeline(
        self, transport: AsyncHttpTransport[HttpRequest, AsyncHttpResponse]
    ) -> AsyncPipeline[HttpRequest, AsyncHttpResponse]:
        if self._loopback:
            authentication: Any = HeadersPolicy({"Authorization": NO_TOKEN})
        else:
            scope = f"{self.endpoint}/.default"  # a token is for this ARM alone, whatever endpoint was typed
            authentication = AsyncARMChallengeAuthenticationPolicy(self._credential, scope)
        return AsyncPipeline(
            transport,
            [
                HeadersPolicy({"Accept": "application/json"}),
                UserAgentPolicy(f"wavekeeper/{version('wavekeeper')}"),
                authentication,
                CustomHookPolicy(),
                Hearing(self._hear),
            ],
        )


def checked_endpoint(endpoint: str) -> str:
    """An endpoint that a token may be sent to, without a slash at its end: https, or plain http to this very machine.

    Raises:
        UsageError: It is neither.
    """
    parts = urlsplit(endpoint)
    if parts.scheme == "https" and parts.hostname and not parts.query:
        return endpoint.rstrip("/")
    if parts.scheme == "http" and parts.hostname and _is_loopback(parts.hostname):
        return endpoint.rstrip("/")
    if parts.scheme == "http":
        raise UsageError(
            f"{endpoint} would get a token in plain text; write https://, or name an emulator on 127.0.0.1"
        )
    raise UsageError(f"{endpoint!r} is no endpoint; write it like {PUBLIC_ENDPOINT} or http://127.0.0.1:8900")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
