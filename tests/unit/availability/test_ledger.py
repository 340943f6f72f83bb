"""The one count of what is down: by whom it may be opened and closed, and what every rule has left."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from orchestrator.availability.ledger import Ledger, Refusal, Reserved
from orchestrator.availability.model import Constraint
from orchestrator.inventory.model import MachineId
from tests.builders import NOON, budget, exclusion, order, restarts
from tests.fleet import vm_id

A, B, C, D = (vm_id(name) for name in "abcd")


def ledger_of(*rules: Constraint, rollout: str = "r1") -> Ledger:
    """A ledger in which one rollout holds these rules."""
    ledger = Ledger()
    ledger.register(rollout, rules)
    return ledger


def taken(ledger: Ledger) -> dict[str, int]:
    """How much of each budget is taken, by its words."""
    return {rule.what: count for rule, count in ledger.budgets()}


# Budgets ----------------------------------------------------------------------------------------------------------


def test_a_budget_counts_grants_and_others_outages_each_machine_once() -> None:
    """Taken = out or granted; a machine that is both is one."""
    ledger = ledger_of(budget(2, "a b c"))
    ledger.grant(A, "r1", NOON)
    ledger.mark_out(A, NOON)
    ledger.mark_out(B, NOON)
    assert taken(ledger) == {"at most 2 of 3": 2}
    ledger.release(A, "r1")
    assert taken(ledger) == {"at most 2 of 3": 2}
    ledger.mark_back(A)
    ledger.mark_back(A)
    assert taken(ledger) == {"at most 2 of 3": 1}


def test_who_joins_and_who_leaves_counts_as_long_as_somebody_says_so() -> None:
    """Two rollouts under one rule: what one has seen holds until it ends, unless the other has seen it too."""
    rule = budget(3, "a b c")
    ledger = ledger_of(rule)
    ledger.register("r2", [rule])
    ledger.mark_out(D, NOON)
    ledger.move("r1", D, joins=[rule.id])
    ledger.move("r1", A, leaves=[rule.id])
    ledger.move("r2", A, leaves=[rule.id])
    assert taken(ledger) == {"at most 3 of 3": 2}
    assert ledger.holders(rule.id) == tuple(sorted((A, D)))
    ledger.grant(A, "r1", NOON)
    assert taken(ledger) == {"at most 3 of 3": 2}
    ledger.release(A, "r1")
    ledger.unregister("r1")
    assert taken(ledger) == {"at most 3 of 3": 1}
    ledger.mark_back(D)
    assert taken(ledger) == {"at most 3 of 3": 1}
    ledger.unregister("r2")
    ledger.mark_out(A, NOON)
    assert taken(ledger) == {}


def test_a_budget_without_room_refuses_in_words() -> None:
    """By the rule's id, and as its author would say it."""
    rule = budget(1, "a b")
    ledger = ledger_of(rule)
    ledger.grant(A, "r1", NOON)
    assert ledger.refusal(B) == Refusal(rule.id, "at most 1 of 2")
    assert ledger.refusal(C) is None
    assert ledger.holders(rule.id) == (A,)


def test_a_machine_that_is_out_already_costs_nothing_more() -> None:
    """It uses its place up anyway."""
    ledger = ledger_of(budget(1, "a b"))
    ledger.mark_out(A, NOON)
    assert ledger.refusal(A) is None
    assert ledger.refusal(B) is not None


def test_a_machine_that_serves_costs_a_place_whatever_stands_written_of_it() -> None:
    """Its own place, if nobody else has one more than may be."""
    ledger = ledger_of(budget(1, "a b"))
    ledger.mark_out(A, NOON)
    assert ledger.refusal(A, serves=True) is None
    ledger.grant(B, "r1", NOON)
    assert ledger.refusal(A) is None
    assert ledger.refusal(A, serves=True) is not None


