"""Who holds what."""

from __future__ import annotations

from orchestrator.service.rooms import headroom
from tests.builders import budget, exclusion, lane, plan_of
from tests.diary import Diary

SHOP = plan_of(
    lane("one", "a", "b"),
    rules=[budget(1, "a b c"), budget(2, "a b d"), exclusion({"zone-1": "a", "zone-2": "b"})],
    counted="c",
)


def test_rules_that_nobody_takes_of_have_all_their_room() -> None:
    """Every rule is told, with its size and its file."""
    found = headroom(Diary(SHOP).scope)
    assert [(x.kind, x.taken, x.limit, x.size, x.room) for x in found] == [
        ("budget", 0, 1, 3, 1),
        ("exclusion", 0, 1, 2, 1),
        ("budget", 0, 2, 3, 2),
    ]
    assert {x.origin for x in found} == {"policies/test.yaml:1"}


def test_who_takes_a_place_is_named_the_full_rules_first() -> None:
    """By whose grant, since when, and where it stands."""
    diary = Diary(SHOP)
    diary.follow("a")
    found = headroom(diary.scope)
    assert [(x.kind, x.taken, x.room, x.domains) for x in found] == [
        ("budget", 1, 0, ()),
        ("exclusion", 1, 0, ("zone-1",)),
        ("budget", 1, 1, ()),
    ]
    (holder,) = found[0].holders
    assert (holder.name, holder.rollout, holder.since, holder.status) == ("a", "r1", diary.now, "running")


def test_a_machine_that_others_took_down_is_nobodys() -> None:
    """It takes a place, and of exclusions none."""
    diary = Diary(SHOP)
    diary.fleet(out="c")
    found = headroom(diary.scope)
    assert [(x.name, x.rollout) for x in found[0].holders] == [("c", "")]
    assert next(x for x in found if x.kind == "exclusion").taken == 0


def test_who_was_left_down_is_told_after_its_rollout_is_over() -> None:
    """Its grant goes on counting."""
    diary = Diary(SHOP)
    diary.change("a")
    diary.unhealthy("a")
    other = Diary(plan_of(lane("two", "d"), rules=[budget(2, "a b d")]), id="r2", scope=diary.scope)
    diary.abort()
    (holder, *_) = headroom(other.scope)[0].holders
    assert (holder.name, holder.rollout, holder.status) == ("a", "r1", "unhealthy")
