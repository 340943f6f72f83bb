"""Tests and what they came to, as JUnit XML: what build servers draw."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from xml.sax.saxutils import escape, quoteattr


@dataclass(frozen=True, slots=True)
class CaseReport:
    """One test. `failure` is empty where it passed; its first line is the summary."""

    file: str
    line: int
    name: str
    seconds: float
    failure: str = ""


def junit(tests: Sequence[CaseReport]) -> str:
    """The document: a suite a file, in the order given."""
    lines = ['<?xml version="1.0" encoding="UTF-8"?>']
    lines.append(f"<testsuites {_figures(tests)}>")
    for file, held in groupby(tests, key=lambda one: one.file):
        suite = list(held)
        lines.append(f"  <testsuite name={quoteattr(file)} {_figures(suite)}>")
        for one in suite:
            lines += _case(one)
        lines.append("  </testsuite>")
    lines.append("</testsuites>")
    return "\n".join(lines) + "\n"


def _figures(tests: Sequence[CaseReport]) -> str:
    failed = sum(bool(one.failure) for one in tests)
    seconds = sum(one.seconds for one in tests)
    return f'tests="{len(tests)}" failures="{failed}" errors="0" skipped="0" time="{seconds:.3f}"'


def _case(one: CaseReport) -> list[str]:
    opened = (
        f"    <testcase classname={quoteattr(one.file)} name={quoteattr(_sound(one.name))} "
        f'file={quoteattr(one.file)} line="{one.line}" time="{one.seconds:.3f}"'
    )
    if not one.failure:
        return [opened + "/>"]
    summary = _sound(one.failure.partition("\n")[0])
    body = escape(_sound(one.failure))
    failure = f'      <failure message={quoteattr(summary)} type="expectation">{body}</failure>'
    return [opened + ">", failure, "    </testcase>"]


def _sound(text: str) -> str:
    """Without the characters that XML 1.0 can't hold at all."""
    return "".join(
        c for c in text if c in "\t\n\r" or " " <= c <= "\ud7ff" or "\ue000" <= c <= "\ufffd" or c > "\uffff"
    )
