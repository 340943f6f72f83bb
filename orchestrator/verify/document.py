"""A plan file, read: lanes, waves and constraints out of the JSON, and whatever is wrong with its shape.

What can't be read is reported and left out, so that one judgement names everything that is wrong. Keys that the judge
doesn't know are none of its business. Ids of machines compare without regard to case, as they do in Azure, and are in
lower case from here on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from orchestrator.verify.constraints import Budget, Exclusion, Order
from orchestrator.verify.model import Findings

SCHEMA = "wavekeeper.plan/1"
SHAPE = "structure"  # the rule that a plan of a wrong shape breaks


@dataclass(frozen=True, slots=True)
class Lane:
    """Waves that run one after another, once every lane in `after` is finished."""

    id: str
    stage: str
    after: tuple[str, ...]
    waves: tuple[frozenset[str], ...]


@dataclass(frozen=True, slots=True)
class Document:
    """A plan as far as it could be read. `change` holds only the machines whose entry says whether they change."""

    machines: frozenset[str]
    change: Mapping[str, bool]
    stay_up: frozenset[str]  # those that, by the plan's own word, no change and no steps take down
    stages: tuple[str, ...]
    lanes: tuple[Lane, ...]
    budgets: tuple[Budget, ...]
    exclusions: tuple[Exclusion, ...]
    orders: tuple[Order, ...]
    left_out: frozenset[str]
    replaces: tuple[str, ...]
    max_in_flight: int | None


def id_of(value: object) -> str:
    """The one spelling of an id; empty for what is no id."""
    return value.strip().rstrip("/").lower() if isinstance(value, str) else ""


class Spelled(dict[Any, str]):
    """What ids are spelled like in the plan, each told once: a plan names a machine in many places, and each shares one string."""

    def __missing__(self, spelled: object) -> str:
        known = self[spelled] = id_of(spelled)
        return known


def read(plan: object, found: Findings) -> Document | None:
    """Read a plan's JSON; None if it is no plan at all."""
    if not isinstance(plan, Mapping):
        found.broken(SHAPE, "plan", (), f"a plan is a JSON object, this is a {type(plan).__name__}")
        return None
    if plan.get("schema") != SCHEMA:
        what = f'its schema is {plan.get("schema")!r}; this judge knows "{SCHEMA}" alone'
        found.broken(SHAPE, "schema", (), what)
        return None
    ids = Spelled()
    machines, change = _machines(plan.get("machines"), ids, found)
    budgets, exclusions, orders = _constraints(plan.get("constraints"), ids, found)
    return Document(
        machines=machines,
        change=change,
        stay_up=_stay_up(plan),
        stages=_stages(plan.get("stages"), found),
        lanes=_lanes(plan.get("lanes"), ids, found),
        budgets=budgets,
        exclusions=exclusions,
        orders=orders,
        left_out=_left_out(plan.get("left_out", []), ids, found),
        replaces=tuple(str(name) for name in _list(plan.get("replaces") or [], "replaces", found)),
        max_in_flight=_in_flight(plan.get("max_in_flight"), found),
    )


def _machines(value: object, ids: Spelled, found: Findings) -> tuple[frozenset[str], dict[str, bool]]:
    if not isinstance(value, Mapping):
        found.broken(
            SHAPE, "machines", (), "`machines` must be an object: id -> what is known of the machine"
        )
        return frozenset(), {}
    known: set[str] = set()
    change: dict[str, bool] = {}
    for key, entry in value.items():
        machine = ids[key]
        if machine in known:
            what = f"machine {key} is listed twice; ids compare without regard to case"
            found.broken(SHAPE, "machines", [machine], what)
        known.add(machine)
        if not isinstance(entry, Mapping):
            found.broken(SHAPE, "machines", [machine], f"the entry of machine {key} is no object")
            continue
        if entry.get("name"):
            found.names[machine] = str(entry["name"])
        if "change" in entry:
            change[machine] = bool(entry["change"])
    return frozenset(known), change


def _stay_up(plan: Mapping[str, Any]) -> frozenset[str]:
    """Machines of which the plan says that they won't restart, whose installation may not restart them, without steps around them.

    The installation of a machine is the plan's, unless the machine has a `reboot` of its own.
    """
    change, machines = plan.get("change"), plan.get("machines")
    if not isinstance(change, Mapping) or not isinstance(machines, Mapping):
        return frozenset()
    if change.get("kind") != "patches":
        return frozenset()
    return frozenset(
        id_of(key)
        for key, entry in machines.items()
        if isinstance(entry, Mapping)
        and entry.get("restart") == "never"
        and entry.get("reboot", change.get("reboot")) == "never"
        and not entry.get("around")
    )


def _stages(value: object, found: Findings) -> tuple[str, ...]:
    """Names of stages, in their order; a stage may also be an object with a `name`."""
    stages: list[str] = []
    for item in _list(value, "stages", found):
        name = item.get("name") if isinstance(item, Mapping) else item
        if not isinstance(name, str) or name in stages:
            found.broken(SHAPE, "stages", (), f"stage {name!r} is no name, or is there twice")
            continue
        stages.append(name)
    return tuple(stages)


