"""What this identity may do, and what it lacks for what; with the least role that would do.

The names of actions are Azure's. What a role gives on a subscription reaches all its resource groups; where a subscription
lacks something, the groups that hold machines are asked one by one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any, Final

from orchestrator.cloud.asked import Permission
from orchestrator.cloud.port import CloudProvider
from orchestrator.cloud.rights import Rights
from orchestrator.errors import CloudError
from orchestrator.inventory.model import Inventory

GROUPS_ASKED: Final = 50
"""Resource groups of a subscription that are asked one by one; more are told as not asked."""

SKEW: Final = timedelta(seconds=5)
"""How far this machine's clock may be from the cloud's: what a rollout takes for a step of the clock, and stops at."""


@dataclass(frozen=True, slots=True)
class Use:
    """Something that this program is used for: what it takes, and what it can do without, with what is lost then."""

    name: str
    needs: tuple[str, ...]
    wants: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


USES: Final = (
    Use(
        "plan",
        (Permission.READ_MACHINES,),
        {
            Permission.READ_VIEW: "update domains that a list leaves out stay unknown: one machine of such a set at a time",
            Permission.READ_AVAILABILITY_SETS: "no availability set is known: their rules can't hold",
            Permission.READ_SCALE_SETS: "no scale set is known: their rules can't hold",
            Permission.READ_LOCATIONS: "zones of several subscriptions aren't told apart by where they are",
            Permission.READ_INTERFACES: "no load balancer is known, and no private address for probes",
            Permission.READ_CONFIGURATIONS: "schedules of hosts aren't told from those of guests",
            Permission.READ_ASSIGNMENTS: "schedules that patch machines as well aren't seen",
        },
    ),
    Use(
        "patch",
        (Permission.READ_MACHINES, Permission.READ_VIEW, Permission.INSTALL),
        {
            Permission.ASSESS: "nothing is assessed before or after: what is predicted rests on old assessments",
            Permission.READ_OPERATIONS: "runs are followed by instance views, which costs more requests",
        },
    ),
    Use("restart", (Permission.READ_MACHINES, Permission.READ_VIEW, Permission.RESTART)),
    Use(
        "run commands",
        (Permission.READ_VIEW, Permission.READ_COMMANDS, Permission.WRITE_COMMANDS),
        {Permission.DELETE_COMMANDS: "run commands stay on their machines, which take so many and no more"},
    ),
    Use("enrol", (Permission.READ_MACHINES, Permission.WRITE_MACHINES)),
    Use("audit", (Permission.READ_MACHINES, Permission.READ_RUNS)),
    Use(
        "patch Arc machines",
        (
            Permission.READ_ARC_MACHINES,
            Permission.INSTALL_ON_ARC,
            Permission.READ_ARC_OPERATIONS,
            Permission.READ_ARC_RUNS,
            Permission.READ_ARC_PATCHES,
        ),
        {
            Permission.ASSESS_ARC: "nothing is assessed before or after",
            Permission.READ_ARC_ASSESSMENTS: "what an assessment found isn't told by update",
        },
    ),
    Use(
        "run commands on Arc",
        (Permission.READ_ARC_COMMANDS, Permission.WRITE_ARC_COMMANDS),
        {Permission.DELETE_ARC_COMMANDS: "run commands stay on their machines"},
    ),
)
"""What there is, in the order in which people come to it."""

PURPOSES: Final = tuple(use.name for use in USES)

_OF_SUBSCRIPTIONS: Final = frozenset({Permission.READ_LOCATIONS, Permission.READ_OPERATIONS})
"""Actions that are asked of a subscription as a whole: a role on a resource group doesn't give them."""


@dataclass(frozen=True, slots=True)
class Missing:
    """An action that isn't given: for sure needed, or one whose lack costs something. `groups`: only there; none: everywhere."""

    action: str
    needed: bool
    then: str
    groups: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Ability:
    """What this identity can do for one use."""

    use: str
    missing: tuple[Missing, ...]

    @property
    def able(self) -> bool:
        """Whether nothing that it takes is missing anywhere."""
        return not any(one.needed for one in self.missing)

    @property
    def somewhere(self) -> bool:
        """Whether it can be done in some resource groups at least."""
        return all(one.groups for one in self.missing if one.needed)


@dataclass(frozen=True, slots=True)
class Examined:
    """One subscription. `why` says what kept it from being examined; then there are no abilities."""

    subscription: str
    abilities: tuple[Ability, ...] = ()
    why: str = ""
    groups: tuple[str, ...] = ()  # that were asked one by one
    unasked: int = 0  # groups beyond those
    partial: bool = False  # whether it sees some resource groups alone: machines elsewhere are in no count
    told_at: datetime | None = None  # by the cloud's clock

    def able(self, uses: Iterable[str]) -> bool:
        """Whether all these uses are possible throughout."""
        wanted = set(uses)
        return not self.why and all(one.able for one in self.abilities if one.use in wanted)


async def examine(
    provider: CloudProvider, subscriptions: Sequence[str], groups: Mapping[str, Sequence[str]]
) -> tuple[Examined, ...]:
    """Every subscription; `groups` are those of its resource groups that hold machines, as far as they are known."""
    wanted = sorted({name.strip().lower() for name in subscriptions})
    return tuple(await asyncio.gather(*(_examined(provider, name, groups.get(name, ())) for name in wanted)))


