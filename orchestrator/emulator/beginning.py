"""How everything stands when the emulator begins: machines as the inventory left them, with what was done before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from orchestrator.emulator.chance import guid, stream
from orchestrator.emulator.months import Calendar
from orchestrator.emulator.patch_status import assess
from orchestrator.emulator.problems import stamp
from orchestrator.emulator.software import first_software
from orchestrator.emulator.state import MachineState
from orchestrator.emulator.tempo import Tempo
from orchestrator.inventory.model import Agent, AppHealth, Inventory, Machine, Power


@dataclass(frozen=True, slots=True)
class Beginning:
    """The moment, and what isn't told but drawn: `restart_share` of the machines wait for a patch that restarts them."""

    seed: int
    now: datetime
    restart_share: float
    calendar: Calendar

    def state(self, record: Machine, tempo: Tempo) -> MachineState:
        """A machine as the inventory left it; what it doesn't tell is well."""
        power = Power.RUNNING if record.power is Power.UNKNOWN else record.power
        app = AppHealth.HEALTHY if record.app_health is AppHealth.NONE else record.app_health
        share = self.restart_share if tempo.needs_restart is None else float(tempo.needs_restart)
        state = MachineState(
            record=record,
            power=power,
            agent=Agent.READY if record.agent is Agent.UNKNOWN else record.agent,
            app=app,
            resting=app,
            out=power is not Power.RUNNING,
            software=first_software(
                record, seed=self.seed, now=self.now, restart_share=share, calendar=self.calendar
            ),
            update_domain=record.update_domain,
            fault_domain=record.fault_domain,
            reboot_pending=bool(record.patches.reboot_pending),
            changed=self.now,
        )
        state.first_build = state.software.build
        self._remember(state)
        return state

    def _remember(self, state: MachineState) -> None:
        """The patch status from before the emulator began: what the inventory tells, or yesterday's own assessment."""
        patches, rng = state.record.patches, stream(self.seed, state.id, "before")
        if patches.assessed_at is not None or state.record.patch_mode == "AutomaticByPlatform":
            at = patches.assessed_at or self.now - timedelta(hours=rng.uniform(1, 24))
            assess(state, guid(rng), at - timedelta(minutes=2), at, self.calendar)
            assert state.assessment is not None
            if patches.critical_and_security is not None:
                state.assessment["criticalAndSecurityPatchCount"] = patches.critical_and_security
            if patches.other is not None:
                state.assessment["otherPatchCount"] = patches.other
        if patches.installation_id:
            at = patches.installed_at or self.now - timedelta(days=28)
            state.installation = {
                "status": patches.installation_status or "Succeeded",
                "installationActivityId": patches.installation_id,
                "maintenanceWindowExceeded": False,
                "notSelectedPatchCount": 0,
                "excludedPatchCount": 0,
                "pendingPatchCount": 0,
                "installedPatchCount": 1,
                "failedPatchCount": 0,
                "startTime": stamp(at - timedelta(minutes=5)),
                "lastModifiedTime": stamp(at),
            }


def set_ids(inventory: Inventory) -> Mapping[str, str]:
    """A readable spelling of every set's id, which inventories keep in lower case."""
    ids: set[str] = {
        s for m in inventory.machines for s in (m.availability_set, m.scale_set) if s is not None
    }
    ids |= {s.id for s in inventory.availability_sets} | {s.id for s in inventory.scale_sets}
    return {set_id: _spelled(set_id) for set_id in sorted(ids)}


def _spelled(set_id: str) -> str:
    words = {
        "resourcegroups": "resourceGroups",
        "microsoft.compute": "Microsoft.Compute",
        "availabilitysets": "availabilitySets",
        "virtualmachinescalesets": "virtualMachineScaleSets",
    }
    return "/".join(words.get(part, part) for part in set_id.split("/"))
