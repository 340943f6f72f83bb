"""A machine that nobody changes stays off for hours: who needs its room goes last, everybody else goes on, whatever dies in between."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import orjson
import pytest

from orchestrator.hosts.resting import Pace
from orchestrator.rollout import events as e
from orchestrator.rollout import replanning
from orchestrator.rollout.state import MachineStatus, Rollout
from tests.simulation.reference import CAMPAIGN, twins
from tests.virtual import START, Script, Stage, die_at_every_append, facts_of, script, statuses, virtual

TOGETHER = """
version: 1
name: together
select: {names: "*"}
rules: [{max_unavailable: 1, per: "tag:app"}, {max_unavailable: 2}]
"""

BACK = timedelta(hours=4)
OFF = f"- goes_off: {{machines: [a5], at: 6m, for: {BACK.seconds // 3600}h}}"

PATIENT = Pace(patience=timedelta(hours=12), inbox_every_s=0)

_SCRIPTS: list[Script] = []


async def joined() -> Script:
    """Two applications in one lane, an a and a b in each wave; a5 counts in its application and is changed by nobody."""
    if not _SCRIPTS:
        sets = twins(5)
        alone = replace(
            sets,
            availability_sets=(),
            machines=tuple(replace(one, availability_set=None) for one in sets.machines),
        )
        names = ", ".join(f"{app}{number}" for app in "ab" for number in range(1, 5))
        _SCRIPTS.append(await script(alone, CAMPAIGN.replace('"*"', f"[{names}]"), TOGETHER))
    return _SCRIPTS[0]


def ended(rollout: Rollout, app: str) -> list[timedelta]:
    """When the machines of one set that are no canaries were done, since the start."""
    names = {
        machine.name: run
        for machine, run in zip(rollout.planned.plan.machines, rollout.machines, strict=True)
    }
    since = [names[f"{app}{number}"].since for number in (2, 3, 4)]
    return [at - START for at in since if at is not None]


def assert_whole(stage: Stage, rollout: Rollout) -> None:
    """All are done, once each, by the rules of the plan as it was reviewed; the others didn't wait for the room of a."""
    assert set(statuses(rollout).values()) == {MachineStatus.DONE}, stage.story[-20:]
    assert stage.installs() == dict.fromkeys(statuses(rollout), 1), stage.story[-20:]
    assert max(ended(rollout, "b")) < BACK < min(ended(rollout, "a"))
    assert [len(one.lanes) for one in rollout.replannings] == [1]
    stage.judge(complete=True)


@virtual
async def test_who_has_room_does_not_wait_for_who_has_none() -> None:
    """The lane's waves are the others' first, then those of the application without room; the file of the plan stays what was reviewed."""
    stage = Stage.of(await joined(), OFF, pace=PATIENT)
    rollout = await stage.run()
    assert_whole(stage, rollout)
    reviewed = orjson.loads(stage.script.plan)["lanes"]
    assert len(rollout.planned.plan.lanes) == len(reviewed)
    assert sum("planned anew" in told for told in stage.story) == 2, stage.story


@virtual
async def test_without_it_everybody_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Admission alone is as safe: what a replan is worth is the time of the others."""
    monkeypatch.setattr(replanning, "STEADY", timedelta(days=9))
    stage = Stage.of(await joined(), OFF, pace=PATIENT)
    rollout = await stage.run()
    assert set(statuses(rollout).values()) == {MachineStatus.DONE}
    assert max(ended(rollout, "b")) > BACK
    stage.judge(complete=True)


@virtual
async def test_a_machine_that_comes_back_soon_changes_no_plan() -> None:
    """A flap is no reason, nor are several."""
    stage = Stage.of(
        await joined(),
        "- goes_off: {machines: [a5], at: 6m, for: 8m}\n- goes_off: {machines: [b5], at: 12m, for: 10m}",
    )
    rollout = await stage.run()
    assert rollout.replannings == []
    assert not any(isinstance(fact, e.LaneReplanned) for fact in facts_of(stage.disk))
    stage.judge(complete=True)


@pytest.mark.parametrize("durable", [False, True])
def test_a_crash_at_any_append_leaves_it_replanned_once(durable: bool) -> None:
    """Before, at and after the replan's own row; the process that goes on has the same waves."""
    die_at_every_append(lambda number: _crash(number, durable=durable), least=8 * 4)


@virtual
async def _crash(number: int, *, durable: bool) -> bool:
    stage = Stage.of(await joined(), OFF, pace=PATIENT)
    rollout = await stage.survive(number, durable=durable, away=timedelta(minutes=4 * (number % 2)))
    assert_whole(stage, rollout)
    return stage.crashes == 1
