"""Rollouts over virtual machines of Azure, machines of Arc and of Azure Local, in one plan."""

from __future__ import annotations

from datetime import timedelta

import pytest

from orchestrator.executor.assessing import assess_machine
from orchestrator.executor.services import target_of
from orchestrator.inventory.model import Agent, AppHealth, Connection, Inventory, Kind, Os, Power
from orchestrator.planner.document import parse
from orchestrator.rollout.state import MachineStatus, RolloutStatus
from tests.fleet import arc, inventory, vm
from tests.virtual import Script, Stage, die_at_every_append, script, statuses, virtual

CAMPAIGN = """
version: 1
name: everywhere
select: {names: ["*"]}
change: {patches: {}}
rules:
  - {max_unavailable: 1, per: "tag:app"}
health: {min_healthy_time: 1m}
stages:
  - {name: canary, count: 2, bake: 10m}
  - {name: broad}
stop_when: {unhealthy: 3, not_changed: 3}
"""

DONE = MachineStatus.DONE


def fleet() -> Inventory:
    """Two applications, each in Azure and at a branch site; one machine of the site is away."""
    azure = [
        vm(f"{app}-az{n}", os=Os.WINDOWS, zone=str(n), app_health=AppHealth.HEALTHY, tags={"app": app})
        for app in ("shop", "till")
        for n in (1, 2)
    ]
    site = [
        arc("shop-nl1", tags={"app": "shop"}),
        arc("shop-nl2", tags={"app": "shop"}, os=Os.LINUX),
        arc("till-nl1", tags={"app": "till"}, kind=Kind.AZURE_LOCAL),
    ]
    away = arc(
        "till-nl2",
        tags={"app": "till"},
        agent=Agent.NOT_READY,
        power=Power.UNKNOWN,
        connection=Connection.DISCONNECTED,
    )
    return inventory(*azure, *site, away)


async def staged(faults: str = "", **parts: object) -> Stage:
    """A stage for the fleet."""
    return Stage.of(await script(fleet(), CAMPAIGN), faults, **parts)


def left_out(told: Script) -> str:
    """Why machines are left out, as the plan says it."""
    return told.plan.decode()


@virtual
async def test_one_plan_over_azure_and_arc() -> None:
    """The same waves span both; each machine gets one installation, and no rule is broken."""
    stage = await staged()
    rollout = await stage.run()
    assert rollout.status is RolloutStatus.FINISHED
    assert statuses(rollout) == dict.fromkeys(statuses(rollout), DONE)
    assert stage.installs() == dict.fromkeys(statuses(rollout), 1)
    assert set(statuses(rollout)) >= {"shop-az1", "shop-nl1", "shop-nl2", "till-nl1"}
    stage.judge()


@virtual
async def test_a_machine_that_is_away_is_left_out_by_name() -> None:
    """And by its reason."""
    stage = await staged()
    assert "till-nl2" not in statuses(await stage.run())
    assert "not connected to Azure Arc" in left_out(stage.script)


@virtual
@pytest.mark.parametrize("sdk", [False, True])
async def test_an_answer_that_was_lost(sdk: bool) -> None:
    """The run shows in Resource Graph: it is adopted, assessed afterwards, and never begun twice."""
    stage = await staged("- lost_answer: {on: [install], machines: [shop-nl1]}", sdk=sdk)
    rollout = await stage.run()
    assert rollout.status is RolloutStatus.FINISHED
    assert stage.installs()["shop-nl1"] == 1
    assert any("shop-nl1: it had begun" in line for line in stage.story), stage.story
    stage.judge()


@virtual
async def test_a_request_that_was_lost() -> None:
    """No run ever shows, which proves nothing: a person's, and what was to follow waits."""
    stage = await staged("- drop: {on: [install], machines: [shop-nl1]}")
    rollout = await stage.run()
    assert statuses(rollout)["shop-nl1"] is MachineStatus.UNDECIDED
    assert rollout.status is RolloutStatus.STOPPED
    assert stage.installs().get("shop-nl1", 0) == 0
    assert any("Azure Arc shows runs late" in line for line in stage.story)
    stage.judge()


