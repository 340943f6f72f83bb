"""The audit's lines."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from orchestrator.emulator.audit import audit_lines, audit_time
from orchestrator.emulator.state import Happening

AT = datetime(2026, 11, 22, 1, tzinfo=UTC)


def test_a_line_is_one_object() -> None:
    """It has at, machine, event and operation, and what else there is."""
    lines = audit_lines(
        [
            Happening(AT, "/subscriptions/S/vm", "out", "op"),
            Happening(AT, "/m", "refused", details={"code": "Conflict"}),
        ]
    )

    assert [json.loads(line) for line in lines.splitlines()] == [
        {
            "at": "2026-11-22T01:00:00.000Z",
            "machine": "/subscriptions/S/vm",
            "event": "out",
            "operation": "op",
        },
        {
            "at": "2026-11-22T01:00:00.000Z",
            "machine": "/m",
            "event": "refused",
            "operation": "",
            "code": "Conflict",
        },
    ]


@pytest.mark.parametrize(
    ("micro", "expected"), [(0, "01:00:00.000Z"), (123000, "01:00:00.123Z"), (123456, "01:00:00.123456Z")]
)
def test_times_are_exact(micro: int, expected: str) -> None:
    """No precision is lost, none is made up, and the standard library reads them."""
    at = AT.replace(microsecond=micro)

    assert f"2026-11-22T{expected}" == audit_time(at)
    assert datetime.fromisoformat(audit_time(at)) == at
