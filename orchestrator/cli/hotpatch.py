"""`wavekeeper hotpatch`: what is this month's release, who gets it as a hotpatch, who left the track, and what brings them back?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.text import Text

from orchestrator.cli import options
from orchestrator.cli.estate import read_estate
from orchestrator.cli.output import columns, count, heading, line, out, print_json, print_table, some
from orchestrator.cli.source import source
from orchestrator.clock import SystemClock
from orchestrator.errors import UsageError
from orchestrator.hotpatch.calendar import Calendar
from orchestrator.hotpatch.eligibility import base_of
from orchestrator.hotpatch.model import Between, Month, MonthKind, Product, Release, Standing, Track
from orchestrator.hotpatch.status import Status, status_of
from orchestrator.hotpatch.surprise import surprises
from orchestrator.hotpatch.track import Tracks
from orchestrator.hotpatch.words import KINDS, TRACKS, comes_back
from orchestrator.inventory.model import Inventory, Machine
from orchestrator.wiring.files import read_hotpatch_calendar

SHOWN: Final = 8
"""Rows of machines told; all of them with --all."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(name="hotpatch")(hotpatch)


def hotpatch(
    subscription: options.Subscriptions = None,
    inventory: options.InventoryFile = None,
    endpoint: options.Endpoint = None,
    all_subscriptions: Annotated[
        bool,
        typer.Option("--all-subscriptions", help="Read every subscription that this identity can see, live."),
    ] = False,
    month: Annotated[
        str | None,
        typer.Option(
            "--month",
            help="Another month of releases, such as 2026-05. Default: the inventory's, else today's.",
        ),
    ] = None,
    hotpatch_calendar: options.HotpatchCalendar = None,
    everything: Annotated[
        bool, typer.Option("--all", "-a", help="The whole calendar, and all machines by name.")
    ] = False,
    as_json: options.AsJson = False,
) -> None:
    """Say what the month's release is (hotpatch or baseline), which machines are on the hotpatch track, which left it or are about to.

    Without a source it tells the calendar alone. A live fleet is read by Resource Graph, which knows what was installed in the last thirty
    days. Nothing is changed.
    """
    calendar = read_hotpatch_calendar(hotpatch_calendar)
    wanted = None if month is None else _month(month)
    held = _read(inventory, subscription, endpoint, every=all_subscriptions)
    tracks = Tracks(calendar, wanted or _of(held))
    stands = [] if held is None else [_Stands(one, tracks.of(one), status_of(one)) for one in held.machines]
    odd = list(surprises(tracks, ((one.machine, one.standing) for one in stands)))
    if as_json:
        print_json({**_to_json(tracks, held, stands), "surprises": odd})
        return
    _print_month(tracks)
    for sentence in odd:
        line(sentence, style="yellow", indent=2)
    _print_year(tracks, everything=everything)
    if held is not None:
        _print_machines(stands, everything=everything)


@dataclass(frozen=True, slots=True)
class _Stands:
    """A machine, where it stands, and what the portal shows of it."""

    machine: Machine
    standing: Standing
    status: Status


def _read(
    file: Path | None, subscriptions: list[str] | None, endpoint: str | None, *, every: bool
) -> Inventory | None:
    """The fleet; None where nobody named one."""
    if every and (file or subscriptions):
        raise UsageError("--all-subscriptions reads all there are: leave --inventory and --subscription away")
    if every:
        return read_estate(None, endpoint, updates=True)
    if not (file or subscriptions):
        return None
    held = source(file, subscriptions, endpoint).read_file()
    return read_estate(subscriptions, endpoint, updates=True) if held is None else held


def _month(written: str) -> Month:
    found = Month.read(written)
    if found is None:
        raise UsageError(f"--month {written} is no month; write it as 2026-05")
    return found


def _of(held: Inventory | None) -> Month:
    taken_at = None if held is None else held.taken_at
    return Month.at((taken_at or SystemClock().now()).date())


# For programs ---------------------------------------------------------------------------------------------------


def _to_json(tracks: Tracks, held: Inventory | None, stands: Sequence[_Stands]) -> dict[str, Any]:
    calendar = tracks.calendar
    told: dict[str, Any] = {
        "month": str(tracks.month),
        "releases": [_release(calendar, one) for one in tracks.release.values()],
        "calendar": [_release(calendar, one) for product in Product for one in calendar.known(product)],
        "out_of_band": [_between(one) for one in calendar.every_between()],
    }
    if held is None:
        return told
    return {
        **told,
        "taken_at": held.taken_at,
        "by_track": _counts(one.standing.track.value for one in stands),
        "by_status": _counts(one.status.value for one in stands),
        "machines": [_machine(one) for one in stands],
    }


def _release(calendar: Calendar, one: Release) -> dict[str, Any]:
    coming = calendar.next_baseline(one.product, one.month)
    base = base_of(one.product)
    return {
        "product": one.product.value,
        "month": str(one.month),
        "kind": one.kind.value,
        "scheduled": one.scheduled,
        "released": one.out_on,
        "kb": one.kb or None,
        "build": None if one.build is None else f"{base}.{one.build}",
        "lcu": one.lcu or None,
        "lcu_build": None if one.lcu_build is None else f"{base}.{one.lcu_build}",
        "next_baseline": None if coming is None else str(coming.month),
        "source": one.source or None,
        "note": one.note or None,
    }


