"""What of the rules says nothing to a plan, summed up by rule and reason: a fleet has thousands of groups, and a policy a dozen rules."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Final

from orchestrator.availability.model import Constraint
from orchestrator.planner.compiled import Dropped
from orchestrator.policy.model import Origin

NAMED: Final = 3
"""How many of the groups of a rule are named; the others are counted."""


class Dropping:
    """Collects what is dropped while rules are compiled. Groups without a name are rules that have no group at all."""

    def __init__(self) -> None:
        self._counts: Counter[tuple[Origin, str, str]] = Counter()
        self._names: dict[tuple[Origin, str, str], list[str]] = {}
        self._groups: Counter[Origin] = Counter()

    def note_group(self, origin: Origin) -> None:
        """A group in which the rule comes to something, or to nothing."""
        self._groups[origin] += 1

    def drop(self, rule: str, origin: Origin, why: str, group: str) -> None:
        """The rule says nothing in this group."""
        key = origin, rule, why
        names = self._names.setdefault(key, [])
        if group:
            self._counts[key] += 1
            names.append(group)

    def drop_twice_said(self, known: Constraint, other: Constraint, rules: Mapping[Origin, str]) -> None:
        """Of two rules that say the same in a group, the one that is written later."""
        first, second = sorted((known, other), key=lambda one: (one.origin, one.what))
        if first.origin != second.origin:
            why = f"{first.origin} says the same"
            self.drop(rules[second.origin], second.origin, why, second.what)

    @property
    def all(self) -> tuple[Dropped, ...]:
        """Everything, in the order in which the rules are written."""
        return tuple(
            Dropped(
                rule,
                why,
                self._counts[origin, rule, why],
                origin,
                self._groups[origin],
                tuple(sorted(names)[:NAMED]),
            )
            for (origin, rule, why), names in sorted(self._names.items())
        )


def dropped_late(lost: Iterable[Constraint], rules: Mapping[Origin, str]) -> tuple[Dropped, ...]:
    """Constraints that lost their machines after they were compiled, since these are left out for other reasons."""
    dropping = Dropping()
    for rule in lost:
        why = "the machines it would have kept apart are left out for other reasons"
        dropping.note_group(rule.origin)
        dropping.drop(rules[rule.origin], rule.origin, why, rule.what)
    return dropping.all