def _lanes(value: object, ids: Spelled, found: Findings) -> tuple[Lane, ...]:
    lanes: list[Lane] = []
    for number, item in enumerate(_list(value, "lanes", found)):
        if not isinstance(item, Mapping) or not isinstance(item.get("id"), str):
            found.broken(SHAPE, f"lanes[{number}]", (), f"lane number {number} is no object with an `id`")
            continue
        where = f"lane {item['id']}"
        waves = []
        for wave in _list(item.get("waves"), f"waves of {where}", found):
            members = wave.get("machines") if isinstance(wave, Mapping) else None
            waves.append(_ids(members, f"a wave of {where}", ids, found))
        lanes.append(
            Lane(
                id=item["id"],
                stage=str(item.get("stage")),
                after=tuple(str(a) for a in _list(item.get("after", []), f"`after` of {where}", found)),
                waves=tuple(waves),
            )
        )
    return tuple(lanes)


def _constraints(
    value: object, ids: Spelled, found: Findings
) -> tuple[tuple[Budget, ...], tuple[Exclusion, ...], tuple[Order, ...]]:
    budgets: list[Budget] = []
    exclusions: list[Exclusion] = []
    orders: list[Order] = []
    for number, item in enumerate(_list(value, "constraints", found)):
        if not isinstance(item, Mapping):
            found.broken(SHAPE, f"constraints[{number}]", (), f"constraint number {number} is no object")
            continue
        where = str(item.get("id") or f"constraints[{number}]")
        title = str(item.get("what") or where)
        match item.get("kind"):
            case "budget":
                budgets += _budget(item, where, title, ids, found)
            case "exclusion":
                exclusions += _exclusion(item, where, title, ids, found)
            case "order":
                first = _ids(item.get("first"), f"`first` of {where}", ids, found)
                then = _ids(item.get("then"), f"`then` of {where}", ids, found)
                orders.append(Order(where, title, first, then))
            case kind:
                what = f"constraint {where} is of kind {kind!r}, which this judge doesn't know"
                found.broken(SHAPE, where, (), what)
    return tuple(budgets), tuple(exclusions), tuple(orders)


def _budget(item: Mapping[str, Any], where: str, title: str, ids: Spelled, found: Findings) -> list[Budget]:
    limit = _whole(item.get("limit"))
    if limit is None:
        what = f"the limit of {where} must be a whole number, not {item.get('limit')!r}"
        found.broken(SHAPE, where, (), what)
        return []
    members = _ids(item.get("machines"), f"`machines` of {where}", ids, found)
    spared = _ids(item.get("spared", []), f"`spared` of {where}", ids, found)
    if spared and item.get("restarts") is not True:
        what = f"{where} spares {found.listed(spared)}, which only a budget of restarts may"
        found.broken(SHAPE, where, spared, what)
        members, spared = members | spared, frozenset()
    if both := members & spared:
        found.broken(SHAPE, where, both, f"{where} both counts and spares {found.listed(both)}")
    return [Budget(where, "budget", title, members, limit, item.get("cap") is True, spared - members)]


def _exclusion(
    item: Mapping[str, Any], where: str, title: str, ids: Spelled, found: Findings
) -> list[Exclusion]:
    domains = item.get("domains")
    if not isinstance(domains, Mapping):
        what = f"`domains` of {where} must be an object: domain -> machines"
        found.broken(SHAPE, where, (), what)
        return []
    if item.get("limit", 1) != 1:
        what = f"exclusion {where} lets {item['limit']!r} domains be out at once; this judge knows one alone"
        found.broken(SHAPE, where, (), what)
    held = {str(name): _ids(some, f"domain {name} of {where}", ids, found) for name, some in domains.items()}
    return [Exclusion(where, "exclusion", title, held, level=_whole(item.get("level")) or 0)]


def _left_out(value: object, ids: Spelled, found: Findings) -> frozenset[str]:
    """Who is left out; a machine may be there several times, with a reason each."""
    named = [i.get("machine") if isinstance(i, Mapping) else i for i in _list(value, "left_out", found)]
    return _ids(list(dict.fromkeys(map(id_of, named))), "`left_out`", ids, found)


def _in_flight(value: object, found: Findings) -> int | None:
    if value is None:
        return None
    most = _whole(value)
    if most is None:
        found.broken(SHAPE, "max_in_flight", (), f"`max_in_flight` must be a whole number, not {value!r}")
    return most


def _ids(value: object, where: str, ids: Spelled, found: Findings) -> frozenset[str]:
    """A list of machine ids; one that is there twice is reported, since it may hide another that was meant."""
    named = _list(value, where, found)
    if set(map(type, named)) == {str}:
        good = frozenset(map(ids.__getitem__, named))
        if len(good) == len(named) and "" not in good:
            return good
    seen: set[str] = set()
    for item in named:
        machine = id_of(item)
        if not machine:
            found.broken(SHAPE, where, (), f"{where} holds {item!r}, which is no machine's id")
        elif machine in seen:
            found.broken(SHAPE, where, [machine], f"{where} names {found.name(machine)} twice")
        seen.add(machine)
    seen.discard("")
    return frozenset(seen)


def _list(value: object, where: str, found: Findings) -> Sequence[Any]:
    if isinstance(value, list | tuple):
        return value
    found.broken(SHAPE, where, (), f"{where} must be a list, not {value!r:.60}")
    return ()


def _whole(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
