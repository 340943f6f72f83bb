"""The windows and freezes of a machine, all its policies taken together: its calendar, and windows that never meet."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import combinations

from orchestrator.errors import Problem
from orchestrator.inventory.model import Machine
from orchestrator.policy import codes
from orchestrator.policy.model import Freeze, Origin, Policy, Window
from orchestrator.policy.time_zones import iana_name
from orchestrator.policy.windows import Calendar, calendar, ever_open


@dataclass(frozen=True, slots=True)
class Hours:
    """What policies say of when their machines may be changed. Each entry of `windows` is one policy's."""

    windows: tuple[tuple[Window, ...], ...] = ()
    freezes: tuple[Freeze, ...] = ()

    def of(self, machine: Machine) -> Calendar:
        """The machine's calendar, in its own time zone where a policy says so."""
        return calendar(self.windows, self.freezes, machine_zone(machine))

    def reads_zone(self) -> bool:
        """Whether the machine's own time zone makes a difference."""
        of_windows = any(window.zone.machine for policys in self.windows for window in policys)
        return of_windows or any(freeze.zone is None or freeze.zone.machine for freeze in self.freezes)


def hours(policies: Sequence[Policy]) -> Hours:
    """Windows policy by policy, freezes all in one."""
    return Hours(
        tuple(policy.windows for policy in policies if policy.windows),
        tuple(freeze for policy in policies for freeze in policy.freezes),
    )


def machine_zone(machine: Machine) -> str | None:
    """IANA's name of the machine's time zone; None if Azure doesn't tell, or nobody knows the name."""
    return iana_name(machine.time_zone) if machine.time_zone else None


def zone_is_strange(machine: Machine) -> bool:
    """Whether Azure tells a time zone of the machine that nobody knows."""
    return bool(machine.time_zone) and machine_zone(machine) is None


@dataclass(slots=True)
class Meetings:
    """Windows that several policies lay upon machines: which of them are never open together.

    Whether they meet depends on the machine's time zone, so each zone is asked once for the same policies.
    """

    _never: dict[tuple[int, str | None], tuple[Origin, ...]] = field(default_factory=dict)
    _seen: dict[int, Hours] = field(
        default_factory=dict
    )  # by identity: machines under the same rules share one
    _on: dict[tuple[Origin, ...], list[str]] = field(default_factory=dict)

    def see(self, held: Hours, machine: Machine) -> None:
        """Take a machine into account."""
        if len(held.windows) < 2:
            return  # the windows of one policy open, each by itself
        self._seen[id(held)] = held
        key = id(held), machine_zone(machine)
        if key not in self._never:
            self._never[key] = _never_together(held, machine)
        if self._never[key]:
            self._on.setdefault(self._never[key], []).append(machine.name)

    def problems(self) -> Iterator[Problem]:
        """One for each set of windows that never meet, naming their files."""
        for origins, names in sorted(self._on.items()):
            some = ", ".join(sorted(names)[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
            last, others = origins[-1], " and ".join(map(str, origins[:-1]))
            what = f"the windows here and those of {others} are never open together, on {some}"
            instead = "let them meet, or narrow the `select` of one of the policies"
            yield last.problem(what, instead, codes.NEVER_MEET)


def _never_together(held: Hours, machine: Machine) -> tuple[Origin, ...]:
    """Where the fewest windows stand that never meet on the machine: two policies' if two suffice, else all; none if they meet."""
    zone = machine_zone(machine)
    if ever_open(calendar(held.windows, (), zone)):
        return ()
    for pair in combinations(held.windows, 2):
        if not ever_open(calendar(pair, (), zone)):
            return tuple(windows[0].origin for windows in pair)
    return tuple(windows[0].origin for windows in held.windows)
