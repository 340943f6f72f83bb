"""Which constraints of two plans speak of the same thing, and which of two is the tighter.

A constraint's id is a digest of what it says, so one that changes has another id. It is found again by the group that it is
about and the place where it is written; failing that, among those of its file, by the machines that the two share.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from typing import Final

from orchestrator.availability.model import Budget, Constraint, Exclusion, Order
from orchestrator.inventory.model import MachineId
from orchestrator.planner.diff_model import Course, RuleChange
from orchestrator.planner.rules import members

_BUDGET: Final = re.compile(
    r"at most \d+ of \d+(?P<kind> restarting)? in (?P<group>.*?)( \((\d+ off|\d+ can't be read and counts? as out|, )+\))?"
)
"""What a budget is called: its figures change, its group doesn't."""

_ORDER: Final = {course: place for place, course in enumerate(Course)}


def rule_changes(old: Sequence[Constraint], new: Sequence[Constraint]) -> tuple[RuleChange, ...]:
    """What became of each constraint. Those whose machines are others than before, which policies needn't have caused, come last."""
    pairs = counterparts(old, new)
    kept = {rule.id for rule in pairs.values()}
    found = [change for rule in old if rule.id in pairs for change in _between(rule, pairs[rule.id])]
    found += [RuleChange(Course.REMOVED, rule, None) for rule in old if rule.id not in pairs]
    found += [RuleChange(Course.ADDED, None, rule) for rule in new if rule.id not in kept]
    return tuple(sorted(found, key=_place))


def _place(change: RuleChange) -> tuple[object, ...]:
    grown = bool(change.joined or change.left)
    return (grown, _ORDER[change.course], change.told.origin, change.told.what, change.told.id)


def _between(was: Constraint, now: Constraint) -> Iterator[RuleChange]:
    closer, wider = implies(now, was), implies(was, now)
    if closer and wider and not _finished_otherwise(was, now):
        return
    course = Course.CHANGED if closer == wider else Course.TIGHTENED if closer else Course.LOOSENED
    before, after = set(members(was)), set(members(now))
    yield RuleChange(course, was, now, len(after - before), len(before - after))


def _finished_otherwise(was: Constraint, now: Constraint) -> bool:
    """Whether an exclusion stands further out or further in than it did."""
    return isinstance(was, Exclusion) and isinstance(now, Exclusion) and was.level != now.level


def implies(one: Constraint, other: Constraint) -> bool:
    """Whether whatever keeps the one keeps the other. A cap binds no waves, so it implies nothing but caps."""
    match one, other:
        case Budget(), Budget() if one.restarts and not other.restarts:
            return False  # it lets machines go that the other counts
        case Budget(), Budget():
            held = set(one.machines)
            inside = sum(machine in held for machine in other.machines)
            most = len(other.machines) - inside + min(one.limit, inside)
            return most <= other.limit and (other.cap or not one.cap)
        case Exclusion(), Exclusion():
            return _keeps_apart(one, other)
        case Order(), Order():
            whole = set(other.first) <= set(one.first) and set(other.then) <= set(one.then)
            return whole or not other.first or not other.then
        case _:
            return False


def _keeps_apart(one: Exclusion, other: Exclusion) -> bool:
    """Whether machines of different domains of the other are in different domains of the one."""
    if sum(map(bool, other.domains.values())) < 2:
        return True
    domain_of = {machine: name for name, held in one.domains.items() for machine in held}
    taken: dict[str, str] = {}
    for name, held in other.domains.items():
        for machine in held:
            domain = domain_of.get(machine)
            if domain is None or taken.setdefault(domain, name) != name:
                return False
    return True


# Which is which -------------------------------------------------------------------------------------------------


def counterparts(old: Sequence[Constraint], new: Sequence[Constraint]) -> dict[str, Constraint]:
    """The old ones' ids with their counterparts, each of which is nobody else's."""
    pairs: dict[str, Constraint] = {}
    keys: tuple[Callable[[Constraint], Hashable], ...] = (
        lambda rule: rule.id,
        lambda rule: (type(rule).__name__, subject(rule), rule.origin),
        lambda rule: (type(rule).__name__, subject(rule), rule.origin.file),
        lambda rule: (type(rule).__name__, subject(rule)),
    )
    for key in keys:
        left, open_ = _by_key(old, key, set(pairs)), _by_key(new, key, {rule.id for rule in pairs.values()})
        for found, those in left.items():
            others = open_.get(found, [])
            if len(those) == len(others) == 1:
                pairs[those[0].id] = others[0]
    _by_machines(old, new, pairs)
    return pairs


def _by_key(
    rules: Sequence[Constraint], key: Callable[[Constraint], Hashable], taken: set[str]
) -> dict[Hashable, list[Constraint]]:
    found: dict[Hashable, list[Constraint]] = {}
    for rule in rules:
        if rule.id not in taken:
            found.setdefault(key(rule), []).append(rule)
    return found


def _by_machines(old: Sequence[Constraint], new: Sequence[Constraint], pairs: dict[str, Constraint]) -> None:
    """Adds those that share at least half of the larger one's machines, the likest first."""
    taken = {rule.id for rule in pairs.values()}
    standing: dict[MachineId, list[int]] = {}
    sizes: list[int] = []
    for place, rule in enumerate(new):
        held = [] if rule.id in taken else list(members(rule))
        sizes.append(len(held))
        for machine in held:
            standing.setdefault(machine, []).append(place)
    likely: list[tuple[float, int, int]] = []
    for number, rule in enumerate(old):
        if rule.id in pairs:
            continue
        held = list(members(rule))
        shared = Counter(place for machine in held for place in standing.get(machine, ()))
        for place, count in shared.items():
            share = count / max(len(held), sizes[place])
            if share >= 0.5 and _akin(rule, new[place]):
                likely.append((-share, number, place))
    for _, number, place in sorted(likely):
        if old[number].id not in pairs and new[place].id not in taken:
            pairs[old[number].id] = new[place]
            taken.add(new[place].id)


def _akin(one: Constraint, other: Constraint) -> bool:
    return type(one) is type(other) and (
        one.origin.file == other.origin.file or subject(one) == subject(other)
    )


def subject(rule: Constraint) -> str:
    """What a constraint is about, without its figures: `availability set as-web`."""
    found = _BUDGET.fullmatch(rule.what) if isinstance(rule, Budget) else None
    return found["group"] + (found["kind"] or "") if found else rule.what


def by_course(changes: Sequence[RuleChange]) -> Mapping[Course, int]:
    """How many there are of each course, in the order of courses; those that don't occur aren't there."""
    counted = Counter(change.course for change in changes)
    return {course: counted[course] for course in Course if counted[course]}
