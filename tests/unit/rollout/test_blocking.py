"""Updates that people keep out of every campaign: a fact of the scope, applied to whatever is asked for next."""

from __future__ import annotations

from dataclasses import replace

import orjson
import pytest

from orchestrator.errors import Refused
from orchestrator.inventory.model import Os
from orchestrator.policy.change import Patches, Restart
from orchestrator.rollout import events as e
from orchestrator.rollout import messages as m
from orchestrator.rollout.blocking import nothing_left, without_blocked
from orchestrator.rollout.decide import decide
from orchestrator.rollout.evolve import apply
from orchestrator.rollout.parts import request_of
from orchestrator.rollout.snapshot import dump, load
from orchestrator.rollout.state import MachineStatus, Scope
from tests.builders import NOON, lane, plan_of
from tests.diary import Diary, kinds, only

KB = "5087423"


def block(scope: Scope, kb: str = KB, reason: str = "it breaks the shop") -> tuple[e.Event, ...]:
    """A person's word, decided on and applied."""
    facts = decide(scope, m.Block(kb, "ada", reason), NOON)
    for fact in facts:
        apply(scope, "", fact, NOON)
    return facts


def only_kb(*kbs: str) -> Diary:
    """A rollout that installs these KBs and nothing else, on Windows."""
    plan = plan_of(lane("west", "a b"), change=Patches((), include_kbs=kbs))
    machines = tuple(replace(machine, os=Os.WINDOWS) for machine in plan.machines)
    return Diary(replace(plan, machines=machines))


def test_a_block_is_a_fact_of_the_scope_with_name_and_reason() -> None:
    """Before any rollout, and told in a sentence."""
    scope = Scope()
    assert block(scope) == (e.UpdateBlocked(KB, "ada", "it breaks the shop"),)
    assert str(scope.blocked[KB]) == (
        "KB5087423 is blocked by ada since 2026-11-22 12:00 UTC: it breaks the shop"
    )


def test_what_is_so_already_is_refused() -> None:
    """Twice, without a reason, or let in what isn't kept out."""
    scope = Scope()
    block(scope)
    with pytest.raises(Refused, match="KB5087423 is blocked by ada"):
        block(scope)
    with pytest.raises(Refused, match="say why"):
        block(scope, "5087424", " ")
    with pytest.raises(Refused, match="KB1234567 isn't blocked; blocked: KB5087423"):
        decide(scope, m.Unblock("1234567", "ada", "mended"), NOON)


def test_it_is_let_in_again() -> None:
    """By a named person, too."""
    scope = Scope()
    block(scope)
    (fact,) = decide(scope, m.Unblock(KB, "ada", "mended"), NOON)
    apply(scope, "", fact, NOON)
    assert scope.blocked == {}


def test_a_running_rollout_asks_for_it_no_more() -> None:
    """Its plan stays as it was reviewed; the next request excludes the update."""
    diary = Diary(plan_of(lane("west", "a"), change=Patches()))
    assert request_of(diary.rollout, 0) == Patches()
    block(diary.scope)
    assert request_of(diary.rollout, 0) == Patches(exclude_kbs=(KB,))
    assert diary.rollout.planned.plan.change == Patches()


def test_what_is_blocked_is_asked_for_in_no_way() -> None:
    """Neither included, nor one of the only ones."""
    asked = Patches((), include_kbs=(KB, "1111111"), exclude_kbs=("2222222",), only_kbs=(KB, "1111111"))
    assert without_blocked(asked, {KB}) == Patches(
        (), include_kbs=("1111111",), exclude_kbs=("2222222", KB), only_kbs=("1111111",)
    )
    assert without_blocked(asked, set()) is asked


@pytest.mark.parametrize(
    ("change", "os", "left"),
    [
        (Patches((), include_kbs=(KB,)), Os.WINDOWS, (KB,)),
        (Patches((), include_kbs=(KB, "1111111")), Os.WINDOWS, ()),
        (Patches((), include_kbs=(KB,)), Os.LINUX, ()),
        (Patches(only_kbs=(KB,)), Os.WINDOWS, (KB,)),
        (Patches(only_kbs=()), Os.WINDOWS, ()),
        (Patches(include_kbs=(KB,)), Os.WINDOWS, ()),  # its classifications are left
        (Restart(), Os.WINDOWS, ()),
    ],
)
def test_whether_anything_is_left(change: Patches | Restart, os: Os, left: tuple[str, ...]) -> None:
    """A plan that would install nothing but what is blocked says so."""
    assert nothing_left(change, os, {KB}) == left


def test_a_plan_of_nothing_but_blocked_updates_is_refused() -> None:
    """Before anything is looked at."""
    scope = Scope()
    block(scope)
    with pytest.raises(
        Refused, match="would install nothing but what is blocked: KB5087423 is blocked by ada"
    ):
        decide(scope, m.Start("r2", only_kb(KB).rollout.planned, "d", "ada", ""), NOON)


def test_machines_that_wait_for_nothing_else_are_left_out_by_name() -> None:
    """The block came while they waited."""
    diary = only_kb(KB)
    block(diary.scope)
    facts = diary.well("a")
    assert kinds(facts) == "MachineLeftOut"
    why = "all that it would get is kept out: KB5087423 is blocked by ada"
    assert only(facts, e.MachineLeftOut).why.startswith(why)
    assert diary.status("a") is MachineStatus.LEFT_OUT


def test_a_snapshot_keeps_it() -> None:
    """For the scope and for each of its rollouts."""
    diary = only_kb("1111111")
    block(diary.scope)
    read = load(orjson.loads(dump(diary.scope)), {"r1": diary.rollout.planned})
    assert read.blocked == diary.scope.blocked
    assert read.rollouts["r1"].blocked is read.blocked
