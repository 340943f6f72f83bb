"""The judge of plans against one that tries everything: every set of waves that can run at the same time."""

from __future__ import annotations

from itertools import combinations, pairwise, product
from typing import Any

from hypothesis import event, given
from hypothesis import strategies as st

from orchestrator.verify.antichain import heaviest
from orchestrator.verify.plan import judge_plan

Json = dict[str, Any]
Place = tuple[int, int]  # number of lane, number of wave

MACHINES = [f"m{n}" for n in range(8)]
STAGES = ["canary", "broad"]


# The dumb judge ----------------------------------------------------------------------------------------------


def _waits_for(lanes: list[Json], lane: int) -> set[int]:
    """All lanes that are finished before this one begins."""
    number = {held["id"]: n for n, held in enumerate(lanes)}
    direct = {number[name] for name in lanes[lane]["after"]}
    return direct.union(*(_waits_for(lanes, other) for other in direct))


class _Dumb:
    """Every question answered by trying all waves."""

    def __init__(self, plan: Json) -> None:
        self.lanes = plan["lanes"]
        self.waits_for = [_waits_for(self.lanes, lane) for lane in range(len(self.lanes))]
        self.waves = [
            (lane, wave) for lane, held in enumerate(self.lanes) for wave in range(len(held["waves"]))
        ]

    def machines(self, place: Place) -> set[str]:
        return set(self.lanes[place[0]]["waves"][place[1]]["machines"])

    def stage(self, place: Place) -> str:
        return str(self.lanes[place[0]]["stage"])

    def before(self, one: Place, other: Place) -> bool:
        if one[0] == other[0]:
            return one[1] < other[1]
        return one[0] in self.waits_for[other[0]]

    def together(self, one: Place, other: Place) -> bool:
        return (
            self.stage(one) == self.stage(other)
            and one[0] != other[0]
            and not self.before(one, other)
            and not self.before(other, one)
        )

    def coinciding(self) -> list[list[Place]]:
        choices = [
            [None, *((lane, w) for w in range(len(held["waves"])))] for lane, held in enumerate(self.lanes)
        ]
        picked = [[place for place in pick if place is not None] for pick in product(*choices)]
        return [pick for pick in picked if all(self.together(a, b) for a, b in combinations(pick, 2))]

    def touching(self, members: list[str], stage: str) -> list[Place]:
        return [w for w in self.waves if self.stage(w) == stage and self.machines(w) & set(members)]

    def all_before(self, ones: list[Place], others: list[Place]) -> bool:
        return all(self.before(one, other) for one in ones for other in others)

    def breaks(self, rule: Json) -> bool:
        if rule["kind"] == "budget":
            return any(
                len(set().union(*map(self.machines, waves)) & set(rule["machines"])) > rule["limit"]
                for waves in self.coinciding()
            )
        if rule["kind"] == "order":
            return any(
                not self.all_before(self.touching(rule["first"], stage), self.touching(rule["then"], stage))
                for stage in STAGES
            )
        return self.at_once(rule) or any(
            not self.all_before(one, other) and not self.all_before(other, one)
            for stage in STAGES
            for one, other in combinations(
                [self.touching(members, stage) for members in rule["domains"].values()], 2
            )
        )

    def at_once(self, rule: Json) -> bool:
        """Whether two domains of an exclusion can be out at the same time."""
        return any(
            sum(bool(set().union(*map(self.machines, waves)) & set(d)) for d in rule["domains"].values()) > 1
            for waves in self.coinciding()
        )


# Plans -------------------------------------------------------------------------------------------------------


@st.composite
def _lanes(draw: st.DrawFn) -> list[Json]:
    count = draw(st.integers(1, 5))
    lanes: list[Json] = [
        {
            "id": f"lane-{n}",
            "stage": draw(st.sampled_from(STAGES)),
            "waves": [{"machines": []} for _ in range(draw(st.integers(1, 3)))],
        }
        for n in range(count)
    ]
    for n, lane in enumerate(lanes):
        earlier = [held["id"] for held in lanes[:n] if held["stage"] == lane["stage"]]
        lane["after"] = draw(st.lists(st.sampled_from(earlier), unique=True)) if earlier else []
    for machine in MACHINES:
        lane = draw(st.sampled_from([None, *lanes]))
        if lane is not None:
            draw(st.sampled_from(lane["waves"]))["machines"].append(machine)
    return draw(st.permutations(lanes))


_SOME = st.lists(st.sampled_from(MACHINES), unique=True, min_size=1)


@st.composite
def _budget(draw: st.DrawFn) -> Json:
    return {"kind": "budget", "machines": draw(_SOME), "limit": draw(st.integers(0, 4))}


@st.composite
def _exclusion(draw: st.DrawFn) -> Json:
    domains: dict[str, list[str]] = {}
    for machine in draw(_SOME):
        domains.setdefault(draw(st.sampled_from("abc")), []).append(machine)
    return {"kind": "exclusion", "domains": domains}


