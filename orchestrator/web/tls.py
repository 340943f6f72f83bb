"""TLS from two files that somebody else renews: read when the server starts, and again whenever they change.

A connection keeps the certificate that it began with; new ones get the newest that is good. What can't be used, such as a
certificate whose key isn't written yet, changes nothing and is told.
"""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import structlog
from cryptography import x509

from orchestrator.clock import Clock, SystemClock
from orchestrator.errors import UsageError

log = structlog.get_logger("wavekeeper.web")

LOOK_EVERY_S: Final = 30.0
"""Real seconds between two looks at the files."""

SOON: Final = timedelta(days=14)
"""Before a certificate ends, each day, the log says so."""

_Stamp = tuple[tuple[int, int, int], ...]


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """Where certificate and key are, both PEM."""

    certificate: Path
    key: Path


class Certificate:
    """What the server shows. `context` is what it listens with, for as long as it lives."""

    def __init__(self, files: TlsFiles, clock: Clock | None = None) -> None:
        """Raises `UsageError` if they can't be used."""
        self._files = files
        self._clock: Clock = clock or SystemClock()
        self._seen = _stamp(files)
        self._told: datetime | None = None
        self._newest = load(files)
        self.context = load(files)
        self.context.sni_callback = self._choose

    def look(self) -> None:
        """Take over what has changed, if it is good, and tell of a certificate that ends soon."""
        seen = _stamp(self._files)
        if seen != self._seen:
            self._seen = seen
            try:
                self._newest = load(self._files)
            except UsageError as error:
                log.warning("the new certificate can not be used; the one before serves on", why=str(error))
            else:
                self._told = None
                log.info("the certificate was read once more", certificate=str(self._files.certificate))
        self._tell_if_it_ends()

    async def watch(self) -> None:
        """Look, again and again."""
        while True:
            self.look()
            await asyncio.sleep(LOOK_EVERY_S)

    def _choose(self, connection: ssl.SSLObject, _name: str | None, _context: ssl.SSLContext) -> None:
        """At each handshake, whether or not it names a host. Another context, since one context would keep an RSA certificate
        beside the EC one that replaced it.
        """
        connection.context = self._newest

    def _tell_if_it_ends(self) -> None:
        now = self._clock.now()
        if self._told is not None and now - self._told < timedelta(days=1):
            return
        ends = ends_at(self._files)
        if ends is None:
            return
        self._told = now
        if now >= ends:
            log.error(
                "the certificate has expired; browsers and clients refuse it",
                ended=f"{ends:%Y-%m-%d %H:%M} UTC",
            )
        elif ends - now < SOON:
            log.warning("the certificate ends soon", ends=f"{ends:%Y-%m-%d %H:%M} UTC")


def ends_at(files: TlsFiles) -> datetime | None:
    """When the certificate in the files ends; None if they can't be read."""
    try:
        return x509.load_pem_x509_certificate(files.certificate.read_bytes()).not_valid_after_utc
    except (OSError, ValueError):
        return None


def load(files: TlsFiles) -> ssl.SSLContext:
    """A server's context: TLS 1.2 at least. Raises `UsageError` if the files can't be used."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    try:
        context.load_cert_chain(files.certificate, files.key, password=_no_passphrase)
    except ssl.SSLError as error:
        raise UsageError(
            f"{files.certificate} and {files.key} aren't a certificate and its key ({error.reason or error})"
        ) from None
    except OSError as error:
        raise UsageError(
            f"{files.certificate} or {files.key} can't be read: {error.strerror or error}"
        ) from None
    except _Locked:
        raise UsageError(
            f"{files.key} has a passphrase, and nobody is there to type it; write the key without one"
        ) from None
    return context


class _Locked(Exception):
    """The key has a passphrase."""


def _no_passphrase() -> str:
    raise _Locked


def _stamp(files: TlsFiles) -> _Stamp:
    """Changes when a file is written, replaced, or a link to it is turned, as mounted secrets are."""
    found = []
    for path in (files.certificate, files.key):
        try:
            stat = path.stat()
        except OSError:
            found.append((0, 0, 0))
        else:
            found.append((stat.st_mtime_ns, stat.st_size, stat.st_ino))
    return tuple(found)
