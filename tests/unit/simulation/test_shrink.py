"""Failing trials, made small."""

from __future__ import annotations

from orchestrator.simulation.judgement import Judgement
from orchestrator.simulation.mishaps import read_mishaps
from orchestrator.simulation.shrink import shrink
from orchestrator.simulation.trial import Trial

WRONG = Judgement(("something is lost",), ())


def test_what_has_nothing_to_do_with_it_is_left_out() -> None:
    """One fault of three, one mishap of three, the fewest machines, and no waiting."""
    trial = Trial(
        5,
        8,
        ("slow: {}", "drop: {}", "unhealthy: {}"),
        read_mishaps("crash@10/240s,twin@20,crash@90/7200s"),
        0.5,
    )

    def fails(one: Trial) -> Judgement | None:
        late = any(mishap.at >= 60 for mishap in one.mishaps)
        return WRONG if "drop: {}" in one.troubles and late and one.machines >= 3 else None

    small = shrink(trial, fails)
    assert (small.machines, small.troubles, small.deaf) == (3, ("drop: {}",), 0.0)
    assert [str(mishap) for mishap in small.mishaps] == ["crash@90"]


def test_it_gives_up_after_so_many() -> None:
    """What fails whatever is left out ends all the same, and with fewer tries it is larger."""
    trial = Trial(5, 8, ("slow: {}", "drop: {}"))
    assert shrink(trial, lambda _: WRONG).machines == 2
    assert shrink(trial, lambda _: WRONG, most=1).machines == 8
