"""Files that add to the hotpatch calendar: YAML text to the calendar with what it says, or every mistake in it with its place."""

from __future__ import annotations

from collections.abc import Iterator
from types import MappingProxyType
from typing import Final

from orchestrator.corrections.schema import CalendarFile, MonthSection, UpdateSection
from orchestrator.errors import Problem
from orchestrator.hotpatch.calendar import Calendar
from orchestrator.hotpatch.eligibility import base_of
from orchestrator.hotpatch.model import Between, MonthKind, Product, Release
from orchestrator.policy.checked import read_checked, refuse_if_any
from orchestrator.policy.complaints import Language
from orchestrator.policy.document import Document, Path

LANGUAGE: Final = Language(
    root=CalendarFile,
    homes=MappingProxyType(
        {
            CalendarFile: "at the top of the file",
            MonthSection: "in an entry of `months`",
            UpdateSection: "in an entry of `updates`",
        }
    ),
    entry="a month",
    entries="months",
    kinds=(),
    example="product: windows_server_2025, month: 2026-11, kind: hotpatch",
)


def read_calendar(file: str, content: str | bytes, known: Calendar) -> Calendar:
    """The calendar `known`, with what a file says in the place of what was known.

    Raises:
        PolicyError: with every problem of the file, each with its place and what to write instead.
    """
    document, checked, found = read_checked(file, content, CalendarFile, LANGUAGE)
    refuse_if_any([*found, *_nonsense(document, checked)])
    return known.corrected(map(_release, checked.months), map(_between, checked.updates))


# What doesn't fit together --------------------------------------------------------------------------------------


def _nonsense(document: Document, file: CalendarFile) -> Iterator[Problem]:
    if not (file.months or file.updates):
        yield document.problem(
            (), "a calendar that says nothing", "write `months` or `updates`, or leave the file out"
        )
    months: dict[object, int] = {}
    for number, month in enumerate(file.months):
        at: Path = ("months", number)
        first = months.setdefault((month.product, month.month), number)
        if first != number:
            yield _again(document, at, f"{month.month} of {month.product}", ("months", first))
        yield from _of_month(document, at, month)
    updates: dict[object, int] = {}
    for number, update in enumerate(file.updates):
        at = ("updates", number)
        first = updates.setdefault(update.kb, number)
        if first != number:
            yield _again(document, at, f"KB{update.kb}", ("updates", first))
        yield from _of_build(document, (*at, "build"), update.product, update.build)


def _again(document: Document, at: Path, what: str, first: Path) -> Problem:
    line = document.place(first).line
    return document.problem(at, f"{what} is there twice", f"keep this entry or the one of line {line}")


def _of_month(document: Document, at: Path, month: MonthSection) -> Iterator[Problem]:
    yield from _of_build(document, (*at, "build"), month.product, month.build)
    yield from _of_build(document, (*at, "lcu_build"), month.product, month.lcu_build)
    if month.kind.is_baseline and (month.lcu or month.lcu_build):
        key = "lcu" if month.lcu else "lcu_build"
        what = "a baseline is the cumulative update too"
        yield document.problem(
            (*at, key), what, f"write it as `{key.replace('lcu_', '').replace('lcu', 'kb')}`", key=True
        )
    if month.released is not None and (month.released.year, month.released.month) != (
        month.month.year,
        month.month.number,
    ):
        what = f"{month.released} isn't in {month.month}"
        yield document.problem((*at, "released"), what, "mend one of the two, or write an entry of `updates`")


def _of_build(
    document: Document, at: Path, product: Product, build: tuple[int, int] | None
) -> Iterator[Problem]:
    if build is not None and build[0] != base_of(product):
        what = f"{build[0]}.{build[1]} is no build of {product.named}"
        yield document.problem(at, what, f"its builds begin with {base_of(product)}")


# What it says ---------------------------------------------------------------------------------------------------


def _release(said: MonthSection) -> Release:
    baseline = said.kind.is_baseline
    build = _revision(said.build)
    return Release(
        product=said.product,
        month=said.month,
        kind=said.kind,
        kb=said.kb or "",
        build=build,
        lcu=(said.kb if baseline else said.lcu) or "",
        lcu_build=build if baseline else _revision(said.lcu_build),
        released=said.released,
        source=said.source or "",
        note="what this month is isn't known" if said.kind is MonthKind.UNKNOWN else "",
    )


def _between(said: UpdateSection) -> Between:
    return Between(said.product, said.kb, said.released, said.track, _revision(said.build), said.source or "")


def _revision(build: tuple[int, int] | None) -> int | None:
    return None if build is None else build[1]
