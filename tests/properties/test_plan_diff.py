"""Never: two plans that do different things and are told the same; a comparison that calls the looser rule the tighter one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations, product

from hypothesis import assume, event, given, reject, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from orchestrator.availability.model import Budget, Constraint, Exclusion, Order
from orchestrator.errors import Refused
from orchestrator.inventory.model import MachineId
from orchestrator.planner.diff import diff
from orchestrator.planner.diff_model import Course
from orchestrator.planner.diff_rules import implies
from orchestrator.planner.model import Plan, Wave
from orchestrator.policy.model import Origin
from orchestrator.reports.diff_markdown import MOST_CHARACTERS, code, markdown
from tests.builders import budget, exclusion, ids, order, plan_of
from tests.properties.test_plan_lanes_never import problems
from tests.unit.planner.dividing import lanes_of

NAMES = "a b c d e"
SOME = st.lists(st.sampled_from(NAMES.split()), min_size=1, unique=True).map(sorted).map(" ".join)


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    """A plan of machines and rules as crossed as they come."""
    names, constraints = draw(problems(most=8))
    try:
        return plan_of(*lanes_of(names, *constraints), rules=constraints)
    except Refused:
        reject()


@settings(deadline=None)
@given(plans(), plans())
def test_both_directions_tell_the_same(old: Plan, new: Plan) -> None:
    """What is added one way is dropped the other way, what is tighter is looser, and who moves moves back."""
    there, back = diff(old, new), diff(new, old)

    assert (there.was, there.now, there.differ) == (back.now, back.was, back.differ)
    assert [c.machine for c in there.added] == [c.machine for c in back.dropped]
    assert [(c.machine, c.was, c.now) for c in there.moved if _elsewhere(c)] == [
        (c.machine, c.now, c.was) for c in back.moved if _elsewhere(c)
    ]
    assert len(markdown(there)) <= MOST_CHARACTERS


def _elsewhere(change: object) -> bool:
    """Whether a machine goes at another time; which lane is whose counterpart may be a toss-up."""
    was, now = change.was, change.now  # type: ignore[attr-defined]
    return (was.stage, was.at) != (now.stage, now.at)


@settings(deadline=None)
@given(plans(), st.data())
def test_a_machine_that_goes_elsewhere_is_told(plan: Plan, data: st.DataObject) -> None:
    """Put into a wave of its own behind all others of its lane, before them, or not changed any more."""
    place = data.draw(st.integers(0, len(plan.lanes) - 1))
    lane = plan.lanes[place]
    machine = data.draw(st.sampled_from([m for wave in lane.waves for m in wave.machines]))
    left = [Wave(tuple(m for m in wave.machines if m != machine)) for wave in lane.waves]
    kept, alone = [wave for wave in left if wave.machines], Wave((machine,))
    how = data.draw(st.sampled_from(["last", "first", "nowhere"]))
    waves = {"last": [*kept, alone], "first": [alone, *kept], "nowhere": kept}[how]
    event(how)
    assume(waves and waves != list(lane.waves))
    lanes = (*plan.lanes[:place], replace(lane, waves=tuple(waves)), *plan.lanes[place + 1 :])
    found = diff(plan, replace(plan, lanes=lanes))

    assert found.differ
    if how == "nowhere":
        assert [change.machine for change in found.dropped] == [machine]
    else:
        assert found.moved != ()


@settings(deadline=None)
@given(plans())
def test_a_plan_never_differs_from_itself(plan: Plan) -> None:
    """However its lanes are numbered."""
    again = {lane.id: f"again-{number}" for number, lane in enumerate(plan.lanes)}
    lanes = tuple(
        replace(lane, id=again[lane.id], after=tuple(again[other] for other in lane.after))
        for lane in plan.lanes
    )

    assert not diff(plan, plan).differ
    assert not diff(plan, replace(plan, lanes=lanes)).differ


# Which of two constraints is the tighter ------------------------------------------------------------------------


PARTS = st.fixed_dictionaries({name: st.integers(0, 3) for name in NAMES.split()})


def _named(parts: dict[str, int], part: int) -> str:
    return " ".join(name for name in parts if parts[name] == part)


def _exclusion(parts: dict[str, int]) -> Constraint:
    held = {str(part): _named(parts, part) for part in range(1, 4)}
    return exclusion({part: names for part, names in held.items() if names})


def _order(parts: dict[str, int]) -> Constraint:
    return order(_named(parts, 1), _named(parts, 2))


KINDS: tuple[st.SearchStrategy[Constraint], ...] = (
    st.builds(budget, st.integers(0, 4), SOME),
    st.builds(_exclusion, PARTS),
    st.builds(_order, PARTS),
)


@settings(max_examples=400)
@given(st.sampled_from(KINDS).flatmap(lambda kind: st.tuples(kind, kind)))
def test_the_tighter_one_keeps_the_other(pair: tuple[Constraint, Constraint]) -> None:
    """If and only if it does, found out by trying everything that could be out, and every pair that could follow each other."""
    one, other = pair
    kept = all(_keeps(other, out) for out in _everything(one) if _keeps(one, out))
    event(f"{type(one).__name__} {kept}")

    assert implies(one, other) == kept


def _everything(rule: Constraint) -> Iterator[tuple[MachineId, ...]]:
    machines = ids(NAMES)
    if isinstance(rule, Order):
        yield from product(machines, machines)
        return
    for size in range(len(machines) + 1):
        yield from combinations(machines, size)


def _keeps(rule: Constraint, out: tuple[MachineId, ...]) -> bool:
    """Whether these may be out together; of an order, whether the first of two may go after the second."""
    match rule:
        case Budget():
            return len(set(out) & set(rule.machines)) <= rule.limit
        case Exclusion():
            return sum(not set(out).isdisjoint(held) for held in rule.domains.values()) <= 1
        case Order():
            late, early = out
            return not (late in rule.first and early in rule.then)


@settings(deadline=None)
@given(plans(), st.integers(1, 3), st.integers(4, 6), st.data())
def test_a_limit_that_goes_down_is_tighter(plan: Plan, limit: int, size: int, data: st.DataObject) -> None:
    """And one that goes up looser, whatever else there is; the constraint is known again."""
    named = " ".join(f"z{number}" for number in range(size))
    here = Origin("policies/z.yaml", data.draw(st.integers(1, 9)))
    was, now = (replace(budget(n, named), origin=here) for n in (limit, limit + 1))
    old, new = (replace(plan, constraints=(*plan.constraints, rule)) for rule in (was, now))

    assert [(c.course, c.was, c.now) for c in diff(old, new).rules] == [(Course.LOOSENED, was, now)]
    assert [(c.course, c.was, c.now) for c in diff(new, old).rules] == [(Course.TIGHTENED, now, was)]


# Markdown -------------------------------------------------------------------------------------------------------


@given(st.text(max_size=300))
def test_whatever_a_name_holds_is_one_span_of_code(name: str) -> None:
    """In a paragraph and in a cell."""
    render = MarkdownIt("commonmark", {"html": True}).enable("table").render
    paragraph = render(f"- added: {code(name)}, and more\n")
    cell = render(f"| a | b |\n|---|---|\n| {code(name, in_table=True)} | 2 |\n")

    assert _elements(paragraph) == ["ul", "li", "code", "/code", "/li", "/ul"]
    assert _elements(cell).count("code") == 1
    assert _elements(cell).count("td") == 2


def _elements(html: str) -> list[str]:
    return [part.partition(">")[0] for part in html.split("<")[1:]]
