"""Whole rollouts over seeded fleets: a plan of the real planner, then faults and crashes; judged by the independent judge.

*Never*: a rule broken, an attempt sent twice, work begun after a stop. *Eventually*: an end, or a rest that is true.
A seed that fails is a test of its own: add it to the list.
"""

from __future__ import annotations

import contextlib
import random
from collections import Counter
from datetime import datetime, timedelta

import pytest

from orchestrator.executor.settings import Settings
from orchestrator.rollout import events as e
from orchestrator.rollout.letters import make
from orchestrator.rollout.state import A_PERSONS, MachineStatus, Rollout, RolloutStatus
from orchestrator.service.ending import ExitCode, exit_code
from orchestrator.service.verbs import carry_out
from orchestrator.store.memory import Crashed, MemoryJournal
from tests.simulation.fleets import company, troubles
from tests.virtual import Stage, facts_of, script, statuses, virtual

SELDOM = Settings(watch_least=timedelta(minutes=3))
"""Looks at the whole fleet are what a simulated rollout spends its time on."""

NOTICE = 4 * SELDOM.watch_least
"""Within which an outage that isn't ours is noticed: three looks, and the time that a throttled look takes."""


@pytest.mark.parametrize("seed", range(8))
def test_a_seeded_fleet_is_rolled_to_its_end(seed: int) -> None:
    """Without faults every machine of the plan is done, each once, and no rule was broken."""

    @virtual
    async def story() -> None:
        told = company(seed)
        stage = Stage.of(await script(told.fleet, *told.policies, seed=seed), settings=SELDOM)
        rollout = await stage.run()
        assert rollout.status is RolloutStatus.FINISHED
        assert set(statuses(rollout).values()) == {MachineStatus.DONE}
        assert stage.installs() == dict.fromkeys(statuses(rollout), 1)
        stage.judge(complete=True)

    story()


@pytest.mark.parametrize("seed", range(10))
def test_a_seeded_fleet_in_trouble_keeps_every_promise(seed: int) -> None:
    """Faults out of the seed, a process that dies now and then, and nobody who helps."""

    @virtual
    async def story() -> None:
        stage, rollout = await in_trouble(seed)
        assert_true_rest(rollout)
        assert_nothing_after_a_stop(stage)
        assert_promises(stage, rollout)

    story()


@pytest.mark.parametrize("seed", range(100, 112))
def test_with_a_person_who_helps_every_rollout_ends(seed: int) -> None:
    """The same, with somebody who retries, skips, writes off and resumes, as the seed will have it."""

    @virtual
    async def story() -> None:
        stage, rollout = await in_trouble(seed, helped=True)
        assert rollout.status is RolloutStatus.FINISHED
        assert_promises(stage, rollout)

    story()


async def in_trouble(seed: int, *, helped: bool = False) -> tuple[Stage, Rollout]:
    """The same command again and again, after crashes and rests, until it is over or only a person can help."""
    told, rng = company(seed, size=30), random.Random(f"crashes {seed}")
    stage = Stage.of(await script(told.fleet, *told.policies, seed=seed), troubles(seed), settings=SELDOM)
    for _ in range(60):
        with contextlib.suppress(Crashed):
            rollout = await stage.run(crash_at=rng.randint(1, 120), durable=rng.random() < 0.5)
            if rollout.over or (not helped and exit_code(rollout) is ExitCode.STOPPED):
                return stage, rollout
            if helped:
                await help_out(stage, rollout, rng)
        await stage.clock.sleep(rng.choice([0, 30, 3600]))
    return stage, await stage.run()


async def help_out(stage: Stage, rollout: Rollout, rng: random.Random) -> None:
    """A person looks at what is wrong, has a word on some of it, and lets it go on."""
    journal, who, why = MemoryJournal(stage.disk), "grace", "looked at it"
    for index, run in enumerate(rollout.machines):
        if run.status in A_PERSONS:
            verb = rng.choice(["retry", "skip", "write-off", ""])
        else:  # one that was skipped and never gets well holds its place for ever
            verb = "write-off" if run.status is MachineStatus.SKIPPED and rng.random() < 0.3 else ""
        if verb:
            wanted = make(verb, rollout=rollout.id, machine=index, who=who, reason=why)
            await carry_out(journal, wanted, stage.clock.now(), who)
    if rollout.status is RolloutStatus.STOPPED:
        await carry_out(
            journal, make("resume", rollout=rollout.id, who=who, reason=why), stage.clock.now(), who
        )


def assert_promises(stage: Stage, rollout: Rollout) -> None:
    """What must never happen has not. A named person answers for what was retried or written off while others were out."""
    assert_nothing_twice(stage)
    persons = taken_over(stage, rollout)
    verdict = stage.verdict(retried=tried_again(stage, rollout), written_off=persons, notice=NOTICE)
    assert [str(found) for found in verdict.violations if not set(found.machines) & set(persons)] == []


def assert_nothing_twice(stage: Stage) -> None:
    """No attempt was taken twice: each request carries its attempt's key."""
    keys = Counter(
        line["request_id"] for line in stage.audit() if line["event"] == "install" and "by" not in line
    )
    assert [key for key, times in keys.items() if times > 1] == []


def assert_nothing_after_a_stop(stage: Stage) -> None:
    """No installation began after a stop, since nobody resumed."""
    stops = [row.at for row in stage.disk.scopes["default"].rows if b'"RolloutStopped"' in row.body]
    if stops:
        began = [
            datetime.fromisoformat(line["at"])
            for line in stage.audit()
            if line["event"] == "install" and "by" not in line
        ]
        assert max(began, default=stops[0]) <= stops[0] + timedelta(seconds=60)


def assert_true_rest(rollout: Rollout) -> None:
    """It is over, was stopped, or what keeps it is a machine that is out and not yet well."""
    assert rollout.in_flight == 0
    troubled = [s for s in statuses(rollout).values() if s in A_PERSONS]
    assert rollout.status in {RolloutStatus.FINISHED, RolloutStatus.STOPPED} or troubled


def tried_again(stage: Stage, rollout: Rollout) -> list[str]:
    """Machines that may have two installations: a person said so, or the first one failed as such that may pass."""
    return [
        rollout.planned.machine(fact.machine).id
        for fact in facts_of(stage.disk)
        if isinstance(fact, e.MachineRetried)
        or (isinstance(fact, e.MachineEnded) and fact.outcome is e.Outcome.PENDING)
    ]


def taken_over(stage: Stage, rollout: Rollout) -> list[str]:
    """Machines that a person has had a word on."""
    said = (e.MachineRetried, e.MachineSkipped, e.MachineWrittenOff)
    return [rollout.planned.machine(f.machine).id for f in facts_of(stage.disk) if isinstance(f, said)]
