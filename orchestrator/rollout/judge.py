"""Did the change take? An operation's HTTP success isn't the patch's: its fields decide.

Fields and values: Microsoft.Compute `VirtualMachineInstallPatchesResult` (api-version 2026-04-01); meanings: Azure Update
Manager's "query logs" and "troubleshoot" pages. Enumerations are open in practice: a value that isn't known is never a success.
What an error means, and what follows from it, is `meanings`' to say.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, assert_never

from orchestrator.policy.change import Patches, Reboot, Restart, RunCommand, Simple, WriteSettings
from orchestrator.rollout.meanings import MEANINGS, Meaning, Then, is_known, meaning_of
from orchestrator.rollout.patch_results import Kept, results_of

SUCCEEDED = frozenset({"Succeeded", "CompletedWithWarnings"})
"""The statuses of an installation whose other fields decide."""

STATUSES = SUCCEEDED | {"Unknown", "InProgress", "Failed"}
"""All statuses that are known."""

LINE = 120
"""Characters kept of what a script says last; Azure has up to 4,096 bytes of it."""

RESTARTED = frozenset({"Started", "Completed", "Failed"})
"""Restart statuses that mean that one was begun."""

NOTHING = "0 installed"
"""How the detail of an installation begins that found nothing to do."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What came of a change, in words.

    `then`: what follows where it came to nothing; a change that took may be one that stops, too. `restart`: the machine was restarted,
    or has to be. `meaning`: the name of its meaning, empty where there is nothing to advise. `patches`: what became of each update.
    """

    changed: bool
    then: Then
    detail: str
    meaning: str = ""
    restart: bool = False
    patches: Kept = ()

    @property
    def passing(self) -> bool:
        """Whether the change is tried once more."""
        return not self.changed and self.then is Then.RETRY

    @property
    def stops(self) -> bool:
        """Whether a person looks before the next machine."""
        return self.then is Then.STOP


def judge(change: Simple, succeeded: bool, result: Mapping[str, Any], code: str, message: str) -> Judgement:
    """Judge an operation that ended: `succeeded`, `code` and `message` of the operation, `result` of the change."""
    match change:
        case Restart():
            if succeeded:
                return _changed("restarted")
            return _failed(code, message, "the restart failed")
        case WriteSettings():
            return (
                _changed("settings written")
                if succeeded
                else _failed(code, message, "Azure didn't take the settings")
            )
        case RunCommand():
            return _script(succeeded, result, code, message)
        case Patches():
            return _installation(change, succeeded, result, code, message)
    assert_never(change)


def _script(succeeded: bool, result: Mapping[str, Any], code: str, message: str) -> Judgement:
    """By a run command's instance view: its exit code decides, not that it was carried out."""
    state, exit_code = str(result.get("executionState") or ""), result.get("exitCode")
    if not state:
        return _failed(code, message, "the script could not be run")
    said = _last_line(result.get("error")) or _last_line(result.get("output"))
    if succeeded and state == "Succeeded" and not exit_code:
        return _changed(f"the script went well{f', saying: {said}' if said else ''}")
    if state == "TimedOut":
        return _of("script-timed-out", str(result.get("executionMessage") or "the script took too long"))
    if state == "Canceled":
        return _of("cancelled", "the script was cancelled")
    if state in ("Failed", "Succeeded"):
        platform = str(result.get("executionMessage") or "")
        meant = meaning_of("", platform)
        detail = f"the script ended with exit code {exit_code}: {said or platform or 'it said nothing'}"
        return _of("script-failed" if _says_nothing(meant) else meant.name, detail)
    return _of("unknown", f"the script is {state}, which is not known")


def _last_line(text: object) -> str:
    """The last line of a script's output, as much of it as a journal keeps."""
    lines = [line.strip() for line in str(text or "").splitlines() if line.strip()]
    return lines[-1][:LINE] if lines else ""


def _installation(
    change: Patches, succeeded: bool, result: Mapping[str, Any], code: str, message: str
) -> Judgement:
    if not succeeded and not result:
        return _failed(code, message, "the installation failed")
    judgement = _patches(change, succeeded, result, code, message)
    if result.get("rebootStatus") in RESTARTED | {"Required"}:
        judgement = replace(judgement, restart=True)
    if change.reboot is Reboot.NEVER and result.get("rebootStatus") in RESTARTED:
        # A restart that nobody predicted: whatever else came of it, a person looks before the next machine.
        detail = f"{judgement.detail}; it restarted though the campaign forbids that"
        judgement = replace(judgement, then=Then.STOP, detail=detail, meaning="restart-forbidden")
    return replace(judgement, patches=results_of(result))


