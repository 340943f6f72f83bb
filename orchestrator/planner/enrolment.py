"""By which settings nobody but whoever is asked to patches a machine, and what stood there before.

`AutomaticByPlatform` with `bypassPlatformSafetyChecksOnUserSchedule` is what Azure calls "customer managed schedules": with no
schedule attached nothing is installed but what is asked for (Azure Update Manager, "prerequisites for schedule patching"). A machine
whose image is eligible also gets hotpatches, so that most months it needn't restart. Whether Azure refuses is Azure's to say.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from orchestrator.hotpatch.eligibility import eligibility
from orchestrator.hotpatch.model import Answer
from orchestrator.inventory.ids import name_of
from orchestrator.inventory.model import Agent, Kind, Machine, MachineId
from orchestrator.policy.change import Enrolment, Setting, Settings

MODE: Final = "patchMode"
BYPASS: Final = "automaticByPlatformSettings.bypassPlatformSafetyChecksOnUserSchedule"
HOTPATCHING: Final = "enableHotpatching"

PLATFORM: Final = "AutomaticByPlatform"

_NOW: Final[Mapping[str, Callable[[Machine], str | bool | None]]] = {
    MODE: lambda machine: machine.patch_mode or None,
    BYPASS: lambda machine: machine.patch_settings.bypasses_safety_checks,
    HOTPATCHING: lambda machine: machine.patch_settings.hotpatching,
}

ABSENT_MEANS: Final[Mapping[str, str | bool | None]] = {BYPASS: False, HOTPATCHING: False}
"""What a setting that isn't there comes to. Azure may write it down in its place."""


@dataclass(frozen=True, slots=True)
class Enrolling:
    """What is to be set, and who can't be enrolled or restored, each with its reason. `same`: machines that are right as they are."""

    change: Enrolment
    cannot: Mapping[MachineId, str]
    same: int


def enrol(machines: Iterable[Machine], *, hotpatching: bool = True) -> Enrolling:
    """The settings of these machines that enrol them; with `hotpatching`, where they are eligible, hotpatches too."""
    settings: list[Settings] = []
    cannot: dict[MachineId, str] = {}
    same = 0
    for machine in machines:
        why = why_not(machine)
        if why:
            cannot[machine.id] = why
            continue
        wanted: dict[str, Setting] = {MODE: (MODE, PLATFORM), BYPASS: (BYPASS, True)}
        if hotpatching and eligibility(machine).answer is Answer.YES:
            wanted[HOTPATCHING] = (HOTPATCHING, True)
        one = _settings(machine, wanted.values())
        if one is None:
            same += 1
        else:
            settings.append(one)
    return Enrolling(_enrolment(settings), cannot, same)


def unenrol(done: Enrolment, rollout: str, machines: Mapping[MachineId, Machine]) -> Enrolling:
    """The settings that bring machines back to what a rollout found before it set `done`, also to what wasn't there.

    A machine whose settings somebody has changed since is left alone: what it is now is what somebody wanted later.
    """
    settings: list[Settings] = []
    cannot: dict[MachineId, str] = {}
    same = 0
    for one in done.settings:
        machine = machines.get(one.machine)
        if machine is None:
            cannot[one.machine] = "it isn't there any more"
            continue
        if not differences(machine, one.former):
            same += 1
            continue
        changed = differences(machine, one.wanted)
        if changed:
            cannot[one.machine] = f"somebody has changed it since: {'; '.join(changed)}"
            continue
        settings.append(Settings(one.machine, one.former, _now(machine, one.former)))
    return Enrolling(_enrolment(settings, undoes=rollout), cannot, same)


def why_not(machine: Machine) -> str:
    """Why a machine can't be enrolled; empty if it can, or is."""
    if machine.kind is not Kind.AZURE_VM:
        return "Azure patches no Arc machine by itself; it is its maintenance configurations that may be taken off it"
    if machine.agent is Agent.MISSING:
        return "it has no guest agent, without which Azure takes no patch mode of its own"
    if machine.schedules and not _is_enrolled(machine):
        names = ", ".join(map(name_of, machine.schedules))
        return f"maintenance configuration {names} would begin to patch it once it is enrolled: take it out of that first"
    return ""


def differences(machine: Machine, wanted: Iterable[Setting]) -> tuple[str, ...]:
    """What of a machine's settings isn't as wanted, a clause each. A setting that isn't there is what Azure takes it for."""
    return tuple(
        f"{key.rpartition('.')[2]} is {told(_NOW[key](machine))}, not {told(value)}"
        for key, value in wanted
        if _meant(key, _NOW[key](machine)) != _meant(key, value)
    )


def told(value: str | bool | None) -> str:
    """A setting's value for people."""
    return "absent" if value is None else str(value).lower() if isinstance(value, bool) else value


def _is_enrolled(machine: Machine) -> bool:
    return (
        machine.patch_mode.lower() == PLATFORM.lower()
        and machine.patch_settings.bypasses_safety_checks is True
    )


def _settings(machine: Machine, wanted: Iterable[Setting]) -> Settings | None:
    """Only what isn't so already: what needn't be written needn't be restored."""
    lacking = tuple(sorted(one for one in wanted if differences(machine, [one])))
    return Settings(machine.id, lacking, _now(machine, lacking)) if lacking else None


def _now(machine: Machine, settings: Iterable[Setting]) -> tuple[Setting, ...]:
    return tuple((key, _NOW[key](machine)) for key, _ in settings)


def _meant(key: str, value: str | bool | None) -> str | bool | None:
    if value is None:
        return ABSENT_MEANS.get(key)
    return value.lower() if isinstance(value, str) else value


def _enrolment(settings: Iterable[Settings], undoes: str = "") -> Enrolment:
    return Enrolment(tuple(sorted(settings, key=lambda one: one.machine)), undoes)
