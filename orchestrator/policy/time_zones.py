"""Names of time zones: IANA's, which policies and plans use, and Windows', which Azure uses.

Which of IANA's a name of Windows stands for is CLDR's table (windowsZones.xml), as the tzlocal package carries it. What the zones
are is the system's own tz database, or the tzdata package where there is none.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from tzlocal.windows_tz import win_tz

EARLIEST: Final = "Etc/GMT-14"
"""Where on Earth a day begins first: UTC+14, Kiritimati. IANA writes the sign the other way round."""

LATEST: Final = "Etc/GMT+12"
"""Where on Earth a day ends last: UTC-12, Baker Island."""

_WINDOWS: Final = {windows.lower(): iana for windows, iana in win_tz.items()}


def iana_name(name: str) -> str | None:
    """IANA's name of a zone that IANA or Windows calls so; None if neither does.

    Only names of places count ("Europe/Berlin"), and UTC: "EST" would be a zone without summer time, which nobody means.
    """
    said = name.strip()
    if said == "UTC" or ("/" in said and _exists(said)):
        return said
    return _WINDOWS.get(said.lower())


def zone_info(name: str) -> ZoneInfo:
    """The zone of an IANA name that `iana_name` knows."""
    return ZoneInfo(name)


@lru_cache(maxsize=1)
def known_names() -> tuple[str, ...]:
    """All of IANA's names of places, to say which one was meant."""
    return tuple(sorted({name for name in available_timezones() if "/" in name} | {"UTC"}))


@lru_cache(maxsize=1024)
def _exists(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # ValueError: a path; OSError: a folder
        return False
    return True
