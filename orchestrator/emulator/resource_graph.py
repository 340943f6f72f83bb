"""Resource Graph over an emulated world: `POST /providers/Microsoft.ResourceGraph/resources`.

What a query may be, `kql` says; what there is to be found, `graph_rows`. Here: quota, scopes, pages.
"""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import chain

from orchestrator.emulator import arc, graph_rows, kql, rights
from orchestrator.emulator.graph_pages import Found
from orchestrator.emulator.interfaces import interface_id
from orchestrator.emulator.problems import GATEWAY, problem
from orchestrator.emulator.state import Answer, Json, Kind
from orchestrator.emulator.world import World
from orchestrator.inventory.ids import subscription_of

PATH = "/providers/microsoft.resourcegraph/resources"
PAGE = 1000  # rows at most, and what a query that asks for none gets
SUBSCRIPTIONS = 10_000  # that one query may be asked of
_TABLES = (
    *("resources", "resourcecontainers", "maintenanceresources"),
    *("patchinstallationresources", "patchassessmentresources"),
)
_MACHINE = "microsoft.compute/virtualmachines"
_INTERFACE = "microsoft.network/networkinterfaces"
_NIC = "interface of "  # what stands before a machine's id where its interface is meant


def answer(world: World, body: Json, now: datetime) -> Answer:
    """What Resource Graph answers to a query."""
    passage = world.enter(Kind.GRAPH, now, subscription="")
    if passage.refused is not None:
        return passage.refused
    left = world.graph_quota.spend(now)
    wait = timedelta(seconds=left.resets_after_s)
    headers = {
        "x-ms-user-quota-remaining": str(max(0, left.remaining)),
        "x-ms-user-quota-resets-after": f"0{wait}",
        "x-ms-tenant-subscription-limit-hit": str(len(world.dealt.subscriptions) > SUBSCRIPTIONS).lower(),
    }
    if left.remaining < 0:
        message = (
            "Client application has been throttled and should not attempt to repeat the request until an amount of time "
            "has elapsed. Please see https://aka.ms/resourcegraph-throttling for help."
        )
        return passage.out(problem(429, "RateLimiting", message, headers={**headers, **GATEWAY}))
    try:
        told = _page(world, body, now)
    except kql.NotUnderstood as error:
        message = f"This emulator's Resource Graph can't answer the query: {error}; see docs/emulator.md."
        return passage.out(problem(400, "InvalidQuery", message, headers=headers))
    return passage.out(Answer(200, headers, told))


def _page(world: World, body: Json, now: datetime) -> Json:
    options = body.get("options") or {}
    top = min(PAGE, int(options.get("$top") or PAGE))
    token = str(options.get("$skipToken") or "")
    if token:
        name, begin = _opened(world, token)
    else:
        name, begin = world.graph_pages.keep(_find(world, body, now)), 0
    found = world.graph_pages.found[name]
    rows = [_whole(world, row, found.asked_at) for row in found.rows[begin : begin + top]]
    shown = [found.query.shown(row, found.asked_at) for row in rows if row is not None]
    told: Json = {
        "totalRecords": len(found.rows),
        "count": len(shown),
        "resultTruncated": "false",
        "facets": [],
        "data": shown,
    }
    if begin + top < len(found.rows):
        told["$skipToken"] = urlsafe_b64encode(f"{name} {begin + top}".encode()).decode()
    return told


def _opened(world: World, token: str) -> tuple[str, int]:
    try:
        name, begin = urlsafe_b64decode(token).decode().split()
        if world.graph_pages.opened(name) is not None:
            return name, int(begin)
    except ValueError:
        pass
    raise kql.NotUnderstood("the skip token is none of those that were given out lately")


