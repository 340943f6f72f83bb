"""Never: lanes that break a rule, whatever crosses; a bound above the optimum; a refusal of what could be done.

Machines and constraints are made up here, as crossed as hypothesis likes; the judge knows nothing of the planner.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from itertools import combinations
from random import Random

from hypothesis import event, given, settings
from hypothesis import strategies as st

from orchestrator.availability.model import Budget, Constraint, Exclusion, Order
from orchestrator.errors import Refused
from orchestrator.inventory.model import MachineId
from orchestrator.planner import nesting
from orchestrator.planner.bound import prove
from orchestrator.planner.model import Lane
from orchestrator.planner.rules import Rules, number
from orchestrator.planner.summary import longest_path
from orchestrator.planner.waves import pack
from tests.builders import budget, exclusion, ids, order
from tests.unit.planner.dividing import judged, lanes_of

NAMES = [f"m{n:02}" for n in range(12)]


@st.composite
def problems(draw: st.DrawFn, most: int = 12) -> tuple[str, list[Constraint]]:
    """Machines by name, and budgets, exclusions and orders over them. Orders follow a rank, so that they never loop."""
    names = NAMES[: draw(st.integers(1, most))]
    some = st.lists(st.sampled_from(names), min_size=1, unique=True).map(
        lambda chosen: " ".join(sorted(chosen))
    )
    constraints: list[Constraint] = [
        budget(limit, members)
        for limit, members in draw(st.lists(st.tuples(st.integers(1, 4), some), max_size=4))
    ]
    for level in range(draw(st.integers(0, 3))):
        domain_of = draw(st.fixed_dictionaries({name: st.integers(-1, 3) for name in names}))
        held = {d: " ".join(name for name in names if domain_of[name] == d) for d in range(4)}
        domains = {f"d{d}": members for d, members in held.items() if members}
        if len(domains) > 1:  # one alone keeps nobody apart, and is dropped before anything is numbered
            constraints.append(exclusion(domains, level=draw(st.integers(0, 3)) if level else 0))
    rank = draw(st.fixed_dictionaries({name: st.integers(0, 2) for name in names}))
    for at in draw(st.lists(st.integers(0, 1), max_size=2)):
        first = " ".join(name for name in draw(some).split() if rank[name] <= at)
        then = " ".join(name for name in draw(some).split() if rank[name] > at)
        if first and then:
            constraints.append(order(first, then))
    return " ".join(names), list({rule.id: rule for rule in constraints}.values())


@settings(max_examples=400, deadline=None)
@given(problems())
def test_lanes_never_break_a_rule(problem: tuple[str, list[Constraint]]) -> None:
    """Budgets that cross, exclusions that nest and cross, orders through all of them."""
    names, constraints = problem
    try:
        lanes = lanes_of(names, *constraints)
    except Refused:
        event("refused")
        assert not _can_be_gone_through(number(ids(names), constraints))
        return

    event(f"{len(lanes)} lanes")
    assert judged(lanes, *constraints) == []
    assert sorted(_machines(lanes)) == sorted(ids(names))
    assert all(len(lane.waves) >= lane.bound.waves for lane in lanes)


@settings(max_examples=200, deadline=None)
@given(problems(most=7))
def test_the_bound_is_never_above_the_optimum(problem: tuple[str, list[Constraint]]) -> None:
    """Of a lane, where the optimum is found by trying every set of waves; and no packing is shorter than it."""
    names, constraints = problem
    rules = number(ids(names), constraints)
    everything = range(len(rules.machines))
    bound = prove(rules, everything).waves
    fewest = _fewest_waves(rules)
    event(f"gap {fewest - bound}")

    assert bound <= fewest
    packed = pack(rules, everything, bound, nesting.of_all(rules))
    assert packed is None or len(packed) >= fewest


@settings(deadline=None)
@given(problems(), st.randoms(use_true_random=False))
def test_the_order_of_what_comes_in_makes_no_difference(
    problem: tuple[str, list[Constraint]], random: Random
) -> None:
    """Constraints and machines in any order give the same lanes."""
    names, constraints = problem
    turned = list(constraints)
    random.shuffle(turned)
    words = names.split()
    random.shuffle(words)

    assert _outcome(names, constraints) == _outcome(" ".join(words), turned)


@settings(max_examples=200, deadline=None)
@given(problems(most=8))
def test_a_plan_never_takes_longer_than_one_machine_after_another(
    problem: tuple[str, list[Constraint]],
) -> None:
    """However lanes wait for each other."""
    names, constraints = problem
    try:
        lanes = lanes_of(names, *constraints)
    except Refused:
        return

    assert longest_path(lanes) <= len(names.split())


def _machines(lanes: Sequence[Lane]) -> list[MachineId]:
    return [machine for lane in lanes for wave in lane.waves for machine in wave.machines]


def _outcome(names: str, constraints: Sequence[Constraint]) -> tuple[Lane, ...] | str:
    try:
        return lanes_of(names, *constraints)
    except Refused as refused:
        return str(refused)


# Trying everything ----------------------------------------------------------------------------------------------


def _fewest_waves(rules: Rules) -> int:
    """The fewest waves of one lane in which no rule is broken, by trying every wave; domains needn't be finished in one go."""
    everybody = frozenset(range(len(rules.machines)))
    before = _before(rules)

    @cache
    def fewest(done: frozenset[int]) -> int:
        left = everybody - done
        if not left:
            return 0
        free = [m for m in sorted(left) if before[m] <= done]
        return 1 + min(
            fewest(done | frozenset(wave))
            for size in range(len(free), 0, -1)
            for wave in combinations(free, size)
            if _together(rules, wave)
        )

    return fewest(frozenset())


