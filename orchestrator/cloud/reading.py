"""Everything that is only looked at: instance views, sweeps, lists, operations.

Written once, for every way to an ARM: the way itself is a `Get`, which the adapters provide.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Any

from orchestrator.cloud import urls
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
from orchestrator.cloud.port import Ended, Operation, OperationState, Target, View
from orchestrator.cloud.rights import Rights, Role, role_from
from orchestrator.inventory.arm import instance_view_of
from orchestrator.inventory.ids import subscription_of
from orchestrator.inventory.model import MachineId, machine_id
from orchestrator.inventory.wire import objects

Get = Callable[[str, Asked], Awaitable[Received]]
"""One GET of a URL (to the byte) or of a path, whatever status it brings. Raises CloudError if no answer comes."""

Row = Mapping[str, Any]


async def view(get: Get, target: Target) -> View:
    """One instance view.

    Raises:
        CloudPermanent: With code `ResourceNotFound` if the machine is gone.
        CloudTransient, AccessDenied: It couldn't be read now, or not by this identity.
    """
    asked = viewing(target)
    received = await get(urls.instance_view(target.arm_id), asked)
    if received.status != HTTPStatus.OK:
        raise error_from_answer(received, asked)
    return view_of(received.body)


async def sweep(get: Get, subscription: str) -> dict[MachineId, View]:
    """The instance views of all machines of a subscription. Raises as `pages`."""
    asked = listing("machines", Permission.READ_MACHINES, subscription)
    views: dict[MachineId, View] = {}
    async for page in pages(get, urls.machines(subscription, status_only=True), asked):
        views.update({machine_id(str(item["id"])): view_of(instance_view_of(item)) for item in page})
    return views


async def poll(get: Get, operation: Operation) -> OperationState:
    """Look at an operation once, and fetch its result if it has just ended without telling it. Raises as `state_of`."""
    if not operation.status_url:  # it had ended with the answer that began it
        return Ended(True, {})
    asked = following(subscription_of(operation.status_url))
    state = state_of(operation, await get(operation.status_url, asked), asked)
    if isinstance(state, ResultElsewhere):
        return result_of(await get(operation.result_url, asked), asked)
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
