"""What an error or an outcome of a change means, what follows from it, and what a person is to do: a table, open at its end.

Codes and texts are those of Azure's patch calls, Azure Update Manager's "troubleshoot" and "query logs" pages, Windows Update's published
HRESULTs and the Linux patch extension's constants. Enumerations are open in practice: whatever isn't in the table stops a rollout, since
what happened to one machine for a reason that nobody knows may happen to the next.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from orchestrator.rollout.error_codes import name_of


class Then(StrEnum):
    """What a rollout does after a change that came to nothing."""

    RETRY = "retry"  # known to pass: tried once more, under a fresh grant
    LEAVE = "leave"  # it won't pass by itself: not changed, and counted for `stop_when`
    STOP = "stop"  # a person looks before the next machine


@dataclass(frozen=True, slots=True)
class Meaning:
    """`name` is what the journal keeps; `what` and `advice` are sentences for people, without full stop."""

    name: str
    then: Then
    what: str
    advice: str


def _of(name: str, then: Then, what: str, advice: str) -> tuple[str, Meaning]:
    return name, Meaning(name, then, what, advice)


MEANINGS: Final[Mapping[str, Meaning]] = dict(
    [
        # Outcomes: what the fields of a result say
        _of(
            "window-exceeded",
            Then.LEAVE,
            "the time that the installation was given ran out",
            "give it longer (`maximum_duration`) or fewer updates, then retry: Windows begins no step with less than 25 min left and "
            "keeps 10 of them for a restart",
        ),
        _of(
            "restart-not-done",
            Then.LEAVE,
            "the updates are in and need a restart that did not happen",
            "restart the machine under the same rules: a campaign with `change: {restart: {only: pending}}`",
        ),
        _of(
            "restart-failed",
            Then.LEAVE,
            "the system could not be restarted",
            "look at the machine's boot diagnostics; once it is up, restart it under a campaign with `restart: {only: pending}`",
        ),
        _of(
            "restart-forbidden",
            Then.STOP,
            "it restarted though the campaign forbids that",
            "find out what restarted it before other machines get the same: settings of Windows Update on the machine restart it even "
            "with `reboot: never`",
        ),
        _of(
            "partly-failed",
            Then.LEAVE,
            "some updates are in and others failed",
            "look up the failed ones by KB or package on the machine; `retry` installs only what is still missing",
        ),
        _of(
            "failed",
            Then.LEAVE,
            "the updates failed",
            "look at the patch extension's log on the machine, then retry",
        ),
        _of(
            "still-pending",
            Then.RETRY,
            "updates of the set are still to be installed",
            "if the second attempt leaves some too, assess the machine and look at what they wait for",
        ),
        _of(
            "with-warnings",
            Then.LEAVE,
            "it ended with warnings",
            "read them in Azure Update Manager's history of the machine; nothing failed",
        ),
        _of(
            "no-reason",
            Then.LEAVE,
            "it failed, and nobody says why",
            "look at the machine's update history in Azure, then retry",
        ),
        # Azure
        _of(
            "internal-error",
            Then.RETRY,
            "Azure's patching failed inside, and asks to try later",
            "if it happens again, look at `errorDetails` in Resource Graph: Azure says the same of machines that it can't patch at all, "
            "such as Arm64 ones",
        ),
        _of(
            "no-answer",
            Then.RETRY,
            "Azure lost touch with the machine, so that the result may be incomplete",
            "if it happens again, assess the machine: what is missing then is what was not installed",
        ),
        _of(
            "superseded",
            Then.RETRY,
            "a newer patch operation on the same machine ended this one",
            "somebody else patches this machine: take it off their schedule, or leave it out of this campaign",
        ),
        _of(
            "busy",
            Then.RETRY,
            "another operation on the machine is in the way",
            "find out who else works on it, in the activity log",
        ),
        _of(
            "command-running",
            Then.RETRY,
            "another run command is under way, and Azure runs one at a time",
            "wait for it; it can take 90 minutes, and can't be cancelled",
        ),
        _of("throttled", Then.RETRY, "Azure turned the request away for now", "nothing: it is sent again"),
        _of(
            "extension-reserved",
            Then.STOP,
            "the patch extension is Azure's own, and something tried to install it by hand",
            "take the extension WindowsPatchExtension or LinuxPatchExtension out of templates and policies",
        ),
        _of(
            "extensions-off",
            Then.LEAVE,
            "the machine doesn't allow extensions, so that Azure can't patch it",
            "set `osProfile.allowExtensionOperations` to true on the machine, then retry",
        ),
        _of(
            "extension-broken",
            Then.LEAVE,
            "the patch extension failed on the machine",
            "remove the extension from the machine and assess it on demand, which installs it anew; then retry",
        ),
        _of(
            "invalid-request",
            Then.STOP,
            "Azure finds the request wrong, as it will for the next machine",
            "correct the campaign's `change` and plan again",
        ),
        _of(
            "not-allowed",
            Then.LEAVE,
            "the machine is in no state for it",
            "read Azure's words, put the machine in order, then retry",
        ),
        _of(
            "no-permission",
            Then.STOP,
            "this identity may not do that",
            "grant the role that the message names, then resume",
        ),
        _of(
            "agent-lost",
            Then.LEAVE,
            "the machine's agent went silent",
            "see that the machine runs, that its agent runs, and that it reaches Azure storage; then retry",
        ),
        _of(
            "machine-off",
            Then.LEAVE,
            "the machine was off, or did not answer",
            "start it; a machine made anew under its old name takes up to 12 h to be known",
        ),
        _of("timed-out", Then.LEAVE, "it took too long and was given up", "look at the machine, then retry"),
        _of("cancelled", Then.LEAVE, "somebody cancelled it", "ask who did, in the activity log; then retry"),
        # Windows Update, by HRESULT
        _of(
            "no-network",
            Then.LEAVE,
            "Windows Update could not reach its server",
            "check proxy, DNS and firewall of the machine and the address of WSUS, if it uses one; then retry",
        ),
        _of(
            "network-timeout",
            Then.RETRY,
            "Windows Update's server did not answer in time",
            "if it happens again, check the network and the load of WSUS",
        ),
        _of(
            "shutting-down",
            Then.RETRY,
            "Windows Update was being shut down",
            "if it happens again, see what stops the service or the machine",
        ),
        _of(
            "update-disabled",
            Then.LEAVE,
            "Windows Update is disabled on the machine",
            "set the service wuauserv to manual or automatic start, and look for a policy that disables it; then retry",
        ),
        _of(
            "access-denied",
            Then.LEAVE,
            "Windows denied access, as it does when the disk is nearly full",
            "free space on the system disk and check the rights on SoftwareDistribution; then retry",
        ),
        _of("disk-full", Then.LEAVE, "the disk is full", "free space on the system disk, then retry"),
        _of(
            "store-damaged",
            Then.LEAVE,
            "Windows' component store is damaged",
            "repair it on the machine with DISM /Online /Cleanup-Image /RestoreHealth, then retry",
        ),
        _of(
            "install-in-progress",
            Then.LEAVE,
            "another installation is under way, or a restart is pending",
            "restart the machine under a campaign with `restart: {only: pending}`, then retry",
        ),
        _of(
            "windows-update",
            Then.LEAVE,
            "Windows could not install it",
            "look the HRESULT up, and %windir%\\Logs\\CBS\\CBS.log on the machine; then retry",
        ),
        # Linux
        _of(
            "package-manager",
            Then.LEAVE,
            "the package manager failed",
            "run it by hand on the machine: a lock, a broken dependency or a repository that isn't reached; then retry",
        ),
        _of(
            "needs-ubuntu-pro",
            Then.LEAVE,
            "some packages are only for machines with Ubuntu Pro",
            "attach the machine to Ubuntu Pro, or live without those packages",
        ),
        _of(
            "extension-says",
            Then.LEAVE,
            "the Linux patch extension reports an error",
            "read /var/log/azure/Microsoft.CPlat.Core.LinuxPatchExtension on the machine, then retry",
        ),
        # Scripts
        _of(
            "script-failed",
            Then.LEAVE,
            "the script ended with an exit code other than 0",
            "read the end of its output, correct the script, plan again",
        ),
        _of(
            "script-timed-out",
            Then.LEAVE,
            "the script took longer than its timeout",
            "see what it waits for; `timeout` goes up to 90m",
        ),
        _of(
            "agent-not-ready",
            Then.LEAVE,
            "a script needs the guest agent, which isn't ready",
            "bring the agent up, then retry",
        ),
        _of(
            "not-taken",
            Then.LEAVE,
            "Azure did not take the request, several times in a row",
            "read its words; once the cause is gone: retry",
        ),
        _of(
            "unknown",
            Then.STOP,
            "nobody knows this error yet",
            "find out what it means before the next machine; `resume` goes on",
        ),
    ]
)
"""By name. `then` of an outcome whose cause is told by a code is the code's."""


def meaning_of(code: str, message: str = "") -> Meaning:
    """What an error means. `unknown` for what isn't in the table, `no-reason` where nothing is told."""
    return MEANINGS[name_of(code, message)]


def is_known(code: str, message: str = "") -> bool:
    """Whether this program knows what an error means. No code at all means that nothing more is to be known."""
    return name_of(code, message) != "unknown"


def advice_for(name: str) -> str:
    """What a person is to do about an outcome, by the name that the journal keeps; empty where that is empty or of a newer version."""
    known = MEANINGS.get(name)
    return known.advice if known else ""
