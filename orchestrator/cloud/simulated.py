"""A cloud without Azure, SDK or sockets: the emulator's world itself behind the port, in virtual time.

What is sent, how answers are read and what is made of cut connections and silence is the same as on the wire; only the
way there is shorter. So thousands of rollouts, with crashes at every point, take seconds.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

import orjson

from orchestrator.clock import Clock
from orchestrator.cloud import discovery, hybrid, reading, runs, urls
from orchestrator.cloud.answers import Received, answer_to_start, received, view_of
from orchestrator.cloud.asked import Asked
from orchestrator.cloud.commands import command_name, forgetting_command
from orchestrator.cloud.emulated import Cut, Watch, exchange, unwatched
from orchestrator.cloud.listing import read_inventory
from orchestrator.cloud.orders import Action, Order, assessment_order, change_order
from orchestrator.cloud.port import (
    AZURE_VMS,
    Answer,
    Budgeted,
    Operation,
    OperationState,
    Rate,
    Rejected,
    Target,
    Unsettled,
    View,
)
from orchestrator.cloud.rates import RATES
from orchestrator.cloud.rights import Rights
from orchestrator.emulator import arc
from orchestrator.emulator.world import PUBLIC, World
from orchestrator.errors import CloudTransient
from orchestrator.inventory.discovery import Discovery, Listen, nobody
from orchestrator.inventory.model import Inventory, Kind, MachineId
from orchestrator.policy.change import Simple

READ_TIMEOUT_S = 60.0
IDENTITY = {"Authorization": "Bearer simulated"}


class SimulatedProvider:
    """The `CloudProvider` of one emulated world."""

    def __init__(self, world: World, clock: Clock, watch: Watch = unwatched) -> None:
        self._world = world
        self._clock = clock
        self._watch = watch

    @property
    def rates(self) -> Mapping[Budgeted, Rate]:
        """As Azure's, which the world enforces."""
        return RATES

    async def inventory(self, subscriptions: Sequence[str]) -> Inventory:
        """Everything that these subscriptions hold; see the port."""
        return await read_inventory(self._get, subscriptions, self._clock.now())

    async def discover(
        self,
        subscriptions: Sequence[str] | None,
        listen: Listen = nobody,
        *,
        updates: bool = False,
    ) -> Discovery:
        """What any number of subscriptions hold; see the port."""
        return await discovery.discover(
            self._get, self._query, self._clock, subscriptions, listen, updates=updates
        )

    async def view(self, target: Target, *, runs: bool = True) -> View:
        """One instance view; see the port."""
        return await reading.view(self._get, self._query, target, runs=runs)

    async def sweep(self, subscription: str, kinds: Collection[Kind] = AZURE_VMS) -> Mapping[MachineId, View]:
        """All views of a subscription; see the port."""
        return await reading.sweep(self._get, subscription, kinds)

    async def patches_of(self, target: Target, installation_id: str) -> Sequence[Mapping[str, Any]]:
        """What a run did with each patch; see the port."""
        return await hybrid.patches_of_run(self._query, target, installation_id)

    async def patches_found(self, target: Target, assessment_id: str) -> Sequence[Mapping[str, Any]] | None:
        """What an assessment found; see the port."""
        return await hybrid.patches_found(self._query, target, assessment_id)

    async def start(self, target: Target, change: Simple, key: str, timeout_s: float) -> Answer:
        """Begin `change`; see the port."""
        return await self._begin(target, change_order(target, change), key, timeout_s)

    async def assess(self, target: Target, key: str, timeout_s: float) -> Answer:
        """Begin an assessment; see the port."""
        return await self._begin(target, assessment_order(target), key, timeout_s)

    async def poll(self, operation: Operation) -> OperationState:
        """Look at an operation once; see the port."""
        return await reading.poll(self._get, self._query, operation)

    async def operation_of(self, target: Target, operation_id: str) -> Operation:
        """Where an operation can be followed; see the port."""
        return _located(target, operation_id)

    async def patch_runs(self, subscriptions: Sequence[str]) -> Sequence[Mapping[str, Any]]:
        """The history of patch runs; see the port."""
        return await runs.patch_runs(self._query, self._clock, subscriptions)

    async def patch_assessments(self, subscriptions: Sequence[str]) -> Sequence[Mapping[str, Any]]:
        """The assessments that Azure remembers; see the port."""
        return await runs.patch_assessments(self._query, self._clock, subscriptions)

    async def command_of(self, target: Target, key: str) -> Operation:
        """Where a run command can be followed; see the port."""
        return Operation(PUBLIC + urls.command(target.arm_id, command_name(key)))

    async def forget_command(self, target: Target, key: str) -> None:
        """Take a run command away; see the port."""
        url = urls.command(target.arm_id, command_name(key))
        await self._read("DELETE", url, b"", forgetting_command(target))

    async def rights(self, subscription: str, resource_group: str = "") -> Rights:
        """What this identity may do; see the port."""
        return await reading.rights(self._get, subscription, resource_group)

    async def close(self) -> None:
        """Nothing is held."""

    async def _get(self, url: str, asked: Asked) -> Received:
        return await self._read("GET", url, b"", asked)

    async def _query(self, body: Mapping[str, Any], asked: Asked) -> Received:
        return await self._read("POST", urls.resource_graph(), orjson.dumps(body), asked)

    async def _read(self, method: str, url: str, body: bytes, asked: Asked) -> Received:
        try:
            return await self._send(method, url, IDENTITY, body, READ_TIMEOUT_S)
        except Cut:
            raise CloudTransient(
                f"{asked.what} failed: the connection was lost", code="ConnectionLost"
            ) from None
        except TimeoutError:
            raise CloudTransient(f"{asked.what} failed: no answer in time", code="TimedOut") from None

    async def _begin(self, target: Target, order: Order | Rejected, key: str, timeout_s: float) -> Answer:
        if isinstance(order, Rejected):
            return order
        asked, url, method = order.asked, urls.action(target.arm_id, order.action), "POST"
        if order.action is Action.RUN_COMMAND:
            url, method = urls.command(target.arm_id, command_name(key)), "PUT"
        elif order.action is Action.WRITE_SETTINGS:
            url, method = urls.machine(target.arm_id), "PATCH"
        headers = {**IDENTITY, "x-ms-client-request-id": key}
        body = b"" if order.body is None else orjson.dumps(order.body)
        try:
            answer = await self._send(method, url, headers, body, timeout_s)
        except Cut:
            return Unsettled(f"{asked.what}: no answer (the connection was lost)")
        except TimeoutError:
            return Unsettled(f"{asked.what}: no answer within {timeout_s:g} s")
        return answer_to_start(answer, asked, lambda activity: _located(target, activity))

    async def _send(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes, timeout_s: float
    ) -> Received:
        """One exchange. Time-outs are real time, as everywhere; in virtual time there is no other.

        How late an answer comes is known before it does, so no timer is needed.
        """
        patience_s = timeout_s * self._clock.scale
        response = await exchange(
            self._world, self._clock, method, url, headers, body, self._watch, patience_s
        )
        return received(response.status, response.headers, response.body)


