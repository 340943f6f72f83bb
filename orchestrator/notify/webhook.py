"""Webhooks over HTTP: one POST of JSON, signed, that the receiver can tell from a second one of the same step.

Each call carries `Idempotency-Key`: a step that is called again, after a crash or a lost answer, has the same key. With
a secret, it is signed as https://www.standardwebhooks.com says, so that receivers have libraries to check it:
`webhook-signature: v1,<base64 of HMAC-SHA256 over "<webhook-id>.<webhook-timestamp>.<body>">`, where `webhook-id` is the
idempotency key and the timestamp is in seconds since 1970. A secret that begins with `whsec_` is base64 after that, any
other is taken as it is.
"""

from __future__ import annotations

import asyncio
import base64
import hmac
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import orjson

from orchestrator.clock import Clock, SystemClock
from orchestrator.egress.connect import connector, reason, refuse_literal
from orchestrator.egress.rules import ON_A_DESK, Rules
from orchestrator.egress.words import words_of
from orchestrator.errors import UsageError
from orchestrator.notify.port import Delivery

_AT_ONCE = 100  # calls under way; the time that others wait for them is no time-out
_READ_BYTES = 1_024  # of the answer's body, at most
_EXCERPT = 100  # characters of it that are shown
_LONGEST = 200  # characters of evidence


@dataclass(frozen=True, slots=True)
class Target:
    """Where a webhook goes. The url may hold a token of its own, so neither is shown by `repr` or in evidence."""

    url: str = field(repr=False)
    secret: str = field(default="", repr=False)


class HttpWebhooks:
    """`Webhooks` by POST. `clock` stamps signatures: real time, whatever time the rollout runs in."""

    def __init__(
        self, targets: Mapping[str, Target], clock: Clock | None = None, egress: Rules = ON_A_DESK
    ) -> None:
        """Raises `UsageError` naming every webhook whose url or secret can't be used."""
        self.aim(targets)
        self._clock: Clock = clock or SystemClock()
        self._egress = egress
        self._slots = asyncio.Semaphore(_AT_ONCE)
        self._session: aiohttp.ClientSession | None = None

    def aim(self, targets: Mapping[str, Target]) -> None:
        """From now on they go there. Raises `UsageError` as a new one does, and then nothing is different."""
        if wrong := [why for name in sorted(targets) if (why := _wrong(name, targets[name]))]:
            raise UsageError("\n".join(wrong))
        self._targets = dict(targets)
        self._keys = {name: _key(target.secret) for name, target in targets.items() if target.secret}

    def knows(self, name: str) -> bool:
        """Whether `name` goes anywhere."""
        return name in self._targets

    async def call(self, name: str, key: str, body: Mapping[str, Any], timeout_s: float) -> Delivery:
        """POST once, within `timeout_s`. A redirect isn't followed: it would take the body and its signature elsewhere."""
        if name not in self._targets:
            return Delivery(ok=False, evidence=f"no webhook {name!r} is configured")
        text = orjson.dumps(body, option=orjson.OPT_SORT_KEYS)
        async with self._slots:
            try:
                return await self._post(name, key, text, timeout_s)
            except TimeoutError:
                return _failed(f"no answer within {timeout_s:g} s")
            except (aiohttp.ClientError, OSError, ValueError) as error:
                return _failed(_reason(error))

    async def close(self) -> None:
        """Give back connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _post(self, name: str, key: str, text: bytes, timeout_s: float) -> Delivery:
        refuse_literal(self._egress, self._targets[name].url)
        began = time.perf_counter()
        async with self._open().post(
            self._targets[name].url,
            data=text,
            headers=self._headers(name, key, text),
            allow_redirects=False,
            timeout=aiohttp.ClientTimeout(total=timeout_s),
        ) as response:
            took_ms = (time.perf_counter() - began) * 1000
            if 200 <= response.status < 300:
                return Delivery(ok=True, evidence=f"{response.status} in {took_ms:.0f} ms")
            if "Location" in response.headers:
                return _failed(
                    f"{response.status}, a redirect, which isn't followed; configure where it leads"
                )
            said = await response.content.read(_READ_BYTES)
            return _failed(f"{response.status}: {said.decode('utf-8', 'replace')[:_EXCERPT]}".rstrip(": "))

    def _headers(self, name: str, key: str, text: bytes) -> dict[str, str]:
        headers = {"Content-Type": "application/json", "Idempotency-Key": key}
        if (secret := self._keys.get(name)) is not None:
            stamp = str(int(self._clock.now().timestamp()))
            digest = hmac.digest(secret, f"{key}.{stamp}.".encode() + text, "sha256")
            headers |= {
                "webhook-id": key,
                "webhook-timestamp": stamp,
                "webhook-signature": "v1," + base64.b64encode(digest).decode(),
            }
        return headers

    def _open(self) -> aiohttp.ClientSession:
        """One session for all; made at the first call, since it belongs to the running loop."""
        if self._session is None:
            self._session = aiohttp.ClientSession(
                # A connection for each call: a kept one that the receiver just closed would look like a lost answer.
                connector=connector(self._egress, limit=0, force_close=True),
                cookie_jar=aiohttp.DummyCookieJar(),
                headers={"User-Agent": "wavekeeper"},
            )
        return self._session


def _wrong(name: str, target: Target) -> str:
    """What can't be used of a target, or nothing."""
    try:
        parts = urlsplit(target.url)
        usable = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        return f"webhook {name!r}: its url can't be used; write https://HOST/PATH (or http://)"
    try:
        _key(target.secret)
    except ValueError:
        return f"webhook {name!r}: its secret begins with whsec_, but isn't base64 after that; copy it again"
    return ""


def _key(secret: str) -> bytes:
    if secret.startswith("whsec_"):
        return base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    return secret.encode()


def _reason(error: Exception) -> str:
    """Why no answer came, without the url."""
    if words := reason(error) or words_of(error):
        return words
    if isinstance(error, aiohttp.ServerDisconnectedError):
        return "hung up without an answer"
    return f"no valid answer ({type(error).__name__})"


def _failed(why: str) -> Delivery:
    """Not delivered; `why` in one line."""
    line = " ".join(why.split())
    return Delivery(
        ok=False,
        evidence="".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in line)[:_LONGEST],
    )
