"""How long a plan expects its changes to take, and how it knows: in its file, and in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType
from typing import Any, Final

from orchestrator.inventory.document import Convert, Problems, a_whole_number, map_of, record
from orchestrator.inventory.model import Kind, Os
from orchestrator.planner.durations import CLASSES, Duration, Durations, Source, class_of
from orchestrator.planner.model import Plan
from orchestrator.planner.rows import Row, duration
from orchestrator.policy import words
from orchestrator.policy.change import Rollback
from orchestrator.policy.model import Change, Restart, RunCommand


@dataclass(frozen=True, slots=True)
class Expected:
    """What the changes of a class are expected to take, from the request until the machine is seen well."""

    name: str  # `class_of`
    machines: int  # of the plan that are of this class, and changed
    takes: Duration
    source: Source
    noun: str  # what was counted: installs, restarts

    def __str__(self) -> str:
        """`patches azure_vm windows: mostly 20m, 19 of 20 within 1h (learned from 312 installs)`."""
        how = f" from {self.takes.samples:,} {self.noun}" if self.source is Source.LEARNED else ""
        most = words.duration(self.takes.median), words.duration(self.takes.late)
        return f"{self.name}: mostly {most[0]}, 19 of 20 within {most[1]} ({self.source}{how})"

    def to_json(self) -> dict[str, Any]:
        """Plain values, durations in seconds."""
        return {
            "class": self.name,
            "machines": self.machines,
            "median_s": self.takes.median.total_seconds(),
            "late_s": self.takes.late.total_seconds(),
            "samples": self.takes.samples,
            "source": self.source.value,
        }


_NOUNS: Final[Mapping[type, str]] = {Restart: "restarts", RunCommand: "scripts", Rollback: "rollbacks"}
"""What machines of a class do, as people are told how long it takes."""


def expected(plan: Plan) -> tuple[Expected, ...]:
    """Every class of machines that the plan changes, the largest first."""
    counted: dict[tuple[Kind, Os], int] = {}
    for machine in plan.machines:
        if machine.change:
            counted[machine.kind, machine.os] = counted.get((machine.kind, machine.os), 0) + 1
    noun = _NOUNS.get(type(plan.change), "installs")
    found = (
        Expected(
            class_of(plan.change, *like),
            count,
            plan.durations.of_class(plan.change, *like),
            plan.durations.source(plan.change, *like),
            noun,
        )
        for like, count in counted.items()
    )
    return tuple(sorted(found, key=lambda one: (-one.machines, one.name)))


def of_classes(durations: Durations, change: Change, machines: Iterator[tuple[Kind, Os]]) -> Durations:
    """As much of what is known as concerns the machines that are changed."""
    names = sorted({class_of(change, *like) for like in set(machines)} & durations.known.keys())
    return Durations(MappingProxyType({name: durations.known[name] for name in names}))


# In a plan's file -----------------------------------------------------------------------------------------------


def encode_durations(durations: Durations) -> dict[str, Any]:
    """Classes with their durations, as plain JSON values."""
    return {
        name: {
            "median_s": takes.median.total_seconds(),
            "late_s": takes.late.total_seconds(),
            "samples": takes.samples,
            "source": (Source.LEARNED if takes.samples else Source.GIVEN).value,
        }
        for name, takes in sorted(durations.known.items())
    }


def _source(value: Any, place: str, problems: Problems) -> Source | None:
    if value in (Source.LEARNED, Source.GIVEN):
        return Source(value)
    problems.append(
        f"{place} is {value!r}; write learned or given, or leave the class out: then it is assumed"
    )
    return None


DURATIONS: Final[Convert] = map_of(
    record({"median_s": duration, "late_s": duration, "samples": a_whole_number, "source": _source})
)
"""What reads a plan's `durations`."""


def decode_durations(rows: Mapping[str, Row], problems: Problems) -> Durations:
    """The durations of rows that were read. What doesn't fit together is noted."""
    known = {}
    for name, row in rows.items():
        place = f"durations.{name}"
        if name not in CLASSES:
            problems.append(f"{place} is no class of changes; it is one such as `patches azure_vm windows`")
        lacking = [key for key in ("median_s", "late_s", "source") if row.get(key) is None]
        problems.extend(f"{place} has no `{key}`" for key in lacking)
        if lacking:
            continue
        takes = Duration(row["median_s"], row["late_s"], row.get("samples", 0))
        if not timedelta(0) < takes.median <= takes.late:
            problems.append(
                f"{place}: what 19 of 20 stay below can't be shorter than the median, nor that be nought"
            )
        if (takes.samples > 0) != (row["source"] is Source.LEARNED):
            problems.append(
                f"{place} is {row['source']} of {takes.samples} samples; learned ones have some, given ones none"
            )
        known[name] = takes
    return Durations(MappingProxyType(known))
