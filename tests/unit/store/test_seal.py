"""Seals: every column of every row counts."""

from __future__ import annotations

from zlib import crc32

import pytest

from orchestrator.store.seal import NO_ROW, seal_of

ROW = (NO_ROW, "default", 1, 1, "monthly", 1_000, b"body")


def test_a_seal_is_the_crc_of_what_it_covers() -> None:
    """The format of the files that exist: changing it would make every journal look damaged."""
    head = b"default\x1f1\x1f1\x1fmonthly\x1f1000\x1f"
    assert seal_of(*ROW) == crc32(head + b"body")


@pytest.mark.parametrize(
    "changed",
    [
        (7, "default", 1, 1, "monthly", 1_000, b"body"),
        (NO_ROW, "other", 1, 1, "monthly", 1_000, b"body"),
        (NO_ROW, "default", 2, 1, "monthly", 1_000, b"body"),
        (NO_ROW, "default", 1, 2, "monthly", 1_000, b"body"),
        (NO_ROW, "default", 1, 1, "weekly", 1_000, b"body"),
        (NO_ROW, "default", 1, 1, "monthly", 1_001, b"body"),
        (NO_ROW, "default", 1, 1, "monthly", 1_000, b"bodY"),
        (NO_ROW, "default", 11, 1, "monthly", 1_000, b"body"),
        (NO_ROW, "default", 1, 11, "monthly", 1_000, b"body"),
    ],
)
def test_each_column_and_the_row_before_count(changed: tuple[int, str, int, int, str, int, bytes]) -> None:
    """One column changed is another seal."""
    assert seal_of(*changed) != seal_of(*ROW)
