"""Several rollouts of one scope at once: one count of what is out, whoever took it; refused, queued or handed over by name."""

from __future__ import annotations

import asyncio
import contextlib
from datetime import timedelta
from typing import Any

import orjson
import pytest

from orchestrator.errors import Busy, Refused
from orchestrator.executor.whole import whole
from orchestrator.hosts import scope as host_of_scope
from orchestrator.hosts.resting import Pace
from orchestrator.inventory import native
from orchestrator.rollout import events as e
from orchestrator.rollout.ended import known
from orchestrator.rollout.letters import Handover
from orchestrator.rollout.state import MachineStatus, Rollout, RolloutStatus
from orchestrator.service.follow import Follower
from orchestrator.service.look import look
from orchestrator.service.status import status
from orchestrator.store.memory import Crashed, MemoryJournal
from orchestrator.store.port import Journal, Letter
from orchestrator.verify.audit import judge_audit
from orchestrator.wiring.rollout import Running, begin, going_on, prepare, read_plan, start_command
from tests.fleet import vm_id
from tests.simulation.reference import CAMPAIGN, twins
from tests.virtual import LONGEST, START, Script, Stage, facts_of, script, statuses, virtual

LISTENING = Pace(inbox_every_s=10)


async def part(*names: str, called: str) -> Script:
    """A plan that changes these machines of the reference fleet. Of a set, one machine at a time may be out."""
    campaign = CAMPAIGN.replace('"*"', "[" + ", ".join(names) + "]").replace(
        "name: monthly", f"name: {called}"
    )
    return await script(twins(), campaign)


async def pair() -> tuple[Script, Script]:
    """Two plans whose machines share their sets: what one takes down, the other has to wait for."""
    return await part("a1", "a2", "b3", called="first"), await part("a3", "a4", "b1", called="second")


def handover(plan: bytes, **changed: Any) -> Handover:
    """The letter of another terminal."""
    return Handover(
        **{"plan": plan, "who": "grace", "reason": "", "dropped": (), "endpoint": "", "scale": 1.0} | changed
    )


def judge(stage: Stage, *scripts: Script) -> None:
    """Nothing that happened broke a rule of any of the plans."""
    fleet, audit = orjson.loads(native.dump(stage.script.fleet)), stage.audit()
    for one in scripts:
        found = judge_audit(audit, orjson.loads(one.plan), fleet, complete=False).violations
        broken = [str(violation) for violation in found]
        assert [
            words for words in broken if "is not changed by the plan" not in words
        ] == []  # the other plan's are


async def scope_of(stage: Stage) -> list[Rollout]:
    """The rollouts as the journal tells them."""
    journal = MemoryJournal(stage.disk)
    scope = await look(journal)
    return [await whole(scope, journal, one) for one in known(scope)]


async def both(stage: Stage, second: bytes, *, crash_at: int | None = None, durable: bool = False) -> None:
    """One process that drives both plans to their ends."""
    journal, made = await stage.journal(crash_at=crash_at, durable=durable), stage.services()
    try:
        await journal.acquire("ada", stage.clock.now())
        running = await begin(journal, made, stage.script.plan, who="ada", pace=LISTENING)
        known = await going_on(journal, running.scope, second, 1.0)
        if known is None:
            await MemoryJournal(stage.disk).post(letter_of(second, stage))
        else:
            running.house.drive(known)
        async with asyncio.timeout(LONGEST.total_seconds()):
            await running.run()
    finally:
        await made.views.close()
        await made.cloud.close()
        await journal.close()


def letter_of(plan: bytes, stage: Stage, name: str = "l1") -> Any:
    """A handover as a letter."""
    from orchestrator.rollout.letters import dump
    from orchestrator.store.port import Letter

    return Letter(name, stage.clock.now(), "grace", dump(handover(plan)))


@virtual
async def test_two_rollouts_share_one_count_of_what_is_out() -> None:
    """Their machines are in the same sets: never two of a set are out, and both end."""
    first, second = await pair()
    stage = Stage.of(first)
    await both(stage, second.plan)
    rollouts = await scope_of(stage)
    assert [rollout.status for rollout in rollouts] == [RolloutStatus.FINISHED] * 2
    assert [set(statuses(rollout).values()) for rollout in rollouts] == [{MachineStatus.DONE}] * 2
    overlap = min(r.ended_at for r in rollouts if r.ended_at) > max(r.started_at for r in rollouts)
    assert overlap, "they were meant to go on at once"
    judge(stage, first, second)


