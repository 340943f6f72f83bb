"""Files of tests, opened with all that they name: policies and inventories, read once each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from os.path import normpath
from pathlib import Path

from orchestrator.errors import InventoryError, PolicyError, Problem, Refused, UsageError
from orchestrator.inventory.model import Inventory
from orchestrator.policy.model import Policy
from orchestrator.policy.own import own
from orchestrator.rehearsal.fleet import made
from orchestrator.rehearsal.model import Book, Case, Result
from orchestrator.rehearsal.read import read_books
from orchestrator.simulation.rehearse import rehearse
from orchestrator.wiring.files import floor, read_inventory, read_policies, read_tests


@dataclass(frozen=True, slots=True)
class Performance:
    """One test, ready to be carried out."""

    file: str
    case: Case
    fleet: Inventory
    policies: tuple[Policy, ...]
    floor: Policy

    def perform(self) -> Result:
        """Carry it out."""
        return rehearse(self.case, self.fleet, self.policies, self.floor)


def open_books(places: Sequence[Path]) -> list[Performance]:
    """Every test of these files and folders, in the order of files and lines.

    Raises:
        UsageError: if a place doesn't exist or holds no tests.
        PolicyError: with everything that is wrong in any of the files, the policies that they name included.
    """
    books = read_books(read_tests(places))
    built_in = floor()
    problems: dict[Problem, None] = {}
    found: list[Performance] = []
    inventories: dict[Path, Inventory] = {}
    for book in books:
        try:
            policies = _policies(book)
            found += [
                Performance(book.file, case, _fleet(book, case, inventories), policies, built_in)
                for case in book.cases
            ]
        except PolicyError as error:
            problems.update(dict.fromkeys(error.problems))
    if problems:
        raise PolicyError(list(problems))
    return found


def _policies(book: Book) -> tuple[Policy, ...]:
    """The policies of a book, without a copy of the built-in ones, which hold anyway."""
    places = [_beside(book, place) for place in book.policies]
    try:
        read = read_policies(places)
    except UsageError as error:
        raise PolicyError(
            [Problem(book.file, 1, f"its policies: {error}", "name them from its own folder on")]
        ) from None
    return own(read)


def _fleet(book: Book, case: Case, known: dict[Path, Inventory]) -> Inventory:
    where = case.fleet_origin
    try:
        if case.fleet.inventory is None:
            return made(case.fleet.machines, case.situation.now)
        path = _beside(book, case.fleet.inventory)
        if path not in known:
            known[path] = read_inventory(path)
        return known[path]
    except (InventoryError, UsageError, Refused) as error:
        raise PolicyError([Problem(where.file, where.line, str(error))]) from None


def _beside(book: Book, place: str) -> Path:
    """A path as the book names it, from its own folder on."""
    return Path(normpath(Path(book.file).parent / place))
