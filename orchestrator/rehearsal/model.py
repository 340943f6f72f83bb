"""The nouns of tests of policies: what is asked, what was seen, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from orchestrator.inventory.model import Inventory, MachineId
from orchestrator.planner.forecast import Forecast
from orchestrator.planner.model import Plan
from orchestrator.policy.model import Change, Origin, Selector
from orchestrator.rehearsal.schema.expect import Expectation
from orchestrator.rehearsal.schema.fleet import FleetSection
from orchestrator.topology.graph import Topology

MONDAY_MORNING: Final = datetime(2026, 1, 5, 8, tzinfo=UTC)
"""When it is, in a test that doesn't say."""


@dataclass(frozen=True, slots=True)
class Situation:
    """What time it is, and who is out already."""

    now: datetime = MONDAY_MORNING
    off: Selector | None = None
    unhealthy: Selector | None = None


@dataclass(frozen=True, slots=True)
class Ask:
    """What is planned: a campaign (by name, if there are several) or a one-off."""

    campaign: str | None = None
    change: Change | None = None
    select: Selector | None = None


@dataclass(frozen=True, slots=True)
class Run:
    """How the plan is run, and what goes wrong."""

    unhealthy: Selector | None = None
    not_changed: Selector | None = None
    stays_out: Selector | None = None
    approve: bool = True
    at_most: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Expected:
    """One entry of `expect`, and where it was written."""

    what: Expectation
    origin: Origin


@dataclass(frozen=True, slots=True)
class Case:
    """One test."""

    name: str
    origin: Origin
    fleet: FleetSection
    fleet_origin: Origin
    situation: Situation
    ask: Ask
    run: Run | None
    expected: tuple[Expected, ...]


@dataclass(frozen=True, slots=True)
class Book:
    """The tests of one file, and the policies that they are of: paths as written, from the file's folder on."""

    file: str
    policies: tuple[str, ...]
    cases: tuple[Case, ...]


# What was seen --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Course:
    """When each machine's change began and ended: on paper, or in a rollout. An end is None where there was none."""

    begun: Mapping[MachineId, datetime]
    ended: Mapping[MachineId, datetime | None]


@dataclass(frozen=True, slots=True)
class Turn:
    """A machine stopped serving, or serves again, as the rollout knew it."""

    at: datetime
    machine: MachineId
    out: bool


@dataclass(frozen=True, slots=True)
class Seen:
    """What became of a rollout.

    `ending` is one of `finished`, `stopped`, `refused`, `waiting`; `cause` says why. `turns` are in the order of time, from the
    situation that it began in. `audit` are the witness's lines. `broken` is what the judge found.
    """

    ending: str
    cause: str
    ended: datetime
    course: Course
    turns: tuple[Turn, ...] = ()
    outcomes: Mapping[MachineId, str] = field(default_factory=dict)
    touched: tuple[MachineId, ...] = ()
    why: Mapping[MachineId, str] = field(
        default_factory=dict
    )  # what is known of machines that didn't go well
    broken: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Planned:
    """What the planner made of policies, fleet and situation. Without a plan, `refusal` says why."""

    topology: Topology
    situation: Situation
    plan: Plan | None
    refusal: str = ""
    forecast: Forecast | None = None
    course: Course | None = None

    @property
    def inventory(self) -> Inventory:
        """The fleet in the situation of the test."""
        return self.topology.inventory


# What came of it ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Failure:
    """An expectation that doesn't hold: what was expected, what there is instead, and why, a sentence each."""

    expected: str
    found: str
    why: tuple[str, ...] = ()
    origin: Origin | None = None  # None: nobody wrote it down, it always holds

    def lines(self) -> list[str]:
        """The failure for people."""
        where = f"{self.origin}: " if self.origin is not None else ""
        return [
            f"{where}expected {self.expected}",
            f"but {self.found}",
            *(f"  {line}" for line in self.why),
        ]


@dataclass(frozen=True, slots=True)
class Result:
    """What one test came to. `told` is what was looked at, in few words: `12 machines, 4 waves`."""

    case: Case
    told: str
    failures: tuple[Failure, ...]
    planned: Planned

    @property
    def passed(self) -> bool:
        """Whether all that was expected holds."""
        return not self.failures
