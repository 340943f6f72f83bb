"""What a rollout's end means for the command that drove it."""

from __future__ import annotations

from enum import IntEnum
from typing import assert_never

from orchestrator.rollout.state import MachineStatus, Rollout, RolloutStatus


class ExitCode(IntEnum):
    """What `wavekeeper` returns; scripts rely on it."""

    DONE = 0
    WRONG_USE = 1
    INVALID_POLICY = 2
    REFUSED = 3
    STOPPED = 4
    ABORTED = 5
    NOT_FINISHED = 6
    NOT_ALL = 7


def exit_code(rollout: Rollout) -> ExitCode:
    """The code for a rollout that rests or is over."""
    match rollout.status:
        case RolloutStatus.FINISHED:
            left_out = bool(rollout.planned.plan.left_out)
            all_done = rollout.counts[MachineStatus.DONE] == rollout.planned.changing
            return ExitCode.DONE if all_done and not left_out else ExitCode.NOT_ALL
        case RolloutStatus.STOPPED:
            return ExitCode.STOPPED
        case RolloutStatus.ABORTED:
            return ExitCode.ABORTED
        case RolloutStatus.REFUSED:
            return ExitCode.REFUSED
        case RolloutStatus.RUNNING | RolloutStatus.STARTING | RolloutStatus.PAUSED:
            return ExitCode.NOT_FINISHED
        case _:
            assert_never(rollout.status)
