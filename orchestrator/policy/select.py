"""Which machines a selector selects, and selectors from the command line.

All that a selector says must hold; of several values of one key, any. Nothing minds case: Azure doesn't for names of
resources, groups and tags, and a rule that misses `Env: Prod` because somebody wrote `prod` protects nobody. Values may be
globs with `*` and `?`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, replace
from fnmatch import translate
from types import MappingProxyType
from typing import Any, Final

from orchestrator.errors import UsageError
from orchestrator.inventory.ids import name_of, region_name
from orchestrator.inventory.model import Kind, Machine, Os
from orchestrator.policy.model import EVERYTHING, Selector
from orchestrator.policy.values import did_you_mean

Matcher = Callable[[Machine], bool]
_Text = Callable[[str], bool]


def matches(selector: Selector, machine: Machine) -> bool:
    """Whether the selector selects the machine. For many machines, `matcher` once."""
    return matcher(selector)(machine)


def matcher(selector: Selector) -> Matcher:
    """The selector as a test that costs about a microsecond a machine.

    The cheapest tests come first, since most machines fail one of them.
    """
    tests = list(_tests(selector))
    match tests:
        case []:
            return _everything
        case [only]:
            return only
        case _:
            return _all(tests)


def _all(tests: list[Matcher]) -> Matcher:
    def test_all(machine: Machine) -> bool:
        for test in tests:  # noqa: SIM110 - a generator for `all` costs as much as the tests themselves
            if not test(machine):
                return False
        return True

    return test_all


def intersection(one: Selector, other: Selector) -> Matcher:
    """Both hold: a rule's own selector within its policy's."""
    first, second = matcher(one), matcher(other)
    if first is _everything:
        return second
    if second is _everything:
        return first
    return lambda machine: first(machine) and second(machine)


def both(one: Selector, other: Selector) -> Selector:
    """The selector of the machines that each of the two selects. What doesn't meet is written side by side, as a person would."""
    if one in {other, EVERYTHING}:
        return other
    if other == EVERYTHING:
        return one
    names = {name for name, _ in one.tags} & {name for name, _ in other.tags}
    keys = [key.name for key in fields(Selector) if getattr(one, key.name) and getattr(other, key.name)]
    if not names and set(keys) <= {"tags", "without_tags", "none_of"}:
        added = {key.name: getattr(one, key.name) or getattr(other, key.name) for key in fields(Selector)}
        for key in ("tags", "without_tags", "none_of"):  # of these all must hold, wherever they were written
            added[key] = tuple(dict.fromkeys((*getattr(one, key), *getattr(other, key))))
        return replace(Selector(**added), tags=tuple(sorted(added["tags"])))
    if not one.any_of:
        return replace(one, any_of=(other,))
    if not other.any_of:
        return replace(other, any_of=(one,))
    return Selector(none_of=(Selector(none_of=(one,)), Selector(none_of=(other,))))


def _everything(_: Machine) -> bool:
    return True


def _tests(selector: Selector) -> Iterator[Matcher]:
    if selector.os:
        wanted = frozenset(selector.os)
        yield lambda machine: machine.os in wanted
    if selector.kinds:
        kinds = frozenset(selector.kinds)
        yield lambda machine: machine.kind in kinds
    if selector.zones:
        zone = _any_of(selector.zones)
        yield lambda machine: machine.zone is not None and zone(machine.zone)
    if selector.regions:
        region = _any_of(selector.regions)
        yield lambda machine: region(machine.location)
    if selector.subscriptions:
        subscription = _any_of(selector.subscriptions)
        yield lambda machine: subscription(machine.subscription)
    if selector.resource_groups:
        group = _any_of(selector.resource_groups)
        yield lambda machine: group(machine.resource_group)
    for name, values in selector.tags:
        yield _tag(name, values)
    if selector.without_tags:
        yield _without_tags(selector.without_tags)
    if selector.names:
        named = _any_of(selector.names)
        yield lambda machine: named(machine.name)
    if selector.availability_sets:
        in_set = _resource(selector.availability_sets)
        yield lambda machine: machine.availability_set is not None and in_set(machine.availability_set)
    if selector.scale_sets:
        in_scale_set = _resource(selector.scale_sets)
        yield lambda machine: machine.scale_set is not None and in_scale_set(machine.scale_set)
    if selector.any_of:
        options = [matcher(option) for option in selector.any_of]
        yield lambda machine: any(option(machine) for option in options)
    if selector.none_of:
        excluded = [matcher(exclusion) for exclusion in selector.none_of]
        yield lambda machine: not any(exclusion(machine) for exclusion in excluded)


def _tag(name: str, values: tuple[str, ...]) -> Matcher:
    """Looks the name up as it is written, then without regard to case."""
    lowered, accepted = name.lower(), _any_of(values)

    def test(machine: Machine) -> bool:
        tags = machine.tags
        value = tags.get(lowered)
        if value is not None:
            return accepted(value)
        for tag, held in tags.items():
            if tag.lower() == lowered:
                return accepted(held)
        return False

    return test


