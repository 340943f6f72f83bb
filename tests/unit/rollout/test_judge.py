"""Did the change take? Every combination of fields that decides, as a table.

Fields and values are those of `VirtualMachineInstallPatchesResult`; codes those that Azure, Windows Update and the Linux patch
extension are known to give.
"""

from __future__ import annotations

from typing import Any

import pytest

from orchestrator.policy.model import Patches, Reboot, Restart
from orchestrator.rollout.judge import Judgement, judge
from orchestrator.rollout.meanings import MEANINGS, Then, advice_for, meaning_of

GOOD: dict[str, Any] = {
    "status": "Succeeded",
    "installationActivityId": "22222222-0000-4000-8000-000000000000",
    "rebootStatus": "NotNeeded",
    "maintenanceWindowExceeded": False,
    "excludedPatchCount": 0,
    "notSelectedPatchCount": 2,
    "pendingPatchCount": 0,
    "installedPatchCount": 1,
    "failedPatchCount": 0,
    "error": None,
}

CHANGED = (True, False, False)
PASSES = (False, True, False)
LASTS = (False, False, False)
STOPS = (False, False, True)
CHANGED_STOPS = (True, False, True)


def verdict(judgement: Judgement) -> tuple[bool, bool, bool]:
    """Changed, passing, stops."""
    return judgement.changed, judgement.passing, judgement.stops


def error(code: str, message: str = "") -> dict[str, Any]:
    """A result that failed with this."""
    return {"status": "Failed", "error": {"code": code, "message": message}}


def details(code: str, *told: tuple[str, str]) -> dict[str, Any]:
    """A result whose error names what happened in its details, as the Linux patch extension does."""
    failed = error(code, "see the details")
    failed["error"]["details"] = [{"code": one, "message": message} for one, message in told]
    return failed


