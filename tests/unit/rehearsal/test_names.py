"""Names in short."""

from __future__ import annotations

import pytest
from pydantic_core import PydanticCustomError

from orchestrator.rehearsal.names import expand


@pytest.mark.parametrize(
    ("short", "long"),
    [
        ("web", ["web"]),
        ("web-[1-3]", ["web-1", "web-2", "web-3"]),
        ("web-[08-10]", ["web-08", "web-09", "web-10"]),
        ("db-[1-2,7]", ["db-1", "db-2", "db-7"]),
        ("[fra,ams]-[1-2]", ["fra-1", "fra-2", "ams-1", "ams-2"]),
    ],
)
def test_a_notation_names_machines_in_order(short: str, long: list[str]) -> None:
    """Ranges keep their zeros, and several of them multiply."""
    assert expand(short) == long


@pytest.mark.parametrize(
    "short", ["web-[3-1]", "web-[1-3", "web-1]", "web-[]", "web-[*]", "w[1-99]-[1-99]", ""]
)
def test_a_notation_that_names_nobody_or_too_many_is_refused(short: str) -> None:
    """With what to write instead, which the schema's errors tell."""
    with pytest.raises(PydanticCustomError):
        expand(short)
