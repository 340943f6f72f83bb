"""What became of each update on a machine: read off a result, kept short, put together over several attempts.

A journal has 400 bytes for a machine, and a fleet of thousands installs the same few sets. So a set of results is kept once, under a
number, and a machine keeps the number. What was not selected or excluded says nothing of the machine and isn't kept.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

MOST: Final = 60
"""Updates kept of one set, the failed ones first: a Linux machine may install hundreds of packages."""

LONGEST: Final = 60
"""Characters of a package's name and version."""


class PatchState(StrEnum):
    """What became of an update; the values are how a journal has them."""

    FAILED = "f"
    PENDING = "p"
    INSTALLED = "i"


_STATES: Final[Mapping[str, PatchState]] = {
    "Installed": PatchState.INSTALLED,
    "Failed": PatchState.FAILED,
    "Pending": PatchState.PENDING,
}

_WORDS: Final[Mapping[PatchState, str]] = {
    PatchState.FAILED: "failed",
    PatchState.PENDING: "still pending",
    PatchState.INSTALLED: "installed",
}

_ORDER: Final = tuple(PatchState)
_KB: Final = re.compile(r"KB(\d{6,8})")


@dataclass(frozen=True, slots=True)
class PatchResult:
    """One update: `KB5087423`, or a package with its version."""

    name: str
    state: PatchState

    def __str__(self) -> str:
        """`KB5087423 installed`."""
        return f"{self.name} {_WORDS[self.state]}"

    @property
    def kb(self) -> str:
        """The digits of a KB; empty for what is none."""
        found = _KB.fullmatch(self.name)
        return found[1] if found else ""


Kept = tuple[str, ...]
"""A set of results as the journal has it: a letter for the state, then the name."""


def results_of(result: Mapping[str, Any]) -> Kept:
    """The set of an installation's `patches`; empty where the API tells none (as that of Arc machines)."""
    found = []
    for patch in result.get("patches") or ():
        state = _STATES.get(str(patch.get("installationState")))
        if state is not None:
            found.append(PatchResult(_name(patch), state))
    return keep(found)


def keep(results: Iterable[PatchResult]) -> Kept:
    """A set in the order in which it is told: what failed first."""
    latest = {result.name: result for result in results}
    told = sorted(latest.values(), key=lambda one: (_ORDER.index(one.state), one.name))
    return tuple(f"{one.state}{one.name}" for one in told[:MOST])


def read(kept: Kept) -> tuple[PatchResult, ...]:
    """The set again. What a newer version wrote in another letter is passed over."""
    states = {str(state): state for state in PatchState}
    return tuple(PatchResult(one[1:], states[one[0]]) for one in kept if one and one[0] in states)


def together(before: Kept, after: Kept) -> Kept:
    """What is known after another attempt: the later word on each update, except that what was installed stays so."""
    installed = [one for one in read(before) if one.state is PatchState.INSTALLED]
    return keep((*read(before), *read(after), *installed))


def installed_kbs(kept: Kept) -> tuple[str, ...]:
    """The digits of the KBs that were installed, sorted."""
    return tuple(sorted(one.kb for one in read(kept) if one.state is PatchState.INSTALLED and one.kb))


def sentence(kept: Kept) -> str:
    """`KB5087539 failed; KB5087423 installed`."""
    return "; ".join(map(str, read(kept)))


def _name(patch: Mapping[str, Any]) -> str:
    if patch.get("kbId"):
        return f"KB{str(patch['kbId']).upper().removeprefix('KB')}"
    version = str(patch.get("version") or "")
    name = str(patch.get("name") or patch.get("patchId") or "an update without a name")
    return f"{name} {version}".strip()[:LONGEST]