def _patches(
    change: Patches, succeeded: bool, result: Mapping[str, Any], code: str, message: str
) -> Judgement:
    """By the fields of the installation's result."""
    status = str(result.get("status") or "Unknown")
    failed, pending = _count(result, "failedPatchCount"), _count(result, "pendingPatchCount")
    installed = _count(result, "installedPatchCount")
    error_code, error_message = error_told(result, code, message)
    if result.get("maintenanceWindowExceeded"):
        what = f"the time for it ran out: {installed} installed, {pending} still pending"
        return _of("window-exceeded", what)
    if failed:
        what = f"{failed} patches failed, {installed} installed{_first_failed(result)}"
        return _failed(error_code, error_message, what, or_else="partly-failed" if installed else "failed")
    if result.get("rebootStatus") == "Failed":
        return _of("restart-failed", f"{installed} installed, but the restart failed")
    if status not in SUCCEEDED:
        ended = _failed(error_code, error_message, f"the installation ended as {status}")
        return ended if status in STATUSES else replace(ended, then=Then.STOP, meaning="unknown")
    if not succeeded:
        return _failed(error_code, error_message, f"the operation failed, though its result says {status}")
    if pending:
        return _of("still-pending", f"{installed} installed, {pending} still pending")
    return _by_restart(change, result, f"{installed} installed", warned=status == "CompletedWithWarnings")


def _by_restart(change: Patches, result: Mapping[str, Any], installed: str, *, warned: bool) -> Judgement:
    """Everything is installed: did the restart that it may need happen? A summary without the field leaves that to the probes."""
    reboot = str(result.get("rebootStatus") or "NotNeeded")
    warning, meaning = (", with warnings", "with-warnings") if warned else ("", "")
    match reboot:
        case "NotNeeded":
            return _changed(installed + warning, meaning)
        case "Completed":
            return _changed(f"{installed}, restarted{warning}", meaning)
        case "Required" if change.reboot is Reboot.NEVER:
            detail = f"{installed}{warning}; a restart is pending, which the campaign doesn't allow"
            return _changed(detail, "restart-not-done")
        case "Required" | "Started" | "Unknown":
            return _of("restart-not-done", f"{installed}, but the restart is not done ({reboot})")
        case _:
            return _of("unknown", f"{installed}, but the restart is {reboot}, which is not known")


def error_told(result: Mapping[str, Any], code: str, message: str) -> tuple[str, str]:
    """The code and message of the result's own error, each where there is one, or else the operation's.

    The patch extension numbers its runs ("1": there were errors) and names what happened in the details. An Arc machine's result
    has its error in `errorDetails`.
    """
    error = result.get("error") or result.get("errorDetails") or {}
    own = str(error.get("code") or "")
    if own == "Success":
        return code, message
    told = [
        (str(detail["code"]), str(detail.get("message") or ""))
        for detail in error.get("details") or ()
        if detail.get("code")
    ]
    if own.isdigit() and told:
        return next((one for one in told if not is_known(*one)), told[0])
    return own or code, str(error.get("message") or message)


def _changed(detail: str, meaning: str = "") -> Judgement:
    return Judgement(changed=True, then=Then.LEAVE, detail=detail, meaning=meaning)


def _of(name: str, detail: str) -> Judgement:
    """A change that came to nothing, of this meaning."""
    return Judgement(changed=False, then=MEANINGS[name].then, detail=detail, meaning=name)


def _failed(code: str, message: str, what: str, or_else: str = "") -> Judgement:
    """By its error; `or_else` names what it means where the error says nothing."""
    detail = f"{what}: {code}: {message}" if code else f"{what}: {message or 'no reason was given'}"
    meant = meaning_of(code, message)
    return _of(or_else if or_else and _says_nothing(meant) else meant.name, detail)


def _says_nothing(meant: Meaning) -> bool:
    return meant.name == "no-reason"


def _count(result: Mapping[str, Any], field: str) -> int:
    value = result.get(field)
    return value if isinstance(value, int) else 0


def _first_failed(result: Mapping[str, Any]) -> str:
    """The first failed patch by its KB or name, for the detail."""
    for patch in result.get("patches") or ():
        if patch.get("installationState") == "Failed":
            return f", first {'KB' + patch['kbId'] if patch.get('kbId') else patch.get('name', '')}"
    return ""
