"""Azure itself, behind the port: one call, one request (lists apart)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from azure.core.credentials_async import AsyncTokenCredential

from orchestrator.clock import Clock
from orchestrator.cloud import discovery, hybrid, reading, runs, urls
from orchestrator.cloud.arm import operations
from orchestrator.cloud.arm.client import PUBLIC_ENDPOINT, ArmClient
from orchestrator.cloud.arm.connections import Session
from orchestrator.cloud.arm.hearing import Hear, unheard
from orchestrator.cloud.commands import command_name, forgetting_command
from orchestrator.cloud.listing import read_inventory
from orchestrator.cloud.orders import Order, assessment_order, change_order
from orchestrator.cloud.port import (
    AZURE_VMS,
    Answer,
    Budgeted,
    Operation,
    OperationState,
    Rate,
    Rejected,
    Target,
    View,
)
from orchestrator.cloud.rates import RATES
from orchestrator.cloud.rights import Rights
from orchestrator.inventory.discovery import Discovery, Listen, nobody
from orchestrator.inventory.model import Inventory, Kind, MachineId
from orchestrator.policy.change import Simple


class ArmProvider:
    """The `CloudProvider` of Azure Resource Manager, or of an emulator on this machine that speaks like it."""

    def __init__(
        self,
        clock: Clock,
        *,
        endpoint: str = PUBLIC_ENDPOINT,
        credential: AsyncTokenCredential | None = None,
        session: Session | None = None,
        hear: Hear = unheard,
    ) -> None:
        """`endpoint` is another ARM: a sovereign cloud's, or an emulator's `http://127.0.0.1:PORT`.

        `credential` is azure-identity's default chain unless given; an emulator is shown none. With a `session` no
        socket is used, and time may be virtual. `hear` is told of each request that was sent.

        Raises:
            UsageError: A token may not be sent to this endpoint.
        """
        self._clock = clock
        self._client = ArmClient(
            endpoint, credential=credential, time_scale=clock.scale, session=session, hear=hear
        )

    @property
    def rates(self) -> Mapping[Budgeted, Rate]:
        """What Azure allows; see `cloud.rates`."""
        return RATES

    async def inventory(self, subscriptions: Sequence[str]) -> Inventory:
        """Everything that these subscriptions hold; see the port."""
        return await read_inventory(self._client.get, subscriptions, self._clock.now())

    async def discover(
        self, subscriptions: Sequence[str] | None, listen: Listen = nobody, *, updates: bool = False
    ) -> Discovery:
        """What any number of subscriptions hold; see the port."""
        return await discovery.discover(
            self._client.get, self._client.query, self._clock, subscriptions, listen, updates=updates
        )

    async def view(self, target: Target, *, runs: bool = True) -> View:
        """One instance view; see the port."""
        return await reading.view(self._client.get, self._client.query, target, runs=runs)

    async def sweep(self, subscription: str, kinds: Collection[Kind] = AZURE_VMS) -> Mapping[MachineId, View]:
        """All views of a subscription; see the port."""
        return await reading.sweep(self._client.get, subscription, kinds)

    async def patches_of(self, target: Target, installation_id: str) -> Sequence[Mapping[str, Any]]:
        """What a run did with each patch; see the port."""
        return await hybrid.patches_of_run(self._client.query, target, installation_id)

    async def patches_found(self, target: Target, assessment_id: str) -> Sequence[Mapping[str, Any]] | None:
        """What an assessment found; see the port."""
        return await hybrid.patches_found(self._client.query, target, assessment_id)

    async def start(self, target: Target, change: Simple, key: str, timeout_s: float) -> Answer:
        """Begin `change`; see the port."""
        return await self._begin(target, change_order(target, change), key, timeout_s)

    async def assess(self, target: Target, key: str, timeout_s: float) -> Answer:
        """Begin an assessment; see the port."""
        return await self._begin(target, assessment_order(target), key, timeout_s)

    async def poll(self, operation: Operation) -> OperationState:
        """Look at an operation once; see the port."""
        return await reading.poll(self._client.get, self._client.query, operation)

    async def operation_of(self, target: Target, operation_id: str) -> Operation:
        """Where an operation can be followed; see the port."""
        return operations.operation_of(self._client, target, operation_id)

    async def patch_runs(self, subscriptions: Sequence[str]) -> Sequence[Mapping[str, Any]]:
        """The history of patch runs; see the port."""
        return await runs.patch_runs(self._client.query, self._clock, subscriptions)

    async def patch_assessments(self, subscriptions: Sequence[str]) -> Sequence[Mapping[str, Any]]:
        """The assessments that Azure remembers; see the port."""
        return await runs.patch_assessments(self._client.query, self._clock, subscriptions)

    async def command_of(self, target: Target, key: str) -> Operation:
        """Where a run command can be followed; see the port."""
        return Operation(self._client.endpoint + urls.command(target.arm_id, command_name(key)))

    async def forget_command(self, target: Target, key: str) -> None:
        """Take a run command away; see the port."""
        asked = forgetting_command(target)
        url = urls.command(target.arm_id, command_name(key))
        await self._client.delete(url, asked)

    async def rights(self, subscription: str, resource_group: str = "") -> Rights:
        """What this identity may do; see the port."""
        return await reading.rights(self._client.get, subscription, resource_group)

    async def close(self) -> None:
        """Give back connections."""
        await self._client.close()

    async def _begin(self, target: Target, order: Order | Rejected, key: str, timeout_s: float) -> Answer:
        if isinstance(order, Rejected):
            return order
        return await operations.begin(self._client, target, order, key, timeout_s)
