"""Whole rollouts under holds and in emergencies, with everything real but sockets; what the world witnessed is held to them."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from orchestrator.cloud.port import CloudProvider
from orchestrator.executor.log import replay
from orchestrator.hosts.resting import Pace
from orchestrator.inventory.model import Inventory
from orchestrator.rollout import events as e
from orchestrator.rollout.codec import decode
from orchestrator.rollout.letters import Handover, make
from orchestrator.rollout.retention import Retention
from orchestrator.rollout.state import MachineStatus, Rollout, RolloutStatus
from orchestrator.service.ending import ExitCode, exit_code
from orchestrator.service.follow import Follower
from orchestrator.service.journal import check, move_to_archive
from orchestrator.service.look import look
from orchestrator.service.status import what_is_next
from orchestrator.service.story import story_from
from orchestrator.service.verbs import carry_out, command
from orchestrator.store.memory import Crashed, MemoryJournal
from orchestrator.verify.holds import judge_holds
from orchestrator.wiring.rollout import Running
from tests.diary import assert_same_state
from tests.fleet import vm_id
from tests.simulation.reference import CAMPAIGN, STEPS, reference, twins
from tests.virtual import START, Stage, die_at_every_append, script, statuses, virtual

WHO, WHY = "grace", "a disk is replaced"
HOUR = timedelta(hours=1)
PATIENT = Pace(patience=timedelta(days=2), inbox_every_s=10)
LISTENING = Pace(inbox_every_s=10)

FROZEN = """
version: 1
name: nights
windows: [{start: [mon, tue], at: "22:00", for: 4h, time_zone: UTC}]
freezes: [{from: 2026-11-20, to: 2026-11-25, reason: stocktaking, time_zone: UTC}]
"""
"""Rollouts of these tests begin on Sunday the 22nd at one in the morning, in the middle of it."""


async def hold(stage: Stage, select: str, length: timedelta) -> None:
    """A person's word, from another terminal."""
    until = stage.clock.now() + length
    wanted = make("hold", select=select, until=until, who=WHO, reason=WHY)
    await carry_out(MemoryJournal(stage.disk), wanted, stage.clock.now(), WHO)


async def unhold(stage: Stage, number: str) -> None:
    """And its end."""
    wanted = make("unhold", hold=number, who=WHO, reason="done")
    await carry_out(MemoryJournal(stage.disk), wanted, stage.clock.now(), WHO)


async def emergency(stage: Stage) -> None:
    """A person's word about the one rollout."""
    scope = await look(MemoryJournal(stage.disk))
    wanted = command(scope, "emergency", None, WHO, "CVE-1 is exploited")
    await carry_out(MemoryJournal(stage.disk), wanted, stage.clock.now(), WHO)


async def until(stage: Stage, condition: Callable[[], bool]) -> None:
    """Wait, in virtual time, for something to become true."""
    while not condition():
        await stage.clock.sleep(5)


def status(rollout: Rollout, name: str) -> MachineStatus:
    """Where a machine stands."""
    return rollout.machines[rollout.planned.index[vm_id(name)]].status


def holds_of(stage: Stage) -> list[dict[str, Any]]:
    """Holds as the judge is told of them: read off the journal's rows alone, and off the fleet for whom they mean."""
    known: dict[str, dict[str, Any]] = {}
    found: list[dict[str, Any]] = []
    ids = sorted(machine.id for machine in stage.script.fleet.machines)
    for row in stage.disk.scopes["default"].rows:
        for fact in decode(row.body, row.seq, row.rollout):
            match fact:
                case e.HoldPlaced(number, select, end, _, _):
                    named = [x for x in ids if select == f"name={x.rsplit('/', 1)[-1]}"]
                    told = {"id": number, "machines": named, "from": _iso(row.at), "until": _iso(end)}
                    known[number] = told
                    found.append(told)
                case e.HoldSeen(number, machines):
                    seen = [ids[machine] for machine in machines]
                    told = {**known[number], "machines": seen, "from": _iso(row.at)}
                    found.append(told)
                case e.HoldLifted(number):
                    for told in found:
                        if told["id"] == number:
                            told["until"] = _iso(row.at)
                case _:
                    pass
    return found


def _iso(at: datetime) -> str:
    return at.isoformat()


def judge(stage: Stage, **options: Any) -> None:
    """No rule was broken, and no work began on a held machine."""
    stage.judge(**options)
    verdict = judge_holds(stage.audit(), holds_of(stage))
    assert [str(violation) for violation in verdict.violations] == []
    assert verdict.judged["holds"]


