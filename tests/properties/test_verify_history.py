"""A history of patch runs: what the sweep finds is what a look at every moment finds."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from orchestrator.verify.constraints import Budget, Exclusion
from orchestrator.verify.history import Broken, Run, judge_history

NOON = datetime(2026, 11, 14, 12, tzinfo=UTC)
MACHINES = ("a", "b", "c", "d")
DOMAINS = {"1": frozenset("ab"), "2": frozenset("c"), "3": frozenset("d")}
OF = {machine: name for name, held in DOMAINS.items() for machine in held}
LAST = 24

RUNS = st.lists(
    st.tuples(
        st.sampled_from(MACHINES),
        st.integers(0, LAST),
        st.integers(0, 8),
        st.sampled_from([True, False, None]),
    ),
    max_size=12,
).map(
    lambda drawn: [
        Run(f"run-{number}", machine, at(begin), at(begin + takes), restarted)
        for number, (machine, begin, takes, restarted) in enumerate(drawn)
    ]
)


def at(minutes: int) -> datetime:
    """An instant after noon."""
    return NOON + timedelta(minutes=minutes)


def going_on(runs: list[Run], moment: datetime) -> list[Run]:
    """What goes on in the minute from then on."""
    return [run for run in runs if run.begin <= moment < run.end]


def minutes_of(found: tuple[Broken, ...]) -> set[datetime]:
    """Every minute in which something was broken."""
    return {at(minute) for one in found for minute in range(2 * LAST) if one.begin <= at(minute) < one.end}


@given(RUNS, st.integers(0, 3))
def test_a_budget_is_broken_exactly_when_too_many_are_out(runs: list[Run], limit: int) -> None:
    """Minute by minute; and sure where known restarts alone are too many at some minute of it."""
    found = judge_history(runs, [Budget("b", "budget", "b", frozenset("abc"), limit)], [])
    out = [run for run in runs if run.machine in "abc" and run.restarted is not False]
    counts = {at(m): len({run.machine for run in going_on(out, at(m))}) for m in range(2 * LAST)}
    assert minutes_of(found) == {moment for moment, count in counts.items() if count > limit}
    for one in found:
        inside = [moment for moment in counts if one.begin <= moment < one.end]
        assert one.peak == max(counts[moment] for moment in inside) == len(one.machines)
        known = [run for run in out if run.restarted]
        assert one.sure == any(len({r.machine for r in going_on(known, moment)}) > limit for moment in inside)


@given(RUNS)
def test_an_exclusion_is_broken_exactly_when_two_domains_are_worked_on(runs: list[Run]) -> None:
    """Minute by minute, whether anything restarts or not; the domains told are those of the worst minute."""
    found = judge_history(runs, [], [Exclusion("z", "exclusion", "z", DOMAINS)])
    domains = {at(m): {OF[run.machine] for run in going_on(runs, at(m))} for m in range(2 * LAST)}
    assert minutes_of(found) == {moment for moment, held in domains.items() if len(held) > 1}
    for one in found:
        inside = [held for moment, held in domains.items() if one.begin <= moment < one.end]
        assert one.peak == max(map(len, inside)) == len(one.domains)
