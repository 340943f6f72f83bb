"""Warnings that the author has silenced in place: `# wavekeeper: ignore[WK305] why`, at the line or above it.

A silence is an opinion that somebody will read in a year, so it takes a reason; and one that silences nothing would hide the next
mistake, so it is a warning itself. Errors can't be silenced.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from orchestrator.errors import Problem
from orchestrator.policy import codes
from orchestrator.policy.document import Document, Mark
from orchestrator.policy.values import did_you_mean
from orchestrator.review.catalogue import CATALOGUE, is_error, needs_fleet

_COMMENT: Final = re.compile(r"(?:^|(?<=\s))#\s*wavekeeper\b\s*:?(?P<said>.*)$", re.IGNORECASE)
_SAID: Final = re.compile(r"\s*ignore\s*\[(?P<codes>[^\]]*)\](?P<reason>.*)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Silence:
    """One comment. `line` is the line that it silences, which is its own or the next that says something."""

    codes: tuple[str, ...]
    reason: str
    line: int
    mark: Mark


@dataclass(frozen=True, slots=True)
class Heard:
    """What is left to be told, and what was silenced, each with the reason."""

    problems: tuple[Problem, ...]
    silenced: tuple[tuple[Problem, str], ...]


def hear(document: Document, problems: Sequence[Problem], *, whole: bool, with_fleet: bool) -> Heard:
    """Leave out what the file silences, and tell which silences are wrong.

    `whole`: all checks were made, so what silences nothing is known to; `with_fleet`: also those that take an inventory.
    """
    silences, odd = _read(document)
    used: set[tuple[Silence, str]] = set()
    left: list[Problem] = []
    silenced: list[tuple[Problem, str]] = []
    for problem in problems:
        silence = next(
            (one for one in silences if one.line == problem.line and problem.code in one.codes), None
        )
        if silence is not None:
            used.add((silence, problem.code))
        if silence is None or is_error(problem.code):
            left.append(problem)
        else:
            silenced.append((problem, silence.reason))
    left += odd
    for silence in silences:
        for code in silence.codes:
            judged = whole and (with_fleet or not needs_fleet(code))
            left += _judged(document, silence, code, used=(silence, code) in used, judged=judged)
    return Heard(tuple(left), tuple(silenced))


def _judged(
    document: Document, silence: Silence, code: str, *, used: bool, judged: bool
) -> Iterator[Problem]:
    if code not in CATALOGUE:
        near = did_you_mean(code, CATALOGUE)
        instead = f"did you mean {near}?" if near else "write a code such as WK305"
        yield _says(document, silence.mark, codes.NO_SUCH_CODE, f"there is no code `{code}`", instead)
    elif is_error(code):
        what = f"{code} is an error, and errors can't be silenced"
        yield _says(document, silence.mark, codes.NOT_SILENCED, what, "mend the error")
    elif not used and judged:
        what = f"nothing is silenced here: line {silence.line} has no {code}"
        yield _says(document, silence.mark, codes.SILENCES_NOTHING, what, "take the comment out")
    elif not silence.reason:
        what = f"{code} is silenced without a reason"
        yield _says(document, silence.mark, codes.NO_REASON, what, "write why after the bracket")


def _read(document: Document) -> tuple[list[Silence], list[Problem]]:
    silences: list[Silence] = []
    odd: list[Problem] = []
    if "wavekeeper" not in document.text.lower():
        return silences, odd
    lines = document.text.splitlines()
    for number, text in enumerate(lines, 1):
        found = _COMMENT.search(text)
        if found is None or _in_a_value(document, Mark(number, found.start() + 1)):
            continue
        mark = Mark(number, found.start() + 1)
        said = _SAID.fullmatch(found["said"])
        named = tuple(re.findall(r"[^\s,]+", said["codes"].upper())) if said else ()
        if said is None or not named:
            if _tries(found["said"]):
                what = "this comment for wavekeeper isn't understood"
                instead = "write `# wavekeeper: ignore[WK305] why`"
                odd.append(_says(document, mark, codes.NOT_A_SILENCE, what, instead))
            continue
        line = _next_line(lines, number) if text.lstrip().startswith("#") else number
        silences.append(Silence(named, said["reason"].strip(" \t:-"), line, mark))
    return silences, odd


def _tries(said: str) -> bool:
    """Whether a comment that names wavekeeper wants something of it, and isn't prose."""
    return bool(
        re.match(r"\s*[a-z]*ore\b|.*\bWK\d{3}|\s*(ig|disable|noqa|silence|skip)", said, re.IGNORECASE)
    )


def _next_line(lines: Sequence[str], number: int) -> int:
    """The next line that isn't blank and no comment."""
    for later in range(number, len(lines)):
        if lines[later].strip() and not lines[later].lstrip().startswith("#"):
            return later + 1
    return number


def _in_a_value(document: Document, mark: Mark) -> bool:
    return any(begin <= mark < end for begin, end in document.quoted)


def _says(document: Document, mark: Mark, code: str, what: str, instead: str) -> Problem:
    return Problem(document.file, mark.line, what, instead, mark.column, code)


def told(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """Each once, in the order of files and lines."""
    unique = dict.fromkeys(problems)
    return tuple(sorted(unique, key=lambda one: (one.file, one.line, one.column, one.code, one.what)))
