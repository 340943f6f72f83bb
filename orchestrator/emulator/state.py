"""The nouns of the emulated world: machines as they really are, operations, what is answered and what is witnessed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from orchestrator.emulator.catalogue import Patch
from orchestrator.emulator.software import Software
from orchestrator.inventory.model import Agent, AppHealth, Machine, MachineId, Power

Json = dict[str, Any]
"""A JSON object as ARM sends or gets it."""


class Kind(StrEnum):
    """Kinds of request, as faults name them. The first four start work; the rest only look."""

    INSTALL = "install"
    ASSESS = "assess"
    RESTART = "restart"
    RUN_COMMAND = "run_command"
    OPERATION = "operation"
    UPDATE = "update"  # a machine's settings
    VIEW = "view"
    GET = "get"
    LIST = "list"
    SET = "set"  # availability sets and scale sets
    LOCATIONS = "locations"
    INTERFACES = "interfaces"
    PERMISSIONS = "permissions"
    SUBSCRIPTIONS = "subscriptions"  # the list of them all
    GRAPH = "graph"  # a query of Resource Graph
    MAINTENANCE = "maintenance"


STARTS = frozenset({Kind.INSTALL, Kind.ASSESS, Kind.RESTART, Kind.RUN_COMMAND})
WRITES = STARTS | {Kind.UPDATE}
PATCHING = frozenset({Kind.INSTALL, Kind.ASSESS})


class Delivery(StrEnum):
    """What becomes of an answer on its way. In the last two cases the caller sees nothing but a cut connection."""

    DELIVERED = "delivered"
    DROPPED = "dropped"  # cut before the request was taken: nothing was begun
    LOST = "lost"  # the request was taken, its answer never arrived


@dataclass(frozen=True, slots=True)
class Answer:
    """What ARM says to one request. `operation` is the id of what was begun, or of what was asked about.

    `delay_s` is how much later than the request the answer leaves, in emulated seconds.
    """

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: Json | None = None
    operation: str = ""
    delivery: Delivery = Delivery.DELIVERED
    delay_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Happening:
    """One line of the audit: what really happened to a machine, at its exact emulated moment."""

    at: datetime
    machine: str  # ARM id, in the inventory's spelling
    event: str
    operation: str = ""
    details: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True, eq=False)
class Operation:
    """One long-running operation: `output` once it has ended, or `error` if it failed as a whole."""

    id: str
    kind: Kind
    machine: MachineId
    location: str
    subscription: str
    started: datetime
    by: str = ""  # empty: whoever sent the request; "foreign": somebody whom nobody here knows
    who: str = ""  # who that somebody is: colleague, schedule, azure
    ended: datetime | None = None
    output: Json | None = None
    error: Json | None = None
    visible: bool = False  # whether the instance view shows it (patch installations only)
    visible_since: datetime | None = None

    @property
    def status(self) -> str:
        """As the status URL names it."""
        if self.ended is None:
            return "InProgress"
        return "Failed" if self.error is not None else "Succeeded"


@dataclass(slots=True, eq=False)
class MachineState:
    """One machine as it really is. Only the world changes it."""

    record: Machine
    power: Power
    agent: Agent
    app: AppHealth
    resting: AppHealth  # what the application settles at after a restart
    out: bool  # whether it has stopped answering
    software: Software
    first_build: str = ""  # when the emulator began
    update_domain: int | None = None
    fault_domain: int | None = None
    reboot_pending: bool = False
    found: tuple[Patch, ...] = ()  # what the last assessment found
    assessment: Json | None = None  # instanceView.patchStatus.availablePatchSummary
    installation: Json | None = None  # instanceView.patchStatus.lastPatchInstallationSummary
    running: Operation | None = None  # a patch operation or a restart
    command: Operation | None = None
    operations: int = 0  # taken in its life so far
    life: int = 0  # goes up whenever it restarts or goes off, so that what was to come before doesn't
    shown: datetime | None = None  # when the patch run began that the instance view shows
    changed: datetime | None = None  # when its power or health last changed

    @property
    def id(self) -> MachineId:
        """The id it is known by, in lower case."""
        return self.record.id

    @property
    def answers(self) -> bool:
        """Whether its operating system answers at all."""
        return self.power is Power.RUNNING and not self.out

    @property
    def reachable(self) -> bool:
        """Whether the platform can make its guest agent do something."""
        return self.answers and self.agent is Agent.READY
