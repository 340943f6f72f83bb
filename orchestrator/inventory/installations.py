"""What Resource Graph tells of installations: the rows of its table `patchinstallationresources`, beside those of machines.

Two types of row: `<machine>/patchInstallationResults/<run>` is a run as a whole, and `.../softwarePatches/<name>` below it what
became of one update. The same for Arc machines. Resource Graph keeps both for thirty days, and knows only the runs that Azure
carried out. Properties: Azure Update Manager's "query logs" page.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Final

from orchestrator.inventory.model import Installed, Machine, MachineId, PatchState, kb_number, machine_id
from orchestrator.inventory.wire import Row, flattened, moment, text

INSTALLATION_TYPES: Final = frozenset(
    {
        "microsoft.compute/virtualmachines/patchinstallationresults",
        "microsoft.hybridcompute/machines/patchinstallationresults",
    }
)
"""Rows of runs as a whole."""

INSTALLED_TYPES: Final = frozenset(f"{kind}/softwarepatches" for kind in INSTALLATION_TYPES)
"""Rows of what became of an update."""

_RESULTS: Final = "/patchinstallationresults/"
_LONG_AGO: Final = datetime(1, 1, 1, tzinfo=UTC)


@dataclass(slots=True)
class Installations:
    """Rows of the table, as they are come upon."""

    runs: dict[MachineId, tuple[datetime, str, Row]] = field(default_factory=dict)  # the last one of each
    installed: defaultdict[MachineId, dict[str, Installed]] = field(default_factory=lambda: defaultdict(dict))

    def __len__(self) -> int:
        """How many machines the rows name."""
        return len(self.runs.keys() | self.installed.keys())

    def take(self, row: Row) -> None:
        """A row of either type. One that names no machine is none of ours."""
        arm_id = text(row, "id").lower()
        machine, found, rest = arm_id.partition(_RESULTS)
        if not found:
            return
        run, _, patch = rest.partition("/softwarepatches/")
        flat = flattened(row)
        if patch:
            self._take_update(machine_id(machine), flat)
        else:
            ended = moment(flat, "lastModifiedDateTime") or moment(flat, "startDateTime") or _LONG_AGO
            seen = (ended, run, flat)
            known = self.runs.setdefault(machine_id(machine), seen)
            if seen[:2] > known[:2]:
                self.runs[machine_id(machine)] = seen

    def of(self, machines: Iterable[Machine]) -> Iterator[Machine]:
        """The machines with what was told of them. What an instance view says of a run that ended later is kept."""
        for machine in machines:
            if machine.id not in self.runs and machine.id not in self.installed:
                yield machine
                continue
            updates = self.installed.get(machine.id, {})
            patches = self._with_run(machine.id, machine.patches)
            installed = tuple(updates[kb] for kb in sorted(updates))
            yield replace(machine, patches=replace(patches, installed=installed))

    def _with_run(self, machine: MachineId, told: PatchState) -> PatchState:
        if machine not in self.runs:
            return told
        ended, run, row = self.runs[machine]
        if told.installed_at is not None and told.installed_at >= ended:
            return told
        return replace(
            told,
            installation_id=text(row, "installationActivityId") or run,
            installation_status=text(row, "status") or None,
            installed_at=None if ended is _LONG_AGO else ended,
        )

    def _take_update(self, machine: MachineId, flat: Row) -> None:
        kb = kb_number(text(flat, "kbId"))
        if not kb or text(flat, "installationState").lower() != "installed":
            return
        one = Installed(
            kb, text(flat, "patchName") or text(flat, "name"), moment(flat, "lastModifiedDateTime")
        )
        known = self.installed[machine].setdefault(kb, one)
        if (one.at or _LONG_AGO) > (known.at or _LONG_AGO):
            self.installed[machine][kb] = one
