"""Never: a bound above the optimum that an exhaustive search finds; a searched plan that breaks a rule, or differs from itself.

The optimum is the real solver's, so that these are larger than what can be tried wave by wave.
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

import orjson
import pytest
from hypothesis import assume, event, given, settings
from hypothesis import strategies as st

from orchestrator.availability.model import Budget, Constraint, Exclusion, Order
from orchestrator.errors import Refused
from orchestrator.inventory.ids import name_of
from orchestrator.inventory.model import MachineId
from orchestrator.planner.bound import prove
from orchestrator.planner.document import dump
from orchestrator.planner.exact import CpSat
from orchestrator.planner.model import Lane
from orchestrator.planner.nesting import of_all
from orchestrator.planner.plan import plan
from orchestrator.planner.rules import number
from orchestrator.planner.search import problem_of
from orchestrator.planner.summary import longest_path
from orchestrator.planner.waves import pack
from orchestrator.policy.load import load
from orchestrator.topology.graph import build
from orchestrator.verify.plan import judge_plan
from tests.builders import budget, exclusion, ids, order
from tests.fleet import inventory, vm, vm_id
from tests.properties.test_plan_lanes_never import NAMES, problems
from tests.unit.planner.applications import applications
from tests.unit.planner.compiling import floor
from tests.unit.planner.dividing import judged, lanes_of

SOLVER = CpSat()

ENOUGH = 20.0
"""Of work: far more than twelve machines take."""

HARD = " ".join(f"m{n:02}" for n in range(11))
"""Filling waves by urgency, and shaken, takes five waves of these; four are enough."""

PAIRS = (
    "00-01 00-05 00-07 00-08 01-09 02-04 02-08 03-04 03-05 03-06 03-07 03-09 04-05 04-06 04-08 04-10 05-09 "
    "06-07 07-10 08-09 08-10"
)
"""Who of them must not go together, two by two."""


@st.composite
def crossing(draw: st.DrawFn) -> tuple[str, list[Constraint]]:
    """Machines of which many pairs must not go together: what no single chain of rules tells the truth about."""
    names = NAMES[: draw(st.integers(5, 11))]
    pairs = [(one, other) for place, one in enumerate(names) for other in names[:place]]
    chosen = draw(st.lists(st.sampled_from(pairs), min_size=len(names), unique=True))
    constraints: list[Constraint] = [budget(1, f"{one} {other}") for one, other in chosen]
    if draw(st.booleans()):
        constraints.append(exclusion({"x": " ".join(names[::2]), "y": " ".join(names[1::2])}))
    if draw(st.booleans()):
        constraints.append(order(names[0], names[-1]))
    return " ".join(names), constraints


@settings(max_examples=60, deadline=None)
@given(problems() | crossing())
def test_the_bound_is_never_above_the_optimum(problem: tuple[str, list[Constraint]]) -> None:
    """Of all machines as one lane; nor is the optimum above what was packed under the same rules."""
    names, constraints = problem
    rules = number(ids(names), constraints)
    everything = range(len(rules.machines))
    nest = of_all(rules)
    bound = prove(rules, everything).waves
    told = problem_of(rules, everything, nest)
    found = SOLVER.fewest(told, 1, len(everything), ENOUGH)
    packed = pack(rules, everything, bound, nest)
    if found.waves is None:
        event("no plan")
        assert packed is None
        return

    event(f"gap {len(found.waves) - bound}")
    assert found.least == len(found.waves)
    assert bound <= found.least
    assert packed is None or len(packed) >= found.least


@settings(max_examples=60, deadline=None)
@given(problems() | crossing())
def test_searched_lanes_keep_every_rule(problem: tuple[str, list[Constraint]]) -> None:
    """Nobody is lost, no rule is broken, no lane is longer than without the search or shorter than its bound."""
    names, constraints = problem
    lanes, plain = _lanes(names, constraints, searched=True), _lanes(names, constraints, searched=False)
    assume(lanes is not None)
    assert lanes is not None
    assert plain is not None

    event(f"saved {_waves(plain) - _waves(lanes)}")
    assert judged(lanes, *constraints) == []
    assert sorted(m for lane in lanes for wave in lane.waves for m in wave.machines) == list(ids(names))
    assert all(lane.optimal for lane in lanes)
    assert all(len(lane.waves) <= len(was.waves) for lane, was in zip(lanes, plain, strict=True))
    assert all(lane == was for lane, was in zip(lanes, plain, strict=True) if was.optimal)


@settings(max_examples=30, deadline=None)
@given(crossing(), st.randoms(use_true_random=False))
def test_the_same_machines_and_rules_give_the_same_plan(
    problem: tuple[str, list[Constraint]], random: Random
) -> None:
    """In whatever order they come, and whatever they are called, as long as the names sort alike."""
    names, constraints = problem
    turned, words = list(constraints), names.split()
    random.shuffle(turned)
    random.shuffle(words)
    found = _lanes(names, constraints, searched=True)
    assert found is not None
    assert found == _lanes(" ".join(words), turned, searched=True)

    called = {
        str(one): str(other) for one, other in zip(ids(names), ids(names.replace("m", "q")), strict=True)
    }
    renamed = _lanes(names.replace("m", "q"), _renamed(constraints), searched=True)
    assert renamed is not None
    assert _placed(renamed) == [[[called[m] for m in wave] for wave in lane] for lane in _placed(found)]


def test_a_lane_gets_shorter_by_the_search() -> None:
    """What filling waves by urgency misses is found, and that there is nothing shorter is proven."""
    rules = [budget(1, " ".join(f"m{n}" for n in pair.split("-"))) for pair in PAIRS.split()]
    (plain,), (found,) = lanes_of(HARD, *rules), lanes_of(HARD, *rules, solver=SOLVER)

    assert (len(plain.waves), plain.bound.waves) > (len(found.waves), 0)
    assert found.optimal
    assert judged((found,), *rules) == []


@pytest.mark.parametrize(("count", "seed", "above"), [(6, 1, 1), (6, 7, 2), (9, 5, 1)])
def test_applications_in_zones_take_no_fewer_waves_than_an_itinerary_gives(
    count: int, seed: int, above: int
) -> None:
    """Where they are above their bound, it's the bound that is too low: it doesn't know that a zone that was begun must be finished."""
    names, constraints = applications(count, seed)
    rules = number(ids(names), constraints)
    everything = range(len(rules.machines))
    nest = of_all(rules)
    bound = prove(rules, everything).waves
    packed = pack(rules, everything, bound, nest)
    assert packed is not None
    assert len(packed) == bound + above
    found = SOLVER.fewest(problem_of(rules, everything, nest), bound, len(packed) - 1, ENOUGH)
    assert (found.waves, found.least) == (None, len(packed))


def _lanes(names: str, constraints: Sequence[Constraint], *, searched: bool) -> tuple[Lane, ...] | None:
    try:
        return lanes_of(names, *constraints, solver=SOLVER if searched else None)
    except Refused:
        return None


def _waves(lanes: Sequence[Lane]) -> int:
    return sum(len(lane.waves) for lane in lanes)


def _placed(lanes: Sequence[Lane]) -> list[list[list[str]]]:
    return [[[str(m) for m in wave.machines] for wave in lane.waves] for lane in lanes]


def _renamed(constraints: Sequence[Constraint]) -> list[Constraint]:
    """The same rules over machines of other names. A rule's id is of its content, so it changes too."""

    def other(machines: Sequence[MachineId]) -> str:
        return " ".join(name_of(machine).replace("m", "q") for machine in machines)

    found: list[Constraint] = []
    for rule in constraints:
        match rule:
            case Budget():
                found.append(budget(rule.limit, other(rule.machines)))
            case Exclusion():
                found.append(exclusion({name: other(held) for name, held in rule.domains.items()}))
            case Order():
                found.append(order(other(rule.first), other(rule.then)))
    return found


