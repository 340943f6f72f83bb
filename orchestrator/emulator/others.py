"""Other people's patch runs: a colleague's, a maintenance schedule's, Azure's own.

Nobody who asks the emulator began them. Their runs are in instance views, in Resource Graph and in the audit like all others, there with
`"by": "foreign"` and `who`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from functools import partial

from orchestrator.emulator.catalogue import cumulative, out_of_band
from orchestrator.emulator.chance import portion
from orchestrator.emulator.faults import ForeignRun
from orchestrator.emulator.months import Calendar, current_month, release
from orchestrator.emulator.operations import Operations
from orchestrator.emulator.state import Json, Kind, MachineState
from orchestrator.emulator.timeline import Timeline
from orchestrator.inventory.model import MachineId

FOREIGN = "foreign"
PLATFORM, BYPASS = "AutomaticByPlatform", "bypassPlatformSafetyChecksOnUserSchedule"
_CLASSES = {
    "important": ["Critical", "Security"],
    "everything": ["Critical", "Security", "UpdateRollUp", "Updates", "Definition", "Tools"],
}
_FIRST_DAY, _DAYS = 1, 21  # after a release, when Azure comes to a machine
_OFF_PEAK_FROM, _OFF_PEAK_HOURS = 22, 8  # UTC; what Azure means by off-peak isn't published

Models = Mapping[MachineId, Json]


class Others:
    """Whoever else patches the machines of one world."""

    def __init__(
        self, timeline: Timeline, operations: Operations, calendar: Calendar, models: Models, *, seed: int
    ) -> None:
        self._timeline = timeline
        self._operations = operations
        self._calendar = calendar
        self._models = models
        self._seed = seed

    def plan(self, machine: MachineState, run: ForeignRun, at: datetime) -> None:
        """Let somebody patch a machine at that moment, and again as often as the run says."""
        self._timeline.at(at, partial(self._run, machine, run))

    def let_azure_patch(self, machines: Callable[[], Iterable[MachineState]], now: datetime) -> None:
        """Let Azure patch the machines whose settings have it do so, each once a month, from now on."""
        month = current_month(now)
        self._come_round(machines, month, now)

    def _run(self, machine: MachineState, run: ForeignRun, now: datetime) -> None:
        body = self._body(machine, run, now)
        if body is not None:
            self._operations.begin(Kind.INSTALL, machine, body, now, by=FOREIGN, who=run.by)
        if run.every is not None:
            self._timeline.at(now + run.every, partial(self._run, machine, run))

    def _body(self, machine: MachineState, run: ForeignRun, now: datetime) -> Json | None:
        """What they ask for; None where there is nothing of the kind."""
        edition, month = machine.software.edition, current_month(now)
        told: Json = {"classificationsToInclude": _CLASSES.get(run.takes, [])}
        if run.takes == "cumulative" and edition is not None:
            told["kbNumbersToInclude"] = [cumulative(edition, month, self._calendar).kb]
        elif run.takes == "out_of_band" and edition is not None:
            sent = out_of_band(edition, month, self._calendar)
            if sent is None:
                return None
            told["kbNumbersToInclude"] = [sent.kb]
        elif run.takes == "kbs" and edition is not None:
            told = {"kbNumbersToInclude": [kb.upper().removeprefix("KB") for kb in run.kbs]}
        elif edition is None and run.takes not in _CLASSES:
            return None
        linux = {"classificationsToInclude": ["Critical", "Security"]}
        return {"rebootSetting": run.reboot, "windowsParameters": told, "linuxParameters": linux}

    def _come_round(self, machines: Callable[[], Iterable[MachineState]], month: int, now: datetime) -> None:
        """Set when Azure comes to each machine this month; the next release sets the next."""
        azure = ForeignRun(at=timedelta(0), by="azure")
        for machine in machines():
            at = self._turn(machine, month)
            if at > now:
                self._timeline.at(at, partial(self._by_azure, machine, azure))
        self._timeline.at(release(month + 1), partial(self._next_month, machines, month + 1))

    def _next_month(self, machines: Callable[[], Iterable[MachineState]], month: int, now: datetime) -> None:
        self._come_round(machines, month, now)

    def _turn(self, machine: MachineState, month: int) -> datetime:
        """In the off-peak hours of one of the days after the release, by chance."""
        day = _FIRST_DAY + int(portion(self._seed, machine.id, month, "azure's day") * _DAYS)
        midnight = release(month).replace(hour=0) + timedelta(days=day)
        into = portion(self._seed, machine.id, month, "azure's hour") * _OFF_PEAK_HOURS
        return midnight + timedelta(hours=_OFF_PEAK_FROM + round(into, 2))

    def _by_azure(self, machine: MachineState, run: ForeignRun, now: datetime) -> None:
        """Only if the settings still say so: whoever turned it off meanwhile is let be."""
        if machine.reachable and is_patched_by_azure(self._models.get(machine.id, {})):
            self._run(machine, run, now)


def is_patched_by_azure(model: Json) -> bool:
    """Whether a machine's settings let Azure patch it as it sees fit: by the platform, and no schedule of the user's in the way."""
    profile = (model.get("properties") or {}).get("osProfile") or {}
    for part in ("windowsConfiguration", "linuxConfiguration"):
        settings = (profile.get(part) or {}).get("patchSettings") or {}
        if settings.get("patchMode") == PLATFORM:
            return not (settings.get("automaticByPlatformSettings") or {}).get(BYPASS)
    return False
