"""YAML text to a document: plain mappings, lists and text, with the place of every key and value.

**Every scalar stays text** until the schema says what it is. That takes YAML's traps away instead of warning of
them: `1:30`, `no`, `1e3`, `017` and `2026-12-18` are what somebody typed, and the reader of that very key decides
what to make of it. Only an empty value, `~` and `null` mean "no value".

A parser gives events (`yaml_events`); composing them is done here because a position, a duplicate key and a runaway anchor must
each become a sentence about a line.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from orchestrator.errors import PolicyError, Problem
from orchestrator.policy import codes
from orchestrator.policy.model import Origin
from orchestrator.policy.yaml_events import Event, Kind, Unreadable, position, read_events, tabs, unseen

MAX_CHARACTERS: Final = 256 * 1024
"""The longest policy text that is read: some 5,000 lines, where a long policy has 200."""

MAX_BYTES: Final = 4 * MAX_CHARACTERS
"""The longest policy file that is read: no more of it can be a policy, whatever its characters. Read one byte more, to see whether it is longer."""

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
    text: str = ""
    quoted: tuple[tuple[Mark, Mark], ...] = ()
    """Where scalars stand that hold a `#`: what looks like a comment there is none."""
    empty: tuple[Path, ...] = ()
    """Keys and entries that nothing stands behind."""

    def place(self, path: Path, *, key: bool = False) -> Mark:
        """Where `path` was written: its value, or with `key` its key. Of a path that isn't there, the nearest around it."""
        for end in range(len(path), 0, -1):
            part = path[:end]
            mark = (self.keys.get(part) if key else None) or self.values.get(part)
            if mark:
                return mark
        return self.values.get((), Mark(1, 1))

    def origin(self, path: Path) -> Origin:
        """The place of a key, or of a list's entry."""
        mark = self.place(path, key=True)
        return Origin(self.file, mark.line, mark.column)

    def is_mapping(self, path: Path) -> bool:
        """Whether a mapping was written at `path`, and not a value that stands for one."""
        value: Any = self.data
        for part in path:
            value = value[part]
        return isinstance(value, dict)

    def problem(
        self, path: Path, what: str, instead: str = "", *, key: bool = False, code: str = codes.DOES_NOT_FIT
    ) -> Problem:
        """Something wrong at `path`."""
        mark = self.place(path, key=key)
        return Problem(self.file, mark.line, what, instead, mark.column, code)


@dataclass(slots=True)
class _Node:
    """A value as composed: shared wherever an alias names it."""

    mark: Mark
    scalar: str | None = None
    items: list[_Node] | None = None
    entries: dict[str, tuple[Mark, _Node]] | None = None


def read(file: str, content: str | bytes) -> tuple[Document | None, tuple[Problem, ...]]:
    """Read one file. Without a document there is at least one problem; with one there may be some all the same."""
    try:
        text = _decoded(file, content)
    except PolicyError as broken:
        return None, broken.problems
    odd = (*unseen(file, text), *tabs(file, text))
    if odd:
        return None, tuple(replace(problem, code=codes.NOT_YAML) for problem in odd)
    composer = _Composer(file, text)
    spread = _Spread(file)
    try:
        data = spread.value(_mapping(file, composer.compose()), ())
    except Unreadable as unreadable:
        return None, (*composer.problems, replace(unreadable.problem, code=codes.NOT_YAML))
    except PolicyError as broken:
        return None, (*composer.problems, *broken.problems)
    assert isinstance(data, dict)
    document = Document(
        file, data, spread.keys, spread.values, text, tuple(composer.quoted), tuple(spread.empty)
    )
    return document, tuple(composer.problems)


def _decoded(file: str, content: str | bytes) -> str:
    """The text of a file: UTF-8, with or without a byte order mark, and not too long for a policy."""
    if len(content) > (MAX_BYTES if isinstance(content, bytes) else MAX_CHARACTERS):
        raise _too_long(
            file, f"over {MAX_CHARACTERS:,}" if isinstance(content, bytes) else f"{len(content):,}"
        )
    if isinstance(content, str):
        return content.removeprefix("\ufeff")
    if content.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\x00" in content[:4]:
        what = "the file is UTF-16 or binary, and policies are UTF-8 text"
        raise PolicyError([Problem(file, 1, what, "save it as UTF-8", 1, codes.UNREADABLE)])
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line, column = position(content[: error.start].decode("utf-8-sig", "replace"), error.start)
        what = f"the byte 0x{content[error.start]:02x} is no UTF-8 text"
        instead = "save the file as UTF-8, not as Windows-1252 or Latin-1"
        raise PolicyError([Problem(file, line, what, instead, column, codes.UNREADABLE)]) from None
    if len(text) > MAX_CHARACTERS:
        raise _too_long(file, f"{len(text):,}")
    return text


