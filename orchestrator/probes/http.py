"""An HTTP probe: one GET of a machine's own url, judged by its status.

As Kubernetes' probes do, each try opens a connection of its own: it asks whether the machine takes new ones, and
thousands of machines asked every few seconds leave no thousands of idle sockets. Redirects aren't followed: where they
lead to is another machine, and a healthy login page says nothing of this one.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from ipaddress import AddressValueError, IPv6Address
from urllib.parse import quote

import aiohttp

from orchestrator.egress.connect import connector, reason, refuse_literal
from orchestrator.egress.rules import ON_A_DESK, Rules
from orchestrator.policy.model import Probe
from orchestrator.probes.evidence import broken, unasked, unwell
from orchestrator.probes.placeholders import Hole, fill
from orchestrator.probes.port import Reply, Subject

AT_ONCE = 500  # tries under way at any time; each is an open socket, and 1,024 is a common limit of a process
_READ_BYTES = 1_024  # of the body, at most; the rest is never read
_EXCERPT = 100  # characters of it that are shown


class HttpProber:
    """`Prober` for HTTP, where `egress` allows it. At most `at_once` tries are under way; the time that others wait is no time-out."""

    def __init__(self, at_once: int = AT_ONCE, egress: Rules = ON_A_DESK) -> None:
        self._egress = egress
        self._slots = asyncio.Semaphore(at_once)
        self._session: aiohttp.ClientSession | None = None

    async def ask(self, probe: Probe, subject: Subject) -> Reply:
        """GET the probe's url once. The time-out runs from the moment at which the try begins."""
        url = fill(probe.url, subject, _in_url)
        if isinstance(url, Hole):
            return unasked(url.why)
        if not url.lower().startswith(("http://", "https://")):
            return unasked("the url begins with neither http:// nor https://")
        async with self._slots:
            try:
                return await self._get(url, probe)
            except TimeoutError:
                return unwell(f"no answer within {probe.timeout.total_seconds():g} s")
            except aiohttp.ClientConnectorDNSError as error:
                return unasked(reason(error) or f"{error.host} has no address")
            except OSError as error:
                return unasked(why) if (why := reason(error)) else broken(error)
            except aiohttp.ServerDisconnectedError:
                return unwell("hung up without an answer")
            except ValueError:  # InvalidURL is one, and so is what comes of a host that no name can be
                return unasked(f"not a url: {url}")
            except aiohttp.ClientError as error:
                return unwell(f"not HTTP: {error}")

    async def close(self) -> None:
        """Give back connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _get(self, url: str, probe: Probe) -> Reply:
        refuse_literal(self._egress, url)
        began = time.perf_counter()
        timeout = aiohttp.ClientTimeout(total=probe.timeout.total_seconds())
        async with self._open().get(url, allow_redirects=False, timeout=timeout) as response:
            took_ms = (time.perf_counter() - began) * 1000
            if response.status in probe.expect_status:
                return Reply(well=True, asked=True, evidence=f"{response.status} in {took_ms:.0f} ms")
            if "Location" in response.headers:
                return unwell(f"{response.status} to {response.headers['Location']}, which isn't followed")
            said = await response.content.read(_READ_BYTES)
            return unwell(f"{response.status}: {said.decode('utf-8', 'replace')[:_EXCERPT]}".rstrip(": "))

    def _open(self) -> aiohttp.ClientSession:
        """One session for all; made at the first question, since it belongs to the running loop."""
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=connector(self._egress, limit=0, force_close=True, ttl_dns_cache=30),
                cookie_jar=aiohttp.DummyCookieJar(),
                headers={"User-Agent": "wavekeeper", "Accept-Encoding": "identity"},
            )
        return self._session


def _in_url(word: str) -> str:
    """A machine's word as a url holds it. No tag's value can point a probe elsewhere, as one with an `@` in it might."""
    if ":" in word:
        with suppress(AddressValueError):
            return f"[{IPv6Address(word)}]"
    return quote(word, safe="/")
