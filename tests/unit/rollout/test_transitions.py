"""The legal moves: each is reachable, no other is ever made, and the pages that draw them are current."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import get_args

import pytest

from orchestrator.policy.model import Share, StopWhen
from orchestrator.rollout import agenda, due, evolve
from orchestrator.rollout import events as e
from orchestrator.rollout.agenda import agenda_of
from orchestrator.rollout.state import MachineStatus, RolloutStatus, StageStatus
from orchestrator.rollout.transitions import MACHINE, ROLLOUT, diagram
from tests.builders import budget, lane, plan_of, stage, step, taking_back
from tests.recount import assert_counts
from tests.unit.rollout.explore import ID, Explored, Move, explore

PAGE = Path(__file__).parents[3] / "docs" / "rollout-states.md"


@pytest.fixture(scope="module")
def explored() -> Explored:
    """Every state of a machine with steps around it, in the first of two stages."""
    return explore(
        plan_of(
            lane("first", "a", stage="canary"),
            stages=[stage("canary", bake=timedelta(hours=1), approve=True), stage("broad")],
            rules=[budget(1, "a")],
            before=[step("drain")],
            after=[step("undrain")],
            stop_when=StopWhen(Share(count=2), Share(count=2)),
        )
    )


@pytest.fixture(scope="module")
def rolled_back() -> Explored:
    """The same of a change that is several requests."""
    return explore(plan_of(lane("only", "a"), rules=[budget(1, "a")], change=taking_back("a")))


def moves_of(table: dict[str, dict[str, str]], machine: int) -> set[Move]:
    """A table as moves."""
    return {Move(machine, s, label, to) for s, moves in table.items() for label, to in moves.items()}


def test_every_event_has_a_fold() -> None:
    """No fact can be written that the state doesn't know what to make of."""
    of_the_scope = {
        e.RolloutStarted,
        e.Archived,
        e.UpdateBlocked,
        e.UpdateUnblocked,
        *(set(get_args(e.MatterEvent)) - {e.ReceiversNamed}),
        e.HoldPlaced,
        e.HoldLifted,
    }
    assert set(get_args(e.Event)) - of_the_scope == set(evolve._FOLDS)


def test_every_legal_move_of_a_machine_is_made(explored: Explored, rolled_back: Explored) -> None:
    """The table holds what happens and nothing more: a move that can't be reached would be a promise untested."""
    made = {move for move in explored.moves | rolled_back.moves if move.machine == 0}
    assert moves_of(MACHINE, 0) == made  # type: ignore[arg-type]  # enums are strings


def test_every_legal_move_of_a_rollout_is_made(explored: Explored) -> None:
    """The same for the rollout's own table."""
    labels = {label for moves in ROLLOUT.values() for label in moves}
    made = {move for move in explored.moves if move.machine == -1 and move.label in labels}
    assert moves_of(ROLLOUT, -1) == made  # type: ignore[arg-type]


def test_counts_and_grants_agree_in_every_state(explored: Explored) -> None:
    """Whatever led there."""
    for scope in explored.states:
        assert_counts(scope, scope.rollouts[ID])


def test_no_state_is_without_a_way_out(explored: Explored) -> None:
    """While it runs something is being done, is due, or comes due by itself; otherwise a person is waited for."""
    for scope in explored.states:
        rollout = scope.rollouts[ID]
        assert scope.last is not None
        running = rollout.status in (RolloutStatus.STARTING, RolloutStatus.RUNNING)
        if rollout.in_flight or (running and rollout.stage_status is not StageStatus.AWAITING):
            now = agenda_of(scope, rollout, scope.last)
            going_on = list(now.activities.values()) or [x for x in now.own if rollout.prepared is False]
            assert going_on or now.lanes or now.stage_due or now.wake_at() is not None


def test_what_is_open_is_being_closed(explored: Explored) -> None:
    """Whoever keeps a grant is asked how it is, is a person's, or waits for its next grant."""
    for scope in explored.states:
        rollout = scope.rollouts[ID]
        run = rollout.machines[0]
        if scope.ledger.holds(ID, rollout.planned.machine(0).id):
            waits = run.status in (MachineStatus.UNDECIDED, MachineStatus.PENDING)
            assert waits or due.due_machine(scope, rollout, 0) is not None


def test_refusals_are_sentences(explored: Explored) -> None:
    """Who is refused reads why, in words."""
    assert explored.refusals
    for refusal in explored.refusals:
        assert len(refusal.split()) > 4


def test_fleetwide_facts_are_those_that_change_everybodys_lot() -> None:
    """All but the refusal of a rollout, which never had anything going on but its preparation."""
    names = {name for moves in ROLLOUT.values() for name in (label.split()[0] for label in moves)}
    assert names - {"RolloutRefused"} <= {cls.__name__ for cls in agenda.FLEETWIDE}


PREFACE = """# States

Printed from the tables in `orchestrator/rollout/transitions.py`, which `evolve` asserts and `decide` refuses by. A test
keeps this page current; `pytest --rewrite-scenarios` writes it anew.
"""


def page() -> str:
    """The page as it should be."""
    parts = (("A machine", MACHINE), ("A rollout", ROLLOUT))
    drawn = (f"\n## {title}\n\n```mermaid\n{diagram(table)}```\n" for title, table in parts)
    return PREFACE + "".join(drawn)


def test_the_page_of_states_is_current(pytestconfig: pytest.Config) -> None:
    """What people read is what the program does."""
    if pytestconfig.getoption("--rewrite-scenarios"):
        PAGE.write_text(page(), encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8") == page()
