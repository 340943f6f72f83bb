"""Whole rollouts under windows and freezes: what the machines saw, and how the process that drives them rests."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from orchestrator.errors import Refused
from orchestrator.planner.document import parse
from orchestrator.planner.durations import learn
from orchestrator.policy.windows import Calendar, is_open, opens_next
from orchestrator.rollout.hours import next_opening
from orchestrator.rollout.state import Rollout, RolloutStatus
from orchestrator.service.ending import ExitCode, exit_code
from orchestrator.service.history import history
from orchestrator.service.look import look
from orchestrator.service.status import machine_status, status, what_is_next
from orchestrator.store.memory import MemoryJournal
from tests.simulation.reference import CAMPAIGN, reference, twins
from tests.virtual import START, Stage, script, virtual

NIGHTS = """
version: 1
name: nights
windows:
  - {start: [mon, tue], at: "22:00", for: 4h, time_zone: UTC}
freezes:
  - {from: 2026-11-24, to: 2026-11-25, reason: stocktaking, time_zone: UTC}
"""
"""Rollouts of these tests begin on Sunday the 22nd at one in the morning. Of Monday's night two hours are left."""

SOON = NIGHTS.replace('start: [mon, tue], at: "22:00"', 'start: sun, at: "01:20"')


def calendar_of(stage: Stage) -> Calendar:
    """The one calendar of the plan."""
    (calendar,) = parse(stage.script.plan, "the plan").calendars
    return calendar


async def again_and_again(stage: Stage) -> list[datetime]:
    """Run the command, and again at each opening that it names, until it is over. Returns when it rested."""
    rested = []
    while True:
        rollout = await stage.run()
        if rollout.over:
            return rested
        assert exit_code(rollout) is ExitCode.NOT_FINISHED
        rested.append(stage.clock.now())
        opening = next_opening(rollout, stage.clock.now())
        assert opening is not None, (rollout.status, rested)
        await stage.clock.sleep((opening[0] - stage.clock.now()).total_seconds())


@virtual
async def test_a_process_that_can_start_nothing_for_long_rests_at_once_and_says_until_when() -> None:
    """Exit code 6; nothing was touched."""
    stage = Stage.of(await reference(NIGHTS))

    rollout = await stage.run()

    assert (rollout.status, exit_code(rollout)) == (RolloutStatus.RUNNING, ExitCode.NOT_FINISHED)
    assert stage.clock.now() - START < timedelta(minutes=5)
    assert stage.installs() == {}
    assert what_is_next(rollout, stage.clock.now()) == (
        "2 machines of stage canary, at 2026-11-23 22:00 UTC, when the first window opens"
    )


@virtual
async def test_status_says_of_a_machine_which_window_it_waits_for() -> None:
    """From the journal alone."""
    stage = Stage.of(await reference(NIGHTS))
    await stage.run()
    scope = await look(MemoryJournal(stage.disk))
    (rollout,) = scope.rollouts.values()
    index = next(i for i, machine in enumerate(rollout.planned.plan.machines) if machine.name == "a1")

    told = machine_status(scope, rollout, index, stage.clock.now())
    waits = status(scope, rollout, stage.clock.now()).progress.waiting

    why = "outside its windows (policies/1.yaml:5); it may be begun at 2026-11-23 22:00 UTC"
    assert f"It may not go down now: {why}." in told
    assert {(wait.who, wait.reason, wait.until) for wait in waits} == {
        (name, why, datetime.fromisoformat("2026-11-23T22:00Z")) for name in ("a1", "b1")
    }


@virtual
async def test_a_rollout_goes_on_from_night_to_night() -> None:
    """Every machine is changed once, inside the windows, and none so late that it might not be back in time."""
    stage = Stage.of(await reference(NIGHTS))

    rested = await again_and_again(stage)

    calendar = calendar_of(stage)
    takes = parse(stage.script.plan, "the plan").machines[0].takes
    begun = [datetime.fromisoformat(line["at"]) for line in stage.audit() if line["event"] == "install"]
    assert len(rested) > 1
    assert len(begun) == 8
    assert all(is_open(calendar, moment) for moment in begun)
    assert all(opens_next(calendar, moment, takes - timedelta(minutes=1)) == moment for moment in begun)
    stage.judge(complete=True)


HOUR_LONG = NIGHTS.replace("for: 4h", "for: 1h")
"""Too short for what is assumed of an installation with a restart, which may take 1h2m49s."""


@virtual
async def test_what_was_learned_of_earlier_rollouts_decides_when_it_is_too_late_to_begin() -> None:
    """Windows that are too short for what is assumed are long enough for what this fleet really takes, and are kept to it."""
    before = Stage.of(await script(twins(16), CAMPAIGN))
    await before.run()
    learned = learn((await history(MemoryJournal(before.disk))).samples)
    (known,) = learned.known.values()

    with pytest.raises(Refused, match="windows are never open for so long"):
        await script(twins(), CAMPAIGN, HOUR_LONG)
    stage = Stage.of(await script(twins(), CAMPAIGN, HOUR_LONG, durations=learned))
    await again_and_again(stage)

    plan, calendar = parse(stage.script.plan, "the plan"), calendar_of(stage)
    begun = [datetime.fromisoformat(line["at"]) for line in stage.audit() if line["event"] == "install"]
    assert (known.samples, plan.durations) == (32, learned)
    assert {machine.takes for machine in plan.machines} == {known.late + timedelta(minutes=1)}
    assert len(begun) == 8
    needs = plan.machines[0].takes - timedelta(minutes=1)  # from the grant on, a look before the request
    assert all(opens_next(calendar, moment, needs) == moment for moment in begun)
    stage.judge(complete=True)


@virtual
async def test_an_opening_within_patience_is_waited_for() -> None:
    """The process stays for the twenty minutes until the window opens, and nobody is looked at before."""
    stage = Stage.of(await reference(SOON))

    rollout: Rollout = await stage.run()

    begun = sorted(line["at"] for line in stage.audit() if line["event"] == "install")
    assert begun[0] >= "2026-11-22T01:20"
    assert rollout.status is RolloutStatus.FINISHED
    stage.judge(complete=True)


@virtual
async def test_a_process_that_dies_in_the_night_goes_on_in_it() -> None:
    """Crash and recovery don't move anything out of the window."""
    stage = Stage.of(await reference(NIGHTS))
    await stage.run()
    await stage.clock.sleep((datetime.fromisoformat("2026-11-23T22:00Z") - stage.clock.now()).total_seconds())

    await stage.survive(14, durable=False, away=timedelta(minutes=30))
    await again_and_again(stage)

    calendar = calendar_of(stage)
    begun = [datetime.fromisoformat(line["at"]) for line in stage.audit() if line["event"] == "install"]
    assert (stage.crashes, len(begun)) == (1, 8)
    assert all(is_open(calendar, moment) for moment in begun)
    stage.judge(complete=True)
