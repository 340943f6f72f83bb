"""What the program asks of a cloud. One port; `arm` speaks to Azure, `simulated` to the emulator's world itself.

Nothing here retries, sleeps or decides. An adapter makes exactly one request for each call (listing apart, which
follows pages), hands back what was answered, and raises only errors of the tree: `CloudTransient` (with the cloud's
Retry-After, in seconds, if it gave one), `CloudPermanent`, `AccessDenied`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, Protocol

from orchestrator.cloud.rights import Rights
from orchestrator.inventory.discovery import Discovery, Listen, nobody
from orchestrator.inventory.model import (
    Agent,
    AppHealth,
    Connection,
    Inventory,
    Kind,
    MachineId,
    Os,
    Power,
)
from orchestrator.policy.change import Simple


@dataclass(frozen=True, slots=True)
class Target:
    """How one machine is addressed. `arm_id` keeps the source's spelling."""

    id: MachineId
    arm_id: str
    name: str
    subscription: str
    resource_group: str
    location: str
    kind: Kind
    os: Os


@dataclass(frozen=True, slots=True)
class View:
    """What an instance view says of a machine at one moment."""

    power: Power
    agent: Agent
    app_health: AppHealth
    installation_id: str | None = None  # of the last patch run that the platform shows
    installation_status: str | None = None  # InProgress, Succeeded, Failed, CompletedWithWarnings, ...
    assessed_at: datetime | None = (
        None  # of the last assessment that succeeded, by the cloud's clock: compare, don't order
    )
    missing: int | None = None  # critical and security patches that it found missing
    restart_pending: bool = False  # from before; not told: no
    installation_began: datetime | None = (
        None  # of an Arc machine's last run, by whichever clock wrote it down
    )
    connection: Connection = Connection.UNKNOWN  # of an Arc machine

    @property
    def installing(self) -> bool:
        """Whether a patch run, ours or not, is under way."""
        return self.installation_status == "InProgress"


@dataclass(frozen=True, slots=True)
class Operation:
    """A long-running operation; both URLs to the byte, since ARM signs them.

    Both the same: known by its Location alone. No `status_url`: it had ended with the very answer that began it. An
    operation found by its id has no `result_url`, and ARM may refuse to show it (AccessDenied): then a view has to do. An Arc
    machine's run that was found by its id is named by that id, as a resource below the machine, and isn't at any URL.
    """

    status_url: str
    result_url: str = ""


@dataclass(frozen=True, slots=True)
class Accepted:
    """202: it has surely begun."""

    operation: Operation


@dataclass(frozen=True, slots=True)
class Rejected:
    """It has surely not begun: 429, or 4xx other than 408 and 409. `transient` if trying later makes sense."""

    code: str
    message: str
    transient: bool
    retry_after_s: float | None = None


@dataclass(frozen=True, slots=True)
class Unsettled:
    """Nobody can say whether it has begun: 409, time-out, reset, 5xx. `code` is the cloud's own word, if it answered."""

    why: str
    code: str = field(default="", compare=False)


Answer = Accepted | Rejected | Unsettled


@dataclass(frozen=True, slots=True)
class StillRunning:
    """The operation goes on; `retry_after_s` is the cloud's wish for the next look, in seconds."""

    retry_after_s: float | None = None


@dataclass(frozen=True, slots=True)
class Ended:
    """The operation ended. HTTP success isn't success of the change: `result` has the fields that decide.

    `result` is `VirtualMachineInstallPatchesResult` (or the assessment's) as plain JSON, empty for a restart;
    `error` is the operation's own error, `code: message`, if it failed as a whole. `took_s` is how long it ran, by the cloud's
    own clock, if it says so.
    """

    succeeded: bool
    result: Mapping[str, Any]
    error_code: str = ""
    error_message: str = ""
    took_s: float | None = field(default=None, compare=False)


OperationState = StillRunning | Ended


class Budgeted(StrEnum):
    """Kinds of request that a cloud throttles apart from each other (Azure: facts on the Compute provider's policies)."""

    GUEST_PATCH = "guest_patch"  # installPatches, assessPatches
    UPDATE = "update"  # restart, run command
    GET = "get"  # instance view
    LIST = "list"
    OPERATION = "operation"  # the state of an operation
    GRAPH = "graph"  # a query of Resource Graph: counted by identity, not by subscription


