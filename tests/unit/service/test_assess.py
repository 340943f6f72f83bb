"""Whom to ask what they lack, asking them all, and what each would get."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import pytest

from orchestrator.clock import LoopClock
from orchestrator.cloud.emulated import Passing
from orchestrator.cloud.port import Target
from orchestrator.cloud.simulated import SimulatedProvider
from orchestrator.emulator.arm import Request
from orchestrator.emulator.rights import NAMED, Rights, Role
from orchestrator.emulator.world import World
from orchestrator.errors import AccessDenied, UsageError
from orchestrator.executor.services import services
from orchestrator.inventory.model import (
    Agent,
    Kind,
    Machine,
    Os,
    PatchState,
    Power,
    RebootBehavior,
    Update,
)
from orchestrator.policy.change import Patches
from orchestrator.policy.load import load
from orchestrator.policy.model import EVERYTHING, Selector
from orchestrator.service.assess import (
    Outcome,
    Wanted,
    assess_all,
    choose,
    concerns,
    getting,
    learned,
    wanted_by,
    with_found,
)
from tests.builders import NOON
from tests.fakes.webhooks import FakeWebhooks
from tests.fleet import arc, inventory, vm, vm_id
from tests.virtual import faults_of, virtual

DAY = timedelta(hours=24)
OTHER = "22222222-bbbb-4bbb-8bbb-000000000002"
HOTPATCH, BASELINE, TOOL = (
    Update(name, kb, (kind,), behavior)
    for name, kb, kind, behavior in (
        ("hotpatch", "5087423", "Security", RebootBehavior.NEVER),
        ("baseline", "5087539", "Security", RebootBehavior.ALWAYS),
        ("tool", "890830", "UpdateRollUp", RebootBehavior.NEVER),
    )
)


def known(name: str, *updates: Update, age: timedelta = timedelta(0), **facts: object) -> Machine:
    """A machine that told so long ago what it lacks."""
    return vm(name, os=Os.WINDOWS, patches=PatchState(NOON - age, updates=updates), **facts)


def test_whom_to_ask() -> None:
    """Who can answer and hasn't lately; the others each with the reason, those that aren't of interest nowhere."""
    fleet = inventory(
        known("recent", age=DAY - timedelta(seconds=1)),
        known("old", age=DAY),
        vm("counted", os=Os.LINUX, patches=PatchState(NOON, critical_and_security=3)),
        vm("never", os=Os.LINUX),
        vm("off", power=Power.DEALLOCATED),
        vm("mute", agent=Agent.NOT_READY),
        vm("arc", kind=Kind.ARC),
        vm("lost", kind=Kind.ARC, agent=Agent.NOT_READY),
        vm("strange", tags={"app": "other"}),
    )
    among = concerns([Wanted(Selector(without_tags=("app",)))])
    choice = choose(fleet, among, DAY, NOON)

    assert [machine.name for machine in choice.ask] == ["arc", "counted", "never", "old"]
    assert [machine.name for machine in choice.recent] == ["recent"]
    assert choice.left == {
        vm_id("lost"): "its agent is not connected to Azure Arc",
        vm_id("mute"): "its guest agent is not ready",
        vm_id("off"): "it is deallocated",
    }


POLICIES = load(
    [
        (
            "a.yaml",
            "version: 1\nname: hot\nselect: {names: 'a*'}\nchange: {patches: {hotpatch_only: true}}\n",
        ),
        (
            "b.yaml",
            "version: 1\nname: tools\nselect: {names: '*'}\nchange: {patches: {classifications: [update_rollup]}}\n",
        ),
        ("c.yaml", "version: 1\nname: boot\nselect: {names: '*'}\nchange: {restart: {}}\n"),
    ]
)


def test_what_campaigns_install() -> None:
    """Those that restart machines install nothing; one can be named, however it is spelled."""
    assert [one.campaign for one in wanted_by(POLICIES)] == ["hot", "tools"]
    assert [one.campaign for one in wanted_by(POLICIES, "HOT")] == ["hot"]
    assert wanted_by(POLICIES, "boot") == ()


@pytest.mark.parametrize(
    ("wanted", "name", "expected"),
    [
        ((Wanted(EVERYTHING),), "a1", (HOTPATCH, BASELINE, TOOL)),
        (wanted_by(POLICIES), "a1", (HOTPATCH, TOOL)),
        (wanted_by(POLICIES), "b1", (TOOL,)),
        ((Wanted(EVERYTHING, Patches()), Wanted(EVERYTHING, Patches())), "b1", (HOTPATCH, BASELINE)),
    ],
)
def test_what_a_machine_would_get(wanted: Sequence[Wanted], name: str, expected: tuple[Update, ...]) -> None:
    """By the campaigns that select it, each update once; all that it lacks where no campaign is given."""
    assert getting(wanted)(known(name, HOTPATCH, BASELINE, TOOL)) == expected


def test_nobody_knows_what_an_unassessed_machine_would_get() -> None:
    """Which isn't nothing."""
    assert getting((Wanted(EVERYTHING),))(vm("a")) is None
    assert getting((Wanted(EVERYTHING),))(known("a")) == ()