def _between(one: Between) -> dict[str, Any]:
    return {
        "product": one.product.value,
        "kb": one.kb,
        "released": one.released,
        "track": one.effect.value,
        "build": None if one.build is None else f"{base_of(one.product)}.{one.build}",
        "source": one.source or None,
        "note": one.note or None,
    }


def _machine(one: _Stands) -> dict[str, Any]:
    told = one.standing
    return {
        "id": one.machine.id,
        "name": one.machine.name,
        "status": one.status.value,
        "product": None if told.product is None else told.product.value,
        "track": told.track.value,
        "by": told.by.value,
        "why": told.why,
        "back": told.back or None,
        "back_in": None if told.back_in is None else str(told.back_in),
        "restarts_until_back": told.costs,
    }


def _counts(values: Iterable[str]) -> dict[str, int]:
    return dict(sorted(Counter(values).items(), key=lambda item: (-item[1], item[0])))


# For people -----------------------------------------------------------------------------------------------------


def _print_month(tracks: Tracks) -> None:
    title = Text(tracks.month.named, style="bold")
    title.append(f", out on {tracks.month.second_tuesday}", style="not bold")
    out.print(title)
    for release in tracks.release.values():
        line(f"{release.product.named}: {_what(tracks.calendar, release)}", indent=2)


def _what(calendar: Calendar, release: Release) -> str:
    kind = KINDS[release.kind]
    if release.kind is MonthKind.UNKNOWN:
        return f"{kind}; {release.note}"
    told = f"{kind}, with a restart" if release.kind.is_baseline else f"{kind}, without a restart"
    if release.scheduled:
        last = calendar.last_known(release.product)
        told += (
            f", by the rule alone: the calendar ends with {last.named} (add months with --hotpatch-calendar)"
        )
    elif release.kb:
        told += f" (KB{release.kb})"
    coming = calendar.next_baseline(release.product, release.month)
    return told if coming is None else f"{told}; next baseline {coming.month.named}, {coming.out_on}"


def _print_year(tracks: Tracks, *, everything: bool) -> None:
    """The months around, or all that are known."""
    calendar = tracks.calendar
    first, last = tracks.month.plus(-3), tracks.month.plus(4)
    if everything:
        first = min(first, *(calendar.first_known(product) for product in Product))
        last = max(last, *(calendar.last_known(product) for product in Product))
    table = columns("month", "out on", *(product.named for product in Product), "")
    for month in _months(first, last):
        releases = [calendar.release(product, month) for product in Product]
        marks = " ".join(
            filter(None, ("← now" if month == tracks.month else "", *_between_of(calendar, month)))
        )
        style = "bold" if month == tracks.month else ""
        table.add_row(str(month), f"{month.second_tuesday}", *map(_cell, releases), marks, style=style)
    heading("Calendar")
    print_table(table)


def _months(first: Month, last: Month) -> Iterator[Month]:
    while first <= last:
        yield first
        first = first.plus(1)


def _cell(release: Release) -> str:
    told = KINDS[release.kind]
    if release.kind is MonthKind.UNKNOWN:
        return told if release.lcu else "-"
    return f"{told}, scheduled" if release.scheduled else f"{told} KB{release.kb}" if release.kb else told


def _between_of(calendar: Calendar, month: Month) -> Iterator[str]:
    for product in Product:
        for one in calendar.between(product, month, month):
            yield f"KB{one.kb} ({one.released}) {one.effect.value} the track of {product.named[-4:]}."


def _print_machines(stands: Sequence[_Stands], *, everything: bool) -> None:
    by_track: dict[Track, list[_Stands]] = {}
    for one in stands:
        by_track.setdefault(one.standing.track, []).append(one)
    heading(f"Machines: {count(len(stands), 'machine')}")
    table = columns("", "machines", right=("machines",))
    for track in Track:
        if track in by_track:
            table.add_row(TRACKS[track], f"{len(by_track[track]):,}")
    print_table(table)
    for track in (Track.LEAVING, Track.LEFT, Track.DUE, Track.OFF, Track.UNKNOWN, Track.NONE, Track.ON):
        if track in by_track and (everything or track is not Track.ON):
            _print_track(track, by_track[track], everything=everything)


def _print_track(track: Track, stands: Sequence[_Stands], *, everything: bool) -> None:
    alike: dict[Standing, list[str]] = {}
    for one in stands:
        alike.setdefault(one.standing, []).append(one.machine.name)
    heading(f"{TRACKS[track].capitalize()}: {count(len(stands), 'machine')}")
    helps = any(standing.back for standing in alike)
    table = columns("machines", "why", *(["what helps"] if helps else []), "who", right=("machines",))
    ordered = sorted(alike.items(), key=lambda item: (-len(item[1]), item[0].why))
    for standing, names in ordered if everything else ordered[:SHOWN]:
        told = [standing.why, *([comes_back(standing)] if helps else [])]
        table.add_row(f"{len(names):,}", *told, some(sorted(names), len(names) if everything else 3))
    print_table(table)
    if not everything and len(ordered) > SHOWN:
        line(f"and {count(len(ordered) - SHOWN, 'row')} more: --all", style="bright_black", indent=2)
