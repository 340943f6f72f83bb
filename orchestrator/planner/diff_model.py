"""The nouns of a comparison: what a new plan does otherwise than an old one.

Lanes are numbered anew in each plan, so a lane of one plan is taken for the lane of the other with which it shares most machines.
Whatever stays the same isn't here; nor is what changes nothing: where a rule is written, what it is called, how lanes are
numbered.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from orchestrator.availability.model import Budget, Constraint
from orchestrator.inventory.model import MachineId
from orchestrator.planner.summary import Summary


@dataclass(frozen=True, slots=True)
class Turn:
    """When a machine goes. `at` is the place of its wave on the longest path that leads to it, from 1 in each stage."""

    stage: str
    lane: str  # id
    at: int


@dataclass(frozen=True, slots=True)
class MachineChange:
    """A machine that is treated otherwise. `was` and `now` are None where it isn't changed.

    `why_before` and `why` say why it wasn't, or isn't, changed; empty for one of which that plan says nothing.
    """

    machine: MachineId
    name: str
    was: Turn | None = None
    now: Turn | None = None
    why_before: str = ""
    why: str = ""


class Course(StrEnum):
    """What became of a constraint, what a reviewer should see first coming first.

    Tighter: whatever keeps the new one keeps the old one, and not the other way round.
    """

    LOOSENED = "loosened"
    REMOVED = "removed"
    TIGHTENED = "tightened"
    ADDED = "added"
    CHANGED = "changed"  # it allows something that it didn't, and forbids something that it allowed


@dataclass(frozen=True, slots=True)
class RuleChange:
    """A constraint of one plan, or of both where they speak of the same thing."""

    course: Course
    was: Constraint | None
    now: Constraint | None
    joined: int = 0  # machines that the new one names and the old one doesn't; 0 unless both are there
    left: int = 0

    @property
    def told(self) -> Constraint:
        """The constraint to speak of: the new one, if there is one."""
        told = self.now or self.was
        assert told is not None
        return told


@dataclass(frozen=True, slots=True)
class LaneSide:
    """A lane as one of the plans has it."""

    id: str
    what: str
    waves: int
    bound: int
    because: str


@dataclass(frozen=True, slots=True)
class LaneChange:
    """A lane that is longer or shorter, differently bound, waits for others, or is in one plan only."""

    was: LaneSide | None
    now: LaneSide | None
    waits: bool = False  # for other lanes than before


@dataclass(frozen=True, slots=True)
class TermChange:
    """Something else that a plan lays down: `stage canary` bakes 4h, was 2h. `machines` are those it is about; none: all."""

    what: str
    was: str
    now: str
    machines: tuple[str, ...] = ()  # names, sorted


@dataclass(frozen=True, slots=True)
class PlanDiff:
    """What a new plan does otherwise than an old one."""

    was: Summary
    now: Summary
    taken_before: datetime | None  # when the inventories were taken
    taken: datetime | None
    same_inventory: bool
    same_policies: bool
    terms: tuple[TermChange, ...]
    rules: tuple[RuleChange, ...]
    added: tuple[MachineChange, ...]
    dropped: tuple[MachineChange, ...]  # the new plan doesn't speak of them, or counts them only
    left_out: tuple[MachineChange, ...]  # newly, or for another reason
    moved: tuple[MachineChange, ...]  # to another stage, lane, or place on the longest path
    lanes: tuple[LaneChange, ...]
    warned: tuple[str, ...]  # warnings of the new plan only
    unwarned: tuple[str, ...]  # warnings of the old plan only

    @property
    def differ(self) -> bool:
        """Whether the two plans do anything differently, whatever they were made of."""
        return any(
            (
                self.terms,
                self.rules,
                self.added,
                self.dropped,
                self.left_out,
                self.moved,
                self.lanes,
                self.warned,
                self.unwarned,
            )
        )

    def to_json(self) -> dict[str, Any]:
        """Plain values, as `--json` prints them."""
        return {
            "differ": self.differ,
            "summary": {"old": self.was.to_json(), "new": self.now.to_json()},
            "inventory": {"same": self.same_inventory, "old": self.taken_before, "new": self.taken},
            "policies": {"same": self.same_policies},
            "terms": [asdict(term) for term in self.terms],
            "rules": [_rule(rule) for rule in self.rules],
            "added": [asdict(machine) for machine in self.added],
            "dropped": [asdict(machine) for machine in self.dropped],
            "left_out": [asdict(machine) for machine in self.left_out],
            "moved": [asdict(machine) for machine in self.moved],
            "lanes": [asdict(lane) for lane in self.lanes],
            "warnings": {"new": list(self.warned), "gone": list(self.unwarned)},
        }


def _rule(change: RuleChange) -> dict[str, Any]:
    return {
        "course": change.course.value,
        "was": _constraint(change.was),
        "now": _constraint(change.now),
        "joined": change.joined,
        "left": change.left,
    }


def _constraint(rule: Constraint | None) -> dict[str, Any] | None:
    if rule is None:
        return None
    limit = {"limit": rule.limit, "cap": rule.cap} if isinstance(rule, Budget) else {}
    origin = {"file": rule.origin.file, "line": rule.origin.line}
    return {"id": rule.id, "what": rule.what, "from": origin, **limit}
