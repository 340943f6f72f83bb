"""The nouns: spreads of durations, chances, and what is assumed of one machine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import timedelta
from typing import Final

from orchestrator.inventory.model import MachineId
from orchestrator.policy.model import Origin, Selector

RESTARTS: Final = 0.6
"""The share of machines whose patches restart them, where nothing is assumed: six in ten, as a month of them usually has it."""

OFF_WITHIN: Final = timedelta(days=1)
"""When somebody else's outages happen, where nothing is assumed: on the first day."""


@dataclass(frozen=True, slots=True)
class Spread:
    """How long something takes: half of the times no longer than `median`, 19 of 20 times no longer than `late`."""

    median: timedelta
    late: timedelta


@dataclass(frozen=True, slots=True)
class Assumed:
    """What is assumed of a machine. None: nothing, so that what an earlier entry says, or nobody, holds. Chances are from 0 to 1."""

    install_takes: Spread | None = None
    reboot_takes: Spread | None = None
    warm_up_takes: Spread | None = None
    reboots: float | None = None
    install_fails: float | None = None
    install_hangs: float | None = None
    stays_down: float | None = None
    comes_back_unhealthy: float | None = None
    fails_late: float | None = None
    fails_late_after: Spread | None = None
    unhealthy_for: Spread | None = None
    goes_off: float | None = None
    goes_off_within: timedelta | None = None
    off_for: Spread | None = None

    def under(self, later: Assumed) -> Assumed:
        """This, with what a later entry says in its place."""
        said = {f.name: getattr(later, f.name) for f in fields(later) if getattr(later, f.name) is not None}
        return replace(self, **said)


NOTHING: Final = Assumed()


@dataclass(frozen=True, slots=True)
class Entry:
    """What is assumed of the machines that `select` selects; None: of all."""

    assumed: Assumed
    origin: Origin
    select: Selector | None = None


@dataclass(frozen=True, slots=True)
class Assumptions:
    """A file. `approvals_take`: how long a stage waits for its approval (None: it is given at once). `faults` are files of faults."""

    entries: tuple[Entry, ...] = ()
    approvals_take: Spread | None = None
    faults: tuple[tuple[str, Origin], ...] = ()


@dataclass(frozen=True, slots=True)
class Settled:
    """What is assumed of each machine of one fleet; of those that aren't in it, nothing."""

    machines: Mapping[MachineId, Assumed] = field(default_factory=dict)

    def of(self, machine: MachineId) -> Assumed:
        """Of one."""
        return self.machines.get(machine, NOTHING)
