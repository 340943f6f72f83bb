"""Signing in by a browser: OpenID Connect's authorization code flow with PKCE, from the way out to the way back.

What is begun is remembered by the browser alone, in a cookie that only this process can read or make: whoever begins a thousand sign-ins
fills no memory, and pushes nobody's out. A state works once, for ten minutes, in the browser that it was made for. The nonce ties the
identity token to it, the verifier of PKCE the code.
"""

from __future__ import annotations

import hmac
import json
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import astuple, dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final
from urllib.parse import urlencode

from cryptography.fernet import Fernet, InvalidToken

from orchestrator.access.claims import Claims, refuse_unless_valid
from orchestrator.access.issuer import OpenIdIssuer
from orchestrator.access.settings import Issuer
from orchestrator.errors import IssuerError, Unrecognised

_WITHIN: Final = timedelta(minutes=10)
_MOST: Final = 10_000  # states that were used and not forgotten; past that the oldest is
_LONGEST: Final = 2_000  # characters of a path to come back to: cookies have some 4 kB
CALLBACK: Final = "/sign-in/callback"


@dataclass(frozen=True, slots=True)
class Begun:
    """A browser on its way to the issuer: what its cookie says, sealed. `until` is in seconds since 1970."""

    state: str
    nonce: str
    verifier: str
    to: str
    until: float


@dataclass(frozen=True, slots=True)
class Outward:
    """Where to send the browser, and what its cookie is to hold until it comes back."""

    url: str
    browser: str = field(repr=False)


@dataclass(slots=True)
class SigningIn:
    """All that are on their way, to one issuer. `page` is the page's address as browsers see it."""

    settings: Issuer
    issuer: OpenIdIssuer
    page: str
    _seal: Fernet = field(default_factory=lambda: Fernet(Fernet.generate_key()), repr=False)
    _used: dict[str, None] = field(default_factory=dict, repr=False)

    async def begin(self, to: str, now: datetime) -> Outward:
        """Send somebody out who wants to get to the path `to`. Raises `IssuerError` if the issuer can't be asked where."""
        where = (await self.issuer.endpoints()).authorization
        if not where:
            raise IssuerError(
                f"the issuer {self.settings.url} has no authorization endpoint, so nobody can sign in there"
            )
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        begun = Begun(state, nonce, verifier, _within(to), (now + _WITHIN).timestamp())
        asked = {
            "response_type": "code",
            "client_id": self.settings.client,
            "redirect_uri": self.page + CALLBACK,
            "scope": " ".join(self.settings.scopes),
            "state": state,
            "nonce": nonce,
            "code_challenge": urlsafe_b64encode(sha256(verifier.encode()).digest()).decode().rstrip("="),
            "code_challenge_method": "S256",
        }
        return Outward(f"{where}{'&' if '?' in where else '?'}{urlencode(asked)}", self._sealed(begun))

    async def finish(self, query: Mapping[str, str], browser: str, now: datetime) -> tuple[Claims, str]:
        """What the issuer says of whoever came back, and the path that they wanted to. Raises `Unrecognised`, `IssuerError`."""
        begun = self._opened(browser)
        state = query.get("state", "")
        over = begun is None or begun.until <= now.timestamp() or begun.state in self._used
        if (
            begun is None
            or over
            or not hmac.compare_digest(begun.state.encode(), state.encode(errors="replace"))
        ):
            raise Unrecognised(
                "this sign-in wasn't begun here, took longer than ten minutes, or is over; begin it again"
            )
        self._use(begun.state)
        if "error" in query:
            raise Unrecognised(
                f"the issuer says no: {ascii(query['error'])[:100]} {ascii(query.get('error_description', ''))[:300]}"
            )
        if query.get("iss", self.settings.url) != self.settings.url:
            raise Unrecognised("the answer is of another issuer; begin again")
        token = await self._redeem(query.get("code", ""), begun.verifier)
        claims = await self.issuer.claims(token)
        refuse_unless_valid(claims, self.settings, (self.settings.client,), now)
        if (
            isinstance(claims.get("aud"), list)
            and len(claims["aud"]) > 1
            and claims.get("azp") != self.settings.client
        ):
            raise Unrecognised(
                "the identity token is for others besides this daemon, and was not made for it"
            )
        nonce = claims.get("nonce")
        if not isinstance(nonce, str) or not hmac.compare_digest(
            nonce.encode(errors="replace"), begun.nonce.encode()
        ):
            raise Unrecognised("the identity token was made for another sign-in; begin it again")
        return claims, begun.to

    def _sealed(self, begun: Begun) -> str:
        return self._seal.encrypt(json.dumps(astuple(begun)).encode()).decode()

    def _opened(self, browser: str) -> Begun | None:
        try:
            return Begun(*json.loads(self._seal.decrypt(browser.encode(errors="replace"))))
        except InvalidToken:
            return None

    def _use(self, state: str) -> None:
        while len(self._used) >= _MOST:
            del self._used[next(iter(self._used))]
        self._used[state] = None

    async def _redeem(self, code: str, verifier: str) -> str:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.page + CALLBACK,
            "client_id": self.settings.client,
            "code_verifier": verifier,
        }
        if self.settings.secret:
            form["client_secret"] = self.settings.secret
        return await self.issuer.redeem(form)


def _within(to: str) -> str:
    """A path of this page. Anything that a browser may take for another site becomes the front page."""
    plain = (
        len(to) <= _LONGEST
        and to.startswith("/")
        and to.isprintable()
        and not to.startswith("//")
        and "\\" not in to
    )
    return to if plain else "/"
