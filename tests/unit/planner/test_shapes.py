"""Components that are alike, and what makes them so."""

from __future__ import annotations

from hypothesis import given, settings

from orchestrator.availability.model import Constraint
from orchestrator.planner.columns import columns
from orchestrator.planner.rules import Rules, number
from orchestrator.planner.shapes import Shapes, shapes
from tests.builders import budget, exclusion, ids, order
from tests.properties.test_plan_lanes_never import problems
from tests.unit.planner.dividing import lanes_of, shown


def shapes_of(names: str, *constraints: Constraint) -> Shapes:
    """The shapes among these machines."""
    return shapes(columns(ids(names), constraints))


def test_applications_built_alike_are_planned_once() -> None:
    """The same budgets and zones under other names; a third one has a machine more."""
    found = shapes_of(
        "a1 a2 b1 b2 c1 c2 c3",
        *(exclusion({f"{x}-z1": f"{x}1", f"{x}-z2": f"{x}2"}) for x in "ab"),
        exclusion({"c-z1": "c1 c3", "c-z2": "c2"}),
    )

    assert [shape for shape, _ in found.components] == [0, 0, 1]


def test_machines_in_the_same_places_are_one_class() -> None:
    """Ten machines under one budget are one class of ten."""
    names = " ".join(f"m{n}" for n in range(10))
    (shape,) = shapes_of(names, budget(3, names)).shapes

    assert shape.rules.sizes == (10,)
    assert shape.rules.places == (((0, 0),),)


def test_each_occurrence_speaks_in_its_own_names() -> None:
    """What was found for one application is told of the other by its own rules and domains."""
    found = shapes_of("a1 a2 b1 b2", exclusion({"za": "a1", "zb": "a2"}), exclusion({"zc": "b1", "zd": "b2"}))
    first, second = (found.shapes[shape].named(at) for shape, at in found.components)

    assert (first.part_names[0], second.part_names[0]) == (("za", "zb"), ("zc", "zd"))
    assert found.shapes[0].rules.machines == ids("a1 a2")
    assert found.shapes[0].members([0, 1]).tolist() == [[0, 1], [2, 3]]


def test_what_does_not_bind_is_not_there() -> None:
    """A budget that all may use at once, an exclusion of one domain, an order with one side."""
    held = columns(ids("a b"), [budget(2, "a b"), exclusion({"x": "a b"}), order("a", "gone")])

    assert held.free() == [0, 1]


def test_machines_outside_of_all_domains_may_go_beside_several() -> None:
    """Two of one class that no domain holds are told apart, so that one can go beside each zone."""
    constraints = (exclusion({"z1": "a b", "z2": "c d"}), budget(2, "a b c d r s"))
    (shape,) = shapes_of("a b c d r s", *constraints).shapes

    assert sorted(shape.rules.sizes) == [1, 1, 2, 2]
    assert shown(lanes_of("a b c d r s", *constraints))


def test_the_more_urgent_machines_of_a_class_go_first() -> None:
    """Members keep the order in which machines were given."""
    found = shapes(columns(ids("c a b"), [budget(1, "a b c")]))

    assert found.shapes[0].members([0]).tolist() == [[0, 1, 2]]


@settings(max_examples=200, deadline=None)
@given(problems())
def test_shapes_say_of_every_machine_what_its_constraints_say(problem: tuple[str, list[Constraint]]) -> None:
    """Each machine stands in the same constraints and domains as when it is numbered by itself."""
    names, constraints = problem
    machines = ids(names)
    alone = number(machines, constraints)
    view = alone.view(range(len(machines)))
    binding = {alone.constraints[c].id for c, parts in view.items() if alone.binds(c, parts)}
    plain = {
        m: {at for at in _standing(alone, place) if at[0] in binding} for place, m in enumerate(machines)
    }
    held = columns(machines, constraints)
    found = shapes(held)
    told = {machines[free]: set[tuple[str, str]]() for free in held.free()}
    for shape, component in found.components:
        rules = found.shapes[shape].named(component)
        (members,) = found.shapes[shape].members([component]).tolist()
        of = [one for one, size in enumerate(rules.sizes) for _ in range(size)]
        told.update((machines[m], set(_standing(rules, one))) for m, one in zip(members, of, strict=True))

    assert told == plain


def _standing(rules: Rules, one: int) -> list[tuple[str, str]]:
    return [(rules.constraints[c].id, rules.part_names[c][part]) for c, part in rules.places[one]]
