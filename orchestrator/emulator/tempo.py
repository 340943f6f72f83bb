"""How one machine takes its work, where whoever asks knows more than chance: durations, and whether it waits for a restart."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Tempo:
    """What is settled of a machine beforehand, for all its operations; None is left to chance."""

    installs: timedelta | None = None  # a patch run, without the restart in it
    restarts: timedelta | None = None  # from the last answer before a restart to the first after it
    warms_up: timedelta | None = None  # from that answer until the application is healthy
    needs_restart: bool | None = None  # whether a patch that it waits for restarts it


BY_CHANCE = Tempo()