@st.composite
def _order(draw: st.DrawFn) -> Json:
    members = draw(st.lists(st.sampled_from(MACHINES), unique=True, min_size=2))
    cut = draw(st.integers(1, len(members) - 1))
    return {"kind": "order", "first": members[:cut], "then": members[cut:]}


@st.composite
def _plans(draw: st.DrawFn, *rules: st.SearchStrategy[Json]) -> Json:
    constraints = draw(st.lists(st.one_of(*rules), min_size=1, max_size=5))
    return {
        "schema": "wavekeeper.plan/1",
        "machines": {machine: {"name": machine} for machine in MACHINES},
        "constraints": [rule | {"id": f"rule-{n}"} for n, rule in enumerate(constraints)],
        "stages": STAGES,
        "lanes": draw(_lanes()),
        "left_out": [],
    }


def _broken(plan: Json) -> set[str]:
    return {violation.where for violation in judge_plan(plan).violations}


@given(_plans(_budget(), _exclusion()))
def test_budgets_and_exclusions(plan: Json) -> None:
    """The judge finds exactly the budgets and exclusions that some set of coinciding waves, or some sequence, breaks."""
    dumb = _Dumb(plan)
    expected = {rule["id"] for rule in plan["constraints"] if dumb.breaks(rule)}
    event(f"{len(expected)} broken")
    assert _broken(plan) == expected


@given(_plans(_budget(), _order()))
def test_budgets_and_orders(plan: Json) -> None:
    """The judge finds exactly the orders that two waves break."""
    dumb = _Dumb(plan)
    assert _broken(plan) == {rule["id"] for rule in plan["constraints"] if dumb.breaks(rule)}


@given(_plans(_budget(), _exclusion(), _order()), st.data())
def test_excuses(plan: Json, data: st.DataObject) -> None:
    """Orders and outer exclusions may excuse that a domain isn't finished in one go, and nothing else."""
    for rule in plan["constraints"]:
        rule["level"] = data.draw(st.integers(0, 2))
    dumb = _Dumb(plan)
    broken = _broken(plan)
    for rule in plan["constraints"]:
        if rule["kind"] == "exclusion":
            assert rule["id"] in broken or not dumb.at_once(rule)
            assert rule["id"] not in broken or dumb.breaks(rule)
        else:
            assert (rule["id"] in broken) == dumb.breaks(rule)


@given(_plans(_budget(), _exclusion(), _order()), st.sampled_from(MACHINES))
def test_a_mutated_plan_is_found(plan: Json, moved: str) -> None:
    """A machine moved into any wave where it breaks a rule of a plan that kept them all is always found."""
    dumb = _Dumb(plan)
    rules = plan["constraints"] = [rule for rule in plan["constraints"] if not dumb.breaks(rule)]
    assert judge_plan(plan).ok
    waves = [wave["machines"] for lane in plan["lanes"] for wave in lane["waves"]]
    for wave in waves:
        if moved in wave:
            wave.remove(moved)
    for wave in waves:
        wave.append(moved)
        mutated = _Dumb(plan)
        broken = any(
            mutated.at_once(rule) if rule["kind"] == "exclusion" else mutated.breaks(rule) for rule in rules
        )
        event(f"broken by the move: {broken}")
        assert not (broken and judge_plan(plan).ok)
        wave.remove(moved)


@given(st.lists(st.integers(1, 4), min_size=1, max_size=8), st.data())
def test_heaviest_antichain(weights: list[int], data: st.DataObject) -> None:
    """The heaviest antichain is the heaviest of all sets in which no two are ordered, and is one of them."""
    size = len(weights)
    later = dict.fromkeys(range(size), 0)
    for one in reversed(range(size)):
        for other in range(one + 1, size):
            if data.draw(st.booleans()):
                later[one] |= 1 << other | later[other]
    apart = [
        chosen
        for count in range(1, size + 1)
        for chosen in combinations(range(size), count)
        if not any(later[a] >> b & 1 for a, b in combinations(chosen, 2))
    ]
    expected = max(sum(weights[n] for n in chosen) for chosen in apart)
    worst = heaviest(dict(enumerate(weights)), later, enough=0)
    assert worst.weight == expected
    assert worst.together in apart or (worst.together == () and expected == sum(weights))
    assert heaviest(dict(enumerate(weights)), later, enough=expected).weight <= expected
    for limit in range(expected):
        assert heaviest(dict(enumerate(weights)), later, enough=limit).weight > limit


@given(_plans(_budget(), _exclusion(), _order()))
def test_spelling_and_sequence_don_t_matter(plan: Json) -> None:
    """Ids in another case, lanes and constraints in another sequence: the same verdict."""
    before = _broken(plan)
    for lane in plan["lanes"]:
        for wave in lane["waves"]:
            wave["machines"] = [machine.upper() for machine in reversed(wave["machines"])]
    plan["lanes"].reverse()
    plan["constraints"].reverse()
    assert all(a["id"] != b["id"] for a, b in pairwise(plan["lanes"]))
    assert _broken(plan) == before
