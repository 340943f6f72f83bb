"""What editors are told of values: the shapes that the readers of `values` and `time_values` take, as JSON Schema.

YAML gives an editor `25` as a number and `25%` as text, where the loader sees text both times; so most values may be either. A
pattern says all that a reader refuses for its form. What takes arithmetic (longer than a year, 30 February, a time zone that exists)
is left to the loader. Every pattern means the same to ECMA-262 and to Python.

`NOTE` isn't a keyword of JSON Schema: the generator takes it out and appends it to the description of each key that takes the value.
"""

from __future__ import annotations

from typing import Any, Final

Shape = dict[str, Any]

NOTE: Final = "x-note"
"""How a value is written, for the description of whatever takes it."""

SAID: Final = "patternErrorMessage"
"""What editors that know this keyword say in place of the pattern; all others pass over it."""

_WHOLE: Final = "[1-9][0-9]{0,6}"
_PERCENT: Final = r"(?!0{1,3}(\.0{1,4})? ?%)(0?[0-9]{1,2}(\.[0-9]{1,4})?|100(\.0{1,4})?) ?%"
_DURATION: Final = "([0-9]{1,5}d)?([0-9]{1,6}h)?([0-9]{1,7}m)?([0-9]{1,8}s)?$"
_DURATION_NOTE: Final = "A duration: 90s, 30m, 4h, 1h30m, 7d, largest unit first."
_DURATION_SAID: Final = "write a duration as 90s, 30m, 4h, 1h30m or 7d, largest unit first"
_SHARE_NOTE: Final = "A count of machines such as 3, or a percentage such as 25%."


def numeric(least: int, most: int, pattern: str, note: str) -> Shape:
    """A whole number, in quotes or not."""
    return {
        "type": ["integer", "string"], "minimum": least, "maximum": most, "pattern": f"^({pattern})$",
        SAID: f"write a whole number from {least} to {most}", NOTE: note,
    }  # fmt: skip


def share(*besides: str, forbidden: str = "") -> Shape:
    """A count or a percentage, or one of some words; `forbidden` is a pattern of what isn't one all the same."""
    said = " or ".join(["write a count such as 3, a percentage such as 25%", *besides])
    pattern = f"^{forbidden}({'|'.join([*besides, _WHOLE, _PERCENT])})$"
    note = _SHARE_NOTE if not besides else _SHARE_NOTE.replace(", or", ",")[:-1] + f", or {besides[0]}."
    return {
        "type": ["integer", "string"], "minimum": 1, "maximum": 9_999_999, "pattern": pattern, SAID: said, NOTE: note,
    }  # fmt: skip


TEXT: Final[Shape] = {"type": ["string", "number", "boolean"], "pattern": r"\S"}
NAME: Final[Shape] = {
    "type": ["string", "number", "boolean"], "minimum": 0, "pattern": "^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$",
    SAID: "use letters, digits, `-`, `_` and `.` only, at most 64, the first a letter or a digit",
}  # fmt: skip
VERSION: Final[Shape] = {"enum": [1, "1"]}
KB: Final[Shape] = {
    "type": ["integer", "string"], "minimum": 100_000, "maximum": 99_999_999, "pattern": "^([Kk][Bb])?[0-9]{6,8}$",
    SAID: "write a KB's digits, such as 5087423",
}  # fmt: skip
NAME_MASK: Final[Shape] = {
    "type": ["integer", "string"], "minimum": 0, "pattern": "^[A-Za-z0-9*?]+$",
    SAID: "use letters, digits, `*` and `?` only",
}  # fmt: skip
PACKAGE: Final = r"[A-Za-z0-9*?][A-Za-z0-9*?._+-]*(=[A-Za-z0-9*?._+:~^-]+)?"
PACKAGE_MASK: Final[Shape] = {
    "type": ["integer", "string"], "minimum": 0, "pattern": f"^{PACKAGE}$",
    SAID: "write a name with `*` and `?` where they may differ, or name=version",
}  # fmt: skip
COUNT: Final = numeric(1, 9_999_999, _WHOLE, "A whole number from 1.")
PORT: Final = numeric(1, 65_535, "[1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5]", "A number from 1 to 65535.")  # fmt: skip
STATUS: Final = numeric(100, 599, "[1-5][0-9]{2}", "A number such as 200.")
AFTER_PATCH_DAY: Final = numeric(0, 27, "0?[0-9]|1[0-9]|2[0-7]", "A number of days from 0 to 27.")
DOMAIN: Final = numeric(0, 99, "[0-9]{1,2}|unknown", "A number from 0 on, or unknown.")
FLAG: Final[Shape] = {"type": "boolean"}
POSITIVE_SHARE: Final = share()
MIN_SHARE: Final = share("majority", forbidden=r"(?!100(\.0{1,4})? ?%)")
DURATION: Final[Shape] = {"type": "string", "pattern": "^(?=[0-9])" + _DURATION, SAID: _DURATION_SAID, NOTE: _DURATION_NOTE}  # fmt: skip
POSITIVE_DURATION: Final[Shape] = {**DURATION, "pattern": "^(?=.*[1-9])" + _DURATION}
CLOCK: Final[Shape] = {
    "type": "string", "pattern": "^([01]?[0-9]|2[0-3]):[0-5][0-9]$", SAID: 'write hours and minutes in quotes, such as "22:00"',
    NOTE: 'A time of day in quotes: "22:00".',
}  # fmt: skip
DATE: Final[Shape] = {
    "type": "string", "format": "date", "pattern": "^2[01][0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$",
    SAID: "write year, month and day as 2026-12-18", NOTE: "A date: 2026-12-18.",
}  # fmt: skip
ZONE_NAME: Final[Shape] = {"type": "string", "pattern": r"\S"}
MOMENT: Final[Shape] = {"type": "string", "pattern": "^2[01][0-9]{2}-?[0-9W]"}
NAMES: Final[Shape] = {"anyOf": [TEXT, {"type": "array", "items": TEXT, "minItems": 1}]}


def group_kind(kinds: tuple[str, ...]) -> Shape:
    """A kind of group: one of these, or a tag."""
    return {"anyOf": [{"enum": list(kinds)}, {"type": "string", "pattern": r"^tag:\s*\S"}]}
