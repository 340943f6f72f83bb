"""Where a daemon is, as a person typed it."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from urllib.parse import urlsplit

from orchestrator.errors import UsageError


@dataclass(frozen=True, slots=True)
class Address:
    """A daemon's URL, without a slash at its end. `private`: nobody on the way can read what is sent there."""

    url: str
    private: bool

    def __str__(self) -> str:
        """The URL."""
        return self.url


def read_address(typed: str) -> Address:
    """The address of `--server`. Raises `UsageError` that says how to write it, and never repeats a secret that stands in it."""
    try:
        parts = urlsplit(typed.strip())
        host, port = parts.hostname, parts.port
    except ValueError:
        raise _no_address("it can't be read") from None
    if "@" in parts.netloc:
        raise UsageError(
            "--server: leave name and password out of the URL, where others read them; give a token: see --token-file"
        )
    if parts.scheme not in ("http", "https") or not host:
        raise _no_address(f"{typed} is none")
    if parts.query or parts.fragment:
        raise _no_address(f"{typed} has more than a path")
    shown = f"[{host}]" if ":" in host else host
    place = f"{shown}:{port}" if port is not None else shown
    path = parts.path.rstrip("/").removesuffix("/api/v1")
    return Address(f"{parts.scheme}://{place}{path}", parts.scheme == "https" or _is_this_machine(host))


def _no_address(why: str) -> UsageError:
    return UsageError(f"--server: expected a URL such as https://wavekeeper.example:8470; {why}")


def _is_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
