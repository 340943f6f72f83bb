"""YAML text to a document: plain mappings, lists and text, with the place of every key and value.

**Every scalar stays text** until the schema says what it is. That takes YAML's traps away instead of warning of
them: `1:30`, `no`, `1e3`, `017` and `2026-12-18` are what somebody typed, and the reader of that very key decides
what to make of it. Only an empty value, `~` and `null` mean "no value".

ruamel.yaml scans and parses (YAML 1.2, pure Python, no tags are ever constructed); composing its events is done
here because a position, a duplicate key and a runaway anchor must each become a sentence about a line.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    NodeEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from orchestrator.errors import PolicyError, Problem
from orchestrator.policy.model import Origin

MAX_CHARACTERS: Final = 256 * 1024
"""The longest policy text that is read: some 5,000 lines, where a long policy has 200. Check a file's size before reading it."""

MAX_DEPTH: Final = 32
"""How deep values may nest; the deepest thing that the language has a use for is below 12."""

MAX_VALUES: Final = 20_000
"""How many values a document may hold once its anchors are written out."""

Value = str | None | list["Value"] | dict[str, "Value"]
Path = tuple[str | int, ...]
"""Where in a document: mapping keys and list indexes, outermost first."""

_NULLS: Final = frozenset({"", "~", "null", "Null", "NULL"})


@dataclass(frozen=True, slots=True, order=True)
class Mark:
    """A place in the text; both count from 1."""

    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Document:
    """One file's content and where each of it stands. An aliased value stands where its anchor does."""

    file: str
    data: dict[str, Value]
    keys: Mapping[Path, Mark]
    values: Mapping[Path, Mark]

    def place(self, path: Path, *, key: bool = False) -> Mark:
        """Where `path` was written: its value, or with `key` its key. Of a path that isn't there, the nearest around it."""
        for end in range(len(path), 0, -1):
            part = path[:end]
            mark = (self.keys.get(part) if key else None) or self.values.get(part)
            if mark:
                return mark
        return self.values.get((), Mark(1, 1))

    def origin(self, path: Path) -> Origin:
        """The line of a key, or of a list's entry."""
        return Origin(self.file, self.place(path, key=True).line)

    def is_mapping(self, path: Path) -> bool:
        """Whether a mapping was written at `path`, and not a value that stands for one."""
        value: Any = self.data
        for part in path:
            value = value[part]
        return isinstance(value, dict)

    def problem(self, path: Path, what: str, instead: str = "", *, key: bool = False) -> Problem:
        """Something wrong at `path`."""
        mark = self.place(path, key=key)
        return Problem(self.file, mark.line, what, instead, mark.column)


@dataclass(slots=True)
class _Node:
    """A value as composed: shared wherever an alias names it."""

    mark: Mark
    scalar: str | None = None
    items: list[_Node] | None = None
    entries: dict[str, tuple[Mark, _Node]] | None = None


def read(file: str, text: str) -> tuple[Document | None, tuple[Problem, ...]]:
    """Read one text. Without a document there is at least one problem; with one there may be some all the same."""
    if len(text) > MAX_CHARACTERS:
        what = f"the file has {len(text):,} characters, and a policy may have {MAX_CHARACTERS:,}"
        return None, (Problem(file, 0, what, "is it a policy? split it if it is"),)
    if tabs := _tabs(file, text):
        return None, tabs
    composer = _Composer(file, text)
    spread = _Spread(file)
    try:
        data = spread.value(_mapping(file, composer.compose()), ())
    except PolicyError as broken:
        return None, (*composer.problems, *broken.problems)
    assert isinstance(data, dict)
    return Document(file, data, spread.keys, spread.values), tuple(composer.problems)


def _mapping(file: str, root: _Node) -> _Node:
    if root.entries is not None:
        return root
    kind = "a list" if root.items is not None else "a single value"
    instead = "write keys at the start of lines, the first being `version: 1`"
    raise _broken(file, root.mark, f"the file holds {kind}, not a policy", instead)


def _broken(file: str, mark: Mark, what: str, instead: str) -> PolicyError:
    """A problem that ends the reading of this file."""
    return PolicyError([Problem(file, mark.line, what, instead, mark.column)])


def _tabs(file: str, text: str) -> tuple[Problem, ...]:
    """Tabs before a line's first word: the parser takes some of them for any depth, so none is let through."""
    return tuple(
        Problem(file, number, "a tab in the indentation", "indent with spaces", column + 1)
        for number, line in enumerate(text.splitlines(), 1)
        if "\t" in line and line.strip() and (column := line.find("\t")) < len(line) - len(line.lstrip())
    )


