"""Never: a plan in which more machines restart at once than a rule with `rebootless` allows, or more are changed than that does."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import timedelta

import orjson
from hypothesis import event, given, settings
from hypothesis import strategies as st

from orchestrator.availability.model import Budget
from orchestrator.errors import PolicyError, Refused
from orchestrator.inventory.model import Inventory, Machine, Os, PatchState, RebootBehavior, Update
from orchestrator.planner.document import dump, parse
from orchestrator.planner.model import Plan
from orchestrator.planner.plan import plan
from orchestrator.policy.load import load
from orchestrator.topology.graph import build
from orchestrator.verify.plan import judge_plan
from tests.builders import NOON
from tests.properties.test_policy_constraints import fleets, policy_files
from tests.unit.planner.compiling import floor

HOTPATCH = Update("hotpatch", "5087423", ("Security",), RebootBehavior.NEVER)
BASELINE = Update("baseline", "5087539", ("Security",), RebootBehavior.ALWAYS)
CAMPAIGN = (
    "c.yaml",
    """version: 1
name: c
replaces: availability-first
select: {names: "*"}
change: {patches: {reboot: never}}
stages: [{name: all}]
""",
)
LOOSE = (
    "r.yaml",
    """version: 1
name: r
rules:
  - {max_unavailable: 1, rebootless: {max_unavailable: 4}}
  - {max_unavailable: 1, rebootless: {max_unavailable: 60%}, per: "tag:tier"}
""",
)
DRAINS = (
    "d.yaml",
    "version: 1\nname: d\nselect: {tags: {tier: web}}\naround: [{each: machine, before: [{webhook: drain}]}]\n",
)


@st.composite
def assessed(draw: st.DrawFn) -> Inventory:
    """A fleet of which some machines wait for a hotpatch, some for a baseline, and of some nobody knows."""
    fleet = draw(fleets())

    def told(machine: Machine) -> Machine:
        updates = draw(st.sampled_from([None, (HOTPATCH,), (HOTPATCH,), (BASELINE, HOTPATCH)]))
        age = draw(st.sampled_from([0, 0, 0, 3]))
        patches = PatchState(NOON - timedelta(days=age), reboot_pending=False, updates=updates)
        return replace(machine, os=Os.WINDOWS, patches=patches)

    return replace(fleet, taken_at=NOON, machines=tuple(map(told, fleet.machines)))


def hotpatched(machine: Machine) -> bool:
    """Said without the planner."""
    return machine.patches.updates == (HOTPATCH,) and machine.patches.assessed_at == NOON


def planned(fleet: Inventory, files: list[tuple[str, str]]) -> Plan | None:
    """The plan; None if it is refused."""
    try:
        return plan(build(fleet), load([*files, CAMPAIGN, LOOSE]), floor())
    except (PolicyError, Refused) as refused:
        event(type(refused).__name__)
        return None


@settings(max_examples=150, deadline=None)
@given(assessed(), policy_files(2), st.booleans())
def test_both_limits_hold_whatever_runs_together(
    fleet: Inventory, files: list[tuple[str, str]], drains: bool
) -> None:
    """The judge says so, and so does a count of each wave; and the file is read back as it was written."""
    made = planned(fleet, [*files, DRAINS] if drains else files)
    if made is None:
        return
    drained = {m.id for m in fleet.machines if drains and m.tags.get("tier") == "web"}
    up = {machine.id for machine in fleet.machines if hotpatched(machine)} - drained
    event(
        f"{sum(rule.restarts for rule in made.constraints if isinstance(rule, Budget))} budgets of restarts"
    )

    assert [str(violation) for violation in judge_plan(orjson.loads(dump(made))).violations] == []
    assert {m.id for m in made.machines if m.change and m.stays_up} == up & {
        m.id for m in made.machines if m.change
    }
    for rule in made.constraints:
        if not isinstance(rule, Budget) or rule.cap:
            continue
        counted = set(rule.members) - (up if rule.restarts else set())
        for lane in made.lanes:
            for wave in lane.waves:
                assert len(counted.intersection(wave.machines)) <= rule.limit
    assert parse(dump(made), "plan.json") == made


@settings(max_examples=100, deadline=None)
@given(assessed(), policy_files(1), st.data())
def test_the_judge_finds_a_restart_that_a_plan_makes_light_of(
    fleet: Inventory, files: list[tuple[str, str]], data: st.DataObject
) -> None:
    """A machine is spared on a prediction that the plan's own rows don't bear out."""
    made = planned(fleet, files)
    spared = made and [m for rule in made.constraints if isinstance(rule, Budget) for m in rule.spared]
    if not made or not spared:
        return
    document = orjson.loads(dump(made))
    machine = document["machines"][data.draw(st.sampled_from(sorted(set(spared))))]
    match data.draw(st.integers(0, 3)):
        case 0:
            machine["restart"] = "likely"
        case 1:
            del machine["restart"]
        case 2:
            machine["around"] = [0]
        case _:
            document["change"]["reboot"] = "if_required"

    assert not judge_plan(document).ok


@settings(max_examples=100, deadline=None)
@given(assessed(), policy_files(1))
def test_the_judge_finds_a_limit_of_restarts_that_is_broken(
    fleet: Inventory, files: list[tuple[str, str]]
) -> None:
    """Were the limit one less than what the fullest wave restarts."""
    made = planned(fleet, files)
    if made is None:
        return
    document = orjson.loads(dump(made))
    for rule in document["constraints"]:
        most = Counter(
            (lane["id"], number)
            for lane in document["lanes"]
            for number, wave in enumerate(lane["waves"])
            for machine in wave["machines"]
            if machine in rule.get("machines", ())
        )
        if rule.get("restarts") and not rule["cap"] and most:
            kept, rule["limit"] = rule["limit"], max(most.values()) - 1
            assert rule["id"] in {violation.where for violation in judge_plan(document).violations}
            rule["limit"] = kept