def _together(rules: Rules, wave: Sequence[int]) -> bool:
    for rule in rules.constraints:
        names = {rules.machines[machine] for machine in wave}
        match rule:
            case Budget():
                if len(names.intersection(rule.machines)) > rule.limit:
                    return False
            case Exclusion():
                if sum(not names.isdisjoint(held) for held in rule.domains.values()) > 1:
                    return False
            case Order():
                pass  # asked for before
    return True


def _before(rules: Rules) -> list[set[int]]:
    before: list[set[int]] = [set() for _ in rules.machines]
    index = {machine: place for place, machine in enumerate(rules.machines)}
    for rule in rules.constraints:
        if isinstance(rule, Order):
            for machine in rule.then:
                before[index[machine]].update(index[m] for m in rule.first)
    return before


def _can_be_gone_through(rules: Rules) -> bool:
    """Whether the machines can go one by one so that every domain that is begun is finished, or what cuts it leaves of it."""
    everything = range(len(rules.machines))
    view = rules.view(everything)
    # Exclusion and what is left of it -> domain -> machines.
    cells: dict[tuple[int, object], dict[int, set[int]]] = {}
    for rule in nesting.exclusions_of(rules, view):
        cutting = nesting.cut_by(rules, view, rule)
        for part, members in view[rule].items():
            for machine in members:
                label = tuple(at for at in rules.places[machine] if at[0] in cutting)
                cells.setdefault((rule, label), {}).setdefault(part, set()).add(machine)
    before = _before(rules)
    dead: set[frozenset[int]] = set()

    def goes_on(done: frozenset[int]) -> Iterator[int]:
        for machine in everything:
            if (
                machine not in done
                and before[machine] <= done
                and not any(
                    held & done
                    and held - done
                    and machine not in held
                    and any(machine in other for other in domains.values())
                    for domains in cells.values()
                    for held in domains.values()
                )
            ):
                yield machine

    def finishes(done: frozenset[int]) -> bool:
        if len(done) == len(everything):
            return True
        if done in dead:
            return False
        dead.add(done)
        return any(finishes(done | {machine}) for machine in goes_on(done))

    return finishes(frozenset())
