"""Plans and faults for hypothesis to choose from. Plans needn't be clever: whatever the plan, what must never be is never."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from hypothesis import strategies as st

from tests.properties.toy.sim import Case
from tests.properties.toy.told import AROUND, STOPS, WIDER, Told
from tests.properties.toy.world import Faults

NAMES = "abcdefgh"

LITTLE = st.sampled_from([0.0, 0.0, 0.02, 0.1])
MUCH = st.sampled_from([0.0, 0.0, 0.1, 0.4])

FAULTS = st.builds(
    Faults,
    until=st.sampled_from([timedelta(hours=3), timedelta(hours=10)]),
    throttled=MUCH,
    refused=LITTLE,
    answer_lost=MUCH,
    request_lost=MUCH,
    late=MUCH,
    unreadable=MUCH,
    endless=LITTLE,
    passing=MUCH,
    lasting=MUCH,
    unseen=LITTLE,
    unwell=MUCH,
    step_fails=MUCH,
    foreign=LITTLE,
    off=LITTLE,
    sick=MUCH,
    gone=st.sampled_from([0.0, 0.0, 0.01]),
    person=MUCH,
    words=MUCH,
)


@st.composite
def plans(draw: st.DrawFn) -> Told:
    """Lanes, waves, stages and rules over a few machines."""
    names = NAMES[: draw(st.integers(1, len(NAMES)))]
    stages, lanes, waves = (draw(st.integers(1, most)) for most in (2, 3, 3))
    place = {name: tuple(draw(st.integers(0, most - 1)) for most in (stages, lanes, waves)) for name in names}
    told = []
    for s in range(stages):
        made: list[str] = []
        for i in range(lanes):
            each = [" ".join(n for n in names if place[n] == (s, i, w)) for w in range(waves)]
            full = tuple(x for x in each if x)
            if full:
                after = tuple(x for x in made if draw(st.booleans()))
                made.append(f"l{s}{i}")
                told.append((made[-1], f"s{s}", after, full))
    return Told(
        lanes=tuple(told),
        stages=tuple(
            (f"s{s}", draw(st.sampled_from([0, 30])), draw(st.sampled_from([False, False, True])))
            for s in range(stages)
        ),
        rules=draw(rules_of(names)),
        around=draw(st.sampled_from(list(AROUND))),
        wider=draw(st.sampled_from(["nothing", *WIDER])),
        repair=draw(st.booleans()),
        group=" ".join(draw(st.sampled_from(["", "", names, names[:2]]))),
        stop=draw(st.sampled_from(list(STOPS))),
        in_flight=draw(st.sampled_from([None, None, 1, 2])),
        frozen=draw(st.sampled_from([False, False, False, True])),
    )


@st.composite
def rules_of(draw: st.DrawFn, names: str) -> tuple[tuple[Any, ...], ...]:
    """Some budgets, exclusions and orders over these machines."""
    rules: list[tuple[Any, ...]] = []
    for _ in range(draw(st.integers(0, 3))):
        members = " ".join(n for n in names if draw(st.booleans()))
        if members:
            rules.append(("budget", draw(st.integers(1, 3)), members))
    for _ in range(draw(st.integers(0, 2))):
        domain = {name: draw(st.sampled_from(["", "z1", "z2", "z3"])) for name in names}
        members_of = [(z, " ".join(n for n in names if domain[n] == z)) for z in ("z1", "z2", "z3")]
        rules.append(("exclusion", *((z, members) for z, members in members_of if members)))
    if draw(st.booleans()):
        side = {n: draw(st.sampled_from(["first", "then", "neither"])) for n in names}
        first, then = (" ".join(n for n in names if side[n] == x) for x in ("first", "then"))
        if first and then:
            rules.append(("order", first, then))
    return tuple(rules)


def cases(*, faults: st.SearchStrategy[Faults] = FAULTS, ends: bool = True) -> st.SearchStrategy[Case]:
    """A plan, its faults, a seed, and how often the process dies."""
    return st.builds(
        Case,
        plans(),
        seed=st.integers(0, 10_000),
        faults=faults,
        crash=st.sampled_from([0.0, 0.05, 0.3]),
        crash_at=st.none(),
        ends=st.just(ends),
    )
