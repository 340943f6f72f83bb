"""Stages that grow: how large their steps are, and that rules hold across them as they do without."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise

import pytest

from orchestrator.errors import Refused
from orchestrator.inventory.model import Inventory
from orchestrator.planner.document import dump, parse
from orchestrator.planner.explain import explain
from orchestrator.planner.growing import sizes
from orchestrator.planner.model import Plan, StageGate
from orchestrator.planner.plan import plan
from orchestrator.policy import words
from orchestrator.policy.load import load
from orchestrator.policy.model import Growth, Share, Stage
from orchestrator.topology.graph import build
from tests.fleet import inventory, vm, vm_id
from tests.unit.planner.company import RULES, company
from tests.unit.planner.compiling import floor
from tests.unit.planner.dividing import named, verdict

CAMPAIGN = "version: 1\nname: all\nselect: {names: '*'}\nchange: {restart: {}}\n"


def planned(fleet: Inventory, stages: str, *, rules: str = "", floored: bool = False) -> Plan:
    """The plan of everything in these stages, under these rules."""
    files = [("all.yaml", f"{CAMPAIGN}stages: [{stages}]\n")]
    files += (
        [("rules.yaml", rules if rules.startswith("version") else f"version: 1\nname: r\nrules:\n{rules}")]
        if rules
        else []
    )
    return plan(build(fleet), load(files), floor() if floored else None)


def many(count: int, **facts: object) -> Inventory:
    """So many machines alike."""
    return inventory(*(vm(f"m{number:03}", **facts) for number in range(count)))


def steps(made: Plan) -> dict[str, list[int]]:
    """How large the waves of each stage's lanes are, lane after lane."""
    return {
        gate.name: [len(w.machines) for lane in made.lanes if lane.stage == gate.name for w in lane.waves]
        for gate in made.stages
    }


@pytest.mark.parametrize(
    ("growth", "machines", "expected"),
    [
        (Growth(), 0, []),
        (Growth(), 1, [1]),
        (Growth(), 10, [1, 2, 4, 3]),
        (Growth(most=Share(count=4)), 20, [1, 2, 4, 4, 4, 4, 1]),
        (Growth(Share(count=2), 3), 30, [2, 6, 18, 4]),
        (Growth(Share(percent=10), 2, Share(percent=25)), 100, [10, 20, 25, 25, 20]),
        (Growth(Share(count=8), 2, Share(percent=10)), 20, [2] * 10),
        (Growth(), 100_000, [2**step for step in range(16)] + [34_465]),
    ],
)
def test_how_large_the_steps_are(growth: Growth, machines: int, expected: list[int]) -> None:
    """Each so many times the one before, never above the most, and the last what is left."""
    assert sizes(growth, machines) == expected


def test_each_step_is_a_stage_of_the_plan() -> None:
    """Bake and approval come after the last; what follows comes after that."""
    made = planned(many(11), "{name: broad, up_to: 10, growing: true, bake: 4h, then: approve}, {name: rest}")

    assert made.stages == (
        StageGate("broad/1", timedelta(0), approve=False),
        StageGate("broad/2", timedelta(0), approve=False),
        StageGate("broad/3", timedelta(0), approve=False),
        StageGate("broad/4", timedelta(hours=4), approve=True),
        StageGate("rest", timedelta(0), approve=False),
    )
    assert steps(made) == {"broad/1": [1], "broad/2": [2], "broad/3": [4], "broad/4": [3], "rest": [1]}
    assert [lane.id for lane in made.lanes] == ["broad/1-1", "broad/2-1", "broad/3-1", "broad/4-1", "rest-1"]
    assert made.lanes[1].what == "2 of 10: 10 machines that no rule keeps apart"
    assert verdict(made) == []
    assert parse(dump(made), "plan.json") == made


def test_a_stage_of_one_step_keeps_its_name() -> None:
    """And so does one that nobody is in."""
    assert steps(
        planned(many(1), "{name: canary, select: {os: windows}, growing: true}, {name: all, growing: true}")
    ) == {
        "canary": [],
        "all": [1],
    }


def test_rules_beat_the_size_of_a_step() -> None:
    """A step takes as many waves as they want; parts of two waves that may go together do."""
    made = planned(
        many(20), "{name: broad, growing: {first: 4, factor: 4}}", rules="  - {max_unavailable: 3}"
    )

    assert steps(made) == {"broad/1": [3, 1], "broad/2": [3, 3, 3, 3, 3, 1]}
    assert verdict(made) == []
    joined = planned(
        many(20), "{name: broad, growing: {first: 2, factor: 2}}", rules="  - {max_unavailable: 4}"
    )
    assert steps(joined) == {"broad/1": [2], "broad/2": [4], "broad/3": [4, 4], "broad/4": [4, 2]}


