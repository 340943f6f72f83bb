"""How few waves a lane can have, and the proof of it that a person can check by hand.

Three facts force waves, and nest:

- a budget of b over n machines of the lane: at least n / b waves, rounded up;
- an exclusion: its domains share no wave, so at least the sum of what each needs;
- an order: both sides share no wave, so at least the sum along any chain of sides.

The bound is the largest that these give, where what a domain or a side needs is found in the same way. It is never above
the best plan there is. It may be below: machines under several crossing rules can need a wave more than any one of the
rules forces.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from orchestrator.planner.model import Bound
from orchestrator.planner.nesting import orders_of
from orchestrator.planner.rules import FIRST, THEN, RuleKind, Rules, View

LOOKS_PER_CLASS: Final = 64
"""How often a proof may look at each class, on average, before it stops looking for a higher bound. What it has then is
valid. Exclusions that all cross each other could be nested in any order; real ones nest two or three deep."""


@dataclass(frozen=True, slots=True)
class Proof:
    """At least `waves` waves, because of `rule`; None: because there is a machine at all.

    `machines` is how many it speaks of: of a budget, those that stand in it. `steps` are the domains of an exclusion, or
    the sides of orders one after another, with what each of them needs by itself.
    """

    waves: int
    machines: int
    rule: int | None = None
    steps: tuple[Step, ...] = ()


@dataclass(frozen=True, slots=True)
class Step:
    """A part of a constraint, and what it needs by itself."""

    constraint: int
    part: int
    proof: Proof


def prove(rules: Rules, classes: Sequence[int], view: View | None = None) -> Proof:
    """The highest bound that is found over the machines of some classes. `view` is that of these, if it is at hand."""
    return Prover(rules)(classes, view)


def bound_of(rules: Rules, proof: Proof) -> Bound:
    """The proof in words."""
    return Bound(proof.waves, because(rules, proof))


class Prover:
    """Proves bounds under the same rules again and again, and remembers what it has proven: dividing asks for parts of parts."""

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self._looks = 0  # what is left of one search, in classes
        self._known: dict[tuple[int, ...], Proof] = {}

    def __call__(self, classes: Sequence[int], view: View | None = None) -> Proof:
        """The highest bound that is found over the machines of some classes, which are sorted."""
        self._looks = LOOKS_PER_CLASS * len(classes)
        return self.prove(classes, view)

    def prove(self, classes: Sequence[int], view: View | None = None) -> Proof:
        """As a part of the search that is under way."""
        if len(classes) == 1:
            return self._of_one(classes[0])
        key = tuple(classes)
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = self._search(key, self.rules.view(key) if view is None else view)
        return known

    def _of_one(self, one: int) -> Proof:
        """The machines of one class: only budgets can keep them apart."""
        rules, size = self.rules, self.rules.sizes[one]
        best, which = 1, None
        if size > 1:
            for constraint, _ in rules.places[one]:
                if rules.kinds[constraint] is RuleKind.BUDGET and rules.limits[constraint] * best < size:
                    best, which = -(-size // rules.limits[constraint]), constraint
        return Proof(best, size, which)

    def _search(self, classes: Sequence[int], view: View) -> Proof:
        self._looks -= len(classes)
        whole = self.rules.count(classes)
        best = self._budgets(whole, view)
        for constraint in self._exclusions(view):
            inside = sum(map(len, view[constraint].values()))
            machines = sum(map(self.rules.count, view[constraint].values()))
            if machines <= best.waves or self._looks < inside:  # each machine forces one wave at most
                continue
            steps = tuple(
                Step(constraint, part, self.prove(members))
                for part, members in sorted(view[constraint].items())
            )
            waves = sum(step.proof.waves for step in steps)
            if waves > best.waves:
                best = Proof(waves, whole, constraint, steps)
        steps = _Chains(self.rules, view, self).longest() if best.waves < whole else ()
        waves = sum(step.proof.waves for step in steps)
        return Proof(waves, whole, steps[0].constraint, steps) if waves > best.waves else best

    def afford(self, classes: int) -> bool:
        """Whether so many more may be looked at."""
        return self._looks >= classes

    def _budgets(self, machines: int, view: View) -> Proof:
        best, which, count = min(1, machines), None, machines
        kinds, limits, size = self.rules.kinds, self.rules.limits, self.rules.sizes.__getitem__
        for constraint, parts in view.items():
            if kinds[constraint] is RuleKind.BUDGET:
                members = sum(map(size, parts[0]))
                if members > best * limits[constraint]:
                    best, which, count = -(-members // limits[constraint]), constraint, members
        return Proof(best, count, which)

    def _exclusions(self, view: View) -> Iterator[int]:
        for constraint, parts in view.items():
            if self.rules.kinds[constraint] is RuleKind.EXCLUSION and len(parts) > 1:
                yield constraint


class _Chains:
    """Sides of orders, and the heaviest chain of them: everything in one comes before everything in the next."""

    def __init__(self, rules: Rules, view: View, prover: Prover) -> None:
        self._prover = prover
        self._rules = rules
        self._sides: dict[tuple[int, ...], tuple[int, int]] = {}  # classes -> where they are a part
        orders = orders_of(rules, view)
        for order in orders:
            for part in (FIRST, THEN):
                self._sides.setdefault(tuple(view[order][part]), (order, part))
        within = {order: {part: frozenset(view[order][part]) for part in (FIRST, THEN)} for order in orders}
        self._first_in: dict[int, list[tuple[int, ...]]] = {order: [] for order in orders}
        self._then_of: dict[tuple[int, ...], list[int]] = {side: [] for side in self._sides}
        for side in self._sides:
            for order, part in rules.places[side[0]]:
                if order in within and within[order][part].issuperset(side):
                    if part == FIRST:
                        self._first_in[order].append(side)
                    else:
                        self._then_of[side].append(order)
        self._heaviest: dict[tuple[int, ...], tuple[Step, ...]] = {}

    def longest(self) -> tuple[Step, ...]:
        """The chain that needs most waves; empty without orders, or if it can't be afforded."""
        if not self._sides or not self._prover.afford(sum(map(len, self._sides))):
            return ()
        return max((self._ending_in(side) for side in self._sides), key=_weight)

    def _ending_in(self, side: tuple[int, ...]) -> tuple[Step, ...]:
        known = self._heaviest.get(side)
        if known is None:
            before = [self._ending_in(s) for order in self._then_of[side] for s in self._first_in[order]]
            constraint, part = self._sides[side]
            step = Step(constraint, part, self._prover.prove(side))
            known = self._heaviest[side] = (*max(before, key=_weight, default=()), step)
        return known


