"""A trial as a text that reads as a conversation: what was begun, what happened, what Wavekeeper wrote down, how it was judged."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from orchestrator.rollout.codec import decode
from orchestrator.service.narrate import sentence
from orchestrator.simulation.apart import apart
from orchestrator.simulation.boundaries import Boundary
from orchestrator.simulation.explore import finish, theatre_of
from orchestrator.simulation.fleets import START
from orchestrator.simulation.judgement import Judgement
from orchestrator.simulation.trial import Trial

ANSWER: Final = "----"


@dataclass(frozen=True, slots=True)
class Story:
    """The text, and how it ended."""

    text: str
    judgement: Judgement


def tell(judgement: Judgement) -> str:
    """How it was judged, in lines."""
    lines = [f"never: {found}" for found in judgement.never]
    lines += [f"eventually: {found}" for found in judgement.eventually]
    return "\n".join(lines) or "every promise was kept"


def story(trial: Trial) -> Story:
    """Play it, and tell it: as text of the kind that is kept with the tests of scenarios."""
    return apart(lambda: _story(trial))


def _story(trial: Trial) -> Story:
    events: list[tuple[timedelta, int, str]] = []
    told: set[object] = set()
    with theatre_of(trial) as theatre:

        def visit(boundary: Boundary) -> None:
            for mishap in theatre.waiting:
                if mishap.at <= boundary.number and mishap not in told:
                    told.add(mishap)
                    events.append((theatre.true_now() - START, 0, f"! {mishap}, {boundary}"))

        theatre.visit = visit
        judgement = finish(theatre)
        events += [
            (happening.at - START, 1, f"{happening.machine.rpartition('/')[2]}: {happening.event}")
            for happening in theatre.happened
        ]
        events += [(at - START, 0, f"! grace: {word}") for at, word in theatre.spoken]
        by_id = {rollout.id: rollout for rollout in theatre.rollouts}
        for seq, row in sorted(theatre.rows().items()):
            if row.rollout in by_id:
                events += [
                    (row.at - START, 2, f"  {seq}. {sentence(by_id[row.rollout], fact)}")
                    for fact in decode(row.body, seq, row.rollout)
                ]
    lines = [f"{_clock(at)} {what}" for at, _, what in sorted(events, key=lambda one: one[:2])]
    head = [f"# {trial.command()}", *(f"#   fault: {trouble}" for trouble in trial.troubles)]
    head += [f"#   policy: {line}" for text in trial.premises.policies for line in text.splitlines()]
    body = "\n".join([*head, "", "play", ANSWER, *lines, "", "judge", ANSWER, tell(judgement)])
    return Story(body + "\n", judgement)


def _clock(at: timedelta) -> str:
    seconds = int(at.total_seconds())
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
