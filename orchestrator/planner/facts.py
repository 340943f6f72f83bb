"""What a plan was made of, in digests: the facts of each machine that rules read, and the content of the policies.

Before a rollout, and while it runs, a machine is digested again. If the digest differs, its waves may be wrong for it, and it is
planned anew.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from datetime import date, time, timedelta
from enum import Enum
from hashlib import sha256
from types import MappingProxyType
from typing import Any, Final

import orjson

from orchestrator.inventory.model import Machine
from orchestrator.planner.model import Plan
from orchestrator.policy.change import PinnedBy
from orchestrator.policy.model import (
    Each,
    MaxUnavailable,
    MinAvailable,
    OneAtATime,
    OrderRule,
    Origin,
    Policy,
    Rule,
    Selector,
)
from orchestrator.topology.model import GroupKind

POOLS_READ: Final = "/load_balancer"
"""Stands among the tags that rules read if one reads back-end pools; no tag of Azure has a slash in its name."""

CLUSTERS_READ: Final = "/cluster"
"""The same if one reads clusters."""

_UNKNOWN: Final = " without "
"""Stands between a digest and the facts that nobody knew when it was made."""

_MAY_BE_UNKNOWN: Final = ("update_domain", "fault_domain")
"""Facts that plain files don't hold. The plan took the careful case for them, so that learning them makes it no worse."""


def facts_digest(machine: Machine, read_tags: Collection[str], unknown: Collection[str] = ()) -> str:
    """A digest of where a machine stands and of the tags that rules read (in lower case), and what of that is unknown.

    What is in `unknown` is taken as unknown whatever the machine says of it, to compare it with a plan that knew no better.
    """
    tags = {name.lower(): value for name, value in machine.tags.items() if name.lower() in read_tags}
    standing: dict[str, Any] = {
        "subscription": machine.subscription.lower(),
        "resource_group": machine.resource_group.lower(),
        "location": machine.location,
        "zone": machine.zone,
        "availability_set": machine.availability_set,
        "scale_set": machine.scale_set,
        "name": machine.name.lower(),
        "os": machine.os,
        "tags": tags,
    }
    if CLUSTERS_READ in read_tags:
        standing["cluster"] = machine.cluster
    missing = []
    for fact in (*_MAY_BE_UNKNOWN, "backend_pools") if POOLS_READ in read_tags else _MAY_BE_UNKNOWN:
        value = getattr(machine, fact)
        if value is None or fact in unknown:
            missing.append(fact)
        else:
            standing[fact] = value
    digest = sha256(orjson.dumps(standing, option=orjson.OPT_SORT_KEYS)).hexdigest()[:16]
    return digest + (_UNKNOWN + ", ".join(missing) if missing else "")


def facts_of(plan: Plan) -> Callable[[Machine], str]:
    """What digests a machine as this plan did: equal to the planned machine's `facts` unless what rules read has changed."""
    planned = {machine.id: machine.facts for machine in plan.machines}
    read_tags = frozenset(plan.read_tags)

    def digest(machine: Machine) -> str:
        return facts_digest(machine, read_tags, unknown_facts(planned.get(machine.id, "")))

    return digest


def unknown_facts(facts: str) -> tuple[str, ...]:
    """What nobody knew of a machine when a plan digested its `facts`, such as `update_domain`."""
    _, _, unknown = facts.partition(_UNKNOWN)
    return tuple(unknown.split(", ")) if unknown else ()


def read_tags(policies: Iterable[Policy], select: Selector) -> tuple[str, ...]:
    """The tags that decide which rules hold for a machine and whether it is changed, in lower case; sorted. See `POOLS_READ`, `CLUSTERS_READ`."""
    of_policies = (tag for policy in policies for tag in _tags_of_policy(policy))
    return tuple(sorted({tag.lower() for tag in (*of_policies, *_tags_of(select))}))


def _tags_of_policy(policy: Policy) -> Iterator[str]:
    yield from _tags_of(policy.select)
    for rule in policy.rules:
        yield from _tags_of_rule(rule)
    for asked in policy.group_probes:
        yield from _tags_of_kinds(asked.per)
        yield from _tags_of(asked.probe.of)
    if policy.campaign is not None:
        for stage in policy.campaign.stages:
            yield from _tags_of(stage.select)


def _tags_of_rule(rule: Rule) -> Iterator[str]:
    kinds: tuple[str, ...]
    selectors: tuple[Selector, ...]
    match rule:
        case MaxUnavailable() | MinAvailable():
            kinds, selectors = rule.per, (rule.of,)
        case OneAtATime():
            kinds, selectors = (rule.domain, rule.within), (rule.of,)
        case OrderRule():
            kinds, selectors = rule.per, rule.sequence
    yield from _tags_of_kinds(kinds)
    for selector in selectors:
        yield from _tags_of(selector)


def _tags_of_kinds(kinds: Iterable[str]) -> Iterator[str]:
    for kind in kinds:
        if kind.startswith("tag:"):
            yield kind.removeprefix("tag:")
        elif kind == GroupKind.LOAD_BALANCER:
            yield POOLS_READ
        elif kind == GroupKind.CLUSTER:
            yield CLUSTERS_READ


def _tags_of(selector: Selector) -> Iterator[str]:
    yield from (name for name, _ in selector.tags)
    yield from selector.without_tags
    for inner in (*selector.any_of, *selector.none_of):
        yield from _tags_of(inner)


_YOUNGER: Final[Mapping[str, Any]] = MappingProxyType(
    {
        "windows": (),
        "freezes": (),
        "schedule": None,
        "notify": (),
        "without_tags": (),
        "sooner": (),
        "group_probes": (),
        "repair": False,
        "growing": None,
        "each": Each.MACHINE,
        "rebootless": None,
        "include_names": (),
        "exclude_names": (),
        "include_packages": (),
        "exclude_packages": (),
        "hotpatch_only": False,
        "pinned_by": PinnedBy.PUBLICATION,
        "only_kbs": None,
        "only_packages": None,
        "only_pending": False,
        "command": None,
    }
)
"""Keys that the language didn't always have, as they are where nothing is written: a policy that doesn't use them says what it
said before."""


def policies_fingerprint(policies: Iterable[Policy]) -> str:
    """A digest of what policies say: files, lines and comments make no difference, nor does the order of files."""
    said = [_said(policy) for policy in sorted(policies, key=lambda policy: policy.name)]
    return sha256(orjson.dumps(said, option=orjson.OPT_SORT_KEYS)).hexdigest()


def _said(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        held = {field.name: getattr(value, field.name) for field in fields(value)}
        return {
            "is": type(value).__name__,
            **{
                name: _said(inner)
                for name, inner in held.items()
                if name not in {"file", "origins"}
                and not isinstance(inner, Origin)
                and (name not in _YOUNGER or inner != _YOUNGER[name])
            },
        }
    match value:
        case tuple():
            return [_said(inner) for inner in value]
        case Enum():
            return value.value
        case timedelta():
            return value.total_seconds()
        case date() | time():  # a datetime is a date
            return value.isoformat()
        case _:
            return value
