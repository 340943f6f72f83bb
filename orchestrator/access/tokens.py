"""Tokens of machines: 256 bits of chance, of which the configuration knows the SHA-256.

A fast hash is enough, and right: what it hides can't be guessed, unlike a password, and every request is checked by it.
"""

from __future__ import annotations

import hmac
import re
import secrets
from collections.abc import Iterable
from datetime import datetime
from hashlib import sha256
from typing import Final

from orchestrator.access.model import Person
from orchestrator.access.settings import TokenEntry
from orchestrator.errors import Unrecognised

PREFIX: Final = "wk_"
"""What all of them begin with, so that they are found where they should not be."""

_TOKEN: Final = re.compile(r"wk_[A-Za-z0-9_-]{43}")
_HASH: Final = re.compile(r"sha256:([0-9a-f]{64})")


def new_token() -> str:
    """One that nobody has."""
    return PREFIX + secrets.token_urlsafe(32)


def hash_of(token: str) -> str:
    """How the configuration writes it: `sha256:` and 64 digits."""
    return f"sha256:{_digest(token).hex()}"


def read_hash(text: str) -> bytes | None:
    """The digest that a configuration's text says, or None if it says none."""
    found = _HASH.fullmatch(text)
    return bytes.fromhex(found[1]) if found else None


def machine_of(token: str, known: Iterable[TokenEntry], now: datetime) -> Person:
    """Whose token it is. Raises `Unrecognised` for one that nobody has, or that expired."""
    presented = _digest(token) if _TOKEN.fullmatch(token) else b""
    found: TokenEntry | None = None
    for entry in known:  # each of them, whichever it is: how long it takes tells nothing
        if hmac.compare_digest(entry.digest, presented):
            found = entry
    if found is None:
        raise Unrecognised(
            "this token isn't known here, or no longer; make one with: wavekeeper token new NAME"
        )
    if now >= found.expires:
        raise Unrecognised(
            f"the token {found.name} expired at {found.expires:%Y-%m-%d %H:%M} UTC; make a new one with: wavekeeper token new {found.name}"
        )
    return Person(f"{found.name} (token)", (found.grant,), f"token|{found.name}", found.expires)


def _digest(token: str) -> bytes:
    return sha256(token.encode()).digest()
