"""When each lane begins at the earliest, and which chain of lanes makes a stage as long as it is. Both are counted in waves.

Lanes come after those that they wait for, as in every plan.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from orchestrator.planner.model import Lane


def begins(lanes: Iterable[Lane]) -> dict[str, int]:
    """Of each lane, by id: the fewest waves of its stage that are over before it begins."""
    found: dict[str, int] = {}
    ends: dict[str, int] = {}
    for lane in lanes:
        begin = max((ends[other] for other in lane.after), default=0)
        found[lane.id] = begin
        ends[lane.id] = begin + len(lane.waves)
    return found


def longest(lanes: Sequence[Lane]) -> tuple[Lane, ...]:
    """A longest chain of the lanes of one stage, each of which waits for the one before; of several, always the same."""
    begin = begins(lanes)
    by_id = {lane.id: lane for lane in lanes}
    chain: list[Lane] = []
    lane = max(lanes, key=lambda lane: begin[lane.id] + len(lane.waves), default=None)
    while lane is not None:
        chain.append(lane)
        before = [by_id[other] for other in lane.after]
        here = begin[lane.id]
        lane = next((other for other in before if begin[other.id] + len(other.waves) == here), None)
    return tuple(reversed(chain))
