"""Steps around waves, stages and the rollout, in whole rollouts: with failures, stops and processes that die at every append."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from datetime import timedelta

import pytest

from orchestrator.rollout import events as e
from orchestrator.rollout import messages as m
from orchestrator.rollout.state import MachineStatus, Rollout, RolloutStatus
from orchestrator.service.ending import ExitCode, exit_code
from orchestrator.store.memory import Crashed
from orchestrator.wiring.rollout import Running
from tests.simulation.reference import STEPS, reference
from tests.simulation.test_commands import ask
from tests.simulation.test_crash_points import AWAY, assert_whole
from tests.virtual import Stage, die_at_every_append, facts_of, statuses, virtual

WIDER = """
version: 1
name: platform
select: {tags: {app: a}}
around:
  - {each: rollout, before: {webhook: announce, timeout: 2m}, after: {webhook: report, timeout: 2m, when: always}}
  - {each: stage, before: {webhook: silence, timeout: 2m}, after: {webhook: unsilence, timeout: 2m, when: always}}
  - each: wave
    before: [{webhook: hold, timeout: 2m}, {webhook: snapshot, timeout: 2m}]
    after: [{webhook: tidy, timeout: 2m}, {webhook: free, timeout: 2m, when: always}]
"""


async def stage_of(faults: str = "", answer: Callable[..., bool] | None = None) -> Stage:
    """The reference with all these steps, and those around each machine."""
    stage = Stage.of(await reference(STEPS, WIDER), faults)
    if answer is not None:
        stage.webhooks.answer = answer
    return stage


def around(stage: Stage) -> list[str]:
    """What was called around more than one machine, in order, without repetitions."""
    wide = [(key, name) for name, key, body in stage.webhooks.calls if "each" in body]
    return [name for _, name in dict.fromkeys(wide)]


@virtual
async def test_everything_is_done_once_and_in_order() -> None:
    """Two stages, a canary of a1 and four lanes' worth of waves: announced once, reported once, and judged by the receiver's record."""
    stage = await stage_of()
    rollout = await stage.run()
    assert exit_code(rollout) is ExitCode.DONE
    names = around(stage)
    assert names[0] == "announce"
    assert names[-1] == "report"
    assert [x for x in names if "silence" in x] == ["silence", "unsilence", "silence", "unsilence"]
    waves = [x for x in names if x in ("hold", "snapshot", "tidy", "free")]
    assert waves == ["hold", "snapshot", "tidy", "free"] * 4
    assert len({key for _, key, _ in stage.webhooks.calls}) == len(stage.webhooks.calls)
    stage.judge(complete=True, over=True)


@virtual
async def test_a_receiver_is_told_what_it_is_about() -> None:
    """Lane, wave and its machines; a stage by its name."""
    stage = await stage_of()
    await stage.run()
    bodies = {name: body for name, _, body in reversed(stage.webhooks.calls)}
    assert bodies["announce"] == {
        "rollout": bodies["announce"]["rollout"],
        "each": "rollout",
        "phase": "before",
        "times": 1,
        "change": "patches",
    }
    assert bodies["silence"]["stage"] == "canary"
    assert bodies["hold"]["wave"] == 1
    assert [x.rsplit("/", 1)[-1] for x in bodies["hold"]["machines"]] == ["a1", "b1"]


@pytest.mark.parametrize("durable", [False, True])
def test_a_crash_at_any_append_leaves_nothing_held(durable: bool) -> None:
    """Whatever was begun is ended, nothing that was written down is repeated, and what is called again has the same key."""
    die_at_every_append(lambda number: _crash(number, durable=durable), least=8 * 4)


@virtual
async def _crash(number: int, *, durable: bool) -> bool:
    stage = await stage_of()
    rollout = await stage.survive(number, durable=durable, away=AWAY[number % len(AWAY)])
    assert_whole(stage, rollout)
    stage.judge(complete=True, over=True)
    calls = [key for _, key, _ in stage.webhooks.calls]
    assert len(calls) <= len(set(calls)) + 3 * stage.crashes  # those that were under way when it died
    return stage.crashes == 1


@pytest.mark.parametrize("durable", [False, True])
@pytest.mark.parametrize("failing", ["hold", "snapshot", "unsilence", "report", "tidy"])
def test_a_crash_at_any_append_beside_a_step_that_fails(failing: str, durable: bool) -> None:
    """It fails for good at its first time, which stops; a person resumes; the process dies somewhere. All is undone at the end."""
    die_at_every_append(lambda number: _crash_and_fail(number, failing, durable=durable), every=9)


@virtual
async def _crash_and_fail(number: int, failing: str, *, durable: bool) -> bool:
    first: list[str] = []

    def answer(name: str, key: str, body: object) -> bool:
        if name == failing:
            first.append(key)
        return name != failing or key != first[0] or "mended" in first

    stage = await stage_of(answer=answer)
    rollout = await stage.survive(number, durable=durable)
    for _ in range(5):
        if rollout.status is not RolloutStatus.STOPPED:
            break
        assert failing in rollout.cause or "step" in rollout.cause
        first += ["mended"]
        await ask(stage, "resume")
        rollout = await stage.run()
    assert_whole(stage, rollout)
    stage.judge(complete=True, over=True)
    return stage.crashes == 1


@virtual
async def test_a_stop_undoes_what_must_not_stay() -> None:
    """An unhealthy canary stops: its wave is freed, its stage's alarms are on again, and what is only for the healthy stays undone."""
    stage = await stage_of("- unhealthy: {machines: [a1]}")
    rollout = await stage.run()
    assert rollout.status is RolloutStatus.STOPPED
    assert statuses(rollout)["a1"] is MachineStatus.UNHEALTHY
    assert around(stage)[-3:] == ["free", "unsilence", "report"]
    assert "tidy" not in around(stage)
    stage.judge(over=True)


@virtual
async def test_an_abort_undoes_everything_before_the_process_ends() -> None:
    """What is in flight first; then from the inside out."""
    stage = await stage_of()

    async def person(running: Running) -> None:
        while "hold" not in around(stage):
            await stage.clock.sleep(5)
        await stage.clock.sleep(60)
        await running.host.ask(m.Abort(running.rollout.id, "ada", "enough"))

    rollout = await stage.run(meanwhile=person)
    assert rollout.status is RolloutStatus.ABORTED
    assert around(stage)[-4:] == ["tidy", "free", "unsilence", "report"]
    assert _begun(stage) == 3
    stage.judge(over=True)


@virtual
async def test_an_abort_that_nobody_drives_is_undone_by_whoever_comes_next() -> None:
    """The process died, a person aborts from another terminal, and the same command ends what was begun."""
    stage = await stage_of()
    rollout = await _until_held(stage)
    assert rollout.status is RolloutStatus.ABORTED
    assert around(stage)[-1] == "report"
    stage.judge(over=True)


async def _until_held(stage: Stage) -> Rollout:
    with contextlib.suppress(Crashed):
        await stage.run(crash_at=9, durable=True)
    assert "hold" in around(stage)
    await ask(stage, "abort")
    await stage.clock.sleep(timedelta(minutes=30).total_seconds())
    return await stage.run()


def _begun(stage: Stage) -> int:
    return sum(isinstance(fact, e.StretchBegun) for fact in facts_of(stage.disk))
