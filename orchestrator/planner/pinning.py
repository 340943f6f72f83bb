"""The one set of patches that all waves of a rollout get, settled when it is planned: the canary's set is what production gets.

Azure pins Windows' updates by the day on which they were published. For Linux packages its API has no such day, and no other
way than to ask for each package in one version (`name=version`), which takes an assessment that found it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Final

from orchestrator.hotpatch.eligibility import client_of
from orchestrator.hotpatch.predict import is_assessed
from orchestrator.hotpatch.selection import package_version, wanted
from orchestrator.inventory.model import Machine, MachineId, Os, Update
from orchestrator.planner.model import Warned
from orchestrator.planner.restarts import installation_of
from orchestrator.policy.change import Change, Patches, PinnedBy
from orchestrator.policy.schema.campaign import LINUX_CLASSIFICATIONS, WINDOWS_CLASSIFICATIONS
from orchestrator.policy.words import counted
from orchestrator.topology.graph import Topology

HOW: Final = "wavekeeper plan --assess asks them first"
"""What to do about machines of which nobody knows what they would get."""


@dataclass(frozen=True, slots=True)
class Pinned:
    """The change with its set, who gets nothing by it and why, and what isn't pinned."""

    change: Change
    left_out: Mapping[MachineId, str] = field(default_factory=lambda: MappingProxyType({}))
    warnings: tuple[Warned, ...] = ()


def pin(topology: Topology, machines: Iterable[MachineId], change: Change) -> Pinned:
    """Settle the set for these machines, at the moment at which the inventory was taken."""
    if not isinstance(change, Patches):
        return Pinned(change)
    if change.published_until is None:
        change = replace(change, published_until=topology.inventory.taken_at)
    asked = [topology.machine(machine) for machine in machines]
    nothing = {os: _nothing_of(os, change) for os in Os}
    idle = {m.id: why for m in asked if (why := _nothing_for_clients(m) or nothing[m.os])}
    asked = [machine for machine in asked if machine.id not in idle]
    made = (
        _by_assessment(asked, change) if change.pinned_by is PinnedBy.ASSESSMENT else _by_date(asked, change)
    )
    return replace(made, left_out=MappingProxyType({**idle, **made.left_out}))


def _nothing_for_clients(machine: Machine) -> str:
    """Why a client gets nothing; empty if the machine is none."""
    if client := client_of(machine):
        return f"{client} is a client, which Azure Update Manager doesn't patch: leave it to Intune or Windows Autopatch"
    return ""


def _nothing_of(os: Os, change: Patches) -> str:
    """Why machines of a family get nothing whatever they lack; empty if they may."""
    if os is Os.LINUX and change.hotpatch_only:
        return "the campaign installs hotpatches only, and Linux has none"
    known, included = {
        Os.WINDOWS: (WINDOWS_CLASSIFICATIONS, (*change.include_kbs, *change.include_names)),
        Os.LINUX: (LINUX_CLASSIFICATIONS, change.include_packages),
    }.get(os, ((), ("of a family that isn't known",)))
    if included or not set(known).isdisjoint(change.classifications):
        return ""
    return f"nothing of what the campaign asks for exists on {os.value.capitalize()}"


# By what assessments found ---------------------------------------------------------------------------------------


def _by_assessment(machines: Sequence[Machine], change: Patches) -> Pinned:
    at = change.published_until
    unknown = {machine.id for machine in machines if not is_assessed(machine, at)}
    known = [machine for machine in machines if machine.id not in unknown]
    kbs, packages = _kbs(known, change), _packages(known, change)
    why = (
        f"nobody knows what it would get, since it has no recent assessment; {HOW}"
        if at is not None
        else "nobody knows whether its assessment is recent, since the inventory doesn't say when it was taken"
    )
    nothing = "the assessments found nothing of what the campaign asks for on {}"
    return Pinned(
        replace(change, only_kbs=kbs, only_packages=packages),
        {
            **dict.fromkeys(unknown, why),
            **{m.id: nothing.format("Windows") for m in known if m.os is Os.WINDOWS and not kbs},
            **{m.id: nothing.format("Linux") for m in known if m.os is Os.LINUX and not packages},
        },
    )


def _kbs(machines: Iterable[Machine], change: Patches) -> tuple[str, ...]:
    found = _found((machine for machine in machines if machine.os is Os.WINDOWS), change)
    return tuple(sorted({update.kb for update in found if update.kb}))


def _packages(machines: Iterable[Machine], change: Patches) -> tuple[str, ...]:
    found = _found((machine for machine in machines if machine.os is Os.LINUX), change)
    return tuple(sorted({package for update in found if (package := package_version(update))}))


def _found(machines: Iterable[Machine], change: Patches) -> set[Update]:
    installation = installation_of(change)
    return {update for machine in machines for update in wanted(machine, installation)}


# By the day of publication, as far as there is one ---------------------------------------------------------------


def _by_date(machines: Sequence[Machine], change: Patches) -> Pinned:
    """Linux packages are pinned to the versions that were found if each machine has told its own, or else not at all."""
    at = change.published_until
    if at is None:
        what = (
            "the inventory doesn't say when it was taken, so the set of patches isn't pinned: "
            "later stages may get patches that the canary never had"
        )
        return Pinned(change, warnings=(Warned(what),))
    linux = [machine for machine in machines if machine.os is Os.LINUX]
    unknown = [m for m in linux if not is_assessed(m, at) or _lacks_versions(m, change)]
    if linux and not unknown and (packages := _packages(linux, change)):
        return Pinned(replace(change, only_packages=packages))
    if not linux:
        return Pinned(change)
    why, how = "assessments found nothing of it", ""
    if unknown:
        why = f"{_some(len(unknown), len(linux))} no recent assessment that names versions"
        how = f"; {HOW}"
    what = (
        f"the set isn't pinned for {counted(len(linux), 'Linux machine')}, since {why}: "
        f"later stages may get packages that the canary never had{how}"
    )
    return Pinned(change, warnings=(Warned(what),))


def _lacks_versions(machine: Machine, change: Patches) -> bool:
    """Whether a package that it would get has no version told, by which it could be asked for."""
    return any(not update.version for update in wanted(machine, installation_of(change)))


def _some(number: int, of: int) -> str:
    if number == of:
        return "there is"
    return f"{number:,} of them have" if number > 1 else "one of them has"
