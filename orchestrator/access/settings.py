"""What the configuration says of access: whom to believe, and which grants that makes."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from orchestrator.access.model import Grant, Person, Role

NAME_CLAIMS: Final = ("preferred_username", "upn", "email")
"""Where a person's name is looked for, in this order; then the subject."""

SCOPES: Final = ("openid", "profile", "email")


@dataclass(frozen=True, slots=True)
class Issuer:
    """Who says who people are, by OpenID Connect.

    `audiences` are those that a bearer token may be for; `client` is the one that the page signs in as. `skew` is how far the issuer's
    clock may be from ours.
    """

    url: str
    client: str
    audiences: tuple[str, ...]
    secret: str = field(default="", repr=False)
    names: tuple[str, ...] = NAME_CLAIMS
    scopes: tuple[str, ...] = SCOPES
    skew: timedelta = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Rule:
    """Whoever has all of these claims, each with any of its values, has the grant."""

    claims: tuple[tuple[str, tuple[str, ...]], ...]
    grant: Grant


@dataclass(frozen=True, slots=True)
class TokenEntry:
    """A machine's token, as the configuration knows it: by the SHA-256 of it."""

    name: str
    digest: bytes = field(repr=False)
    expires: datetime
    grant: Grant


@dataclass(frozen=True, slots=True)
class Access:
    """All of it. `open`: whoever can connect is an admin. `url` is the page's address as browsers see it, for signing in."""

    open: bool = False
    issuer: Issuer | None = None
    rules: tuple[Rule, ...] = ()
    tokens: tuple[TokenEntry, ...] = ()
    url: str = ""
    session: timedelta = timedelta(hours=8)


CLOSED: Final = Access()
"""Nobody may do anything."""

ANYBODY: Final = Person("somebody (access is open)", (Grant(Role.ADMIN),), "open")
"""Whoever connects, where access is open."""
