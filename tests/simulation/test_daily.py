"""Days of a daemon in virtual time: what is due is opened, who was left out is taken up, and the fleet moves meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from orchestrator.daemon.calendar import Due
from orchestrator.daemon.config import Campaign
from orchestrator.daemon.fleet import Fleet
from orchestrator.daemon.following import Good
from orchestrator.daemon.living import Living
from orchestrator.daemon.opening import Opening
from orchestrator.daemon.vetting import plan_campaign
from orchestrator.errors import CloudTransient, Defect, UsageError
from orchestrator.executor.services import at_once
from orchestrator.gitops.model import Commit
from orchestrator.hosts.resting import Pace
from orchestrator.inventory import native
from orchestrator.inventory.regions import with_regions
from orchestrator.policy.load import load
from orchestrator.rollout import events as e
from orchestrator.rollout.ended import known
from orchestrator.rollout.state import Ended, MachineStatus, Rollout
from orchestrator.wiring.rollout import ScopeHost, open_scope
from tests.fleet import SUBSCRIPTION, vm_id
from tests.simulation.reference import CAMPAIGN, twins
from tests.virtual import START, Stage, facts_of, script, virtual

FIRST, SECOND = START + timedelta(hours=1), START + timedelta(hours=9)
"""When its windows open, each for four hours."""

PATIENT = CAMPAIGN.replace("bake: 10m", "bake: 40m")

HOURS = (
    f'schedule: {{start: every_day, at: "{FIRST:%H:%M}", time_zone: UTC}}\nwindows: ['
    + ", ".join(f'{{start: every_day, at: "{at:%H:%M}", for: 4h, time_zone: UTC}}' for at in (FIRST, SECOND))
    + "]\n"
)


@dataclass
class Days:
    """The parts of a daemon that open rollouts and know the fleet, without git and processes. `hidden`: until when an inventory lacks whom."""

    stage: Stage
    campaign: Campaign = field(default_factory=lambda: Campaign(act=True))
    hidden: dict[str, timedelta] = field(default_factory=dict)
    rollouts: list[Rollout | Ended] = field(default_factory=list)
    fails: list[Exception] = field(default_factory=list)  # of those who plan, the first times
    calls_off: bool = False  # whether somebody has it only observe while it is planned

    async def live(self, hours: float) -> None:
        """So many, from the world's start on."""
        journal, made = await self.stage.journal(), self.stage.services()
        await journal.acquire("schedule", self.stage.clock.now())
        house = await open_scope(journal, made, stay=True, pace=Pace(inbox_every_s=0))
        try:
            async with asyncio.timeout(hours * 3600):
                await self._run(house)
        except TimeoutError:
            self.rollouts = list(known(house.log.scope))
        finally:
            await made.views.close()
            await made.cloud.close()
            await journal.close()

    async def _run(self, house: ScopeHost) -> None:
        policies = load([("policies/monthly.yaml", PATIENT + HOURS)])
        good = Good(Commit("c" * 40, "ada", START, "first"), START, policies, {"monthly": START})
        config: Any = SimpleNamespace(
            campaigns={"monthly": self.campaign},
            campaign=lambda _: self.campaign,
            subscriptions=[SUBSCRIPTION],
            inventory_age=timedelta(minutes=30),
        )
        following: Any = SimpleNamespace(followed=SimpleNamespace(good=good))
        observed: Any = SimpleNamespace(known=frozenset[Due])
        fleet = Fleet(self._ask, self.stage.clock.now, at_once)
        apart: Any = self._apart
        opening = Opening(lambda: config, following, fleet, house, apart, observed, "")
        living = Living(lambda: config, fleet, house, following, apart)
        await asyncio.gather(house.run(), opening.keep(), living.keep_inventory(), living.keep_health())

    async def _apart(self, work: Callable[..., Any], *given: Any) -> Any:
        if work is plan_campaign and self.fails:
            raise self.fails.pop()
        if work is plan_campaign and self.calls_off:
            self.campaign = Campaign(act=False)
        return work(*given)

    async def _ask(self, subscriptions: Sequence[str]) -> bytes:
        read = with_regions(await self.stage.cloud().inventory(subscriptions))
        now = self.stage.clock.now() - START
        there = tuple(one for one in read.machines if self.hidden.get(one.name, timedelta(0)) <= now)
        names = {one.id for one in there}
        sets = tuple(
            replace(one, members=tuple(member for member in one.members if member in names))
            for one in read.availability_sets
        )
        return native.dump(replace(read, machines=there, availability_sets=sets))


