"""What a copy of a journal doesn't know, and is written down before anybody goes on from it."""

from __future__ import annotations

from orchestrator.executor.log import Log, replay
from orchestrator.planner.document import digest, dump
from orchestrator.rollout import events as e
from orchestrator.rollout import messages as m
from orchestrator.rollout.decide import decide
from orchestrator.rollout.planned import index_plan
from orchestrator.rollout.state import MachineStatus, RolloutStatus, Scope
from orchestrator.service.journal import settle_copy
from orchestrator.store.memory import MemoryJournal
from tests.builders import NOON, lane, plan_of

PLAN = plan_of(lane("west", "a b c"))
FILE = dump(PLAN)


async def test_what_may_have_been_begun_is_not_begun_again() -> None:
    """Who waited waits for good, who was granted is a person's and counts as out, who was followed is followed."""
    journal = MemoryJournal()
    await journal.acquire("ada", NOON)
    log = Log(Scope(), journal)
    start = m.Start("r1", index_plan(PLAN), digest(FILE), "ada", "because")
    log.record(
        "r1", decide(log.scope, start, NOON), NOON, planned=start.planned, documents={digest(FILE): FILE}
    )
    for facts in (
        (e.Prepared(()), e.StageOpened(0), e.WaveOpened(0, 0)),
        (e.Granted(0), e.Intended(0, 1, "r1-0-1", "", NOON), e.Started(0, "https://x")),
        (e.Granted(1),),
    ):
        _, commit = log.record("r1", facts, NOON)
        await commit
    assert await settle_copy(journal, "grace", NOON) == ("r1",)
    scope = await replay(journal)
    rollout = scope.rollouts["r1"]
    assert rollout.status is RolloutStatus.ABORTED
    assert [run.status for run in rollout.machines] == [
        MachineStatus.RUNNING,
        MachineStatus.UNDECIDED,
        MachineStatus.PENDING,
    ]
    assert set(scope.ledger.grants) == {PLAN.machines[0].id, PLAN.machines[1].id}
    assert await settle_copy(journal, "grace", NOON) == ()
