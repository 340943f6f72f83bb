"""Whether forecasts are true: what a plan is told to take, against a rollout of it in virtual time.

A rollout's own durations are given to the forecast, so that nothing is left to chance: then both must agree on every machine.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.clock import LoopClock
from orchestrator.inventory.model import AppHealth, Inventory, Machine, MachineId, Os, Power
from orchestrator.notify.port import Delivery
from orchestrator.planner.document import parse
from orchestrator.planner.dry_run import play
from orchestrator.planner.forecast import Forecast, forecast_of
from orchestrator.planner.model import Plan
from orchestrator.planner.taking import takes_of
from orchestrator.rollout.state import MachineStatus, Rollout
from orchestrator.service.timeline import Disruption, timeline
from orchestrator.simulation.loop import run
from orchestrator.simulation.rollout import Script
from orchestrator.simulation.rollout import play as rolled_out
from orchestrator.store.memory import MemoryJournal
from tests.fakes.webhooks import FakeWebhooks
from tests.fleet import inventory, vm
from tests.simulation.fleets import company
from tests.simulation.reference import twins
from tests.virtual import START, Stage, script, virtual

NONE = timedelta(0)
NEARLY = timedelta(milliseconds=1)
"""Sums of floating-point seconds differ by microseconds."""

HEALTH = "health: {min_healthy_time: 1m, healthy_deadline: 20m, probes: [vm_agent, app_health]}"
TWO = "stages: [{name: canary, select: {tags: {ring: canary}}, bake: 4h, then: approve}, {name: broad}]"
BARE = "replaces: availability-first"
BEFORE_DST = datetime(2026, 10, 24, 1, tzinfo=UTC)
"""A Saturday. In the night clocks of Europe go back."""


def campaign(*more: str) -> str:
    """A campaign of everything; two stages unless others are given."""
    lines = more if any(line.startswith("stages") for line in more) else (TWO, *more)
    return "\n".join(
        ("version: 1", "name: monthly", 'select: {names: "*"}', "change: {patches: {}}", HEALTH, *lines, "")
    )


def rules(text: str) -> str:
    """A policy of rules for everything."""
    return f'version: 1\nname: house\nselect: {{names: "*"}}\n{text}\n'


def fleet(*apps: str, each: int = 12) -> Inventory:
    """So many machines of each application in no set; the first of each is a canary."""
    return inventory(*(_machine(app, number) for app in apps for number in range(each)))


def _machine(app: str, number: int) -> Machine:
    tags = {"app": app} | ({"ring": "canary"} if not number else {})
    where = "eastus" if app == "east" else "westeurope"
    return vm(f"{app}{number}", os=Os.LINUX, app_health=AppHealth.HEALTHY, location=where, tags=tags)


@dataclass(frozen=True)
class Both:
    """What was foreseen and what came of it, with when each machine was granted."""

    plan: Plan
    foreseen: Forecast
    foretold: Mapping[MachineId, datetime]
    granted: Mapping[MachineId, datetime]
    ended: datetime
    left_out: tuple[MachineId, ...]

    @property
    def furthest(self) -> timedelta:
        """How far apart the two are on the machine that they differ most about."""
        return max((abs(self.granted[m] - self.foretold[m]) for m in self.foretold), default=NONE)


def both(fleet_: Inventory, *policies: str, start: datetime = START) -> Both:
    """Roll out, and foresee it with what each machine took. One process stays: one that comes back looks first, and gives up later."""

    async def scripted() -> tuple[bytes, Inventory]:
        made = await script(fleet_, *policies)
        return made.plan, made.fleet

    text, live = run(scripted())
    longest = timedelta(days=40)
    played = run(rolled_out(Script(text, live, start, start + longest, patience=longest)))
    assert played.rollout is not None
    assert played.timeline is not None
    assert played.verdict.ok
    return compared(text, played.rollout, played.timeline.disruptions, start, NONE)


def compared(
    text: bytes, rollout: Rollout, disruptions: Sequence[Disruption], start: datetime, step: timedelta
) -> Both:
    """A rollout beside the forecast of its plan, with the time that each machine really took."""
    plan = parse(text, "the plan")
    ids = [machine.id for machine in plan.machines]
    granted = {ids[one.machine]: one.granted for one in disruptions}
    took = {ids[one.machine]: one.until - one.granted for one in disruptions if one.until is not None}
    takes = {**takes_of(plan, plan.durations), **took}
    runs = play(plan, takes, start, step).runs
    statuses = zip(ids, rollout.machines, strict=True)
    assert rollout.ended_at is not None
    return Both(
        plan,
        forecast_of(plan, takes, start, step),
        {machine: held.began for machine, held in runs.items() if held.began is not None},
        granted,
        rollout.ended_at,
        tuple(sorted(machine for machine, held in statuses if held.status is MachineStatus.LEFT_OUT)),
    )


def agree(found: Both) -> None:
    """Every machine begins when it was foreseen, and the whole ends then."""
    assert found.foretold.keys() == found.granted.keys()
    assert found.furthest < NEARLY
    assert abs(found.ended - found.foreseen.ends) < NEARLY
    assert found.left_out == found.foreseen.given_up
    assert sum((one.time for one in found.foreseen.spent), NONE) == found.foreseen.ends - found.foreseen.start


GROWING = "stages: [{name: canary, select: {tags: {ring: canary}}, bake: 1h}, {name: broad, growing: {first: 1, most: 8}}]"
SATURDAY = 'windows: [{start: sat, at: "22:00", for: 8h, time_zone: Europe/Amsterdam}]'
NIGHTLY = (
    'windows: [{start: every_day, at: "02:30", for: 2h, time_zone: {machine: true, else: Europe/Amsterdam}}]'
)
SALE = "freezes: [{from: 2026-10-25, to: 2026-10-27, reason: sale}]"


@pytest.mark.parametrize(
    ("fleet_", "policies", "start"),
    [
        pytest.param(twins(), [campaign()], START, id="bake, approval, lanes that wait for others"),
        pytest.param(fleet("a", each=20), [campaign(GROWING, BARE)], START, id="growing stages"),
        pytest.param(fleet("a"), [campaign("max_in_flight: 2", BARE)], START, id="max_in_flight"),
        pytest.param(fleet("a"), [campaign()], START, id="a cap"),
        pytest.param(twins(), [campaign(SATURDAY)], BEFORE_DST, id="a window in which clocks go back"),
        pytest.param(twins(), [campaign(NIGHTLY, SALE)], BEFORE_DST, id="a freeze within windows"),
        pytest.param(
            fleet("west", "east"),
            [campaign("max_in_flight: 2", NIGHTLY)],
            BEFORE_DST,
            id="windows in zones of machines",
        ),
    ],
)
def test_every_machine_begins_when_it_was_foreseen(
    fleet_: Inventory, policies: list[str], start: datetime
) -> None:
    """To the millisecond: what a rollout waits for is all in the forecast."""
    agree(both(fleet_, *policies, start=start))


@pytest.mark.parametrize("seed", [3, 8, 30])
def test_where_several_limits_are_reached_at_once(seed: int) -> None:
    """Who is let through first decides when the others go: machines wait behind caps and behind `max_in_flight` at the same time."""
    found = company(seed, 30)

    agree(both(found.fleet, *found.policies))


@settings(max_examples=20, deadline=None, derandomize=True)
@given(
    st.integers(0, 10_000),
    st.sampled_from(["", NIGHTLY, SATURDAY]),
    st.sampled_from(["", "max_wait: 1h\n"]),
    st.sets(st.sampled_from(["machine", "wave", "stage", "rollout"])),
)
def test_whatever_the_company(seed: int, windows: str, patience: str, steps: set[str]) -> None:
    """Sets, scale sets, zones, quorums, caps, limits on what is in flight, windows, steps that take no time, hasty owners."""
    found = company(seed, 20)
    running = tuple(replace(machine, power=Power.RUNNING) for machine in found.fleet.machines)
    fleet_ = replace(
        found.fleet, machines=running
    )  # whoever finds machines off looks twice, which takes half a minute
    monthly, *others = found.policies
    entries = "".join(map(around, sorted(steps)))
    more = rules(f"{windows}\n" + (f"around:\n{entries}" if entries else "")) if windows or entries else ""

    agree(both(fleet_, monthly + patience, *others, *filter(None, [more.replace("house", "hours")])))


def test_a_missed_deadline_is_foreseen_and_blamed_on_the_window() -> None:
    """And the rollout, which goes on, is late by as much."""
    found = both(twins(), campaign("deadline: 2d", SATURDAY.replace("8h", "2h")), start=BEFORE_DST)

    assert found.foreseen.blame is not None
    assert found.foreseen.blame.what == "waiting for the window sat at 22:00 for 2h, Europe/Amsterdam"
    assert (found.foreseen.in_time, found.ended <= BEFORE_DST + timedelta(days=2)) == (False, False)
    agree(found)


def test_who_never_has_room_is_foreseen_to_be_left_out() -> None:
    """One at a time, a lane of eleven keeps the other waiting for longer than an hour."""
    slow = campaign("max_in_flight: 1", "max_wait: 1h", BARE)
    found = both(fleet("a", "b"), slow, rules('rules: [{max_unavailable: 6, per: "tag:app"}]'))

    assert len(found.left_out) == 11
    agree(found)


def test_without_max_wait_nobody_is_left_out() -> None:
    """The same, with a day to wait."""
    found = both(
        fleet("a", "b"),
        campaign("max_in_flight: 1", BARE),
        rules('rules: [{max_unavailable: 6, per: "tag:app"}]'),
    )

    assert found.left_out == ()
    agree(found)


# Steps take their time ------------------------------------------------------------------------------------------

STEP = timedelta(minutes=3)


@dataclass
class SlowWebhooks(FakeWebhooks):
    """A receiver that takes three minutes for each call."""

    clock: LoopClock | None = None

    async def call(self, name: str, key: str, body: Mapping[str, Any], timeout_s: float) -> Delivery:
        """Answer after a while."""
        assert self.clock is not None
        await self.clock.sleep(STEP.total_seconds())
        return await super().call(name, key, body, timeout_s)


def around(each: str) -> str:
    """Steps before and after."""
    return (
        f"  - {{each: {each}, before: {{webhook: {each}-off, timeout: 5m}}, "
        f"after: {{webhook: {each}-on, timeout: 5m}}}}\n"
    )


@pytest.mark.parametrize(
    "each", [["machine"], ["wave"], ["stage"], ["rollout"], ["rollout", "stage", "wave", "machine"]]
)
@virtual
async def test_steps_around_machines_waves_stages_and_the_rollout_take_their_time(each: list[str]) -> None:
    """Those before from the outside in, those after from the inside out, each three minutes."""
    steps = rules("around:\n" + "".join(map(around, each)))
    stage = Stage.of(await script(twins(), campaign(TWO.replace(", then: approve", "")), steps))
    stage.webhooks = SlowWebhooks(clock=stage.clock)

    rollout = await stage.run()

    told = await timeline(MemoryJournal(stage.disk), rollout)
    agree(compared(stage.script.plan, rollout, told.disruptions, START, STEP))
