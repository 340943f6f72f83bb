"""What is known of how long operations take while most of them still run."""

from __future__ import annotations

import pytest

from orchestrator.executor.lifetimes import SCOUTS, Lifetimes


def lifetimes(*took: float, seen: dict[float, int] | None = None) -> Lifetimes:
    """Those that ended took so long; of those that run, so many were last seen at an age."""
    lives = Lifetimes(void_s=60.0, void_by_age=0.1)
    for age, many in (seen or {}).items():
        for _ in range(many):
            lives.see(0.0, age)
    for seconds in took:
        lives.end(seconds, keep=10_000)
    return lives


def test_nothing_is_known_beyond_what_enough_have_reached() -> None:
    """Nineteen that are an hour old may be nineteen that hang."""
    assert lifetimes().frontier() == 0
    assert lifetimes(seen={3600.0: SCOUTS - 1}).frontier() == 0
    assert lifetimes(seen={3600.0: SCOUTS - 1, 60.0: 1}).frontier() == 60
    assert lifetimes(3000.0, seen={3600.0: SCOUTS - 1, 60.0: 1}).frontier() == 3000


def test_the_quick_ones_of_a_crowd_that_runs_are_no_share_of_it() -> None:
    """Thirty ended and a thousand of that age run: a quarter of those that ended is no quarter of all."""
    took = [600.0 + second for second in range(30)]
    assert lifetimes(*took, seen={640.0: 1000}).due(0.0, 0.25) is None
    assert lifetimes(*took, seen={300.0: 1000}).due(0.0, 0.25) == 607


@pytest.mark.parametrize(("age", "due"), [(0.0, 124.0), (124.0, 143.0), (143.0, 157.0)])
def test_a_share_of_those_that_still_ran_at_an_age(age: float, due: float) -> None:
    """Of a hundred that ended one a second, each look finds a quarter of those left."""
    assert lifetimes(*(100.0 + second for second in range(100))).due(age, 0.25) == due


def test_a_look_before_a_void_finds_the_last_ones() -> None:
    """Nine of ten of the quick half were found: the others aren't kept for the slow half's sake."""
    quick, slow = [100.0 + second for second in range(100)], [3600.0 + second for second in range(100)]
    assert lifetimes(*quick, *slow).due(190.0, 0.25) == 199
    assert lifetimes(*quick, *slow).due(199.0, 0.25) == 3624
    assert (
        lifetimes(*quick, seen={3600.0: 100}).due(190.0, 0.25) == 199
    )  # of the slow ones none has ended yet
    assert lifetimes(*quick, seen={3600.0: 100}).due(199.0, 0.25) is None


def test_one_that_failed_at_once_is_no_reason_to_look_at_thousands() -> None:
    """A void after one in a thousand is none."""
    slow = [3600.0 + second for second in range(1000)]
    assert lifetimes(5.0, *slow).due(0.0, 0.25) == 3849


def test_only_the_last_ends_are_remembered() -> None:
    """What took long a month ago says little of this month's updates."""
    lives = Lifetimes(void_s=60.0, void_by_age=0.1)
    for took in (*[3600.0] * 100, *[60.0] * 50):
        lives.end(took, keep=50)
    assert lives.ended == [60.0] * 50
    assert lives.due(0.0, 0.25) == 60


def test_an_age_is_replaced_by_the_next() -> None:
    """Each of those that run counts once, by the age at which it was last seen."""
    lives = lifetimes(seen={60.0: SCOUTS})
    for _ in range(SCOUTS):
        lives.see(60.0, 600.0)
    assert lives.frontier() == 600
    lives.see(600.0, 0.0)
    assert lives.frontier() == 0