# Asking ---------------------------------------------------------------------------------------------------------


@dataclass
class Site:
    """An emulated world of these machines, and whoever asks them. Made inside the loop."""

    machines: tuple[Machine, ...]
    faults: str = ""
    outcomes: list[Outcome] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)  # the paths of all requests for assessments

    def __post_init__(self) -> None:
        self.clock = LoopClock(NOON)
        self.world = World(inventory(*self.machines), seed=1, start=NOON, faults=faults_of(self.faults))
        cloud = SimulatedProvider(self.world, self.clock, self._watch)
        self.services = services(cloud, {}, FakeWebhooks(), self.clock)

    def _watch(self, passing: Passing, request: Request) -> None:
        if passing is Passing.LEAVES and request.path.endswith("assessPatches"):
            self.asked.append(request.path)

    async def ask(self) -> None:
        """All of them."""
        await assess_all(self.services, self.machines, self.outcomes.append)


def linux(number: int, **facts: object) -> tuple[Machine, ...]:
    """So many Linux machines."""
    return tuple(vm(f"m{index:04}", os=Os.LINUX, **facts) for index in range(number))  # type: ignore[arg-type]


@virtual
async def test_each_machine_is_asked_once() -> None:
    """And what it answered stands in the inventory, with the moment."""
    site = Site(linux(3))
    await site.ask()
    held = with_found(inventory(*site.machines), site.outcomes)

    assert len(site.asked) == 3
    assert all(machine.patches.updates for machine in held.machines)
    assert {machine.patches.assessed_at for machine in held.machines} == {one.at for one in site.outcomes}


@virtual
async def test_the_budget_is_kept_by_waiting() -> None:
    """Of 900 machines of one region none is refused for too many requests: 200 at once, then 200 a minute."""
    site = Site(linux(900))
    await site.ask()

    assert len(site.asked) == 900
    assert all(one.found is not None for one in site.outcomes)
    assert site.clock.now() - NOON > timedelta(minutes=3.5)


@virtual
async def test_regions_and_subscriptions_do_not_wait_for_each_other() -> None:
    """One that is throttled for an hour holds its own machines only."""
    there = {"subscription": OTHER, "location": "northeurope"}
    machines = (*linux(2), *(vm(name, os=Os.LINUX, **there) for name in ("n1", "n2")))
    site = Site(machines, "- throttle: {on: [assess], machines: [m0000], times: 2, retry_after: 3600}")
    await site.ask()
    at = {one.machine.id: one.at - NOON for one in site.outcomes}

    assert all(
        at[machine.id] < timedelta(minutes=10) for machine in machines if machine.subscription == OTHER
    )
    assert max(at.values()) > timedelta(hours=1)


@virtual
async def test_whoever_may_not_ask_is_told_so_once() -> None:
    """A subscription in which one machine was refused for want of a right is left alone, by name."""
    site = Site(linux(300))
    site.world.rights = NAMED["reader"]
    await site.ask()

    assert {one.code for one in site.outcomes} == {"AuthorizationFailed"}
    assert "assessPatches/action" in site.outcomes[0].advice
    assert len(site.outcomes) == 300
    assert len(site.asked) == 200  # those that were on their way together


@virtual
async def test_a_right_over_virtual_machines_is_none_over_machines_of_arc() -> None:
    """And the other way round: each kind is refused for itself, and told its own right."""
    site = Site((*linux(2), arc("site1")))
    site.world.rights = Rights((Role(("*/read", "Microsoft.HybridCompute/*")),))
    await site.ask()
    told = {one.machine.name: one for one in site.outcomes}

    assert told["site1"].found is not None
    assert told["m0000"].code == told["m0001"].code == "AuthorizationFailed"
    site = Site((*linux(1), arc("site1")))
    site.world.rights = Rights((Role(("*/read", "Microsoft.Compute/*")),))
    await site.ask()
    (denied,) = (one for one in site.outcomes if one.found is None)
    assert "Microsoft.HybridCompute/machines/assessPatches/action" in denied.advice


@virtual
async def test_one_that_is_killed_half_way_goes_on_where_it_was() -> None:
    """Who answered before isn't asked again, and nobody is left out."""
    site = Site(linux(600))
    first = asyncio.create_task(site.ask())
    while len(site.outcomes) < 250:
        await site.clock.sleep(10)
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    answered = {one.machine.id for one in site.outcomes}
    before = len(site.asked)
    held = with_found(inventory(*site.machines), site.outcomes)
    choice = choose(held, lambda _: True, DAY, site.clock.now())
    await assess_all(site.services, choice.ask, site.outcomes.append)

    assert {machine.id for machine in choice.recent} == answered
    assert not any(machine in path.lower() for path in site.asked[before:] for machine in answered)
    assert {one.machine.id for one in site.outcomes if one.found is not None} == {m.id for m in site.machines}


