"""The emulator's part of the query language: what it means, and what it refuses."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from orchestrator.emulator.kql import NotUnderstood, read

NOW = datetime(2026, 11, 22, 1, tzinfo=UTC)
ROW: dict[str, Any] = {
    "id": "/subscriptions/S1/machines/Web",
    "type": "microsoft.compute/virtualmachines",
    "zones": None,
    "count": 3,
    "properties": {
        "status": "Failed",
        "startDateTime": "2026-11-21T01:00:00.0000000+00:00",
        "deep": {"on": True},
    },
}


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        ("type =~ 'Microsoft.Compute/virtualMachines'", True),
        ("type == 'Microsoft.Compute/virtualMachines'", False),
        ("type !~ 'microsoft.compute/virtualmachines'", False),
        ("type in~ ('a', 'MICROSOFT.compute/virtualmachines')", True),
        ("type in ('a', 'b')", False),
        ("type !in ('a', 'b')", True),
        ("id startswith '/subscriptions/s1/'", True),
        ("id endswith '/web' and id contains 'MACHINES'", True),
        ("type !contains 'softwarepatches'", True),
        ("id has 'machine'", False),
        ("properties.status == 'Failed'", True),
        ("properties.nothing.at.all == 'Failed'", False),
        ("properties.deep.on == true", True),
        ("count >= 3 and count < 4", True),
        ("todatetime(properties.startDateTime) > ago(7d)", True),
        ("properties.startDateTime > ago(12h)", False),
        ("properties.startDateTime > datetime('2026-11-01')", True),
        ("isnotempty(zones)", False),
        ("(zones == 'x' or count == 3) and type has 'compute'", True),
        ("tolower(id) == '/subscriptions/s1/machines/web'", True),
        ("PROPERTIES.status == 'Failed'", True),
    ],
)
def test_conditions(condition: str, *, holds: bool) -> None:
    """Each means what it means in Kusto."""
    assert holds is read(f"resources | where {condition}").matches(ROW, NOW)


def test_columns() -> None:
    """Columns by their paths, under their own names or new ones."""
    query = read("resources | project id, name = properties.status, properties.deep.on, count")
    assert query.shown(ROW, NOW) == {
        "id": ROW["id"],
        "name": "Failed",
        "properties_deep_on": True,
        "count": 3,
    }


def test_whole_queries() -> None:
    """Several conditions, an order, a limit."""
    query = read("Resources\n| where a == 1\n| where b == 2\n| order by id asc, c desc\n| take 5")
    assert (query.table, len(query.conditions), query.take) == ("resources", 2, 5)
    assert [down for _, down in query.order] == [False, True]
    assert query.columns == {"a", "b"}


def test_what_a_query_can_be_about() -> None:
    """A condition that holds for all rows tells where their ids begin; one among several ways tells nothing."""
    assert read("t | where id startswith '/A/b' and x == 1").prefix == "/a/b"
    assert read("t | where id startswith '/a' or x == 1").prefix == ""
    assert read("t | where x == 1").prefix == ""


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("resources | summarize count() by type", "summarize"),
        ("resources | where a matches 'b'", "matches"),
        ("resources | where toupper(a) == 'B'", "toupper"),
        ("resources | project id | where id == 'a'", "after 'project'"),
        ("resources | where a ==", "ends in the middle"),
        ("resources | where (a == 1", "')'"),
        ("resources where", "'|'"),
        ("", "a word"),
        ("resources | where a == ;", "';'"),
    ],
)
def test_what_is_refused(text: str, named: str) -> None:
    """What isn't known is named, never passed over."""
    with pytest.raises(
        NotUnderstood, match=named.replace("(", r"\(").replace(")", r"\)").replace("|", r"\|")
    ):
        read(text)
