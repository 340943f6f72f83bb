"""From a reviewed plan to a rollout: does it pass the judge, does it still fit the fleet, is it known already?"""

from __future__ import annotations

from dataclasses import replace

import pytest

from orchestrator.errors import PlanRefused, Refused
from orchestrator.inventory.model import Agent, Inventory, Machine, Os, Power
from orchestrator.planner.document import dump, parse
from orchestrator.planner.facts import facts_of
from orchestrator.planner.model import LeftOut, Plan
from orchestrator.policy import change
from orchestrator.policy.model import Step
from orchestrator.rollout.state import RolloutStatus
from orchestrator.service.start import (
    Drift,
    drift,
    judge,
    known_rollout,
    new_id,
    refuse_if_outrun,
    refuse_unknown_webhooks,
    refuse_unless_judged,
)
from tests.builders import NOON, budget, lane, plan_of, step, telling
from tests.diary import Diary
from tests.fleet import availability_set, inventory, set_id, vm, vm_id
from tests.simulation.reference import CAMPAIGN, twins
from tests.virtual import Script, script, virtual

SMALL: Script = virtual(script)(twins(2), CAMPAIGN)
PLAN: Plan = plan_of(lane("west", "a b c"))


def fleet(*machines: Machine) -> Inventory:
    """What the cloud tells now."""
    return inventory(*machines)


def moved(*machines: Machine, plan: Plan = PLAN) -> Drift:
    """How the fleet has moved since."""
    return drift(plan, fleet(*machines), facts_of(plan))


# Drift ------------------------------------------------------------------------------------------------------


def test_a_fleet_that_is_as_it_was_has_not_moved() -> None:
    """Nothing dropped, changed or new."""
    found = moved(vm("a"), vm("b"), vm("c"))
    assert (found, found.affected) == (Drift((), (), ()), 0)


def test_machines_that_are_gone_or_off_are_dropped_with_their_reason() -> None:
    """By their place in the plan."""
    found = moved(vm("a"), vm("b", power=Power.DEALLOCATED))
    assert found.dropped == ((1, "it is deallocated"), (2, "gone since the plan was made"))
    assert found.affected == 2


def test_a_machine_whose_agent_is_away_is_dropped() -> None:
    """It couldn't take the change."""
    assert moved(vm("a", agent=Agent.NOT_READY), vm("b"), vm("c")).dropped == (
        (0, "its guest agent is not ready"),
    )


def test_a_hold_that_came_after_the_plan_drops_its_machine() -> None:
    """By the day of the live fleet; the tag isn't one that rules read."""
    live = inventory(
        vm("a", tags={"wavekeeper-hold": "2026-12-24 holidays"}),
        vm("b", tags={"wavekeeper-hold": "2026-11-01"}),
        vm("c"),
        taken_at=NOON,
    )

    assert drift(PLAN, live, facts_of(PLAN)).dropped == (
        (0, "it is on hold until 2026-12-24: holidays (tag wavekeeper-hold)"),
    )


def test_new_machines_are_told_unless_the_plan_left_them_out() -> None:
    """They are not rolled before the next plan."""
    plan = replace(PLAN, left_out=(LeftOut(vm_id("x"), "it was off"),))
    assert moved(vm("a"), vm("b"), vm("c"), vm("x"), vm("y"), plan=plan).new == ("y",)


def test_a_machine_in_another_zone_has_changed() -> None:
    """What rules read of it is digested in the plan."""
    told = SMALL.fleet.machines
    other = [replace(machine, zone="2") if machine.name == "a1" else machine for machine in told]
    plan = _plan(SMALL)
    found = drift(plan, replace(SMALL.fleet, machines=tuple(other)), facts_of(plan))
    assert (found.changed, found.affected) == (("a1",), 1)


def _plan(told: Script) -> Plan:
    return parse(told.plan, "the plan")


# Refusals ---------------------------------------------------------------------------------------------------


def test_a_plan_whose_machines_have_changed_is_refused_whatever_was_accepted() -> None:
    """Its waves may be wrong for them."""
    with pytest.raises(PlanRefused, match=r"1 machine changed since .*: a; plan again"):
        refuse_if_outrun(PLAN, Drift((), ("a",), ()), accept=True)


def test_a_plan_that_knew_less_than_the_cloud_tells_is_refused() -> None:
    """It was made from a file without update domains: planned with them, it would be another plan."""
    plan = replace(
        PLAN, machines=tuple(replace(x, facts="digest without update_domain") for x in PLAN.machines)
    )
    live = inventory(
        *(vm(name, availability_set=set_id("as"), update_domain=1) for name in "abc"),
        availability_sets=(availability_set("as", "a", "b", "c"),),
    )
    found = drift(plan, live, lambda machine: "digest without update_domain")
    assert found.learned == ("a", "b", "c")
    with pytest.raises(PlanRefused, match="without the update or fault domains of 3 machines, such as a"):
        refuse_if_outrun(plan, found, accept=True)


