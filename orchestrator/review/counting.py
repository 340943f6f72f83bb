"""Rules held against the groups of a fleet: what a figure comes to where a group is small."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from orchestrator.errors import Problem
from orchestrator.planner.budgets import Size, limit_of
from orchestrator.policy import codes, words
from orchestrator.policy.document import Path
from orchestrator.policy.index import Mask
from orchestrator.policy.model import (
    MaxUnavailable,
    MinAvailable,
    OneAtATime,
    OrderRule,
    Rule,
    Selector,
    Share,
    Singletons,
)
from orchestrator.review.fleet import Fleet, Sized
from orchestrator.review.rules import makes_superfluous
from orchestrator.review.subject import Subject
from orchestrator.topology.model import GroupKind

QUORUM_SIZES: Final = range(3, 8)
"""Clusters that vote have three to seven members: fewer can't lose one, and more only slow each other down."""

_VOTES: Final = re.compile(
    r"(?<![a-z])(etcd|consul|zookeeper|zk|kafka|mongo(db)?|cassandra|elastic(search)?|rabbit(mq)?|redis|vault|nomad|patroni|galera|ceph|"
    r"sql(ag|ha)?|db|database|ag|dc|domain-?controllers?|cluster|quorum|witness|couchbase|postgres|pg|oracle|hana)(?![a-z])",
    re.IGNORECASE,
)
"""Words by which people name machines that vote, or that replicate among each other."""


@dataclass(frozen=True, slots=True)
class Held:
    """A rule with its machines on this fleet."""

    subject: Subject
    path: Path
    rule: Rule
    machines: Mask


def of_counting(held: Held, fleet: Fleet, quorums: Mask) -> Iterator[Problem]:
    """What a rule comes to on this fleet. `quorums` are machines under some `min_available`."""
    if not held.machines:
        return
    rule = held.rule
    kinds = [rule.domain, rule.within] if isinstance(rule, OneAtATime) else list(rule.per)
    nowhere = False
    for kind in kinds:
        outside, whole = fleet.without_group(kind, held.machines), held.machines.bit_count()
        unread = (held.machines & fleet.unpooled).bit_count() if kind == GroupKind.LOAD_BALANCER else 0
        if unread:
            nowhere = True
            what = f"in which back-end pools {unread:,} of the {whole:,} machines of `{words.rule(rule)}` are isn't known: one goes at a time"
            instead = "take the inventory from Azure itself, or add the rows of `az network nic list`"
            yield _says(held, codes.NO_SUCH_GROUP, what, instead)
        elif outside == whole:
            nowhere = True
            what = f"none of the {whole:,} machines of `{words.rule(rule)}` has a {words.group_kind(kind)}"
            yield _says(held, codes.NO_SUCH_GROUP, what, "write a kind of group that they have")
        elif outside and kind.startswith("tag:"):
            what = f"`{words.rule(rule)}` doesn't hold for {outside:,} of {whole:,} machines: they have no {words.group_kind(kind)}"
            yield _says(held, codes.OUTSIDE_THE_RULE, what, "tag them, or divide by something else")
    if isinstance(rule, MaxUnavailable | MinAvailable) and not nowhere:
        sized = sorted(fleet.sizes(held.machines, rule.per), key=lambda one: (one.size.whole, one.name))
        yield from _budget(held, rule, sized)
        if isinstance(rule, MaxUnavailable):
            yield from _quorum(held, rule, sized, fleet, quorums)


def superfluous(rules: Iterable[Held]) -> Iterator[Problem]:
    """Rules beside which a stricter one of another policy holds for the same machines."""
    alike: dict[tuple[type[Rule], Mask], list[Held]] = {}
    for held in rules:
        if held.machines and not isinstance(held.rule, OrderRule):
            alike.setdefault((type(held.rule), held.machines), []).append(held)
    for group in alike.values():
        for one in group:
            other = next((other for other in group if _stricter(other, one)), None)
            if other is not None:
                what = f"`{words.rule(one.rule)}` does nothing beside `{words.rule(other.rule)}` ({other.rule.origin})"
                instead = "take it out, or agree with the owner of the other policy"
                yield _says(one, codes.LOOSER_ELSEWHERE, what, instead)