@pytest.mark.parametrize(
    ("fields", "expected", "detail"),
    [
        ({}, CHANGED, "1 installed"),
        ({"rebootStatus": "Completed"}, CHANGED, "1 installed, restarted"),
        ({"status": "CompletedWithWarnings"}, CHANGED, "1 installed, with warnings"),
        (
            {"status": "CompletedWithWarnings", "rebootStatus": "Completed"},
            CHANGED,
            "1 installed, restarted, with warnings",
        ),
        ({"installedPatchCount": 0}, CHANGED, "0 installed"),  # nothing to do is done
        ({"excludedPatchCount": 3, "notSelectedPatchCount": 9}, CHANGED, "1 installed"),
        ({"error": {"code": "Success", "message": ""}}, CHANGED, "1 installed"),
        ({"rebootStatus": None}, CHANGED, "1 installed"),  # an instance view's summary has no such field
        # Restarts that did not happen
        ({"rebootStatus": "Required"}, LASTS, "1 installed, but the restart is not done (Required)"),
        ({"rebootStatus": "Started"}, LASTS, "1 installed, but the restart is not done (Started)"),
        ({"rebootStatus": "Unknown"}, LASTS, "1 installed, but the restart is not done (Unknown)"),
        ({"rebootStatus": "Failed"}, LASTS, "1 installed, but the restart failed"),
        ({"rebootStatus": "Failed", "status": "Failed"}, LASTS, "1 installed, but the restart failed"),
        (
            {"rebootStatus": "Postponed"},
            STOPS,
            "1 installed, but the restart is Postponed, which is not known",
        ),
        # Patches that are not in
        ({"pendingPatchCount": 2}, PASSES, "1 installed, 2 still pending"),
        (
            {
                "maintenanceWindowExceeded": True,
                "pendingPatchCount": 4,
                "status": "Failed",
                "rebootStatus": "Required",
            },
            LASTS,
            "the time for it ran out: 1 installed, 4 still pending",
        ),
        ({"maintenanceWindowExceeded": True}, LASTS, "the time for it ran out: 1 installed, 0 still pending"),
        (
            {
                "failedPatchCount": 1,
                "status": "Failed",
                "patches": [{"kbId": "5087423", "installationState": "Failed"}],
            },
            LASTS,
            "1 patches failed, 1 installed, first KB5087423: no reason was given",
        ),
        (
            {
                "failedPatchCount": 2,
                "patches": [
                    {"name": "ok", "installationState": "Installed"},
                    {"name": "openssl", "installationState": "Failed"},
                ],
            },
            LASTS,
            "2 patches failed, 1 installed, first openssl: no reason was given",
        ),
        (
            {"failedPatchCount": 1, "error": {"code": "0x8024402C", "message": "no net"}},
            LASTS,
            "1 patches failed, 1 installed: 0x8024402C: no net",
        ),
        # Statuses
        ({"status": "Failed"}, LASTS, "the installation ended as Failed: no reason was given"),
        ({"status": "InProgress"}, LASTS, "the installation ended as InProgress: no reason was given"),
        ({"status": "Unknown"}, LASTS, "the installation ended as Unknown: no reason was given"),
        ({"status": None}, LASTS, "the installation ended as Unknown: no reason was given"),
        ({"status": "Celebrated"}, STOPS, "the installation ended as Celebrated: no reason was given"),
        # Errors
        (
            error("VMGuestPatchInternalError", "An internal execution error occurred. Please retry later."),
            PASSES,
            "the installation ended as Failed: VMGuestPatchInternalError: An internal execution error occurred. Please retry later.",
        ),
        (
            error(
                "",
                "The operation did not return a response and should be retried. This result may be incomplete.",
            ),
            PASSES,
            (
                "the installation ended as Failed: The operation did not return a response and should be retried. "
                "This result may be incomplete."
            ),
        ),
        (
            error("PACKAGE_MANAGER_FAILURE", "dpkg"),
            LASTS,
            "the installation ended as Failed: PACKAGE_MANAGER_FAILURE: dpkg",
        ),
        (
            error("NEWER_OPERATION_SUPERSEDED", ""),
            PASSES,
            "the installation ended as Failed: NEWER_OPERATION_SUPERSEDED: ",
        ),
        (error("0x80070422", "wuauserv"), LASTS, "the installation ended as Failed: 0x80070422: wuauserv"),
        (
            details("1", ("PACKAGE_MANAGER_FAILURE", "dpkg"), ("OPERATION_FAILED", "that was it")),
            LASTS,
            "the installation ended as Failed: PACKAGE_MANAGER_FAILURE: dpkg",
        ),
        (
            details(
                "1", ("PACKAGE_MANAGER_FAILURE", "dpkg"), ("Grmbl", "what")
            ),  # what nobody knows comes first
            STOPS,
            "the installation ended as Failed: Grmbl: what",
        ),
        (details("1"), STOPS, "the installation ended as Failed: 1: see the details"),
        (error("Grmbl", "what"), STOPS, "the installation ended as Failed: Grmbl: what"),
        (
            error("Grmbl", "please retry later"),
            PASSES,
            "the installation ended as Failed: Grmbl: please retry later",
        ),
    ],
)
def test_the_fields_of_a_result_decide(
    fields: dict[str, Any], expected: tuple[bool, bool, bool], detail: str
) -> None:
    """Changed or not, passing or not, seen before or not; and why, in words."""
    judgement = judge(Patches(), succeeded=True, result={**GOOD, **fields}, code="", message="")
    assert (verdict(judgement), judgement.detail) == (expected, detail)


@pytest.mark.parametrize(
    ("reboot_status", "expected", "detail"),
    [
        ("NotNeeded", CHANGED, "1 installed"),
        ("Required", CHANGED, "1 installed; a restart is pending, which the campaign doesn't allow"),
        (
            "Completed",
            CHANGED_STOPS,
            "1 installed, restarted; it restarted though the campaign forbids that",
        ),
        (
            "Started",
            STOPS,
            "1 installed, but the restart is not done (Started); it restarted though the campaign forbids that",
        ),
        (
            "Failed",
            STOPS,
            "1 installed, but the restart failed; it restarted though the campaign forbids that",
        ),
    ],
)
def test_a_restart_that_the_campaign_forbids_stops_it(
    reboot_status: str, expected: tuple[bool, bool, bool], detail: str
) -> None:
    """A pending one is as wished; one that was begun, nobody predicted."""
    result = {**GOOD, "rebootStatus": reboot_status}
    judgement = judge(Patches(reboot=Reboot.NEVER), succeeded=True, result=result, code="", message="")
    assert (verdict(judgement), judgement.detail) == (expected, detail)


def test_a_forbidden_restart_stops_even_where_the_installation_failed() -> None:
    """The machine was down, whatever came of it."""
    result = {**GOOD, **error("PACKAGE_MANAGER_FAILURE", "dpkg"), "rebootStatus": "Completed"}
    judgement = judge(Patches(reboot=Reboot.NEVER), succeeded=False, result=result, code="", message="")
    assert verdict(judgement) == STOPS


