"""The legal moves, as tables. `evolve` asserts them, `decide` refuses by them, the diagrams are printed from them.

Rule 1: a machine keeps its grant from GRANTED until it ends well, is gone, or a person closes it. A retried one keeps it while
it is PENDING, one that is then skipped or left out until it is seen well: our work may end before the disruption does.
Rule 2: nothing is sent for a machine in UNSETTLED or UNDECIDED; only INTENDED sends, once.
"""

from __future__ import annotations

from collections.abc import Mapping

from orchestrator.rollout.state import MachineStatus as M
from orchestrator.rollout.state import RolloutStatus as R

MACHINE: Mapping[M, Mapping[str, M]] = {
    M.PENDING: {
        "Granted": M.GRANTED,
        "ForeignRunSeen": M.PENDING,
        "MachineLeftOut": M.LEFT_OUT,
        "MachineGone": M.GONE,
        "MachineSkipped": M.SKIPPED,
        "MachineWrittenOff": M.WRITTEN_OFF,
    },
    M.GRANTED: {
        "StepEnded": M.GRANTED,
        "StepEnded failed": M.VERIFYING,
        "Intended": M.INTENDED,
        "MachineGone": M.GONE,
        "ChangeEnded": M.VERIFYING,
    },
    M.INTENDED: {
        "Started": M.RUNNING,
        "IntentLapsed": M.GRANTED,
        "AttemptRejected": M.GRANTED,
        "AttemptRejected for good": M.VERIFYING,
        "AttemptUnsettled": M.UNSETTLED,
    },
    M.UNSETTLED: {
        "Adopted": M.RUNNING,
        "NotStarted": M.GRANTED,
        "Undecided": M.UNDECIDED,
        "MachineGone": M.GONE,
    },
    M.RUNNING: {
        "PartEnded": M.GRANTED,
        "ChangeEnded": M.VERIFYING,
        "Undecided": M.UNDECIDED,
        "MachineGone": M.GONE,
    },
    M.VERIFYING: {
        "Assessed": M.VERIFYING,
        "Verified": M.VERIFYING,
        "StepEnded": M.VERIFYING,
        "MachineEnded done": M.DONE,
        "MachineEnded not_changed": M.NOT_CHANGED,
        "MachineEnded pending": M.PENDING,
        "MachineUnhealthy": M.UNHEALTHY,
        "MachineGone": M.GONE,
    },
    M.UNHEALTHY: {
        "Verified": M.UNHEALTHY,
        "StepEnded": M.UNHEALTHY,
        "MachineEnded done": M.DONE,
        "MachineEnded not_changed": M.NOT_CHANGED,
        "MachineRetried": M.PENDING,
        "MachineSkipped": M.SKIPPED,
        "MachineWrittenOff": M.WRITTEN_OFF,
        "MachineGone": M.GONE,
    },
    M.UNDECIDED: {
        "MachineRetried": M.PENDING,
        "MachineSkipped": M.SKIPPED,
        "MachineWrittenOff": M.WRITTEN_OFF,
        "MachineGone": M.GONE,
    },
    M.DONE: {"MachineUnhealthy": M.UNHEALTHY},
    M.NOT_CHANGED: {
        "MachineUnhealthy": M.UNHEALTHY,
        "MachineRetried": M.PENDING,
        "MachineSkipped": M.SKIPPED,
    },
    M.LEFT_OUT: {
        "Verified": M.LEFT_OUT,
        "StepEnded": M.LEFT_OUT,
        "MachineEnded done": M.LEFT_OUT,
        "MachineGone": M.GONE,
        "MachineWrittenOff": M.WRITTEN_OFF,
        "MachineRetried": M.PENDING,
    },
    M.SKIPPED: {
        "Verified": M.SKIPPED,
        "StepEnded": M.SKIPPED,
        "MachineEnded done": M.SKIPPED,
        "MachineGone": M.GONE,
        "MachineWrittenOff": M.WRITTEN_OFF,
        "MachineRetried": M.PENDING,
    },
    M.GONE: {"MachineWrittenOff": M.WRITTEN_OFF},
    M.WRITTEN_OFF: {},
}
"""What an event makes of a machine. A word behind an event's name tells its variants apart."""

ROLLOUT: Mapping[R, Mapping[str, R]] = {
    R.STARTING: {
        "Prepared": R.RUNNING,
        "RolloutRefused": R.REFUSED,
        "RolloutPaused": R.PAUSED,
        "RolloutAborted": R.ABORTED,
        "RolloutStopped": R.STOPPED,
    },
    R.RUNNING: {
        "RolloutPaused": R.PAUSED,
        "RolloutStopped": R.STOPPED,
        "RolloutAborted": R.ABORTED,
        "RolloutFinished": R.FINISHED,
    },
    R.PAUSED: {
        "RolloutResumed": R.RUNNING,
        "RolloutResumed unprepared": R.STARTING,
        "RolloutStopped": R.STOPPED,
        "RolloutAborted": R.ABORTED,
    },
    R.STOPPED: {
        "RolloutResumed": R.RUNNING,
        "RolloutResumed unprepared": R.STARTING,
        "RolloutAborted": R.ABORTED,
    },
    R.ABORTED: {},
    R.REFUSED: {},
    R.FINISHED: {},
}
"""What an event makes of a rollout."""


def diagram(table: Mapping[M, Mapping[str, M]] | Mapping[R, Mapping[str, R]]) -> str:
    """The table as a Mermaid state diagram, in the table's order; `docs/` holds it, and a test keeps it current."""
    lines = ["stateDiagram-v2"]
    first = next(iter(table))
    lines.append(f"    [*] --> {first}")
    for state, moves in table.items():
        targets: dict[str, list[str]] = {}
        for event, target in moves.items():
            targets.setdefault(str(target), []).append(event)
        lines.extend(f"    {state} --> {target}: {', '.join(events)}" for target, events in targets.items())
        if not moves:
            lines.append(f"    {state} --> [*]")
    return "\n".join(lines) + "\n"
