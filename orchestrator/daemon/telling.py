"""The daemon tells people of itself: what is the matter is looked at now and then and written down, and told until it is heard.

As notices of rollouts are told (`executor.tell`), with the same patience: a webhook that doesn't answer is written down once, however
often it is called, and what it wasn't told is told once it answers, also by the next process.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

import structlog

from orchestrator.daemon.matters import Seen, matters_of
from orchestrator.daemon.operating import Tell
from orchestrator.rollout import events as e
from orchestrator.rollout.matters import News
from orchestrator.rollout.notices import decide_receivers_of
from orchestrator.rollout.tidings import (
    body_of_news,
    decide_matters,
    decide_news_told,
    decide_receivers,
    news_key,
)
from orchestrator.service.happenings import Decided
from orchestrator.wiring.rollout import ScopeHost

log = structlog.get_logger("wavekeeper.told")

LOOK_EVERY: Final = timedelta(seconds=20)
"""How often it is looked what is the matter."""


@dataclass(slots=True)
class Telling:
    """Who is told by the daemon. `wanted` is what the configuration says now, `see` what the daemon knows now."""

    house: ScopeHost
    wanted: Callable[[], Tell]
    see: Callable[[], Seen]
    _news: asyncio.Event = field(default_factory=asyncio.Event)
    _telling: set[str] = field(default_factory=set)  # webhooks that are being called

    async def name_receivers(self) -> None:
        """Write down who is told, if that differs: before anything is driven, so that it is told of all of it."""
        scope, receivers = self.house.log.scope, self.wanted().receivers
        await self._record(decide_receivers(scope, receivers))
        for rollout in list(scope.rollouts.values()):
            await self._record(decide_receivers_of(rollout, receivers), rollout.id)

    async def look(self) -> None:
        """For ever: write down what came up and what is over."""
        while True:
            await self.name_receivers()
            await self._record(decide_matters(self.house.log.scope, matters_of(self.see())))
            await self.house.services.clock.sleep(LOOK_EVERY.total_seconds())

    async def tell(self) -> None:
        """For ever: tell what isn't told, to each receiver one after another, beside the others."""
        with self.house.log.listening(self._heard):
            async with asyncio.TaskGroup() as group:
                while True:
                    self._news.clear()
                    for webhook, untold in self.house.log.scope.tidings.untold.items():
                        if untold and webhook not in self._telling:
                            self._telling.add(webhook)
                            group.create_task(self._tell_all(webhook))
                    await self._news.wait()

    def _heard(self, decided: Decided) -> None:
        if any(isinstance(fact, e.MatterEvent) for fact in decided.facts):
            self._news.set()

    async def _tell_all(self, webhook: str) -> None:
        try:
            while (news := self._next(webhook)) is not None:
                await self._tell_one(webhook, news)
        finally:
            self._telling.discard(webhook)

    def _next(self, webhook: str) -> News | None:
        """What it is to be told next; None once there is nothing, or it is no receiver any more."""
        return next(iter(self.house.log.scope.tidings.untold.get(webhook, {}).values()), None)

    async def _tell_one(self, webhook: str, news: News) -> None:
        """Until it is heard, or it isn't to be told any more."""
        services, scope = self.house.services, self.house.log.scope
        settings, clock = services.settings, services.clock
        failing = webhook in scope.tidings.mute
        until = clock.now() + settings.tell_for
        await self.house.log.durable()
        while self._next(webhook) == news:
            body = body_of_news(news, settings.link_base)
            delivery = await services.webhooks.call(webhook, news_key(news), body, settings.request_timeout_s)
            pause = settings.tell_every if failing else settings.step_retry
            late = not failing and clock.now() + pause >= until
            if delivery.ok or late:
                facts = decide_news_told(
                    scope, webhook, news.number, ok=delivery.ok, evidence=delivery.evidence
                )
                await self._record(facts)
                failing = not delivery.ok
                if delivery.ok:
                    log.info("told", webhook=webhook, about=news.matter.text, over=news.over)
                    return
                log.warning("can not be told, and is tried on", webhook=webhook, why=delivery.evidence)
                pause = settings.tell_every
            await clock.sleep(pause.total_seconds())

    async def _record(self, facts: tuple[e.Event, ...], rollout: str = "") -> None:
        if facts:
            await self.house.record(facts, rollout)
