"""Instance views, shared: whoever wants one soon rides along in a sweep, if that takes fewer requests."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta

from orchestrator.clock import Clock
from orchestrator.cloud.graph import RATE_LIMITED
from orchestrator.cloud.port import AZURE_VMS, Budgeted, CloudProvider, Target, View
from orchestrator.errors import CloudError, CloudPermanent, CloudTransient
from orchestrator.executor.dispatch import Dispatcher
from orchestrator.executor.settings import Settings
from orchestrator.inventory.model import Kind, MachineId

EVERYWHERE = ""
"""The region of a request that lists a subscription as a whole."""

GRAPH = ("", EVERYWHERE, Budgeted.GRAPH)
"""The queue of Resource Graph, which counts an identity's queries whatever they are about."""


class Views:
    """The last view of each machine, and the cheapest way to a newer one."""

    def __init__(
        self, cloud: CloudProvider, dispatcher: Dispatcher, clock: Clock, settings: Settings
    ) -> None:
        self._cloud = cloud
        self._dispatcher = dispatcher
        self._clock = clock
        self._settings = settings
        self.swept_at: datetime | None = None  # when a whole subscription was last looked at
        self._latest: dict[MachineId, tuple[datetime, View]] = {}
        self._size: dict[str, int] = {}  # machines of a subscription, as the last sweep counted them
        self._wanted: dict[str, dict[MachineId, tuple[Target, asyncio.Future[View]]]] = defaultdict(dict)
        self._rounds: dict[str, asyncio.Task[None]] = {}
        self._swept: dict[str, tuple[datetime, frozenset[Kind], Mapping[MachineId, View]]] = {}
        self._turns: dict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def read(self, target: Target, *, runs: bool = True) -> View:
        """One machine, now: a request, and for the last patch run of an Arc machine another. Raises the errors of the port."""
        queue = (target.subscription, target.location, Budgeted.GET)
        await self._dispatcher.turn(*queue)
        if runs and target.kind is not Kind.AZURE_VM:
            await self._dispatcher.turn(*GRAPH)
        asked_at = self._clock.now()
        try:
            view = await self._cloud.view(target, runs=runs)
        except CloudTransient as error:
            if error.retry_after_s is not None:
                held = GRAPH if error.code == RATE_LIMITED else queue
                self._dispatcher.hold(*held, error.retry_after_s)
            raise
        self._latest[target.id] = (asked_at, view)
        return view

    def latest(self, machine: MachineId, not_before: datetime) -> View | None:
        """What was seen since `not_before`, if anything."""
        seen = self._latest.get(machine)
        return seen[1] if seen is not None and seen[0] >= not_before else None

    async def fresh(self, target: Target) -> View:
        """A view taken from now on, together with whoever else wants one within a moment. Raises as `read`."""
        wanted = self._wanted[target.subscription]
        if target.id not in wanted:
            wanted[target.id] = (target, asyncio.get_running_loop().create_future())
        if target.subscription not in self._rounds:
            self._rounds[target.subscription] = asyncio.create_task(self._round(target.subscription))
        return await asyncio.shield(wanted[target.id][1])

    async def _round(self, subscription: str) -> None:
        """Serve all wishes that gathered for a subscription; those for a sweep gather for as long as another one is under way.

        A sweep that takes longer than wishes gather would have the next one wait behind it, and that the next: each of them late, and later.
        """
        await self._clock.sleep(self._settings.gather.total_seconds())
        turn = self._turns[subscription]
        while turn.locked() and len(self._wanted[subscription]) > self._pages(subscription):
            async with turn:
                pass
        self._rounds.pop(subscription)
        wishes = self._wanted.pop(subscription)
        try:
            await self._serve(subscription, wishes)
        except Exception as error:  # noqa: BLE001 - whoever waits must hear of it, whatever it is
            for _, answer in wishes.values():
                _fail(answer, error)

    async def _serve(
        self, subscription: str, wishes: Mapping[MachineId, tuple[Target, asyncio.Future[View]]]
    ) -> None:
        """By a sweep or one by one, whichever takes fewer requests."""
        if len(wishes) <= self._pages(subscription):
            await asyncio.gather(*(self._one(target, answer) for target, answer in wishes.values()))
            return
        views = await self.sweep(subscription, frozenset(target.kind for target, _ in wishes.values()))
        for machine, (target, answer) in wishes.items():
            if machine in views:
                _give(answer, views[machine])
            else:
                gone = CloudPermanent(f"{target.name} is not listed any more", code="ResourceNotFound")
                _fail(answer, gone)

    def _pages(self, subscription: str) -> int:
        """How many requests a sweep takes."""
        return -(-self._size.get(subscription, self._settings.page * 5) // self._settings.page)

    async def close(self) -> None:
        """Serve nobody any more."""
        rounds = list(self._rounds.values())
        for one in rounds:
            one.cancel()
        await asyncio.gather(*rounds, return_exceptions=True)

    async def _one(self, target: Target, answer: asyncio.Future[View]) -> None:
        try:
            _give(answer, await self.read(target, runs=False))
        except CloudError as error:
            _fail(answer, error)

    async def sweep(
        self, subscription: str, kinds: Collection[Kind] = AZURE_VMS, within: timedelta = timedelta(0)
    ) -> Mapping[MachineId, View]:
        """All views of a subscription's machines of these kinds, in pages; those that somebody asked for `within` that time will do.

        Rollouts that look at the same fleet look together. Raises the errors of the port.
        """
        async with self._turns[subscription]:
            known = self._swept.get(subscription)
            if known is not None and known[1] >= frozenset(kinds) and self._clock.now() - known[0] < within:
                return known[2]
            asked_at, views = await self._sweep(subscription, kinds)
            self._swept[subscription] = (asked_at, frozenset(kinds), views)
            return views

    def asked_at(self, subscription: str) -> datetime | None:
        """When the last sweep of a subscription was asked for; None before there was one."""
        known = self._swept.get(subscription)
        return None if known is None else known[0]

    async def _sweep(
        self, subscription: str, kinds: Collection[Kind]
    ) -> tuple[datetime, Mapping[MachineId, View]]:
        await self._dispatcher.turn(subscription, EVERYWHERE, Budgeted.LIST)
        asked_at = self._clock.now()
        try:
            views = await self._cloud.sweep(subscription, kinds)
        except CloudTransient as error:
            if error.retry_after_s is not None:
                self._dispatcher.hold(subscription, EVERYWHERE, Budgeted.LIST, error.retry_after_s)
            raise
        self.swept_at = asked_at
        self._size[subscription] = len(views)
        self._latest.update((machine, (asked_at, view)) for machine, view in views.items())
        return asked_at, views


def _give(answer: asyncio.Future[View], view: View) -> None:
    if not answer.done():
        answer.set_result(view)


def _fail(answer: asyncio.Future[View], error: Exception) -> None:
    if not answer.done():
        answer.set_exception(error)
        answer.exception()  # looked at here, since whoever wanted it may have been cancelled
