"""The tables of a plan: probes, health and steps, each once, and which of them concern each machine.

A plan carries them so that no policy file is read again between its review and its run.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final, Generic, TypeVar

from orchestrator.hotpatch.foresee import Foreseen
from orchestrator.hotpatch.model import Restarts, Standing, Told, Track
from orchestrator.inventory.model import Machine, MachineId, Os
from orchestrator.planner.durations import Durations
from orchestrator.planner.exposure import Exposure
from orchestrator.planner.facts import facts_digest
from orchestrator.planner.hotpatching import Hotpatching, hotpatching
from orchestrator.planner.model import AroundSteps, PlannedMachine, Warned
from orchestrator.planner.restarts import Predicted
from orchestrator.policy import words
from orchestrator.policy.effective import Effective
from orchestrator.policy.hours import Hours, machine_zone, zone_is_strange
from orchestrator.policy.model import EVERYTHING, Around, Change, Each, Health, Probe, Reboot, Step
from orchestrator.policy.windows import Calendar

_NOTHING: Final = Foreseen(Restarts.UNKNOWN, Told.NOTHING, Standing(Track.NONE, Told.NOTHING, ""))

_UNRANKED: Final = Exposure()
_NO_TIME: Final = timedelta(0)

_PLACEHOLDER: Final = re.compile(r"\{([^{}]*)\}")

_Row = TypeVar("_Row")


class Table(Generic[_Row]):
    """Rows in the order in which they were first asked for, each once."""

    def __init__(self) -> None:
        self._rows: dict[_Row, int] = {}

    def place(self, row: _Row) -> int:
        """The row's place, a new one if it isn't there yet."""
        return self._rows.setdefault(row, len(self._rows))

    @property
    def rows(self) -> tuple[_Row, ...]:
        """All rows."""
        return tuple(self._rows)


@dataclass(frozen=True, slots=True)
class _Shared:
    """What all machines have alike for which the same holds. `holes` are the placeholders of its probes."""

    policies: tuple[str, ...]
    probes: tuple[int, ...]
    health: int
    holes: tuple[tuple[Probe, str], ...]


class Tables:
    """The tables of one plan while it is made. Machines are asked for in the order of their ids."""

    def __init__(
        self,
        read_tags: Collection[str],
        change: Change,
        durations: Durations,
        groups: Mapping[MachineId, tuple[int, ...]] | None = None,
        predicted: Predicted | None = None,
        exposures: Mapping[MachineId, Exposure] | None = None,
    ) -> None:
        self._exposures = {} if exposures is None else exposures
        self._predicted = Predicted({}, frozenset()) if predicted is None else predicted
        self._standings: Table[Standing] = Table()
        self._groups = {} if groups is None else groups
        self._read_tags = frozenset(read_tags)
        self._change = change
        self._durations = durations
        self._probes: Table[Probe] = Table()
        self._health: Table[Health] = Table()
        self._around: Table[AroundSteps] = Table()
        self._calendars: Table[Calendar] = Table()
        self._calendar_of: dict[
            tuple[int, str | None], int
        ] = {}  # by identity of hours: many machines share one
        self._hours: list[Hours] = []  # kept, so that identities stay theirs
        self._shared: dict[int, _Shared] = {}  # by identity of what holds: many machines share it
        self._around_at: dict[tuple[int, Os], tuple[int, ...]] = {}
        self._unrun: dict[Step, list[str]] = {}  # scripts -> machines of which nobody knows the family
        self._held: list[Effective] = []  # kept, so that identities stay theirs
        self._strange: dict[str, list[str]] = {}  # names of time zones that nobody knows -> machines
        self._holes: dict[tuple[Probe, str], list[str]] = {}

    @property
    def probes(self) -> tuple[Probe, ...]:
        """Every probe; whom it concerns is said by the machines."""
        return self._probes.rows

    @property
    def health(self) -> tuple[Health, ...]:
        """Every way of judging health."""
        return self._health.rows

    @property
    def around(self) -> tuple[AroundSteps, ...]:
        """Every set of steps."""
        return self._around.rows

    @property
    def calendars(self) -> tuple[Calendar, ...]:
        """Every calendar."""
        return self._calendars.rows

    @property
    def hotpatching(self) -> Hotpatching | None:
        """What the plan knows of hotpatching."""
        return hotpatching(self._predicted.tracks, self._standings.rows)

    def machine(self, machine: Machine, held: Effective, *, change: bool) -> PlannedMachine:
        """A machine as the plan carries it."""
        shared = self._shared_by(held)
        named = self._named(machine, shared.holes) if shared.holes else None
        calendar = self._calendar(machine, held.hours) if change else None
        exposure = self._exposures.get(machine.id, _UNRANKED)
        foreseen = self._predicted.of.get(machine.id, _NOTHING) if change else _NOTHING
        return PlannedMachine(
            id=machine.id,
            arm_id=machine.arm_id,
            name=machine.name,
            subscription=machine.subscription,
            location=machine.location,
            kind=machine.kind,
            os=machine.os,
            change=change,
            policies=shared.policies,
            probes=shared.probes,
            around=self._around_of(held, machine) if change else (),
            health=shared.health,
            private_ip=machine.private_ips[0] if machine.private_ips else "",
            computer_name=machine.computer_name,
            tags=named or None,
            facts=facts_digest(machine, self._read_tags),
            groups=self._groups.get(machine.id, ()) if change else (),
            calendar=calendar,
            takes=_NO_TIME if calendar is None else self._takes(machine, held),
            restart=foreseen.restarts,
            restart_by=foreseen.by,
            restart_because=foreseen.because,
            hotpatched=foreseen.hotpatched,
            hotpatch=self._standing(foreseen.standing),
            reboot=Reboot.NEVER if change and machine.id in self._predicted.unrestarted else None,
            sooner=exposure.sooner,
            outstanding=exposure.outstanding,
        )

    def _standing(self, standing: Standing) -> int | None:
        """Who can't be hotpatched, or of whom nothing is known at all, has no row."""
        told = standing.track is not Track.NONE and standing.product is not None
        return self._standings.place(standing) if told else None

    def _shared_by(self, held: Effective) -> _Shared:
        found = self._shared.get(id(held))
        if found is None:
            found = self._shared[id(held)] = _Shared(
                policies=tuple(policy.name for policy in held.policies),
                probes=tuple(self._probes.place(replace(probe, of=EVERYTHING)) for probe in held.probes),
                health=self._health.place(held.health),
                holes=tuple(
                    (probe, hole)
                    for probe in held.probes
                    for hole in _PLACEHOLDER.findall(probe.url + probe.host)
                ),
            )
            self._held.append(held)
        return found

    def _around_of(self, held: Effective, machine: Machine) -> tuple[int, ...]:
        """The steps around it; a script is for machines of its own family."""
        if machine.os is Os.UNKNOWN:
            self._scripts_of_nobody(held, machine)
        key = id(held), machine.os
        found = self._around_at.get(key)
        if found is None:
            steps = (_steps(around, machine.os) for around in held.around)
            found = tuple(self._around.place(one) for one in steps if one.before or one.after)
            self._around_at[key] = found
            self._held.append(held)
        return found

    def _scripts_of_nobody(self, held: Effective, machine: Machine) -> None:
        for around in held.around:
            for step in (*around.before, *around.after):
                if step.command is not None:
                    self._unrun.setdefault(step, []).append(machine.name)

    def _calendar(self, machine: Machine, hours: Hours) -> int | None:
        if not (hours.windows or hours.freezes):
            return None
        if zone_is_strange(machine) and hours.reads_zone():
            self._strange.setdefault(machine.time_zone, []).append(machine.name)
        key = id(hours), machine_zone(machine)
        if key not in self._calendar_of:
            self._hours.append(hours)
            self._calendar_of[key] = self._calendars.place(hours.of(machine))
        return self._calendar_of[key]

    def _takes(self, machine: Machine, held: Effective) -> timedelta:
        around = [_steps(entry, machine.os) for entry in held.around if entry.each is Each.MACHINE]
        return self._durations.of(self._change, machine.kind, machine.os, held.health, around).late

    def warnings(self) -> Iterable[Warned]:
        """Time zones that nobody knows. Probes that name something that some machines don't have: these will never be asked, and so
        never be well. A month of releases that may not be what the calendar takes it for.
        """
        yield from map(Warned, self._predicted.surprises)
        for zone, names in sorted(self._strange.items()):
            yield Warned(
                f"the time zone `{zone}` of {_some(names)} isn't known here: "
                "their windows are those of the zone that policies name for such machines, and freezes last as long as their days do "
                "anywhere on Earth"
            )
        for step, names in self._unrun.items():
            what = f"the inventory doesn't say whether {_some(names)} run Windows or Linux, so the script {step.name} isn't run there"
            yield Warned(what, step.origin)
        for (probe, hole), names in self._holes.items():
            yield Warned(
                f"{words.probe(probe)}: {{{hole}}} isn't known for {_some(names)}; "
                "unless a rollout finds it, the probe can't be asked there, and the machine isn't changed",
                probe.origin,
            )

    def _named(self, machine: Machine, holes: Iterable[tuple[Probe, str]]) -> Mapping[str, str]:
        """The tags that probes name. What the machine has nothing for is noted."""
        tags: dict[str, str] = {}
        for probe, hole in holes:
            value = _value(machine, hole)
            if not value:
                self._holes.setdefault((probe, hole), []).append(machine.name)
            elif hole.startswith("tag:"):
                tags[hole.removeprefix("tag:")] = value
        return dict(sorted(tags.items()))


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def _steps(around: Around, os: Os) -> AroundSteps:
    before, after = (
        tuple(step for step in steps if step.command is None or step.command.os is os)
        for steps in (around.before, around.after)
    )
    return AroundSteps(before, after, around.each)


_FACTS: Final[Mapping[str, Callable[[Machine], str]]] = {
    "private_ip": lambda machine: machine.private_ips[0] if machine.private_ips else "",
    "name": lambda machine: machine.name,
    "computer_name": lambda machine: machine.computer_name,
}


def _value(machine: Machine, hole: str) -> str:
    """What fills a placeholder of a probe for this machine; empty if nothing does."""
    if hole in _FACTS:
        return _FACTS[hole](machine)
    wanted = hole.removeprefix("tag:").lower()
    return next((value for name, value in machine.tags.items() if name.lower() == wanted), "")


def planned_machines(
    tables: Tables,
    machines: Mapping[MachineId, Machine],
    held: Mapping[MachineId, Effective],
    changed: Collection[MachineId],
) -> tuple[PlannedMachine, ...]:
    """Every machine that a plan names, sorted by id."""
    return tuple(
        tables.machine(machines[machine], held[machine], change=machine in changed)
        for machine in sorted(machines)
    )
