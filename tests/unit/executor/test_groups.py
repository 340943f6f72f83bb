"""What is asked about groups, before a grant and after a change: once for all who want to know, and never with an old answer."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

from orchestrator.executor.group_watch import watch_groups
from orchestrator.policy.model import Health, Probe, ProbeKind
from orchestrator.rollout import actions as a
from orchestrator.rollout import messages as m
from tests.builders import NOON, grouped, lane, plan_of
from tests.unit.executor.doors import Doors, probing
from tests.virtual import virtual

HEALTH = Health(min_healthy_time=timedelta(minutes=5), healthy_deadline=timedelta(minutes=30))
SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)


def doors(sick: str = "", names: str = "a b") -> Doors:
    """Machines of a quorum, which isn't well for the reason given."""
    plan = probing(plan_of(lane("west", names), health=HEALTH), Probe(ProbeKind.VM_AGENT))
    here = Doors(grouped(plan, "db", names, "http://status/{group}"))
    here.prober.about = lambda world, group, now: sick
    return here


@virtual
async def test_a_machine_whose_group_is_well_may_be_granted() -> None:
    """The group by its name, in the question."""
    here = doors()
    assert await here.do("a") == m.FoundWell("r1", 0, "")
    assert here.prober.asked_of_groups == [(NOON + here.passed, "db")]


@virtual
async def test_a_machine_whose_group_is_not_well_waits_for_it() -> None:
    """Asked as often as the policy says before that is believed; the evidence says where and what."""
    here = doors("2 of 3 in step")
    seen = await here.do("a")
    assert seen == m.FoundGroupSick("r1", 0, 0, "http http://status/db: 2 of 3 in step")
    assert [at - NOON for at, _ in here.prober.asked_of_groups] == [i * 15 * SECOND for i in range(3)]


@virtual
async def test_a_granted_machine_asks_its_group_again_before_its_intent() -> None:
    """A throttled attempt lies between the two, in which the group may have turned."""
    here = doors("2 of 3 in step")
    here.prober.about = lambda world, group, now: "" if now < NOON + MINUTE else "2 of 3 in step"
    here.diary.well("a")
    here.diary.rejected("a", after=120)
    assert isinstance(here.diary.doing("a"), a.ReadBaseline)
    seen = await here.do("a")
    assert seen == m.FoundGroupSick("r1", 0, 0, "http http://status/db: 2 of 3 in step")
    assert [at - NOON for at, _ in here.prober.asked_of_groups] == [
        2 * MINUTE + i * 15 * SECOND for i in range(3)
    ]


@virtual
async def test_a_granted_machine_that_a_person_retried_does_not_ask_its_group() -> None:
    """It may be the very reason why the group isn't well."""
    here = doors("2 of 3 in step")
    here.diary.well("a")
    here.diary.rejected("a")
    here.diary.rollout.machines[0] = here.diary.run("a")._replace(forced=True)
    assert isinstance(await here.do("a"), m.FoundWell)


@virtual
async def test_many_machines_of_a_group_ask_one_question() -> None:
    """Within an interval the same answer is good for all of them."""
    here = doors(names=" ".join(f"m{number:02}" for number in range(40)))
    await asyncio.gather(*(here.do(machine.name) for machine in here.plan.machines))
    assert len(here.prober.asked_of_groups) == 1


@virtual
async def test_an_old_answer_is_asked_for_anew() -> None:
    """Older than an interval, or from before the moment that matters."""
    here = doors()
    group, interval = here.plan.group_probes[0], 15 * SECOND
    await here.services.groups.ask(group, interval)
    await here.clock.sleep(10)
    await here.services.groups.ask(group, interval)
    assert len(here.prober.asked_of_groups) == 1
    await here.services.groups.ask(group, interval, here.clock.now())
    assert len(here.prober.asked_of_groups) == 2
    await here.clock.sleep(16)
    await here.services.groups.ask(group, interval)
    assert len(here.prober.asked_of_groups) == 3


@virtual
async def test_a_machine_is_not_well_before_its_group_is() -> None:
    """The healthy time counts from the group's recovery."""
    here = doors()
    while not isinstance(here.diary.doing("a"), a.Verify):
        await here.step("a")
    well_at = here.clock.now() + 10 * MINUTE
    here.prober.about = lambda world, group, now: "" if now >= well_at else "electing"
    assert await here.do("a") == m.HealthReported("r1", 0, 1, well=True, evidence="")
    assert here.clock.now() - well_at >= 5 * MINUTE


@virtual
async def test_a_group_that_stays_sick_makes_the_machine_unhealthy() -> None:
    """By the machine's own deadline, with the group's answer as the evidence."""
    here = doors()
    while not isinstance(here.diary.doing("a"), a.Verify):
        await here.step("a")
    here.prober.about = lambda world, group, now: "no leader"
    why = "not well within 30 min: its group db isn't well: http http://status/db: no leader"
    assert await here.do("a") == m.HealthReported("r1", 0, 1, well=False, evidence=why)


@virtual
async def test_groups_that_are_sick_are_asked_until_they_are_well() -> None:
    """Only those, and each interval."""
    here = doors("no leader")
    await here.step("a")
    here.prober.asked_of_groups.clear()
    well_at = here.clock.now() + 3 * MINUTE
    here.prober.about = lambda world, group, now: "" if now >= well_at else "no leader"
    told: list[m.Observation] = []
    watching = asyncio.create_task(watch_groups(here.services, here.diary.rollout, told.append))
    await here.clock.sleep(200)
    watching.cancel()
    assert told[0] == m.GroupRecovered("r1", 0)
    assert len(here.prober.asked_of_groups) <= 200 / 15 + 1


@virtual
async def test_groups_that_cannot_be_asked_make_a_rollout_misconfigured() -> None:
    """They are asked with all other probes before anything is touched."""
    plan = grouped(plan_of(lane("west", "a")), "db", "a", "http://nowhere/{group}")
    here = Doors(replace(plan, probes=()))
    here.diary = type(here.diary)(here.plan, prepared=False)
    (prepare,) = here.diary.agenda.own
    from orchestrator.executor.perform import perform

    seen = await perform(here.services, here.diary.rollout, prepare, here.reports.append)
    assert seen == m.FleetLooked("r1", (), 0, 1, "group db: its url can't be filled in")
