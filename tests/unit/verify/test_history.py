"""A history of patch runs, put before the judge."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from orchestrator.verify.constraints import Budget, Exclusion
from orchestrator.verify.history import Broken, Run, judge_history

NOON = datetime(2026, 11, 14, 12, tzinfo=UTC)


def at(minutes: float) -> datetime:
    """An instant after noon."""
    return NOON + timedelta(minutes=minutes)


def run(machine: str, begin: float, end: float, *, restarted: bool | None = True) -> Run:
    """A run of one machine, named after it."""
    return Run(f"run-{machine}-{begin:g}", machine, at(begin), at(end), restarted)


def budget(limit: int, *machines: str) -> Budget:
    """At most `limit` of these."""
    return Budget("b", "budget", "shop", frozenset(machines), limit)


ZONES = Exclusion("z", "exclusion", "zones", {"1": frozenset({"a", "b"}), "2": frozenset({"c"})})


def test_more_than_may_be_out() -> None:
    """From the moment when there are too many until there aren't, with the worst of it."""
    runs = [run("a", 0, 30), run("b", 10, 40), run("c", 20, 25), run("x", 0, 60)]
    assert judge_history(runs, [budget(1, "a", "b", "c")], []) == (
        Broken("b", at(10), at(30), 3, 1, ("a", "b", "c"), ("run-a-0", "run-b-10", "run-c-20"), sure=True),
    )


def test_one_after_the_other_is_fine() -> None:
    """What ends when the next begins isn't beside it; a machine that is patched twice is out once."""
    assert judge_history([run("a", 0, 10), run("b", 10, 20)], [budget(1, "a", "b")], []) == ()
    assert judge_history([run("a", 0, 10), run("a", 5, 20)], [budget(1, "a", "b")], []) == ()


def test_each_time_is_told() -> None:
    """Broken again after a while is broken twice."""
    runs = [run("a", 0, 10), run("b", 5, 8), run("a", 100, 110), run("b", 101, 120)]
    assert [(one.begin, one.end) for one in judge_history(runs, [budget(1, "a", "b")], [])] == [
        (at(5), at(8)),
        (at(101), at(110)),
    ]


def test_one_that_takes_the_place_of_another_is_the_same_time() -> None:
    """When one ends at the moment at which the next begins, there were too many all along."""
    runs = [run("a", 0, 10), run("b", 0, 30), run("c", 10, 20)]
    assert [(one.begin, one.end) for one in judge_history(runs, [budget(1, "a", "b", "c")], [])] == [
        (at(0), at(20))
    ]


def test_a_run_without_a_restart_takes_nobody_down() -> None:
    """It counts in no budget; one that may have restarted counts, and what rests on it isn't sure."""
    runs = [run("a", 0, 10), run("b", 0, 10, restarted=False)]
    assert judge_history(runs, [budget(1, "a", "b")], []) == ()
    (perhaps,) = judge_history([run("a", 0, 10), run("b", 0, 10, restarted=None)], [budget(1, "a", "b")], [])
    assert (perhaps.peak, perhaps.sure) == (2, False)


def test_domains_at_once() -> None:
    """Two zones worked on at once, with a restart or without; two machines of one zone are fine."""
    assert judge_history([run("a", 0, 10), run("b", 0, 10)], [], [ZONES]) == ()
    (broken,) = judge_history([run("a", 0, 10), run("c", 5, 20, restarted=False)], [], [ZONES])
    assert (broken.domains, broken.peak, broken.limit, broken.sure) == (("1", "2"), 2, 1, False)
    assert (broken.begin, broken.end, broken.machines) == (at(5), at(10), ("a", "c"))
