"""What Resource Graph tells of assessments: the rows of its table `patchassessmentresources`, beside those of machines.

Two types of row: `<machine>/patchAssessmentResults/latest` is the assessment as a whole, and `.../softwarePatches/<name>`
below it an update that it found. The same for Arc machines. Resource Graph keeps both for seven days.
Properties: Azure Update Manager's "query logs" page.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

from orchestrator.inventory.model import Machine, MachineId, RebootBehavior, Update, kb_number, machine_id
from orchestrator.inventory.wire import Row, flattened, moment, number, objects, part, text, truth

ASSESSMENT_TYPES: Final = frozenset(
    {
        "microsoft.compute/virtualmachines/patchassessmentresults",
        "microsoft.hybridcompute/machines/patchassessmentresults",
    }
)
"""Rows of assessments as a whole."""

UPDATE_TYPES: Final = frozenset(f"{kind}/softwarepatches" for kind in ASSESSMENT_TYPES)
"""Rows of updates that an assessment found."""

_RESULTS: Final = "/patchassessmentresults/"

_BEHAVIORS: Final = {
    "neverreboots": RebootBehavior.NEVER,
    "canrequestreboot": RebootBehavior.CAN,
    "alwaysrequiresreboot": RebootBehavior.ALWAYS,
}


@dataclass(slots=True)
class Assessments:
    """Rows of the table, as they are come upon."""

    whole: dict[MachineId, Row] = field(default_factory=dict)
    updates: defaultdict[MachineId, list[Update]] = field(default_factory=lambda: defaultdict(list))

    def __len__(self) -> int:
        """How many rows there were that name a machine."""
        return len(self.whole) + sum(map(len, self.updates.values()))

    def take(self, row: Row) -> None:
        """A row of either type. One that names no machine is none of ours."""
        arm_id = text(row, "id").lower()
        machine, found, rest = arm_id.partition(_RESULTS)
        if not found:
            return
        if "/softwarepatches/" in rest:
            self.updates[machine_id(machine)].append(update_from(flattened(row)))
        else:
            self.whole[machine_id(machine)] = flattened(row)

    def of(self, machines: Iterable[Machine]) -> Iterator[Machine]:
        """The machines with what was told of them.

        An assessment that failed tells nothing. Updates without the assessment that found them tell nothing either, nor do fewer
        of them than it counted: there may be others.
        """
        for machine in machines:
            row = self.whole.get(machine.id)
            if row is None or text(row, "status").lower() != "succeeded":
                yield machine
                continue
            found = sorted(self.updates.get(machine.id, ()), key=by_kb)
            told = machine.patches
            pending = [one for one in (truth(row, "rebootPending"), told.reboot_pending) if one is not None]
            yield replace(
                machine,
                patches=replace(
                    told,
                    assessed_at=moment(row, "lastModifiedDateTime") or told.assessed_at,
                    reboot_pending=any(pending) if pending else None,
                    updates=tuple(found) if len(found) >= _counted(row) else None,
                ),
            )


@dataclass(frozen=True, slots=True)
class Assessment:
    """What an assessment that was asked for found. `updates` is None where it only counted them, as for Arc machines."""

    at: datetime | None  # when it began, by the cloud's clock
    reboot_pending: bool | None = None
    critical_and_security: int | None = None
    other: int | None = None
    updates: tuple[Update, ...] | None = None  # sorted by KB and name


def assessment_from(result: Row) -> Assessment:
    """The answer of `assessPatches` (`VirtualMachineAssessPatchesResult`). Fewer updates than it counted tell nothing: there may be others."""
    important, other = number(result, "criticalAndSecurityPatchCount"), number(result, "otherPatchCount")
    found = [update_from(row) for row in objects(result, "availablePatches")]
    told = "availablePatches" in result and len(found) >= (important or 0) + (other or 0)
    return Assessment(
        at=moment(result, "startDateTime"),
        reboot_pending=truth(result, "rebootPending"),
        critical_and_security=important,
        other=other,
        updates=tuple(sorted(found, key=by_kb)) if told else None,
    )


def with_assessment(machine: Machine, found: Assessment, at: datetime) -> Machine:
    """The machine as an assessment found it that ended at `at`."""
    patches = replace(
        machine.patches,
        assessed_at=at,
        critical_and_security=found.critical_and_security,
        other=found.other,
        reboot_pending=found.reboot_pending,
        updates=found.updates,
    )
    return replace(machine, patches=patches)


def by_kb(update: Update) -> tuple[str, str, str]:
    """The order in which updates are told."""
    return update.kb, update.name, update.version or ""


def _counted(row: Row) -> int:
    """How many updates an assessment found, of all classifications."""
    counts = part(row, "availablePatchCountByClassification")
    return sum(number(counts, name) or 0 for name in counts)


def update_from(flat: Row) -> Update:
    """An update, of a row of Resource Graph or of what an assessment answers, which spell some names otherwise."""
    named = flat.get("classifications")
    classifications = named if isinstance(named, list | tuple) else [named]
    return Update(
        name=text(flat, "patchName") or text(flat, "name"),
        kb=kb_number(text(flat, "kbId")),
        classifications=tuple(sorted(one for one in classifications if isinstance(one, str) and one)),
        reboot=_BEHAVIORS.get(text(flat, "rebootBehavior").lower(), RebootBehavior.UNKNOWN),
        version=text(flat, "version") or None,
        published=moment(flat, "publishedDateTime") or moment(flat, "publishedDate"),
    )
