"""Where requests may go, and how they get there."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from orchestrator.cloud.arm.client import ArmClient, checked_endpoint
from orchestrator.cloud.asked import Asked, Permission
from orchestrator.errors import CloudTransient, UsageError

ASKED = Asked("following an operation", Permission.READ_OPERATIONS, "subscription s")


@asynccontextmanager
async def listener(seen: list[str]) -> AsyncIterator[str]:
    """A server on loopback that keeps each request's raw target and answers with an empty 202."""

    async def handle(request: web.BaseRequest) -> web.Response:
        seen.append(request.raw_path)
        return web.Response(status=202)

    runner = web.ServerRunner(web.Server(handle))
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@pytest.mark.parametrize(
    ("endpoint", "kept"),
    [
        ("https://management.azure.com/", "https://management.azure.com"),
        ("https://management.chinacloudapi.cn", "https://management.chinacloudapi.cn"),
        ("http://127.0.0.1:8900/", "http://127.0.0.1:8900"),
        ("http://[::1]:8900", "http://[::1]:8900"),
        ("http://localhost:8900", "http://localhost:8900"),
    ],
)
def test_endpoints(endpoint: str, kept: str) -> None:
    """TLS anywhere, plain HTTP to this very machine."""
    assert checked_endpoint(endpoint) == kept


@pytest.mark.parametrize(
    ("endpoint", "words"),
    [
        ("http://10.0.0.4:8900", "plain text"),
        ("http://localhost.example.com", "plain text"),
        ("management.azure.com", "is no endpoint"),
        ("ftp://127.0.0.1", "is no endpoint"),
        ("https://", "is no endpoint"),
        ("", "is no endpoint"),
    ],
)
def test_endpoints_that_would_leak_or_make_no_sense(endpoint: str, words: str) -> None:
    """A token never leaves in plain text; what is no endpoint is told how to write one."""
    with pytest.raises(UsageError, match=words):
        checked_endpoint(endpoint)


@pytest.mark.wire
async def test_urls_leave_to_the_byte() -> None:
    """Escapes that a library would spell otherwise leave as they came: ARM signs its URLs."""
    seen: list[str] = []
    target = "/subscriptions/s/operations/g?c=%2fAb%7e%7E%3D&s=a+b%20c&h=a/b:c@d!$'()*,;&e=&t"
    async with listener(seen) as endpoint:
        client = ArmClient(endpoint)
        received = await client.get(endpoint + target, ASKED)
        await client.close()
    assert seen == [target]
    assert (received.status, received.body) == (202, {})


@pytest.mark.wire
async def test_nobody_listens() -> None:
    """Where nothing listens the message names the address and says to start it."""
    async with listener([]) as endpoint:
        pass
    client = ArmClient(endpoint)
    with pytest.raises(CloudTransient, match=f"nothing answers at {endpoint}.*started first"):
        await client.get("/subscriptions/s/locations", ASKED)
    await client.close()


async def test_closing_what_was_never_used() -> None:
    """A client that was never asked anything closes without a word."""
    await ArmClient("http://127.0.0.1:1").close()


def test_importing_is_cheap() -> None:
    """Importing the provider doesn't import the SDK's client and identity, which take a second."""
    code = (
        "import sys, orchestrator.cloud.arm.provider;"
        "print([m for m in ('azure.mgmt.compute', 'azure.identity', 'msal') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_client_for_arc_is_loaded_when_it_is_needed() -> None:
    """Whoever changes no machine of Arc does without its package."""
    code = (
        "import sys; from orchestrator.cloud.arm.client import ArmClient;"
        "name = 'azure.mgmt.hybridcompute'; client = ArmClient('http://127.0.0.1:1');"
        "before = name in sys.modules; client.hybrid('s'); print(before, name in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False True"
