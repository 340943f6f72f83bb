"""Opening rollouts when they are due: the calendar, looked at now and then, and what keeps a moment of it waiting."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from types import MappingProxyType
from typing import Final

import structlog

from orchestrator.daemon.apart import Apart
from orchestrator.daemon.calendar import Due, Entry, calendar, campaign_of, opened
from orchestrator.daemon.config import Config
from orchestrator.daemon.fleet import FRESH, Fleet, Known
from orchestrator.daemon.following import Following, Good
from orchestrator.daemon.observing import Observations
from orchestrator.daemon.stragglers import Tried, is_new, settled, tried, with_stragglers
from orchestrator.daemon.vetting import plan_campaign
from orchestrator.errors import JournalError, Refused, StaleLease, WavekeeperError
from orchestrator.executor.whole import read_whole
from orchestrator.inventory.model import MachineId
from orchestrator.rollout.ended import known
from orchestrator.rollout.state import Ended, Rollout
from orchestrator.wiring.rollout import ReadPlan, ScopeHost, prepare, read_plan, start

log = structlog.get_logger("wavekeeper.daemon")

LOOK_EVERY: Final = timedelta(seconds=20)
"""How often the calendar is looked at: a rollout begins within so long of its moment."""

AGAIN_AFTER: Final = timedelta(minutes=5)
"""After which what could not be opened is tried again: the fleet couldn't be read, or another rollout has its machines."""

WHO: Final = "schedule"


@dataclass(frozen=True, slots=True)
class Waits:
    """A moment that is due and could not be opened yet: why, and when it is tried again."""

    due: Due
    why: str
    again_at: datetime


