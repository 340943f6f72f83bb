"""What a campaign's rollouts came to, for whom is taken up: as it is now, and kept no longer than it is tried."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from orchestrator.daemon import opening as module
from orchestrator.daemon.opening import Opening
from orchestrator.errors import CloudTransient, Refused
from orchestrator.rollout.state import Ended, MachineStatus, Rollout, RolloutStatus, Scope
from tests.builders import ids, lane, plan_of
from tests.diary import Diary

NOON = datetime(2026, 12, 1, 12, tzinfo=UTC)


def ended() -> Ended:
    """What is kept of a rollout that was put away."""
    return Ended(
        "monthly-1", "monthly", "", "schedule", "", 1.0, RolloutStatus.FINISHED, "", "", NOON, NOON, 2, {}, 0, 1,
        due=NOON,
    )  # fmt: skip


@dataclass
class Planner:
    """Whoever plans: it answers with an error each time. `settled` is whom it was to leave out, `now` is set by the test."""

    fails: Exception
    now: datetime = NOON
    settled: list[set[str]] = field(default_factory=list)

    def opening(self, *rollouts: Rollout | Ended) -> Opening:
        """The daemon's part, with these rollouts of the campaign's last moment."""

        async def apart(*given: Any) -> bytes:
            self.settled.append(set(given[-1]))
            raise self.fails

        async def younger(*_: object) -> Any:
            return SimpleNamespace(file=b"")

        scope = Scope()
        for one in rollouts:
            where: dict[str, Any] = scope.ended if isinstance(one, Ended) else scope.rollouts
            where[one.id] = one
        log = SimpleNamespace(scope=scope, journal=None)
        house = SimpleNamespace(
            log=log, services=SimpleNamespace(clock=SimpleNamespace(now=lambda: self.now))
        )
        following = SimpleNamespace(followed=SimpleNamespace(good=SimpleNamespace(policies=())))
        config = SimpleNamespace(subscriptions=())
        parts: Any = (lambda: config, following, SimpleNamespace(younger=younger), house, apart, None, "")
        return Opening(*parts)


async def test_a_write_off_after_the_end_is_seen() -> None:
    """A rollout that is over and in the scope still may get one at any time."""
    diary = Diary(plan_of(lane("west", "a b")))
    rollout = diary.rollout
    rollout.due = NOON
    name, planner = rollout.planned.plan.name, Planner(CloudTransient("later"))
    opening = planner.opening(rollout)
    await opening._take_up(name)
    rollout.machines[0] = diary.run("a")._replace(status=MachineStatus.WRITTEN_OFF)
    planner.now += timedelta(hours=1)
    await opening._take_up(name)
    assert planner.settled == [set(), set(ids("a"))]


async def test_what_is_put_away_is_read_once_while_it_is_tried_and_then_forgotten(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A rollout of 100,000 machines is tens of MB, and needed again tomorrow at the earliest."""
    diary, read = Diary(plan_of(lane("west", "a b"))), list[str]()

    async def read_whole(_: object, one: Ended, __: object) -> Rollout:
        read.append(one.id)
        return diary.rollout

    monkeypatch.setattr(module, "read_whole", read_whole)
    planner = Planner(CloudTransient("later"))
    opening = planner.opening(ended())
    for _ in range(2):
        await opening._take_up("monthly")
        planner.now += timedelta(hours=1)
    assert (read, set(opening._reread)) == (["monthly-1"], {"monthly"})
    planner.fails = Refused("nobody is selected")
    await opening._take_up("monthly")
    assert (read, opening._reread, opening.waits) == (["monthly-1"], {}, {})