def groups_of(inventory: Inventory) -> dict[str, list[str]]:
    """The resource groups that hold machines, by subscription, in lower case."""
    held: dict[str, set[str]] = {}
    for machine in inventory.machines:
        held.setdefault(machine.subscription.lower(), set()).add(machine.resource_group.lower())
    return {name: sorted(found) for name, found in held.items()}


async def _examined(provider: CloudProvider, subscription: str, groups: Sequence[str]) -> Examined:
    whole, why = await _rights(provider, subscription)
    if whole is not None and all(not one.missing for one in abilities(whole, {})):
        return Examined(subscription, abilities(whole, {}), told_at=whole.told_at)
    asked = {group: await _rights(provider, subscription, group) for group in groups[:GROUPS_ASKED]}
    held = {group: rights for group, (rights, _) in asked.items() if rights is not None}
    if whole is None and not held:
        return Examined(subscription, why=why)
    nothing = Rights(())
    return Examined(
        subscription,
        abilities(whole or nothing, {group: held.get(group, nothing) for group in asked}),
        groups=tuple(asked),
        unasked=max(0, len(groups) - GROUPS_ASKED),
        partial=whole is None or not whole.allow(Permission.READ_MACHINES),
        told_at=next((one.told_at for one in (whole, *held.values()) if one is not None), None),
    )


async def _rights(provider: CloudProvider, subscription: str, group: str = "") -> tuple[Rights | None, str]:
    """What is allowed there, or why that can't be told."""
    try:
        return await provider.rights(subscription, group), ""
    except CloudError as error:
        return None, str(error)


def abilities(whole: Rights, groups: Mapping[str, Rights]) -> tuple[Ability, ...]:
    """What can be done with these rights on a subscription, and further ones on groups of it."""
    return tuple(Ability(use.name, tuple(_missing(use, whole, groups))) for use in USES)


def _missing(use: Use, whole: Rights, groups: Mapping[str, Rights]) -> Iterable[Missing]:
    for action, then in (*((need, "") for need in use.needs), *use.wants.items()):
        if whole.allow(action):
            continue
        lacking = tuple(sorted(group for group, held in groups.items() if not held.allow(action)))
        if action in _OF_SUBSCRIPTIONS or len(lacking) == len(groups):
            yield Missing(str(action), not then, then)
        elif lacking:
            yield Missing(str(action), not then, then, lacking)


# The least role -------------------------------------------------------------------------------------------------


def least_role(subscriptions: Iterable[str], uses: Iterable[str]) -> dict[str, Any]:
    """A role that gives what these uses take and want, and nothing else, as `az role definition create` reads it."""
    wanted = set(uses)
    chosen = [use for use in USES if use.name in wanted]
    actions = {str(action) for use in chosen for action in (*use.needs, *use.wants)}
    actions.add(str(Permission.READ_PERMISSIONS))  # so that this very question can be asked again
    return {
        "Name": "Wavekeeper",
        "IsCustom": True,
        "Description": f"What Wavekeeper needs to {', '.join(use.name for use in chosen)}, and nothing else.",
        "Actions": sorted(actions),
        "NotActions": [],
        "DataActions": [],
        "NotDataActions": [],
        "AssignableScopes": [f"/subscriptions/{name}" for name in sorted(set(subscriptions))],
    }


# Everything else that must be right -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Check:
    """One thing on this machine. `ok` None: it is worth a look and keeps nothing back."""

    what: str
    ok: bool | None
    said: str

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {"what": self.what, "ok": self.ok, "said": self.said}


def clock_check(told_at: datetime | None, sent: datetime, answered: datetime, scale: float) -> Check:
    """This machine's clock against the cloud's, which tells whole seconds; `sent` and `answered` are by this machine's."""
    if told_at is None:
        return Check("clock", None, "the cloud didn't tell its time")
    early, late = sent - timedelta(seconds=1) - told_at, answered - told_at
    off = early if early > timedelta(0) else min(late, timedelta(0))
    if scale != 1:
        return Check("clock", True, f"emulated, {scale:g} times as fast as real time")
    if abs(off) <= SKEW:
        return Check("clock", True, f"within {SKEW.total_seconds():g} s of the cloud's")
    way = "ahead of" if off > timedelta(0) else "behind"
    said = f"{abs(off).total_seconds():.0f} s {way} the cloud's: windows and deadlines are kept by this clock; set it (NTP)"
    return Check("clock", False, said)


def to_json(examined: Sequence[Examined], checks: Sequence[Check], *, ok: bool) -> dict[str, Any]:
    """All of it, for programs."""
    return {
        "ok": ok,
        "subscriptions": [
            {
                "subscription": one.subscription,
                "why": one.why or None,
                "resource_groups_asked": list(one.groups),
                "resource_groups_not_asked": one.unasked,
                "sees_some_resource_groups_alone": one.partial,
                "uses": [_ability_json(ability) for ability in one.abilities],
            }
            for one in examined
        ],
        "checks": [check.to_json() for check in checks],
    }


def _ability_json(ability: Ability) -> dict[str, Any]:
    return {
        "use": ability.use,
        "able": ability.able,
        "missing": [
            {
                "action": one.action,
                "needed": one.needed,
                "then": one.then or None,
                "resource_groups": list(one.groups),
            }
            for one in ability.missing
        ],
    }
