"""Each error that Azure's documentation and its users tell of, played by the emulator and judged by a whole rollout.

The reference fleet; the fault strikes a2, in the second stage. What is asked: what becomes of a2, how often it was asked to install, what the
journal says that it means, and whether the rollout goes on to its end.
"""

from __future__ import annotations

import pytest

from orchestrator.rollout.meanings import advice_for
from orchestrator.rollout.state import MachineRun, MachineStatus, Rollout, RolloutStatus
from tests.fleet import vm_id
from tests.simulation.reference import reference
from tests.virtual import Stage, statuses, virtual

DONE, NOT_CHANGED = MachineStatus.DONE, MachineStatus.NOT_CHANGED
ON, STOPPED = RolloutStatus.FINISHED, RolloutStatus.STOPPED
LOST_TOUCH = "An internal execution error occurred. Please retry later. The operation did not return a response and should be retried. This result may be incomplete."
DISALLOWED = "This operation cannot be performed when extension operations are disallowed."
RESERVED = "Publisher 'Microsoft.CPlat.Core' and type LinuxPatchExtension is reserved for internal use."


def operation(code: str, message: str = "x", *, times: str = "") -> str:
    """The operation fails as a whole."""
    return f'install_fails: {{machines: [a2], operation: true, code: "{code}", message: "{message}"{times}}}'


def result(code: str) -> str:
    """The result names this in its details."""
    return f'install_fails: {{machines: [a2], code: "{code}", message: x}}'


def refuses(status: int, code: str, message: str = "x", times: str = "") -> str:
    """The request is refused."""
    return f'refuses: {{on: [install], machines: [a2], status: {status}, code: "{code}", message: "{message}"{times}}}'


ONCE = ", times: 1"

TABLE = [
    # What passes is tried once more, under a fresh grant
    (operation("VMGuestPatchInternalError", "Please retry later.", times=ONCE), DONE, 2, "", ON),
    (operation("VMGuestPatchInternalError", "Please retry later."), NOT_CHANGED, 2, "internal-error", ON),
    (operation("VMGuestPatchInternalError", LOST_TOUCH, times=ONCE), DONE, 2, "", ON),
    (operation("VMGuestPatchInternalError", LOST_TOUCH), NOT_CHANGED, 2, "no-answer", ON),
    (operation("OperationPreempted", times=ONCE), DONE, 2, "", ON),
    (result("NEWER_OPERATION_SUPERSEDED"), NOT_CHANGED, 2, "superseded", ON),
    (result("0x80072EE2"), NOT_CHANGED, 2, "network-timeout", ON),
    (result("0x8024001E"), NOT_CHANGED, 2, "shutting-down", ON),
    ("patches_left: {machines: [a2], times: 1}", DONE, 2, "", ON),
    ("patches_left: {machines: [a2]}", NOT_CHANGED, 2, "still-pending", ON),
    # What doesn't is left
    ("window_exceeded: {machines: [a2]}", NOT_CHANGED, 1, "window-exceeded", ON),
    ("restart_left: {machines: [a2], status: Required}", NOT_CHANGED, 1, "restart-not-done", ON),
    ("restart_left: {machines: [a2], status: Started}", NOT_CHANGED, 1, "restart-not-done", ON),
    ("restart_left: {machines: [a2], status: Failed}", NOT_CHANGED, 1, "restart-failed", ON),
    ("ends_with_warnings: {machines: [a2]}", DONE, 1, "with-warnings", ON),
    (result("0x8024402C"), NOT_CHANGED, 1, "no-network", ON),
    (result("0x8024401C"), NOT_CHANGED, 1, "no-network", ON),
    (result("0x8024402F"), NOT_CHANGED, 1, "no-network", ON),
    (result("0x8024002E"), NOT_CHANGED, 1, "update-disabled", ON),
    (result("0x80070422"), NOT_CHANGED, 1, "update-disabled", ON),
    (result("0x80070005"), NOT_CHANGED, 1, "access-denied", ON),
    (result("0x80070643"), NOT_CHANGED, 1, "windows-update", ON),
    (result("PACKAGE_MANAGER_FAILURE"), NOT_CHANGED, 1, "package-manager", ON),
    (result("OPERATION_FAILED"), NOT_CHANGED, 1, "extension-says", ON),
    (result("UA_ESM_REQUIRED"), NOT_CHANGED, 1, "needs-ubuntu-pro", ON),
    (result("ERROR"), NOT_CHANGED, 1, "extension-says", ON),
    (operation("ShutdownOrUnresponsive"), NOT_CHANGED, 1, "machine-off", ON),
    (operation("TimeOut"), NOT_CHANGED, 1, "timed-out", ON),
    (operation("VMAgentStatusCommunicationError"), NOT_CHANGED, 1, "agent-lost", ON),
    (operation("VMExtensionProvisioningError"), NOT_CHANGED, 1, "extension-broken", ON),
    # A conflict is read back: nothing began, and the next attempt finds the way free
    (refuses(409, "Conflict", times=ONCE), DONE, 1, "", ON),
    # What is refused for ever is given up after four requests
    (refuses(409, "OperationNotAllowed", DISALLOWED), NOT_CHANGED, 0, "extensions-off", ON),
    (refuses(409, "Conflict"), NOT_CHANGED, 0, "not-taken", ON),
    # What is wrong with the request, or nobody knows, is a person's before the next machine
    (refuses(400, "InvalidParameter", "The value '15' of parameter ..."), NOT_CHANGED, 0, "invalid-request", STOPPED),
    (refuses(400, "OperationNotAllowed", RESERVED), NOT_CHANGED, 0, "extension-reserved", STOPPED),
    (refuses(403, "AuthorizationFailed"), NOT_CHANGED, 0, "no-permission", STOPPED),
    (operation("OperationNotAllowed", RESERVED), NOT_CHANGED, 1, "extension-reserved", STOPPED),
    ("restart_left: {machines: [a2], status: Postponed}", NOT_CHANGED, 1, "unknown", STOPPED),
    (operation("NeverHeardOf"), NOT_CHANGED, 1, "unknown", STOPPED),
    (result("NeverHeardOf"), NOT_CHANGED, 1, "unknown", STOPPED),
]  # fmt: skip


def of_a2(rollout: Rollout) -> MachineRun:
    """What became of it."""
    return rollout.machines[rollout.planned.index[vm_id("a2")]]


@virtual
async def played(fault: str) -> tuple[Stage, Rollout]:
    """The reference rollout under a fault, until it rests."""
    stage = Stage.of(await reference(), f"- {fault}", restart_share=1.0)
    return stage, await stage.run()


@pytest.mark.parametrize(("fault", "status", "installs", "meaning", "ends"), TABLE)
def test_each_error_is_judged(
    fault: str, status: MachineStatus, installs: int, meaning: str, ends: RolloutStatus
) -> None:
    """With its own meaning, retry or stop, and advice."""
    stage, rollout = played(fault)
    run = of_a2(rollout)
    assert (run.status, run.meaning, rollout.status) == (status, meaning, ends), run.detail
    assert stage.installs().get("a2", 0) == installs
    assert bool(advice_for(run.meaning)) == bool(meaning)
    if ends is ON:
        assert set(statuses(rollout).values()) <= {DONE, NOT_CHANGED}
    stage.judge(retried=[vm_id("a2")])


def test_what_became_of_each_update_is_kept_also_of_a_failed_run() -> None:
    """The failed one first, the others as they are."""
    _, rollout = played(result("0x8024402C"))
    kept = rollout.patches[of_a2(rollout).patches]
    assert kept[0].startswith("fKB")