@pytest.mark.parametrize("durable", [False, True])
@virtual
async def test_a_crash_at_any_append_of_either_loses_and_doubles_nothing(durable: bool) -> None:
    """The process that drives both dies at its n-th append; the same commands go on."""
    first, second = await pair()
    reference = Stage.of(first)
    await both(reference, second.plan)
    rows = len(reference.disk.scopes["default"].rows)
    for crash_at in range(1, rows + 1, 3):
        stage = Stage.of(first)
        with contextlib.suppress(Crashed):
            await both(stage, second.plan, crash_at=crash_at, durable=durable)
        await both(stage, second.plan)
        rollouts = await scope_of(stage)
        assert [r.status for r in rollouts] == [RolloutStatus.FINISHED] * 2, crash_at
        assert set(stage.installs().values()) == {1}, crash_at
        judge(stage, first, second)


@virtual
async def test_a_plan_is_handed_over_and_followed() -> None:
    """Another process has the writer take its plan on, and reads in the journal how it ends."""
    first, second = await pair()
    stage = Stage.of(first, pace=LISTENING)
    follower = Follower(MemoryJournal(stage.disk))

    async def other(_: Running) -> None:
        await stage.clock.sleep(60)
        made = stage.services()
        given = await prepare(read_plan(second.plan), made, who="grace", live=stage.script.fleet)
        assert await follower.hand_over(given, stage.clock.now()) is not None

    await stage.run(meanwhile=other)
    rollout = await going_on(follower.journal, follower.scope, second.plan, 1.0)
    assert rollout is not None
    assert await follower.watch(rollout)
    assert rollout.status is RolloutStatus.FINISHED
    assert {r.who for r in await scope_of(stage)} == {"ada", "grace"}
    judge(stage, first, second)


@virtual
async def test_a_handover_that_cannot_be_is_refused_in_the_writers_words() -> None:
    """For another cloud, or with machines of a rollout that goes on."""
    first, second = await pair()
    overlapping = await part("a2", "a3", called="third")
    stage = Stage.of(first, pace=LISTENING)
    words: list[str] = []

    async def other(_: Running) -> None:
        await stage.clock.sleep(60)
        for given in (handover(second.plan, endpoint="https://elsewhere"), handover(overlapping.plan)):
            with pytest.raises(Refused) as refused:
                await Follower(MemoryJournal(stage.disk)).hand_over(given, stage.clock.now())
            words.append(str(refused.value))

    rollout = await stage.run(meanwhile=other)
    assert rollout.status is RolloutStatus.FINISHED
    assert "works on another cloud" in words[0]
    assert f"such as a2, is in rollout {rollout.id}" in words[1]


@virtual
async def test_whoever_would_begin_beside_it_is_told_which_rollout_is_in_the_way() -> None:
    """By an error that names it, so that the command can queue behind it."""
    first, _ = await pair()
    overlapping = await part("a2", "a3", called="third")
    stage = Stage.of(first)

    async def other(running: Running) -> None:
        await stage.clock.sleep(60)
        with pytest.raises(Busy) as busy:
            start_command(
                running.scope, read_plan(overlapping.plan), handover(overlapping.plan), stage.clock.now()
            )
        assert busy.value.rollout == running.rollout.id

    await stage.run(meanwhile=other)


@virtual
async def test_a_process_that_dies_leaves_a_follower_who_knows_it() -> None:
    """Nobody writes any more: the follower is told, and can take over."""
    first, second = await pair()
    stage = Stage.of(first)
    follower = Follower(MemoryJournal(stage.disk))
    with contextlib.suppress(Crashed):
        await both(stage, second.plan, crash_at=20)
    await follower.read()
    rollout = await going_on(follower.journal, follower.scope, first.plan, 1.0)
    assert rollout is not None
    assert await follower.watch(rollout) is False
    taken: Journal = MemoryJournal(stage.disk)
    assert await follower.hand_over(handover(second.plan), START + timedelta(hours=1)) is None
    assert [letter.who for letter in await taken.inbox()][-1] == "grace"


