"""Where machines count that a plan doesn't have where they are now."""

from __future__ import annotations

from orchestrator.inventory.model import Inventory
from orchestrator.planner.membership import Moved, Movements, movements
from orchestrator.planner.model import Plan
from orchestrator.planner.plan import plan
from orchestrator.policy.load import load_one
from orchestrator.topology.graph import build
from tests.fleet import inventory, vm, vm_id

POLICY = load_one(
    "p.yaml",
    """\
version: 1
name: p
select: {names: "*"}
change: {patches: {}}
rules: [{max_unavailable: 1, per: "tag:tier"}]
stages: [{name: broad}]
""",
)


def fleet(**tiers: str) -> Inventory:
    """Machines of tiers: web="a b"."""
    return inventory(
        *(vm(name, tags={"tier": tier}) for tier, names in tiers.items() for name in names.split())
    )


def planned(made: Inventory) -> Plan:
    """The plan for it."""
    return plan(build(made), [POLICY], None)


def look(made: Plan, now: Inventory) -> Movements:
    """What a fresh inventory says."""
    return movements(made, now, [POLICY], None)


def rule(made: Plan, tier: str) -> int:
    """The place of a tier's budget."""
    return next(n for n, one in enumerate(made.constraints) if tier in one.what)


def test_where_nobody_moved_nothing_is_said() -> None:
    """Power and health are no matter of rules."""
    made = planned(fleet(web="a b", db="c d"))
    assert look(made, fleet(web="a b", db="c d")) == Movements()
    assert look(made, fleet(web="a b", db="c")) == Movements()


def test_a_new_machine_joins_its_group() -> None:
    """By the rules that count, however many are in it now."""
    made = planned(fleet(web="a b", db="c d"))
    found = look(made, fleet(web="a b new", db="c d"))
    assert found == Movements((Moved(vm_id("new"), (rule(made, "web"),)),))


def test_a_machine_with_another_tag_leaves_one_group_for_another() -> None:
    """And goes no more by this plan."""
    made = planned(fleet(web="a b x", db="c d"))
    found = look(made, fleet(web="a b", db="c d x"))
    place = [one.name for one in made.machines].index("x")
    assert found == Movements((Moved(vm_id("x"), (rule(made, "db"),), (rule(made, "web"),)),), (place,))


def test_whose_group_is_not_found_again_has_left_it() -> None:
    """As where all of a tier went to another: who can't tell takes the careful case."""
    made = planned(fleet(web="a b", db="c d"))
    found = look(made, fleet(web="a b c d"))
    assert {one.identity for one in found.members} == {vm_id("c"), vm_id("d")}
    assert all(one.leaves == (rule(made, "db"),) for one in found.members)
