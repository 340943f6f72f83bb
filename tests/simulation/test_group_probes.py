"""A quorum that is asked about: whole rollouts beside a group that is sometimes not well, and processes that die at every append."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from orchestrator.emulator.world import World
from orchestrator.rollout import events as e
from orchestrator.rollout.state import MachineStatus
from tests.fleet import inventory, vm
from tests.simulation.reference import CAMPAIGN
from tests.virtual import START, Script, Stage, die_at_every_append, facts_of, script, statuses, virtual

QUORUM = """
version: 1
name: db
select: {tags: {tier: db}}
rules: [{max_unavailable: 2}]
replaces: availability-first
health:
  group_probes:
    - http: {url: "http://status/{group}"}
"""

MEMBERS = ("db1", "db2", "db3", "db4", "db5")


ELECTION = (START + timedelta(minutes=15), START + timedelta(minutes=33))
"""It begins while the canary bakes."""


async def scene() -> Script:
    """Five machines of one quorum, of which two may be out at once, in two stages."""
    members = (
        vm(name, tags={"tier": "db"} | ({"ring": "canary"} if name == "db1" else {})) for name in MEMBERS
    )
    return await script(inventory(*members), CAMPAIGN, QUORUM)


def whole(world: World, group: str, now: datetime) -> str:
    """The quorum's own word: whether all five serve. One that restarts takes it away for so long."""
    del group
    serving = sum(world.probe(machine, now)[0] == 200 for machine in world.machines())
    return "" if serving == len(MEMBERS) else f"{serving} of {len(MEMBERS)} in step"


def electing(world: World, group: str, now: datetime) -> str:
    """Besides, an election that nobody of us began."""
    return "electing" if ELECTION[0] <= now < ELECTION[1] else whole(world, group, now)


def assert_nobody_begun_in_the_election(stage: Stage) -> None:
    """Nor within the interval in which an answer from before it is good enough."""
    begun = [datetime.fromisoformat(x["at"]) for x in stage.audit() if x["event"] == "install"]
    assert len(begun) == len(MEMBERS)
    assert not [at for at in begun if ELECTION[0] + timedelta(seconds=15) <= at < ELECTION[1]]


@virtual
async def test_nobody_is_begun_while_the_group_is_not_well() -> None:
    """An outage of the group's own is waited out; it counts as nobody's failure."""
    stage = Stage.of(await scene(), about=electing)
    rollout = await stage.run()
    assert set(statuses(rollout).values()) == {MachineStatus.DONE}
    assert_nobody_begun_in_the_election(stage)
    seen = [fact for fact in facts_of(stage.disk) if isinstance(fact, e.GroupSeen)]
    assert [fact.well for fact in seen] == [False, True] * (len(seen) // 2)
    assert any("electing" in fact.evidence for fact in seen)
    assert not rollout.unacknowledged
    stage.judge(complete=True)


@virtual
async def test_polls_are_never_written_down() -> None:
    """Hours of a sick group are two facts."""
    stage = Stage.of(
        await scene(),
        about=lambda world, group, now: "electing" if now < START + timedelta(hours=9) else "",
    )
    await stage.run()  # it waits for half an hour, and rests
    await stage.clock.sleep(timedelta(hours=9).total_seconds())
    rollout = await stage.run()
    assert set(statuses(rollout).values()) == {MachineStatus.DONE}
    assert sum(isinstance(fact, e.GroupSeen) for fact in facts_of(stage.disk)) == 2


@virtual
async def test_a_group_that_is_sick_after_a_change_stops_the_canary() -> None:
    """The machine itself is well; what it is for isn't. It keeps its place, and nobody else is begun."""

    def about(world: World, group: str, now: datetime) -> str:
        changed = any(
            world.view(machine, now).get("patchStatus", {}).get("lastPatchInstallationSummary")
            for machine in world.machines()
        )
        return "no leader" if changed else ""

    stage = Stage.of(await scene(), about=about)
    rollout = await stage.run()
    assert statuses(rollout)["db1"] is MachineStatus.UNHEALTHY
    assert set(stage.installs()) == {"db1"}
    assert "its group db isn't well: http http://status/db: no leader" in rollout.cause
    assert stage.installs() == {"db1": 1}


@pytest.mark.parametrize("durable", [False, True])
def test_a_crash_at_any_append_begins_nobody_in_a_sick_group(durable: bool) -> None:
    """Whichever append it dies at: what the group was found to be is a fact, and is asked about anew before anybody is granted."""
    die_at_every_append(lambda number: _crash(number, durable=durable), least=8 * 4)


@virtual
async def _crash(number: int, *, durable: bool) -> bool:
    stage = Stage.of(await scene(), about=electing)
    rollout = await stage.survive(number, durable=durable, away=timedelta(minutes=4 * (number % 3)))
    assert set(statuses(rollout).values()) == {MachineStatus.DONE}, stage.story[-20:]
    assert stage.installs() == dict.fromkeys(MEMBERS, 1)
    assert_nobody_begun_in_the_election(stage)
    stage.judge(complete=True)
    return stage.crashes == 1