def _too_long(file: str, length: str) -> PolicyError:
    what = f"the file has {length} characters; a policy may have at most {MAX_CHARACTERS:,}"
    return PolicyError([Problem(file, 0, what, "is it a policy? split it if it is", code=codes.UNREADABLE)])


def _mapping(file: str, root: _Node) -> _Node:
    if root.entries is not None:
        return root
    kind = "a list" if root.items is not None else "a single value"
    instead = "write keys at the start of lines, the first being `version: 1`"
    raise _broken(file, root.mark, f"the file holds {kind}, not a policy", instead)


def _broken(file: str, mark: Mark, what: str, instead: str) -> PolicyError:
    """A problem that ends the reading of this file."""
    return PolicyError([Problem(file, mark.line, what, instead, mark.column, codes.NO_POLICY)])


class _Composer:
    """Events to nodes. It recurses, no deeper than MAX_DEPTH."""

    def __init__(self, file: str, text: str) -> None:
        self.problems: list[Problem] = []
        self.quoted: list[tuple[Mark, Mark]] = []
        self._file = file
        self._events = read_events(file, text)
        self._anchors: dict[str, _Node | None] = {}  # None while the anchored value is being read
        self._count = 0

    def compose(self) -> _Node:
        """The one document's root."""
        root: _Node | None = None
        for event in self._events:
            if event.kind is not Kind.DOCUMENT:
                root = self._node(event, depth=1)
            elif root is not None:
                raise self._broken(
                    event, "a second document starts here", "one policy a file: move it to its own"
                )
        if root is None:
            what, instead = "the file is empty", "start with `version: 1`"
            raise PolicyError([Problem(self._file, 0, what, instead, code=codes.NO_POLICY)])
        return root

    def _node(self, event: Event, depth: int) -> _Node:
        self._count += 1
        if self._count > MAX_VALUES:
            raise self._broken(event, f"more than {MAX_VALUES:,} values", "split the policy")
        if depth > MAX_DEPTH:
            raise self._broken(event, f"values nest deeper than {MAX_DEPTH}", "flatten them")
        if event.kind is Kind.ALIAS:
            return self._alias(event)
        mark = Mark(event.line, event.column)
        if event.tag is not None:
            self._problem(mark, f"the tag `{event.tag}`", "take it out: policies are plain values")
        if event.anchor:
            self._anchors[event.anchor] = None
        if event.kind is Kind.SCALAR:
            node = _Node(mark, scalar=None if event.plain and event.value in _NULLS else event.value)
            if "#" in event.value:
                self.quoted.append((mark, Mark(event.last_line, event.last_column)))
        elif event.kind is Kind.SEQUENCE:
            node = _Node(mark, items=[self._node(item, depth + 1) for item in self._until_end()])
        else:
            node = _Node(mark, entries=self._entries(depth))
        if event.anchor:
            self._anchors[event.anchor] = node
        return node

    def _until_end(self) -> Iterator[Event]:
        """The events that begin the values of the collection just opened."""
        while (event := next(self._events)).kind is not Kind.END:
            yield event

    def _entries(self, depth: int) -> dict[str, tuple[Mark, _Node]]:
        entries: dict[str, tuple[Mark, _Node]] = {}
        for event in self._until_end():
            mark, key = Mark(event.line, event.column), self._node(event, depth + 1).scalar
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

    def _alias(self, event: Event) -> _Node:
        name = event.anchor or ""
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
        self.problems.append(Problem(self._file, mark.line, what, instead, mark.column, codes.NO_POLICY))

    def _broken(self, event: Event, what: str, instead: str) -> PolicyError:
        return _broken(self._file, Mark(event.line, event.column), what, instead)


@dataclass(slots=True)
class _Spread:
    """Nodes to plain values and their places, aliases written out, within bounds."""

    file: str
    keys: dict[Path, Mark] = field(default_factory=dict)
    values: dict[Path, Mark] = field(default_factory=dict)
    empty: list[Path] = field(default_factory=list)

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
        if node.scalar is None:
            self.empty.append(path)
        return node.scalar