async def lived(hours: float, faults: str = "", **parts: Any) -> Days:
    """A daemon that lived for so many hours."""
    days = Days(Stage.of(await script(twins(3), PATIENT), faults), **parts)
    await days.live(hours)
    return days


EACH_ONCE = dict.fromkeys((f"{app}{number}" for app in "ab" for number in (1, 2, 3)), 1)
OFF = "- goes_off: {machines: [a2], at: 30m, for: 5h}"


@virtual
async def test_who_was_left_out_is_taken_up_in_the_next_window() -> None:
    """Of the same moment; whoever is done isn't changed again, though the campaign selects it still."""
    days = await lived(14, OFF)
    first, second = days.rollouts
    assert (first.due, second.due) == (FIRST, FIRST)
    assert second.id == f"{first.id}-2"
    assert SECOND <= second.started_at < SECOND + timedelta(minutes=1)
    assert "rollout 2 of this moment: whom" in second.reason
    assert isinstance(second, Ended)
    assert second.counts == {MachineStatus.DONE: 1}
    assert days.stage.installs() == EACH_ONCE


@virtual
async def test_nothing_is_begun_of_what_may_not_act_any_more() -> None:
    """Somebody turned the campaign off while a large plan was made: the next thing that happens isn't its rollout."""
    assert (await lived(2, calls_off=True)).rollouts == []


@virtual
@pytest.mark.parametrize(
    "error", [CloudTransient("the helper is lost"), UsageError("nothing to select"), Defect("a bug")]
)
async def test_whatever_keeps_a_moment_from_being_planned_it_is_tried_again(error: Exception) -> None:
    """The daemon that drives everybody else's rollouts doesn't end by it."""
    days = await lived(14, fails=[error])
    (only,) = days.rollouts
    assert FIRST + timedelta(minutes=5) <= only.started_at < FIRST + timedelta(minutes=6)


@virtual
async def test_where_nobody_is_left_nothing_is_opened() -> None:
    """Nor where the configuration says so."""
    assert len((await lived(14)).rollouts) == 1
    days = await lived(14, OFF, campaign=Campaign(act=True, stragglers=False))
    assert len(days.rollouts) == 1


@virtual
async def test_a_machine_that_is_made_meanwhile_counts_at_once_and_is_taken_up_later() -> None:
    """While it is out, nobody else of its set goes; in the next window it is changed as well."""
    faults = "- goes_off: {machines: [a3], at: 95m, for: 60m}"
    days = await lived(14, faults, hidden={"a3": timedelta(minutes=85)})
    facts = facts_of(days.stage.disk)
    (moved,) = (fact for fact in facts if isinstance(fact, e.MemberMoved))
    assert moved.identity == vm_id("a3")
    seen = [fact for fact in facts if isinstance(fact, e.OutsidersSeen)]
    assert seen == [e.OutsidersSeen((vm_id("a3"),), ()), e.OutsidersSeen((), (vm_id("a3"),))]
    assert days.stage.installs() == EACH_ONCE
    assert [one.changing for one in days.rollouts if isinstance(one, Ended)] == [5, 1]
    begun = {
        line["machine"].rsplit("/", 1)[-1]: line["at"]
        for line in days.stage.audit()
        if line["event"] == "install"
    }
    assert begun["b2"] < begun["a2"]
    assert begun["a2"] > (START + timedelta(minutes=155)).isoformat()
