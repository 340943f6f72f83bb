"""The routes of Microsoft.HybridCompute, of Resource Graph and of subscriptions themselves."""

from __future__ import annotations

from orchestrator.emulator import arc, resource_graph
from orchestrator.emulator.call import Call, nowhere, paged, read_body
from orchestrator.emulator.command_routes import managed_command
from orchestrator.emulator.problems import invalid
from orchestrator.emulator.state import Answer, Kind
from orchestrator.emulator.views import subscription_model


def without_subscription(call: Call) -> Answer:
    """What is asked of ARM as a whole."""
    if call.request.method == "GET" and call.parts == ["subscriptions"]:
        return _subscriptions(call)
    if call.request.method == "POST" and "/" + "/".join(call.parts) == resource_graph.PATH:
        body = read_body(call.request.body)
        return body if isinstance(body, Answer) else resource_graph.answer(call.world, body, call.now)
    return nowhere(call.request)


def _subscriptions(call: Call) -> Answer:
    passage = call.world.enter(Kind.SUBSCRIPTIONS, call.now, subscription="")
    if passage.refused is not None:
        return passage.refused
    return passage.out(paged(call, [subscription_model(one) for one in call.world.dealt.subscriptions]))


def subscription(call: Call) -> Answer:
    """One subscription."""
    passage = call.world.enter(Kind.SUBSCRIPTIONS, call.now, subscription=call.subscription)
    return passage.refused or passage.out(Answer(200, {}, subscription_model(call.subscription)))


def machines(call: Call, group: str = "") -> Answer:
    """The Arc machines of a subscription, or of one of its resource groups."""
    passage = call.world.enter(Kind.LIST, call.now, subscription=call.subscription)
    if passage.refused is not None:
        return passage.refused
    states = [
        state for state in map(call.world.state, call.world.machines(call.subscription)) if state is not None
    ]
    within = f"/resourcegroups/{group}/" if group else ""
    held = [state for state in states if arc.is_arc(state.record) and within in state.id]
    page = paged(call, held)
    if page.body is not None and page.status == 200:
        page.body["value"] = [arc.machine_model(state, call.now) for state in page.body["value"]]
    return passage.out(page)


def in_group(call: Call, method: str, group: str, rest: list[str]) -> Answer:
    """What is asked of one Arc machine, or of those of a resource group. There is no restarting them."""
    machine = "/" + "/".join(call.spelled[:8])
    match method, *rest:
        case ("GET",):
            return machines(call, group)
        case "GET", _:
            return call.world.get(machine, call.now)
        case "POST", _, "installpatches" | "assesspatches" as action:
            return _start(call, machine, action)
        case _, _, "runcommands", *name:
            return managed_command(call, method, machine, name)
        case _:
            return nowhere(call.request)


def _start(call: Call, machine: str, action: str) -> Answer:
    """As Compute's, but that a run must be told how long it may take."""
    body = read_body(call.request.body)
    if isinstance(body, Answer):
        return body
    request_id = call.request.headers.get("x-ms-client-request-id", "")
    if action == "assesspatches":
        return call.world.assess(machine, call.now, request_id, call.request.base)
    if body.get("maximumDuration") is None:
        return invalid("maximumDuration", "Required parameter 'maximumDuration' is missing (null).")
    return call.world.install(machine, body, call.now, request_id, call.request.base)