def test_what_is_ordered_stays_ordered() -> None:
    """The whole stage's databases come before its first front end, whatever the steps."""
    fleet = inventory(
        *(vm(f"db{n}", tags={"tier": "db"}) for n in range(3)),
        *(vm(f"web{n}", tags={"tier": "web"}) for n in range(6)),
    )
    made = planned(
        fleet, "{name: broad, growing: true}", rules="  - {order: [{tags: {tier: db}}, {tags: {tier: web}}]}"
    )
    order = [named(wave.machines) for lane in made.lanes for wave in lane.waves]

    assert "".join(order).rindex("db") < "".join(order).index("web")
    assert steps(made) == {"broad/1": [1], "broad/2": [2], "broad/3": [4], "broad/4": [2]}


def test_a_domain_begun_is_finished_across_steps() -> None:
    """Nobody goes back to a zone that was left."""
    fleet = inventory(*(vm(f"z{n % 3 + 1}-{n}", zone=str(n % 3 + 1)) for n in range(30)))
    made = planned(
        fleet, "{name: broad, growing: {most: 8}}", rules="  - {one_at_a_time: zone, within: region}"
    )
    zones = [
        machine.zone
        for lane in made.lanes
        for wave in lane.waves
        for m in wave.machines
        for machine in fleet.machines
        if machine.id == m
    ]

    assert sum(zone != after for zone, after in pairwise(zones)) == 2
    assert verdict(made) == []


def test_lanes_side_by_side_take_turns() -> None:
    """The first step of two takes one of each region, the way a small stage is spread."""
    fleet = inventory(
        *(vm(f"w{n}", location="westeurope") for n in range(4)),
        *(vm(f"n{n}", location="northeurope") for n in range(4)),
    )
    made = planned(fleet, "{name: broad, growing: {first: 2}}", rules="  - {max_unavailable: 1, per: region}")
    first = [named(w.machines)[0] for lane in made.lanes if lane.stage == "broad/1" for w in lane.waves]

    assert sorted(first) == ["n", "w"]


def test_too_many_steps_are_refused() -> None:
    """With what to write instead."""
    with pytest.raises(
        Refused,
        match=r"stage broad would take 501 steps for 501 machines, and 500 are the most: write a larger `most`",
    ):
        planned(many(501), "{name: broad, growing: {most: 1}}")


def test_a_companys_fleet_grows_within_its_rules() -> None:
    """Under the floor and its own; every machine is explained."""
    fleet = company(400, pairs=2)
    made = planned(
        fleet,
        "{name: canary, count: 2}, {name: broad, growing: {first: 3, most: 90}}",
        rules=RULES,
        floored=True,
    )
    grown = [sum(waves) for name, waves in steps(made).items() if name.startswith("broad/")]

    assert verdict(made) == []
    assert grown[:6] == [3, 6, 12, 24, 48, 90]
    assert set(grown[6:-1]) <= {90}
    assert 0 < grown[-1] <= 90
    for machine in made.machines:
        if machine.change:
            assert all(earlier.obstacles for earlier in explain(made, machine.id).earlier)


def test_it_is_shown() -> None:
    """In `policy show` and in what is told of stages."""
    assert (
        words.stage(Stage("broad", growing=Growth())) == "broad: all that are left; in steps of 1, 2, 4, ..."
    )
    told = words.stage(
        Stage("broad", growing=Growth(Share(percent=5), 3, Share(count=64)), bake=timedelta(hours=1))
    )
    assert (
        told == "broad: all that are left; in steps of 5%, each 3 times the one before, at most 64; bake 1h"
    )
    assert words.growth(Growth(Share(count=2), 3)) == "in steps of 2, 6, 18, ..."


def test_the_same_fleet_gives_the_same_steps() -> None:
    """And another name of the stage another choice of who goes first."""
    fleet = many(40)
    one, again, other = (planned(fleet, f"{{name: {name}, growing: true}}") for name in ("a", "a", "b"))

    assert dump(one) == dump(again)
    assert one.lanes[0].waves[0].machines != other.lanes[0].waves[0].machines
    assert one.lanes[0].waves[0].machines != (vm_id("m000"),)
