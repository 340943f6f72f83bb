"""Addresses to listen on, as people write them."""

from __future__ import annotations

from typing import Final

from orchestrator.errors import Problem
from orchestrator.policy.document import Document
from orchestrator.policy.document import Path as Place

HIGHEST_PORT: Final = 65535


def read_address(document: Document, place: Place, text: str, example: int) -> tuple[str, int, list[Problem]]:
    """Host and port, without brackets; and what is wrong with them. `example` is the port of what to write instead."""
    host, colon, port = text.rpartition(":")
    if colon and host and port.isdecimal() and int(port) <= HIGHEST_PORT:
        return host.strip("[]"), int(port), []
    what = f"{text} is no address to listen on"
    instead = f"write an address and a port, such as 127.0.0.1:{example} or [::1]:{example}"
    return "", 0, [document.problem(place, what, instead)]
