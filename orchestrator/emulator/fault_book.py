"""When does a fault strike? Keeps the counts that `nth`, `after` and `times` speak of."""

from __future__ import annotations

from datetime import datetime
from fnmatch import fnmatchcase
from typing import TypeVar

from orchestrator.emulator.chance import portion
from orchestrator.emulator.faults import (
    CommandFails,
    CommandHangs,
    EndsWithWarnings,
    Fault,
    Faults,
    InstallFails,
    InstallNeverEnds,
    PatchesLeft,
    RebootRequired,
    RequestFault,
    RestartLeft,
    StaysOut,
    TimedFault,
    Unhealthy,
    VisibilityDelay,
    WindowExceeded,
    instant,
)
from orchestrator.emulator.state import Kind
from orchestrator.inventory.model import Machine

F = TypeVar("F", bound=Fault)
T = TypeVar("T", bound=TimedFault)

ON_INSTALL = (
    InstallFails,
    InstallNeverEnds,
    StaysOut,
    Unhealthy,
    WindowExceeded,
    RebootRequired,
    RestartLeft,
    PatchesLeft,
    EndsWithWarnings,
    VisibilityDelay,
)
ON_RESTART = (StaysOut, Unhealthy)
ON_COMMAND = (CommandFails, CommandHangs)
STRIKING: dict[Kind, tuple[type[Fault], ...]] = {
    Kind.INSTALL: ON_INSTALL,
    Kind.RESTART: ON_RESTART,
    Kind.RUN_COMMAND: ON_COMMAND,
}


class FaultBook:
    """The faults of one run, and how often each had an occasion and struck."""

    def __init__(self, faults: Faults, *, seed: int, start: datetime) -> None:
        self._start = start
        self._seed = seed
        self._numbered = tuple(enumerate(faults.faults))
        self._requests = tuple((i, f) for i, f in self._numbered if isinstance(f, RequestFault))
        self._occasions: dict[tuple[int, str], int] = {}
        self._strikes: dict[tuple[int, str], int] = {}
        self._chosen: dict[tuple[int, str], bool] = {}

    def on_operation(self, kind: Kind, machine: Machine) -> tuple[Fault, ...]:
        """The faults that strike an operation which begins now. Asking counts as an occasion, so ask once."""
        kinds = STRIKING.get(kind, ())
        return tuple(
            fault
            for i, fault in self._numbered
            if isinstance(fault, kinds)
            and self._selects(i, fault, machine)
            and self._strikes_now(i, fault, machine)
        )

    def on_request(
        self, kind: Kind, now: datetime, *, subscription: str, region: str, machine: Machine | None
    ) -> tuple[RequestFault, ...]:
        """The faults that strike a request. Asking counts as an occasion, so ask once for each request."""
        if not self._requests:
            return ()
        return tuple(
            fault
            for i, fault in self._requests
            if kind in fault.on
            and self._in_time(fault, now)
            and self._concerns(i, fault, subscription, region, machine)
            and self._strikes_now(i, fault, machine)
        )

    def timed(self, kind: type[T], machine: Machine) -> tuple[tuple[datetime, T], ...]:
        """When faults of this kind strike a machine of their own accord."""
        return tuple(
            (instant(fault.at, self._start), fault)
            for i, fault in self._numbered
            if isinstance(fault, kind)
            and self._selects(i, fault, machine)
            and self._strikes_now(i, fault, machine)
        )

    def _in_time(self, fault: RequestFault, now: datetime) -> bool:
        begin = instant(fault.from_, self._start)
        return begin <= now and (fault.for_ is None or now < begin + fault.for_)

    def _concerns(
        self, i: int, fault: Fault, subscription: str, region: str, machine: Machine | None
    ) -> bool:
        if machine is not None:
            return self._selects(i, fault, machine)
        if fault.selects_machines:
            return False
        return _among(fault.subscriptions, subscription) and _among(fault.regions, region)

    def _selects(self, i: int, fault: Fault, machine: Machine) -> bool:
        key = (i, machine.id)
        if key not in self._chosen:
            self._chosen[key] = (
                _names(fault.machines, machine)
                and all(machine.tags.get(tag) == value for tag, value in fault.tags.items())
                and _among(fault.regions, machine.location)
                and _among(fault.subscriptions, machine.subscription)
                and (fault.share >= 1 or portion(self._seed, "fault", i, machine.id) < fault.share)
            )
        return self._chosen[key]

    def _strikes_now(self, i: int, fault: Fault, machine: Machine | None) -> bool:
        key = (i, machine.id if machine is not None and fault.per == "machine" else "")
        n = self._occasions[key] = self._occasions.get(key, 0) + 1
        if fault.nth is not None and n != fault.nth:
            return False
        if n <= fault.after or (fault.times is not None and self._strikes.get(key, 0) >= fault.times):
            return False
        self._strikes[key] = self._strikes.get(key, 0) + 1
        return True


def first(faults: tuple[Fault, ...], kind: type[F]) -> F | None:
    """The first fault of this kind among those that strike."""
    return next((fault for fault in faults if isinstance(fault, kind)), None)


def _among(wanted: tuple[str, ...], value: str) -> bool:
    return not wanted or value.lower() in {w.lower() for w in wanted}


def _names(globs: tuple[str, ...], machine: Machine) -> bool:
    if not globs:
        return True
    return any(
        fnmatchcase(machine.name.lower(), glob.lower()) or fnmatchcase(machine.id, glob.lower())
        for glob in globs
    )
