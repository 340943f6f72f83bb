"""Fleets made up to plan on: applications of every size, in every shape that Azure knows, under rules that cross.

The same seed gives the same fleet. Applications are many and small, with few large ones (Pareto); subscriptions too (Zipf). The
distributions are invented, not fitted to anybody's fleet; what they are to show is structure: nested exclusions, budgets that span
subscriptions and regions, orders through all of them.

    application     zonal 45 %, zonal with a paired region 20 %, availability set 20 %, Flexible scale set 15 %
    tiers           web, app, db 50/35/15; db before app before web for 30 % of applications; at most a quarter of a tier
    quorums         clusters of 3 or 5 databases, one at a time
    load balancers  on 70 % of web tiers, a quarter at a time; 10 % of small applications share a gateway
    across          teams (3 % have a budget of 10 %), role tags at random over everything, 2 % of applications never with another

`scope` says within what one zone at a time, and one region of a pair, holds: each application, each subscription, or the fleet.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from orchestrator.availability.model import Budget, Constraint, Exclusion, Order
from orchestrator.inventory.model import MachineId
from orchestrator.policy.model import Origin

SCOPES: Final = ("app", "subscription", "fleet")
REGIONS: Final = 12  # six pairs
ZONED: Final = 10  # of these regions have zones
SET: Final = 200  # machines of an availability set or scale set, at most
TIERS: Final = ("web", "app", "db")
_HERE: Final = Origin("generated", 1)

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Fleet:
    """Machines as columns; -1 where a machine stands in none."""

    app: Ints
    subscription: Ints
    region: Ints
    zone: Ints
    availability_set: Ints
    update_domain: Ints
    scale_set: Ints
    fault_domain: Ints
    tier: Ints
    ordered: NDArray[np.bool_]  # its application wants databases first
    quorum: Ints
    load_balancer: Ints
    team: Ints
    role: Ints
    rival: Ints  # number of the pair of applications that never go together

    def __len__(self) -> int:
        return len(self.app)

    def ids(self) -> tuple[MachineId, ...]:
        """The machines by id; the n-th in sorted order is row n."""
        return tuple(MachineId(f"m{number:07}") for number in range(len(self)))


# Who there is ---------------------------------------------------------------------------------------------------


def generate(count: int, seed: int) -> Fleet:
    """A fleet of so many machines."""
    chance = np.random.default_rng(seed)
    sizes = _sizes(count, chance)
    apps = len(sizes)
    app = np.repeat(np.arange(apps), sizes)
    within = np.arange(count) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    shape = chance.choice(4, apps, p=[0.45, 0.20, 0.20, 0.15])[app]
    home = np.where(shape < 2, _zipf(ZONED, apps, 0.7, chance)[app], _zipf(REGIONS, apps, 0.7, chance)[app])
    tier = _tiers(within, sizes[app])
    paired = (shape == 1) & (chance.random(count) < 0.3)
    region = np.where(paired, home ^ 1, home)
    zone = np.where((shape < 2) & (region < ZONED), chance.integers(0, 3, apps)[app] + within, -1)
    in_set, in_scale = shape == 2, shape == 3
    piece = app * 1000 + within // SET
    updates = chance.choice([5, 20, 3], apps, p=[0.75, 0.15, 0.10])[app]
    subscriptions = _zipf(max(1, count // 400), apps, 0.9, chance)
    return Fleet(
        app=app,
        subscription=subscriptions[app],
        region=region,
        zone=np.where(zone >= 0, zone % 3, -1),
        availability_set=np.where(in_set, piece, -1),
        update_domain=np.where(in_set, within % updates, -1),
        scale_set=np.where(in_scale, piece, -1),
        fault_domain=np.where(in_scale, within % 3, -1),
        tier=tier,
        ordered=(chance.random(apps) < 0.3)[app],
        quorum=_quorums(app, tier, chance, apps),
        load_balancer=_balancers(app, tier, sizes, chance),
        team=_teams(app, apps, count, chance),
        role=_roles(count, chance),
        rival=_rivals(apps, chance)[app],
    )


def _sizes(count: int, chance: np.random.Generator) -> Ints:
    """Sizes of applications that come to `count`."""
    most = max(2, min(4000, count // 20))
    drawn = np.minimum((2 * (1 - chance.random(count)) ** (-1 / 1.2)).astype(np.int64), most)
    drawn[chance.random(count) < 0.08] = 1
    ends = np.cumsum(drawn)
    last = int(np.searchsorted(ends, count))
    sizes = drawn[: last + 1].copy()
    sizes[-1] -= ends[last] - count
    return sizes


def _zipf(values: int, count: int, power: float, chance: np.random.Generator) -> Ints:
    weights = 1 / np.arange(1, values + 1) ** power
    return chance.choice(values, count, p=weights / weights.sum())


def _tiers(within: Ints, sizes: Ints) -> Ints:
    share = (within + 0.5) / sizes
    return np.where(sizes < 3, 0, np.where(share < 0.5, 0, np.where(share < 0.85, 1, 2)))


def _quorums(app: Ints, tier: Ints, chance: np.random.Generator, apps: int) -> Ints:
    """Clusters of databases, each of an application's own."""
    wide = chance.choice([3, 5], apps)[app]
    databases = np.flatnonzero(tier == 2)
    of = app[databases]
    place = np.arange(len(of)) - np.searchsorted(of, of)
    quorum = np.full(len(app), -1)
    quorum[databases] = of * 1000 + place // wide[databases]
    return quorum


