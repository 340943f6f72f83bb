"""YAML text to events: what begins where. Scanned by libyaml where it is, twenty times as fast; told by ruamel.yaml what is wrong.

The two agree on what they accept, but for characters that YAML 1.1 took for ends of lines and 1.2 doesn't: those, and all others that
nobody sees, are refused before either looks. Where libyaml refuses a text ruamel.yaml has the last word, since its complaints name
the character that is at fault, and since it knows YAML 1.2. No value is ever resolved or constructed by either.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import Enum, auto
from typing import Any, Final, NamedTuple

from ruamel.yaml import YAML, events
from ruamel.yaml.error import MarkedYAMLError

from orchestrator.errors import Problem

try:
    import yaml as libyaml
    from yaml.cyaml import CParser
except ImportError:  # PyYAML built without libyaml
    CParser = None


class Kind(Enum):
    """What an event says."""

    DOCUMENT = auto()
    ALIAS = auto()
    SCALAR = auto()
    SEQUENCE = auto()
    MAPPING = auto()
    END = auto()  # of a sequence or a mapping


class Event(NamedTuple):
    """One event. Lines and columns count from 1; `plain` is a scalar without quotes."""

    kind: Kind
    line: int
    column: int
    value: str = ""
    anchor: str | None = None
    tag: str | None = None
    plain: bool = False
    last_line: int = 0
    last_column: int = 0


_NAMES: Final = (
    ("DocumentStartEvent", Kind.DOCUMENT),
    ("AliasEvent", Kind.ALIAS),
    ("ScalarEvent", Kind.SCALAR),
    ("SequenceStartEvent", Kind.SEQUENCE),
    ("MappingStartEvent", Kind.MAPPING),
    ("SequenceEndEvent", Kind.END),
    ("MappingEndEvent", Kind.END),
)
_FAMILIES: Final[tuple[Any, ...]] = (events,) if CParser is None else (events, libyaml)
_KINDS: Final[dict[type, Kind]] = {
    getattr(family, name): kind for family in _FAMILIES for name, kind in _NAMES
}
"""Both parsers' classes of events, which are called alike."""


