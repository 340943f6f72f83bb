"""Names in the short notation of tests: `web-[01-12]`, `db-[1-3,5]`, `[fra,ams]-web-[1-2]`."""

from __future__ import annotations

import re
from itertools import product
from typing import Final

from orchestrator.policy.values import read_text, shown, wrong

MOST: Final = 5_000
"""Machines that one notation may name: a test is read by people, and runs in seconds."""

_BRACKETS: Final = re.compile(r"\[([^\[\]]*)\]")
_RANGE: Final = re.compile(r"([0-9]{1,6})-([0-9]{1,6})")
_WORD: Final = re.compile(r"[A-Za-z0-9._]+")


def expand(value: object) -> list[str]:
    """All names of a notation, in order. A range keeps the zeros of its first number: `[01-12]` is 01, 02, ... 12.

    Raises the error of a value (`values.wrong`) for a notation that names nobody or far too many.
    """
    text = read_text(value)
    parts = _BRACKETS.split(text)  # plain, inside, plain, inside, ..., plain
    if any("[" in plain or "]" in plain for plain in parts[::2]):
        raise wrong(f"{shown(text)} has a bracket without its partner", "write ranges such as web-[01-12]")
    choices = [[part] if place % 2 == 0 else _choices(part, text) for place, part in enumerate(parts)]
    many = 1
    for choice in choices:
        many *= len(choice)
    if many > MOST:
        raise wrong(f"{shown(text)} names {many:,} machines", f"name at most {MOST:,} in a test")
    return ["".join(parts) for parts in product(*choices)]


def _choices(inside: str, text: str) -> list[str]:
    """What one pair of brackets stands for."""
    found: list[str] = []
    for part in (part.strip() for part in inside.split(",")):
        span = _RANGE.fullmatch(part)
        if span:
            first, last = int(span[1]), int(span[2])
            if last < first or last - first >= MOST:
                raise wrong(f"{shown(text)} has the range {part}", "write the smaller number first")
            found += [f"{number:0{len(span[1])}}" for number in range(first, last + 1)]
        elif _WORD.fullmatch(part):
            found.append(part)
        else:
            instead = "write numbers, a range such as [01-12], or both, joined by commas"
            raise wrong(f"{shown(text)} has [{inside}], which names nobody", instead)
    return found
