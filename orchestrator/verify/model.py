"""What a judgement is: the rules that were broken, what was looked at, and what could not be judged."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

MOST_PER_RULE = (
    20  # violations told of one rule; beyond that a person reads no further, and a count says enough
)


@dataclass(frozen=True, slots=True)
class Violation:
    """One rule broken in one place.

    `where` is the constraint's id, or the part of the document; `machines` are ids in lower case, sorted; `what` is a
    sentence that a person understands without the document at hand.
    """

    rule: str
    where: str
    machines: tuple[str, ...]
    what: str

    def __str__(self) -> str:
        """`rule: sentence`."""
        return f"{self.rule}: {self.what}"


@dataclass(frozen=True, slots=True)
class Verdict:
    """The outcome. `judged` says how much was looked at, so that an empty verdict can be told from an empty plan.

    `notes` say what was not judged, or judged more leniently, and why. `untold` counts the violations of each rule
    beyond the first `MOST_PER_RULE`.
    """

    violations: tuple[Violation, ...]
    judged: Mapping[str, int]
    notes: tuple[str, ...] = ()
    untold: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def ok(self) -> bool:
        """Whether no rule was broken."""
        return not self.violations

    @property
    def count(self) -> int:
        """How many violations there are, told or not."""
        return len(self.violations) + sum(self.untold.values())

    def to_json(self) -> dict[str, Any]:
        """The verdict as plain JSON values."""
        return {
            "ok": self.ok,
            "violations": [
                {"rule": v.rule, "where": v.where, "machines": list(v.machines), "what": v.what}
                for v in self.violations
            ],
            "untold": dict(sorted(self.untold.items())),
            "judged": dict(sorted(self.judged.items())),
            "notes": list(self.notes),
        }


def machines(count: int) -> str:
    """`1 machine`, `2 machines`."""
    return f"{count} machine" + ("" if count == 1 else "s")


def together(*verdicts: Verdict) -> Verdict:
    """One verdict out of several; what two of them say in the same words is said once."""
    judged: Counter[str] = Counter()
    untold: Counter[str] = Counter()
    for verdict in verdicts:
        judged.update(verdict.judged)
        untold.update(verdict.untold)
    return Verdict(
        violations=tuple(dict.fromkeys(v for verdict in verdicts for v in verdict.violations)),
        judged=MappingProxyType(dict(judged)),
        notes=tuple(dict.fromkeys(note for verdict in verdicts for note in verdict.notes)),
        untold=MappingProxyType(dict(untold)),
    )


class Findings:
    """What a judge has found so far. The only thing in this folder that changes while a judgement is made."""

    def __init__(self, names: Mapping[str, str] | None = None) -> None:
        self.names: dict[str, str] = dict(names or {})
        self._violations: list[Violation] = []
        self._count: Counter[str] = Counter()
        self._judged: Counter[str] = Counter()
        self._notes: dict[str, None] = {}  # a dict keeps the order, and each once

    def apart(self, names: Mapping[str, str]) -> Findings:
        """What was found so far, for another judge to go on from. `names` are of machines that have none yet."""
        other = Findings({**names, **self.names})
        other._violations = list(self._violations)
        other._count, other._judged = Counter(self._count), Counter(self._judged)
        other._notes = dict(self._notes)
        return other

    def broken(self, rule: str, where: str, machines: Iterable[str], what: str) -> None:
        """Put a violation down; beyond the first few of a rule they are only counted."""
        self._count[rule] += 1
        if self._count[rule] <= MOST_PER_RULE:
            self._violations.append(Violation(rule, where, tuple(sorted(set(machines))), what))

    def enough(self, rule: str) -> bool:
        """Whether further violations of this rule are only counted, so that nobody need find words for them."""
        return self._count[rule] >= MOST_PER_RULE

    def judged(self, what: str, count: int = 1) -> None:
        """Count something as looked at."""
        self._judged[what] += count

    def note(self, what: str) -> None:
        """Say something that the reader of the verdict should know."""
        self._notes[what] = None

    def name(self, machine: str) -> str:
        """What people call a machine: its name, or the last part of its id."""
        return self.names.get(machine) or machine.rpartition("/")[2] or machine

    def listed(self, machines: Collection[str], most: int = 3) -> str:
        """`web-01, web-02, web-03 and 4 more`."""
        shown = ", ".join(self.name(m) for m in sorted(machines)[:most])
        return shown + (f" and {len(machines) - most} more" if len(machines) > most else "")

    def verdict(self) -> Verdict:
        """What all of it comes to."""
        return Verdict(
            violations=tuple(self._violations),
            judged=MappingProxyType(dict(self._judged)),
            notes=tuple(self._notes),
            untold=MappingProxyType(
                {rule: n - MOST_PER_RULE for rule, n in sorted(self._count.items()) if n > MOST_PER_RULE}
            ),
        )
