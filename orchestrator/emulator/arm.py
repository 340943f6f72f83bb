"""Azure Resource Manager's HTTP surface over a world: `answer(world, request, now) -> response`, pure.

Any face can be put over it: the HTTP server of this package, or a transport for an SDK client in virtual time. A face
hands over the raw query string, since the URLs of operations are signed and must come back to the byte.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from types import MappingProxyType
from urllib.parse import parse_qsl

import orjson

from orchestrator.emulator import arc, hybrid, rights
from orchestrator.emulator.call import Call, Request, nowhere, paged, read_body
from orchestrator.emulator.command_routes import managed_command
from orchestrator.emulator.interfaces import interfaces
from orchestrator.emulator.maintenance import assignments, configurations
from orchestrator.emulator.problems import GATEWAY, invalid, not_found, problem
from orchestrator.emulator.sets import list_sets, scale_set_members, show_set
from orchestrator.emulator.state import Answer, Delivery, Json, Kind
from orchestrator.emulator.views import location_model, shouted_group
from orchestrator.emulator.world import World

DEFAULT_PAGE_SIZE = 100
_API_VERSION = re.compile(r"\d{4}-\d{2}-\d{2}(-preview)?")
_SCALE_SET_FILTER = re.compile(r"'?virtualMachineScaleSet/id'?\s+eq\s+'([^']+)'", re.IGNORECASE)
_STARTS = {
    "installpatches": Kind.INSTALL,
    "assesspatches": Kind.ASSESS,
    "restart": Kind.RESTART,
    "runcommand": Kind.RUN_COMMAND,
}
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@dataclass(frozen=True, slots=True)
class Response:
    """One HTTP response. Unless `delivery` is DELIVERED, cut the connection instead; `delay_s` is emulated seconds."""

    status: int
    headers: dict[str, str]
    body: bytes = b""
    delivery: Delivery = Delivery.DELIVERED
    delay_s: float = 0.0


def answer(world: World, request: Request, now: datetime, *, page_size: int = DEFAULT_PAGE_SIZE) -> Response:
    """What Azure Resource Manager answers to `request` at `now`."""
    found = _checked(world, request, now, page_size)
    body = b"" if found.body is None else orjson.dumps(found.body)
    request_id = world.request_id()
    headers = {
        "Cache-Control": "no-cache",
        "Pragma": "no-cache",
        "Expires": "-1",
        "Date": http_date(now),
        "X-Content-Type-Options": "nosniff",
        "x-ms-request-id": request_id,
        "x-ms-correlation-request-id": request.headers.get("x-ms-correlation-request-id") or request_id,
        "x-ms-routing-request-id": f"EMULATED:{now.year}{now.month:02}{now.day:02}T{_time(now, '')}Z:{request_id}",
        **found.headers,
    }
    if body:
        headers["Content-Type"] = "application/json; charset=utf-8"
    client_request_id = request.headers.get("x-ms-client-request-id")
    if client_request_id and request.headers.get("x-ms-return-client-request-id", "").lower() == "true":
        headers["x-ms-client-request-id"] = client_request_id
    return Response(found.status, headers, body, found.delivery, found.delay_s)


def http_date(now: datetime) -> str:
    """An instant in UTC as HTTP writes it, whatever the locale."""
    return f"{_DAYS[now.weekday()]}, {now.day:02} {_MONTHS[now.month - 1]} {now.year} {_time(now, ':')} GMT"


def _time(now: datetime, between: str) -> str:
    """As strftime has it, at a fraction of its cost: every answer carries two of them."""
    return f"{now.hour:02}{between}{now.minute:02}{between}{now.second:02}"


def _checked(world: World, request: Request, now: datetime, page_size: int) -> Answer:
    """What ARM checks before it looks where a request goes: the token, the API version, the subscription."""
    if not request.headers.get("authorization", "").lower().startswith("bearer "):
        headers = {
            **GATEWAY,
            "WWW-Authenticate": 'Bearer authorization_uri="https://login.microsoftonline.com/common"',
        }
        message = "Authentication failed. The 'Authorization' header is missing."
        return problem(401, "AuthenticationFailed", message, headers=headers)
    query = _parsed(request.query)
    version = query.get("api-version", "")
    if not version:
        message = "The api-version query parameter (?api-version=) is required for all requests."
        return problem(400, "MissingApiVersionParameter", message, headers=GATEWAY)
    if not _API_VERSION.fullmatch(version):
        message = (
            f"The api-version '{version}' is invalid. The supported versions are dates, such as '2026-04-01'."
        )
        return problem(400, "InvalidApiVersionParameter", message, headers=GATEWAY)
    path = request.path.strip("/")
    spelled, parts = path.split("/"), path.lower().split("/")
    call = Call(world, request, now, page_size, query, parts, spelled)
    if parts[0] != "subscriptions" or len(parts) < 2:
        return hybrid.without_subscription(call)
    if parts[1] not in world.dealt.subscriptions:
        message = f"The subscription '{spelled[1]}' could not be found."
        return problem(404, "SubscriptionNotFound", message, headers=GATEWAY)
    if rights.asks_for_permissions(request.method, parts):
        return _permissions(call)
    denied = rights.refused(world.rights, request.method, spelled)
    return denied or rights.seen(world.rights, request.method, spelled, _routed(call))


@lru_cache(maxsize=256)
def _parsed(query: str) -> Mapping[str, str]:
    """A query string taken apart. Those of operations are 3 kB long, and asked for over and over."""
    return MappingProxyType(dict(parse_qsl(query, keep_blank_values=True)))


def _routed(call: Call) -> Answer:
    match call.request.method, *call.parts[2:]:
        case ("GET",):
            return hybrid.subscription(call)
        case "GET", "locations":
            return _locations(call)
        case "GET", "providers", "microsoft.hybridcompute", "machines":
            return hybrid.machines(call)
        case (
            "GET",
            "providers",
            "microsoft.hybridcompute",
            "locations",
            place,
            "updatecenteroperationresults",
            one,
        ):
            return _operation(call, place, arc.mirrored(one), signed=False)
        case method, "resourcegroups", group, "providers", "microsoft.hybridcompute", "machines", *rest:
            return hybrid.in_group(call, method, group, rest)
        case "GET", "providers", "microsoft.compute", "locations", location, "operations", operation:
            return _operation(call, location, operation)
        case "GET", "providers", "microsoft.compute", "virtualmachines":
            return _machines(call)
        case "GET", "providers", "microsoft.compute", "locations", location, "virtualmachines":
            return _machines(call, location=location)
        case "GET", "providers", "microsoft.compute", "availabilitysets" | "virtualmachinescalesets" as kind:
            return _sets(call, kind)
        case "GET", "providers", "microsoft.network", "networkinterfaces":
            return _listed(call, Kind.INTERFACES, interfaces(call.world.dealt, call.subscription))
        case "GET", "providers", "microsoft.maintenance", "configurationassignments":
            return _listed(call, Kind.MAINTENANCE, assignments(call.world.dealt, call.subscription))
        case "GET", "providers", "microsoft.maintenance", "maintenanceconfigurations":
            return _listed(call, Kind.MAINTENANCE, configurations(call.world.dealt, call.subscription))
        case method, "resourcegroups", group, "providers", "microsoft.compute", *rest:
            return _in_group(call, method, group, rest)
        case _:
            return nowhere(call.request)


def _in_group(call: Call, method: str, group: str, rest: list[str]) -> Answer:
    machine = "/" + "/".join(call.spelled[:8])
    match method, *rest:
        case "GET", "virtualmachines":
            return _machines(call, group=group)
        case "GET", "virtualmachines", _:
            expand = "instanceview" in call.query.get("$expand", "").lower()
            return call.world.get(machine, call.now, expand=expand)
        case "GET", "virtualmachines", _, "instanceview":
            return call.world.instance_view(machine, call.now)
        case "POST", "virtualmachines", _, action if action in _STARTS:
            return _start(call, machine, _STARTS[action])
        case "PATCH", "virtualmachines", _:
            return _update(call, machine)
        case _, "virtualmachines", _, "runcommands", *name:
            return managed_command(call, method, machine, name)
        case "GET", "availabilitysets" | "virtualmachinescalesets" as kind:
            return _sets(call, kind, group=group)
        case "GET", "availabilitysets" | "virtualmachinescalesets" as kind, name:
            passage = call.world.enter(Kind.SET, call.now, subscription=call.subscription)
            return passage.refused or passage.out(show_set(call.world, kind, call.subscription, group, name))
        case "GET", "virtualmachinescalesets", name, "virtualmachines":
            passage = call.world.enter(Kind.LIST, call.now, subscription=call.subscription)
            if passage.refused is not None:
                return passage.refused
            members = scale_set_members(call.world, call.subscription, group, name)
            if members is None:
                return not_found("Microsoft.Compute/virtualMachineScaleSets", name, group)
            return passage.out(paged(call, members))
        case _:
            return nowhere(call.request)


def _permissions(call: Call) -> Answer:
    passage = call.world.enter(Kind.PERMISSIONS, call.now, subscription=call.subscription)
    return passage.refused or passage.out(rights.permissions(call.world.rights, call.spelled))


def _locations(call: Call) -> Answer:
    passage = call.world.enter(Kind.LOCATIONS, call.now, subscription=call.subscription)
    if passage.refused is not None:
        return passage.refused
    value = [location_model(location, call.spelled[1]) for location in call.world.dealt.locations]
    return passage.out(Answer(200, {}, {"value": value}))


def _operation(call: Call, location: str, operation_id: str, *, signed: bool = True) -> Answer:
    operation = call.world.find_operation(operation_id)
    if (
        operation is None
        or operation.location.lower() != location
        or operation.subscription.lower() != call.subscription
    ):
        return problem(404, "NotFound", f"The entity '{operation_id}' was not found in this location.")
    if not signed:
        return call.world.result(operation_id, call.now, call.request.base)
    if not call.world.signer.accepts(operation, call.request.query):
        message = "The signature of the operation's URL is missing or doesn't fit it."
        return problem(403, "AuthorizationFailed", message)
    if call.query.get("monitor", "").lower() == "true":
        return call.world.result(operation_id, call.now, call.request.base)
    return call.world.operation(operation_id, call.now)


def _start(call: Call, machine: str, kind: Kind) -> Answer:
    body = read_body(call.request.body)
    if isinstance(body, Answer):
        return body
    world, now, base = call.world, call.now, call.request.base
    request_id = call.request.headers.get("x-ms-client-request-id", "")
    match kind:
        case Kind.INSTALL:
            return world.install(machine, body, now, request_id, base)
        case Kind.ASSESS:
            return world.assess(machine, now, request_id, base)
        case Kind.RESTART:
            return world.restart(machine, now, request_id, base)
        case _:
            if not body.get("commandId"):
                return invalid("commandId", "Required parameter 'commandId' is missing (null).")
            return world.run_command(machine, body, now, request_id, base)


def _update(call: Call, machine: str) -> Answer:
    body = read_body(call.request.body)
    if isinstance(body, Answer):
        return body
    request_id = call.request.headers.get("x-ms-client-request-id", "")
    return call.world.update(machine, body, call.now, request_id)


def _machines(call: Call, *, group: str = "", location: str = "") -> Answer:
    """A list of machines: models, or with `statusOnly` their instance views. Both spell resource groups in upper case."""
    world, now = call.world, call.now
    passage = world.enter(Kind.LIST, now, subscription=call.subscription, region=location)
    if passage.refused is not None:
        return passage.refused
    scale_set = ""
    if "$filter" in call.query:
        match = _SCALE_SET_FILTER.fullmatch(call.query["$filter"].strip())
        if match is None:
            message = f"The filter '{call.query['$filter']}' is not supported."
            return problem(400, "InvalidFilterInQueryString", message, headers=GATEWAY)
        scale_set = match[1].lower().rstrip("/")
    status_only = call.query.get("statusOnly", "").lower() == "true"
    expand = "instanceview" in call.query.get("$expand", "").lower()
    if expand and not scale_set:
        message = (
            "The expand query option 'instanceView' is allowed only together with a filter by scale set."
        )
        return problem(400, "InvalidParameter", message, target="$expand")
    wanted: list[str] = [
        machine
        for machine in world.machines(call.subscription)
        if _is_compute(world, machine)
        and (not group or f"/resourcegroups/{group}/" in machine)
        and _fits(world, machine, location=location, scale_set=scale_set)
    ]

    def show(machine: str) -> Json:
        model = world.model(machine)
        shown = {**model, "id": shouted_group(model["id"])}
        if status_only:
            short = {key: model["properties"][key] for key in ("vmId", "provisioningState")}
            shown = {key: shown[key] for key in ("id", "name", "type", "location")}
            shown["properties"] = {**short, "instanceView": world.view(machine, now)}
        elif expand:
            shown["properties"] = {**model["properties"], "instanceView": world.view(machine, now)}
        return shown

    page = paged(call, wanted)
    if page.body is None or page.status != 200:
        return page
    page.body["value"] = [show(machine) for machine in page.body["value"]]
    return passage.out(page)


def _is_compute(world: World, machine: str) -> bool:
    record = world.record(machine)
    return record is not None and not arc.is_arc(record)


def _fits(world: World, machine: str, *, location: str, scale_set: str) -> bool:
    if not location and not scale_set:
        return True
    record = world.record(machine)
    assert record is not None
    return (not location or record.location == location) and (not scale_set or record.scale_set == scale_set)


def _sets(call: Call, kind: str, *, group: str = "") -> Answer:
    passage = call.world.enter(Kind.LIST, call.now, subscription=call.subscription)
    if passage.refused is not None:
        return passage.refused
    return passage.out(paged(call, list_sets(call.world, kind, call.subscription, group)))


def _listed(call: Call, kind: Kind, items: Sequence[object]) -> Answer:
    passage = call.world.enter(kind, call.now, subscription=call.subscription)
    return passage.refused or passage.out(paged(call, items))
