"""Rules that can't hold together, narrowed to a set of which none can be spared: what a person has to look at, and nothing else.

Halves, then quarters, then single entries are taken away, and stay away if what is left still can't hold together. That finds a set
from which nothing can be taken, which needn't be the smallest of all such sets. Each try may itself be a search, so
tries are counted, and once they are used up what is left is told as it is: an answer that is too long rather than none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from orchestrator.availability.model import Constraint
from orchestrator.inventory.ids import name_of
from orchestrator.inventory.model import MachineId
from orchestrator.planner.rules import members
from orchestrator.policy.model import Origin

TRIES: Final = 16
"""How often it is tried whether some of the rules can hold together. A try may search for a second or two."""

NAMED: Final = 5
"""How many rules, and how many machines, a message names."""

_Entry = TypeVar("_Entry")


@dataclass(frozen=True, slots=True)
class Conflict(Generic[_Entry]):
    """Entries that can't hold together, in the order in which they were given.

    `minimal`: without any one of them, the others were seen to hold together; else tries ran out before that was known.
    """

    entries: tuple[_Entry, ...]
    minimal: bool
    tries: int


def smallest_conflict(
    entries: Sequence[_Entry], feasible: Callable[[Sequence[_Entry]], bool], tries: int = TRIES
) -> Conflict[_Entry]:
    """Narrow down `entries`, which are known not to hold together.

    `feasible` says whether some of them do. What it can't find out it calls feasible or not as the caller sees fit: an entry is
    only ever dropped while the others are called infeasible.
    """
    kept = list(entries)
    used = 0
    size = max(1, len(kept) // 2)
    while True:
        start = 0
        while start < len(kept) and used < tries:
            rest = kept[:start] + kept[start + size :]
            used += bool(rest)
            if rest and not feasible(rest):
                kept = rest
            else:
                start += size
        if start < len(kept):
            return Conflict(tuple(kept), minimal=False, tries=used)
        if size == 1:
            return Conflict(tuple(kept), minimal=True, tries=used)
        size = max(1, min(size // 2, len(kept) // 2))


def conflict_of_rules(
    constraints: Mapping[int, Constraint], feasible: Callable[[Sequence[int]], bool], tries: int = TRIES
) -> Conflict[int]:
    """Narrow down constraints by number: first to rules of the policies, each of which may have many, then to single ones."""

    def of(origins: Iterable[Origin]) -> list[int]:
        wanted = frozenset(origins)
        return [number for number, rule in constraints.items() if rule.origin in wanted]

    origins = tuple(dict.fromkeys(rule.origin for rule in constraints.values()))
    rules = smallest_conflict(origins, lambda some: feasible(of(some)), tries)
    found = smallest_conflict(of(rules.entries), feasible, tries - rules.tries)
    return Conflict(found.entries, found.minimal, rules.tries + found.tries)


def in_words(rules: Sequence[Constraint], machines: Iterable[MachineId], *, minimal: bool) -> str:
    """Which rules can't hold together, where each is written, and for which of the `machines`."""
    held = frozenset(machine for rule in rules for machine in members(rule))
    concerned = sorted(name_of(machine) for machine in machines if machine in held)
    names = ", ".join(concerned[:NAMED])
    others = f" and {len(concerned) - NAMED:,} more" if len(concerned) > NAMED else ""
    said = "; ".join(f"{rule.what} ({rule.origin})" for rule in rules[:NAMED])
    said += f"; and {len(rules) - NAMED} rules more" if len(rules) > NAMED else ""
    any_one = ", and without any one of them the others can" if minimal and len(rules) > 1 else ""
    return f"these rules can't hold together for {names}{others}{any_one}: {said}"
