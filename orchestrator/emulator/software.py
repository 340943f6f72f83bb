"""What is installed on a machine, and what follows from it: what an assessment finds, what a run may choose from.

Windows' own rules, as far as they decide about restarts. A cumulative update holds all that came before, so missed months come as
one. A machine with hotpatching that stands on the last baseline, with nothing but hotpatches on top, is on the hotpatch track and
is offered hotpatches. One that missed a baseline is offered it (and this month's hotpatch after it); one that took anything else
is off the track: it is offered cumulative updates, which restart it, until the next baseline takes it back.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache

from orchestrator.emulator.catalogue import (
    SYSTEM,
    Edition,
    Patch,
    Role,
    cumulative,
    edition_of,
    framework,
    hotpatch,
    hotpatched,
    out_of_band,
    packages,
    tools,
)
from orchestrator.emulator.chance import portion
from orchestrator.emulator.months import Calendar, current_month, release
from orchestrator.inventory.model import Machine

DEFAULT_RESTART_SHARE = 0.6
MONTHS_BACK = 12  # how old an update may be that is asked for by its number
_ON_TRACK = frozenset({Role.BASELINE, Role.HOTPATCH})


@dataclass(frozen=True, slots=True)
class Software:
    """One machine's. `edition` is None on Linux; `installed` is sorted by series and rank."""

    edition: Edition | None
    hotpatching: bool  # whether it is turned on, and the image has it
    installed: tuple[Patch, ...]

    @property
    def on_track(self) -> bool:
        """Whether it gets hotpatches: hotpatching is on, and it stands on a baseline with only hotpatches above."""
        return self.hotpatching and bool(system := self.of(SYSTEM)) and system[-1].role in _ON_TRACK

    @property
    def build(self) -> str:
        """As `osVersion` tells it; empty on Linux."""
        return "" if self.edition is None else f"10.0.{self.edition.build}.{self.rank(SYSTEM) * 4}"

    def of(self, series: str) -> tuple[Patch, ...]:
        """What is installed of a series, the newest last."""
        return tuple(patch for patch in self.installed if patch.series == series)

    def rank(self, series: str) -> int:
        """How far a series has come here; 0 if there is nothing of it."""
        return max((patch.rank for patch in self.installed if patch.series == series), default=0)

    def having(self, patches: Iterable[Patch]) -> Software:
        """The same with these installed. Of what they supersede, the system's own stays: it may be gone back to."""
        held = {patch.id: patch for patch in (*self.installed, *patches)}
        newest: dict[str, int] = {}
        for patch in held.values():
            newest[patch.series] = max(newest.get(patch.series, 0), patch.rank)
        kept = [
            patch
            for patch in held.values()
            if patch.rank == newest[patch.series]
            or (patch.series == SYSTEM and patch.month > newest[SYSTEM] // 10 - MONTHS_BACK)
        ]
        return replace(self, installed=tuple(sorted(kept, key=_place)))

    def without(self, kb: str) -> Software:
        """The same after an update was taken away; it itself if there is no such update."""
        kept = tuple(patch for patch in self.installed if patch.kb != kb)
        return self if len(kept) == len(self.installed) else replace(self, installed=kept)


def first_software(
    machine: Machine, *, seed: int, now: datetime, restart_share: float, calendar: Calendar
) -> Software:
    """What a machine has when the emulator begins: last month's updates.

    A seeded share of the machines waits for a patch that restarts it (a cumulative update, a kernel); the others have that
    one already. Machines that are hotpatched have last month's level, whatever the share.
    """
    edition, hot = edition_of(machine), hotpatched(machine)
    month = current_month(now)
    needs_restart = portion(seed, machine.id, "needs a restart") < restart_share
    if edition is None:
        have = [patch for patch in packages(month) if patch.restarts and not needs_restart]
        return Software(None, hotpatching=False, installed=()).having([*packages(month - 1), *have])
    level = month - 1 if needs_restart or hot else month
    held = [framework(edition, month - 1, calendar), *tools(month - 1)]
    base = calendar.last_baseline(level)
    held += [cumulative(edition, calendar.last_baseline(base - 1), calendar)]
    held += [cumulative(edition, m, calendar) for m in (base, *(() if hot else range(base + 1, level + 1)))]
    if hot:
        made = [hotpatch(edition, m, calendar) for m in range(base + 1, level + 1)]
        held += [patch for patch in made if patch is not None]
    return Software(edition, hotpatching=hot, installed=()).having(held)


def outstanding(software: Software, now: datetime, calendar: Calendar) -> tuple[Patch, ...]:
    """What an assessment finds at `now`: of each series the newest that the machine is offered and hasn't got."""
    sent = False
    if software.edition is not None:
        late = out_of_band(software.edition, current_month(now), calendar)
        sent = late is not None and late.published <= now
    return _outstanding(software, current_month(now), calendar, late=sent)


@lru_cache(maxsize=4096)
def _outstanding(software: Software, month: int, calendar: Calendar, *, late: bool) -> tuple[Patch, ...]:
    edition = software.edition
    if edition is None:
        return tuple(p for p in packages(month) if p.rank > software.rank(p.series))
    offered = _of_the_system(software, edition, month, calendar)
    if late and (mended := out_of_band(edition, month, calendar)) is not None:
        offered.append(mended)
    offered += _of_the_framework(software, edition, month, calendar)
    offered += tools(month)
    return tuple(patch for patch in offered if patch.rank > software.rank(patch.series))


def _of_the_system(software: Software, edition: Edition, month: int, calendar: Calendar) -> list[Patch]:
    if not software.hotpatching:
        return [cumulative(edition, month, calendar)]
    base = cumulative(edition, calendar.last_baseline(month), calendar)
    behind = software.rank(SYSTEM) < base.rank
    if not behind and not software.on_track:
        return [cumulative(edition, month, calendar)]
    above = hotpatch(edition, month, calendar)
    return [*([base] if behind else []), *([above] if above is not None else [])]


def _of_the_framework(software: Software, edition: Edition, month: int, calendar: Calendar) -> list[Patch]:
    if not software.hotpatching:
        return [framework(edition, month, calendar)]
    last = next((m for m in range(month, month - MONTHS_BACK, -1) if calendar.framework(m)), None)
    return [] if last is None else [framework(edition, last, calendar)]


def find(software: Software, kb: str, now: datetime, calendar: Calendar) -> Patch | None:
    """The update of this number, if it is for this system, newer than what it has, and can still be had."""
    edition = software.edition
    if edition is None:
        return None
    for month in range(current_month(now), current_month(now) - MONTHS_BACK, -1):
        made = (
            cumulative(edition, month, calendar),
            hotpatch(edition, month, calendar) if software.hotpatching else None,
            out_of_band(edition, month, calendar),
            framework(edition, month, calendar),
        )
        for patch in made:
            if patch is not None and patch.kb == kb:
                fits = patch.published <= now and patch.rank > software.rank(patch.series)
                return patch if fits and to_be_had(patch, now, calendar) else None
    return None


def to_be_had(patch: Patch, now: datetime, calendar: Calendar) -> bool:
    """Whether a superseded update is still given out."""
    if calendar.lasting is None:
        return True
    month = calendar.next_baseline(patch.month) if patch.role is Role.BASELINE else patch.month + 1
    return now <= release(month) + calendar.lasting


def base_of(software: Software) -> Patch | None:
    """The baseline that a machine on the hotpatch track stands on."""
    bases = [patch for patch in software.of(SYSTEM) if patch.role is Role.BASELINE]
    return bases[-1] if software.on_track and bases else None


def _place(patch: Patch) -> tuple[str, int]:
    return patch.series, patch.rank
