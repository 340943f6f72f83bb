"""Files of tests to tests, or every problem of every file at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from operator import itemgetter
from types import MappingProxyType
from typing import Final

from pydantic import ValidationError

from orchestrator.errors import PolicyError, Problem
from orchestrator.hotpatch.model import Restarts
from orchestrator.inventory.model import Os
from orchestrator.policy.build import selector
from orchestrator.policy.complaints import Language, complaints, without_value
from orchestrator.policy.document import Document, Path, read
from orchestrator.policy.model import Patches, Restart, Selector
from orchestrator.policy.schema.hours import WindowSection, ZoneSection
from orchestrator.policy.schema.section import Select
from orchestrator.rehearsal.model import MONDAY_MORNING, Ask, Book, Case, Expected, Run, Situation
from orchestrator.rehearsal.schema import expect
from orchestrator.rehearsal.schema.file import CaseSection, OneOffSection, RunSection, TestFile
from orchestrator.rehearsal.schema.fleet import FleetSection, GivenSection, MachinesSection

LANGUAGE: Final = Language(
    root=TestFile,
    homes=MappingProxyType(
        {
            TestFile: "at the top of the file",
            CaseSection: "in an entry of `tests`",
            FleetSection: "in `fleet`",
            MachinesSection: "in an entry of `machines`",
            GivenSection: "in `given`",
            RunSection: "in `run`",
            OneOffSection: "in `one_off`",
            Select: "in a selector, such as `of`",
            WindowSection: "in an entry of `inside`",
            ZoneSection: "in `time_zone`",
        }
    ),
    entry="an expectation",
    entries="expect",
    kinds=expect.KINDS,
    example="at_most_out: 1",
)


def read_books(files: Sequence[tuple[str, str | bytes]]) -> tuple[Book, ...]:
    """The tests of (name, text) pairs, in the order of the files' names.

    Raises:
        PolicyError: with every problem of every file, each with its line and what to write instead.
    """
    books, problems = [], []
    for file, content in sorted(files, key=itemgetter(0)):
        book, found = _read_one(file, content)
        problems += found
        if book is not None:
            books.append(book)
    if problems:
        raise PolicyError(problems)
    return tuple(books)


def _read_one(file: str, content: str | bytes) -> tuple[Book | None, list[Problem]]:
    document, problems = read(file, content)
    if document is None:
        return None, list(problems)
    found = [*problems, *(problem for problem in without_value(document) if not _may_be_empty(problem))]
    try:
        checked = TestFile.model_validate(document.data)
    except ValidationError as error:
        found += complaints(document, error, LANGUAGE)
        return None, list(dict.fromkeys(found))
    found += _nonsense(document, checked)
    if found:
        return None, list(dict.fromkeys(found))
    return Book(file, tuple(checked.policies), tuple(_cases(document, checked))), []


def _may_be_empty(problem: Problem) -> bool:
    return problem.what == "`run` has no value"


# What doesn't fit together --------------------------------------------------------------------------------------


def _nonsense(document: Document, file: TestFile) -> Iterator[Problem]:
    if file.fleet is not None:
        yield from _of_fleet(document, ("fleet",), file.fleet)
    names = Counter(case.name.lower() for case in file.tests)
    seen = set()
    for number, case in enumerate(file.tests):
        at = ("tests", number)
        if names[case.name.lower()] > 1 and case.name.lower() in seen:
            yield document.problem(
                (*at, "name"), f"two tests are called `{case.name}`", "name each for what it shows"
            )
        seen.add(case.name.lower())
        if case.fleet is not None:
            yield from _of_fleet(document, (*at, "fleet"), case.fleet)
        elif file.fleet is None:
            instead = "write `fleet`, here or for all tests at the top of the file"
            yield document.problem(at, "a test without machines", instead)
        if case.campaign is not None and case.one_off is not None:
            yield document.problem(
                (*at, "campaign"), "a one-off belongs to no campaign", "take one of the two out", key=True
            )
        yield from _of_run(document, at, case, file.given)
        for place, entry in enumerate(case.expect):
            yield from _of_expectation(document, (*at, "expect", place), entry)


def _of_fleet(document: Document, at: Path, fleet: FleetSection) -> Iterator[Problem]:
    if bool(fleet.machines) == (fleet.inventory is not None):
        instead = "write exactly one of `machines` and `inventory`"
        yield document.problem(at, "a fleet is written inline, or it is of an inventory file", instead)
    for number, row in enumerate(fleet.machines):
        if row.availability_set and row.scale_set:
            what = "a machine is in an availability set or in a scale set"
            yield document.problem((*at, "machines", number), what, "take one of the two out")
        if (row.update_domain or row.fault_domain) and not (row.availability_set or row.scale_set):
            what = "domains belong to an availability set or a scale set"
            yield document.problem(
                (*at, "machines", number), what, "say in which set they are, or take the domains out"
            )
        if Restarts.NEVER in row.restarts and set(row.os) != {Os.WINDOWS}:
            what = "only Windows has updates that never restart a machine"
            yield document.problem((*at, "machines", number, "restarts"), what, "write `os: windows`")
        if row.update_domain and row.scale_set:
            what = "a Flexible scale set has no update domains"
            yield document.problem((*at, "machines", number, "update_domain"), what, "write `fault_domain`")


def _of_run(document: Document, at: Path, case: CaseSection, given: GivenSection) -> Iterator[Problem]:
    if case.run is not None:
        return
    if case.given is not None and case.given.unhealthy is not None:
        where: Path = (*at, "given", "unhealthy")
    elif given.unhealthy is not None:
        where = ("given", "unhealthy")
    else:
        where = ()
    if where:
        what = "what is done about machines that are unwell is seen only in a rollout"
        yield document.problem(where, what, "write `run: {}` in each test that it is given", key=True)
    for place, entry in enumerate(case.expect):
        if isinstance(entry, expect.NEEDS_RUN):
            what = "this is seen only in a rollout"
            yield document.problem((*at, "expect", place), what, "write `run: {}` in the test")


def _of_expectation(document: Document, at: Path, entry: expect.Expectation) -> Iterator[Problem]:
    match entry:
        case expect.InStage() if entry.holds is None and entry.includes is None and entry.at_most is None:
            instead = "write `holds`, `includes` or `at_most`"
            yield document.problem(at, "nothing is expected of the stage", instead)
        case expect.InOrder() if len(entry.order) < 2:
            yield document.problem((*at, "order"), "an order of one", "write at least two selectors")
        case expect.Outside() if entry.outside.last < entry.outside.first:
            yield document.problem((*at, "outside"), "the last day is before the first", "exchange them")
        case expect.Inside():
            for number, window in enumerate(entry.inside):
                if not window.start and not window.days_after_second_tuesday:
                    instead = "write `start`, such as start: [fri, sat]"
                    yield document.problem((*at, "inside", number), "a window that never starts", instead)
        case _:
            pass


# Tests ----------------------------------------------------------------------------------------------------------


def _cases(document: Document, file: TestFile) -> Iterator[Case]:
    for number, case in enumerate(file.tests):
        at = ("tests", number)
        mine = case.fleet is not None
        fleet = case.fleet if case.fleet is not None else file.fleet
        assert fleet is not None
        yield Case(
            name=case.name,
            origin=document.origin(at),
            fleet=fleet,
            fleet_origin=document.origin((*at, "fleet") if mine else ("fleet",)),
            situation=_situation(file.given, case.given or GivenSection()),
            ask=_ask(case),
            run=_run(case.run) if case.run is not None else None,
            expected=tuple(
                Expected(entry, document.origin((*at, "expect", place)))
                for place, entry in enumerate(case.expect)
            ),
        )


def _situation(common: GivenSection, own: GivenSection) -> Situation:
    off = own.off if own.off is not None else common.off
    unhealthy = own.unhealthy if own.unhealthy is not None else common.unhealthy
    return Situation(own.now or common.now or MONDAY_MORNING, _maybe(off), _maybe(unhealthy))


def _ask(case: CaseSection) -> Ask:
    if case.one_off is None:
        return Ask(case.campaign)
    change = Restart() if case.one_off.change == "restart" else Patches()
    return Ask(None, change, selector(case.one_off.select))


def _run(section: RunSection) -> Run:
    return Run(
        unhealthy=_maybe(section.unhealthy),
        not_changed=_maybe(section.not_changed),
        stays_out=_maybe(section.stays_out),
        approve=section.approve == "yes",
        at_most=section.at_most,
    )


def _maybe(select: Select | None) -> Selector | None:
    return selector(select) if select is not None else None
