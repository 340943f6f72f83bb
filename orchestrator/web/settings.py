"""How the server is set up: where it listens, under which names, and what it bears."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from orchestrator.web.tls import TlsFiles

DEFAULT_PORT: Final = 8470


@dataclass(frozen=True, slots=True)
class Settings:
    """What the daemon's configuration says of the server.

    `names` are the hosts that a request may be addressed to, besides loopback and the address itself; `origins` the pages of other sites
    that may use the API from a browser. Without `tls` it is plain HTTP.
    """

    host: str = "127.0.0.1"
    port: int = DEFAULT_PORT
    names: tuple[str, ...] = ()
    origins: tuple[str, ...] = ()
    requests_per_minute: int = 600
    largest_body: int = 64 << 20  # bytes: a plan of 100,000 machines, packed, has some 5 MiB
    tls: TlsFiles | None = None