def began(stage: Stage, name: str) -> datetime:
    """When a machine's installation began."""
    (at,) = (
        datetime.fromisoformat(line["at"])
        for line in stage.audit()
        if line["event"] == "install" and line["machine"].endswith(f"/{name}")
    )
    return at


# Holds ----------------------------------------------------------------------------------------------------------


@virtual
async def test_a_hold_in_mid_wave_is_kept_and_ends_by_itself() -> None:
    """What is in flight goes on, the held machine waits, the others go; then it is begun without anybody's poke."""
    stage = Stage.of(await reference(), pace=PATIENT)

    async def person(running: Running) -> None:
        await until(stage, lambda: status(running.rollout, "a2") is MachineStatus.RUNNING)
        await hold(stage, "name=a2", 6 * HOUR)
        await hold(stage, "name=a3", 6 * HOUR)

    rollout = await stage.run(meanwhile=person)
    assert (rollout.status, exit_code(rollout)) == (RolloutStatus.FINISHED, ExitCode.DONE)
    assert stage.installs() == dict.fromkeys(statuses(rollout), 1)
    placed = START + timedelta(minutes=30)
    story = [one.sentence async for one in story_from(MemoryJournal(stage.disk), rollout)]
    assert sum("is held by grace until" in sentence for sentence in story) == 2
    assert began(stage, "a2") < placed + HOUR < began(stage, "a3") - 4 * HOUR
    judge(stage, complete=True)


@virtual
async def test_a_process_that_waits_for_a_hold_alone_rests_and_says_until_when() -> None:
    """Exit code 6, with the hold by name; after its end the same command goes on."""
    stage = Stage.of(await reference())
    await hold(stage, "name=a3", 9 * HOUR)
    rollout = await stage.run()
    assert exit_code(rollout) is ExitCode.NOT_FINISHED
    told = what_is_next(rollout, stage.clock.now())
    assert told.endswith("at 2026-11-22 10:00 UTC, when h1, a hold of grace's, ends")
    await stage.clock.sleep(9 * 3600)
    rollout = await stage.run()
    assert (rollout.status, exit_code(rollout)) == (RolloutStatus.FINISHED, ExitCode.DONE)
    judge(stage, complete=True)


@virtual
async def test_a_hold_by_tag_is_looked_up_in_the_fleet() -> None:
    """By what the machines have there, though no plan tells it; the others go on once that was seen."""
    stage = Stage.of(await reference(), pace=PATIENT)
    await hold(stage, "tag:app=a", 5 * HOUR)
    rollout = await stage.run()
    assert rollout.status is RolloutStatus.FINISHED
    assert all(began(stage, name) >= START + 5 * HOUR for name in ("a1", "a2", "a3", "a4"))
    assert began(stage, "b1") < START + HOUR
    judge(stage, complete=True)


@virtual
async def test_a_machine_whose_tags_come_to_be_meant_is_held_from_the_next_look_on() -> None:
    """Looks are made now and then, as long as a hold stands that tags decide on."""
    stage = _Retagging.of(await reference(), pace=PATIENT)
    await hold(stage, "tag:care=needed", 9 * HOUR)
    rollout = await stage.run()
    assert (rollout.status, exit_code(rollout)) == (RolloutStatus.FINISHED, ExitCode.DONE)
    assert began(stage, "a3") < START + 3 * HOUR
    assert began(stage, "a4") >= START + 9 * HOUR
    judge(stage, complete=True)


class _Retagging(Stage):
    """A world in which somebody tags a4 half an hour after the beginning."""

    def cloud(self) -> CloudProvider:
        """See `Stage`."""
        cloud = super().cloud()
        told = cloud.inventory

        async def inventory(subscriptions: Sequence[str]) -> Inventory:
            fleet = await told(subscriptions)
            if self.clock.now() < START + HOUR / 2:
                return fleet
            care = {"care": "needed"}
            machines = (replace(x, tags={**x.tags, **care}) if x.name == "a4" else x for x in fleet.machines)
            return replace(fleet, machines=tuple(machines))

        cloud.inventory = inventory  # type: ignore[method-assign]
        return cloud


