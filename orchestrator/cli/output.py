"""How commands print: for people on the console, for programs as JSON. Never both on one stream."""

from __future__ import annotations

import sys
from datetime import datetime, timedelta
from typing import Any

import orjson
from rich.console import Console

out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)


def print_json(value: Any) -> None:
    """One JSON document, sorted and indented, instants as ISO 8601, spans as seconds."""
    options = orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS | orjson.OPT_APPEND_NEWLINE
    sys.stdout.buffer.write(orjson.dumps(value, default=_plain, option=options))
    sys.stdout.buffer.flush()


def _plain(value: object) -> object:
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, frozenset | set):
        return sorted(value)
    return str(value)


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
