"""Azure Resource Manager's HTTP surface over a world: `answer(world, request, now) -> response`, pure.

Any face can be put over it: the HTTP server of this package, or a transport for an SDK client in virtual time. A face
hands over the raw query string, since the URLs of operations are signed and must come back to the byte.
"""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from types import MappingProxyType
from urllib.parse import parse_qsl, urlencode

import orjson

from orchestrator.emulator import rights
from orchestrator.emulator.interfaces import interfaces
from orchestrator.emulator.problems import GATEWAY, invalid, not_found, problem
from orchestrator.emulator.sets import list_sets, scale_set_members, show_set
from orchestrator.emulator.state import Answer, Delivery, Json, Kind
from orchestrator.emulator.views import location_model, shouted_group
from orchestrator.emulator.world import PUBLIC, World

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
class Request:
    """One HTTP request. `query` is raw, without the question mark; names in `headers` are in lower case (or the mapping
    doesn't care); `base` is scheme and host as the caller reached them, for the URLs in answers.
    """

    method: str
    path: str
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    base: str = PUBLIC


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
    spelled = request.path.strip("/").split("/")
    parts = [part.lower() for part in spelled]
    if parts[0] != "subscriptions" or len(parts) < 3:
        return _nowhere(request)
    if parts[1] not in world.dealt.subscriptions:
        message = f"The subscription '{spelled[1]}' could not be found."
        return problem(404, "SubscriptionNotFound", message, headers=GATEWAY)
    call = _Call(world, request, now, page_size, query, parts, spelled)
    if rights.asks_for_permissions(request.method, parts):
        return _permissions(call)
    denied = rights.refused(world.rights, request.method, spelled)
    return denied or rights.seen(world.rights, request.method, spelled, _routed(call))


@lru_cache(maxsize=256)
def _parsed(query: str) -> Mapping[str, str]:
    """A query string taken apart. Those of operations are 3 kB long, and asked for over and over."""
    return MappingProxyType(dict(parse_qsl(query, keep_blank_values=True)))


@dataclass(frozen=True, slots=True)
class _Call:
    """A request that is let in, taken apart. `parts` is the path in lower case, `spelled` as it came."""

    world: World
    request: Request
    now: datetime
    page_size: int
    query: Mapping[str, str]
    parts: Sequence[str]
    spelled: Sequence[str]

    @property
    def subscription(self) -> str:
        return self.parts[1]


def _routed(call: _Call) -> Answer:
    match call.request.method, *call.parts[2:]:
        case "GET", "locations":
            return _locations(call)
        case "GET", "providers", "microsoft.compute", "locations", location, "operations", operation:
            return _operation(call, location, operation)
        case "GET", "providers", "microsoft.compute", "virtualmachines":
            return _machines(call)
        case "GET", "providers", "microsoft.compute", "locations", location, "virtualmachines":
            return _machines(call, location=location)
        case "GET", "providers", "microsoft.compute", "availabilitysets" | "virtualmachinescalesets" as kind:
            return _sets(call, kind)
        case "GET", "providers", "microsoft.network", "networkinterfaces":
            return _interfaces(call)
        case method, "resourcegroups", group, "providers", "microsoft.compute", *rest:
            return _in_group(call, method, group, rest)
        case _:
            return _nowhere(call.request)


def _in_group(call: _Call, method: str, group: str, rest: list[str]) -> Answer:
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
            return passage.out(_paged(call, members))
        case _:
            return _nowhere(call.request)


def _permissions(call: _Call) -> Answer:
    passage = call.world.enter(Kind.PERMISSIONS, call.now, subscription=call.subscription)
    return passage.refused or passage.out(rights.permissions(call.world.rights, call.spelled))


def _locations(call: _Call) -> Answer:
    passage = call.world.enter(Kind.LOCATIONS, call.now, subscription=call.subscription)
    if passage.refused is not None:
        return passage.refused
    value = [location_model(location, call.spelled[1]) for location in call.world.dealt.locations]
    return passage.out(Answer(200, {}, {"value": value}))


def _operation(call: _Call, location: str, operation_id: str) -> Answer:
    operation = call.world.find_operation(operation_id)
    if (
        operation is None
        or operation.location.lower() != location
        or operation.subscription.lower() != call.subscription
    ):
        return problem(404, "NotFound", f"The entity '{operation_id}' was not found in this location.")
    if not call.world.signer.accepts(operation, call.request.query):
        message = "The signature of the operation's URL is missing or doesn't fit it."
        return problem(403, "AuthorizationFailed", message)
    if call.query.get("monitor", "").lower() == "true":
        return call.world.result(operation_id, call.now, call.request.base)
    return call.world.operation(operation_id, call.now)


def _start(call: _Call, machine: str, kind: Kind) -> Answer:
    body = _read_body(call.request.body)
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


def _read_body(raw: bytes) -> Json | Answer:
    """The JSON object that a request carries; none at all is an empty one."""
    try:
        body = orjson.loads(raw or b"{}")
        wrong = "" if isinstance(body, dict) else "an object was expected"
    except orjson.JSONDecodeError as error:
        body, wrong = {}, str(error)
    if wrong:
        message = f"The request content was invalid and could not be deserialized: '{wrong}'."
        return problem(400, "InvalidRequestContent", message, headers=GATEWAY)
    return dict(body)


def _machines(call: _Call, *, group: str = "", location: str = "") -> Answer:
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
        if (not group or f"/resourcegroups/{group}/" in machine)
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

    page = _paged(call, wanted)
    if page.body is None or page.status != 200:
        return page
    page.body["value"] = [show(machine) for machine in page.body["value"]]
    return passage.out(page)


def _fits(world: World, machine: str, *, location: str, scale_set: str) -> bool:
    if not location and not scale_set:
        return True
    record = world.record(machine)
    assert record is not None
    return (not location or record.location == location) and (not scale_set or record.scale_set == scale_set)


def _sets(call: _Call, kind: str, *, group: str = "") -> Answer:
    passage = call.world.enter(Kind.LIST, call.now, subscription=call.subscription)
    if passage.refused is not None:
        return passage.refused
    return passage.out(_paged(call, list_sets(call.world, kind, call.subscription, group)))


def _interfaces(call: _Call) -> Answer:
    passage = call.world.enter(Kind.INTERFACES, call.now, subscription=call.subscription)
    if passage.refused is not None:
        return passage.refused
    return passage.out(_paged(call, interfaces(call.world.dealt, call.subscription)))


def _paged(call: _Call, items: Sequence[object]) -> Answer:
    """One page of a list, with a `nextLink` that leads to the next as long as there is one."""
    begin = 0
    if "$skiptoken" in call.query:
        try:
            begin = int(urlsafe_b64decode(call.query["$skiptoken"]))
        except ValueError:
            return problem(
                400, "InvalidSkipToken", "The provided '$skiptoken' is not one that was given out."
            )
    body: Json = {"value": list(items[begin : begin + call.page_size])}
    if begin + call.page_size < len(items):
        token = urlsafe_b64encode(str(begin + call.page_size).encode()).decode()
        query = urlencode({**{k: v for k, v in call.query.items() if k != "$skiptoken"}, "$skiptoken": token})
        body["nextLink"] = f"{call.request.base}{call.request.path}?{query}"
    return Answer(200, {}, body)


def _nowhere(request: Request) -> Answer:
    message = f"This emulator of Azure Resource Manager has nothing for {request.method} {request.path}; see docs/emulator.md."
    return problem(404, "InvalidResourceType", message, headers=GATEWAY)
