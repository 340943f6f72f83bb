"""What a history of patch runs came to: for people, for a page of Markdown, for programs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

APPROXIMATE: Final = (
    "Approximate: a machine counts as out from the beginning of its run to the last that Azure heard of it, which is longer than "
    "it really was; a run that needed no restart takes nobody down. Rules and fleet are today's."
)


class Broke(StrEnum):
    """Which kind of rule was broken."""

    BUDGET = "budget"  # too many out at once
    EXCLUSION = "exclusion"  # two domains at once
    FROZEN = "frozen"  # a group in which nobody may be taken down at all
    WINDOW = "window"  # begun outside its windows
    FREEZE = "freeze"  # begun in a freeze


@dataclass(frozen=True, slots=True)
class Finding:
    """A rule that was broken, from `begin` to `end`. `rule` is the rule for people, `origin` its file and line.

    `machines` and `by` (who began their runs) are those of the worst moment. `peak` and `limit` are machines, or domains of an exclusion;
    both 0 where there is nothing to count. `sure`: known restarts alone broke it.
    """

    kind: Broke
    rule: str
    origin: str
    begin: datetime
    end: datetime
    machines: tuple[str, ...]  # names, sorted
    by: tuple[str, ...]
    sure: bool
    peak: int = 0
    limit: int = 0
    domains: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "kind": self.kind.value,
            "rule": self.rule,
            "from": self.origin,
            "begin": self.begin,
            "end": self.end,
            "peak": self.peak,
            "limit": self.limit,
            "domains": list(self.domains),
            "machines": list(self.machines),
            "by": list(self.by),
            "sure": self.sure,
        }


@dataclass(frozen=True, slots=True)
class History:
    """All of it. `by` counts runs by who began them, `restarts` by "yes", "no" and "unknown", `statuses` by Azure's words."""

    since: datetime
    until: datetime
    runs: int
    machines: int  # that were patched
    fleet: int
    by: Mapping[str, int]
    restarts: Mapping[str, int]
    statuses: Mapping[str, int]
    findings: tuple[Finding, ...]
    rules: Mapping[str, int]  # how many of each kind were judged
    notes: tuple[str, ...]

    @property
    def ok(self) -> bool:
        """Whether no rule was broken."""
        return not self.findings

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "ok": self.ok,
            "approximate": APPROXIMATE,
            "since": self.since,
            "until": self.until,
            "runs": self.runs,
            "machines": self.machines,
            "fleet": self.fleet,
            "by": dict(self.by),
            "restarts": dict(self.restarts),
            "statuses": dict(self.statuses),
            "rules": dict(self.rules),
            "findings": [one.to_json() for one in self.findings],
            "notes": list(self.notes),
        }


def sentence(finding: Finding, most: int = 3) -> str:
    """What happened, without when and by whom: `3 of them were out at once where 1 may be: web-1, web-2 and 1 more`."""
    names = _some(finding.machines, most)
    match finding.kind:
        case Broke.BUDGET:
            perhaps = "were" if finding.sure else "may have been"
            return f"{finding.peak:,} {perhaps} out at once where {finding.limit:,} may be: {names}"
        case Broke.EXCLUSION:
            return f"{' and '.join(finding.domains)} were worked on at once: {names}"
        case Broke.FROZEN:
            return f"patched where nobody may be taken down: {names}"
        case Broke.WINDOW:
            return f"begun outside the windows: {names}"
        case Broke.FREEZE:
            return f"begun in a freeze: {names}"


def _some(names: tuple[str, ...], most: int) -> str:
    return ", ".join(names[:most]) + (f" and {len(names) - most:,} more" if len(names) > most else "")
