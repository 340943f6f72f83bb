"""Large documents of JSON, written and read some rows at a time.

A plan of 100,000 machines as one tree of dicts and lists takes half a gigabyte, and a second of the garbage collector's time, to be
thrown away at once. So the rows of its large parts become text, and come from text, in pieces; what is small is one document.

Reading finds the pieces by the indentation that writing gives them. That is as strict as reading the whole: where a document
has a value, pieces that are JSON each by itself and are joined by commas make a value that says what the pieces say.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

import orjson

STABLE: Final = orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS

Rows = dict[str, Any] | list[Any]

_ROWS: Final = 50
"""Of a piece, when writing."""

_BYTES: Final = 1 << 16
"""Of a piece, when reading, and what is left of the row at its end. Small enough that it is gone before the collector looks."""

_STANDS_FOR: Final = "rows that are read in pieces"


@dataclass(frozen=True, slots=True)
class Many:
    """A value of a document that is large: its rows, made one after another. Those of an object are pairs, sorted by key."""

    rows: Iterable[Any]
    keyed: bool = False

    def pieces(self) -> Iterator[bytes]:
        """The text of the rows, as deep in a document as they stand, without what is around and between the pieces."""
        source = iter(self.rows)
        around = _around(self.keyed)
        while some := list(islice(source, _ROWS)):
            piece = orjson.dumps({"": dict(some) if self.keyed else some}, option=STABLE)
            yield piece[len(b'{\n  "": ' + around[:1] + b"\n") : -len(b"\n  " + around[1:] + b"\n}")]


def _around(keyed: bool) -> bytes:
    return b"{}" if keyed else b"[]"


def write(document: Mapping[str, Any]) -> bytes:
    """The bytes of a document, some of whose values may be `Many`; as orjson would write it as a whole, sorted and indented."""
    large = {key: value for key, value in document.items() if isinstance(value, Many)}
    empty: dict[str, Rows] = {key: {} if value.keyed else [] for key, value in large.items()}
    left = orjson.dumps({**document, **empty}, option=STABLE | orjson.OPT_APPEND_NEWLINE)
    done: list[bytes] = []
    for key, value in sorted(large.items()):
        # A line with two spaces begins a key of the document itself: no string has a line's end in it.
        before, line, left = left.partition(b'\n  "%s": %s' % (key.encode(), _around(value.keyed)))
        done += (before, line[:-1])
        first = len(done)
        for piece in value.pieces():
            done += (b",\n", piece)
        if len(done) > first:
            done[first] = b"\n"
            done.append(b"\n  ")
        done.append(line[-1:])
    return b"".join((*done, left))


class Split:
    """A text of JSON, read in pieces: `head` is what is small, `pieces` hands out the rows of large parts.

    `large` names the keys of the large parts, with whether each is an object. Those that aren't found where writing puts them are
    in the head. Raises `orjson.JSONDecodeError` if the text is no JSON; pieces do so later, where they alone are none.
    """

    def __init__(self, text: bytes, large: Mapping[str, bool]) -> None:
        self._text = text
        self._places = dict(_places(text, large))
        self.head = self._small()

    def _small(self) -> Any:
        kept: list[bytes] = []
        done = 0
        for _, start, stop in self._places.values():
            kept += (self._text[done : start - 2], orjson.dumps(_STANDS_FOR))
            done = stop + len(b"\n  }")
        try:
            head = orjson.loads(b"".join((*kept, self._text[done:])))
        except orjson.JSONDecodeError:
            return self._all()
        # A key may stand elsewhere too: deeper down, or a second time, and then the last one counts.
        if self._places and (
            not isinstance(head, dict) or any(head.get(key) != _STANDS_FOR for key in self._places)
        ):
            return self._all()
        return head

    def _all(self) -> Any:
        self._places.clear()
        return orjson.loads(self._text)

    def pieces(self, key: str) -> Iterator[Any]:
        """The rows of a large part. Raises `orjson.JSONDecodeError`."""
        if key not in self._places:
            yield self.head.get(key)
            return
        around, start, stop = self._places[key]
        cut = 0
        while cut >= 0:
            cut = self._text.find(b"\n    },\n", start + _BYTES, stop)
            end = stop if cut < 0 else cut + len(b"\n    }")
            rows = orjson.loads(b"%s%s%s" % (around[:1], self._text[start:end], around[1:]))
            if not rows and start > self._places[key][1]:
                raise orjson.JSONDecodeError("a comma with nothing behind it", "", 0)
            yield rows
            start = end + len(b",\n")


def _places(text: bytes, large: Mapping[str, bool]) -> Iterator[tuple[str, tuple[bytes, int, int]]]:
    """Of each large part that is found: its brackets, where its first row begins and where its last one ends."""
    done = 0
    for key, keyed in sorted(large.items()):
        around = _around(keyed)
        opening = b'\n  "%s": %s\n' % (key.encode(), around[:1])
        start = text.find(opening, done)
        stop = text.find(b"\n  " + around[1:], start + len(opening) - 1)
        if start >= 0 and stop >= 0:
            yield key, (around, start + len(opening), stop)
            done = stop
