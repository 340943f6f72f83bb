"""How commands print: for people on the console, for programs as JSON. Never both on one stream."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import orjson
from rich.console import Console
from rich.table import Table
from rich.text import Text

out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)

_UNBOUNDED: Final = 10_000  # columns: wider than any row


def print_json(value: Any) -> None:
    """One JSON document, sorted and indented, instants as ISO 8601, spans as seconds."""
    sys.stdout.flush()
    sys.stdout.buffer.write(json_bytes(value))
    sys.stdout.buffer.flush()


def json_bytes(value: Any) -> bytes:
    """The same document, for a file."""
    options = orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS | orjson.OPT_APPEND_NEWLINE
    return orjson.dumps(value, default=_plain, option=options)


def _plain(value: object) -> object:
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, frozenset | set):
        return sorted(value)
    return str(value)


def columns(*headings: str, right: Sequence[str] = ()) -> Table:
    """An empty table without lines; the headings in `right` stand over figures."""
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="bright_black")
    for heading in headings:
        table.add_column(heading, justify="right" if heading in right else "left", overflow="fold")
    return table


def print_table(table: Table, console: Console = out, *, indent: int = 2) -> None:
    """A table, fitted to the terminal; elsewhere as wide as it is, a row a line, so that it can be searched."""
    width = console.width - indent if console.is_terminal else _UNBOUNDED
    for segments in console.render_lines(table, console.options.update(width=width), pad=False):
        row = Text(" " * indent)
        for segment in segments:
            row.append(segment.text, segment.style)
        row.rstrip()
        console.print(row)


def bullets(sentences: Iterable[str], console: Console = out, *, style: str = "", indent: int = 2) -> None:
    """Sentences one below the other, each wrapped under its own beginning."""
    table = Table.grid(padding=(0, 1, 0, 0))
    for sentence in sentences:
        table.add_row("-", Text(sentence, style=style))
    print_table(table, console, indent=indent)


def heading(text: str, console: Console = out) -> None:
    """A blank line, then a title over what follows."""
    console.print()
    console.print(Text(text, style="bold"))


def line(text: str, console: Console = out, *, style: str = "", indent: int = 0) -> None:
    """A line, or several, as they are: brackets in it are no markup."""
    console.print(Text("\n".join(" " * indent + row for row in text.split("\n")), style=style))


def count(number: int, noun: str, many: str = "") -> str:
    """`1 machine`, `1,200 machines`; `many` where an s is not enough."""
    return f"{number:,} {noun if number == 1 else many or noun + 's'}"


def some(names: Sequence[str], most: int = 3) -> str:
    """`web-01, web-02, web-03 and 4 more`."""
    return ", ".join(names[:most]) + (f" and {len(names) - most:,} more" if len(names) > most else "")


def when(moment: datetime | None) -> str:
    """An instant for people, or a dash."""
    return f"{moment:%Y-%m-%d %H:%M} UTC" if moment is not None else "-"


def span(length: timedelta) -> str:
    """A span for people: `1 d 4 h`, `25 min`, `40 s`."""
    seconds = int(length.total_seconds())
    if seconds < 120:
        return f"{seconds} s"
    if seconds < 7200:
        return f"{seconds // 60} min"
    if seconds < 172_800:
        return f"{seconds // 3600} h {seconds % 3600 // 60} min"
    return f"{seconds // 86_400} d {seconds % 86_400 // 3600} h"
