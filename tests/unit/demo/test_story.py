"""What a stop spared."""

from __future__ import annotations

from orchestrator.demo.applications import EDR_NEW, EDR_OLD
from orchestrator.demo.story import spared
from tests.builders import lane, plan_of
from tests.diary import Diary
from tests.fleet import inventory, vm

OLD, NEW = {"edr": EDR_OLD}, {"edr": EDR_NEW}
FLEET = inventory(
    vm("a", tags=OLD), vm("b", tags=OLD), vm("c", tags=NEW), vm("d", tags=OLD), vm("e", tags=OLD), vm("f")
)


def test_those_who_share_the_weakness_are_told_by_what_became_of_them() -> None:
    """Broken, changed and well so far, never touched; machines outside the plan were never touched either."""
    diary = Diary(plan_of(lane("west", "a b c", "d")))
    diary.finish("b", "c")
    diary.change("a")
    diary.unhealthy("a")
    told = spared(FLEET, diary.rollout)
    assert (told.broken, told.touched, told.untouched) == (("a",), ("b",), ("d", "e"))
