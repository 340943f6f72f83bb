"""The most that may be out at once of what waits for one another: the heaviest antichain, exactly."""

from __future__ import annotations

from collections.abc import Sequence


def heaviest_antichain(weights: Sequence[int], before: Sequence[int]) -> int:
    """The largest sum of weights of which none comes before another. `before[n]`: those before n, all of them, as bits.

    By Dilworth's theorem it is the sum of all weights, less the most of it that can be paired along the order.
    """
    count = len(weights)
    after = [[m for m in range(count) if before[m] >> n & 1] for n in range(count)]
    given = list(weights)  # what of each is not yet paired with one after it
    taken = list(weights)  # and with one before it
    flow: list[dict[int, int]] = [{} for _ in range(count)]  # one -> one after it -> how much
    back: list[dict[int, int]] = [{} for _ in range(count)]
    for first in range(count):
        while given[first]:
            path = _path(first, after, back, taken)
            if path is None:
                break
            _push(path, given, taken, flow, back)
    return sum(given)


def _path(
    first: int, after: Sequence[Sequence[int]], back: Sequence[dict[int, int]], taken: Sequence[int]
) -> list[int] | None:
    """One, one after it, another that is paired with that, one after this, and so on to one that has something left."""
    came: dict[int, int] = {}  # a later one -> the one that reached it
    reached: dict[int, int] = {first: -1}
    left = [first]
    for one in left:
        for other in after[one]:
            if other in came:
                continue
            came[other] = one
            if taken[other]:
                path = [other]
                while True:
                    path.append(came[path[-1]])
                    if path[-1] == first:
                        return path[::-1]
                    path.append(reached[path[-1]])
            for paired in back[other]:
                if paired not in reached:
                    reached[paired] = other
                    left.append(paired)
    return None


def _push(
    path: Sequence[int],
    given: list[int],
    taken: list[int],
    flow: list[dict[int, int]],
    back: list[dict[int, int]],
) -> None:
    """Pair as much as the path lets through."""
    undone = [(path[at + 1], path[at]) for at in range(1, len(path) - 1, 2)]  # (one, later one) to part again
    much = min(given[path[0]], taken[path[-1]], *(flow[one][later] for one, later in undone))
    given[path[0]] -= much
    taken[path[-1]] -= much
    for one, later in ((path[at], path[at + 1]) for at in range(0, len(path), 2)):
        flow[one][later] = back[later][one] = flow[one].get(later, 0) + much
    for one, later in undone:
        kept = flow[one][later] - much
        if kept:
            flow[one][later] = back[later][one] = kept
        else:
            del flow[one][later], back[later][one]