def test_a_budget_that_is_overdrawn_by_others_has_no_room_until_it_is_not() -> None:
    """Others don't ask."""
    rule = budget(1, "a b c")
    ledger = ledger_of(rule)
    ledger.mark_out(A, NOON)
    ledger.mark_out(B, NOON)
    assert ledger.room(rule.id) == -1
    ledger.mark_back(A)
    assert ledger.refusal(C) is not None
    ledger.mark_back(B)
    assert ledger.refusal(C) is None


def test_a_budget_of_nothing_admits_nobody() -> None:
    """A frozen group."""
    assert ledger_of(budget(0, "a")).refusal(A) is not None


# Exclusions ---------------------------------------------------------------------------------------------------------


ZONES = exclusion({"z1": "a b", "z2": "c"})


def test_an_exclusion_lets_one_domain_at_a_time() -> None:
    """Until every grant in it is closed."""
    ledger = ledger_of(ZONES)
    ledger.grant(A, "r1", NOON)
    ledger.grant(B, "r1", NOON)
    assert ledger.refusal(C) == Refusal(ZONES.id, "one of z1, z2 at a time", "z2")
    ledger.release(A, "r1")
    assert ledger.refusal(A) is None
    assert ledger.refusal(C) is not None
    ledger.release(B, "r1")
    assert ledger.refusal(C) is None


def test_others_outages_count_in_no_exclusion() -> None:
    """Nobody finishes them for us."""
    ledger = ledger_of(ZONES)
    ledger.mark_out(A, NOON)
    assert ledger.refusal(C) is None
    assert ledger.exclusions() == [(ZONES, ())]


def test_who_holds_a_domain_is_told() -> None:
    """Machines under a grant, not those that are out anyhow."""
    ledger = ledger_of(ZONES)
    ledger.mark_out(B, NOON)
    ledger.grant(A, "r1", NOON)
    assert ledger.holders(ZONES.id) == (A,)
    assert ledger.exclusions() == [(ZONES, ("z1",))]


def test_two_domains_that_are_both_held_admit_nobody() -> None:
    """A late failure opened the second: both must be well again first."""
    ledger = ledger_of(ZONES)
    ledger.grant(A, "r1", NOON)
    ledger.grant(C, "r1", NOON)
    assert ledger.refusal(B) is not None
    assert ledger.refusal(C) is not None


def test_a_domain_may_have_no_name() -> None:
    """A tag may be empty."""
    rule = exclusion({"": "a", "x": "b"})
    ledger = ledger_of(rule)
    reserved = Reserved(ledger)
    reserved.add(A)
    assert ledger.refusal(B, reserved) is not None
    assert ledger.refusal(A, reserved) is None


# Grants -------------------------------------------------------------------------------------------------------------


def test_a_grant_is_its_rollouts_alone_to_close() -> None:
    """An older rollout that remembers the machine must not open the door for the next."""
    ledger = ledger_of(budget(1, "a b"), ZONES)
    ledger.grant(A, "old", NOON)
    ledger.grant(A, "new", NOON + timedelta(hours=1))
    ledger.release(A, "old")
    assert ledger.holds("new", A)
    assert taken(ledger) == {"at most 1 of 2": 1}
    ledger.release(A, "new")
    assert not ledger.is_out(A)
    assert taken(ledger) == {"at most 1 of 2": 0}
    assert ledger.exclusions() == [(ZONES, ())]


def test_a_grant_taken_anew_counts_once() -> None:
    """In every rule."""
    ledger = ledger_of(budget(1, "a b"), ZONES)
    ledger.grant(A, "r1", NOON)
    ledger.grant(A, "r1", NOON)
    ledger.release(A, "r1")
    assert ledger.refusal(B) is None
    assert ledger.refusal(C) is None


# Rules that come and go -----------------------------------------------------------------------------------------------


def test_two_rollouts_under_one_rule_share_its_counter() -> None:
    """Equal content, equal id; it goes when the last of them goes."""
    ledger = ledger_of(budget(1, "a b"), rollout="r1")
    ledger.register("r2", [budget(1, "a b")])
    ledger.grant(A, "r1", NOON)
    ledger.unregister("r1")
    assert ledger.refusal(B) is not None
    ledger.unregister("r2")
    assert ledger.refusal(B) is None
    assert ledger.holds("r1", A)


