"""Who is told of what, in whole rollouts: with receivers that are away, and processes that die at every append."""

from __future__ import annotations

from datetime import timedelta

import pytest

from orchestrator.rollout.state import RolloutStatus
from orchestrator.service.ending import ExitCode, exit_code
from tests.simulation.reference import reference
from tests.simulation.test_commands import ask
from tests.simulation.test_crash_points import AWAY, assert_whole
from tests.virtual import Stage, die_at_every_append, virtual

TOLD = """
version: 1
name: oncall
select: {names: "*"}
notify:
  - {webhook: ops, on: [started, stage, approval, unhealthy, stopped, finished]}
  - {webhook: boss, on: finished}
"""


def heard(stage: Stage, webhook: str) -> list[str]:
    """What a receiver has heard, without repetitions."""
    calls = dict.fromkeys(
        (key, body["occasion"]) for name, key, body in stage.webhooks.calls if name == webhook
    )
    return [occasion for _, occasion in calls]


ALL = ["started", "stage", "stage", "finished"]


@virtual
async def test_each_receiver_hears_what_it_wants() -> None:
    """Before the process ends."""
    stage = Stage.of(await reference(TOLD))
    rollout = await stage.run()
    assert exit_code(rollout) is ExitCode.DONE
    assert (heard(stage, "ops"), heard(stage, "boss")) == (ALL, ["finished"])
    assert len(stage.webhooks.calls) == 5
    stage.judge(complete=True)


@pytest.mark.parametrize("durable", [False, True])
def test_a_crash_at_any_append_loses_no_notice(durable: bool) -> None:
    """Each is heard, in order, at most once more than needed, under the same id."""
    die_at_every_append(lambda number: _crash(number, durable=durable), least=8 * 4)


@virtual
async def _crash(number: int, *, durable: bool) -> bool:
    stage = Stage.of(await reference(TOLD))
    rollout = await stage.survive(number, durable=durable, away=AWAY[number % len(AWAY)])
    assert_whole(stage, rollout)
    assert (heard(stage, "ops"), heard(stage, "boss")) == (ALL, ["finished"])
    assert len(stage.webhooks.calls) <= 5 + 2 * stage.crashes
    return stage.crashes == 1


@virtual
async def test_a_receiver_that_is_away_stops_nothing() -> None:
    """All is done; `status` says who doesn't know; whoever runs the command again tells them once they are there."""
    stage = Stage.of(await reference(TOLD))
    stage.webhooks.answer = lambda name, key, body: name != "ops"
    rollout = await stage.run()
    assert exit_code(rollout) is ExitCode.DONE
    assert rollout.mute.keys() == {"ops"}
    assert heard(stage, "boss") == ["finished"]
    stage.webhooks.answer = lambda name, key, body: True
    await stage.clock.sleep(timedelta(hours=3).total_seconds())
    rollout = await stage.run()
    assert (rollout.mute, heard(stage, "ops")) == ({}, ALL)
    stage.judge(complete=True)


@virtual
async def test_a_stop_and_an_abort_from_another_terminal_are_told() -> None:
    """The abort by whoever drives the rollout next."""
    stage = Stage.of(await reference(TOLD), "- unhealthy: {machines: [a1]}")
    rollout = await stage.run()
    assert rollout.status is RolloutStatus.STOPPED
    assert heard(stage, "ops") == ["started", "unhealthy", "stopped"]
    await ask(stage, "abort")
    await stage.run()
    assert heard(stage, "ops")[-1] == "finished"
    assert heard(stage, "boss") == ["finished"]
