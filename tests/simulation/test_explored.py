"""Trials out of seeds, and deaths at their boundaries. `make soak` tries as many as one has patience for.

The fixed seeds are always the same; the fresh one is another each time, and what fails names the command that replays it.
"""

from __future__ import annotations

import os
import secrets
from dataclasses import replace

import orjson
import pytest

from orchestrator.simulation.boundaries import Kind
from orchestrator.simulation.explore import explore, perform
from orchestrator.simulation.mishaps import What, read_mishaps
from orchestrator.simulation.people import read_words
from orchestrator.simulation.report import Report
from orchestrator.simulation.telling import story, tell
from orchestrator.simulation.trial import Trial, trial_of
from orchestrator.wiring.virtual import Face

FRESH = int(os.environ.get("PYTEST_XDIST_TESTRUNUID", secrets.token_hex(16))[:7], 16)
"""Another for each run of the tests, and the same for all its processes, which must collect the same tests."""


def told(report: Report) -> str:
    """All failures, with their commands."""
    return "\n\n".join(
        f"{one.trial.command()}\n{one.place}\n{tell(one.judgement)}" for one in report.failures
    )


def explored(trial: Trial, every: int) -> Report:
    """Deaths at each so manieth boundary."""
    report = Report()
    explore(trial, report, chosen=lambda boundary: boundary.number % every == 0)
    return report


def test_the_reference_scenario_survives_a_death_at_any_boundary() -> None:
    """Of every kind: around rows, and before, during and after requests."""
    report = explored(trial_of(0), 3)
    assert told(report) == ""
    assert report.points > 90
    assert set(report.kinds) >= {Kind.BEFORE_ROW, Kind.AFTER_ROW, Kind.LEAVES, Kind.TAKEN, Kind.ANSWERED}


@pytest.mark.parametrize("seed", [*range(1, 21), *(FRESH + n for n in range(10))])
def test_a_trial_keeps_every_promise(seed: int) -> None:
    """As it is drawn, with faults and mishaps."""
    trial = trial_of(seed)
    assert f"{trial.command()}\n{tell(perform(trial))}" == f"{trial.command()}\nevery promise was kept"


@pytest.mark.parametrize("seed", [21, 22, FRESH])
def test_a_trial_in_trouble_survives_a_death_at_a_sample_of_its_boundaries(seed: int) -> None:
    """On top of what goes wrong anyway."""
    assert told(explored(trial_of(seed), 23)) == ""


@pytest.mark.parametrize("part", [{"on_file": True}, {"face": Face.TRANSPORT}], ids=["sqlite", "sdk"])
def test_the_same_holds_on_a_file_and_with_the_sdk_on_the_way(part: dict[str, object]) -> None:
    """A sample of the boundaries of the reference scenario."""
    trial = replace(trial_of(0), **part)  # type: ignore[arg-type]
    assert told(explored(trial, 29)) == ""


@pytest.mark.parametrize(
    "mishaps",
    [
        "crash@379/7200s,crash@381/7200s",  # nobody looked for longer than an operation may take
        "twin@60,twin@200",
        "lost_lock@60,lost_lock@201",
        "full_disk@90/240s,locked@120",
        "clock@100/-7200s,clock@200/86400s",
        "late@1/25s,late@150/25s",
    ],
)
def test_these_mishaps_are_survived(mishaps: str) -> None:
    """One of each kind in the reference scenario."""
    trial = replace(trial_of(0), mishaps=read_mishaps(mishaps))
    assert tell(perform(trial)) == "every promise was kept"


@pytest.mark.parametrize(
    "words",
    [
        "hold@20/7200s:name=a2,hold@60/7200s:tag:app=b,unhold@120:h2",
        "hold@1/32400s:tag:ring=canary,emergency@30",
        "hold@1/32400s:tag:app=a,tag@30:b2.app=a,tag@40:a2.app=b",
    ],
)
def test_what_people_say_survives_a_death_at_a_sample_of_its_boundaries(words: str) -> None:
    """Nobody who is held is begun, and the rollout ends, whoever died before or after the word."""
    trial = replace(trial_of(0), words=read_words(words))
    assert told(explored(trial, 19)) == ""


@pytest.mark.parametrize("seed", [2, 12, 5], ids=["scripts", "scripts, no steps", "restarts"])
def test_changes_that_leave_no_id_survive_a_death_at_a_sample_of_their_boundaries(seed: int) -> None:
    """Scripts, which their names settle, and restarts, which a person settles: neither is ever sent twice."""
    kinds = {orjson.loads(text)["change"]["kind"] for text in trial_of(seed).premises.plans}
    assert kinds & {"run_command", "restart"}
    assert told(explored(trial_of(seed), 17)) == ""


@pytest.mark.parametrize("seed", [45, 52])
def test_groups_that_are_sick_for_a_while_end_nothing(seed: int) -> None:
    """Those that are asked: a stage stops over it, or machines wait; a person helps, and it ends."""
    trial = trial_of(seed)
    assert any(mishap.what is What.QUORUM for mishap in trial.mishaps)
    assert "no quorum" in story(trial).text
    assert told(explored(trial, 61)) == ""
