"""Make a failing trial small: fewer mishaps, words of people, faults and machines, as long as it still fails."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from orchestrator.simulation.judgement import Judgement
from orchestrator.simulation.trial import Trial

Fails = Callable[[Trial], Judgement | None]
"""What is wrong with a trial; None if it is well."""

_NEARBY = 40
"""How many boundaries around a death are tried anew, after something was left out and the numbers moved."""


def shrink(trial: Trial, fails: Fails, most: int = 400) -> Trial:
    """The smallest trial found that fails too, after at most so many were played."""
    left = most
    smaller = True
    while smaller:
        smaller = False
        for candidate in _smaller(trial):
            if left <= 0:
                return trial
            left -= 1
            if fails(candidate) is not None:
                trial, smaller = candidate, True
                break
    return trial


def _smaller(trial: Trial) -> Iterator[Trial]:
    """Trials with something less, the most promising first."""
    for index in range(len(trial.mishaps)):
        yield replace(trial, mishaps=_without(trial.mishaps, index))
    for index in range(len(trial.words)):
        yield from _moved(replace(trial, words=_without(trial.words, index)))
    for index in range(len(trial.troubles)):
        yield from _moved(replace(trial, troubles=_without(trial.troubles, index)))
    if trial.deaf:
        yield from _moved(replace(trial, deaf=0.0))
    for machines in (2, 3, 4, 6):
        if machines < trial.machines:
            yield from _moved(replace(trial, machines=machines))
    for index, mishap in enumerate(trial.mishaps):
        if mishap.seconds > 0:
            calmer = replace(mishap, seconds=0)
            yield replace(trial, mishaps=tuple(sorted((*_without(trial.mishaps, index), calmer))))


def _moved(trial: Trial) -> Iterator[Trial]:
    """The same, and with its last mishap at earlier boundaries: what is left out shortens the way there."""
    yield trial
    if not trial.mishaps:
        return
    last = trial.mishaps[-1]
    step = max(1, last.at // _NEARBY)
    for at in range(last.at - step, 0, -step):
        yield replace(trial, mishaps=tuple(sorted((*trial.mishaps[:-1], replace(last, at=at)))))


def _without(items: tuple, index: int) -> tuple:  # type: ignore[type-arg]
    return items[:index] + items[index + 1 :]
