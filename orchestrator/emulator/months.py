"""The emulator's calendar: when updates come out, and which months need a restart though others don't.

Months are numbers, counted from January 2020 as 1, so that they can be compared and counted on. Baselines are planned for
January, April, July and October, as Microsoft announces them; everything else that can come is told or drawn, and none of it is
taken from what the product knows.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache

from orchestrator.emulator.chance import portion
from orchestrator.errors import UsageError

FIRST_YEAR = 2020
BASELINES = frozenset({1, 4, 7, 10})
OUT_OF_BAND_AFTER = timedelta(days=9)  # from a month's release to what mends it
UNPLANNED_SHARE, FRAMEWORK_SHARE, OUT_OF_BAND_SHARE = 1 / 8, 1 / 4, 1 / 6


@dataclass(frozen=True, slots=True)
class Calendar:
    """Which months bring more than the usual. All are numbers of months.

    `unplanned`: a baseline comes in place of a hotpatch. `frameworks`: an update of .NET comes for hotpatched machines too,
    and restarts whoever takes it. `out_of_band`: a cumulative update is sent after the month's, which throws a
    machine off the hotpatch track. `surprises` draws more of all three by this seed. `lasting` is how long an update can still be had
    by its number or its date after the next one came out; None: for ever.
    """

    unplanned: frozenset[int] = frozenset()
    frameworks: frozenset[int] = frozenset()
    out_of_band: frozenset[int] = frozenset()
    surprises: int | None = None
    lasting: timedelta | None = None

    def baseline(self, month: int) -> bool:
        """Whether the month's update for hotpatched machines is a baseline, planned or not."""
        planned = (month - 1) % 12 + 1 in BASELINES
        return planned or month in self.unplanned or self._drawn("unplanned", month, UNPLANNED_SHARE)

    def framework(self, month: int) -> bool:
        """Whether .NET is updated on hotpatched machines too."""
        return month in self.frameworks or self._drawn("framework", month, FRAMEWORK_SHARE)

    def sent_after(self, month: int) -> bool:
        """Whether an update is sent out of band after the month's."""
        return month in self.out_of_band or self._drawn("out of band", month, OUT_OF_BAND_SHARE)

    def last_baseline(self, month: int) -> int:
        """The month of the last baseline that was out by then."""
        return next(m for m in range(month, month - 12, -1) if self.baseline(m))

    def next_baseline(self, month: int) -> int:
        """The month of the first baseline after that month."""
        return next(m for m in range(month + 1, month + 12) if self.baseline(m))

    def _drawn(self, what: str, month: int, share: float) -> bool:
        return self.surprises is not None and _chance(self.surprises, what, month) < share


USUAL = Calendar()
"""Nothing but what is planned."""


DRAWN = "drawn"
BRINGS = {"baseline": "unplanned", "dotnet": "frameworks", "out-of-band": "out_of_band"}


def read_calendar(told: Iterable[str], seed: int) -> Calendar:
    """A calendar from words such as `2026-06=baseline`; with `drawn` among them more is drawn by the seed.

    Raises:
        UsageError: with every word that says nothing.
    """
    found: dict[str, set[int]] = {field: set() for field in BRINGS.values()}
    wrong, words = [], list(told)
    for word in words:
        if word == DRAWN:
            continue
        match = re.fullmatch(r"(\d{4})-(\d{2})=(.+)", word)
        if (
            match is None
            or not int(match[1]) > FIRST_YEAR
            or not 1 <= int(match[2]) <= 12
            or match[3] not in BRINGS
        ):
            wrong.append(
                f"--month {word} says nothing; write it as 2026-06=baseline, =dotnet or =out-of-band, or drawn"
            )
        else:
            found[BRINGS[match[3]]].add(month_of(int(match[1]), int(match[2])))
    if wrong:
        raise UsageError("\n".join(wrong))
    return Calendar(
        unplanned=frozenset(found["unplanned"]),
        frameworks=frozenset(found["frameworks"]),
        out_of_band=frozenset(found["out_of_band"]),
        surprises=seed if DRAWN in words else None,
    )


@cache
def _chance(seed: int, what: str, month: int) -> float:
    return portion(seed, what, month)


def month_of(year: int, month: int) -> int:
    """The number of a month."""
    return (year - FIRST_YEAR) * 12 + month


def named(month: int) -> str:
    """A month as titles write it: 2026-11."""
    year, rest = divmod(month - 1, 12)
    return f"{FIRST_YEAR + year}-{rest + 1:02}"


@cache
def release(month: int) -> datetime:
    """When a month's updates come out: its second Tuesday at 17:00 UTC."""
    year, rest = divmod(month - 1, 12)
    first = datetime(FIRST_YEAR + year, rest + 1, 1, 17, tzinfo=UTC)
    return first + timedelta(days=(1 - first.weekday()) % 7 + 7)


def current_month(now: datetime) -> int:
    """The last month whose updates are out at `now`."""
    month = month_of(now.year, now.month)
    return month if release(month) <= now else month - 1