@dataclass(slots=True)
class Opening:
    """Looks at the calendar, and opens what is due. `config` is asked each time, since it may be read once more."""

    config: Callable[[], Config]
    following: Following
    fleet: Fleet
    house: ScopeHost
    apart: Apart
    observations: Observations
    endpoint: str
    waits: dict[str, Waits] = field(default_factory=dict)
    _told: set[tuple[str, datetime]] = field(default_factory=set)  # missed moments
    _looked: dict[Due, datetime] = field(default_factory=dict)  # when last there was nobody to take up
    _reread: dict[str, dict[str, Tried]] = field(default_factory=dict)  # campaign -> rollout, while it waits

    def entries(self) -> tuple[Entry, ...]:
        """The calendar as it is now; nothing before any commit counts."""
        good = self.following.followed.good
        if good is None:
            return ()
        rollouts, allowed, now = known(self.house.log.scope), self.config().campaigns, self._now()
        done = opened(rollouts) | self.observations.known()
        entries = calendar(good.policies, allowed, good.since, done, now)
        return with_stragglers(entries, good.policies, allowed, rollouts, now, self._looked)

    async def keep(self) -> None:
        """For ever."""
        while True:
            for entry in self.entries():
                self._tell_missed(entry)
                if entry.due is not None and self._tries(entry.due):
                    await self._open(entry.due, act=entry.act)
                elif entry.taken_up is not None and entry.taken_up <= self._now():
                    await self._take_up(entry.campaign)
            await self.house.services.clock.sleep(LOOK_EVERY.total_seconds())

    def _now(self) -> datetime:
        return self.house.services.clock.now()

    def _tell_missed(self, entry: Entry) -> None:
        """Once for each moment that is past catching up."""
        if entry.missed is None or (entry.campaign, entry.missed) in self._told:
            return
        self._told.add((entry.campaign, entry.missed))
        catch_up = self.config().campaign(entry.campaign).catch_up
        log.warning(
            "a moment was missed, and is too long ago to be caught up",
            campaign=entry.campaign,
            due=entry.missed,
            catch_up=str(catch_up),
            next=entry.next,
        )

    def _tries(self, due: Due) -> bool:
        waiting = self.waits.get(due.campaign)
        return waiting is None or waiting.due != due or waiting.again_at <= self._now()

    async def _open(self, due: Due, *, act: bool) -> None:
        good = self.following.followed.good
        assert good is not None
        try:
            await (self._run(due, good) if act else self._observe(due, good))
        except (JournalError, StaleLease):
            raise
        except WavekeeperError as error:  # whatever it is: what goes on already is none the worse for it
            self._wait(due, str(error))
        else:
            self._no_more(due.campaign)

    async def _observe(self, due: Due, good: Good) -> None:
        plan = await self._planned(due, good, await self._fresh())
        self.observations.begin(due, plan, partial(self._wait, due))

    async def _run(self, due: Due, good: Good) -> None:
        plan = await self._planned(due, good, await self._fresh())
        read = await self.house.services.aside(partial(read_plan, plan))
        await self._start(due, good, read, f"due {due.at:%Y-%m-%d %H:%M} UTC")

    async def _fresh(self) -> Known:
        return await self.fleet.younger(self.config().subscriptions, FRESH)

    async def _planned(
        self, due: Due, good: Good, fleet: Known, settled: Mapping[MachineId, str] = MappingProxyType({})
    ) -> bytes:
        """A plan of the campaign, without whom earlier rollouts of the same moment have settled; they go to another process as a dict."""
        return await self.apart(plan_campaign, fleet.file, good.policies, due.campaign, dict(settled))

    async def _start(self, due: Due, good: Good, read: ReadPlan, why: str) -> None:
        handover = await prepare(
            read, self.house.services, who=WHO, reason=f"{why}, commit {good.commit.short}",
            endpoint=self.endpoint, due=due.at, commit=good.commit.id,
        )  # fmt: skip
        if not self.config().campaign(due.campaign).act:  # to plan took a while
            raise Refused("the configuration says meanwhile that it only observes")
        rollout = await start(self.house, read, handover)
        log.info(
            "opened", rollout=rollout.id, campaign=due.campaign, due=due.at, commit=good.commit.short, why=why
        )

    # Stragglers -----------------------------------------------------------------------------------------------

    async def _take_up(self, campaign: str) -> None:
        """One more rollout of the campaign's last moment, if there is anybody to take up."""
        good, rollouts = self.following.followed.good, known(self.house.log.scope)
        assert good is not None
        at = max(one.due for one in rollouts if one.due is not None and campaign_of(one) == campaign)
        due = Due(campaign, at)
        if not self._tries(due):
            return
        before = [one for one in rollouts if one.due == at and campaign_of(one) == campaign]
        try:
            if not await self._took_up(due, good, before):
                self._looked[due] = self._now()
        except StaleLease:
            raise
        except WavekeeperError as error:
            self._wait(due, str(error))
        else:
            self._no_more(campaign)

    async def _took_up(self, due: Due, good: Good, before: Sequence[Rollout | Ended]) -> bool:
        """Whether anybody was; raises where it is to be tried again."""
        outcomes = await self._outcomes(due.campaign, before)
        fleet = await self._fresh()
        try:
            plan = await self._planned(due, good, fleet, settled(outcomes))
        except Refused as nobody:
            log.info("nobody is taken up", campaign=due.campaign, due=due.at, why=str(nobody))
            return False
        read = await self.house.services.aside(partial(read_plan, plan))
        changing = frozenset(one.id for one in read.planned.plan.machines if one.change)
        if not is_new(changing, outcomes):
            log.info("nobody is taken up", campaign=due.campaign, due=due.at, why="the same were before")
            return False
        why = f"due {due.at:%Y-%m-%d %H:%M} UTC, rollout {len(before) + 1} of this moment: whom {before[-1].id} left"
        await self._start(due, good, read, why)
        return True

    async def _outcomes(self, campaign: str, before: Sequence[Rollout | Ended]) -> list[Tried]:
        """What each came to. One that is put away moves no more, and is read once however often it is tried; others may, as by a write-off."""
        kept, log_ = self._reread.setdefault(campaign, {}), self.house.log
        for one in before:
            if isinstance(one, Ended) and one.id not in kept:
                kept[one.id] = tried(await read_whole(log_.journal, one, log_.scope.send_within))
        return [tried(one) if isinstance(one, Rollout) else kept[one.id] for one in before]

    def _no_more(self, campaign: str) -> None:
        """Nothing of it waits: what was read of large rollouts isn't kept for another day."""
        self.waits.pop(campaign, None)
        self._reread.pop(campaign, None)

    def _wait(self, due: Due, why: str) -> None:
        before = self.waits.get(due.campaign)
        if before is None or before.why != why:
            log.warning("due, and can not be opened yet", campaign=due.campaign, due=due.at, why=why)
        self.waits[due.campaign] = Waits(due, why, self._now() + AGAIN_AFTER)
