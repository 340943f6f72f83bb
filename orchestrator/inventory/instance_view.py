"""What an instance view tells of a machine at this moment: power, agent, application health, patching."""

from __future__ import annotations

from functools import lru_cache

from orchestrator.inventory.model import Agent, AppHealth, PatchState, Power
from orchestrator.inventory.wire import Row, moment, number, objects, part, text, truth, word


def power_of(view: Row) -> Power:
    """The power state; UNKNOWN if the view holds none, which Azure does now and then for a machine that runs."""
    for status in objects(view, "statuses"):
        power = _power(text(status, "code"))
        if power is not None:
            return power
    return Power.UNKNOWN


@lru_cache(maxsize=256)  # a fleet has few of them, and is looked at again and again
def _power(code: str) -> Power | None:
    return word(Power, code, Power.UNKNOWN) if code.lower().startswith("powerstate/") else None


def agent_of(view: Row) -> Agent:
    """Whether the guest agent answers. Azure spells it in `displayStatus`: `Ready`, else anything ("Not Ready")."""
    for status in objects(part(view, "vmAgent"), "statuses"):
        ready = text(status, "displayStatus").lower() == "ready"
        return Agent.READY if ready else Agent.NOT_READY
    return Agent.UNKNOWN


def agent_version_of(view: Row) -> str | None:
    """The guest agent's version, where it has reported one."""
    told = text(part(view, "vmAgent"), "vmAgentVersion")
    return told if told and told.lower() != "unknown" else None


def app_health_of(view: Row) -> AppHealth:
    """What the Application Health extension reports; NONE without such an extension."""
    return _app_health(text(part(view, "vmHealth", "status"), "code"))


@lru_cache(maxsize=256)
def _app_health(code: str) -> AppHealth:
    return word(AppHealth, code, AppHealth.UNKNOWN) if code else AppHealth.NONE


def patches_of(view: Row) -> PatchState:
    """What the platform remembers of the last assessment and the last installation."""
    told = part(view, "patchStatus")
    available, installed = part(told, "availablePatchSummary"), part(told, "lastPatchInstallationSummary")
    return PatchState(
        assessed_at=moment(available, "lastModifiedTime") or moment(available, "startTime"),
        critical_and_security=number(available, "criticalAndSecurityPatchCount"),
        other=number(available, "otherPatchCount"),
        reboot_pending=truth(available, "rebootPending"),
        installation_id=text(installed, "installationActivityId") or None,
        installation_status=text(installed, "status") or None,
        installed_at=moment(installed, "lastModifiedTime") or moment(installed, "startTime"),
    )