@pytest.mark.parametrize(
    ("code", "message", "expected"),
    [
        ("VMGuestPatchInternalError", "Please retry later.", PASSES),
        ("OperationPreempted", "", PASSES),
        ("Conflict", "Run command extension execution is in progress.", PASSES),
        ("InvalidParameter", "The value '15' of parameter ... is not allowed.", STOPS),
        ("OperationNotAllowed", "the VM is deallocated", LASTS),
        ("ShutdownOrUnresponsive", "", LASTS),
        ("Canceled", "", LASTS),
        ("Grmbl", "", STOPS),
        ("", "", LASTS),
    ],
)
@pytest.mark.parametrize("change", [Patches(), Restart()])
def test_an_operation_that_failed_without_a_result_is_judged_by_its_error(
    change: Patches | Restart, code: str, message: str, expected: tuple[bool, bool, bool]
) -> None:
    """All there is, is a code and a message; both are open-ended."""
    judgement = judge(change, succeeded=False, result={}, code=code, message=message)
    assert verdict(judgement) == expected
    assert (code or "no reason was given") in judgement.detail


def test_an_operation_that_failed_is_no_success_whatever_its_result_says() -> None:
    """Cancelled while its machine went on: nobody can rely on that."""
    judgement = judge(Patches(), succeeded=False, result=GOOD, code="Canceled", message="by somebody")
    assert verdict(judgement) == LASTS
    assert judgement.detail == "the operation failed, though its result says Succeeded: Canceled: by somebody"


def test_an_operation_that_succeeded_without_a_result_is_no_success() -> None:
    """HTTP success isn't the patch's."""
    assert verdict(judge(Patches(), succeeded=True, result={}, code="", message="")) == LASTS


def test_a_results_own_error_says_more_than_the_operations() -> None:
    """Where both are there."""
    result = {**GOOD, **error("PACKAGE_MANAGER_FAILURE", "dpkg")}
    judgement = judge(
        Patches(), succeeded=False, result=result, code="VMGuestPatchInternalError", message="retry later"
    )
    assert judgement.detail == "the installation ended as Failed: PACKAGE_MANAGER_FAILURE: dpkg"
    assert verdict(judgement) == LASTS


def test_a_restart_that_succeeded_is_done() -> None:
    """There is nothing more to read."""
    assert judge(Restart(), succeeded=True, result={}, code="", message="") == Judgement(
        changed=True, then=Then.LEAVE, detail="restarted"
    )


CONFLICT = "Run command extension execution is in progress. Please wait for completion before invoking a run command."
RESERVED = "Publisher 'Microsoft.CPlat.Core' and type LinuxPatchExtension is reserved for internal use."
DISALLOWED = (
    "This operation cannot be performed when extension operations are disallowed. To allow, please ensure VM Agent is installed on the "
    "VM and the osProfile.allowExtensionOperations property is true."
)
LOST_TOUCH = (
    "An internal execution error occurred. Please retry later. The operation did not return a response and should be retried. "
    "This result may be incomplete."
)


