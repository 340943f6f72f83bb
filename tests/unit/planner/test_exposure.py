"""Who goes first among equals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from orchestrator.inventory.model import Inventory, MachineId, PatchState
from orchestrator.planner.document import dump, parse
from orchestrator.planner.explain import explain
from orchestrator.planner.exposure import ordered, warnings
from orchestrator.planner.facts import policies_fingerprint
from orchestrator.planner.model import Exposed, Plan
from orchestrator.planner.plan import plan
from orchestrator.planner.replan import Replanner, Standing
from orchestrator.planner.summary import summarize
from orchestrator.policy.describe import describe
from orchestrator.policy.load import load_one
from orchestrator.policy.model import Change, Origin, Patches, Policy, Restart, Selector, Sooner
from orchestrator.topology.graph import build
from tests.builders import budget, lane, plan_of
from tests.fleet import inventory, vm

CAMPAIGN = 'version: 1\nname: monthly\nselect: {names: "*"}\nchange: {patches: {}}\n'
FLEET = [
    vm("a", patches=PatchState(critical_and_security=0)),
    vm("b"),  # never assessed
    vm("c", patches=PatchState(critical_and_security=3)),
    vm("d", patches=PatchState(critical_and_security=7)),
    vm("e", tags={"exposure": "internet"}),
    vm("f", tags={"exposure": "partners"}, patches=PatchState(critical_and_security=1)),
    vm("g", tags={"exposure": "partners"}, patches=PatchState(critical_and_security=9)),
]
BY_ID = {machine.id: machine for machine in FLEET}
IDS = [machine.id for machine in FLEET]


def sooner(*values: str) -> tuple[Sooner, ...]:
    """Machines that are exposed to each of these, in this order."""
    return tuple(
        Sooner(Selector(tags=(("exposure", (value,)),)), Origin("monthly.yaml", 5 + place))
        for place, value in enumerate(values)
    )


def names(*machines: str) -> list[str]:
    """The names of these ids."""
    return [machine.rpartition("/")[2] for machine in machines]


def in_turn(change: Change, sooner: Sequence[Sooner]) -> Sequence[MachineId]:
    """The machines of a plan of one stage, in their order."""
    (only,) = ordered([IDS], BY_ID, change, sooner).stages
    return only


def test_more_patches_outstanding_go_earlier() -> None:
    """Whoever was never assessed may need some: after those that do, before those that don't."""
    assert names(*in_turn(Patches(), ())) == ["g", "d", "c", "f", "b", "e", "a"]


def test_what_a_policy_calls_exposed_goes_before_everything() -> None:
    """In the order of its entries, then by patches."""
    turn = in_turn(Patches(), sooner("internet", "partners"))

    assert names(*turn) == ["e", "g", "f", "d", "c", "b", "a"]


def test_a_restart_installs_no_patches() -> None:
    """So only what the policy says counts; equals stay in the order given."""
    assert names(*in_turn(Restart(), ())) == ["a", "b", "c", "d", "e", "f", "g"]
    turn = in_turn(Restart(), sooner("partners"))
    assert names(*turn) == ["f", "g", "a", "b", "c", "d", "e"]


def test_the_first_stage_keeps_its_order() -> None:
    """Canaries are there to be tried on. Where there is but one stage, it isn't a canary."""
    stages = [IDS[:3], IDS[3:]]

    assert [names(*taken) for taken in ordered(stages, BY_ID, Patches(), ()).stages] == [
        ["a", "b", "c"],
        ["g", "d", "f", "e"],
    ]
    (only,) = ordered([IDS], BY_ID, Patches(), ()).stages
    assert names(*only)[:2] == ["g", "d"]


def test_an_entry_that_selects_nobody_is_told() -> None:
    """With its line: most likely a slip of the pen."""
    (warned,) = warnings(IDS, BY_ID, sooner("internet", "intranet"))

    assert warned.origin == Origin("monthly.yaml", 6)
    assert warned.what == "`sooner` selects none of the machines that are changed by exposure=intranet"
    assert list(warnings(IDS, BY_ID, ())) == []


# In the policy language ------------------------------------------------------------------------------------------


def monthly(more: str = "") -> Policy:
    """A campaign over everything."""
    return load_one("monthly.yaml", CAMPAIGN + more)


def test_the_key_is_read_with_its_lines() -> None:
    """A list, or one selector alone."""
    policy = monthly("sooner:\n  - {tags: {exposure: internet}}\n  - {tags: {exposure: partners}}\n")
    assert policy.campaign is not None

    first, second = sooner("internet", "partners")
    assert policy.campaign.sooner == (
        Sooner(first.select, Origin("monthly.yaml", 6)),
        Sooner(second.select, Origin("monthly.yaml", 7)),
    )
    alone = monthly("sooner: {tags: {exposure: internet}}\n").campaign
    assert alone is not None
    assert [entry.select for entry in alone.sooner] == [first.select]


def test_it_is_shown_and_digested() -> None:
    """Policies without it say what they said before."""
    shown = [
        setting
        for setting in describe(FLEET[0], [monthly("sooner: {os: windows}\n")])
        if setting.key == "sooner"
    ]

    assert [(setting.value, setting.origin.line) for setting in shown] == [("windows", 5)]
    assert policies_fingerprint([monthly("sooner: {os: windows}\n")]) != policies_fingerprint([monthly()])


# In a plan -------------------------------------------------------------------------------------------------------

ONE_AT_A_TIME = "rules: [{max_unavailable: 1}]\n"


