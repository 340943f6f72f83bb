"""Assessments kept from one command to the next: a line each, so that a process that is killed half-way loses none that ended.

Azure's lists tell when a machine was assessed last and how many updates that found, never which. So what an assessment told stands
here, and counts for as long as the platform itself still names that assessment as the machine's last.

The same few updates are missing on most machines: each stands once, by a digest, in a line before the first machine that lacks it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import Any, Final

import orjson

from orchestrator.inventory.assessments import Assessment, by_kb
from orchestrator.inventory.model import Inventory, Machine, MachineId, RebootBehavior, Update

VERSION: Final = 1
KEEP_FOR: Final = timedelta(days=7)
"""Resource Graph forgets assessments after as long."""

SKEW: Final = timedelta(minutes=5)
"""How far this machine's clock and the cloud's may be apart."""


@dataclass(frozen=True, slots=True)
class Kept:
    """An assessment of a machine behind an endpoint (empty for Azure's own), which ended at `ended` by our clock."""

    endpoint: str
    machine: MachineId
    ended: datetime
    found: Assessment


class Lines:
    """The form in which they are kept. Knows which updates stand in the file already."""

    def __init__(self, known: Iterable[str] = ()) -> None:
        self._known = set(known)

    def of(self, kept: Kept) -> bytes:
        """The lines to append."""
        lines, names = [], []
        for update in kept.found.updates or ():
            row = _update_row(update)
            name = blake2b(orjson.dumps(row, option=orjson.OPT_SORT_KEYS), digest_size=8).hexdigest()
            names.append(name)
            if name not in self._known:
                self._known.add(name)
                lines.append({"v": VERSION, "update": name, **row})
        found = kept.found
        lines.append(
            {
                "v": VERSION,
                "machine": kept.machine,
                "endpoint": kept.endpoint,
                "ended": kept.ended.astimezone(UTC),
                "at": found.at and found.at.astimezone(UTC),
                "reboot_pending": found.reboot_pending,
                "critical_and_security": found.critical_and_security,
                "other": found.other,
                "updates": None if found.updates is None else names,
            }
        )
        return b"".join(orjson.dumps(line) + b"\n" for line in lines)


def read(data: bytes) -> tuple[Kept, ...]:
    """What such a file holds. A line that was cut off, or is of a newer version, is passed over: asking again is harmless."""
    updates: dict[str, Update] = {}
    last: dict[tuple[str, str], Kept] = {}
    for line in data.splitlines():
        try:
            row = orjson.loads(line)
            if row["v"] != VERSION:
                continue
            if "update" in row:
                updates[row["update"]] = _update(row)
            else:
                kept = _kept(row, updates)
                last[kept.endpoint, kept.machine] = kept
        except (orjson.JSONDecodeError, KeyError, TypeError, ValueError):
            continue
    return tuple(last.values())


def _update_row(update: Update) -> dict[str, Any]:
    return {
        "name": update.name,
        "kb": update.kb,
        "classifications": list(update.classifications),
        "reboot": update.reboot.value,
        "version": update.version,
        "published": update.published and update.published.astimezone(UTC),
    }


def _update(row: Mapping[str, Any]) -> Update:
    published = row["published"]
    return Update(
        row["name"],
        row["kb"],
        tuple(row["classifications"]),
        RebootBehavior(row["reboot"]),
        row["version"],
        None if published is None else datetime.fromisoformat(published),
    )


def _kept(row: Mapping[str, Any], updates: Mapping[str, Update]) -> Kept:
    at, names = row["at"], row["updates"]
    found = Assessment(
        None if at is None else datetime.fromisoformat(at),
        row["reboot_pending"],
        row["critical_and_security"],
        row["other"],
        None if names is None else tuple(sorted((updates[name] for name in names), key=by_kb)),
    )
    return Kept(row["endpoint"], MachineId(row["machine"]), datetime.fromisoformat(row["ended"]), found)


# What still counts ----------------------------------------------------------------------------------------------


def with_kept(inventory: Inventory, kept: Iterable[Kept], endpoint: str) -> Inventory:
    """The inventory with the updates of assessments that are still the last ones of their machines."""
    by_machine = {one.machine: one for one in kept if one.endpoint == endpoint}
    if not by_machine:
        return inventory
    machines = tuple(_with(machine, by_machine.get(machine.id)) for machine in inventory.machines)
    return replace(inventory, machines=machines)


def _with(machine: Machine, kept: Kept | None) -> Machine:
    if kept is None or machine.patches.updates is not None or not is_last(machine, kept):
        return machine
    told = machine.patches
    pending = [one for one in (kept.found.reboot_pending, told.reboot_pending) if one is not None]
    patches = replace(
        told,
        assessed_at=told.assessed_at or kept.ended,
        critical_and_security=kept.found.critical_and_security,
        other=kept.found.other,
        reboot_pending=any(pending) if pending else None,
        updates=kept.found.updates,
    )
    return replace(machine, patches=patches)


def is_last(machine: Machine, kept: Kept) -> bool:
    """Whether the platform still names this assessment as the machine's last, and nothing was installed since.

    It names an assessment by when it ended. Where it names none, nothing contradicts; but for an emulator, which begins anew and
    forgets, and knows each assessment that was asked of it since.
    """
    told = machine.patches
    began = kept.found.at or kept.ended
    if told.installed_at is not None and told.installed_at > began:
        return False
    if told.assessed_at is None:
        return not kept.endpoint
    return began - SKEW <= told.assessed_at <= kept.ended + SKEW


def worth_keeping(kept: Iterable[Kept], now: datetime) -> tuple[Kept, ...]:
    """Those that aren't too old for anybody, nor of a time to come, as an emulator's may be."""
    return tuple(one for one in kept if timedelta(0) <= now - one.ended < KEEP_FOR)
