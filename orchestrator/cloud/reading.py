"""Everything that is only looked at: instance views, sweeps, lists, operations.

Written once, for every way to an ARM: the way itself is a `Get`, which the adapters provide.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import replace
from http import HTTPStatus
from typing import Any

from orchestrator.cloud import hybrid, urls
from orchestrator.cloud.answers import (
    Received,
    ResultElsewhere,
    error_from_answer,
    moment_of,
    result_of,
    state_of,
    view_of,
)
from orchestrator.cloud.asked import Asked, Permission, following, listing, viewing
from orchestrator.cloud.commands import command_state
from orchestrator.cloud.graph import Query
from orchestrator.cloud.port import Ended, Operation, OperationState, Target, View
from orchestrator.cloud.rights import Rights, Role, role_from
from orchestrator.inventory.arm import instance_view_of
from orchestrator.inventory.model import Kind, MachineId, machine_id
from orchestrator.inventory.wire import objects

Get = Callable[[str, Asked], Awaitable[Received]]
"""One GET of a URL (to the byte) or of a path, whatever status it brings. Raises CloudError if no answer comes."""

Row = Mapping[str, Any]


async def view(get: Get, query: Query, target: Target, *, runs: bool = True) -> View:
    """One instance view; of an Arc machine its model and, with `runs`, what Resource Graph knows of its last patch run.

    Raises:
        CloudPermanent: With code `ResourceNotFound` if the machine is gone.
        CloudTransient, AccessDenied: It couldn't be read now, or not by this identity.
    """
    asked, arc = viewing(target), target.kind is not Kind.AZURE_VM
    received = await get((urls.machine if arc else urls.instance_view)(target.arm_id), asked)
    if received.status != HTTPStatus.OK:
        raise error_from_answer(received, asked)
    if not arc:
        return view_of(received.body)
    seen = hybrid.view_of_machine(received.body)
    return hybrid.with_run(seen, await hybrid.last_run(query, target)) if runs else seen


async def sweep(get: Get, subscription: str, kinds: Collection[Kind]) -> dict[MachineId, View]:
    """The views of all machines of these kinds in a subscription. Raises as `pages`."""
    views: dict[MachineId, View] = {}
    if Kind.AZURE_VM in kinds:
        asked = listing("machines", Permission.READ_MACHINES, subscription)
        async for page in pages(get, urls.machines(subscription, status_only=True), asked):
            views.update({machine_id(str(item["id"])): view_of(instance_view_of(item)) for item in page})
    if set(kinds) - {Kind.AZURE_VM}:
        asked = listing("Arc machines", Permission.READ_ARC_MACHINES, subscription)
        async for page in pages(get, urls.arc_machines(subscription), asked):
            views.update({machine_id(str(item["id"])): hybrid.view_of_machine(item) for item in page})
    return views


async def poll(get: Get, query: Query, operation: Operation) -> OperationState:
    """Look at an operation once, and fetch its result if it has just ended without telling it. Raises as `state_of`."""
    if urls.is_command(operation.status_url):
        on_arc = "/microsoft.hybridcompute/" in operation.status_url.lower()
        permission = Permission.READ_ARC_COMMANDS if on_arc else Permission.READ_COMMANDS
        asked = Asked("looking at a run command", permission, operation.status_url)
        return command_state(await get(operation.status_url, asked), asked)
    if not operation.status_url:  # it had ended with the answer that began it
        return Ended(True, {})
    if hybrid.is_run(operation):
        return await hybrid.poll_run(query, operation)
    asked = following(operation.status_url)
    state = state_of(operation, await get(operation.status_url, asked), asked)
    if isinstance(state, ResultElsewhere):
        return result_of(await get(operation.result_url, asked), asked)
    if isinstance(state, Ended) and "/microsoft.hybridcompute/" in operation.status_url.lower():
        return replace(state, result=hybrid.as_compute(state.result))
    return state


async def rights(get: Get, subscription: str, resource_group: str = "") -> Rights:
    """What this identity may do in a subscription, or in one of its resource groups.

    Raises:
        AccessDenied: Not even this may be asked: the identity has no role there, or there is no such subscription.
        CloudTransient, CloudPermanent: The list couldn't be read.
    """
    group = f", resource group {resource_group}" if resource_group else ""
    scope = f"subscription {subscription}{group}"
    asked = Asked(f"asking what this identity may do in {scope}", Permission.READ_PERMISSIONS, scope)
    roles: list[Role] = []
    told_at = None
    url = urls.permissions(subscription, resource_group)
    while url:
        received = await get(url, asked)
        if received.status != HTTPStatus.OK:
            raise error_from_answer(received, asked)
        told_at = told_at or moment_of(received)
        roles += map(role_from, objects(received.body, "value"))
        url = str(received.body.get("nextLink") or "")
    return Rights(tuple(roles), told_at)


async def pages(get: Get, path: str, asked: Asked) -> AsyncIterator[Sequence[Row]]:
    """The pages of a list, each `nextLink` followed to the byte.

    Raises:
        CloudTransient, CloudPermanent, AccessDenied: A page couldn't be read.
    """
    url = path
    while url:
        received = await get(url, asked)
        if received.status != HTTPStatus.OK:
            raise error_from_answer(received, asked)
        yield received.body.get("value") or ()
        url = received.body.get("nextLink") or ""
