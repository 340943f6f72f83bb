"""Who is signed in at the page. In memory alone: a restart signs everybody out, and the issuer signs them in again at a click."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Final

from orchestrator.access.claims import Claims

_MOST: Final = 10_000
"""Sessions at once; past that the oldest goes."""


@dataclass(frozen=True, slots=True)
class Session:
    """What an issuer said of somebody, and until when it is believed. Grants are made of it anew at each request."""

    claims: Claims = field(repr=False)
    until: datetime


@dataclass(slots=True)
class Sessions:
    """By the hash of what the cookie holds: who reads this memory has no cookie of anybody's."""

    _open: dict[bytes, Session] = field(default_factory=dict)

    def begin(self, claims: Claims, until: datetime, now: datetime) -> str:
        """What goes into the cookie."""
        for name in [name for name, one in self._open.items() if one.until <= now]:
            del self._open[name]
        while len(self._open) >= _MOST:
            del self._open[next(iter(self._open))]
        cookie = secrets.token_urlsafe(32)
        self._open[_name(cookie)] = Session(claims, until)
        return cookie

    def find(self, cookie: str, now: datetime) -> Session | None:
        """The session of a cookie, unless it is over."""
        session = self._open.get(_name(cookie))
        return session if session is not None and now < session.until else None

    def end(self, cookie: str) -> None:
        """Sign out, whether or not anybody was signed in."""
        self._open.pop(_name(cookie), None)

    def end_all(self) -> None:
        """Sign everybody out: another issuer counts."""
        self._open.clear()


def _name(cookie: str) -> bytes:
    return sha256(cookie.encode("utf-8", "surrogateescape")).digest()
