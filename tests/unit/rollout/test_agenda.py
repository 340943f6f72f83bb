"""What is due, kept event by event. That it equals asking everybody anew is `properties/test_rollout_never.py`'s."""

from __future__ import annotations

from datetime import timedelta

import pytest

from orchestrator.availability.ledger import Refusal, Reserved
from orchestrator.rollout import actions as a
from orchestrator.rollout import agenda
from orchestrator.rollout import messages as m
from orchestrator.rollout.admission import holders, refusal
from orchestrator.rollout.state import Rollout, Scope
from tests.builders import NOON, budget, exclusion, lane, order, plan_of, step
from tests.diary import OLD, Diary
from tests.properties.toy.agenda_check import check_agenda


def test_who_waits_is_told_behind_which_constraint_and_who_is_in_the_way() -> None:
    """In words, and by name."""
    diary = Diary(plan_of(lane("west", "a b c"), rules=[budget(1, "a b"), order("b", "c")]))
    diary.follow("a")
    waits = {diary.planned.machine(i).name: refused for i, refused in diary.agenda.waiting.items()}
    assert {name: refused.what for name, refused in waits.items()} == {
        "b": "at most 1 of 2",
        "c": "b before c",
    }
    in_the_way = {name: holders(diary.scope, diary.rollout, refused) for name, refused in waits.items()}
    assert {name: [x.rsplit("/", 1)[-1] for x in who] for name, who in in_the_way.items()} == {
        "b": ["a"],
        "c": ["b"],
    }


def test_room_is_given_to_who_came_first() -> None:
    """In plan order, and then in the order of asking."""
    diary = Diary(plan_of(lane("west", "a b c d"), rules=[budget(2, "a b c d")]))
    assert diary.checked() == "a b"
    diary.out("a")
    diary.finish("b")
    assert diary.checked() == "c"


def test_a_look_that_came_to_nothing_frees_its_place_and_queues_again() -> None:
    """Behind those who wait already."""
    diary = Diary(plan_of(lane("west", "a b"), rules=[budget(1, "a b")]))
    touched = diary.agenda.check_ended(diary.index("a"), NOON)
    assert touched == {0, 1}
    assert diary.checked() == "b"


def test_a_look_that_came_to_nothing_with_nobody_behind_it_goes_on() -> None:
    """It is due still; how soon it is made again is the host's affair."""
    diary = Diary(plan_of(lane("west", "a")))
    diary.agenda.check_ended(0, NOON)
    assert diary.checked() == "a"


def test_the_limit_of_machines_in_flight_is_kept_and_passed_on() -> None:
    """Reserved or granted, together never more; whoever ends gives way to the next."""
    diary = Diary(plan_of(lane("west", "a b c d"), max_in_flight=2, rules=[budget(1, "a b")]))
    assert diary.checked() == "a c"
    diary.follow("c")
    assert diary.checked() == "a"
    diary.ended("c")
    diary.healthy("c")
    assert diary.checked() == "a d"


def test_a_freed_place_that_the_limit_holds_back_is_not_forgotten() -> None:
    """Room under a budget comes while as many as may be are in flight: it is used once they aren't."""
    diary = Diary(plan_of(lane("west", "a b c"), max_in_flight=1, rules=[budget(1, "b x")]), prepared=False)
    diary.looked(out="x")
    diary.follow("a")
    diary.fleet(back="x")
    assert diary.checked() == ""
    diary.ended("a")
    diary.healthy("a")
    assert diary.checked() == "b"


def test_machines_of_one_domain_pass_those_of_another_that_may_not() -> None:
    """Nobody stands behind a neighbour whose zone isn't open."""
    zones = exclusion({"z1": "a", "z2": "b d", "z3": "c"})
    diary = Diary(plan_of(lane("west", "a c", "x"), lane("east", "b d", "y"), rules=[zones]))
    diary.follow("a")
    assert diary.checked() == ""
    diary.ended("a")
    diary.healthy("a")
    assert diary.checked() in ("b d", "c")
    check_agenda(diary.agenda, NOON)


def test_a_place_that_is_taken_takes_the_look_with_it() -> None:
    """There is no room any more: the machine waits, and isn't asked in vain."""
    diary = Diary(plan_of(lane("west", "a b"), rules=[budget(2, "a b x")]))
    assert diary.checked() == "a b"
    diary.fleet(out="x")
    assert diary.checked() == "a"
    assert diary.agenda.waiting[diary.index("b")].what == "at most 2 of 3"