@dataclass(frozen=True, slots=True)
class Rate:
    """A token bucket: `burst` at once, then `per_minute`, for one subscription in one region."""

    per_minute: float
    burst: int


AZURE_VMS: Final = frozenset({Kind.AZURE_VM})


class CloudProvider(Protocol):
    """One cloud, as one identity sees it."""

    @property
    def rates(self) -> Mapping[Budgeted, Rate]:
        """How many requests of a kind one subscription may make in one region."""
        ...

    async def inventory(self, subscriptions: Sequence[str]) -> Inventory:
        """Everything that these subscriptions hold. What can't be read stands in `Inventory.unreadable`."""
        ...

    async def discover(
        self, subscriptions: Sequence[str] | None, listen: Listen = nobody, *, updates: bool = False
    ) -> Discovery:
        """The same for any number of subscriptions, or all that can be seen, from Resource Graph where that tells it.

        `updates`: also what each machine lacks, and what was installed on it lately.
        """
        ...

    async def view(self, target: Target, *, runs: bool = True) -> View:
        """One instance view. A machine that is gone raises CloudPermanent with code `ResourceNotFound`.

        Of an Arc machine it is its model and, with `runs`, its last patch run, which takes a query of Resource Graph besides.
        """
        ...

    async def sweep(self, subscription: str, kinds: Collection[Kind] = AZURE_VMS) -> Mapping[MachineId, View]:
        """The views of all machines of these kinds in a subscription, in pages; of Arc machines without their patch runs."""
        ...

    async def patches_of(self, target: Target, installation_id: str) -> Sequence[Mapping[str, Any]]:
        """What a patch run of an Arc machine did with each patch, in the form of a result's `patches`.

        Its own result doesn't say, and Resource Graph, which does, may not know yet: fewer than were counted, or none.
        """
        ...

    async def patches_found(self, target: Target, assessment_id: str) -> Sequence[Mapping[str, Any]] | None:
        """What an assessment of an Arc machine found, in the form of a result's `availablePatches`; None if it isn't told (yet).

        It takes two queries of Resource Graph. As with `patches_of`, there may be fewer than were counted.
        """
        ...

    async def start(self, target: Target, change: Simple, key: str, timeout_s: float) -> Answer:
        """Send the one request that begins `change`. Never retried. `key` goes as `x-ms-client-request-id`; a run command
        is named after it.

        `timeout_s` is real time. Whatever goes wrong after the first byte may have left is `Unsettled`, never an exception;
        an exception means that nothing was sent.
        """
        ...

    async def assess(self, target: Target, key: str, timeout_s: float) -> Answer:
        """Begin a patch assessment; as `start`."""
        ...

    async def poll(self, operation: Operation) -> OperationState:
        """Look at an operation once (with its result, once it has ended)."""
        ...

    async def operation_of(self, target: Target, operation_id: str) -> Operation:
        """Where an operation of this machine whose id an instance view showed can be followed. No request is made."""
        ...

    async def patch_runs(self, subscriptions: Sequence[str]) -> Sequence[Mapping[str, Any]]:
        """Rows of Resource Graph's history of patch runs, of the last thirty days; see `inventory.runs`."""
        ...

    async def patch_assessments(self, subscriptions: Sequence[str]) -> Sequence[Mapping[str, Any]]:
        """Rows of what machines were found to lack in the last seven days, whoever asked; see `inventory.assessments`."""
        ...

    async def command_of(self, target: Target, key: str) -> Operation:
        """Where the managed run command that `key` stands for can be followed. No request is made.

        Polling it raises CloudPermanent with code `ResourceNotFound` if there is none: then that request was never taken.
        """
        ...

    async def forget_command(self, target: Target, key: str) -> None:
        """Take away the managed run command that `key` stands for, if it is there: a machine keeps no more than a few."""
        ...

    async def rights(self, subscription: str, resource_group: str = "") -> Rights:
        """What this identity may do in a subscription, or in one of its resource groups."""
        ...

    async def close(self) -> None:
        """Give back connections."""
        ...