def _weight(steps: Sequence[Step]) -> int:
    return sum(step.proof.waves for step in steps)


def because(rules: Rules, proof: Proof) -> str:
    """The proof as a sentence, from the outside in, every sum with its terms.

    "one zone at a time in westeurope: zone 1 5 + zone 2 4; zone 1: 10 machines, 2 at a time (at most 2 of 30 in lb-shop); ...".
    """
    if not proof.machines:
        return "there is nothing to change"
    return "; ".join(_sentences(rules, proof, ""))


def _sentences(rules: Rules, proof: Proof, where: str) -> Iterator[str]:
    prefix = f"{where}: " if where else ""
    if proof.rule is None:
        yield prefix + "whatever is changed takes a wave"
        return
    rule = rules.constraints[proof.rule]
    if not proof.steps:
        limit = rules.limits[proof.rule]
        yield f"{prefix}{_machines(proof.machines)}, {limit} at a time ({rule.what})"
        return
    names = [rules.part_names[step.constraint][step.part] for step in proof.steps]
    terms = " + ".join(f"{name} {step.proof.waves}" for name, step in zip(names, proof.steps, strict=True))
    whats = dict.fromkeys(rules.constraints[step.constraint].what for step in proof.steps)
    yield f"{prefix}{', '.join(whats)}: {terms}"
    for name, step in zip(names, proof.steps, strict=True):
        if step.proof.rule is not None:
            yield from _sentences(rules, step.proof, name)


def _machines(count: int) -> str:
    return "1 machine" if count == 1 else f"{count:,} machines"
