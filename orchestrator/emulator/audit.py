"""The audit: what really happened, one JSON object a line, in emulated time. Written for the judge, not for people."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import orjson

from orchestrator.emulator.state import Happening


def audit_line(happening: Happening) -> bytes:
    """One happening as a line: `at`, `machine`, `event`, `operation`, and whatever else there is to say."""
    line: dict[str, object] = {
        "at": audit_time(happening.at),
        "machine": happening.machine,
        "event": happening.event,
        "operation": happening.operation,
        **happening.details,
    }
    return orjson.dumps(line) + b"\n"


def audit_lines(happenings: Iterable[Happening]) -> bytes:
    """Several lines at once."""
    return b"".join(map(audit_line, happenings))


def webhook_line(at: datetime, name: str, key: str, body: object, *, ok: bool) -> bytes:
    """One call of a webhook as a line, as its receiver saw it: for the judge, who holds steps to it."""
    line = {"at": audit_time(at), "event": "webhook", "name": name, "key": key, "ok": ok, "body": body}
    return orjson.dumps(line) + b"\n"


def audit_time(at: datetime) -> str:
    """An instant to the millisecond, which is as fine as the world draws its durations, or finer where it is finer."""
    naive = at.replace(tzinfo=None)
    return naive.isoformat(timespec="auto" if at.microsecond % 1000 else "milliseconds") + "Z"