@virtual
async def test_a_hold_for_longer_than_anybody_waits_leaves_its_machines_out_by_name() -> None:
    """At once, so that the others aren't kept for a day; the canary was tried by then."""
    stage = Stage.of(await reference(), pace=PATIENT)
    await hold(stage, "name=a3", 72 * HOUR)
    rollout = await stage.run()
    assert (rollout.status, exit_code(rollout)) == (RolloutStatus.FINISHED, ExitCode.NOT_ALL)
    assert stage.clock.now() - START < 12 * HOUR
    (left,) = (x for x in rollout.machines if x.status is MachineStatus.LEFT_OUT)
    assert left.detail == (
        f"held by grace until 2026-11-25 01:00 UTC: {WHY} (hold h1); that is longer than its wave waits"
    )
    judge(stage)


@virtual
async def test_a_lifted_hold_lets_go_while_another_process_writes() -> None:
    """By letter, within a look into the inbox."""
    stage = Stage.of(await reference(), pace=PATIENT)
    await hold(stage, "name=b*", 20 * HOUR)

    async def person(running: Running) -> None:
        await until(stage, lambda: status(running.rollout, "a1") is MachineStatus.DONE)
        await unhold(stage, "h1")

    rollout = await stage.run(meanwhile=person)
    assert (rollout.status, exit_code(rollout)) == (RolloutStatus.FINISHED, ExitCode.DONE)
    assert stage.clock.now() - START < 8 * HOUR
    judge(stage, complete=True)


@virtual
async def test_a_hold_that_is_placed_while_nobody_drives_is_kept_by_the_next_process() -> None:
    """Killed in mid-wave, held by hand, the same command again: what had been sent is followed, and nothing is begun."""
    stage = Stage.of(await reference(), pace=PATIENT)
    with contextlib.suppress(Crashed):
        await stage.run(crash_at=9)
    await hold(stage, "name=a2", 4 * HOUR)
    await hold(stage, "tag:app=b", 3 * HOUR)
    rollout = await stage.run()
    assert (rollout.status, exit_code(rollout)) == (RolloutStatus.FINISHED, ExitCode.DONE)
    judge(stage, complete=True)


@virtual
async def test_two_rollouts_keep_one_hold() -> None:
    """It is of the scope: the second, that begins under it, keeps it as well."""
    stage = Stage.of(
        await script(twins(), CAMPAIGN.replace('names: "*"', "names: [a1, a2, a3, a4]")), pace=PATIENT
    )
    await hold(stage, "name=*1", 3 * HOUR)
    await stage.run()
    other = CAMPAIGN.replace('names: "*"', "names: [b1, b2, b3, b4]").replace("monthly", "other")
    stage.script = await script(twins(), other)
    await hold(stage, "name=*1", 8 * HOUR)
    rollout = await stage.run()
    assert rollout.status is RolloutStatus.FINISHED
    assert began(stage, "a1") >= START + 3 * HOUR
    assert began(stage, "b1") >= START + 8 * HOUR


@virtual
async def test_each_of_two_rollouts_at_once_looks_whom_a_hold_means() -> None:
    """The word is decided on by one of them; the other hears of it, looks, and begins nobody whom it means."""
    first = CAMPAIGN.replace('names: "*"', "names: [a1, a2, b3]")
    second = CAMPAIGN.replace('names: "*"', "names: [a3, a4, b1]").replace("monthly", "other")
    stage = Stage.of(await script(twins(), first), pace=PATIENT)
    other = await script(twins(), second)
    rollouts: list[Rollout] = []

    async def person(running: Running) -> None:
        asked = Handover(other.plan, WHO, "", (), "", 1.0)
        assert await Follower(MemoryJournal(stage.disk)).hand_over(asked, stage.clock.now()) is not None
        await hold(stage, "tag:app=a", 7 * HOUR)
        rollouts.extend(running.house.driven())

    await stage.run(meanwhile=person)
    assert [one.status for one in rollouts] == [RolloutStatus.FINISHED] * 2
    assert all(began(stage, name) >= START + 7 * HOUR for name in ("a2", "a3", "a4"))
    assert began(stage, "b1") < START + HOUR


@virtual
async def test_an_archive_takes_no_hold_away() -> None:
    """A hold is of the scope: it stands after the rollout that saw it went, and the archive is read by itself."""
    stage = Stage.of(await reference(), pace=PATIENT)
    await hold(stage, "tag:app=a", 2 * HOUR)
    await stage.run()
    await hold(stage, "name=b1", 48 * HOUR)
    journal = MemoryJournal(stage.disk)
    before = await look(journal)
    await move_to_archive(journal, Retention(), "archive-1", WHO, stage.clock.now())
    after = await replay(journal, whole=True)
    assert after.ended
    assert (after.holds, after.holdings) == (before.holds, before.holdings)
    assert_same_state(after, await replay(journal))
    (kept,) = (await replay(MemoryJournal(stage.disk.archives["archive-1"]), whole=True)).ended.values()
    assert kept.status is RolloutStatus.FINISHED
    for one, in_archive in ((journal, False), (MemoryJournal(stage.disk.archives["archive-1"]), True)):
        assert (await check(one, in_archive=in_archive)).problems == ()


