"""Findings as they are printed: for people with the line that they are about, for GitHub as annotations, for programs as rows."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from itertools import groupby
from operator import attrgetter
from typing import Any

from rich.text import Text

from orchestrator.cli.output import line, out
from orchestrator.errors import Problem
from orchestrator.review.catalogue import CATALOGUE, severity

_WIDEST = 160
"""Columns of a source line that are shown; a longer one is cut around the place."""


def for_people(problems: Iterable[Problem], texts: Mapping[str, str]) -> None:
    """File by file, each finding with its line and a caret below the place, where the text is known."""
    for file, found in groupby(problems, key=attrgetter("file")):
        lines = texts.get(file, "").splitlines()
        for problem in found:
            kind = severity(problem)
            place, _, _ = str(problem).partition(": ")
            said = f"{problem.what}; {problem.instead}" if problem.instead else problem.what
            style = "bold red" if kind == "error" else "bold yellow"
            code = f" {problem.code}" if problem.code else ""
            out.print(Text.assemble((place, "bold"), ": ", (kind, style), code, ": ", said))
            _source(problem, lines)
        line("")


def _source(problem: Problem, lines: list[str]) -> None:
    if not 0 < problem.line <= len(lines):
        return
    text = lines[problem.line - 1].replace("\t", " ")
    start = max(0, problem.column - _WIDEST // 2) if len(text) > _WIDEST else 0
    shown = text[start : start + _WIDEST].rstrip()
    gutter = f"{problem.line:5} | "
    out.print(Text.assemble((gutter, "bright_black"), shown))
    if problem.column:
        under = " " * (len(gutter) - 2) + "| " + " " * (problem.column - 1 - start) + "^"
        out.print(Text(under, style="bright_black"))


def for_github(problems: Iterable[Problem]) -> None:
    """Workflow commands, which GitHub shows at the lines of a pull request."""
    for problem in problems:
        kind = severity(problem)
        title = CATALOGUE[problem.code].title if problem.code in CATALOGUE else "Policy"
        named = {
            "file": problem.file,
            "line": problem.line,
            "col": problem.column,
            "title": f"{problem.code} {title}".strip(),
        }
        properties = ",".join(f"{name}={_property(str(value))}" for name, value in named.items() if value)
        said = f"{problem.what}; {problem.instead}" if problem.instead else problem.what
        sys.stdout.write(f"::{kind} {properties}::{_data(said)}\n")


def _data(text: str) -> str:
    """As a workflow command's message is escaped."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    """As a workflow command's properties are: what parts them is escaped, too."""
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def row_of(problem: Problem) -> dict[str, Any]:
    """A finding for programs; line and column are 0 where it is about the file as a whole."""
    return {
        "code": problem.code,
        "severity": severity(problem),
        "file": problem.file,
        "line": problem.line,
        "column": problem.column,
        "what": problem.what,
        "instead": problem.instead,
    }