class _Composer:
    """Events to nodes. It recurses, no deeper than MAX_DEPTH."""

    def __init__(self, file: str, text: str) -> None:
        self.problems: list[Problem] = []
        self._file = file
        self._events = _events(file, text)
        self._anchors: dict[str, _Node | None] = {}  # None while the anchored value is being read
        self._count = 0

    def compose(self) -> _Node:
        """The one document's root."""
        root: _Node | None = None
        for event in self._events:
            if isinstance(event, DocumentStartEvent) and root is not None:
                raise self._broken(
                    event, "a second document starts here", "one policy a file: move it to its own"
                )
            if isinstance(event, NodeEvent):
                root = self._node(event, depth=1)
        if root is None:
            raise PolicyError([Problem(self._file, 0, "the file is empty", "start with `version: 1`")])
        return root

    def _node(self, event: Event, depth: int) -> _Node:
        self._count += 1
        if self._count > MAX_VALUES:
            raise self._broken(event, f"more than {MAX_VALUES:,} values", "split the policy")
        if depth > MAX_DEPTH:
            raise self._broken(event, f"values nest deeper than {MAX_DEPTH}", "flatten them")
        if isinstance(event, AliasEvent):
            return self._alias(event)
        assert isinstance(event, (ScalarEvent, SequenceStartEvent, MappingStartEvent))
        mark = _mark(event)
        if event.tag is not None:
            self._problem(mark, f"the tag `{event.tag}`", "take it out: policies are plain values")
        if event.anchor:
            self._anchors[event.anchor] = None
        match event:
            case ScalarEvent():
                null = event.style is None and event.value in _NULLS
                node = _Node(mark, scalar=None if null else event.value)
            case SequenceStartEvent():
                node = _Node(
                    mark, items=[self._node(item, depth + 1) for item in self._until(SequenceEndEvent)]
                )
            case _:
                node = _Node(mark, entries=self._entries(depth))
        if event.anchor:
            self._anchors[event.anchor] = node
        return node

    def _until(self, end: type[Event]) -> Iterator[Event]:
        """The events that begin the values of the collection just opened."""
        while not isinstance(event := next(self._events), end):
            yield event

    def _entries(self, depth: int) -> dict[str, tuple[Mark, _Node]]:
        entries: dict[str, tuple[Mark, _Node]] = {}
        for event in self._until(MappingEndEvent):
            mark, key = _mark(event), self._node(event, depth + 1).scalar
            if key is None:
                instead = "write `key: value`, and quote text that holds `{`, `[` or `?`"
                raise self._broken(event, "a key that isn't a word", instead)
            node = self._node(next(self._events), depth + 1)
            if key == "<<":
                self._problem(mark, "merge keys (`<<`) aren't read", "write the keys out")
            elif key in entries:
                what = f"`{key}` is written twice, first in line {entries[key][0].line}"
                self._problem(mark, what, "keep one of the two")
            else:
                entries[key] = (mark, node)
        return entries

    def _alias(self, event: AliasEvent) -> _Node:
        name = event.anchor
        if name not in self._anchors:
            what = f"`*{name}` names an anchor that isn't above it"
            raise self._broken(
                event, what, f'write `&{name}` where the value is, or quote the text: "*{name}"'
            )
        node = self._anchors[name]
        if node is None:
            raise self._broken(event, f"the anchor `&{name}` holds itself", "write the value out")
        return node

    def _problem(self, mark: Mark, what: str, instead: str) -> None:
        self.problems.append(Problem(self._file, mark.line, what, instead, mark.column))

    def _broken(self, event: Event, what: str, instead: str) -> PolicyError:
        return _broken(self._file, _mark(event), what, instead)


@dataclass(slots=True)
class _Spread:
    """Nodes to plain values and their places, aliases written out, within bounds."""

    file: str
    keys: dict[Path, Mark] = field(default_factory=dict)
    values: dict[Path, Mark] = field(default_factory=dict)

    def value(self, node: _Node, path: Path) -> Value:
        if len(self.values) >= MAX_VALUES or len(path) > MAX_DEPTH:
            what = f"anchors expand to more than {MAX_VALUES:,} values, or deeper than {MAX_DEPTH}"
            raise _broken(self.file, node.mark, what, "write the values out")
        self.values[path] = node.mark
        if node.entries is not None:
            mapping: dict[str, Value] = {}
            for key, (mark, child) in node.entries.items():
                self.keys[*path, key] = mark
                mapping[key] = self.value(child, (*path, key))
            return mapping
        if node.items is not None:
            return [self.value(child, (*path, index)) for index, child in enumerate(node.items)]
        return node.scalar


def _mark(event: Event) -> Mark:
    start: Any = event.start_mark
    return Mark(start.line + 1, start.column + 1)


def _events(file: str, text: str) -> Iterator[Event]:
    """The parser's events. Whatever it raises becomes a problem: the text is at fault."""
    try:
        yield from YAML(typ="safe", pure=True).parse(text)
    except MarkedYAMLError as error:
        raise PolicyError([_syntax(file, error)]) from None
    except Exception as error:  # noqa: BLE001 - odd escapes and directives raise OverflowError and AssertionError
        position = getattr(error, "position", None)  # ReaderError has one, in characters
        line = 0 if position is None else text.count("\n", 0, position) + 1
        said = (str(error) or type(error).__name__).splitlines()[0]
        instead = "take the odd character, escape or directive out"
        raise PolicyError([Problem(file, line, f"this isn't YAML: {said}", instead)]) from None


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
    line, column = (mark.line + 1, mark.column + 1) if mark else (0, 0)
    said = (error.problem or error.context or "this isn't YAML").strip()
    for beginning, what, instead in _SAID_BETTER:
        if said.startswith(beginning):
            return Problem(file, line, what, instead, column)
    return Problem(file, line, f"this isn't YAML: {said}", "", column)
