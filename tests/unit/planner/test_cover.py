"""How many machines of each configuration a stage takes."""

from __future__ import annotations

from collections import Counter

from orchestrator.planner.configurations import Configuration
from orchestrator.planner.cover import Fleet, Room, choose


def one(size: str, role: str = "web", region: str = "westeurope") -> Configuration:
    """A configuration that differs in so much."""
    return Configuration(region, "linux", "ubuntu", size, role)


def test_the_first_choice_is_what_most_machines_are_like() -> None:
    """By the machines behind each of its values, and behind all of them together."""
    counts = {one("D2"): 5, one("D4"): 3, one("D4", "db"): 4}

    assert choose(Fleet(counts), counts, Room(1), "x") == {one("D4"): 1}


def test_values_that_are_tried_weigh_nothing() -> None:
    """The largest of what is left may add less than a small one with a new role."""
    counts = {one("D2"): 50, one("D4"): 6, one("D2", "db"): 9}
    fleet = Fleet(counts)
    fleet.try_out([one("D2")])

    assert fleet.gain(one("D4")) == 12  # its size and itself
    assert fleet.gain(one("D2", "db")) == 18
    assert choose(fleet, counts, Room(1), "x") == {one("D2", "db"): 1}
    assert fleet.untried() == {one("D4"): 6}


def test_a_full_region_gives_no_more() -> None:
    """However much another of its machines would add."""
    counts = {one("D2"): 50, one("D4"): 40, one("D2", region="eastus"): 1}

    chosen = choose(Fleet(counts), counts, Room(5, per_region=1), "x")
    assert Counter({held.region: count for held, count in chosen.items()}) == {"westeurope": 1, "eastus": 1}


def test_room_that_covers_nothing_more_is_shared_in_proportion() -> None:
    """Between regions, then between configurations in each."""
    counts = {one("D2"): 60, one("D4"): 20, one("D2", region="eastus"): 20}

    assert choose(Fleet(counts), counts, Room(10), "x") == {
        one("D2"): 6,
        one("D4"): 2,
        one("D2", region="eastus"): 2,
    }


def test_what_covers_counts_towards_a_region_s_share() -> None:
    """The fourth is the larger region's, which has two already; not the one that happens to be named first."""
    counts = {one("D2"): 60, one("D4"): 20, one("D2", region="eastus"): 20}

    assert choose(Fleet(counts), counts, Room(4), "x")[one("D2", region="eastus")] == 1


def test_nobody_is_taken_twice() -> None:
    """More room than machines takes each of them."""
    counts = {one("D2"): 2, one("D4"): 1}

    assert choose(Fleet(counts), counts, Room(100), "x") == counts
    assert choose(Fleet(counts), counts, Room(0), "x") == {}


def test_the_fleet_counts_whoever_is_not_in_the_pool() -> None:
    """A stage that selects few still tries what most of the campaign is like."""
    fleet = Fleet({one("D2", "a"): 10, one("D4", "b"): 1, one("D4", "c"): 90})
    pool = {one("D2", "a"): 10, one("D4", "b"): 1}

    assert choose(fleet, pool, Room(1), "x") == {one("D4", "b"): 1}


def test_lots_decide_between_equals() -> None:
    """In the same way each time, and not always for the same one."""
    counts = {one(f"D{n}"): 1 for n in range(10)}
    chosen = {next(iter(choose(Fleet(counts), counts, Room(1), f"campaign {n}"))) for n in range(30)}

    assert len(chosen) > 3
    assert choose(Fleet(counts), counts, Room(4), "x") == choose(
        Fleet(counts), dict(reversed(counts.items())), Room(4), "x"
    )