@pytest.mark.parametrize("durable", [False, True])
def test_a_crash_at_any_append_forgets_no_hold(durable: bool) -> None:
    """Holds of names and of tags, in mid-wave and from the start, with steps around machines; nobody is begun twice, or held."""
    die_at_every_append(lambda number: _crash_under_holds(number, durable=durable), every=4)


@virtual
async def _crash_under_holds(number: int, *, durable: bool) -> bool:
    stage = Stage.of(await reference(STEPS), pace=PATIENT)
    await hold(stage, "tag:ring=canary,name=b*", timedelta(minutes=40))

    async def person(running: Running) -> None:
        await until(stage, lambda: status(running.rollout, "a2") is not MachineStatus.PENDING)
        if len(running.scope.holds) < 2:
            await hold(stage, "name=a2", 2 * HOUR)
            await hold(stage, "name=b3", 3 * HOUR)

    crashed = False
    try:
        rollout = await stage.run(crash_at=number, durable=durable, meanwhile=person)
    except Crashed:
        crashed = True
        await stage.clock.sleep((0, 240, 7200)[number % 3])
        rollout = await stage.run(meanwhile=person)
    assert set(statuses(rollout).values()) == {MachineStatus.DONE}, stage.story[-20:]
    assert stage.installs() == dict.fromkeys(statuses(rollout), 1)
    judge(stage, complete=True)
    return crashed


# Emergencies ----------------------------------------------------------------------------------------------------


@virtual
async def test_an_emergency_gets_out_of_a_freeze() -> None:
    """Nothing moves for days; then a person says so, and it is done within the night, under every rule."""
    stage = Stage.of(await reference(FROZEN))
    rollout = await stage.run()
    assert exit_code(rollout) is ExitCode.NOT_FINISHED
    assert not stage.installs()
    await emergency(stage)
    rollout = await stage.run()
    assert (rollout.status, exit_code(rollout)) == (RolloutStatus.FINISHED, ExitCode.DONE)
    assert stage.clock.now() - START < 8 * HOUR
    stage.judge(complete=True)


@virtual
async def test_an_emergency_by_letter_reaches_the_process_that_drives() -> None:
    """While it bakes and would wait for a yes: the stage opens in the name of whoever declared it."""
    stage = Stage.of(
        await script(twins(), CAMPAIGN.replace("bake: 10m}", "bake: 4h, then: approve}")), pace=LISTENING
    )

    async def person(running: Running) -> None:
        await until(stage, lambda: running.rollout.bake_until is not None)
        await emergency(stage)

    rollout = await stage.run(meanwhile=person)
    assert rollout.status is RolloutStatus.FINISHED
    assert any("approved by grace: emergency: CVE-1 is exploited" in line for line in stage.story)
    stage.judge(complete=True)


@virtual
async def test_an_emergency_stops_at_the_first_bad_sign_all_the_same() -> None:
    """A canary that isn't well stops it; an emergency doesn't set it going again."""
    stage = Stage.of(await reference(FROZEN), "- unhealthy: {machines: [a1], recovers_after: 30h}")
    await stage.run()
    await emergency(stage)
    rollout = await stage.run()
    assert (rollout.status, exit_code(rollout)) == (RolloutStatus.STOPPED, ExitCode.STOPPED)
    assert set(stage.installs()) <= {"a1", "b1"}
    stage.judge()


@pytest.mark.parametrize("durable", [False, True])
def test_a_crash_at_any_append_of_an_emergency_doubles_nothing(durable: bool) -> None:
    """The word is in the journal; whoever goes on goes on under it."""
    die_at_every_append(lambda number: _crash_in_emergency(number, durable=durable), every=5)


@virtual
async def _crash_in_emergency(number: int, *, durable: bool) -> bool:
    stage = Stage.of(await reference(FROZEN))
    await stage.run()
    await emergency(stage)
    rollout = await stage.survive(number, durable=durable, away=(timedelta(), 2 * HOUR)[number % 2])
    assert set(statuses(rollout).values()) == {MachineStatus.DONE}, stage.story[-20:]
    assert stage.installs() == dict.fromkeys(statuses(rollout), 1)
    stage.judge(complete=True)
    return stage.crashes == 1