def _without_tags(names: tuple[str, ...]) -> Matcher:
    lacking = frozenset(name.lower() for name in names)
    return lambda machine: not any(tag.lower() in lacking for tag in machine.tags)


def _resource(values: tuple[str, ...]) -> _Text:
    """An id or a name, of the value as of the pattern."""
    accepted = _any_of(values)
    return lambda arm_id: accepted(name_of(arm_id)) or accepted(arm_id)


def _any_of(values: tuple[str, ...]) -> _Text:
    """A test of text against words and globs, without regard to case."""
    lowered = [value.lower() for value in values]
    if "*" in lowered:
        return lambda _: True
    words = frozenset(value for value in lowered if not is_glob(value))
    globs = [_glob(value) for value in lowered if is_glob(value)]
    if not globs:
        return lambda text: text.lower() in words
    pattern = re.compile("|".join(globs))
    return lambda text: (low := text.lower()) in words or pattern.match(low) is not None


def is_glob(value: str) -> bool:
    """Whether it stands for more than itself."""
    return "*" in value or "?" in value


def _glob(value: str) -> str:
    """A glob as a regular expression that doesn't backtrack; brackets stand for themselves."""
    return translate(value.replace("[", "[[]"))


# Selectors of the command line ------------------------------------------------------------------------------

_KEYS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "name": "names",
        "region": "regions",
        "zone": "zones",
        "subscription": "subscriptions",
        "resource_group": "resource_groups",
        "os": "os",
        "kind": "kinds",
        "availability_set": "availability_sets",
        "scale_set": "scale_sets",
    }
)
"""What stands before `=` on the command line, and the selector's field."""

_WITHOUT: Final = "without_tag:"
"""What stands before the name of a tag that isn't there."""

_WORDS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {"os": tuple(Os), "kind": tuple(Kind)},
)
"""Keys whose values are of a closed list."""


def parse_selector_expression(expression: str) -> Selector:
    """`tag:app=shop,region=westeurope,name=web-*` as a selector.

    Parts are joined by commas and must all hold; a key that is written several times needs any of its values. `tag:app`
    alone means that the tag is there, `without_tag:app` that it isn't.

    Raises:
        UsageError: with every part that is wrong, and what to write instead.
    """
    tags: dict[str, list[str]] = {}
    fields: dict[str, list[str]] = {}
    without: list[str] = []
    wrong: list[str] = []
    for part in (part.strip() for part in expression.split(",")):
        key, equals, value = (piece.strip() for piece in part.partition("="))
        fault = _fault(part, key, equals, value)
        if fault:
            wrong.append(fault)
        elif key.startswith(_WITHOUT):
            without.append(key.removeprefix(_WITHOUT).strip().lower())
        elif key.startswith("tag:"):
            tags.setdefault(key.removeprefix("tag:").strip().lower(), []).append(
                value.lower() if equals else "*"
            )
        else:
            spelled = region_name(value) if key == "region" else value.lower()
            fields.setdefault(_KEYS[key], []).append(spelled)
    if wrong:
        raise UsageError(f"--select {expression}: {'; '.join(wrong)}")
    found: dict[str, Any] = {field: tuple(sorted(set(values))) for field, values in fields.items()}
    by_tag = tuple(sorted((name, tuple(sorted(set(values)))) for name, values in tags.items()))
    return Selector(tags=by_tag, without_tags=tuple(sorted(set(without))), **found)


def _fault(part: str, key: str, equals: str, value: str) -> str:
    """What is wrong with one part, with what to write instead; empty if nothing is."""
    if not part:
        return "an empty part; write key=value, joined by commas"
    if key.startswith(_WITHOUT):
        if equals or not key.removeprefix(_WITHOUT).strip():
            return f"`{part}` isn't the name of a tag; write {_WITHOUT}NAME for machines that don't have it"
        return ""
    if key.startswith("tag:"):
        if not key.removeprefix("tag:").strip():
            return f"`{part}` names no tag; write tag:NAME=VALUE, or tag:NAME for machines that have it"
        return (
            f"`{part}` has no value; write {key} alone for machines that have it"
            if equals and not value
            else ""
        )
    if key not in _KEYS:
        near = did_you_mean(key, _KEYS) or ("tag:" + key if equals and not key.endswith("s") else None)
        known = ", ".join(_KEYS)
        return f"`{key}` isn't known; " + (
            f"did you mean `{near}`?" if near else f"write one of {known} or tag:NAME"
        )
    if not value:
        return f"`{part}` has no value; write {key}=VALUE"
    words = _WORDS.get(key)
    if words and value.lower() not in words:
        return f"`{value}` is no {key}; write one of {', '.join(words)}"
    return ""
