"""The status of hotpatching as Azure's portal shows it, so that a person finds here what stands there.

An instance view tells no such status. The portal derives it from a virtual machine's image and settings, and of an Arc machine from its
license and from what its agent reports (the query of Azure Update Manager's page of machines).
"""

from __future__ import annotations

from enum import StrEnum

from orchestrator.hotpatch.eligibility import eligibility
from orchestrator.hotpatch.model import Answer, Eligibility, Way
from orchestrator.inventory.model import Kind, Machine, PatchSettings


class Status(StrEnum):
    """The portal's words, and one for what a source left out."""

    NOT_AVAILABLE = "Not Available"
    NOT_ENROLLED = "Not Enrolled"
    ENABLED = "Enabled"
    DISABLED = "Disabled"
    PENDING = "Pending"
    PENDING_EVALUATION = "Pending Evaluation"
    ACTION_REQUIRED = "Action Required"
    CANCELED = "Canceled"
    NOT_TOLD = "Not told"


def status_of(machine: Machine, eligible: Eligibility | None = None) -> Status:
    """What the portal shows of the machine. `eligible` is its eligibility, if that is known already."""
    eligible = eligibility(machine) if eligible is None else eligible
    answer = eligible.answer
    if eligible.way is Way.AZURE_LOCAL or (answer is Answer.NO and machine.vbs is not False):
        return Status.NOT_AVAILABLE  # of VBS the portal doesn't know
    if machine.kind is Kind.AZURE_VM:
        return Status.NOT_TOLD if answer is Answer.UNKNOWN else _of_vm(machine)
    told = _under_arc(machine.patch_settings)
    return Status.NOT_TOLD if told is Status.NOT_ENROLLED and answer is Answer.UNKNOWN else told


def _of_vm(machine: Machine) -> Status:
    settings = machine.patch_settings
    if settings.hotpatching is None and not machine.patch_mode and settings == PatchSettings():
        return Status.NOT_TOLD
    if not settings.hotpatching:
        return Status.DISABLED
    return Status.PENDING_EVALUATION if machine.patches.assessed_at is None else Status.ENABLED


def _under_arc(settings: PatchSettings) -> Status:
    match (settings.hotpatch_license or "").lower():
        case "enabled":
            match (settings.hotpatch_status or "").lower():
                case "enabled":
                    return Status.ENABLED
                case "pendingevaluation":
                    return Status.PENDING
                case "actionrequired":
                    return Status.ACTION_REQUIRED
                case _:
                    return Status.DISABLED
        case "disabled":
            return Status.CANCELED
        case "enabling" | "disabling":
            return Status.PENDING
        case _:
            return Status.NOT_ENROLLED