@virtual
async def test_the_end_of_one_frees_who_waited_behind_its_own_rules() -> None:
    """A rule that only the second plan brought goes with it: machines of the first that waited behind it go on."""
    strict = (
        "version: 1\nname: strict\nselect: {names: [a2, a4]}\nrules: [{max_unavailable: 1, per: tag:none}]\n"
    )
    first = await part("a1", "a2", called="first")
    campaign = CAMPAIGN.replace('"*"', "[b1, b2]").replace("name: monthly", "name: second")
    second = await script(twins(), campaign, strict)
    stage = Stage.of(first)
    await both(stage, second.plan)
    assert [r.status for r in await scope_of(stage)] == [RolloutStatus.FINISHED] * 2
    assert statuses((await scope_of(stage))[0])["a2"] is MachineStatus.DONE
    assert vm_id("a2") in {machine.id for machine in (await scope_of(stage))[0].planned.plan.machines}


@virtual
async def test_whoever_waits_is_told_which_rollout_holds_what() -> None:
    """The machine in the way is called by its rollout where that is another."""
    first, second = await pair()
    stage = Stage.of(first, pace=LISTENING)
    seen: set[str] = set()

    async def other(running: Running) -> None:
        await MemoryJournal(stage.disk).post(letter_of(second.plan, stage))
        while True:
            await stage.clock.sleep(30)
            for rollout in {one.id: one for one in (running.rollout, *running.house.driven())}.values():
                told = status(running.scope, rollout, stage.clock.now())
                seen.update(
                    holder for wait in (*told.full, *told.progress.waiting) for holder in wait.holders
                )

    await stage.run(meanwhile=other)
    names = {rollout.planned.plan.name: rollout.id for rollout in await scope_of(stage)}
    assert f"a2 of {names['first']}" in seen
    assert f"a4 of {names['second']}" in seen


@virtual
async def test_a_request_that_may_have_left_is_not_sent_again_because_a_second_rollout_comes_along() -> None:
    """A process goes on with both: what the second one brings moves nothing of the first before that was taken up."""
    first, second = await pair()
    for crash_at in range(1, 60):
        stage = Stage.of(first)
        with contextlib.suppress(Crashed):
            await both(stage, second.plan, crash_at=crash_at)
        rollouts = await scope_of(stage)
        if len(rollouts) == 2 and MachineStatus.INTENDED in statuses(rollouts[0]).values():
            break
    else:
        pytest.fail("none of them died with a request on its way")
    journal, made = await stage.journal(), stage.services()
    await journal.acquire("ada", stage.clock.now())
    running = await begin(journal, made, first.plan, who="ada", pace=LISTENING)
    known = await going_on(journal, running.scope, second.plan, 1.0)
    assert known is not None
    running.house.drive(known)
    assert running.host.activities() == []


@virtual
async def test_one_that_rests_while_a_fellow_moves_lets_time_pass() -> None:
    """It waits longer than a process is patient, for room that the other takes up: nobody asks over and over whether it may end."""
    first, second = await pair()
    stage = Stage.of(first, "- stays_out: {machines: [a1], recovers_after: 3h}")
    await both(stage, second.plan)
    assert stage.clock.now() - START > timedelta(hours=1)


@virtual
async def test_a_large_letter_is_read_beside_the_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    """And carried out like any other; what no version of this program has sent is refused by it all the same."""
    monkeypatch.setattr(host_of_scope, "LARGE", 0)
    first, second = await pair()
    stage = Stage.of(first, pace=LISTENING)
    words: list[str] = []

    async def other(_: Running) -> None:
        journal = MemoryJournal(stage.disk)
        await journal.post(Letter("torn", stage.clock.now(), "grace", b"{"))
        while await journal.taken("torn") is None:
            await stage.clock.sleep(5)
        words.extend(fact.why for fact in facts_of(stage.disk) if isinstance(fact, e.CommandRefused))
        assert await Follower(journal).hand_over(handover(second.plan), stage.clock.now()) is not None

    await stage.run(meanwhile=other)
    assert ["can't be read" in said for said in words] == [True]
    assert {r.status for r in await scope_of(stage)} == {RolloutStatus.FINISHED}
    judge(stage, first, second)
