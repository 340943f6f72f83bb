"""Rules that another rule makes superfluous, and what is done to the built-in ones."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from orchestrator.errors import Problem
from orchestrator.policy import codes, words
from orchestrator.policy.document import Path
from orchestrator.policy.model import (
    EVERYTHING,
    MaxUnavailable,
    MinAvailable,
    OrderRule,
    Origin,
    Policy,
    Rule,
    Share,
    Window,
)
from orchestrator.review.selectors import covers
from orchestrator.review.subject import Subject

_NOWHERE = Origin("")


def of_rules(subject: Subject, floor: Policy) -> Iterator[Problem]:
    """Everything that the rules of one policy show by themselves."""
    yield from _said_already(subject)
    yield from _windows_again(subject)
    yield from _floor(subject, floor)
    yield from _orders(subject)


def makes_superfluous(strict: Rule, loose: Rule) -> bool:
    """Whether of two rules over the same machines the second does nothing beside the first."""
    if bare(strict) == bare(loose):
        return True
    match strict, loose:
        case MaxUnavailable(), MaxUnavailable():
            alike = (strict.per, strict.cap) == (loose.per, loose.cap)
            return alike and _at_most(strict.limit, loose.limit) and _no_wider(strict, loose)
        case MinAvailable(), MinAvailable():
            alike = (strict.per, strict.cap, strict.singletons) == (loose.per, loose.cap, loose.singletons)
            if not alike or strict.floor is None or loose.floor is None:
                return False
            return _at_most(loose.floor, strict.floor) and _no_wider(strict, loose)
        case _:
            return False


def _no_wider(strict: MaxUnavailable | MinAvailable, loose: MaxUnavailable | MinAvailable) -> bool:
    """Whether the one gives machines that don't restart no more room than the other."""
    if strict.rebootless is None or loose.rebootless is None:
        return strict.rebootless is None
    return _at_most(strict.rebootless, loose.rebootless)


def bare(rule: Rule) -> Rule:
    """A rule without its place."""
    return replace(rule, origin=_NOWHERE)


def _at_most(one: Share, other: Share) -> bool:
    """Whether one share is at most the other whatever the group; a count and a percentage can't be compared."""
    if one.count is not None and other.count is not None:
        return one.count <= other.count
    return one.percent is not None and other.percent is not None and one.percent <= other.percent


@dataclass(frozen=True, slots=True)
class _Placed:
    path: Path
    rule: Rule


def _said_already(subject: Subject) -> Iterator[Problem]:
    placed = [_Placed(("rules", place), rule) for place, rule in enumerate(subject.policy.rules)]
    for place, one in enumerate(placed):
        beside = _beside(one, placed[:place], placed[place + 1 :])
        if beside is not None:
            what = f"`{words.rule(one.rule)}` does nothing beside `{words.rule(beside)}` in line {beside.origin.line}"
            yield subject.says(one.path, codes.SAID_ALREADY, what, "take the looser one out")


def _beside(one: _Placed, before: Iterable[_Placed], after: Iterable[_Placed]) -> Rule | None:
    """The rule that makes this one superfluous; of two that say the same, only the second is."""
    for other in before:
        if _same_machines(other.rule, one.rule) and makes_superfluous(other.rule, one.rule):
            return other.rule
    for other in after:
        if (
            _same_machines(other.rule, one.rule)
            and makes_superfluous(other.rule, one.rule)
            and not makes_superfluous(one.rule, other.rule)
        ):
            return other.rule
    return None


def _same_machines(one: Rule, other: Rule) -> bool:
    if isinstance(one, OrderRule) or isinstance(other, OrderRule):
        return type(one) is type(other) and bare(one) == bare(other)
    return one.of == other.of


def _windows_again(subject: Subject) -> Iterator[Problem]:
    seen: dict[Window, Origin] = {}
    for place, window in enumerate(subject.policy.windows):
        known = seen.setdefault(replace(window, origin=_NOWHERE), window.origin)
        if known is not window.origin:
            what = f"the window is written in line {known.line} already"
            yield subject.says(("windows", place), codes.SAID_ALREADY, what, "take one of the two out")


def _floor(subject: Subject, floor: Policy) -> Iterator[Problem]:
    policy = subject.policy
    if floor.name not in policy.replaces:
        for place, rule in enumerate(policy.rules):
            kept = next((built for built in floor.rules if _kept(built, rule)), None)
            if kept is not None:
                what = f"`{words.rule(rule)}` does nothing beside the built-in rule `{words.rule(kept)}`"
                instead = f"take it out, or write replaces: {floor.name} to loosen the built-in rules"
                yield subject.says(("rules", place), codes.FLOOR_REPEATED, what, instead)
        return
    at: Path = ("replaces",)
    if not policy.rules:
        what = "the built-in rules are taken away, and this policy puts none in their stead"
        yield subject.says(at, codes.FLOOR_GONE, what, "write the rules that shall hold instead", key=True)
    elif all(any(_kept(rule, built) for rule in policy.rules) for built in floor.rules):
        what = "the rules here are as strict as the built-in ones that they replace"
        yield subject.says(at, codes.FLOOR_KEPT, what, "take `replaces` out", key=True)


def _kept(strict: Rule, loose: Rule) -> bool:
    """Whether a rule over everybody keeps another one anyway."""
    if type(strict) is not type(loose) or isinstance(strict, OrderRule) or isinstance(loose, OrderRule):
        return False
    if strict.of not in (EVERYTHING, loose.of):
        return False
    return makes_superfluous(replace(strict, of=loose.of), loose)


def _orders(subject: Subject) -> Iterator[Problem]:
    for place, rule in enumerate(subject.policy.rules):
        if not isinstance(rule, OrderRule):
            continue
        for number, entry in enumerate(rule.sequence):
            earlier = next((one for one in rule.sequence[:number] if covers(one, entry)), None)
            if earlier is not None:
                what = f"no machine stands here: the earlier entry `{words.selector(earlier)}` has them all"
                at = ("rules", place, "order", number)
                yield subject.says(at, codes.ORDER_WITHOUT_END, what, "put it earlier, or take it out")
