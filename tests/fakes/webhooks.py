"""A webhook receiver that answers as the test says, and remembers every call."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from orchestrator.emulator.audit import webhook_line
from orchestrator.notify.port import Delivery

Answer = Callable[[str, str, Mapping[str, Any]], bool]
"""Whether the call of a name under a key with a body succeeds."""


@dataclass
class FakeWebhooks:
    """Knows every name. `calls` are (name, key, body) in the order in which they came."""

    answer: Answer = lambda name, key, body: True
    known: frozenset[str] | None = None
    calls: list[tuple[str, str, Mapping[str, Any]]] = field(default_factory=list)
    now: Callable[[], datetime] | None = None
    heard: list[bytes] = field(
        default_factory=list
    )  # the same as lines of an audit, where `now` tells the time

    def knows(self, name: str) -> bool:
        """Whether it is one of the known names, if any were given."""
        return self.known is None or name in self.known

    async def call(self, name: str, key: str, body: Mapping[str, Any], timeout_s: float) -> Delivery:
        """Answer at once."""
        self.calls.append((name, key, body))
        ok = self.answer(name, key, body)
        if self.now is not None:
            self.heard.append(webhook_line(self.now(), name, key, body, ok=ok))
        return Delivery(ok=ok, evidence="200" if ok else "500: no")

    async def close(self) -> None:
        """Nothing is held."""
