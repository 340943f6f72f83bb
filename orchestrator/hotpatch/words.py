"""What is known of hotpatching, in words for people."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from orchestrator.hotpatch.model import MonthKind, Standing, Track

TRACKS: Final[Mapping[Track, str]] = MappingProxyType(
    {
        Track.ON: "on the hotpatch track",
        Track.DUE: "needs the newest baseline",
        Track.LEAVING: "about to leave the hotpatch track",
        Track.LEFT: "off the hotpatch track",
        Track.OFF: "could be hotpatched and isn't",
        Track.NONE: "can't be hotpatched",
        Track.UNKNOWN: "not known whether it is hotpatched",
    }
)

KINDS: Final[Mapping[MonthKind, str]] = MappingProxyType(
    {
        MonthKind.BASELINE: "baseline",
        MonthKind.HOTPATCH: "hotpatch",
        MonthKind.UNPLANNED_BASELINE: "unplanned baseline",
        MonthKind.UNKNOWN: "unknown",
    }
)


def sentence(standing: Standing) -> str:
    """`off the hotpatch track: KB5070881, ..., is installed; back with the baseline of January 2026, out on 2026-01-13`."""
    told = f"{TRACKS[standing.track]}: {standing.why}"
    helps = comes_back(standing)
    return told + (f"; {helps}" if standing.back and helps else "")


def comes_back(standing: Standing) -> str:
    """What would bring it back, or would if it left; empty if nothing has to."""
    match standing.track:
        case Track.LEFT:
            return f"back with {standing.back}"
        case Track.LEAVING:
            return f"back only with {standing.back}"
        case Track.OFF:
            return "turn it on"
        case Track.DUE:
            return f"hotpatched again with {standing.back}"
        case _:
            return ""
