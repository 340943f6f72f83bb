"""What a stage that can't take all tries of a fleet: never less than greed promises, and never more than it may."""

from __future__ import annotations

from collections import Counter
from itertools import combinations
from math import e

from hypothesis import given
from hypothesis import strategies as st

from orchestrator.planner.configurations import Configuration
from orchestrator.planner.cover import Fleet, Room, choose

CONFIGURATIONS = st.builds(
    Configuration,
    region=st.sampled_from("nw"),
    os=st.sampled_from("lw"),
    image=st.sampled_from("ab"),
    size=st.sampled_from("sml"),
    role=st.sampled_from("xyz"),
)
COUNTS = st.dictionaries(CONFIGURATIONS, st.integers(1, 20), min_size=1, max_size=8)


def tried(counts: dict[Configuration, int], chosen: list[Configuration]) -> int:
    """The weight of all that these try."""
    fleet = Fleet(counts)
    weight = 0
    for one in chosen:
        weight += fleet.gain(one)
        fleet.try_out([one])
    return weight


@given(COUNTS, st.integers(1, 4))
def test_greed_is_within_its_promise(counts: dict[Configuration, int], most: int) -> None:
    """At least 1 - 1/e of what the best choice of so many machines would try, found by trying every one."""
    chosen = choose(Fleet(counts), counts, Room(most), "x")
    sets = combinations(sorted(counts), min(most, len(counts)))
    best = max(tried(counts, list(some)) for some in sets)

    assert tried(counts, list(chosen)) >= (1 - 1 / e) * best


@given(COUNTS, st.integers(0, 60), st.none() | st.integers(1, 9))
def test_room_is_used_and_kept(counts: dict[Configuration, int], most: int, per_region: int | None) -> None:
    """As many as may go, no region above its share, nobody twice; and nothing twice while something untried could go."""
    chosen = choose(Fleet(counts), counts, Room(most, per_region), "x")
    regions: Counter[str] = Counter()
    for one, count in chosen.items():
        regions[one.region] += count
        assert 0 < count <= counts[one]
    there: Counter[str] = Counter()
    for one, count in counts.items():
        there[one.region] += count
    allowed = {region: min(count, per_region or count) for region, count in there.items()}

    assert sum(chosen.values()) == min(most, sum(allowed.values()))
    assert all(regions[region] <= allowed[region] for region in regions)
    for one in counts:
        if one not in chosen:
            assert all(count == 1 for other, count in chosen.items() if other.region == one.region)
