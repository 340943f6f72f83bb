"""A theatre's play from its beginning to its end: the same command again after each death, and a person's help where it rests."""

from __future__ import annotations

import contextlib
import random
from datetime import timedelta
from typing import Any, Final

from orchestrator.errors import Refused
from orchestrator.rollout.letters import make
from orchestrator.rollout.state import A_PERSONS, MachineStatus, Rollout, RolloutStatus, StageStatus
from orchestrator.service.verbs import carry_out
from orchestrator.simulation.boundaries import WatchedJournal
from orchestrator.simulation.fleets import START
from orchestrator.simulation.theatre import Theatre

LONGEST: Final = timedelta(days=60)
"""A rollout that goes on for so long counts as one that never ends."""

MOST_PROCESSES: Final = 250
LOOKS: Final = ((20, timedelta(minutes=40)), (40, timedelta(hours=6)))
"""How long after the last process people look at it again, while there were fewer than so many; then `SELDOM`."""

SELDOM: Final = timedelta(hours=31)
"""What waits for room gives up after a day within its windows, one lane after the other: looking more often than that would be most of what a
soak does. Longer than that day, so that a wave has waited for too long when a process comes back, and must be looked at first. No number of
whole days: windows that are shut at one hour of the day would be shut each time."""

MOST_WORDS: Final = 3

SOON: Final = 25
"""Boundaries within which a word is said at once when a process ended, so that people speak between two processes as well."""


class NeverEnds(Exception):
    """Once everything that was wrong had ended, it still came to no end."""


def play(theatre: Theatre) -> list[Rollout]:
    """Go on until it is over: the same command again after each death, and a person's help where it rests.

    Raises:
        NeverEnds: it doesn't come to an end.
    """
    while theatre.processes < MOST_PROCESSES and theatre.now < START + LONGEST:
        _between_processes(theatre)
        rollouts = theatre.stage(theatre.process)
        if rollouts is None:
            continue
        if len(rollouts) == len(theatre.trial.premises.plans) and all(rollout.over for rollout in rollouts):
            return rollouts
        for rollout in rollouts:
            if not rollout.over:
                theatre.stage(lambda rollout=rollout: help_out(theatre, rollout))  # type: ignore[misc]
        theatre.now += next((wait for many, wait in LOOKS if theatre.processes < many), SELDOM)
    raise NeverEnds(
        f"after {theatre.processes} processes and {(theatre.now - START).days} days it is not over"
    )


def _between_processes(theatre: Theatre) -> None:
    """What people would say soon they say while nobody drives, if something was begun at all."""
    passed = theatre.boundaries.passed
    while passed and theatre.words and theatre.words[0].at <= passed + SOON:
        theatre.in_a_loop(theatre.speak)


async def help_out(theatre: Theatre, rollout: Rollout) -> None:
    """A person looks at what is wrong, has a word on some of it, and lets it go on."""
    journal = WatchedJournal(await theatre.disk.journal(), theatre.boundaries, theatre.acknowledged)

    async def say(verb: str, **more: Any) -> None:
        word = make(verb, rollout=rollout.id, who="grace", reason="looked at it", **more)
        with contextlib.suppress(Refused):
            await carry_out(journal, word, theatre.wrongly_now(), "grace")

    try:
        for machine, run in enumerate(rollout.machines):
            if verb := _word(theatre, rollout, machine, run.status):
                theatre.said.append((theatre.true_now(), rollout.planned.machine(machine).id, verb))
                await say(verb, machine=machine)
        if rollout.status in (RolloutStatus.STOPPED, RolloutStatus.PAUSED):
            await say("resume")
        if rollout.stage_status is StageStatus.AWAITING:
            await say("approve")
    finally:
        await journal.close()


def _word(theatre: Theatre, rollout: Rollout, machine: int, status: MachineStatus) -> str:
    """What the person says of a machine; nothing if it is well, or may yet get well by itself."""
    rng = random.Random(f"word {theatre.trial.seed} {machine} {theatre.processes}")  # noqa: S311 - emulated
    if status in A_PERSONS:
        seldom = theatre.processes >= LOOKS[-1][0]  # until the next time its wave gives it up
        verb = rng.choice(["retry", "skip", "write-off", *([] if seldom else [""])])
        heard = sum(of == rollout.planned.machine(machine).id for _, of, _ in theatre.said)
        return "write-off" if heard >= MOST_WORDS else verb
    if status is MachineStatus.GONE:
        return rng.choice(["write-off", ""])
    return "write-off" if status is MachineStatus.SKIPPED and rng.random() < 0.3 else ""