STAGED = (
    "[{name: all}]",
    "[{name: canary, count: 1}, {name: half, up_to: 50%}, {name: rest}]",
    "[{name: named, select: {names: [m00]}}, {name: rest}]",
    "[{name: some, up_to: 90%}, {name: rest, growing: {first: 2, factor: 3, most: 60%}}]",
)


@settings(max_examples=40, deadline=None)
@given(st.data(), st.sampled_from(STAGED))
def test_the_judge_lets_searched_plans_of_several_stages_pass(data: st.DataObject, stages: str) -> None:
    """Of machines of which many pairs must not go together, in zones, in stages: by the plan's own constraints and by the floor."""
    names = HARD.split()
    fleet = inventory(*(vm(name, zone=data.draw(st.sampled_from("123"))) for name in names))
    spared = data.draw(st.sets(st.sampled_from(PAIRS.split()), max_size=4))
    rules = [
        "  - {{max_unavailable: 1, of: {{names: [m{}, m{}]}}}}\n".format(*pair.split("-"))
        for pair in PAIRS.split()
        if pair not in spared
    ]
    zones = data.draw(st.sampled_from(["", "  - {one_at_a_time: zone, within: region}\n"]))
    policy = (
        f"version: 1\nname: hard\nselect: {{names: '*'}}\nchange: {{restart: {{}}}}\nstages: {stages}\n"
        f"replaces: availability-first\nrules:\n{''.join(rules)}{zones}"
    )
    plain, found = (
        plan(build(fleet), load([("hard.yaml", policy)]), floor(), solver=solver) for solver in (None, SOLVER)
    )
    event(f"asked {found.solver!r}, saved {_waves(plain.lanes) - _waves(found.lanes)}")

    assert [str(broken) for broken in judge_plan(orjson.loads(dump(found))).violations] == []
    assert sorted(m for lane in found.lanes for wave in lane.waves for m in wave.machines) == [
        vm_id(name) for name in names
    ]
    assert all(lane.optimal for lane in found.lanes)
    for gate in found.stages:
        was, now = (
            longest_path([lane for lane in made.lanes if lane.stage == gate.name]) for made in (plain, found)
        )
        assert now <= was