def _find(world: World, body: Json, now: datetime) -> Found:
    query = kql.read(str(body.get("query") or ""))
    if query.table not in _TABLES:
        raise kql.NotUnderstood(f"there is no table '{query.table}'")
    asked = body.get("subscriptions")
    scope = None if asked is None else {str(one).lower() for one in asked}
    rows: list[Json | str]
    light = query.columns <= {"id", "name", "type", "location", "subscriptionid"} and not query.order
    if query.table == "resources" and light:
        rows = list(_light(world, query, scope, now))
    else:
        every = _rows(world, query, scope, now)
        rows = [row for row in every if _within(world, row, scope) and query.matches(row, now)]
    for value, down in reversed(query.order):
        rows.sort(
            key=lambda row: _key(value({"id": row} if isinstance(row, str) else row, now)), reverse=down
        )
    return Found(query, rows[: query.take] if query.take is not None else rows, now)


def _light(world: World, query: kql.Query, scope: set[str] | None, now: datetime) -> Iterator[Json | str]:
    """Resources that match by what stands in their record; machines and interfaces are looked at when they are shown."""
    types = _Types(query, now)
    for interfaces in (False, True):
        for machine in world.machines():
            record = world.record(machine)
            if record is None or not (scope is None or record.subscription.lower() in scope):
                continue
            if interfaces and arc.is_arc(record):
                continue
            kind = _INTERFACE if interfaces else arc.MACHINES.lower() if arc.is_arc(record) else _MACHINE
            if types.refuse(kind):
                continue
            arm_id = interface_id(record) if interfaces else record.arm_id
            seen = {
                "id": arm_id,
                "name": arm_id.rpartition("/")[2],
                "type": kind,
                "location": record.location,
            }
            if not rights.reads(world.rights, seen):
                continue
            if types.enough or query.matches({**seen, "subscriptionId": record.subscription.lower()}, now):
                yield f"{_NIC}{machine}" if interfaces else machine
    for row in graph_rows.set_rows(world):
        if _within(world, row, scope) and query.matches(row, now):
            yield row


class _Types:
    """Whether a query takes resources of a type, where it asks for nothing else: then nothing else has to be looked at."""

    def __init__(self, query: kql.Query, now: datetime) -> None:
        self._query = query
        self._now = now
        self._known: dict[str, bool] = {}
        self.enough = query.columns <= {"type"}

    def refuse(self, kind: str) -> bool:
        """Whether no resource of this type can match."""
        if not self.enough:
            return False
        if kind not in self._known:
            self._known[kind] = self._query.matches({"type": kind}, self._now)
        return not self._known[kind]


def _rows(world: World, query: kql.Query, scope: set[str] | None, now: datetime) -> Iterator[Json]:
    """All rows of a table, or those of the machines that a query can be about."""
    if query.table == "resourcecontainers":
        return graph_rows.subscription_rows(world)
    if query.table == "maintenanceresources":
        return graph_rows.assignment_rows(world, scope)
    concerned = [machine for machine in world.machines() if _concerns(query.prefix, machine)]
    states = [state for state in map(world.state, concerned) if state is not None]
    match query.table:
        case "resources":
            machines = (graph_rows.machine_row(world, state, now) for state in states)
            interfaces = (
                graph_rows.interface_row(world, state.record)
                for state in states
                if not arc.is_arc(state.record)
            )
            return chain(machines, interfaces, graph_rows.set_rows(world))
        case "patchinstallationresources":
            return chain.from_iterable(graph_rows.installation_rows(world, one, now) for one in states)
        case _:
            return chain.from_iterable(graph_rows.assessment_rows(world, one, now) for one in states)


def _concerns(prefix: str, machine: str) -> bool:
    return prefix.startswith(machine) or machine.startswith(prefix)


def _whole(world: World, row: Json | str, now: datetime) -> Json | None:
    """A row that is shown; None for a machine that is gone meanwhile."""
    if not isinstance(row, str):
        return row
    state = world.state(row.removeprefix(_NIC))
    if state is None:
        return None
    if row.startswith(_NIC):
        return graph_rows.interface_row(world, state.record)
    return graph_rows.machine_row(world, state, now)


def _within(world: World, row: Json, scope: set[str] | None) -> bool:
    """Whether it is in one of the subscriptions, and may be read."""
    inside = scope is None or subscription_of(str(row["id"])) in scope
    return inside and rights.reads(world.rights, row)


def _key(value: object) -> tuple[bool, str]:
    return value is not None, str(value).lower()
