"""Did the change take? An operation's HTTP success isn't the patch's: its fields decide.

Fields and values: Microsoft.Compute `VirtualMachineInstallPatchesResult` (api-version 2026-04-01); meanings: Azure Update
Manager's "query logs" and "troubleshoot" pages. Enumerations are open in practice: a value that isn't known is never a success.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
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
        "INFORMATIONAL",
        "ERROR",
    },
)
"""Error codes that are known and won't pass by themselves. HRESULTs of Windows Update (0x8024...) are known as a family."""

SUCCEEDED = frozenset({"Succeeded", "CompletedWithWarnings"})
"""The statuses of an installation whose other fields decide."""

STATUSES = SUCCEEDED | {"Unknown", "InProgress", "Failed"}
"""All statuses that are known."""

RESTARTED = frozenset({"Started", "Completed", "Failed"})
"""Restart statuses that mean that one was begun."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What came of a change, in words. `unseen`: an error that this program doesn't know, which stops a rollout.

    `restart`: the machine was restarted, or has to be.
    """

    changed: bool
    passing: bool
    unseen: bool
    detail: str
    restart: bool = False


def judge(change: Change, succeeded: bool, result: Mapping[str, Any], code: str, message: str) -> Judgement:
    """Judge an operation that ended: `succeeded`, `code` and `message` of the operation, `result` of the change."""
    if not isinstance(change, Patches):
        if succeeded:
            return Judgement(changed=True, passing=False, unseen=False, detail="restarted")
        return _failed(code, message, "the restart failed")
    if not succeeded and not result:
        return _failed(code, message, "the installation failed")
    judgement = _patches(change, succeeded, result, code, message)
    if result.get("rebootStatus") in RESTARTED | {"Required"}:
        judgement = replace(judgement, restart=True)
    if change.reboot is Reboot.NEVER and result.get("rebootStatus") in RESTARTED:
        # A restart that nobody predicted: whatever else came of it, a person looks before the next machine.
        detail = f"{judgement.detail}; it restarted though the campaign forbids that"
        return replace(judgement, unseen=True, detail=detail)
    return judgement


def _failed(code: str, message: str, what: str) -> Judgement:
    detail = f"{what}: {code}: {message}" if code else f"{what}: {message or 'no reason was given'}"
    retry_asked = "should be retried" in message or "retry later" in message
    passing = code in PASSING or retry_asked
    return Judgement(changed=False, passing=passing, unseen=not (passing or _known(code)), detail=detail)


def _patches(
    change: Patches, succeeded: bool, result: Mapping[str, Any], code: str, message: str
) -> Judgement:
    """By the fields of the installation's result."""
    status = str(result.get("status") or "Unknown")
    failed, pending = _count(result, "failedPatchCount"), _count(result, "pendingPatchCount")
    installed = _count(result, "installedPatchCount")
    error_code, error_message = _error(result, code, message)
    if result.get("maintenanceWindowExceeded"):
        return _plain_failure(f"the time for it ran out: {installed} installed, {pending} still pending")
    if failed:
        what = f"{failed} patches failed, {installed} installed{_first_failed(result)}"
        return _failed(error_code, error_message, what)
    if result.get("rebootStatus") == "Failed":
        return _plain_failure(f"{installed} installed, but the restart failed")
    if status not in SUCCEEDED:
        ended = _failed(error_code, error_message, f"the installation ended as {status}")
        return ended if status in STATUSES else replace(ended, unseen=True)
    if not succeeded:
        return _failed(error_code, error_message, f"the operation failed, though its result says {status}")
    if pending:
        return _plain_failure(f"{installed} installed, {pending} still pending", passing=True)
    return _by_restart(change, result, f"{installed} installed", warned=status == "CompletedWithWarnings")


def _by_restart(change: Patches, result: Mapping[str, Any], installed: str, *, warned: bool) -> Judgement:
    """Everything is installed: did the restart that it may need happen? A summary without the field leaves that to the probes."""
    reboot = str(result.get("rebootStatus") or "NotNeeded")
    warning = ", with warnings" if warned else ""
    match reboot:
        case "NotNeeded":
            detail = installed + warning
        case "Completed":
            detail = f"{installed}, restarted{warning}"
        case "Required" if change.reboot is Reboot.NEVER:
            detail = f"{installed}{warning}; a restart is pending, which the campaign doesn't allow"
        case "Required" | "Started" | "Unknown":
            return _plain_failure(f"{installed}, but the restart is not done ({reboot})")
        case _:
            failure = _plain_failure(f"{installed}, but the restart is {reboot}, which is not known")
            return replace(failure, unseen=True)
    return Judgement(changed=True, passing=False, unseen=False, detail=detail)


def _error(result: Mapping[str, Any], code: str, message: str) -> tuple[str, str]:
    """The code and message of the result's own error, each where there is one, or else the operation's.

    The patch extension numbers its runs ("1": there were errors) and names what happened in the details.
    """
    error = result.get("error") or {}
    own = str(error.get("code") or "")
    if own == "Success":
        return code, message
    told = [
        (str(detail["code"]), str(detail.get("message") or ""))
        for detail in error.get("details") or ()
        if detail.get("code")
    ]
    if own.isdigit() and told:
        return next((one for one in told if not _known(one[0])), told[0])
    return own or code, str(error.get("message") or message)


def _known(code: str) -> bool:
    """Whether this program knows what a code means. No code at all means that nothing more is to be known."""
    return not code or code in PASSING or code in LASTING or code.upper().startswith("0X80")


def _plain_failure(detail: str, *, passing: bool = False) -> Judgement:
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
