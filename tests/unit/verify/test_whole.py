"""Both judgements of a file that is read once."""

from __future__ import annotations

from typing import Any

import pytest

from orchestrator.verify.floor import judge_floor
from orchestrator.verify.plan import judge_plan
from orchestrator.verify.whole import judge_whole
from tests.unit.verify.documents import budget, inventory, lane, plan, set_id, vm, vm_id

FLEET = inventory(
    vm("a", availability_set=set_id("as"), update_domain=0),
    vm("b", availability_set=set_id("as"), update_domain=1),
    vm("c"),
)
GOOD = plan(lane("l", "a", "b", "c"))
TOGETHER = plan(lane("l", "a b", "c"), constraints=[budget(1, "a b")])
TWICE = plan(lane("l", "a", "b"), lane("l", "c"))
IN_A_CIRCLE = plan(lane("l", "a", after=["k"]), lane("k", "b c", after=["l"]))
NAMED_TWICE = plan(lane("l", "a", "b", "c"), constraints=[budget(1, "a a")])


@pytest.mark.parametrize(
    "document",
    [GOOD, TOGETHER, TWICE, IN_A_CIRCLE, NAMED_TWICE, {"schema": "x"}, [], {**GOOD, "machines": []}],
    ids=["good", "together", "two lanes", "circle", "named twice", "schema", "list", "machines"],
)
def test_it_is_what_the_two_judges_say(document: Any) -> None:
    """Each with what is wrong with the file's shape, once."""
    own, floor = judge_whole(lambda: document, lambda: FLEET)

    assert own == judge_plan(document)
    assert floor == judge_floor(document, FLEET)


def test_a_machine_is_called_by_the_plan_or_else_by_the_inventory() -> None:
    """As the floor's judge calls it."""
    strange = {**TOGETHER, "machines": {vm_id("a"): {"change": True}}}
    _, floor = judge_whole(lambda: strange, lambda: FLEET)

    assert floor == judge_floor(strange, FLEET)
    assert not floor.ok
