"""Begin work.

Starts go through the SDK's own `begin_...` methods, which know path, version and coding; its poller is never used, since
following an operation is the scheduler's affair. The answer is taken from the response itself, by a hook, before the SDK
makes an exception of it or trips over a header that it can't read.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, assert_never

from azure.core.exceptions import ResponseNotReadError
from azure.core.pipeline import PipelineRequest, PipelineResponse
from azure.core.rest import AsyncHttpResponse, HttpRequest

from orchestrator.cloud import answers, hybrid, urls
from orchestrator.cloud.answers import Received, received
from orchestrator.cloud.arm.client import ArmClient
from orchestrator.cloud.arm.errors import error_from, surely_unsent, told
from orchestrator.cloud.asked import Asked
from orchestrator.cloud.commands import command_name
from orchestrator.cloud.orders import Action, Order
from orchestrator.cloud.port import Answer, Operation, Rejected, Target, Unsettled
from orchestrator.errors import CloudError
from orchestrator.inventory.model import Kind


async def begin(client: ArmClient, target: Target, order: Order, key: str, timeout_s: float) -> Answer:
    """Send the one request that begins something, and say what is sure of it. `timeout_s` is real time.

    No retry is asked for because the client's pipeline has none.

    Raises:
        AccessDenied: There was no token to send; nothing was sent.
        CloudTransient: The sign-in service didn't answer; nothing was sent.
    """
    call = _call(client, target, order, key)
    left: list[HttpRequest] = []
    heard: list[AsyncHttpResponse] = []

    def leave(request: PipelineRequest[HttpRequest]) -> None:  # the pipeline's last step before the transport
        left.append(request.http_request)

    def hear(response: PipelineResponse[HttpRequest, AsyncHttpResponse]) -> None:
        heard.append(response.http_response)

    try:
        async with asyncio.timeout(timeout_s), client.starts:
            await call(
                polling=False,
                raw_request_hook=leave,
                raw_response_hook=hear,
                headers={"x-ms-client-request-id": key},
            )
    except CloudError:
        raise
    except Exception as error:  # noqa: BLE001 - whatever it is, the request may have arrived, and that must be said
        if not heard:
            unsent = surely_unsent(error) or (isinstance(error, TimeoutError) and not left)
            return _unanswered(error, order.asked, client.endpoint, timeout_s, unsent=unsent)
    return answers.answer_to_start(
        _told_by(heard[-1]), order.asked, lambda activity: operation_of(client, target, activity)
    )


def operation_of(client: ArmClient, target: Target, operation_id: str) -> Operation:
    """Where an operation can be followed whose id is all that is known. Such a URL carries no signature."""
    if target.kind is not Kind.AZURE_VM:
        return hybrid.run_of(target, operation_id)
    return Operation(client.endpoint + urls.operation(target, operation_id))


def _call(client: ArmClient, target: Target, order: Order, key: str) -> Callable[..., Awaitable[Any]]:
    """The SDK's method for this order, with everything bound but the options that all of them take."""
    if target.kind is not Kind.AZURE_VM:
        return _call_on_arc(client, target, order, key)
    machines = client.compute(target.subscription).virtual_machines
    match order.action:
        case Action.INSTALL:
            return partial(machines.begin_install_patches, target.resource_group, target.name, order.body)
        case Action.ASSESS:
            return partial(machines.begin_assess_patches, target.resource_group, target.name)
        case Action.RESTART:
            return partial(machines.begin_restart, target.resource_group, target.name)
        case Action.WRITE_SETTINGS:
            return partial(machines.begin_update, target.resource_group, target.name, order.body)
        case Action.RUN_COMMAND:
            commands = client.compute(target.subscription).virtual_machine_run_commands
            where = target.resource_group, target.name, command_name(key)
            return partial(commands.begin_create_or_update, *where, order.body)
        case _:
            assert_never(order.action)


def _call_on_arc(client: ArmClient, target: Target, order: Order, key: str) -> Callable[..., Awaitable[Any]]:
    """The same for a machine of Azure Arc or Azure Local, which nothing restarts."""
    arc, where = client.hybrid(target.subscription), (target.resource_group, target.name)
    match order.action:
        case Action.INSTALL:
            return partial(arc.machines.begin_install_patches, *where, order.body)
        case Action.ASSESS:
            return partial(arc.machines.begin_assess_patches, *where)
        case Action.RUN_COMMAND:
            return partial(
                arc.machine_run_commands.begin_create_or_update, *where, command_name(key), order.body
            )
        case _:
            raise AssertionError(f"orders know that Arc can't be told to {order.action}")


def _unanswered(
    error: Exception, asked: Asked, endpoint: str, timeout_s: float, *, unsent: bool
) -> Rejected | Unsettled:
    if unsent:
        known = error_from(error, asked, endpoint)
        return Rejected(known.code, str(known), transient=True)
    if isinstance(error, TimeoutError):
        return Unsettled(f"{asked.what}: no answer within {timeout_s:g} s")
    return Unsettled(f"{asked.what}: no answer ({told(error)})")


def _told_by(response: AsyncHttpResponse) -> Received:
    """Status and headers as they came; the body too, unless it was cut off. A 202 says all in its headers."""
    try:
        body = response.content
    except ResponseNotReadError:
        body = b""
    return received(response.status_code, response.headers, body)
