"""The nouns: how sure it is that a change restarts a machine, and the installation that the question is about."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Restarts(StrEnum):
    """Whether a change restarts a machine. Whatever isn't `NEVER` is planned as a restart."""

    CERTAIN = "certain"  # it is what the change does, or an update that always asks for one is among those it would get
    LIKELY = "likely"  # an update that may ask for one is among them
    UNKNOWN = "unknown"  # nobody assessed it lately, or what was found doesn't say
    NEVER = "never"  # every update it would get is a hotpatch, and the installation may not restart it


@dataclass(frozen=True, slots=True)
class Installation:
    """Which updates a machine gets, of those outstanding, and what may follow.

    Classifications in snake case, as policies write them; KBs are digits; names and packages are masks. `published_until` pins the
    set, and so do `only_kbs` and `only_packages` (each `name=version`): None takes whatever is there on the day.
    """

    classifications: tuple[str, ...]
    include_kbs: tuple[str, ...]
    exclude_kbs: tuple[str, ...]
    may_restart: bool
    always_restarts: bool
    published_until: datetime | None
    include_names: tuple[str, ...] = ()
    exclude_names: tuple[str, ...] = ()
    include_packages: tuple[str, ...] = ()
    exclude_packages: tuple[str, ...] = ()
    never_reboots_only: bool = False  # of Windows' updates
    only_kbs: tuple[str, ...] | None = None
    only_packages: tuple[str, ...] | None = None
