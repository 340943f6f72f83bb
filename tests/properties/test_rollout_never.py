"""What must never be, whatever goes wrong and whenever the process dies.

`toy/witness.py` says each claim beside its check, and counts for itself, from the facts as written and from the world's own truth:
no budget is exceeded, no two domains of an exclusion are touched at once, no wave opens before its predecessor, nothing is begun after a
pause or a stop, no attempt is sent twice or without its intent written down, no grant is lost, nobody is left drained.
After each decision the agenda that was kept up to date is held against a fresh one (`toy/agenda_check.py`).

A failure prints its `Case(...)`. Paste it into `play(...)`, or into an `@example` below, to see it again.
"""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, example, given, settings

from orchestrator.rollout.state import RolloutStatus
from tests.properties.toy.cases import cases
from tests.properties.toy.host import When
from tests.properties.toy.sim import Case, play
from tests.properties.toy.told import Told
from tests.properties.toy.world import Faults

GONE_WHILE_GRANTED = Case(
    Told(
        lanes=(("l00", "s0", (), ("a b e", "d f")), ("l01", "s0", (), ("c",))),
        stages=(("s0", 0, False),),
        rules=(("budget", 1, "d f"),),
        around="silence and drain",
    ),
    faults=Faults(timedelta(hours=3), step_fails=0.1, gone=0.005),
    crash=0.3,
)
"""A machine that is deleted serves nobody: it has to go on counting as out when its grant is closed."""

BACK_BEFORE_THE_WATCH_SAW = Case(
    Told(
        lanes=(("l00", "s0", (), ("a b c d e f",)),),
        stages=(("s0", 0, False),),
        rules=(("budget", 1, "a b c e"), ("order", "a b c e", "d f")),
    ),
    seed=1758,
    faults=Faults(timedelta(hours=3), answer_lost=0.1, request_lost=0.4, passing=0.4, foreign=0.1),
    crash=0.05,
)
"""A machine that is out on record and is found well takes a place, though it seemed to have one."""

EVERYTHING = Faults(
    until=timedelta(hours=6),
    throttled=0.1,
    answer_lost=0.2,
    request_lost=0.1,
    late=0.1,
    unreadable=0.1,
    endless=0.05,
    passing=0.2,
    lasting=0.05,
    unseen=0.05,
    unwell=0.2,
    step_fails=0.1,
    foreign=0.05,
    off=0.05,
    person=0.1,
)

REFERENCE = Told(
    lanes=(
        ("canary", "s0", (), ("a",)),
        ("west", "s1", (), ("b c", "d e")),
        ("east", "s1", ("west",), ("f g h",)),
    ),
    stages=(("s0", 30, False), ("s1", 0, False)),
    rules=(
        ("budget", 1, "a b d"),
        ("budget", 2, "c e f g h"),
        ("exclusion", ("z1", "a b c d e"), ("z2", "f g h")),
        ("order", "f", "g h"),
    ),
    around="drain",
)
"""Eight machines, two stages, two lanes of which one waits for the other, all three kinds of rule, steps around."""


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(cases())
@example(GONE_WHILE_GRANTED)
@example(BACK_BEFORE_THE_WATCH_SAW)
def test_no_fault_and_no_crash_breaks_a_promise(case: Case) -> None:
    """Under any plan, any faults, any person and any crashes every promise holds at every fact, and it ends."""
    play(case)


@pytest.mark.parametrize("seed", range(4))
def test_dying_at_any_append_breaks_no_promise(seed: int) -> None:
    """At every append of a rollout in which much goes wrong the process may die, on either side of it."""
    whole = play(Case(REFERENCE, seed, EVERYTHING), check=False)
    for append in range(1, whole.host.appends + 1):
        for when in When:
            case = Case(REFERENCE, seed, EVERYTHING, crash_at=(append, when))
            try:
                play(case, check=False)
            except AssertionError as error:
                error.add_note(f"{case!r}")
                raise


@pytest.mark.parametrize("when", When)
def test_a_rollout_without_faults_survives_each_crash_with_one_request_a_machine(when: When) -> None:
    """Where nothing goes wrong but one crash, each machine is done by one request, or by a second after `NotStarted`."""
    appends = play(Case(REFERENCE), check=False).host.appends
    for append in range(1, appends + 1):
        played = play(Case(REFERENCE, crash_at=(append, when)), check=False)
        assert played.rollout.status == RolloutStatus.FINISHED
        assert {"done"} == {run.status.value for run in played.rollout.machines}
        assert list(range(8)) == sorted(machine for machine, _ in played.world.requests)
