"""Is a domain that was begun finished before the next begins, and what may excuse it if not.

Within a stage, domains of an exclusion come one after the other, each in one go. That can't always be kept to the letter,
and then the rules that stand above decide; it never excuses two domains at the same time:

- An exclusion of a lower level is the outer one. If it cuts a domain, so that the domain's machines stand in several of the
  outer's domains, or partly in none (a cell of machines that spans zones), the domain is finished within each of these by
  itself.
- Orders hold above all. If they let no domain be finished in one go (databases before web servers, both in zone 1 and
  in zone 2), each domain is finished within each side of each order by itself: databases of zone 1, databases of zone 2,
  web servers of zone 1, web servers of zone 2. An exclusion within one that is cut in this way is cut with it.

What remains is strict: within such a part, all of one domain comes before all of the other.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any, Protocol, TypeVar

from orchestrator.verify.constraints import Exclusion, Order


class Stretch(Protocol):
    """When some machines are out, from the first to the last of them."""

    @property
    def end(self) -> Any:
        """When the last of them is done; any two can be compared, and agree with `before`."""

    def before(self, other: Any) -> bool:
        """Whether all of this is over before any of `other` begins."""


S = TypeVar("S", bound=Stretch)


def unfinished(stretches: Mapping[str, S]) -> list[tuple[str, str]]:
    """Pairs of domains of which the first isn't finished when the second begins, nor the other way round.

    Sorted by their ends, the domains come one after the other exactly if each is over before its neighbour begins. A
    neighbour that isn't, ends earlier or as early, so it can't come after either: no pair is named without cause.
    """
    in_turn = sorted(stretches, key=lambda name: (stretches[name].end, name))
    return [(one, other) for one, other in pairwise(in_turn) if not stretches[one].before(stretches[other])]


class Nesting:
    """Which rules stand above which, for machines that a plan changes. `stages` is machine -> its stage."""

    def __init__(
        self, exclusions: Sequence[Exclusion], orders: Sequence[Order], stages: Mapping[str, str]
    ) -> None:
        self._exclusions = exclusions
        self._orders = orders
        self._stages = stages
        self._domains: defaultdict[str, list[tuple[int, str]]] = defaultdict(list)
        for number, exclusion in enumerate(exclusions):
            for name, members in exclusion.domains.items():
                for machine in members & stages.keys():
                    self._domains[machine].append((number, name))
        self._sides: defaultdict[str, list[tuple[int, str]]] = defaultdict(list)
        for number, order in enumerate(orders):
            for side, members in (("first", order.first), ("then", order.then)):
                for machine in members & stages.keys():
                    self._sides[machine].append((number, side))
        self._known: dict[tuple[str, str], frozenset[int]] = {}

    def inside(self, exclusion: Exclusion, stage: str) -> dict[str, list[str]]:
        """The machines of each domain that are changed in this stage, sorted; domains without any are left away."""
        members = {
            name: sorted(machine for machine in machines if self._stages.get(machine) == stage)
            for name, machines in sorted(exclusion.domains.items())
        }
        return {name: machines for name, machines in members.items() if machines}

    def parts(self, exclusion: Exclusion, stage: str) -> tuple[list[dict[str, list[str]]], str]:
        """The parts within each of which domains are finished one by one, and the rules that cut them, in words.

        One part with everything, and no words, is the rule; more are the exception.
        """
        inside = self.inside(exclusion, stage)
        machines = [machine for members in inside.values() for machine in members]
        outer = {
            number
            for machine in machines
            for number, _ in self._domains[machine]
            if self._exclusions[number].level < exclusion.level
        }
        cutting = self._cutting(inside, outer)
        orders = set(self._crossing(exclusion, stage))
        for number in outer:
            orders |= self._crossing(self._exclusions[number], stage)
        if not cutting and not orders:
            return [inside], ""
        parts: defaultdict[object, defaultdict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
        for name, members in inside.items():
            for machine in members:
                parts[self._label(machine, cutting, orders)][name].append(machine)
        titles = [self._exclusions[n].title for n in sorted(cutting)]
        titles += [self._orders[n].title for n in sorted(orders)]
        return [dict(part) for part in parts.values()], _in_words(titles)

    def _cutting(self, inside: Mapping[str, Collection[str]], outer: Collection[int]) -> set[int]:
        """The outer exclusions of which no single domain holds all of one domain, though some hold a part of it."""
        cutting = set()
        for members in inside.values():
            held = Counter(domain for machine in members for domain in self._domains[machine])
            cutting |= {number for (number, _), count in held.items() if count < len(members)}
        return cutting & set(outer)

    def _crossing(self, exclusion: Exclusion, stage: str) -> frozenset[int]:
        """The orders that touch this exclusion, if they let its domains not be finished one by one; else none."""
        key = (exclusion.id, stage)
        if key in self._known:
            return self._known[key]
        domain_of = {m: name for name, members in self.inside(exclusion, stage).items() for m in members}
        touching = {number for machine in domain_of for number, _ in self._sides[machine]}
        must_follow: defaultdict[str, set[str]] = defaultdict(set)
        for number in touching:
            later = {
                domain_of[machine]
                for follower in self._following(number, stage)
                for machine in self._orders[follower].then
                if machine in domain_of
            }
            for machine in self._orders[number].first:
                if machine in domain_of:
                    must_follow[domain_of[machine]] |= later - {domain_of[machine]}
        crossing = frozenset(touching) if _circular(must_follow) else frozenset()
        self._known[key] = crossing
        return crossing

    def _following(self, number: int, stage: str) -> set[int]:
        """This order and those that begin where it, or one of them, ends."""
        following = {number}
        queue = [number]
        for one in queue:  # grows while it is walked through
            for machine in self._orders[one].then:
                if self._stages.get(machine) != stage:
                    continue
                for other, side in self._sides[machine]:
                    if side == "first" and other not in following:
                        following.add(other)
                        queue.append(other)
        return following

    def _label(self, machine: str, cutting: Collection[int], orders: Collection[int]) -> object:
        return (
            frozenset(held for held in self._domains[machine] if held[0] in cutting),
            frozenset(held for held in self._sides[machine] if held[0] in orders),
        )


def _circular(follows: Mapping[str, Iterable[str]]) -> bool:
    """Whether something has to come after itself."""
    left = {name: set(others) for name, others in follows.items()}
    while True:
        free = {name for name, others in left.items() if not others & left.keys()}
        if not free:
            return bool(left)
        left = {name: others for name, others in left.items() if name not in free}


def _in_words(titles: Sequence[str]) -> str:
    return "; ".join(titles[:3]) + (f"; and {len(titles) - 3} more" if len(titles) > 3 else "")