def test_more_than_a_twentieth_of_the_machines_must_be_accepted_by_name() -> None:
    """Fewer go without a word; they are listed."""
    many = plan_of(lane("west", " ".join(f"m{number:02}" for number in range(40))))
    few, too_many = (tuple((index, "gone") for index in range(count)) for count in (2, 3))
    refuse_if_outrun(many, Drift(few, (), ()), accept=False)
    with pytest.raises(PlanRefused, match=r"3 of 40 machines are gone, off or on hold .*--accept-drift"):
        refuse_if_outrun(many, Drift(too_many, (), ()), accept=False)
    refuse_if_outrun(many, Drift(too_many, (), ()), accept=True)


def test_the_judge_passes_what_the_planner_made() -> None:
    """Its own constraints, and the floor off the inventory."""
    assert judge(SMALL.plan, SMALL.fleet).ok
    refuse_unless_judged(SMALL.plan, SMALL.fleet)


def test_a_plan_that_breaks_a_rule_is_refused_by_the_rules_name() -> None:
    """Two of a set in one wave."""
    bad = dump(plan_of(lane("broad", "a b"), rules=[budget(1, "a b")]))
    with pytest.raises(PlanRefused, match=r"the plan breaks rules and will not be run:\n  .*at most 1 of 2"):
        refuse_unless_judged(bad, fleet(vm("a"), vm("b")))


def test_what_is_left_of_a_plan_is_judged_without_the_machines_that_were_dropped() -> None:
    """One that is off or gone is changed by nobody, and no reason to plan anew; what was empty then holds nothing up."""
    chain = plan_of(
        lane("one", "a"),
        lane("two", "b", after=["one"]),
        lane("three", "c d", after=["two"]),
        rules=[budget(1, "a c")],
    )
    live = fleet(vm("a"), vm("c"), vm("d", power=Power.STOPPED))
    with pytest.raises(PlanRefused, match="which the inventory doesn't hold"):
        refuse_unless_judged(dump(chain), live)
    refuse_unless_judged(dump(chain), live, dropped=[vm_id("b"), vm_id("d")])
    loose = plan_of(lane("one", "a"), lane("two", "b"), lane("three", "c"), rules=[budget(1, "a c")])
    with pytest.raises(PlanRefused, match="at most 1 of 2"):
        refuse_unless_judged(dump(loose), live, dropped=[vm_id("b")])


def test_webhooks_that_nobody_has_configured_are_named_before_anything_starts() -> None:
    """With what to write."""
    plan = plan_of(lane("west", "a"), before=[step("drain")], after=[step("undrain")])
    refuse_unknown_webhooks(plan, lambda name: True)
    with pytest.raises(
        Refused, match="not configured: drain, undrain; say where they go in a file for --webhooks"
    ):
        refuse_unknown_webhooks(plan, lambda name: False)
    with pytest.raises(Refused, match="not configured: ops;"):
        refuse_unknown_webhooks(telling(plan, "ops"), lambda name: name != "ops")


def test_a_script_around_a_machine_is_no_webhook() -> None:
    """Nobody has to configure it."""
    command = change.RunCommand(change.Script("drain.ps1"), Os.WINDOWS)
    plan = plan_of(lane("west", "a"), before=[Step("", command=command)])
    refuse_unknown_webhooks(plan, lambda name: False)


# Known already? ---------------------------------------------------------------------------------------------


def test_the_rollout_of_exactly_this_plan_is_gone_on_with() -> None:
    """Whether it runs, is paused, or was aborted and is carried through."""
    diary = Diary(PLAN)
    assert known_rollout(diary.scope, "digest") is diary.rollout
    assert known_rollout(diary.scope, "another") is None
    diary.follow("a")
    diary.abort()
    assert known_rollout(diary.scope, "digest") is diary.rollout


def test_one_that_is_finished_is_not_begun_again() -> None:
    """A process may have been killed between the end and its last word."""
    diary = Diary(PLAN)
    diary.finish("a", "b", "c")
    assert diary.rollout.status is RolloutStatus.FINISHED
    assert known_rollout(diary.scope, "digest") is diary.rollout


def test_one_that_was_refused_may_be_begun_again() -> None:
    """Nothing was touched, and what was misconfigured is mended."""
    diary = Diary(PLAN, prepared=False)
    diary.looked(asked=1, unasked=9)
    assert known_rollout(diary.scope, "digest") is None


def test_ids_can_be_said_and_are_never_given_twice() -> None:
    """Campaign and minute; a number if that is taken."""
    diary = Diary(PLAN, id="test-20261122-1200")
    assert new_id(diary.scope, PLAN, NOON) == "test-20261122-1200-2"
