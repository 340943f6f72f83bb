"""Was a machine left alone while a person held it? Judged from the audit, and from what the journal says of holds.

A hold is `{"id": "h1", "machines": ["<ARM id>"], "from": "2026-11-22T01:00:00Z", "until": "..."}`: from when on it was known that it means
these machines, and until when it stood (lifted, or over by the clock). What had been decided on before may still be on its way for
`on_its_way`; work that began before goes on.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from orchestrator.verify.document import id_of
from orchestrator.verify.model import Findings, Verdict
from orchestrator.verify.timeline import BEGINS, TOUCHES, read_audit

HELD: Final = "held"

ON_ITS_WAY: Final = timedelta(seconds=95)
"""What was about to be sent when a hold came may be sent for a minute, and be half a minute on its way."""


def judge_holds(
    audit: Iterable[Mapping[str, Any]],
    holds: Iterable[Mapping[str, Any]],
    *,
    scripts: bool = False,
    on_its_way: timedelta = ON_ITS_WAY,
) -> Verdict:
    """Hold what really happened to holds: no work begins on a held machine. `scripts`: they are the change, so they count as well."""
    found = Findings()
    begins = TOUCHES if scripts else BEGINS
    spans: dict[str, list[tuple[datetime, datetime, str]]] = {}
    for hold in holds:
        since, until = _moment(hold["from"]), _moment(hold["until"])
        found.judged("holds")
        for machine in hold["machines"]:
            spans.setdefault(id_of(machine), []).append((since, until, str(hold["id"])))
    begun: set[tuple[str, str]] = set()  # another request of the same work is part of it
    for entry in read_audit(audit, found):
        if entry.foreign or entry.event not in begins or (entry.machine, entry.operation) in begun:
            continue
        begun.add((entry.machine, entry.operation))
        found.judged("beginnings")
        for since, until, name in spans.get(entry.machine, ()):
            if since + on_its_way < entry.at < until:
                what = (
                    f"{entry.event} of {found.name(entry.machine)} began at {entry.at:%Y-%m-%d %H:%M:%S} UTC, "
                    f"though hold {name} held it from {since:%Y-%m-%d %H:%M:%S} until {until:%Y-%m-%d %H:%M:%S} UTC"
                )
                found.broken(HELD, name, (entry.machine,), what)
    return found.verdict()


def _moment(at: str) -> datetime:
    moment = datetime.fromisoformat(at)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
