"""A cloud that is only looked at: what would start work is answered as if it had been done, and nothing is sent.

So a rollout can be gone through on the fleet as it is, by the very core that would run it: its windows, its health, its grants.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any, Final, cast

from orchestrator.clock import Clock
from orchestrator.cloud.port import (
    Accepted,
    Answer,
    CloudProvider,
    Ended,
    Operation,
    OperationState,
    Rejected,
    StillRunning,
    Target,
)
from orchestrator.policy.change import Simple

_SCHEME: Final = "observed:"
DONE: Final[Mapping[str, Any]] = MappingProxyType(
    {
        "status": "Succeeded",
        "rebootStatus": "NotNeeded",
        "maintenanceWindowExceeded": False,
        "installedPatchCount": 0,
        "failedPatchCount": 0,
        "pendingPatchCount": 0,
        "excludedPatchCount": 0,
        "notSelectedPatchCount": 0,
    }
)
"""The result of an installation that all went well with."""

READS: Final = frozenset(
    {
        "rates", "inventory", "discover", "view", "sweep", "patches_of", "patches_found", "operation_of", "patch_runs",
        "rights",
    }
)  # fmt: skip
"""What of the port changes nothing."""


def observing(cloud: CloudProvider, clock: Clock, takes: timedelta) -> CloudProvider:
    """A cloud that reads as the one behind it; whatever is started takes so long and succeeds, in thought.

    The one behind it is somebody else's to close.
    """
    return cast("CloudProvider", _Observed(cloud, clock, takes))


class _Observed:
    """Answers what would start work, and hands on what only reads."""

    def __init__(self, cloud: CloudProvider, clock: Clock, takes: timedelta) -> None:
        self._cloud = cloud
        self._clock = clock
        self._takes = takes
        self._ends: dict[str, datetime] = {}

    def __getattr__(self, name: str) -> Any:
        """Whatever isn't below is only read. A name of the port's that writes is never handed on."""
        if name not in READS:
            raise AttributeError(name)
        return getattr(self._cloud, name)

    async def start(self, target: Target, change: Simple, key: str, timeout_s: float) -> Answer:  # noqa: ARG002 - the port's
        """Nothing is sent."""
        url = f"{_SCHEME}{key}"
        self._ends[url] = self._clock.now() + self._takes
        return Accepted(Operation(url, url))

    async def assess(self, target: Target, key: str, timeout_s: float) -> Answer:  # noqa: ARG002 - the port's
        """Nothing is sent, and there is nothing to find."""
        return Rejected("Observing", "only observed: nothing is assessed", transient=False)

    async def poll(self, operation: Operation) -> OperationState:
        """Under way for as long as it would take; then done."""
        ends = self._ends.get(operation.status_url)
        if ends is not None and ends > self._clock.now():
            return StillRunning()
        self._ends.pop(operation.status_url, None)
        return Ended(True, DONE, took_s=self._takes.total_seconds())

    async def close(self) -> None:
        """The cloud behind it is closed by whoever opened it."""