def test_a_rule_that_comes_later_counts_what_is_out_already() -> None:
    """Grants and outages of before."""
    ledger = Ledger()
    ledger.grant(A, "r1", NOON)
    ledger.mark_out(D, NOON)
    ledger.register("r2", [budget(2, "a b d"), ZONES])
    assert ledger.refusal(B) is not None
    assert ledger.refusal(C) is not None


def test_orders_are_no_ledgers_business() -> None:
    """Whether somebody is done is the rollout's to know."""
    ledger = ledger_of(order("a", "b"))
    assert ledger.refusal(B) is None
    assert list(ledger.rules_of(B)) == []
    assert ledger.holders("order:a>b") == ()
    assert ledger.room("order:a>b") is None


def test_budgets_are_told_fullest_first() -> None:
    """What a person wants to see at the top."""
    ledger = ledger_of(budget(3, "a b c"), budget(1, "d"), budget(2, "a d"))
    ledger.grant(A, "r1", NOON)
    ledger.grant(D, "r1", NOON)
    assert [(rule.limit, count) for rule, count in ledger.budgets()] == [(1, 1), (2, 2), (3, 1)]


# Reservations -----------------------------------------------------------------------------------------------------------


def test_a_reservation_counts_as_a_grant_until_it_is_given_back() -> None:
    """As many are looked at as there is room for."""
    ledger = ledger_of(budget(2, "a b c"), ZONES)
    reserved = Reserved(ledger)
    reserved.add(A)
    assert ledger.refusal(C, reserved) is not None
    assert ledger.refusal(B, reserved) is None
    reserved.add(B)
    assert reserved.machines() == (A, B)
    assert len(reserved) == 2
    assert set(reserved.discard(A)) == {budget(2, "a b c").id, ZONES.id}
    assert A not in reserved
    reserved.discard(B)
    assert ledger.refusal(C, reserved) is None


def test_a_reservation_for_a_machine_that_is_out_takes_no_place() -> None:
    """It has one."""
    ledger = ledger_of(budget(1, "a b"))
    ledger.mark_out(A, NOON)
    reserved = Reserved(ledger)
    reserved.add(A)
    ledger.mark_back(A)
    assert ledger.refusal(B, reserved) is None
    reserved.discard(A)
    assert reserved.count(budget(1, "a b").id) == 0


def test_giving_back_what_was_not_reserved_changes_nothing() -> None:
    """A check may end twice."""
    reserved = Reserved(ledger_of(budget(1, "a")))
    assert reserved.discard(A) == ()


# Against a second count ---------------------------------------------------------------------------------------------------


ACTS = st.lists(
    st.tuples(
        st.sampled_from(["grant", "release", "out", "back", "come", "go"]),
        st.sampled_from([A, B, C, D]),
        st.sampled_from(["r1", "r2"]),
    ),
    max_size=30,
)
RULES: list[Constraint] = [budget(1, "a b"), budget(2, "a b c d"), ZONES]


@given(ACTS)
def test_counters_agree_with_counting(acts: list[tuple[str, MachineId, str]]) -> None:
    """Whatever happens in whatever order, incremental counts equal counts made anew from who is out."""
    ledger = ledger_of(*RULES)
    for act, machine, rollout in acts:
        match act:
            case "grant":
                ledger.grant(machine, rollout, NOON)
            case "release":
                ledger.release(machine, rollout)
            case "out":
                ledger.mark_out(machine, NOON)
            case "back":
                ledger.mark_back(machine)
            case "come":
                ledger.register(rollout, RULES)
            case _:
                ledger.unregister(rollout)
        for rule, count in ledger.budgets():
            assert count == sum(1 for m in rule.machines if m in ledger.grants or m in ledger.others)
        for exclusion_rule, held in ledger.exclusions():
            by_hand = {d for d, ms in exclusion_rule.domains.items() if any(m in ledger.grants for m in ms)}
            assert set(held) == by_hand