@virtual
async def test_one_that_fails_is_told_with_what_to_do() -> None:
    """The others are none the worse for it."""
    site = Site(linux(3), "- goes_off: {machines: [m0001], at: 0s}")
    await site.clock.sleep(1)
    await site.ask()
    failed = [one for one in site.outcomes if one.found is None]

    assert [(one.machine.name, one.code) for one in failed] == [("m0001", "OperationNotAllowed")]
    assert failed[0].advice
    assert replace(failed[0], found=None) == failed[0]


@virtual
async def test_machines_of_arc_tell_by_resource_graph() -> None:
    """Their own answer only counts; the list comes a little later, beside that of virtual machines."""
    site = Site((arc("site1"), arc("site2", os=Os.LINUX), *linux(1)))
    await site.ask()

    assert all(one.found is not None and one.found.updates for one in site.outcomes), site.outcomes


@virtual
async def test_an_arc_machine_whose_list_may_not_be_read_is_told() -> None:
    """Its counts alone say nothing of what it would get."""
    site = Site((arc("site1"),))

    async def denied(target: Target, _assessment: str) -> list[dict[str, object]]:
        raise AccessDenied(f"nobody tells of {target.name}", code="AuthorizationFailed")

    site.services.cloud.patches_found = denied  # type: ignore[method-assign]
    await site.ask()
    (told,) = site.outcomes

    assert (told.found, told.code) == (None, "ListIncomplete")
    assert "softwarePatches/read" in told.advice


# Learning -------------------------------------------------------------------------------------------------------


def rows(machine: Machine, at: datetime, *updates: str) -> list[dict[str, object]]:
    """What Resource Graph lists of an assessment that found these KBs, of class security."""
    whole = f"{machine.arm_id}/patchAssessmentResults/latest"
    counts = {"security": len(updates)}
    told = {"status": "Succeeded", "rebootPending": False, "lastModifiedDateTime": at.isoformat()}
    listed = [
        {
            "id": f"{whole}/softwarePatches/{kb}",
            "properties": {
                "patchName": kb,
                "kbId": kb,
                "classifications": ["Security"],
                "rebootBehavior": "NeverReboots",
            },
        }
        for kb in updates
    ]
    return [{"id": whole, "properties": {**told, "availablePatchCountByClassification": counts}}, *listed]


@pytest.mark.parametrize(
    ("patches", "age", "expected"),
    [
        (PatchState(), timedelta(hours=1), ["5087423"]),
        (PatchState(), DAY, None),  # too old
        (PatchState(assessed_at=NOON - timedelta(hours=1)), timedelta(hours=1), ["5087423"]),
        (PatchState(assessed_at=NOON), timedelta(hours=1), None),  # assessed anew, and the list is behind
        (PatchState(installed_at=NOON), timedelta(hours=1), None),  # patched since
        (PatchState(installed_at=NOON - timedelta(hours=2)), timedelta(hours=1), ["5087423"]),
    ],
)
def test_what_somebody_else_asked_for_need_not_be_asked_again(
    patches: PatchState, age: timedelta, expected: list[str] | None
) -> None:
    """If it is recent, and nothing that the machine's view shows has happened since."""
    machine = vm("a", os=Os.WINDOWS, patches=patches)
    known = learned([machine], rows(machine, NOON - age, "5087423"), DAY, NOON)
    found = [one.found for one in known]

    assert [[update.kb for update in one.updates or ()] for one in found if one is not None] == (
        [] if expected is None else [expected]
    )
    if expected is not None:
        (held,) = with_found(inventory(machine), known).machines
        assert (held.patches.critical_and_security, held.patches.other) == (1, 0)
        assert held.patches.assessed_at == NOON - age


def test_a_list_that_is_not_whole_teaches_nothing() -> None:
    """Nor do rows of machines that nobody asked about."""
    machine, other = vm("a", os=Os.WINDOWS), vm("b", os=Os.WINDOWS)
    listed = rows(machine, NOON, "5087423", "5087424")

    assert learned([machine], listed[:-1], DAY, NOON) == ()
    assert learned([other], listed, DAY, NOON) == ()


@virtual
async def test_what_cannot_be_kept_ends_it_with_one_error() -> None:
    """As a full disk does, in words for people."""
    site = Site(linux(3))

    def full(_: Outcome) -> None:
        raise UsageError("the disk is full")

    with pytest.raises(UsageError, match="the disk is full"):
        await assess_all(site.services, site.machines, full)
