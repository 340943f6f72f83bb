"""Webhooks that a rollout calls around a machine. Policies name them; configuration says where they go."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Delivery:
    """What came of one call: 2xx is `ok`; `evidence` is for people."""

    ok: bool
    evidence: str


class Webhooks(Protocol):
    """Calls a webhook by name."""

    def knows(self, name: str) -> bool:
        """Whether configuration says where `name` goes; asked for all of a plan before it starts."""
        ...

    async def call(self, name: str, key: str, body: Mapping[str, Any], timeout_s: float) -> Delivery:
        """POST `body` once. `key` is the idempotency key: the same step called again after a crash has the same one."""
        ...

    async def close(self) -> None:
        """Give back connections."""
        ...
