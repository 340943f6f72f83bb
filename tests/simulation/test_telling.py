"""A daemon that tells people of its rollouts and of itself, by a webhook that fails for an hour, over restarts and deaths."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from orchestrator.daemon.following import Followed
from orchestrator.daemon.matters import Seen
from orchestrator.daemon.operating import Tell
from orchestrator.daemon.operating_schema import EVERYTHING
from orchestrator.daemon.telling import Telling
from orchestrator.executor.log import replay
from orchestrator.executor.whole import whole
from orchestrator.hosts.resting import Pace
from orchestrator.rollout import events as e
from orchestrator.rollout.matters import Receiver
from orchestrator.rollout.state import RolloutStatus
from orchestrator.store.memory import Crashed
from orchestrator.wiring.rollout import ScopeHost, open_scope, prepare, read_plan, start
from tests.simulation.reference import CAMPAIGN, twins
from tests.virtual import START, Stage, die_at_every_append, facts_of, script, virtual

HOUR = timedelta(hours=1)
ALL = Tell((Receiver("ops", EVERYTHING),))


@dataclass
class Town:
    """A stage, a webhook that is down until a moment, and a git that is down for a while."""

    stage: Stage
    down_for: timedelta = HOUR
    git_down: tuple[timedelta, timedelta] = (timedelta(minutes=1), timedelta(minutes=40))
    accepted: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        """The webhook keeps what it says yes to."""
        self.stage.webhooks.answer = self._answer

    def _answer(self, name: str, key: str, body: Mapping[str, Any]) -> bool:
        if self.stage.clock.now() < START + self.down_for:
            return False
        self.accepted.append((key, body))
        return True

    def see(self) -> Seen:
        """As a daemon sees its git."""
        now, (first, last) = self.stage.clock.now(), self.git_down
        down = START + first <= now < START + last
        followed = Followed(
            unreachable="no route to host" if down else "",
            unreachable_since=START + first if down else None,
            looked_at=now,
        )
        return Seen(now, followed, (), {}, timedelta(0), HOUR, timedelta(0))

    @contextlib.asynccontextmanager
    async def daemon(self, *, crash_at: int | None = None, durable: bool = False) -> AsyncIterator[ScopeHost]:
        """A process, while it is entered: as much of the daemon as drives and tells."""
        journal, made = await self.stage.journal(crash_at=crash_at, durable=durable), self.stage.services()
        await journal.acquire("schedule", self.stage.clock.now())
        house = await open_scope(journal, made, pace=Pace(inbox_every_s=0), stay=True)
        telling = Telling(house, lambda: ALL, self.see)
        await telling.name_receivers()
        for rollout in list(house.log.scope.rollouts.values()):
            house.drive(rollout)
        tasks = [asyncio.ensure_future(work) for work in (house.run(), telling.look(), telling.tell())]
        try:
            yield house
            for task in tasks:
                if task.done():
                    task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await made.views.close()
            await made.cloud.close()
            await journal.close()

    async def open(self, house: ScopeHost) -> None:
        """The plan, begun as the schedule begins it."""
        plan = read_plan(self.stage.script.plan)
        given = await prepare(plan, house.services, who="schedule", live=self.stage.script.fleet)
        await start(house, plan, given)

    def heard(self) -> list[str]:
        """What was accepted, by occasion, in order."""
        return [f"{body['occasion']}{' over' if body.get('over') else ''}" for _, body in self.accepted]


async def town() -> Town:
    """The reference fleet and its campaign."""
    return Town(Stage.of(await script(twins(), CAMPAIGN)))


@virtual
async def test_a_webhook_that_fails_for_an_hour_hears_everything_once_over_a_restart() -> None:
    """In order, each under its own id, and the journal has one fact of it however often it was called."""
    there = await town()
    async with there.daemon() as house:
        await there.open(house)
        await there.stage.clock.sleep(30 * 60)
        assert there.accepted == []
    async with there.daemon() as house:
        await there.stage.clock.sleep(24 * 3600)
        assert {one.status for one in house.log.scope.ended.values()} == {RolloutStatus.FINISHED}
        assert house.log.scope.tidings.untold["ops"] == {}

    assert Counter(there.heard()) == {"started": 1, "stage": 2, "finished": 1, "git": 1, "git over": 1}
    assert [one for one in there.heard() if one.startswith("git")] == ["git", "git over"]
    assert [one for one in there.heard() if not one.startswith("git")] == [
        "started",
        "stage",
        "stage",
        "finished",
    ]
    keys = [key for key, _ in there.accepted]
    assert len(set(keys)) == len(keys)
    assert all(body["at_stake"] and body["you_may"] for _, body in there.accepted if not body.get("over"))
    facts = facts_of(there.stage.disk)
    refused = [one for one in facts if isinstance(one, e.Told | e.MatterTold) and not one.ok]
    assert len(there.stage.webhooks.calls) > 2 * len(there.accepted)
    assert len(refused) == 2  # one of the rollout's notices, one of the daemon's news
    assert (
        sum(isinstance(one, e.ReceiversNamed) for one in facts) == 1
    )  # the rollout knows them from its start
    there.stage.judge(complete=True)
    ended, scope = next(iter(house.log.scope.ended.values())), await replay(await there.stage.journal())
    alone = await whole(scope, await there.stage.journal(), ended)
    assert alone.notices == 4  # by its own rows alone


def test_a_death_at_any_append_loses_nothing_and_tells_nothing_under_two_ids() -> None:
    """Whoever dies between the call and its fact calls once more, and the receiver can tell by the id."""
    die_at_every_append(lambda number: _die(number, durable=bool(number % 2)), every=7, least=8)


@virtual
async def _die(number: int, *, durable: bool) -> bool:
    there = await town()
    there.down_for = timedelta(minutes=5)
    died = False
    try:
        async with there.daemon(crash_at=number, durable=durable) as house:
            await there.open(house)
            await there.stage.clock.sleep(24 * 3600)
    except (Crashed, BaseExceptionGroup):
        died = True
    async with there.daemon() as house:
        if not house.log.scope.rollouts and not house.log.scope.ended:
            await there.open(house)
        await there.stage.clock.sleep(48 * 3600)
    once = list(
        dict.fromkeys((key, body["occasion"], bool(body.get("over"))) for key, body in there.accepted)
    )
    assert len(there.accepted) <= len(once) + 1
    told = Counter(occasion for _, occasion, _ in once)
    assert (told["started"], told["stage"], told["finished"]) == (1, 2, 1)
    assert told["git"] in (0, 2)  # up and over, or it was over before anybody wrote it down
    return died