class Unreadable(Exception):
    """A text that isn't YAML."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(str(problem))
        self.problem = problem


def read_events(file: str, text: str) -> Iterator[Event]:
    """The events of a text, in order.

    Raises:
        Unreadable: where the text ends to be YAML; what came before was given.
    """
    if CParser is None:
        yield from _slowly(file, text)
        return
    given = 0
    try:
        for event in _fast(text):
            yield event
            given += 1
    except libyaml.YAMLError:
        # ruamel.yaml reads it anew: what it gives is the same as far as libyaml came.
        for place, event in enumerate(_slowly(file, text)):
            if place >= given:
                yield event


def _fast(text: str) -> Iterator[Event]:
    parser = CParser(text)
    try:
        while parser.check_event():
            kind = _KINDS.get(type(event := parser.get_event()))
            if kind is not None:
                yield _event(kind, event)
    finally:
        parser.dispose()


def _slowly(file: str, text: str) -> Iterator[Event]:
    last = 0  # where the last event ended, in characters
    try:
        for event in YAML(typ="safe", pure=True).parse(text):
            last = event.end_mark.index
            kind = _KINDS.get(type(event))
            if kind is not None:
                yield _event(kind, event)
    except MarkedYAMLError as error:
        raise Unreadable(_syntax(file, error)) from None
    except Exception as error:  # noqa: BLE001 - odd escapes and directives raise OverflowError and AssertionError
        raise Unreadable(_odd(file, text, last, error)) from None


def _odd(file: str, text: str, last: int, error: Exception) -> Problem:
    """What the parser broke on without a word for people, somewhere behind the last event."""
    escape = _NO_CHARACTER.search(text, last)
    place = escape.start() if escape else getattr(error, "position", last)  # ReaderError has one
    said = (str(error) or type(error).__name__).splitlines()[0]
    what = f"`{escape[0]}` is an escape of no character" if escape else f"this isn't YAML: {said}"
    line, column = position(text, place)
    return Problem(file, line, what, "take the odd character, escape or directive out", column)


def _event(kind: Kind, event: Any) -> Event:
    if kind is Kind.END:
        return Event(kind, 0, 0)  # the parsers differ on where a block ends, and nobody asks
    mark = event.start_mark
    line, column = mark.line + 1, mark.column + 1
    if kind is Kind.SCALAR:
        end = event.end_mark
        tag = event.tag if event.tag is None else str(event.tag)
        plain = not event.style
        return Event(kind, line, column, event.value, event.anchor, tag, plain, end.line + 1, end.column + 1)
    if kind is Kind.ALIAS:
        return Event(kind, line, column, anchor=event.anchor)
    if kind in {Kind.SEQUENCE, Kind.MAPPING}:
        return Event(
            kind, line, column, anchor=event.anchor, tag=event.tag if event.tag is None else str(event.tag)
        )
    return Event(kind, line, column)


# Before the parser ----------------------------------------------------------------------------------------------

_UNSEEN: Final = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]"
)
"""Characters that YAML forbids, takes for the end of a line in one version and not in the other, or that nobody sees."""

_NO_CHARACTER: Final = re.compile(r"\\U(?!000[0-9A-Fa-f]|0010)[0-9A-Fa-f]{8}")
"""An escape beyond the last character of Unicode."""

_LINE_END: Final = re.compile("\r\n|\r|\n")
"""What ends a line for editors and for `position`; `str.splitlines` knows others besides."""

_UNSEEN_NAMES: Final = {"\x00": "a NUL", "\x85": "a line separator", "\u2028": "a line separator",
                        "\u2029": "a paragraph separator", "\ufeff": "a byte order mark"}  # fmt: skip


def unseen(file: str, text: str) -> Iterator[Problem]:
    """The first character of each kind that nobody sees."""
    told = set()
    for found in _UNSEEN.finditer(text):
        character = found[0]
        if character not in told:
            told.add(character)
            line, column = position(text, found.start())
            named = _UNSEEN_NAMES.get(character, "a character that nobody sees")
            what = f"{named} (U+{ord(character):04X}) in the text"
            yield Problem(file, line, what, "take it out: type the line anew", column)


def tabs(file: str, text: str) -> Iterator[Problem]:
    """Tabs before a line's first word: the parser takes some of them for any depth, so none is let through."""
    if "\t" not in text:
        return
    for number, line in enumerate(_LINE_END.split(text), 1):
        if "\t" in line and line.strip() and (column := line.find("\t")) < len(line) - len(line.lstrip()):
            yield Problem(file, number, "a tab in the indentation", "indent with spaces", column + 1)


def position(text: str, place: int) -> tuple[int, int]:
    """Line and column, from 1, of a character."""
    before = text[:place].replace("\r\n", "\n").replace("\r", "\n")
    return before.count("\n") + 1, len(before) - before.rfind("\n")


# What the parser says -------------------------------------------------------------------------------------------

_SAID_BETTER: Final = (
    # What the parser says (its beginning), what a person understands, what to write instead.
    ("mapping values are not allowed", "a second `:` on this line", 'quote text that holds ": "'),
    ("found character '\\t'", "a tab", "use spaces"),
    ("found character '@'", "text can't begin with `@`", "quote it"),
    ("found character '`'", "text can't begin with a backtick", "quote it"),
    ("found character '%'", "text can't begin with `%`", "quote it"),
    ("found unexpected end of stream", "a quote is never closed", "close it"),
    ("expected ',' or ']'", "a list in brackets is never closed, or a comma is missing", "close it with `]`"),
    (
        "expected ',' or '}'",
        "a mapping in braces is never closed, or a comma is missing",
        "close it with `}`",
    ),
    ("could not find expected ':'", "a key without `:`", "write `key: value`"),
    (
        "expected <block end>",
        "this line's indentation fits nothing above it",
        "line it up with its neighbours",
    ),
    ("expected alphabetic or numeric character", "`*` or `&` at the beginning of text", 'quote it: "*"'),
)


def _syntax(file: str, error: MarkedYAMLError) -> Problem:
    mark = error.problem_mark or error.context_mark
    said = (error.problem or error.context or "this isn't YAML").strip()
    what, instead = f"this isn't YAML: {said.splitlines()[0]}", ""
    for beginning, better, meant in _SAID_BETTER:
        if said.startswith(beginning):
            what, instead = better, meant
    if "never closed" in what:
        mark = (
            error.context_mark or mark
        )  # where it was opened; the problem is seen at the end of the file only
    line, column = (mark.line + 1, mark.column + 1) if mark else (0, 0)
    return Problem(file, line, what, instead, column)
