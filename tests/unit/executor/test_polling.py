"""When operations are looked at: late where none ends, soon where many do, never without an end in sight."""

from __future__ import annotations

import pytest

from orchestrator.executor.polling import KEEP, Polling
from orchestrator.executor.settings import Settings

SETTINGS = Settings()
INSTALLATIONS = [*range(120, 420, 30), *range(1200, 3700, 250)]  # ten without a restart, ten with one


def polling(*took: float, running: int = 100) -> Polling:
    """A pace that has seen these operations end, with many more under way."""
    seen = Polling(SETTINGS)
    seen.running = running
    for seconds in took:
        seen.ended("patches", seconds)
    return seen


def looks(pace: Polling, took: float) -> tuple[int, float]:
    """How often an operation that takes so long is looked at, and how late its end is seen."""
    age, count = pace.first("patches"), 1
    while age < took:
        age, count = age + pace.wait("patches", age), count + 1
    return count, age - took


def test_a_few_say_nothing() -> None:
    """With four of a kind known, as with none, it is a matter of the operation's age."""
    pace = polling(100, 200, 300, 400)
    assert (pace.first("patches"), pace.wait("patches", 180)) == (180, 18)
    pace.ended("patches", 500)
    assert (pace.first("patches"), pace.wait("patches", 101)) == (101, 100)


def test_a_crowd_that_began_together_is_looked_at_less_often() -> None:
    """Nobody of it has taken longer than all are old now, so no look can be placed well: a thousand would cost twenty each."""
    few, many = polling(running=SETTINGS.crowd_above), polling(running=SETTINGS.crowd_above + 1)
    assert looks(few, 1200)[0] > 15
    count, late = looks(many, 1200)
    assert count <= 7
    assert late <= SETTINGS.crowd_by_age * 1200


def test_kinds_are_apart() -> None:
    """What restarts take says nothing of installations."""
    pace = polling(*INSTALLATIONS)
    assert pace.first("restart") == SETTINGS.first_poll.total_seconds()


def test_the_first_look_comes_sooner_while_few_are_in_flight() -> None:
    """Requests are cheap then."""
    assert polling(running=20).first("patches") == SETTINGS.eager_poll.total_seconds()
    assert polling(*INSTALLATIONS, running=20).first("patches") < polling(*INSTALLATIONS).first("patches")


def test_no_look_where_none_ends() -> None:
    """Between those that restart and those that don't, it waits as long as it ever does, having looked once before."""
    pace = polling(*INSTALLATIONS)
    assert pace.wait("patches", 350) == 41
    assert pace.wait("patches", 391) == SETTINGS.poll_gap.total_seconds()


def test_looks_are_few_and_ends_are_seen_soon() -> None:
    """Operations that take what others took cost five looks or so, and are seen within the gap between two of them."""
    pace = polling(*INSTALLATIONS)
    seen = [looks(pace, took) for took in INSTALLATIONS]
    assert sum(count for count, _ in seen) / len(seen) <= 9
    assert all(late <= SETTINGS.poll_gap.total_seconds() for _, late in seen)
    short = [late for took, (_, late) in zip(INSTALLATIONS, seen, strict=True) if took < 600]
    assert max(short) <= 150


@pytest.mark.parametrize("age", [0, 10, 400, 3_500, 3_600, 10_000])
def test_waits_are_bounded(age: float) -> None:
    """Neither a tight loop nor a look that never comes, whatever is known."""
    for pace in (polling(), polling(*INSTALLATIONS), polling(*[0.0] * 10), polling(*[1e6] * 10)):
        wait = pace.wait("patches", age)
        assert SETTINGS.poll_least.total_seconds() <= wait <= SETTINGS.poll_gap.total_seconds()


def test_what_is_long_past_is_forgotten() -> None:
    """The last ones count."""
    pace = polling(*[1000.0] * KEEP)
    for _ in range(KEEP):
        pace.ended("patches", 10)
    assert pace.first("patches") == 11