class GlancingProvider(SimulatedProvider):
    """The same, and whoever asks for all of a subscription's views gets those that changed made anew, and the others as they were.

    Such lists are most of what a long rollout costs, and mostly nothing has changed. They are free here: no fault strikes them, no
    rate limit counts them.
    """

    def __init__(self, world: World, clock: Clock, watch: Watch = unwatched) -> None:
        super().__init__(world, clock, watch)
        self._seen: dict[MachineId, tuple[tuple[object, ...], View]] = {}

    async def sweep(self, subscription: str, kinds: Collection[Kind] = AZURE_VMS) -> Mapping[MachineId, View]:
        """All views of a subscription; see the port."""
        now = self._clock.now()
        return {
            machine: self._glance(machine, now)
            for machine in self._world.machines(subscription)
            if (state := self._world.state(machine)) is not None and state.record.kind in kinds
        }

    def _glance(self, machine: MachineId, now: datetime) -> View:
        looks = self._world.appearance(machine, now)
        seen = self._seen.get(machine)
        if seen is None or seen[0] != looks:
            seen = self._seen[machine] = looks, self._look(machine, now)
        return seen[1]

    def _look(self, machine: MachineId, now: datetime) -> View:
        state = self._world.state(machine)
        if state is not None and arc.is_arc(state.record):
            return hybrid.view_of_machine(arc.machine_model(state, now))
        return view_of(self._world.view(machine, now))


def _located(target: Target, operation_id: str) -> Operation:
    if target.kind is not Kind.AZURE_VM:
        return hybrid.run_of(target, operation_id)
    return Operation(PUBLIC + urls.operation(target, operation_id))