# Budgets of restarts ----------------------------------------------------------------------------------------------


def test_a_budget_of_restarts_counts_who_goes_down() -> None:
    """Whoever restarts, whoever is out of others' doing, and who was thought to stay up and goes down after all; each once."""
    ledger = ledger_of(restarts(2, "a b", "c d"))
    ledger.grant(C, "r1", NOON, restarts=False)
    assert ledger.room("budget:2:a b c d:restarts") == 2
    ledger.mark_out(D, NOON)
    ledger.grant(A, "r1", NOON)
    assert ledger.holders("budget:2:a b c d:restarts") == (A, D)
    ledger.raise_to_restart(C, "r2")
    assert ledger.holders("budget:2:a b c d:restarts") == (A, D)
    ledger.raise_to_restart(C, "r1")
    ledger.raise_to_restart(C, "r1")
    assert ledger.room("budget:2:a b c d:restarts") == -1
    for machine in (A, C):
        ledger.release(machine, "r1")
    ledger.mark_back(D)
    assert ledger.room("budget:2:a b c d:restarts") == 2


def test_only_who_restarts_is_refused_by_it() -> None:
    """And asks for a place of its own, though it is changed already."""
    ledger = ledger_of(restarts(1, "a", "b c"))
    ledger.grant(A, "r1", NOON)
    ledger.grant(B, "r1", NOON, restarts=False)
    assert ledger.refusal(C, restarts=False) is None
    assert ledger.refusal(C) is not None
    assert ledger.refusal(B, restarts=True) is not None


def test_a_reservation_takes_the_places_that_the_grant_will() -> None:
    """No more, and no less when it is given back."""
    ledger = ledger_of(restarts(1, "a", "b"), budget(2, "a b"))
    reserved = Reserved(ledger)
    reserved.add(B, restarts=False)
    assert (reserved.count("budget:1:a b:restarts"), reserved.count("budget:2:a b")) == (0, 1)
    assert ledger.refusal(A, reserved) is None
    reserved.add(A)
    assert reserved.count("budget:1:a b:restarts") == 1
    reserved.discard(A)
    reserved.discard(B)
    assert (reserved.count("budget:1:a b:restarts"), reserved.count("budget:2:a b")) == (0, 0)


def test_what_is_registered_later_counts_what_is_granted_already() -> None:
    """By the kind of each grant."""
    ledger = Ledger()
    ledger.grant(A, "r1", NOON)
    ledger.grant(B, "r1", NOON, restarts=False)
    ledger.register("r2", [restarts(2, "a b")])
    assert ledger.room("budget:2:a b:restarts") == 1


@given(st.lists(st.tuples(st.sampled_from("ABCDEF"), st.sampled_from([A, B, C])), max_size=30))
def test_both_counts_are_what_the_events_come_to(told: list[tuple[str, MachineId]]) -> None:
    """Said again from the events alone."""
    ledger = ledger_of(budget(9, "a b c d"), restarts(9, "a d", "b c"))
    out: set[MachineId] = set()
    grants: dict[MachineId, bool] = {}
    for what, machine in told:
        match what:
            case "A" | "B":
                ledger.grant(machine, "r1", NOON, restarts=what == "A")
                grants[machine] = what == "A"
            case "C":
                ledger.release(machine, "r1")
                grants.pop(machine, None)
            case "D":
                ledger.mark_out(machine, NOON)
                out.add(machine)
            case "E":
                ledger.mark_back(machine)
                out.discard(machine)
            case _:
                ledger.raise_to_restart(machine, "r1")
                grants.update({machine: True} if machine in grants else {})
    down = out | {machine for machine, restarting in grants.items() if restarting}
    assert ledger.room("budget:9:a b c d") == 9 - len(out | grants.keys())
    assert ledger.room("budget:9:a b c d:restarts") == 9 - len(down)
