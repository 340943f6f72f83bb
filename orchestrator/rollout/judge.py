"""Did the change take? An operation's HTTP success isn't the patch's: its fields decide.

Fields and values: Microsoft.Compute `VirtualMachineInstallPatchesResult` (api-version 2026-04-01); meanings: Azure Update
Manager's "query logs" and "troubleshoot" pages. Enumerations are open in practice: a value that isn't known is never a success.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from orchestrator.policy.model import Change, Patches, Reboot

PASSING = frozenset(
    {"VMGuestPatchInternalError", "OperationPreempted", "Conflict", "TooManyRequests", "InternalServerError"}
)
"""Error codes of failures that are known to pass: the change is tried once more."""

LASTING = frozenset(
    {
        "PACKAGE_MANAGER_FAILURE",
        "OPERATION_FAILED",
        "NEWER_OPERATION_SUPERSEDED",
        "UA_ESM_REQUIRED",
        "PACKAGE_LIST_TRUNCATED",
        "CERTIFICATE_UPDATE",
        "ShutdownOrUnresponsive",
        "TimeOut",
        "OperationNotAllowed",
        "InvalidParameter",
        "VMExtensionProvisioningError",
        "VMAgentStatusCommunicationError",
        "Canceled",
    },
)
"""Error codes that are known and won't pass by themselves. HRESULTs of Windows Update (0x8024...) are known as a family."""

_HARMLESS = ("", "Success")


@dataclass(frozen=True, slots=True)
class Judgement:
    """What came of a change, in words. `unseen`: an error that this program doesn't know, which stops a rollout."""

    changed: bool
    passing: bool
    unseen: bool
    detail: str


def judge(change: Change, succeeded: bool, result: Mapping[str, Any], code: str, message: str) -> Judgement:
    """Judge an operation that ended: `succeeded`, `code` and `message` of the operation, `result` of the change."""
    if not isinstance(change, Patches):
        if succeeded:
            return Judgement(changed=True, passing=False, unseen=False, detail="restarted")
        return _failed(code, message, "the restart failed")
    if not succeeded and not result:
        return _failed(code, message, "the installation failed")
    return _patches(change, result, code, message)


def _failed(code: str, message: str, what: str) -> Judgement:
    detail = f"{what}: {code}: {message}" if code else f"{what}: {message or 'no reason was given'}"
    retry_asked = "should be retried" in message or "retry later" in message
    passing = code in PASSING or retry_asked
    known = passing or code in LASTING or code.upper().startswith("0X80") or not code
    return Judgement(changed=False, passing=passing, unseen=not known, detail=detail)


def _patches(change: Patches, result: Mapping[str, Any], code: str, message: str) -> Judgement:
    """By the fields of the installation's result."""
    status = str(result.get("status") or "Unknown")
    reboot = str(result.get("rebootStatus") or "Unknown")
    failed, pending = _count(result, "failedPatchCount"), _count(result, "pendingPatchCount")
    installed = _count(result, "installedPatchCount")
    error = result.get("error") or {}
    error_code = str(error.get("code") or "")
    error_code = code if error_code in _HARMLESS else error_code
    error_message = str(error.get("message") or "") if error_code != code else message
    if result.get("maintenanceWindowExceeded"):
        return _plain_failure(
            f"the time for it ran out: {installed} installed, {pending} still pending", passing=False
        )
    if failed:
        return _failed(
            error_code,
            error_message,
            f"{failed} patches failed, {installed} installed{_first_failed(result)}",
        )
    if reboot == "Failed":
        return _plain_failure(f"{installed} installed, but the restart failed", passing=False)
    if status in ("Failed", "Unknown", "InProgress") or status not in ("Succeeded", "CompletedWithWarnings"):
        return _failed(error_code, error_message, f"the installation ended as {status}")
    if pending:
        return _plain_failure(f"{installed} installed, {pending} still pending", passing=True)
    if reboot in ("Required", "Started"):
        if change.reboot is Reboot.NEVER and reboot == "Required":
            detail = f"{installed} installed; a restart is pending, which the campaign doesn't allow"
            return Judgement(changed=True, passing=False, unseen=False, detail=detail)
        return _plain_failure(f"{installed} installed, but the restart is not done ({reboot})", passing=False)
    if change.reboot is Reboot.NEVER and reboot == "Completed":
        detail = f"{installed} installed, and it restarted though the campaign forbids that"
        return Judgement(changed=True, passing=False, unseen=True, detail=detail)
    warned = ", with warnings" if status == "CompletedWithWarnings" else ""
    restarted = ", restarted" if reboot == "Completed" else ""
    return Judgement(
        changed=True, passing=False, unseen=False, detail=f"{installed} installed{restarted}{warned}"
    )


def _plain_failure(detail: str, *, passing: bool) -> Judgement:
    return Judgement(changed=False, passing=passing, unseen=False, detail=detail)


def _count(result: Mapping[str, Any], field: str) -> int:
    value = result.get(field)
    return value if isinstance(value, int) else 0


def _first_failed(result: Mapping[str, Any]) -> str:
    """The first failed patch by its KB or name, for the detail."""
    for patch in result.get("patches") or ():
        if patch.get("installationState") == "Failed":
            return f", first {'KB' + patch['kbId'] if patch.get('kbId') else patch.get('name', '')}"
    return ""
