"""The fleet moves while a rollout runs: who is new, or stands elsewhere, counts where it is now, and nothing that was reviewed is loosened."""

from __future__ import annotations

import orjson

from orchestrator.planner.membership import Moved
from orchestrator.rollout import events as e
from orchestrator.rollout import messages as m
from orchestrator.rollout.snapshot import dump, load
from orchestrator.rollout.state import MachineStatus
from tests.builders import budget, lane, plan_of
from tests.diary import Diary, assert_same_state
from tests.fleet import vm_id

PLAN = plan_of(lane("one", "a b c"), rules=[budget(1, "a b"), budget(2, "c x")])
NEW, OTHER = vm_id("new"), vm_id("other")


def place(what: str) -> int:
    """Where a rule stands in the plan."""
    return next(n for n, rule in enumerate(PLAN.constraints) if rule.what == what)


ONE, TWO = place("at most 1 of 2"), place("at most 2 of 2")


def moved(diary: Diary, *members: Moved, changed: str = "") -> tuple[e.Event, ...]:
    """A fresh inventory says this."""
    names = tuple((diary.index(name), "its zone changed") for name in changed.split())
    return diary.tell(m.FleetMoved("r1", members, names))


def taken(diary: Diary) -> dict[str, int]:
    """How much of each budget is taken."""
    return {rule.what: count for rule, count in diary.scope.ledger.budgets()}


def test_a_new_machine_takes_room_once_it_is_out() -> None:
    """Of the groups that it is in, whoever took it down; and gives it back when it serves."""
    diary = Diary(PLAN)
    assert moved(diary, Moved(NEW, (ONE,))) == (e.MemberMoved(NEW, (ONE,)),)
    assert diary.checked() == "a c"
    assert diary.tell(m.OutsidersLooked("r1", (NEW,), ())) == (e.OutsidersSeen((NEW,), ()),)
    assert taken(diary)["at most 1 of 2"] == 1
    assert diary.checked() == "c"
    assert diary.scope.ledger.holders(PLAN.constraints[ONE].id) == (NEW,)
    diary.tell(m.OutsidersLooked("r1", (), (NEW,)))
    assert diary.checked() == "a c"


def test_what_is_known_is_no_news() -> None:
    """Neither an inventory that says the same again, nor a look at whom nobody asked about."""
    diary = Diary(PLAN)
    moved(diary, Moved(NEW, (ONE,)))
    assert moved(diary, Moved(NEW, (ONE,))) == ()
    assert moved(diary, Moved(NEW, (ONE, TWO))) == (e.MemberMoved(NEW, (TWO,)),)
    assert diary.tell(m.OutsidersLooked("r1", (OTHER,), (NEW,))) == ()


def test_who_left_a_group_serves_it_no_more() -> None:
    """It counts there as out, whatever becomes of it, and until the end."""
    diary = Diary(PLAN)
    moved(diary, Moved(vm_id("b"), (TWO,), (ONE,)))
    assert taken(diary) == {"at most 1 of 2": 1, "at most 2 of 2": 0}
    diary.fleet(out="b")
    assert taken(diary) == {"at most 1 of 2": 1, "at most 2 of 2": 1}
    diary.fleet(back="b")
    assert taken(diary) == {"at most 1 of 2": 1, "at most 2 of 2": 0}


def test_who_stands_elsewhere_and_was_not_begun_is_left_to_the_next_plan() -> None:
    """What has begun is carried through."""
    diary = Diary(PLAN)
    diary.well("a")
    news = [Moved(vm_id(name), ()) for name in "ab"]
    facts = moved(diary, *news, changed="a b")
    assert facts[2] == e.MachineLeftOut(diary.index("b"), "its zone changed")
    assert (diary.status("a"), diary.status("b")) == (MachineStatus.INTENDED, MachineStatus.LEFT_OUT)
    diary.tell(m.Retry("r1", diary.index("b"), "ada", "it is the right one"))
    assert moved(diary, *news, changed="a b") == ()
    assert diary.status("b") is MachineStatus.PENDING


def test_it_is_part_of_the_state() -> None:
    """After a crash, and in a snapshot."""
    diary = Diary(PLAN)
    moved(diary, Moved(NEW, (ONE,)), Moved(vm_id("c"), (), (TWO,)))
    diary.tell(m.OutsidersLooked("r1", (NEW,), ()))
    diary.crash()
    assert taken(diary) == {"at most 1 of 2": 1, "at most 2 of 2": 1}
    again = load(orjson.loads(dump(diary.scope)), {"r1": diary.planned})
    assert_same_state(diary.scope, again)
    assert again.ledger.budgets() == diary.scope.ledger.budgets()


def test_after_the_end_nothing_moves() -> None:
    """Its rules hold no more."""
    diary = Diary(PLAN)
    diary.tell(m.Abort("r1", "ada", "enough"))
    assert moved(diary, Moved(NEW, (ONE,))) == ()
