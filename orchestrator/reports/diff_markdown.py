"""A comparison of two plans as Markdown, for a pull request: figures first, the rest to unfold, never longer than a comment may be.

What others named stands in code spans, in which nothing has a meaning: no HTML, no link, no mention of anybody.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from typing import Final

from orchestrator.planner.diff_model import PlanDiff
from orchestrator.planner.diff_words import (
    Figure,
    Foreign,
    Section,
    Sentence,
    figures,
    headline,
    made_of,
    sections,
)

MOST_CHARACTERS: Final = 60_000
"""GitHub refuses a comment of more than 65,536 characters; some of them are left to whoever adds a word."""

MOST_SENTENCES: Final = 25
"""Of each section; whoever wants all of them asks for `wavekeeper diff --verbose`."""

_LONGEST: Final = 160  # characters of one foreign part


def markdown(diff: PlanDiff) -> str:
    """The comparison as Markdown."""
    names = list(dict.fromkeys((diff.was.name, diff.now.name)))
    title = " and ".join(code(name) for name in names)
    text = f"### Plan {title}\n\n**{headline(diff)}** {made_of(diff)}\n"
    if not diff.differ:
        return text
    text += "\n" + _table(figures(diff))
    left = MOST_CHARACTERS - len(text)
    for section in sections(diff):
        unfolding = _unfolding(section, left)
        left -= len(unfolding)
        text += unfolding
    return text


def code(text: str, *, in_table: bool = False) -> str:
    """Others' words as a code span, on one line, shortened if they are long."""
    plain = "".join(" " if unicodedata.category(char).startswith(("C", "Z")) else char for char in text)
    plain = " ".join(plain.split()) or "(nothing)"
    if len(plain) > _LONGEST:
        plain = plain[: _LONGEST - 1] + "…"
    fence = "`" * (1 + max(map(len, re.findall(r"`+", plain)), default=0))
    pad = " " if plain.startswith("`") or plain.endswith("`") else ""
    span = f"{fence}{pad}{plain}{pad}{fence}"
    return span.replace("|", "\\|") if in_table else span


def _table(rows: Iterable[Figure]) -> str:
    """The figures that changed, and the few that are always asked for; with very many stages not all of them."""
    told = [row for row in rows if row.was != row.now or row.what in _ALWAYS]
    lines = ["| | before | after | |", "|---|--:|--:|--:|"]
    for row in told[:_MOST_ROWS]:
        what, change = _written(row.what, in_table=True), (row.now or 0) - (row.was or 0)
        lines.append(
            f"| {what} | {_figure(row.was)} | {_figure(row.now)} | {f'{change:+,}' if change else ''} |"
        )
    return "\n".join(lines) + "\n"


_MOST_ROWS: Final = 40
_ALWAYS: Final = (("machines",), ("left out",), ("waves one after another",))


def _figure(value: int | None) -> str:
    return "-" if value is None else f"{value:,}"


def _unfolding(section: Section, room: int) -> str:
    """A section to unfold, with as many of its sentences as there is room for; empty if there is none for its title."""
    begin, end = f"\n<details><summary>{section.title}</summary>\n\n", "\n</details>\n"
    room -= len(begin) + len(end) + len(_more(len(section.sentences)))
    if room < 0:
        return ""
    lines = list(_within(section.sentences[:MOST_SENTENCES], room))
    more = len(section.sentences) - len(lines)
    return begin + "".join(lines) + (_more(more) if more else "") + end


def _within(sentences: Iterable[Sentence], room: int) -> Iterator[str]:
    for sentence in sentences:
        line = f"- {_written(sentence)}\n"
        room -= len(line)
        if room < 0:
            return
        yield line


def _more(count: int) -> str:
    return f"- and {count:,} more: `wavekeeper diff --verbose`\n"


def _written(sentence: Sentence, *, in_table: bool = False) -> str:
    return "".join(code(part, in_table=in_table) if isinstance(part, Foreign) else part for part in sentence)