def _balancers(app: Ints, tier: Ints, sizes: Ints, chance: np.random.Generator) -> Ints:
    apps = len(sizes)
    balanced, shares = chance.random(apps) < 0.7, (sizes <= 6) & (chance.random(apps) < 0.1)
    gateway = apps + chance.integers(0, max(1, apps // 40), apps)
    front = np.where(shares, gateway, np.where(balanced, np.arange(apps), -1))
    return np.where(tier == 0, front[app], -1)


def _teams(app: Ints, apps: int, count: int, chance: np.random.Generator) -> Ints:
    """Of the teams only those with a budget."""
    teams = max(1, count // 500)
    limited = chance.random(teams) < 0.03
    team = chance.integers(0, teams, apps)
    return np.where(limited[team], team, -1)[app]


def _roles(count: int, chance: np.random.Generator) -> Ints:
    role = np.full(count, -1)
    for number in range(count // 4000):
        role[chance.choice(count, min(count, int(chance.integers(2, 61))), replace=False)] = number
    return role


def _rivals(apps: int, chance: np.random.Generator) -> Ints:
    rival = np.full(apps, -1)
    chosen = chance.permutation(apps)[: apps // 50 * 2]
    rival[chosen] = np.arange(len(chosen)) // 2
    return rival


# Under which rules ----------------------------------------------------------------------------------------------


def constraints_of(fleet: Fleet, scope: str, *, spanning: bool = False) -> list[Constraint]:
    """The rules of a fleet. `spanning`: with budgets over each region, and each subscription in it, that join everything."""
    everybody = np.arange(len(fleet))
    names = fleet.ids()
    found: list[Constraint] = []
    for what, keys, share in (
        ("tier", fleet.app * 3 + fleet.tier, 0.25),
        ("quorum", fleet.quorum, 0.0),
        ("lb", fleet.load_balancer, 0.25),
        ("team", fleet.team, 0.10),
        ("set", fleet.availability_set, 0.20),
        ("scale set", fleet.scale_set, 0.20),
        *(("region", fleet.region, 0.10), ("subscription in a region", _both(fleet.subscription, fleet.region), 0.15))
        * spanning,
    ):  # fmt: skip
        found += _budgets(what, keys, share, names)
    found += _of_roles(fleet.role, names)
    within = {"app": fleet.app, "subscription": fleet.subscription, "fleet": everybody * 0}[scope]
    paired = (
        fleet.region if scope == "fleet" else np.where(_both_of_pair(within, fleet.region), fleet.region, -1)
    )
    for what, keys, domains, level in (
        ("region of a pair", _both(within, fleet.region // 2), paired, 0),
        ("zone", _both(within, fleet.region), fleet.zone, 2),
        ("update domain", fleet.availability_set, fleet.update_domain, 3),
        ("fault domain", fleet.scale_set, fleet.fault_domain, 3),
        ("of two applications", fleet.rival, fleet.app, 4),
    ):
        found += _exclusions(what, keys, domains, level, names)
    found += _orders(fleet, names)
    return found


def _both(one: Ints, other: Ints) -> Ints:
    return np.where((one < 0) | (other < 0), -1, one * (1 + int(other.max(initial=0))) + other)


def _both_of_pair(within: Ints, region: Ints) -> NDArray[np.bool_]:
    """Whether the machine's pair is stood in on both sides."""
    pair = _both(within, region // 2)
    sides = np.zeros(int(pair.max()) + 1, dtype=np.int64)
    np.bitwise_or.at(sides, pair, 1 + region % 2)
    return sides[pair] == 3


def _grouped(keys: Ints) -> Iterator[tuple[int, list[int]]]:
    rows = np.flatnonzero(keys >= 0)
    rows = rows[np.argsort(keys[rows], kind="stable")]
    for held in np.split(rows, np.flatnonzero(np.diff(keys[rows])) + 1):
        if len(held):
            yield int(keys[held[0]]), held.tolist()


def _budgets(what: str, keys: Ints, share: float, names: tuple[MachineId, ...]) -> Iterator[Constraint]:
    for key, rows in _grouped(keys):
        limit = max(1, int(share * len(rows)))
        if limit < len(rows):
            yield _budget(f"{what} {key}", rows, limit, names)


def _of_roles(keys: Ints, names: tuple[MachineId, ...]) -> Iterator[Constraint]:
    for key, rows in _grouped(keys):
        limit = max(1, int((0.0, 0.20, 0.34)[key % 3] * len(rows)))
        if limit < len(rows):
            yield _budget(f"role {key}", rows, limit, names)


def _budget(group: str, rows: list[int], limit: int, names: tuple[MachineId, ...]) -> Budget:
    what = f"at most {limit} of {len(rows)} in {group}"
    return Budget(f"budget:{group}", tuple(names[row] for row in rows), limit, what, _HERE)


def _exclusions(
    what: str, keys: Ints, domains: Ints, level: int, names: tuple[MachineId, ...]
) -> Iterator[Constraint]:
    for key, rows in _grouped(np.where(domains < 0, -1, keys)):
        held = _by(((int(domains[row]), names[row]) for row in rows), what)
        if len(held) > 1:
            yield Exclusion(f"exclusion:{what} {key}", held, f"one {what} at a time in {key}", _HERE, level)


def _by(rows: Iterable[tuple[Hashable, MachineId]], what: str) -> dict[str, tuple[MachineId, ...]]:
    held: dict[str, list[MachineId]] = defaultdict(list)
    for domain, name in rows:
        held[f"{what} {domain}"].append(name)
    return {domain: tuple(members) for domain, members in sorted(held.items())}


def _orders(fleet: Fleet, names: tuple[MachineId, ...]) -> Iterator[Constraint]:
    for app, rows in _grouped(np.where(fleet.ordered, fleet.app, -1)):
        held = _by(((TIERS[int(fleet.tier[row])], names[row]) for row in rows), "tier")
        for first, then in (("db", "app"), ("app", "web"), ("db", "web")):
            one, other = held.get(f"tier {first}"), held.get(f"tier {then}")
            if one and other:
                what = f"{first} before {then} of application {app}"
                yield Order(f"order:{app} {first} {then}", one, other, what, _HERE)
