"""The issuer of identities over HTTP: what it says of itself, its keys, and tokens for codes. The one door of `access`.

It is asked at the addresses that its own discovery document names, over HTTPS alone (plain HTTP on loopback), and follows nobody elsewhere.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any, Final
from urllib.parse import urlsplit

import aiohttp

from orchestrator.access.claims import Claims
from orchestrator.access.keys import Key, KeyRing, read_keys
from orchestrator.egress.words import words_of
from orchestrator.errors import IssuerError

_WITHIN_S: Final = 10.0
_MOST_BYTES: Final = 1 << 20
_DISCOVERY: Final = "/.well-known/openid-configuration"


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Where an issuer is asked for what. `authorization`, `token` and `end_session` may be missing; then nobody signs in by a page."""

    keys: str
    authorization: str = ""
    token: str = ""
    end_session: str = ""


class OpenIdIssuer:
    """One issuer, asked when it must be. `seconds` is a clock that never goes back."""

    def __init__(self, url: str, seconds: Callable[[], float] = time.monotonic) -> None:
        self.url = url
        self._ring = KeyRing(self._fetch_keys, seconds)
        self._endpoints: Endpoints | None = None
        self._session: aiohttp.ClientSession | None = None

    async def claims(self, token: str) -> Claims:
        """What a token says that this issuer signed. Raises `Unrecognised`, or `IssuerError` where its keys can't be had."""
        return await self._ring.claims(token)

    async def endpoints(self) -> Endpoints:
        """As it names them. Raises `IssuerError`."""
        if self._endpoints is None:
            self._endpoints = _endpoints(self.url, await self._json("GET", self.url.rstrip("/") + _DISCOVERY))
        return self._endpoints

    async def try_out(self, *, signs_in: bool) -> None:
        """Ask it for all that will be needed, browsers' sign-in included if wanted. Raises `IssuerError` with what isn't there."""
        await self._fetch_keys()
        there = await self.endpoints()
        if signs_in and not (there.authorization and there.token):
            raise IssuerError(
                f"the issuer {self.url} doesn't say where people sign in, or where codes are redeemed"
            )

    async def redeem(self, form: Mapping[str, str]) -> str:
        """The identity token for a code. Raises `IssuerError` with the issuer's own word for why not."""
        where = (await self.endpoints()).token
        answer = await self._json("POST", where, form)
        token = answer.get("id_token") if isinstance(answer, dict) else None
        if not isinstance(token, str):
            raise IssuerError("the issuer gave no identity token for the code; the scope must hold `openid`")
        return token

    async def close(self) -> None:
        """Give back connections."""
        await self._ring.close()
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _fetch_keys(self) -> tuple[Key, ...]:
        self._endpoints = None  # they may have moved as well
        found = read_keys(await self._json("GET", (await self.endpoints()).keys))
        if not found:
            raise IssuerError(f"the issuer {self.url} has no key that can check a signature")
        return found

    async def _json(self, method: str, url: str, form: Mapping[str, str] | None = None) -> Any:
        try:
            async with self._open().request(method, url, data=form, allow_redirects=False) as response:
                body = await _at_most(response)
                if response.status == 200:
                    return json.loads(body)
                raise IssuerError(f"the issuer answered {response.status} at {url}{_said(body)}")
        except TimeoutError:
            raise IssuerError(f"the issuer did not answer within {_WITHIN_S:g} s at {url}") from None
        except (aiohttp.ClientError, OSError) as error:
            raise IssuerError(
                f"the issuer can't be reached at {url}: {words_of(error) or str(error) or type(error).__name__}"
            ) from None
        except (ValueError, RecursionError):
            raise IssuerError(f"the issuer's answer at {url} isn't JSON") from None

    def _open(self) -> aiohttp.ClientSession:
        """Made at the first question, since it belongs to the running loop. A proxy of the environment holds for it."""
        if self._session is None:
            self._session = aiohttp.ClientSession(
                timeout=aiohttp.ClientTimeout(total=_WITHIN_S),
                cookie_jar=aiohttp.DummyCookieJar(),
                headers={"User-Agent": "wavekeeper", "Accept": "application/json"},
                trust_env=True,
            )
        return self._session


def secure(url: str) -> bool:
    """Whether nobody on the way can change what comes from there: HTTPS, or this very machine."""
    try:
        parts = urlsplit(url)
        return bool(parts.hostname) and (
            parts.scheme == "https" or (parts.scheme == "http" and _loopback(parts.hostname or ""))
        )
    except ValueError:
        return False


def _loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _endpoints(url: str, document: Any) -> Endpoints:
    told = document if isinstance(document, dict) else {}
    itself = told.get("issuer")
    if itself != url:
        raise IssuerError(
            f"the issuer at {url} calls itself {ascii(itself)[:200]}: write just that as `issuer`, if it is meant"
        )
    found = {
        name: str(told.get(key) or "")
        for name, key in (
            ("keys", "jwks_uri"),
            ("authorization", "authorization_endpoint"),
            ("token", "token_endpoint"),
            ("end_session", "end_session_endpoint"),
        )
    }
    for where in filter(None, found.values()):
        if not secure(where) or (where.startswith("http:") and not url.startswith("http:")):
            raise IssuerError(f"the issuer {url} sends us to {ascii(where)[:200]}, which isn't HTTPS")
    if not found["keys"]:
        raise IssuerError(
            f"the issuer {url} doesn't say where its keys are: its discovery document has no jwks_uri"
        )
    return Endpoints(**found)


async def _at_most(response: aiohttp.ClientResponse) -> bytes:
    body = bytearray()
    async for part in response.content.iter_chunked(65_536):
        body += part
        if len(body) > _MOST_BYTES:
            raise IssuerError(f"the issuer's answer at {response.url.origin()} is too long")
    return bytes(body)


def _said(body: bytes) -> str:
    """The issuer's own word for an error, of RFC 6749: never more of its answer, which may hold what is secret."""
    try:
        word = json.loads(body).get("error")
    except (ValueError, AttributeError, RecursionError):
        return ""
    return f": {ascii(word)[:100]}" if isinstance(word, str) else ""