def in_waves(fleet: Inventory, more: str) -> list[list[str]]:
    """The waves of the last stage of a plan."""
    made = plan(build(fleet), [monthly(more)], None)
    last = made.stages[-1].name
    return [names(*wave.machines) for lane in made.lanes if lane.stage == last for wave in lane.waves]


@pytest.mark.parametrize(
    "stages", ["stages: [{name: canary, select: {names: a}}, {name: broad}]\n", "stages: [{name: all}]\n"]
)
def test_among_equals_the_more_exposed_are_in_earlier_waves(stages: str) -> None:
    """One at a time, and nothing else keeps them apart."""
    waves = in_waves(inventory(*FLEET), ONE_AT_A_TIME + stages + "sooner: {tags: {exposure: internet}}\n")

    in_turn = ["e", "g", "d", "c", "f", "b", "a"]
    assert [name for (name,) in waves] == (in_turn if "all" in stages else in_turn[:-1])


def test_exposure_makes_no_plan_longer() -> None:
    """Who must go early for the plan to be short goes first, exposed or not."""
    rules = "rules: [{order: [{names: a}, {names: b}, {names: c}]}, {max_unavailable: 2}]\nstages: [{name: all}]\n"
    waves = in_waves(inventory(*FLEET[:6]), rules + "sooner: {names: [c, d, e, f]}\n")

    assert len(waves) == 3
    assert ["a" in waves[0], "b" in waves[1], "c" in waves[2]] == [True, True, True]


def test_a_plan_warns_of_an_entry_that_selects_nobody() -> None:
    """Beside everything else that its reader should know."""
    made = plan(build(inventory(*FLEET)), [monthly("sooner: {names: nobody}\n")], None)

    assert any("`sooner` selects none" in warned.what for warned in made.warnings)


def exposed(more: str) -> Plan:
    """A plan of the fleet, one at a time in one stage."""
    return plan(build(inventory(*FLEET)), [monthly(ONE_AT_A_TIME + more)], None)


INTERNET = "stages: [{name: all}]\nsooner: [{names: nobody}, {tags: {exposure: internet}}]\n"


def test_a_plan_carries_what_decided() -> None:
    """By the entry's place; who was never assessed has no count. The file is read back to the letter."""
    made = exposed(INTERNET)

    assert [(machine.name, machine.sooner, machine.outstanding) for machine in made.machines] == [
        ("a", None, 0),
        ("b", None, None),
        ("c", None, 3),
        ("d", None, 7),
        ("e", 1, None),
        ("f", None, 1),
        ("g", None, 9),
    ]
    assert [(entry.what, entry.origin.line) for entry in made.sooner] == [
        ("nobody", 7),
        ("exposure=internet", 7),
    ]
    assert parse(dump(made), "plan.json") == made


def test_a_first_stage_that_is_not_ordered_carries_nothing() -> None:
    """Nor does a restart carry patches."""
    stages = "stages: [{name: canary, select: {names: [d, e]}}, {name: broad}]\nsooner: {os: linux}\n"
    canaries = [machine for machine in exposed(stages).machines if machine.name in {"d", "e"}]
    made = plan(build(inventory(*FLEET)), [monthly(ONE_AT_A_TIME)], None, change=Restart())

    assert {(machine.sooner, machine.outstanding) for machine in canaries} == {(None, None)}
    assert {machine.outstanding for machine in made.machines} == {None}
    assert made.sooner == ()


def test_a_summary_counts_whom_exposure_put_ahead() -> None:
    """Everybody but the last; nobody where all are alike."""
    assert summarize(exposed(INTERNET)).ahead == 6
    alike = plan(build(inventory(vm("a"), vm("b"))), [monthly(ONE_AT_A_TIME)], None)
    assert summarize(alike).ahead == 0


def test_whoever_goes_before_equals_only_is_not_counted() -> None:
    """Of a, b and c, one after another, exposure put a alone ahead."""
    made = plan_of(lane("one", "a", "b", "c"))
    first, *others = made.machines

    assert summarize(replace(made, machines=(replace(first, outstanding=2), *others))).ahead == 1


def test_an_explanation_says_what_put_a_machine_ahead() -> None:
    """With the line of the policy; and how many patches it needs."""
    made = exposed(INTERNET)

    told = "  it goes before others of its lane: exposed by exposure=internet (monthly.yaml:7)"
    assert told in explain(made, "e").lines()
    assert "  7 critical or security patches outstanding" in explain(made, "d").lines()
    assert "  1 critical or security patch outstanding" in explain(made, "f").lines()
    for name in ("a", "b"):
        assert not [
            line for line in explain(made, name).lines() if "outstanding" in line or "exposed" in line
        ]


def test_who_goes_before_nobody_is_not_said_to() -> None:
    """Where all of a lane are exposed alike, exposure decided nothing."""
    made = exposed("stages: [{name: all}]\nsooner: {names: [a, b, c, d, e, f, g]}\n")

    assert {explain(made, machine.name).sooner for machine in made.machines} == {""}


def test_a_wave_that_is_split_is_split_in_that_order() -> None:
    """The most exposed first, then by patches, then by id; who waits already isn't overtaken."""
    wide = budget(4, "a b c d e")
    made = plan_of(lane("one", "a b c", "d e"), rules=[wide])
    a, b, c, d, e = made.machines
    made = replace(
        made,
        machines=(a, replace(b, outstanding=2), replace(c, sooner=0), d, replace(e, sooner=0)),
        sooner=(Exposed("exposure=internet", Origin("monthly.yaml", 5)),),
    )
    found = Replanner(made).replan(Standing(limits={wide.id: 1}))

    assert [names(*wave.machines) for wave in found.lanes[0].waves] == [["c"], ["b"], ["a"], ["e"], ["d"]]
