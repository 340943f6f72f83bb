"""Windows and freezes of every time zone that changes its clocks, against an oracle that reads those clocks minute by minute.

    python benchmarks/fuzz_windows.py [--seed 1] [--zones Antarctica/Troll ...] [--begin 2024] [--years 10] [--json]

The oracle is that of `tests/properties/test_windows_oracle.py`, which knows nothing of gaps and folds and shares no code with what it
judges; there it is asked about a few zones. Here each zone of the tz database that changes its clocks in these years is looked at, one for each
way in which that is done, with windows by chance: starts near the hours in which clocks change, of minutes and of days, and freezes.
`--begin 2007` takes a decade with stranger changes: Samoa's missing day, Caracas' half hour. The exit code is 1 if a minute differs.
"""

from __future__ import annotations

import sys
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from typing import Any, Final
from zoneinfo import ZoneInfo

import numpy as np
from apparatus import arguments, busy_with_others, measured, tell

from orchestrator.policy.model import Days, Freeze, Weekday, Window, Zone
from orchestrator.policy.time_zones import known_names
from orchestrator.policy.windows import calendar
from tests.properties.test_windows_oracle import EPOCH, HERE, MINUTE, clock, computed, watched

CLOCKS: Final = (
    "00:00",
    "00:30",
    "01:00",
    "01:30",
    "02:00",
    "02:15",
    "02:30",
    "03:00",
    "12:00",
    "22:00",
    "23:00",
    "23:30",
    "23:59",
)
"""Starts; most lie where somebody changes clocks."""

CASES: Final = 3
"""Sets of windows and freezes for each zone."""


def changing(begin: datetime, end: datetime) -> list[str]:
    """A zone for each way in which clocks are changed in these years, by what they show at noon and at midnight."""
    days = (end - begin).days
    ways: dict[tuple[Any, ...], str] = {}
    for name in known_names():
        zone = ZoneInfo(name)
        shown = tuple(
            (begin + timedelta(hours=12 * half)).astimezone(zone).utcoffset() for half in range(days * 2)
        )
        if len(set(shown)) > 1:
            ways.setdefault(shown, name)
    return sorted(ways.values())


def drawn(chance: Random, zone: str, begin: int, years: int) -> tuple[list[Window], list[Freeze]]:
    """Some windows and freezes."""
    windows = []
    for _ in range(chance.randint(1, 3)):
        weekdays = tuple(
            Weekday(chance.randrange(7), chance.choice((0, 0, 0, 1, 2, 3, 4, -1)))
            for _ in range(chance.randint(1, 4))
        )
        after = tuple(sorted({chance.randrange(28) for _ in range(chance.choice((0, 0, 1, 2)))}))
        length = timedelta(minutes=chance.choice((1, 20, 70, 240, 480, 1440, 1800, 4320)))
        at = time.fromisoformat(chance.choice(CLOCKS))
        windows.append(Window(Days(weekdays, after), at, length, Zone(zone), HERE))
    freezes = []
    for _ in range(chance.randrange(3)):
        first = date(begin, 1, 1) + timedelta(days=chance.randrange(365 * years))
        freezes.append(Freeze(first, first + timedelta(days=chance.randrange(60)), "why", Zone(zone), HERE))
    return windows, freezes


def main() -> None:
    """Compare, and tell."""
    parser = arguments(__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--zones", nargs="+", help="these alone")
    parser.add_argument("--begin", type=int, default=2024, help="the first year")
    parser.add_argument("--years", type=int, default=10)
    options = parser.parse_args()
    begin, end = (datetime(year, 1, 1, tzinfo=UTC) for year in (options.begin, options.begin + options.years))
    zones = options.zones or changing(begin, end)
    wrong, starts = [], 0
    with measured() as used:
        for zone in zones:
            for case in range(CASES):
                chance = Random(f"{options.seed}/{zone}/{case}")
                windows, freezes = drawn(chance, zone, options.begin, options.years)
                wanted = watched(windows, freezes, zone, begin, end)
                differs = np.flatnonzero(wanted != computed(calendar([windows], freezes, zone), begin, end))
                starts += int(np.count_nonzero(np.diff(wanted.astype(np.int8)) == 1))
                if len(differs):
                    at = begin + int(differs[0]) * MINUTE
                    wrong.append(f"{zone}, case {case}: {len(differs):,} minutes, the first {at}")
            clock.cache_clear()
    minutes = int((end - EPOCH) / MINUTE) - int((begin - EPOCH) / MINUTE)
    figures = {
        "seed": options.seed,
        "zones": len(zones),
        "years": [options.begin, options.begin + options.years],
        "minutes": minutes * len(zones) * CASES,
        "openings": starts,
        "wrong": wrong,
        "cpu_s": round(used.cpu_s, 1),
    }
    rows = [
        ("zones, each another way of changing clocks", str(len(zones)), ""),
        ("minutes compared", f"{figures['minutes']:,}", ""),
        ("openings among them", f"{starts:,}", ""),
        ("cases that differ", str(len(wrong)), "0"),
        ("CPU time", f"{figures['cpu_s']} s", ""),
        *busy_with_others(used.foreign),
    ]
    tell(figures, rows, as_json=options.json)
    if not options.json:
        print(*wrong, sep="\n")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
