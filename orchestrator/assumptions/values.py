"""Values that assumptions have and policies haven't: chances."""

from __future__ import annotations

import re
from typing import Final

from orchestrator.policy.values import read_text, shown, wrong

_PERCENT: Final = re.compile(r"([0-9]{1,3}(?:\.[0-9]{1,6})?) ?%")
_FRACTION: Final = re.compile(r"0?\.[0-9]{1,6}|[01](?:\.0+)?")
_ONE_IN: Final = re.compile(r"(?:1|one)(?:/| in | of )([1-9][0-9]{0,6})")


def read_chance(value: object) -> float:
    """A percentage from `0%` to `100%`, as a number from 0 to 1."""
    text = read_text(value)
    percent = _PERCENT.fullmatch(text)
    if percent is None:
        raise wrong(f"{shown(text)} isn't a chance", _meant(text))
    if float(percent[1]) > 100:
        raise wrong(f"{shown(text)} is more than always", "write a percentage from 0% to 100%")
    return float(percent[1]) / 100


def _meant(text: str) -> str:
    if _FRACTION.fullmatch(text):
        return f"write {float(text) * 100:g}%"
    if one_in := _ONE_IN.fullmatch(text.lower()):
        return f"write {100 / int(one_in[1]):.4g}%"
    if re.fullmatch(r"[0-9]{1,2}(?:\.[0-9]+)?", text):
        return f"write {text}% if that is meant"
    return "write a percentage such as 1% or 0.5%"
