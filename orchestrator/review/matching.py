"""Selectors, probes and names held against a fleet: what matches nobody, or more than was meant."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from orchestrator.errors import Problem
from orchestrator.policy import codes, words
from orchestrator.policy.document import Path
from orchestrator.policy.index import Mask
from orchestrator.policy.model import EVERYTHING, Probe, ProbeKind, Selector
from orchestrator.policy.select import is_glob
from orchestrator.review.fleet import Fleet
from orchestrator.review.selectors import apart
from orchestrator.review.subject import Subject

_PLACEHOLDER: Final = re.compile(r"\{([^{}]+)\}")
_NAMED: Final = ("names", "availability_sets", "scale_sets")
"""Fields whose values are unique within a resource group only."""


def of_matching(subject: Subject, fleet: Fleet, selected: Mask) -> Iterator[Problem]:
    """Everything that the selectors of a policy that selects somebody show on this fleet."""
    own = subject.policy.select
    yield from _names(subject, fleet, ("select",), own)
    yield from _zones(subject, fleet, ("select",), own, selected)
    for path, whose, selector in subject.narrower():
        if selector == EVERYTHING:
            continue
        held = selected & fleet.index.mask(selector)
        if not held and apart(own, selector) is None:
            what = (
                f"{whose} is about nobody: no machine that the policy selects is {words.selector(selector)}"
            )
            yield subject.says(
                path, codes.MATCHES_NOBODY, what, "mend the selector, or take the entry out", key=True
            )
        yield from _names(subject, fleet, path, selector)
        yield from _zones(subject, fleet, path, selector, held)
    for place, probe in enumerate(subject.policy.probes):
        at: Path = ("health", "probes", place)
        yield from _probe(subject, fleet, at, probe, selected & fleet.index.mask(probe.of))
    yield from _time_zones(subject, fleet, selected)


def selects_nobody(subject: Subject) -> Problem:
    """A policy that selects no machine of the fleet."""
    select = subject.policy.select
    what = f"the policy {subject.policy.name} selects no machine: none is {words.selector(select)}"
    instead = "mend `select`, or take the policy out"
    return subject.says(("select",), codes.SELECTS_NOBODY, what, instead, key=True)


def _names(subject: Subject, fleet: Fleet, path: Path, selector: Selector) -> Iterator[Problem]:
    """A name without globs of which there are several. Whoever says the resource group or subscription besides, knows."""
    if selector.resource_groups:
        return
    for field in _NAMED:
        for value in getattr(selector, field):
            if is_glob(value) or "/" in value:
                continue
            narrowed = Selector(**{field: (value,)}, subscriptions=selector.subscriptions)
            machines = fleet.index.members(fleet.index.mask(narrowed))
            if field == "names":
                groups = sorted({f"{one.subscription}/{one.resource_group}".lower() for one in machines})
            else:
                groups = sorted({getattr(one, field.removesuffix("s")) or "" for one in machines})
            if len(groups) > 1:
                many = "machines" if field == "names" else "sets"
                what = (
                    f"`{value}` is the name of {len(groups)} {many}, such as in {groups[0]} and {groups[1]}"
                )
                instead = "write `resource_groups` besides" + ("" if field == "names" else ", or the id")
                yield subject.says((*path, field), codes.NAME_OF_SEVERAL, what, instead)


def _zones(subject: Subject, fleet: Fleet, path: Path, selector: Selector, held: Mask) -> Iterator[Problem]:
    if not selector.zones or "*" in selector.zones or len(selector.subscriptions) == 1:
        return
    subscriptions = {machine.subscription.lower() for machine in fleet.index.members(held)}
    if len(subscriptions) > 1:
        what = f"the machines are of {len(subscriptions)} subscriptions, and each numbers zones for itself"
        instead = "write one policy a subscription, or leave it to one_at_a_time: zone"
        yield subject.says((*path, "zones"), codes.LOGICAL_ZONES, what, instead, key=True)


def _probe(subject: Subject, fleet: Fleet, at: Path, probe: Probe, held: Mask) -> Iterator[Problem]:
    if not held:
        return
    if probe.kind is ProbeKind.APP_HEALTH and fleet.with_app_health and not held & fleet.with_app_health:
        what = (
            f"none of the {held.bit_count():,} machines has the Application Health extension: nobody is asked"
        )
        yield subject.says(at, codes.NO_EXTENSION, what, "install it, or write an http or tcp probe")
    key = "url" if probe.kind is ProbeKind.HTTP else "host"
    for name in dict.fromkeys(_PLACEHOLDER.findall(probe.url or probe.host)):
        known = _with(fleet, name)
        lack = (held & ~known).bit_count() if known else 0
        if not known and name.startswith("tag:"):
            lack = held.bit_count()
        if lack:
            whole = held.bit_count()
            who = (
                f"none of the {whole:,} machines has"
                if lack == whole
                else f"{lack:,} of {whole:,} machines lack"
            )
            what = f"{who} a value for {{{name}}}, so the probe can't be asked of them"
            instead = "narrow the probe by `of`, or write another placeholder"
            yield subject.says((*at, probe.kind.value, key), codes.NOTHING_TO_ASK, what, instead)


def _with(fleet: Fleet, placeholder: str) -> Mask:
    """The machines that have a value. None at all means, but for tags, that the inventory doesn't tell."""
    if placeholder.startswith("tag:"):
        name = placeholder.removeprefix("tag:").strip().lower()
        return fleet.index.mask(Selector(tags=((name, ("*",)),)))
    match placeholder:
        case "private_ip":
            return fleet.with_private_ip
        case "computer_name":
            return fleet.with_computer_name
        case _:
            return fleet.index.everybody


def _time_zones(subject: Subject, fleet: Fleet, selected: Mask) -> Iterator[Problem]:
    for place, window in enumerate(subject.policy.windows):
        if window.zone.machine and fleet.with_time_zone and not selected & fleet.with_time_zone:
            what = f"none of the {selected.bit_count():,} machines tells its time zone: {window.zone.name} holds for all"
            instead = f"write time_zone: {window.zone.name}"
            yield subject.says(("windows", place, "time_zone"), codes.NO_TIME_ZONE, what, instead, key=True)
