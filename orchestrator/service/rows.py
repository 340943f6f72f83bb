"""Which lanes share a row of a picture, and what the row is called.

Domains of one set are lanes that follow one another, each alone: side by side in one row they read as what they are.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile

from orchestrator.planner.model import Lane

_SEPARATOR = " / "
_GAP = "…"


@dataclass(frozen=True, slots=True)
class Row:
    """Lanes by their place in the plan, one after another; `name` is for people."""

    lanes: tuple[int, ...]
    name: str


def rows(lanes: Sequence[Lane]) -> tuple[Row, ...]:
    """A row for each chain of lanes that wait for one another and for nothing else, in the order of their first lanes."""
    place = {lane.id: number for number, lane in enumerate(lanes)}
    chain_of: dict[int, int] = {}
    chains: defaultdict[int, list[int]] = defaultdict(list)
    continued: set[int] = set()
    for number, lane in enumerate(lanes):
        before = place.get(lane.after[0]) if len(lane.after) == 1 else None
        first = number
        if before is not None and before not in continued and before in chain_of:
            continued.add(before)
            first = chain_of[before]
        chain_of[number] = first
        chains[first].append(number)
    return tuple(
        Row(tuple(chains[first]), _name([lanes[n] for n in chains[first]])) for first in sorted(chains)
    )


def _name(chain: Sequence[Lane]) -> str:
    ids = chain[0].id if len(chain) == 1 else f"{chain[0].id} to {chain[-1].id.rpartition('-')[2]}"
    what = _brief(_common([lane.what.split(_SEPARATOR) for lane in chain]))
    return f"{ids}  {what}" if what else ids


def _common(whats: Sequence[Sequence[str]]) -> list[str]:
    """What the lanes have in common, part for part, up to the first part that differs; of that, its beginning and end."""
    if len(whats) == 1:
        return list(whats[0])
    found: list[str] = []
    for parts in zip(*whats, strict=False):
        if len(set(parts)) > 1:
            shared = _shared([part.split() for part in parts])
            return [*found, shared] if shared else found
        found.append(parts[0])
    return found


def _shared(words: Sequence[Sequence[str]]) -> str:
    """`update domain … of as-web` of several that differ in the middle."""
    head = [same[0] for same in takewhile(lambda at: len(set(at)) == 1, zip(*words, strict=False))]
    least = min(map(len, words)) - len(head)
    ends = zip(*(list(reversed(row)) for row in words), strict=False)
    tail = [same[0] for same in takewhile(lambda at: len(set(at)) == 1, ends)][:least]
    return " ".join([*head, _GAP, *reversed(tail)]) if head or tail else ""


_SHORTER = (
    (re.compile(r"(update|fault) domain … of (.+)"), r"\2 by \1 domain"),
    (re.compile(r" that no rule keeps apart"), ""),
    (re.compile(r"at most (\d+ of \d+)"), r"\1"),
)
"""How much of a part is worth its room."""


def _brief(parts: Sequence[str]) -> str:
    """Without a place that a later part names again, and without what goes without saying."""
    kept = [
        part.removesuffix(f", {parts[0]}")
        for number, part in enumerate(parts, start=1)
        if not any(later.startswith(part) for later in parts[number:])
        and (len(parts) < 3 or "no rule keeps apart" not in part)
    ]
    what = ", ".join(kept)
    for found, instead in _SHORTER:
        what = found.sub(instead, what)
    return what
