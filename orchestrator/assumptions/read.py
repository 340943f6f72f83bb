"""Assumption files: YAML text to what it assumes, or every mistake in it, with its place and what to write instead."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import fields
from datetime import timedelta
from types import MappingProxyType
from typing import Any, Final

from orchestrator.assumptions.model import NOTHING, Assumed, Assumptions, Entry, Settled, Spread
from orchestrator.assumptions.schema import AssumptionFile, EntrySection, SpreadSection
from orchestrator.errors import PolicyError, Problem
from orchestrator.inventory.model import Machine, MachineId
from orchestrator.policy.build import selector
from orchestrator.policy.checked import read_checked, refuse_if_any
from orchestrator.policy.complaints import Language
from orchestrator.policy.document import Document, Path
from orchestrator.policy.schema.section import Select
from orchestrator.policy.select import matcher

LANGUAGE: Final = Language(
    root=AssumptionFile,
    homes=MappingProxyType(
        {
            AssumptionFile: "at the top of the file",
            EntrySection: "in an entry of `machines`",
            SpreadSection: "in a mapping such as `reboot_takes: {median: 4m, p95: 15m}`",
            Select: "in a selector, such as `of`",
        }
    ),
    entry="an assumption",
    entries="machines",
    kinds=(),
    example="install_fails: 1%",
)

_NAMES: Final = tuple(field.name for field in fields(Assumed))
_OUTCOMES: Final = ("install_fails", "install_hangs", "stays_down", "comes_back_unhealthy", "fails_late")
"""Of which a change has one at most, so that their chances add up."""


def read_assumptions(file: str, content: str | bytes) -> Assumptions:
    """What a file assumes.

    Raises:
        PolicyError: with every problem of it, each with its place and what to write instead.
    """
    document, checked, found = read_checked(file, content, AssumptionFile, LANGUAGE)
    refuse_if_any([*found, *_nonsense(document, checked)])
    return Assumptions(
        entries=tuple(_entries(document, checked)),
        approvals_take=_value(checked.approvals_take),
        faults=tuple((name, document.origin(("faults",))) for name in checked.faults),
    )


def settle(assumptions: Assumptions, fleet: Sequence[Machine]) -> Settled:
    """What is assumed of each machine of a fleet.

    Raises:
        PolicyError: an entry that selects none of them says nothing, and is taken for a mistake; chances of one machine that
            come to more than always, too.
    """
    settled: dict[MachineId, Assumed] = {}
    problems = []
    for entry in assumptions.entries:
        test = matcher(entry.select) if entry.select is not None else None
        chosen = [machine.id for machine in fleet if test is None or test(machine)]
        if not chosen:
            what = f"`of` selects none of the {len(fleet):,} machines, so this is assumed of nobody"
            problems.append(_at(entry, what, "look for a typing error, or take the entry out"))
        for machine in chosen:
            settled[machine] = settled.get(machine, NOTHING).under(entry.assumed)
        over = next((machine for machine in chosen if _outcomes(settled[machine]) > 1 + 1e-9), None)
        if over is not None:
            what = f"with what is assumed before, the chances of {over.rpartition('/')[2]} come to {_outcomes(settled[over]):.4%}"
            problems.append(_at(entry, what.replace("0000%", "%"), _AT_MOST))
    if problems:
        raise PolicyError(problems)
    return Settled(settled)


_AT_MOST: Final = (
    f"{', '.join(_OUTCOMES[:-1])} and {_OUTCOMES[-1]} are 100% together at most: a change has one outcome"
)


def _outcomes(assumed: Assumed) -> float:
    return sum(getattr(assumed, name) or 0.0 for name in _OUTCOMES)


def _at(entry: Entry, what: str, instead: str) -> Problem:
    where = entry.origin
    return Problem(where.file, where.line, what, instead, where.column)


# What doesn't fit together --------------------------------------------------------------------------------------


def _nonsense(document: Document, file: AssumptionFile) -> Iterator[Problem]:
    if file.approvals_take is not None:
        yield from _of_spread(document, ("approvals_take",), file.approvals_take)
    for number, entry in enumerate(file.machines):
        at: Path = ("machines", number)
        said = [name for name in _NAMES if getattr(entry, name) is not None]
        if not said:
            yield document.problem(at, "an entry that assumes nothing", "write one of " + ", ".join(_NAMES))
        for name in said:
            value = getattr(entry, name)
            if isinstance(value, SpreadSection):
                yield from _of_spread(document, (*at, name), value)


def _of_spread(document: Document, at: Path, spread: SpreadSection) -> Iterator[Problem]:
    if spread.p95 is not None and spread.p95 < spread.median:
        what = "what 19 of 20 stay below can't be shorter than the median"
        yield document.problem((*at, "p95"), what, "exchange the two")


# What it assumes ------------------------------------------------------------------------------------------------


def _entries(document: Document, file: AssumptionFile) -> Iterator[Entry]:
    for number, section in enumerate(file.machines):
        said: dict[str, Any] = {name: _value(getattr(section, name)) for name in _NAMES}
        of_some = section.of is not None
        where = ("machines", number, "of") if of_some else ("machines", number)
        yield Entry(
            Assumed(**said), document.origin(where), selector(section.of) if section.of is not None else None
        )


def _value(value: SpreadSection | timedelta | float | None) -> Any:
    if isinstance(value, SpreadSection):
        return Spread(value.median, value.p95 or value.median)
    return value
