"""What a campaign does to a machine: install patches, restart it, run a script, take updates back."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256

from orchestrator.inventory.model import MachineId, Os
from orchestrator.policy import defaults


class Reboot(StrEnum):
    """Whether an installation may restart the machine. Wire values: IfRequired, Never, Always."""

    IF_REQUIRED = "if_required"
    NEVER = "never"
    ALWAYS = "always"


class PinnedBy(StrEnum):
    """What settles the one set of patches that all waves of a rollout get, when it is planned."""

    PUBLICATION = "publication"  # what was published until then
    ASSESSMENT = "assessment"  # what assessments found until then, and nothing else


@dataclass(frozen=True, slots=True)
class Patches:
    """Install patches. `classifications` are of Azure's list; KB ids are digits without "KB".

    Includes add to classifications, excludes override both. `names` are masks of the names of Windows updates, `packages` of Linux
    packages. `published_until` and the two `only_...` pin the set, so that what the canary got is what production gets: a plan has them, a policy hasn't.
    """

    classifications: tuple[str, ...] = defaults.CLASSIFICATIONS
    include_kbs: tuple[str, ...] = ()
    exclude_kbs: tuple[str, ...] = ()
    reboot: Reboot = Reboot.IF_REQUIRED
    maximum_duration: timedelta = defaults.MAXIMUM_DURATION  # of one installation
    published_until: datetime | None = None  # Windows: nothing later
    include_names: tuple[str, ...] = ()
    exclude_names: tuple[str, ...] = ()
    include_packages: tuple[str, ...] = ()
    exclude_packages: tuple[str, ...] = ()
    hotpatch_only: bool = False  # of Windows' updates only those that never restart a machine
    pinned_by: PinnedBy = PinnedBy.PUBLICATION
    only_kbs: tuple[str, ...] | None = None  # Windows: nothing else; None: whatever else is asked for
    only_packages: tuple[str, ...] | None = None  # Linux, each as `name=version`: nothing else


@dataclass(frozen=True, slots=True)
class Restart:
    """Restart the machine, nothing else."""

    only_pending: bool = (
        False  # only where a restart is pending when it is planned, and still is right before
    )


@dataclass(frozen=True, slots=True)
class Script:
    """A script by its file's name, with the text that is run. `sha256` pins it; both are empty until the file was read."""

    file: str
    text: str = ""
    sha256: str = ""


@dataclass(frozen=True, slots=True)
class RunCommand:
    """Run a script on the machine, as PowerShell on Windows and with the shell on Linux, by Azure's managed run commands."""

    script: Script
    os: Os
    timeout: timedelta = defaults.COMMAND_TIMEOUT
    parameters: tuple[tuple[str, str], ...] = ()  # sorted by name


@dataclass(frozen=True, slots=True)
class Undo:
    """What is taken back on some machines: KBs, by digits, that a rollout installed on each of them."""

    kbs: tuple[str, ...]
    machines: tuple[MachineId, ...]  # sorted
    uninstall: Script
    check: Script  # fails while any of the KBs is still installed


@dataclass(frozen=True, slots=True)
class Rollback:
    """Take back what a rollout installed: uninstall it, install the last good baseline if there is one to install, restart, check."""

    rollout: str
    undo: tuple[Undo, ...]
    baseline: tuple[str, ...] = ()  # KBs by digits


Setting = tuple[str, str | bool | None]
"""A patch setting by its dotted key below `patchSettings`, as Azure spells it; None: it isn't there."""


@dataclass(frozen=True, slots=True)
class WriteSettings:
    """Write these settings of one machine, and take away what is None. It may be sent twice: the second time changes nothing."""

    values: tuple[Setting, ...]  # sorted by key


@dataclass(frozen=True, slots=True)
class Settings:
    """What is to be set on one machine, and what stands there before. The same keys in both."""

    machine: MachineId
    wanted: tuple[Setting, ...]
    former: tuple[Setting, ...]


@dataclass(frozen=True, slots=True)
class Enrolment:
    """Settings by which nobody but whoever is asked to patches a machine; or, with `undoes`, those that a rollout found before it."""

    settings: tuple[Settings, ...]  # sorted by machine
    undoes: str = ""

    def of(self, machine: MachineId) -> Settings | None:
        """A machine's; None if nothing is to be set on it."""
        place = bisect_left(self.settings, machine, key=lambda one: one.machine)
        held = self.settings[place : place + 1]
        return held[0] if held and held[0].machine == machine else None


def _holds(machines: tuple[MachineId, ...], machine: MachineId) -> bool:
    place = bisect_left(machines, machine)
    return place < len(machines) and machines[place] == machine


Simple = Patches | Restart | RunCommand | WriteSettings
"""A change that is one request to the cloud."""

Change = Patches | Restart | RunCommand | Rollback | Enrolment
"""A rollback is several requests, one after another under one grant; an enrolment another one for each machine (`parts`)."""


def script(file: str, text: str) -> Script:
    """A script that was read, pinned by its digest."""
    return Script(file, text, sha256(text.encode()).hexdigest())


def parts(change: Change, machine: MachineId) -> tuple[Simple, ...]:
    """The requests that make a change of a machine, in their order. One alone, but for a rollback.

    Order of a rollback: Microsoft's for hotpatches, "uninstall the latest update, install the last known-good baseline, restart".
    """
    if isinstance(change, Enrolment):
        settings = change.of(machine)
        return (WriteSettings(settings.wanted if settings is not None else ()),)
    if not isinstance(change, Rollback):
        return (change,)
    undo = next(undo for undo in change.undo if _holds(undo.machines, machine))
    install = Patches(classifications=(), include_kbs=change.baseline, reboot=Reboot.NEVER)
    return (
        RunCommand(undo.uninstall, Os.WINDOWS, defaults.LONGEST_COMMAND),
        *((install,) if change.baseline else ()),
        Restart(),
        RunCommand(undo.check, Os.WINDOWS),
    )
