"""A word to whoever supervises the process, by systemd's protocol: a datagram of `KEY=value` lines to the socket that it names.

Without `$NOTIFY_SOCKET` nothing is said. The words never hold anything up, and a supervisor that went away is no reason to stop.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Final

ADDRESS: Final = "NOTIFY_SOCKET"
WATCHDOG: Final = "WATCHDOG_USEC"


class Supervisor:
    """Tells a supervisor how the process stands."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        """The environment is the process's; a child must not inherit what it says of us."""
        named = environment.get(ADDRESS, "")
        self._address = "\0" + named[1:] if named.startswith("@") else named
        told = environment.get(WATCHDOG, "")
        self._watchdog_s = int(told) / 1_000_000 if told.isdigit() else 0.0

    @property
    def watchdog_every_s(self) -> float | None:
        """How often it wants to hear that we are alive, in real seconds: a third of the time after which it gives up on us."""
        return self._watchdog_s / 3 if self._watchdog_s and self._address else None

    def ready(self, status: str) -> None:
        """The start, or a reload, is done."""
        self._say("READY=1", f"STATUS={_line(status)}")

    def status(self, status: str) -> None:
        """How it stands, in a line for people: `systemctl status` shows it."""
        self._say(f"STATUS={_line(status)}")

    def alive(self) -> None:
        """The loop runs."""
        self._say("WATCHDOG=1")

    def reloading(self) -> None:
        """The configuration is being read once more; `ready` follows."""
        self._say("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}")

    def stopping(self, status: str) -> None:
        """The process is about to end."""
        self._say("STOPPING=1", f"STATUS={_line(status)}")

    def _say(self, *lines: str) -> None:
        if not self._address:
            return
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
            channel.setblocking(False)
            channel.connect(self._address)
            channel.send("\n".join(lines).encode())


def _line(text: str) -> str:
    return " ".join(text.split())
