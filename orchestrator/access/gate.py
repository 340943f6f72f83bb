"""The gate: who is it that asks? By a bearer token, a machine's or the issuer's, or by the session of a browser."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from orchestrator.access.claims import Claims, person_of, refuse_unless_valid
from orchestrator.access.issuer import OpenIdIssuer
from orchestrator.access.model import Person
from orchestrator.access.sessions import Sessions
from orchestrator.access.settings import ANYBODY, Access
from orchestrator.access.signing_in import Outward, SigningIn
from orchestrator.access.tokens import PREFIX, machine_of
from orchestrator.clock import Clock, SystemClock
from orchestrator.errors import Unrecognised

_SEND: Final = (
    "send `Authorization: Bearer TOKEN`, with a token of the issuer's or one of `wavekeeper token new`"
)


@dataclass(slots=True)
class Gate:
    """Recognises people, by what the configuration says now. `clock` is real time, whatever time rollouts run in."""

    access: Access
    clock: Clock = field(default_factory=SystemClock)
    seconds: Callable[[], float] = time.monotonic
    sessions: Sessions = field(default_factory=Sessions)
    _issuer: OpenIdIssuer | None = None
    _signing_in: SigningIn | None = None
    _left: list[OpenIdIssuer] = field(default_factory=list)  # who may still be asked, for whoever came before

    def __post_init__(self) -> None:
        """Nobody is asked anything yet."""
        self._meet()

    def change(self, access: Access) -> None:
        """What counts from now on. With another issuer, all are signed out; with other rules, grants are others at once."""
        other = access.issuer != self.access.issuer or access.url != self.access.url
        self.access = access
        if other:
            self._left += [self._issuer] if self._issuer is not None else []
            self.sessions.end_all()
            self._meet()

    def _meet(self) -> None:
        issuer = self.access.issuer
        self._issuer = self._signing_in = None
        if issuer is not None:
            self._issuer = OpenIdIssuer(issuer.url, self.seconds)
            if self.access.url:
                self._signing_in = SigningIn(issuer, self._issuer, self.access.url)

    async def recognise(self, authorization: str | None, cookie: str = "") -> Person:
        """Whoever sent this header, or has this session. Raises `Unrecognised`, or `IssuerError` where nobody can tell now."""
        if self.access.open:
            return ANYBODY
        if authorization is not None:
            return await self._bearer(authorization)
        session = self.sessions.find(cookie, self.now()) if cookie else None
        issuer = self.access.issuer
        if session is None or issuer is None:
            over = "the session is over; sign in again, or " if cookie else ""
            raise Unrecognised(f"{over}{_SEND}")
        return person_of(session.claims, issuer, self.access.rules, session.until)

    async def _bearer(self, authorization: str) -> Person:
        scheme, _, token = authorization.partition(" ")
        token = token.strip()
        if scheme.lower() != "bearer" or not token:
            raise Unrecognised(_SEND)
        if token.startswith(PREFIX):
            return machine_of(token, self.access.tokens, self.now())
        issuer = self.access.issuer
        if self._issuer is None or issuer is None:
            raise Unrecognised(
                "no issuer is configured, so only tokens of `wavekeeper token new` count here; they begin with wk_"
            )
        rules = self.access.rules  # of the configuration that the issuer is of
        claims = await self._issuer.claims(token)
        ends = refuse_unless_valid(claims, issuer, issuer.audiences, self.now())
        return person_of(claims, issuer, rules, ends + issuer.skew)

    @property
    def signs_in(self) -> bool:
        """Whether there is an issuer at which a browser can sign in."""
        return self._signing_in is not None

    async def begin(self, to: str) -> Outward:
        """Where a browser signs in that wants to get to `to`. Raises `Unrecognised`, `IssuerError`."""
        return await self._flow().begin(to, self.now())

    async def finish(self, query: dict[str, str], browser: str) -> tuple[str, str, Person]:
        """What the cookie of a new session holds, the path to go to, and who it is. Raises `Unrecognised`, `IssuerError`."""
        flow = self._flow()
        claims, to = await flow.finish(query, browser, self.now())
        if flow is not self._signing_in:
            raise Unrecognised("another issuer counts since a moment ago; sign in there")
        now = self.now()
        until = now + self.access.session
        person = person_of(claims, flow.settings, self.access.rules, until)
        return self.sessions.begin(_needed(claims), until, now), to, person

    async def farewell(self) -> str:
        """Where somebody signs out of the issuer too, or nothing. Raises `IssuerError`."""
        return (await self._issuer.endpoints()).end_session if self._issuer is not None else ""

    def now(self) -> datetime:
        """Real time."""
        return self.clock.now()

    async def close(self) -> None:
        """Give back connections."""
        for issuer in [*self._left, *([self._issuer] if self._issuer is not None else [])]:
            await issuer.close()
        self._left.clear()

    def _flow(self) -> SigningIn:
        if self._signing_in is None:
            raise Unrecognised("no issuer is configured at which people could sign in by their browser")
        return self._signing_in


def _needed(claims: Claims) -> Claims:
    """Without what is good for one moment only."""
    return {name: value for name, value in claims.items() if name not in {"nonce", "at_hash", "c_hash"}}
