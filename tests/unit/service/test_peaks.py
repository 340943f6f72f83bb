"""How near to its limit each budget came."""

from __future__ import annotations

from datetime import timedelta

from orchestrator.service.peaks import most_at_once, peaks
from orchestrator.service.timeline import Disruption, Outage, Timeline
from tests.builders import NOON, budget, lane, plan_of

PLAN = plan_of(lane("west", "a b c"), rules=[budget(2, "a b c")])


def told(*disruptions: Disruption, outages: tuple[Outage, ...] = ()) -> Timeline:
    """A timeline of two hours that holds these alone."""
    return Timeline(NOON, NOON + timedelta(hours=2), disruptions, outages, (), (), ())


def held(machine: int, begin: int, end: int | None) -> Disruption:
    """A machine's grant, from and to so many minutes."""
    until = None if end is None else NOON + timedelta(minutes=end)
    return Disruption(machine, NOON + timedelta(minutes=begin), until=until)


def most(*disruptions: Disruption, outages: tuple[Outage, ...] = ()) -> int:
    """How many of the one budget's machines were out at once."""
    (peak,) = peaks(PLAN, told(*disruptions, outages=outages))
    return peak.most


def test_those_that_overlap_count_together() -> None:
    """Three in turn, two of which overlap, are two at once; and the peak tells when it was reached first."""
    (peak,) = peaks(PLAN, told(held(0, 0, 10), held(1, 5, 20), held(2, 20, 30)))
    assert (peak.most, peak.limit, peak.size, peak.at) == (2, 2, 3, NOON + timedelta(minutes=5))


def test_one_that_ends_makes_room_for_one_that_begins() -> None:
    """At the moment of handing over one place is taken, not two."""
    assert most(held(0, 0, 10), held(1, 10, 20)) == 1


def test_a_grant_that_is_held_still_counts_to_the_end() -> None:
    """Whoever comes later comes on top of it."""
    assert most(held(0, 0, None), held(1, 119, 120)) == 2


def test_a_grant_of_the_last_fact_counts() -> None:
    """Nothing came after it, and it is taken all the same."""
    assert most(held(0, 120, None)) == 1


def test_machines_that_others_took_out_count_too() -> None:
    """Budgets count what is really out, whoever took it out."""
    assert most(held(0, 0, 30), outages=(Outage(1, NOON + timedelta(minutes=10)),)) == 2


def test_budgets_that_nobody_used_are_left_away() -> None:
    """They would bury the others."""
    assert peaks(PLAN, told()) == ()


def test_the_fullest_come_first() -> None:
    """By the share of their limit that was used."""
    plan = plan_of(lane("west", "a b c"), rules=[budget(3, "a b c"), budget(1, "a")])
    assert [peak.limit for peak in peaks(plan, told(held(0, 0, 10)))] == [1, 3]


def test_most_at_once_counts_every_machine() -> None:
    """Whatever budgets there are."""
    assert most_at_once(told(held(0, 0, 10), held(1, 5, 20), held(2, 6, 7))) == 3
