"""One probe of one machine, over the network. What an instance view tells needs no probe of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from orchestrator.policy.model import Probe


@dataclass(frozen=True, slots=True)
class Reply:
    """What came of one try. `asked` False: the question couldn't be put (a url with a hole in it, a name without an address).

    `evidence` is for people: "200 in 12 ms", "connection refused", "503: db not reachable", at most 200 characters.
    """

    well: bool
    asked: bool
    evidence: str


@dataclass(frozen=True, slots=True)
class Subject:
    """What a probe's url may name of a machine; or of a group of machines, whose name is all there is of it."""

    name: str
    private_ip: str
    computer_name: str
    tags: tuple[tuple[str, str], ...] = ()
    group: str = ""


class Prober(Protocol):
    """Asks one kind of probe. Never raises for what the machine does; an answer that never comes is `well=False`."""

    async def ask(self, probe: Probe, subject: Subject) -> Reply:
        """Ask once, within the probe's timeout (real time)."""
        ...

    async def close(self) -> None:
        """Give back connections."""
        ...
