"""What became of each update, over the machines of a rollout, and what people are to do about what didn't take."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from orchestrator.policy.words import counted
from orchestrator.rollout.meanings import MEANINGS
from orchestrator.rollout.patch_results import PatchState, read, sentence
from orchestrator.rollout.state import A_PERSONS, MachineRun, MachineStatus, Rollout

NAMED = 5
"""Machines told by name of a list that can be long."""


@dataclass(frozen=True, slots=True)
class Update:
    """One update: on how many machines it is in, failed or is pending, and the first on which it isn't in, by name."""

    name: str
    installed: int
    failed: int
    pending: int
    trouble: tuple[str, ...] = ()

    def __str__(self) -> str:
        """`KB5087423: in on 12 machines, failed on 1 (web-03)`."""
        parts = [f"in on {counted(self.installed, 'machine')}"] if self.installed else []
        parts += [f"failed on {self.failed}"] if self.failed else []
        parts += [f"pending on {self.pending}"] if self.pending else []
        where = f" ({', '.join(self.trouble)})" if self.trouble else ""
        return f"{self.name}: {', '.join(parts)}{where}"


def updates(rollout: Rollout) -> tuple[Update, ...]:
    """Each update that machines of the rollout were to get: those with trouble first, then those on most machines."""
    counts: dict[str, Counter[PatchState]] = {}
    trouble: dict[str, list[str]] = {}
    for index, run in enumerate(rollout.machines):
        if run.patches < 0:
            continue
        for result in read(rollout.patches[run.patches]):
            counts.setdefault(result.name, Counter())[result.state] += 1
            if result.state is not PatchState.INSTALLED:
                trouble.setdefault(result.name, []).append(rollout.planned.machine(index).name)
    told = [
        Update(
            name,
            count[PatchState.INSTALLED],
            count[PatchState.FAILED],
            count[PatchState.PENDING],
            tuple(trouble.get(name, ())[:NAMED]),
        )
        for name, count in counts.items()
    ]
    return tuple(sorted(told, key=lambda one: (-one.failed, -one.pending, -one.installed, one.name)))


def advice(rollout: Rollout) -> tuple[str, ...]:
    """What people are to do about machines that did not take the change, or only in part: a sentence for each meaning."""
    of: dict[str, list[str]] = {}
    for index, run in enumerate(rollout.machines):
        if _wants_advice(run) and run.meaning in MEANINGS:
            of.setdefault(run.meaning, []).append(rollout.planned.machine(index).name)
    return tuple(
        f"{_some(names)}: {MEANINGS[name].what}. To do: {MEANINGS[name].advice}."
        for name, names in sorted(of.items(), key=lambda item: (-len(item[1]), item[0]))
    )


def of_machine(rollout: Rollout, run: MachineRun) -> tuple[str, ...]:
    """The same of one machine, as sentences, with what became of each of its updates."""
    known = MEANINGS.get(run.meaning) if run.status is not MachineStatus.PENDING else None
    lines = [f"What it means: {known.what}. To do: {known.advice}."] if known else []
    if run.patches >= 0:
        lines.append(f"Its updates: {sentence(rollout.patches[run.patches])}.")
    return tuple(lines)


def _wants_advice(run: MachineRun) -> bool:
    """Whose outcome is on record; what is still on its way will be told when it is over."""
    return bool(run.meaning) and (
        run.status in A_PERSONS or run.status in (MachineStatus.NOT_CHANGED, MachineStatus.DONE)
    )


def _some(names: list[str]) -> str:
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more
