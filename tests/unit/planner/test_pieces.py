"""Documents in pieces: to the letter what they are as a whole, and never JSON where the whole is none."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from orchestrator.planner import pieces
from orchestrator.planner.pieces import STABLE, Many, Split, write

LARGE = {"lanes": False, "machines": True}


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pieces of two rows when writing, of one when reading."""
    monkeypatch.setattr(pieces, "_ROWS", 2)
    monkeypatch.setattr(pieces, "_BYTES", 1)


def document(machines: int, lanes: int) -> dict[str, Any]:
    """With strings in it that look like the document's own lines."""
    return {
        "name": '\n  "lanes": []',
        "machines": {
            f"m{number:02}": {"name": '\n    },\n    "x": {', "tags": []} for number in range(machines)
        },
        "lanes": [{"id": f"l{number}", "waves": [{"machines": ["m00"]}, {}]} for number in range(lanes)],
        "warnings": [{"lanes": [], "machines": {}}],
    }


def whole(held: dict[str, Any]) -> bytes:
    """As orjson writes it at once."""
    return orjson.dumps(held, option=STABLE | orjson.OPT_APPEND_NEWLINE)


def collected(split: Split) -> dict[str, Any]:
    """The document that the pieces come to."""
    machines: dict[str, Any] = {}
    for rows in split.pieces("machines"):
        machines |= rows
    lanes = [row for rows in split.pieces("lanes") for row in rows]
    return {**split.head, "machines": machines, "lanes": lanes}


@pytest.mark.parametrize(("machines", "lanes"), [(0, 0), (1, 1), (2, 3), (7, 4)])
def test_pieces_are_written_to_the_letter(machines: int, lanes: int) -> None:
    """The same bytes, whatever the number of rows and of pieces."""
    held = document(machines, lanes)
    large = {"machines": Many(held["machines"].items(), keyed=True), "lanes": Many(iter(held["lanes"]))}

    assert write({**held, **large}) == whole(held)


@pytest.mark.parametrize(("machines", "lanes"), [(0, 0), (1, 1), (2, 3), (7, 4)])
def test_pieces_are_read_to_the_letter(machines: int, lanes: int) -> None:
    """The same values; a document in one line too."""
    held = document(machines, lanes)

    assert collected(Split(whole(held), LARGE)) == held
    assert collected(Split(orjson.dumps(held), LARGE)) == held


def test_rows_come_in_more_than_one_piece() -> None:
    """Else nothing would be gained."""
    assert [list(rows) for rows in Split(whole(document(3, 1)), LARGE).pieces("machines")] == [
        ["m00"],
        ["m01"],
        ["m02"],
    ]


@pytest.mark.parametrize(
    "text",
    [
        b'{\n  "lanes": [\n    {\n    },\n  ],\n  "machines": {}\n}',
        b'{\n  "lanes": [\n    {\n    },\n\n  ],\n  "machines": {}\n}',
        b'{\n  "lanes": [\n    {\n    }\n    },\n    {\n    }\n  ],\n  "machines": {}\n}',
        b'{\n  "lanes": [\n    {\n    }\n  ]\n  "machines": {}\n}',
        b'{\n  "lanes": [\n    1], [2\n  ],\n  "machines": {}\n}',
        b"{",
    ],
)
def test_what_is_no_json_is_none_in_pieces_either(text: bytes) -> None:
    """A comma too many, a bracket, a comma that is missing."""
    with pytest.raises(orjson.JSONDecodeError):
        orjson.loads(text)
    with pytest.raises(orjson.JSONDecodeError):
        collected(Split(text, LARGE))


@pytest.mark.parametrize(
    "text",
    [
        b'{"x": {\n  "lanes": [\n    {"id": "deeper"}\n  ]}, "lanes": [{"id": "own"}], "machines": {}}',
        b'{\n  "lanes": [\n    {"id": "first"}\n  ],\n  "lanes": [{"id": "last"}], "machines": {}}',
        b'{"lanes": [{"id": "first"}], "machines": {},\n  "lanes": [\n    {"id": "last"}\n  ]}',
        b'[\n  "lanes", {\n  "lanes": [\n  ]\n  }]',
    ],
)
def test_a_key_that_stands_elsewhere_is_not_taken_for_the_documents_own(text: bytes) -> None:
    """Deeper down, or twice: the document is what it is as a whole."""
    expected = orjson.loads(text)
    split = Split(text, LARGE)

    assert (collected(split) if isinstance(expected, dict) else split.head) == expected