@virtual
async def test_somebody_elses_run_is_waited_for() -> None:
    """One that Resource Graph shows in progress is never raced."""
    stage = await staged("- foreign_run: {machines: [shop-nl1], at: 1s}")
    rollout = await stage.run()
    assert rollout.status is RolloutStatus.FINISHED
    audit = [line for line in stage.audit() if line["machine"].endswith("/shop-nl1")]
    begun = [line["at"] for line in audit if line["event"] == "install" and line.get("by") != "foreign"]
    ended = [line["at"] for line in audit if line["event"] == "install_end" and line.get("by") == "foreign"]
    assert ended[0] < begun[0]
    stage.judge()


@virtual
async def test_a_machine_that_disconnects_before_its_turn() -> None:
    """It is out as soon as Azure misses its heartbeats, and nothing is sent to it: Azure would keep the request for hours."""
    stage = await staged("- goes_off: {machines: [till-nl1], at: 1s}")
    await stage.run()
    assert stage.installs().get("till-nl1", 0) == 0
    assert "0:18:00 out, not by us: till-nl1" in stage.story
    stage.judge(notice=timedelta(minutes=18))


@virtual
async def test_a_network_probe_sees_it_at_once() -> None:
    """What Azure says of an Arc machine comes a quarter of an hour late; its own endpoint doesn't."""
    probed = CAMPAIGN.replace("1m}", '1m, probes: [http: {url: "http://{name}/health"}]}')
    stage = Stage.of(await script(fleet(), probed), "- goes_off: {machines: [till-nl1], at: 1s}")
    await stage.run()
    assert stage.installs().get("till-nl1", 0) == 0
    assert next(line for line in stage.story if "till-nl1" in line).startswith("0:0")
    stage.judge(notice=timedelta(minutes=5))


AWAY = (timedelta(0), timedelta(minutes=4), timedelta(hours=2))
"""How long nobody drives it."""


@pytest.mark.parametrize("durable", [False, True])
def test_a_crash_at_any_append_doubles_nothing(durable: bool) -> None:
    """The same command goes on. What it can't know it leaves to a person, and that is so for machines of Arc alone."""
    die_at_every_append(lambda number: _crash(number, durable=durable), every=4)


@virtual
async def _crash(number: int, *, durable: bool) -> bool:
    stage = await staged()
    rollout = await stage.survive(number, durable=durable, away=AWAY[number % len(AWAY)])
    assert max(stage.installs().values(), default=0) <= 1, stage.story[-20:]
    told = statuses(rollout)
    undecided = {name for name, status in told.items() if status is MachineStatus.UNDECIDED}
    assert all("-nl" in name for name in undecided), stage.story[-20:]
    if undecided:
        assert rollout.status is RolloutStatus.STOPPED
    else:
        assert set(told.values()) == {DONE}, stage.story[-20:]
    stage.judge()
    return stage.crashes == 1


@virtual
async def test_patches_of_arc_are_told_by_name() -> None:
    """What the result doesn't say, Resource Graph does, before the machine's end is written down."""
    stage = await staged("- install_fails: {machines: [shop-nl1]}")
    await stage.run()
    (told,) = [line for line in stage.story if "shop-nl1" in line and "0x80070643" in line][:1]
    assert "KB" in told


@virtual
async def test_assessments_name_what_they_found() -> None:
    """Arc's result only counts; the updates themselves come from Resource Graph."""
    stage = await staged()
    services = stage.services()
    plan = parse(stage.script.plan, "plan.json")
    machine = next(one for one in plan.machines if one.name == "shop-nl1")
    assessed = await assess_machine(services, target_of(machine), "key-1", None)
    assert assessed.found is not None
    assert assessed.found.updates
    assert all(update.kb for update in assessed.found.updates)
