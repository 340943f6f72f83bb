"""Signing in by a browser: OpenID Connect's authorization code flow with PKCE, from the way out to the way back.

What is begun is remembered here, under the state that travels, and bound to the browser by a cookie: a state works once, for ten minutes,
in the browser that it was made for. The nonce ties the identity token to it, the verifier of PKCE the code.
"""

from __future__ import annotations

import hmac
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final
from urllib.parse import urlencode

from orchestrator.access.claims import Claims, refuse_unless_valid
from orchestrator.access.issuer import OpenIdIssuer
from orchestrator.access.settings import Issuer
from orchestrator.errors import IssuerError, Unrecognised

_WITHIN: Final = timedelta(minutes=10)
_MOST: Final = 1_000  # begun and not finished; past that the oldest goes
CALLBACK: Final = "/sign-in/callback"


@dataclass(frozen=True, slots=True)
class Begun:
    """A browser on its way to the issuer."""

    browser: str = field(repr=False)
    nonce: str = field(repr=False)
    verifier: str = field(repr=False)
    to: str
    until: datetime


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
    _begun: dict[str, Begun] = field(default_factory=dict)

    async def begin(self, to: str, now: datetime) -> Outward:
        """Send somebody out who wants to get to the path `to`. Raises `IssuerError` if the issuer can't be asked where."""
        where = (await self.issuer.endpoints()).authorization
        if not where:
            raise IssuerError(
                f"the issuer {self.settings.url} has no authorization endpoint, so nobody can sign in there"
            )
        for state in [state for state, one in self._begun.items() if one.until <= now]:
            del self._begun[state]
        while len(self._begun) >= _MOST:
            del self._begun[next(iter(self._begun))]
        state, browser, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(4))
        self._begun[state] = Begun(browser, nonce, verifier, _within(to), now + _WITHIN)
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
        return Outward(f"{where}{'&' if '?' in where else '?'}{urlencode(asked)}", browser)

    async def finish(self, query: Mapping[str, str], browser: str, now: datetime) -> tuple[Claims, str]:
        """What the issuer says of whoever came back, and the path that they wanted to. Raises `Unrecognised`, `IssuerError`."""
        begun = self._begun.pop(query.get("state", ""), None)
        if (
            begun is None
            or begun.until <= now
            or not hmac.compare_digest(begun.browser.encode(), browser.encode())
        ):
            raise Unrecognised(
                "this sign-in wasn't begun here, took longer than ten minutes, or is over; begin it again"
            )
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
        if not isinstance(nonce, str) or not hmac.compare_digest(nonce.encode(), begun.nonce.encode()):
            raise Unrecognised("the identity token was made for another sign-in; begin it again")
        return claims, begun.to

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
    plain = to.startswith("/") and to.isprintable() and not to.startswith("//") and "\\" not in to
    return to if plain else "/"
