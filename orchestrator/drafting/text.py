"""Policies as text: values in the notation of one line, comments that wrap, and selectors."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from textwrap import wrap
from typing import Final

from orchestrator.policy.model import Selector

WIDTH: Final = 118

_PLAIN: Final = re.compile(r"[A-Za-z0-9_/][A-Za-z0-9_./+-]*")
"""Text that stands for itself in brackets and braces."""

_NO_VALUE: Final = frozenset({"null", "Null", "NULL"})

_KEYS: Final = (
    "names", "regions", "zones", "subscriptions", "resource_groups", "os", "kinds", "availability_sets", "scale_sets",
    "without_tags",
)  # fmt: skip


def scalar(value: str) -> str:
    """A text value, quoted where YAML would take it for something else."""
    if _PLAIN.fullmatch(value) and value not in _NO_VALUE:
        return value
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(c if c.isprintable() else f"\\U{ord(c):08x}" for c in escaped) + '"'


def listed(values: Sequence[str]) -> str:
    """One value alone, several in brackets."""
    if len(values) == 1:
        return scalar(values[0])
    return "[" + ", ".join(map(scalar, values)) + "]"


def mapping(entries: Mapping[str, str]) -> str:
    """Values that are YAML already, in braces."""
    return "{" + ", ".join(f"{scalar(key)}: {value}" for key, value in entries.items()) + "}"


def selector(select: Selector) -> str:
    """A selector in braces; `{}` for the one that selects everything."""
    entries: dict[str, str] = {}
    if select.tags:
        entries["tags"] = mapping({name: listed(values) for name, values in select.tags})
    for key in _KEYS:
        values = getattr(select, key)
        if values:
            entries[key] = listed(values)
    if select.none_of:
        entries["not"] = _several(select.none_of)
    if select.any_of:
        entries["any"] = _several(select.any_of)
    return mapping(entries)


def _several(selectors: Sequence[Selector]) -> str:
    return "[" + ", ".join(map(selector, selectors)) + "]"


def comment(text: str, indent: str = "") -> list[str]:
    """Lines of a comment, wrapped."""
    return [f"{indent}# {line}" for line in wrap(text, WIDTH - len(indent) - 2, break_on_hyphens=False)]


def name(told: str, otherwise: str) -> str:
    """A policy's name out of any text: letters, digits, `-`, `_` and `.`, at most 64."""
    found = re.sub(r"[^A-Za-z0-9._-]+", "-", told).strip("-._")[:64].rstrip("-._")
    return found or otherwise


def text(lines: Iterable[str]) -> str:
    """The file."""
    return "\n".join(lines).rstrip() + "\n"
