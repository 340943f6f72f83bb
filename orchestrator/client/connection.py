"""A connection to a daemon: requests that are sent until they are answered, within a time, and errors that say what to do.

What changes something carries a key that is made once for a command: however often it is sent, it is carried out once. So a lost
answer, or a daemon that is started anew meanwhile, is no reason to give up, nor to do it twice.
"""

from __future__ import annotations

import os
import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import aiohttp
from yarl import URL

from orchestrator.client.address import Address
from orchestrator.client.credentials import Credential
from orchestrator.client.reading import AGAIN, Answer, error_of
from orchestrator.clock import Clock
from orchestrator.errors import ServerError, UsageError
from orchestrator.web.routes import PREFIX

PATIENCE: Final = timedelta(seconds=10)
"""How long a question is asked again where nothing answers: somebody waits for it."""

PATIENCE_TO_ACT: Final = timedelta(minutes=1)
"""The same of what changes something: a daemon is restarted within it, and its one answer is worth the wait."""

PATIENCE_TO_ARCHIVE: Final = timedelta(minutes=3)
"""The same of an archive of some hundred thousand rows."""

PATIENCE_TO_START: Final = timedelta(minutes=10)
"""The same of a plan: it is judged before it is taken, by the fleet as it is then."""

JUDGED_WITHIN_S: Final = 300.0
"""How long that may take, for 100,000 machines and a fleet that is read anew."""

FIRST_PAUSE_S: Final = 0.5
LONGEST_PAUSE_S: Final = 8.0
CONNECT_WITHIN_S: Final = 10.0
ANSWER_WITHIN_S: Final = 60.0
"""Between two pieces of an answer. What is not decided within 15 s is answered by 503, and asked again."""

CLOSED: Final = "it closed the connection"

UNKNOWN: Final = (
    "; whether it was carried out isn't known: look with wavekeeper status before you ask once more"
)
"""Said of what changes something, once it may have arrived."""

VERSION: Final = "Wavekeeper-Version"
"""The header in which a daemon says its version."""


class Lost(Exception):
    """An answer that broke off, or couldn't be had just now; says why."""


@dataclass(frozen=True, slots=True)
class Request:
    """What is sent, and how long it is sent again where nobody answers. `path` is below the API's prefix, its parts quoted; `key` is the Idempotency-Key of what changes something."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    body: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    key: str = ""
    patience: timedelta = PATIENCE
    answer_within_s: float = ANSWER_WITHIN_S


@dataclass(slots=True)
class Connection:
    """A daemon, as one command speaks to it. `tell` is told a sentence when it takes longer than it should."""

    address: Address
    credential: Credential
    session: aiohttp.ClientSession
    clock: Clock
    tell: Callable[[str], None]
    version: str = ""  # the daemon's, once it has answered

    async def ask(self, request: Request) -> Answer:
        """The answer, a success.

        Raises:
            ServerError: it can't be asked, or says that this person may not.
            UsageError, Refused: what it says of what was asked, as the same command on a journal does.
        """
        began, pause, told, sent = self.clock.now(), FIRST_PAUSE_S, False, False
        while True:
            answer, why, arrived = await self._try(request)
            sent = sent or arrived
            if answer is not None and answer.status not in AGAIN:
                break
            wait = pause if answer is None or answer.retry_after is None else answer.retry_after
            if self.clock.now() + timedelta(seconds=wait) > began + request.patience:
                if answer is None:
                    perhaps = UNKNOWN if request.key and sent else self._perhaps(why)
                    raise ServerError(f"{self.address} can't be reached: {why}{self._since(began)}{perhaps}")
                break
            if not told:
                told = True
                what = f"can't be reached ({why})" if answer is None else f"says: not now ({answer.status})"
                self.tell(f"{self.address} {what}; trying again")
            await self.clock.sleep(wait)
            pause = min(2 * pause, LONGEST_PAUSE_S)
        self.version = answer.version or self.version
        if not 200 <= answer.status < 300:
            raise error_of(answer, self.address, self.credential)
        return answer

    @asynccontextmanager
    async def stream(self, request: Request) -> AsyncIterator[AsyncIterator[bytes]]:
        """An answer that goes on, piece by piece, tried once.

        Raises as `ask`, and `Lost` where it can't be had just now, or breaks off: whoever reads asks anew.
        """
        try:
            async with self.session.request(
                request.method,
                self._url(request),
                headers=await self._headers(request),
                allow_redirects=False,
            ) as response:
                if response.status in AGAIN:
                    raise Lost(f"it says: not now ({response.status})")
                if response.status != 200:
                    raise error_of(await _answer(response), self.address, self.credential)
                yield response.content.iter_any()
        except (aiohttp.ClientSSLError, ssl.SSLError) as error:
            raise ServerError(untrusted(self.address, error)) from None
        except TimeoutError:
            raise Lost("nothing came for too long") from None
        except (aiohttp.ClientError, OSError) as error:
            raise Lost(plainly(error)) from None

    def _url(self, request: Request) -> URL:
        return URL(f"{self.address.url}{PREFIX}{request.path}", encoded=True).with_query(request.query)

    async def _headers(self, request: Request) -> dict[str, str]:
        key = {"Idempotency-Key": request.key} if request.key else {}
        return {**request.headers, **key, **await self.credential.header(self.address)}

    async def _try(self, request: Request) -> tuple[Answer | None, str, bool]:
        """The answer, or why there was none; and whether it may have been sent. Raises `ServerError` where trying again won't help."""
        try:
            async with self.session.request(
                request.method,
                self._url(request),
                data=request.body,
                headers=await self._headers(request),
                allow_redirects=False,
                timeout=_within(request.answer_within_s),
            ) as response:
                return await _answer(response), "", True
        except (aiohttp.ClientSSLError, ssl.SSLError) as error:
            raise ServerError(untrusted(self.address, error)) from None
        except aiohttp.ConnectionTimeoutError:
            return None, "nobody answers there", False
        except aiohttp.ClientConnectorError as error:
            return None, plainly(error), False
        except TimeoutError:
            return None, "it doesn't answer in time", True
        except (aiohttp.ClientError, OSError) as error:
            return None, plainly(error), True

    def _since(self, began: datetime) -> str:
        seconds = (self.clock.now() - began).total_seconds()
        return f"; tried for {seconds:.0f} s" if seconds >= 1 else ""

    def _perhaps(self, why: str) -> str:
        """What plain http to a port that speaks TLS looks like."""
        return "; is it https there?" if why == CLOSED and self.address.url.startswith("http:") else ""