def _stricter(other: Held, one: Held) -> bool:
    """Whether another policy's rule makes this one superfluous; of two that say the same, only the second is."""
    if other.subject is one.subject or isinstance(one.rule, OrderRule) or isinstance(other.rule, OrderRule):
        return False
    alike = _over_everybody(other.rule)
    if not makes_superfluous(alike, _over_everybody(one.rule)):
        return False
    both = makes_superfluous(_over_everybody(one.rule), alike)
    return not both or other.rule.origin < one.rule.origin


def _over_everybody(rule: Rule) -> Rule:
    """The rule as it is on machines that are known to be the same."""
    return rule if isinstance(rule, OrderRule) else replace(rule, of=Selector())


def _budget(held: Held, rule: MaxUnavailable | MinAvailable, sized: Sequence[Sized]) -> Iterator[Problem]:
    total = sum(one.groups for one in sized)
    none = [one for one in sized if one.size.running and _admits(rule, one.size) < 1]
    if none:
        one = none[0]
        because = limit_of(rule, one.size).because
        what = f"`{words.rule(rule)}` admits nobody in {_some(none, total)}: in {one.name}, {because}"
        if isinstance(rule, MinAvailable) and one.size.whole == 1:
            instead = "write singletons: allow if it may go down, or add machines"
        else:
            instead = "loosen the rule, or add machines"
        yield _says(held, codes.ADMITS_NOBODY, what, instead)
    elif not rule.cap and all(_admits(rule, one.size) >= one.size.running for one in sized):
        most = max(one.size.running for one in sized)
        what = f"`{words.rule(rule)}` lets every machine of each of its groups be out at once: the largest has {most}"
        yield _says(held, codes.HOLDS_NOBODY_BACK, what, "write a smaller figure, or a percentage")
        return
    share = _share(rule)
    small = [one for one in sized if share is not None and _rounded_up(share, one.size)]
    if small and share is not None:
        one = small[0]
        size = one.size.running + one.size.unread
        what = f"{share} of {size} is rounded up to 1 machine, {100 / size:.0f}%, in {_some(small, total)}, such as {one.name}"
        yield _says(held, codes.ROUNDED_UP, what, "write a count, or min_available, if that is too much")


def _admits(rule: MaxUnavailable | MinAvailable, size: Size) -> int:
    """How many running members may be out; all of them where a group of one is allowed to go."""
    alone = isinstance(rule, MinAvailable) and size.whole == 1 and rule.singletons is not Singletons.LEAVE_OUT
    return size.running if alone else limit_of(rule, size).out


def _share(rule: MaxUnavailable | MinAvailable) -> Share | None:
    """The percentage that may be out; None where the rule says a count."""
    if isinstance(rule, MaxUnavailable):
        return rule.limit if rule.limit.percent is not None else None
    if rule.floor is None or rule.floor.percent is None:
        return None
    return Share(percent=100 - rule.floor.percent)


def _rounded_up(share: Share, size: Size) -> bool:
    assert share.percent is not None
    members = size.running + size.unread
    return 1 < members < 100 / share.percent - 1e-9


def _quorum(
    held: Held, rule: MaxUnavailable, sized: Sequence[Sized], fleet: Fleet, quorums: Mask
) -> Iterator[Problem]:
    groups = [one for one in sized if one.size.whole in QUORUM_SIZES]
    unkept = held.machines & ~quorums
    if not groups or not unkept:
        return
    names = sorted({machine.name for machine in fleet.index.members(unkept)})
    tags = (*held.subject.policy.select.tags, *rule.of.tags)
    votes = [value for _, values in tags for value in values if _VOTES.search(value)]
    voting = [name for name in names if _VOTES.search(name)]
    if votes or len(voting) > len(names) // 2:
        like = votes[0] if votes else voting[0]
        what = f"`{like}` of {groups[0].size.whole} looks like a quorum, and machines that are off don't count for max_unavailable"
        yield _says(held, codes.QUORUM, what, "write min_available: majority besides or instead")


def _some(sized: Sequence[Sized], total: int) -> str:
    count = sum(one.groups for one in sized)
    return f"{count:,} of {total:,} groups" if total > 1 else "its group"


def _says(held: Held, code: str, what: str, instead: str) -> Problem:
    return held.subject.says(held.path, code, what, instead)
