"""Selectors that have no machine in common, whatever the fleet."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from orchestrator.errors import Problem
from orchestrator.policy import codes, words
from orchestrator.policy.model import EVERYTHING, Selector
from orchestrator.policy.select import is_glob
from orchestrator.review.subject import Subject

_ALWAYS: Final = frozenset({"names", "subscriptions", "os", "kinds"})
"""Fields that every machine has a value of."""

_COMPARED: Final = (
    "names", "regions", "zones", "subscriptions", "resource_groups", "os", "kinds", "availability_sets", "scale_sets",
)  # fmt: skip

_ONE_VALUE: Final = ("names", "regions", "zones", "subscriptions", "resource_groups", "os", "kinds")
"""Fields of which a machine has one value at most. Sets have names and ids, and are left aside."""


def of_selectors(subject: Subject) -> Iterator[Problem]:
    """Selectors inside a policy that contradict its own `select`."""
    own = subject.policy.select
    for path, whose, selector in subject.narrower():
        clash = apart(own, selector)
        if clash:
            what = f"{whose} is about no machine, ever: `select` says {clash[0]}, and this {clash[1]}"
            yield subject.says(path, codes.CONTRADICTS_SELECT, what, "mend one of the two")


def apart(one: Selector, other: Selector) -> tuple[str, str] | None:
    """What the two say that no machine can be both; None if nothing written shows it."""
    for field in _ONE_VALUE:
        mine, others = getattr(one, field), getattr(other, field)
        if _disjoint(mine, others):
            return words.selector(Selector(**{field: mine})), words.selector(Selector(**{field: others}))
    tags = dict(other.tags)
    for name, values in one.tags:
        if name in tags and _disjoint(values, tags[name]):
            mine, others = (words.selector(Selector(tags=((name, held),))) for held in (values, tags[name]))
            return mine, others
        if name in other.without_tags:
            return words.selector(Selector(tags=((name, values),))), f"not `{name}`"
    for name in one.without_tags:
        if name in tags:
            return f"not `{name}`", words.selector(Selector(tags=((name, tags[name]),)))
    excluded = next((no for no in one.none_of if no == other != EVERYTHING), None)
    return (f"not ({words.selector(other)})", words.selector(other)) if excluded else None


def covers(wide: Selector, narrow: Selector) -> bool:
    """Whether what is written shows that the first selects every machine that the second does."""
    tags = dict(narrow.tags)
    return (
        all(
            _within(getattr(narrow, field), getattr(wide, field), always=field in _ALWAYS)
            for field in _COMPARED
        )
        and all(name in tags and _within(tags[name], values) for name, values in wide.tags)
        and set(wide.without_tags) <= set(narrow.without_tags)
        and wide.any_of in ((), narrow.any_of)
        and set(wide.none_of) <= set(narrow.none_of)
    )


def _within(narrow: Sequence[str], wide: Sequence[str], *, always: bool = False) -> bool:
    """Whether a value that the second doesn't accept isn't accepted by the first. `always`: every machine has such a value."""
    if not wide or ("*" in wide and always):
        return True
    return bool(narrow) and ("*" in wide or set(narrow) <= set(wide))


def _disjoint(some: Sequence[str], others: Sequence[str]) -> bool:
    """Whether no value is of both; what holds globs may be anything."""
    if not some or not others or any(map(is_glob, (*some, *others))):
        return False
    return not set(some) & set(others)
