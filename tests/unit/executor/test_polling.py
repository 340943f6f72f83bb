"""When operations are looked at: late where none ends, soon where many do, never without an end in sight."""

from __future__ import annotations

from collections.abc import Sequence
from heapq import heappop, heappush
from random import Random

import pytest

from orchestrator.executor.lifetimes import SCOUTS
from orchestrator.executor.polling import AFTER_S, KEEP, Followed, Polling
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


def crowd(took: Sequence[float], every_s: float) -> tuple[float, float]:
    """How often each of so many operations is looked at that begin one after another, and how late ends are seen, in the mean."""
    pace = Polling(SETTINGS)
    due = [(number * every_s, number) for number in range(len(took))]
    followed: dict[int, Followed] = {}
    looked, late = 0, 0.0
    while due:
        now, one = heappop(due)
        age = now - one * every_s
        if one not in followed:
            followed[one] = pace.begin("patches")
            heappush(due, (now + pace.first("patches"), one))
        elif too_early := pace.too_early(followed[one], age):
            heappush(due, (now + too_early, one))
        else:
            pace.look(followed[one], age)
            looked += 1
            if age < took[one]:
                heappush(due, (now + pace.wait("patches", age), one))
                continue
            late += age - took[one]
            pace.ended("patches", took[one])
            pace.let_go(followed[one])
    assert pace.running == 0
    return looked / len(took), late / len(took)


def test_a_crowd_is_not_looked_at_while_its_oldest_run() -> None:
    """Three thousand begin before the first ends, an hour later: five looks each, as at those whose length is known."""
    chance = Random(1)
    looked, late = crowd([chance.triangular(3600, 7200, 5400) for _ in range(3000)], every_s=0.3)
    assert looked <= 5.5
    assert late <= 0.05 * 5400


def test_a_crowd_of_short_ones_and_long_ones_is_looked_at_before_the_void_between_them() -> None:
    """The last short ones aren't found an hour late, when the first long ones end."""
    chance = Random(1)
    took = [
        chance.triangular(120, 420, 200) if chance.random() < 0.5 else chance.triangular(3600, 7200, 5400)
        for _ in range(3000)
    ]
    looked, late = crowd(took, every_s=0.3)
    assert looked <= 7
    assert late <= 240


def test_a_few_are_looked_at_without_asking_the_others() -> None:
    """Requests are cheap then, and nothing is lost by looking."""
    few, many = polling(running=SETTINGS.crowd_above - 1), polling(running=SETTINGS.crowd_above)
    for pace in (few, many):
        for _ in range(SCOUTS):
            pace.look(Followed("patches"), 3600.0)
    assert few.too_early(few.begin("patches"), 180.0) == 0
    assert many.too_early(many.begin("patches"), 180.0) > 3400


def test_what_a_crowd_of_before_took_leaves_nobody_alone_for_long() -> None:
    """These may be quicker: twenty minutes after its last look each is looked at again."""
    pace = polling(running=1000)
    for _ in range(SCOUTS):
        pace.ended("patches", 5000.0)
    for _ in range(180):
        pace.ended("patches", 600.0)
    crowd_ = [pace.begin("patches") for _ in range(300)]
    for one in crowd_:
        pace.look(one, 660.0)
    assert pace.too_early(crowd_[0], 660.0) <= SETTINGS.crowd_gap.total_seconds()


def test_who_is_followed_no_more_tells_nothing() -> None:
    """Of a rollout that was left by its process nobody knows whether its operations still run."""
    pace = polling(running=1000)
    scouts = [pace.begin("patches") for _ in range(SCOUTS)]
    for one in scouts:
        pace.look(one, 3600.0)
    for one in scouts:
        pace.let_go(one)
    assert pace.too_early(pace.begin("patches"), 180.0) == SETTINGS.first_poll.total_seconds() + AFTER_S - 180


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
