"""The URLs at which an operation is followed. Since 2023 they are signed, over 3 kB long, and useless if altered."""

from __future__ import annotations

import hashlib
import uuid
from base64 import urlsafe_b64encode
from datetime import UTC, datetime
from functools import lru_cache

from orchestrator.emulator.state import Operation

API_VERSION = "2024-11-01"
_EPOCH = datetime(1, 1, 1, tzinfo=UTC)
_CERTIFICATE_BYTES = 1962  # 2,616 characters, as the recorded certificates are long
_SIGNATURE_BYTES = 256


class Signer:
    """Makes and checks the query strings of one world's operations."""

    def __init__(self, seed: int, *, signed: bool = True) -> None:
        self._seed = seed
        self._signed = signed
        self._certificate = _text(f"{seed}|certificate", _CERTIFICATE_BYTES)

    def path(self, operation: Operation) -> str:
        """Where the operation lives."""
        return (
            f"/subscriptions/{operation.subscription}/providers/Microsoft.Compute"
            f"/locations/{operation.location}/operations/{operation.id}"
        )

    def query(self, operation: Operation, *, monitor: bool) -> str:
        """The query string of its status URL, or with `monitor` of its result URL."""
        wanted = "&monitor=true" if monitor else ""
        plain = f"p={_public(operation.id)}{wanted}&api-version={API_VERSION}"
        if not self._signed:
            return plain
        ticks = (operation.started - _EPOCH).total_seconds() * 10_000_000
        return f"{plain}&t={ticks:.0f}&c={self._certificate}&{_signature(f'{self._seed}|{operation.id}')}"

    def accepts(self, operation: Operation, query: str) -> bool:
        """Whether a query string came back as it was given, to the byte."""
        if not self._signed:
            return True
        return query == self.query(operation, monitor="&monitor=true&" in query)


@lru_cache(maxsize=256)
def _public(operation: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_URL, operation))


@lru_cache(
    maxsize=256
)  # both URLs of an operation are made when it begins, and checked each time it is looked at
def _signature(secret: str) -> str:
    return f"s={_text(f'{secret}|s', _SIGNATURE_BYTES)}&h={_text(f'{secret}|h', 32)}"


def _text(secret: str, size: int) -> str:
    """`size` bytes that only this secret gives, in the letters that a URL needs no escapes for."""
    return urlsafe_b64encode(hashlib.shake_256(secret.encode()).digest(size)).decode().rstrip("=")