@pytest.mark.parametrize(
    ("code", "message", "name", "then"),
    [
        ("VMGuestPatchInternalError", "An internal execution error occurred. Please retry later.", "internal-error", Then.RETRY),
        ("VMGuestPatchInternalError", LOST_TOUCH, "no-answer", Then.RETRY),
        ("", LOST_TOUCH, "no-answer", Then.RETRY),
        ("NEWER_OPERATION_SUPERSEDED", "", "superseded", Then.RETRY),
        ("OperationPreempted", "preempted by a more recent operation", "superseded", Then.RETRY),
        ("Conflict", "The request failed due to conflict with a concurrent request.", "busy", Then.RETRY),
        ("Conflict", CONFLICT, "command-running", Then.RETRY),
        ("OperationNotAllowed", RESERVED, "extension-reserved", Then.STOP),
        ("OperationNotAllowed", DISALLOWED, "extensions-off", Then.LEAVE),
        ("OperationNotAllowed", "The VM is deallocated.", "not-allowed", Then.LEAVE),
        ("TooManyRequests", "", "throttled", Then.RETRY),
        ("InvalidParameter", "The value '15' of parameter ...", "invalid-request", Then.STOP),
        ("AuthorizationFailed", "does not have authorization", "no-permission", Then.STOP),
        ("VMAgentStatusCommunicationError", "has not reported status", "agent-lost", Then.LEAVE),
        ("VMExtensionProvisioningError", "", "extension-broken", Then.LEAVE),
        ("ShutdownOrUnresponsive", "", "machine-off", Then.LEAVE),
        ("TimeOut", "", "timed-out", Then.LEAVE),
        ("Canceled", "", "cancelled", Then.LEAVE),
        ("0x8024402C", "", "no-network", Then.LEAVE),
        ("0x8024401c", "", "no-network", Then.LEAVE),
        ("0x8024402F", "", "no-network", Then.LEAVE),
        ("0x80072EE2", "", "network-timeout", Then.RETRY),
        ("0x8024001E", "", "shutting-down", Then.RETRY),
        ("0x8024002E", "", "update-disabled", Then.LEAVE),
        ("0x80070422", "", "update-disabled", Then.LEAVE),
        ("0x80070005", "", "access-denied", Then.LEAVE),
        ("0x80070070", "", "disk-full", Then.LEAVE),
        ("0x80073712", "", "store-damaged", Then.LEAVE),
        ("0x80240016", "", "install-in-progress", Then.LEAVE),
        ("0x80070643", "", "windows-update", Then.LEAVE),
        ("-2145107924", "", "no-network", Then.LEAVE),  # 0x8024402C as Windows writes it in a log
        ("", "the agent said 0x80070422", "update-disabled", Then.LEAVE),
        ("PACKAGE_MANAGER_FAILURE", "dpkg", "package-manager", Then.LEAVE),
        ("OPERATION_FAILED", "", "extension-says", Then.LEAVE),
        ("UA_ESM_REQUIRED", "", "needs-ubuntu-pro", Then.LEAVE),
        ("PACKAGE_LIST_TRUNCATED", "", "extension-says", Then.LEAVE),
        ("CERTIFICATE_UPDATE", "", "extension-says", Then.LEAVE),
        ("INFORMATIONAL", "", "extension-says", Then.LEAVE),
        ("ERROR", "", "extension-says", Then.LEAVE),
        ("", "", "no-reason", Then.LEAVE),
        ("Grmbl", "what", "unknown", Then.STOP),
        ("-1", "what", "unknown", Then.STOP),
    ],
)  # fmt: skip
def test_each_error_has_its_own_meaning(code: str, message: str, name: str, then: Then) -> None:
    """Those of Azure's documentation, each with what follows; whatever isn't known stops."""
    meant = meaning_of(code, message)
    assert (meant.name, meant.then) == (name, then)


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        ({"maintenanceWindowExceeded": True}, "window-exceeded"),
        ({"rebootStatus": "Required"}, "restart-not-done"),
        ({"rebootStatus": "Failed"}, "restart-failed"),
        ({"rebootStatus": "Postponed"}, "unknown"),
        ({"pendingPatchCount": 1}, "still-pending"),
        ({"failedPatchCount": 1}, "partly-failed"),
        ({"failedPatchCount": 1, "installedPatchCount": 0}, "failed"),
        ({"failedPatchCount": 1, "error": {"code": "0x8024402C", "message": "no net"}}, "no-network"),
        ({"status": "CompletedWithWarnings"}, "with-warnings"),
        ({"status": "Celebrated"}, "unknown"),
        ({"status": "Failed", "errorDetails": {"code": "0x80070422", "message": "Arc says so"}}, "update-disabled"),
        ({}, ""),
    ],
)  # fmt: skip
def test_each_outcome_has_its_own_meaning(fields: dict[str, Any], name: str) -> None:
    """What the fields of a result say, told apart, so that each has advice of its own."""
    judgement = judge(Patches(), succeeded=True, result={**GOOD, **fields}, code="", message="")
    assert judgement.meaning == name
    assert bool(advice_for(name)) == bool(name)


def test_meanings_are_told_by_their_names_and_all_have_advice() -> None:
    """The journal keeps the name; people read the sentence."""
    for name, meaning in MEANINGS.items():
        assert name == meaning.name
        assert meaning.what
        assert meaning.advice
        assert not meaning.what.endswith(".")
        assert not meaning.advice.endswith(".")
    assert advice_for("of a newer version") == ""


def test_what_became_of_each_update_is_kept() -> None:
    """The failed ones first; what was not selected is nobody's business."""
    patches = [
        {"kbId": "5087423", "name": "a", "installationState": "Installed"},
        {"kbId": "5087539", "name": "b", "installationState": "Failed"},
        {"name": "openssl", "version": "3.0.2", "installationState": "Pending"},
        {"kbId": "5000000", "name": "c", "installationState": "NotSelected"},
        {"kbId": "5000001", "name": "d", "installationState": "Excluded"},
    ]
    judgement = judge(Patches(), succeeded=True, result={**GOOD, "patches": patches}, code="", message="")
    assert judgement.patches == ("fKB5087539", "popenssl 3.0.2", "iKB5087423")