def _within(seconds: float) -> aiohttp.ClientTimeout:
    return aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_WITHIN_S, sock_read=seconds)


async def _answer(response: aiohttp.ClientResponse) -> Answer:
    return Answer(
        response.status,
        response.content_type if "Content-Type" in response.headers else "",
        await response.read(),
        response.headers.get(VERSION, ""),
        _seconds(response.headers.get("Retry-After", "")),
    )


def _seconds(text: str) -> float | None:
    """A Retry-After, where it is a number; a date is none of ours."""
    return float(text) if text.isascii() and text.isdigit() else None


def plainly(error: Exception) -> str:
    """Why nothing came of it, without the library's own words around it."""
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return f"there is no host {error.host}"
    if isinstance(error, aiohttp.ClientConnectorError):
        return os.strerror(error.errno) if error.errno else str(error.os_error)
    if isinstance(error, aiohttp.ServerDisconnectedError | aiohttp.ClientPayloadError):
        return CLOSED
    if isinstance(error, aiohttp.ClientResponseError):
        return "what answers there doesn't speak HTTP"
    if isinstance(error, OSError) and error.errno:
        return os.strerror(error.errno)
    return str(error) or type(error).__name__


def untrusted(address: Address, error: Exception) -> str:
    """What is wrong with a certificate, or with TLS as a whole, and what to do."""
    inner = getattr(error, "certificate_error", None) or getattr(error, "os_error", None) or error
    if isinstance(inner, ssl.SSLCertVerificationError):
        return (
            f"{address}: its certificate isn't trusted: {inner.verify_message.rstrip('.')}; if an authority of your own vouches "
            "for it, give its certificate with --ca FILE"
        )
    reason = getattr(inner, "reason", None) or str(inner)
    return (
        f"{address} doesn't speak TLS as expected ({reason}); is it http rather than https, or another port?"
    )


def tls_context(ca: Path | None) -> ssl.SSLContext:
    """What this machine trusts, and the authorities of a file besides. Raises `UsageError` for a file that is none."""
    context = ssl.create_default_context()
    if ca is not None:
        try:
            context.load_verify_locations(cafile=ca)
        except ssl.SSLError:
            raise UsageError(f"--ca {ca} holds no certificate; expected one or several in PEM form") from None
        except OSError as error:
            raise UsageError(f"--ca {ca} can't be read: {error.strerror}") from None
    return context


@asynccontextmanager
async def connected(
    address: Address,
    credential: Credential,
    clock: Clock,
    *,
    agent: str,
    ca: Path | None = None,
    tell: Callable[[str], None],
) -> AsyncIterator[Connection]:
    """A connection, until the block ends. Nothing is sent yet. `agent` is what the daemon's log calls the command."""
    headers = {"User-Agent": agent, "Accept": "application/json"}
    async with aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(ssl=tls_context(ca)), timeout=_within(ANSWER_WITHIN_S), headers=headers
    ) as session:
        yield Connection(address, credential, session, clock, tell)