def test_a_grant_that_nobody_had_reserved_takes_room_from_who_had() -> None:
    """A look that was called off may end all the same, and be in time."""
    diary = Diary(plan_of(lane("west", "a b"), rules=[budget(1, "a b")]))
    diary.agenda.check_ended(0, NOON)
    assert diary.checked() == "b"
    diary.tell(m.FoundWell("r1", 0, OLD))
    assert diary.checked() == ""
    check_agenda(diary.agenda, NOON)


def test_a_machine_that_comes_first_and_is_retried_holds_back_who_was_looked_at() -> None:
    """The order is open again."""
    diary = Diary(plan_of(lane("west", "a b", "c"), rules=[order("a", "b")]))
    diary.follow("a")
    diary.ended("a", changed=False)
    diary.healthy("a")
    assert diary.checked() == "b"
    diary.retry("a")
    assert diary.checked() == "a"


def test_what_happens_in_another_rollout_of_the_scope_wakes_who_waits_for_it() -> None:
    """One ledger: a place given back there is free here."""
    first = Diary(plan_of(lane("west", "a"), rules=[budget(1, "a b")]))
    first.follow("a")
    second = Diary(
        plan_of(lane("east", "b"), rules=[budget(1, "a b")]), id="r2", scope=first.scope, rows=first.rows
    )
    assert second.checked() == ""
    first.ended("a")
    first.healthy("a")
    assert second.checked() == ""
    touched = second.agenda.ledger_moved([second.planned.machine(0).id], NOON)
    assert second.index("b") in touched
    assert second.checked() == "b"


def test_what_another_rollout_takes_is_not_looked_at_here() -> None:
    """The other way round."""
    first = Diary(plan_of(lane("west", "a"), rules=[budget(1, "a b")]))
    second = Diary(
        plan_of(lane("east", "b"), rules=[budget(1, "a b")]), id="r2", scope=first.scope, rows=first.rows
    )
    assert second.checked() == "b"
    first.follow("a")
    second.agenda.ledger_moved([second.planned.machine(0).id], NOON)
    assert second.checked() == ""


def test_alarms_come_once_and_in_time() -> None:
    """The next moment at which something happens by itself, and none if nothing does."""
    diary = Diary(plan_of(lane("west", "a", "b")))
    assert diary.agenda.wake_at() == NOON + timedelta(hours=24)
    diary.busy("a")
    assert diary.agenda.wake_at() == NOON + timedelta(minutes=10)
    diary.wait(minutes=10)
    assert diary.checked() == "a"
    diary.finish("a", "b")
    assert diary.agenda.wake_at() is None


def test_a_rollout_that_is_over_watches_nobody_once_all_is_through() -> None:
    """What is in flight is carried through first."""
    diary = Diary(plan_of(lane("west", "a")))
    diary.follow("a")
    diary.abort()
    assert diary.agenda.own == (a.Watch("r1"),)
    diary.ended("a")
    diary.healthy("a")
    assert diary.agenda.own == ()
    assert diary.agenda.activities == {}


def test_each_activity_says_all_that_tells_it_from_its_like() -> None:
    """Equal, it goes on; another attempt, another grant or another moment is another activity."""
    diary = Diary(plan_of(lane("west", "a"), before=[step("drain")]))
    diary.well("a")
    first = diary.doing("a")
    diary.settle()
    assert diary.doing("a") is first or diary.doing("a") == first
    diary.step("a", ok=False)
    diary.healthy("a")
    diary.crash()
    assert diary.doing("a") != first


@pytest.mark.parametrize("rules", ["one budget", "a budget each two", "in flight"])
def test_a_fact_asks_as_few_machines_in_a_large_fleet_as_in_a_small_one(
    rules: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who waits is asked when there is room for one of them, not when anything happens."""

    def asked(size: int) -> int:
        names = [f"m{i:04d}" for i in range(size)]
        all_of_them = " ".join(names)
        told = {
            "one budget": {"rules": [budget(3, all_of_them)]},
            "a budget each two": {
                "rules": [budget(1, " ".join(names[i : i + 2])) for i in range(0, size, 2)]
            },
            "in flight": {"max_in_flight": 3},
        }[rules]
        diary = Diary(plan_of(lane("west", all_of_them), **told))  # type: ignore[arg-type]
        calls: list[int] = []

        def counted(scope: Scope, rollout: Rollout, machine: int, reserved: Reserved) -> Refusal | None:
            calls.append(machine)
            return refusal(scope, rollout, machine, reserved)

        with monkeypatch.context() as patch:
            patch.setattr(agenda, "refusal", counted)
            for name in names[:6:2]:
                diary.finish(name)
        return len(calls)

    assert asked(20) == asked(200)
