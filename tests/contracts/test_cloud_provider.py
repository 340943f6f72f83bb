"""What every cloud promises, whichever way its requests go (`faces`)."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import looptime
import pytest

from orchestrator.clock import LoopClock
from orchestrator.cloud.port import (
    Accepted,
    Budgeted,
    Ended,
    Operation,
    Rejected,
    StillRunning,
    Target,
    Unsettled,
)
from orchestrator.cloud.rights import Role
from orchestrator.cloud.simulated import SimulatedProvider
from orchestrator.emulator.faults import (
    CommandFails,
    Drop,
    Fault,
    InstallFails,
    InstallNeverEnds,
    LostAnswer,
    Refuses,
    ServerError,
    Slow,
    Throttle,
    Vanishes,
)
from orchestrator.emulator.state import Kind as Asking
from orchestrator.emulator.world import World
from orchestrator.errors import AccessDenied, CloudPermanent, CloudTransient
from orchestrator.inventory.assessments import Assessments, assessment_from
from orchestrator.inventory.model import (
    Agent,
    AppHealth,
    Inventory,
    Orchestration,
    Os,
    Power,
    RebootBehavior,
    resource_id,
)
from orchestrator.policy.change import script
from orchestrator.policy.model import Patches, Reboot, Restart, RunCommand
from tests.contracts.faces import FACES, PATCHES, START, Face, Play, aimed, player
from tests.fleet import (
    SUBSCRIPTION,
    arm_id,
    availability_set,
    flex_id,
    inventory,
    pool,
    pool_id,
    scale_set,
    set_id,
    vm,
    vm_id,
)

OTHER = "22222222-bbbb-4bbb-8bbb-000000000002"

FLEET = inventory(
    vm("web01", os=Os.WINDOWS, zone="1", tags={"ring": "canary"}, app_health=AppHealth.HEALTHY),
    vm("web02", os=Os.LINUX, zone="2", backend_pools=(pool_id("web"),)),
    vm("sql01", os=Os.WINDOWS, availability_set=set_id("sql"), update_domain=3, fault_domain=1),
    vm("sql02", os=Os.WINDOWS, availability_set=set_id("sql")),
    vm("flex01", os=Os.LINUX, scale_set=flex_id("flex")),
    vm("off01", os=Os.LINUX, power=Power.DEALLOCATED),
    vm("other01", os=Os.LINUX, subscription=OTHER, location="northeurope"),
    availability_sets=(availability_set("sql", "sql01", "sql02", update_domains=5, fault_domains=2),),
    scale_sets=(scale_set("flex", "flex01", orchestration=Orchestration.FLEXIBLE, fault_domains=3),),
)


@pytest.fixture(params=FACES)
def play(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Play:
    """Runs a scenario over each of the faces."""
    return player(request.param, FLEET, monkeypatch, tmp_path)


def target(name: str, machines: Inventory = FLEET) -> Target:
    """How a machine of the fleet is addressed."""
    return aimed(next(machine for machine in machines.machines if machine.name == name))


# Looking --------------------------------------------------------------------------------------------------------------


def test_inventory_is_the_fleet(play: Play) -> None:
    """An inventory holds every machine with what it stands in, over all pages, and with domains that only Azure knows."""

    async def scenario(face: Face) -> None:
        told = await face.cloud.inventory([SUBSCRIPTION.upper(), SUBSCRIPTION, OTHER])
        assert told.source == "arm"
        assert told.unreadable == ()
        assert told.taken_at is not None
        assert timedelta(0) <= face.clock.now() - told.taken_at < timedelta(hours=2)
        assert [machine.id for machine in told.machines] == [machine.id for machine in FLEET.machines]
        machines = {machine.name: machine for machine in told.machines}
        assert (machines["web01"].zone, machines["web01"].tags["ring"]) == ("1", "canary")
        assert machines["web02"].os is Os.LINUX
        assert (machines["sql01"].update_domain, machines["sql01"].fault_domain) == (3, 1)
        assert machines["sql02"].availability_set == set_id("sql")
        assert machines["sql02"].update_domain is not None
        assert machines["flex01"].scale_set == flex_id("flex")
        assert machines["off01"].power is Power.DEALLOCATED
        (sql,) = told.availability_sets
        assert (sql.id, sql.update_domains, sql.members) == (
            set_id("sql"),
            5,
            (vm_id("sql01"), vm_id("sql02")),
        )
        (flex,) = told.scale_sets
        assert (flex.orchestration, flex.members) == (Orchestration.FLEXIBLE, (vm_id("flex01"),))
        assert machines["web02"].backend_pools == (pool_id("web"),)
        assert machines["web01"].backend_pools == ()
        assert told.backend_pools == (pool("web", "web02"),)
        pairs = {location.name: location.paired for location in told.locations}
        assert pairs == {"westeurope": ("northeurope",), "northeurope": ("westeurope",)}
        zones = {location.name: location.zones for location in told.locations}
        assert set(zones["westeurope"]) == {SUBSCRIPTION, OTHER}

    play(scenario)


def test_inventories_are_the_same_everywhere(play: Play) -> None:
    """Whichever way an inventory is read, it is the same to the last field."""
    told: list[Inventory] = []

    async def reference() -> None:
        clock = LoopClock(START)
        cloud = SimulatedProvider(World(FLEET, seed=1, start=START), clock)
        told.append(await cloud.inventory([SUBSCRIPTION, OTHER]))

    async def scenario(face: Face) -> None:
        told.append(await face.cloud.inventory([SUBSCRIPTION, OTHER]))

    with asyncio.Runner(loop_factory=looptime.new_event_loop) as runner:
        runner.run(reference())
    play(scenario)
    assert replace(told[0], taken_at=None) == replace(told[1], taken_at=None)


def test_inventory_tells_who_else_patches(play: Play) -> None:
    """Schedules that reach a machine, and scale sets that repair their members; for the others, that there are none."""
    weekly = resource_id(
        f"/subscriptions/{SUBSCRIPTION}/resourcegroups/rg/providers/microsoft.maintenance/maintenanceconfigurations/weekly"
    )
    fleet = inventory(
        vm("one", os=Os.WINDOWS, schedules=(weekly,)),
        vm("two", os=Os.WINDOWS, scale_set=flex_id("flex")),
        scale_sets=(scale_set("flex", "two", orchestration=Orchestration.FLEXIBLE, automatic_repairs=True),),
    )

    async def scenario(face: Face) -> None:
        told = await face.cloud.inventory([SUBSCRIPTION])
        assert {machine.name: machine.schedules for machine in told.machines} == {"one": (weekly,), "two": ()}
        assert told.scale_sets[0].automatic_repairs is True

    play(scenario, fleet=fleet)


def test_empty_subscription(play: Play) -> None:
    """A subscription without machines is an empty inventory, no error."""
    fleet = inventory(vm("gone", subscription=OTHER))

    async def scenario(face: Face) -> None:
        told = await face.cloud.inventory([OTHER])
        assert (told.machines, told.availability_sets, told.unreadable) == ((), (), ())

    play(scenario, Vanishes(at=timedelta(0)), fleet=fleet)


def test_unknown_subscription(play: Play) -> None:
    """A subscription that this identity can't see is an error that names it; all of them are told at once."""

    async def scenario(face: Face) -> None:
        with pytest.raises(AccessDenied) as raised:
            await face.cloud.inventory([SUBSCRIPTION, "not a guid", "33333333-cccc-4ccc-8ccc-000000000003"])
        for part in ("not a guid", "33333333-cccc-4ccc-8ccc-000000000003", "az account list"):
            assert part in str(raised.value)

    play(scenario)


def test_view(play: Play) -> None:
    """An instance view tells power, agent, application health and the last patch run."""

    async def scenario(face: Face) -> None:
        view = await face.cloud.view(target("web01"))
        assert (view.power, view.agent, view.app_health) == (Power.RUNNING, Agent.READY, AppHealth.HEALTHY)
        assert (view.installation_id, view.installing) == (None, False)
        assert (await face.cloud.view(target("off01"))).power is Power.DEALLOCATED

    play(scenario)


def test_sweep_is_every_view(play: Play) -> None:
    """A sweep covers all machines of the subscription, over all pages, and says of each what its own view says."""

    async def scenario(face: Face) -> None:
        swept = await face.cloud.sweep(SUBSCRIPTION)
        mine = [machine for machine in FLEET.machines if machine.subscription == SUBSCRIPTION]
        assert sorted(swept) == [machine.id for machine in mine]
        for machine in mine:
            assert swept[machine.id] == await face.cloud.view(aimed(machine))

    play(scenario)


def test_machine_that_is_gone(play: Play) -> None:
    """A machine that isn't there any more has one code, and can surely not be changed."""
    gone = replace(target("web01"), name="gone", id=vm_id("gone"), arm_id=arm_id("gone"))

    async def scenario(face: Face) -> None:
        with pytest.raises(CloudPermanent) as raised:
            await face.cloud.view(gone)
        assert raised.value.code == "ResourceNotFound"
        answer = await face.cloud.start(gone, PATCHES, "key-1", 5)
        assert isinstance(answer, Rejected)
        assert (answer.code, answer.transient) == ("ResourceNotFound", False)

    play(scenario)


@pytest.mark.parametrize(
    "fault",
    [
        ServerError(on=(Asking.VIEW, Asking.LIST), status=503, retry_after=7),
        Throttle(on=(Asking.VIEW, Asking.LIST), retry_after=7),
        Drop(on=(Asking.VIEW, Asking.LIST)),
    ],
    ids=["5xx", "429", "cut"],
)
def test_reads_that_fail_for_now(play: Play, fault: Fault) -> None:
    """5xx, 429 and cut connections are transient, and carry Azure's wish for the next try."""

    async def scenario(face: Face) -> None:
        for reading in (
            face.cloud.view(target("web01")),
            face.cloud.sweep(SUBSCRIPTION),
            face.cloud.inventory([SUBSCRIPTION]),
        ):
            with pytest.raises(CloudTransient) as raised:
                await reading
            assert raised.value.retry_after_s == (None if isinstance(fault, Drop) else 7.0)

    play(scenario, fault)


# Changing -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["web01", "web02"])
def test_installation(play: Play, name: str) -> None:
    """An installation is accepted, runs, and ends with the fields that decide; the view then shows that very run."""

    async def scenario(face: Face) -> None:
        operation = await face.begun(target(name), Patches(published_until=START, reboot=Reboot.ALWAYS))
        assert isinstance(await face.cloud.poll(operation), StillRunning)
        ended = await face.followed(operation)
        assert (ended.succeeded, ended.error_code) == (True, "")
        assert ended.result["status"] == "Succeeded"
        assert ended.result["failedPatchCount"] == 0
        assert ended.result["rebootStatus"] == "Completed"
        view = await face.cloud.view(target(name))
        assert view.installation_id == ended.result["installationActivityId"]
        assert view.installation_status == "Succeeded"
        started = [line for line in map(json.loads, face.audit()) if line["event"] == "install"]
        assert [(line["machine"], line["request_id"]) for line in started] == [(target(name).arm_id, "key-1")]

    play(scenario)


def test_running_installation_shows(play: Play) -> None:
    """While it runs, and once the platform shows it, the view says so."""

    async def scenario(face: Face) -> None:
        await face.begun(target("web01"))
        await face.clock.sleep(60)
        view = await face.cloud.view(target("web01"))
        assert (view.installation_id is not None, view.installing) == (True, True)

    play(scenario, InstallNeverEnds())


def test_restart(play: Play) -> None:
    """A restart is accepted, asks for patience, and ends without a result."""

    async def scenario(face: Face) -> None:
        operation = await face.begun(target("web01"), Restart())
        assert isinstance(await face.cloud.poll(operation), StillRunning)
        assert await face.followed(operation) == Ended(True, {})

    play(scenario)


def test_assessment(play: Play) -> None:
    """An assessment ends with the patches that are outstanding."""

    async def scenario(face: Face) -> None:
        answer = await face.cloud.assess(target("web01"), "key-1", 5)
        assert isinstance(answer, Accepted)
        ended = await face.followed(answer.operation)
        assert ended.succeeded
        assert ended.result["assessmentActivityId"]
        assert ended.result["availablePatches"]
        found = assessment_from(ended.result)
        assert found.updates
        assert all(update.kb and update.published for update in found.updates)
        assert {update.reboot for update in found.updates} > {RebootBehavior.NEVER}

    play(scenario)


def test_assessments_that_azure_remembers(play: Play) -> None:
    """Resource Graph lists what one found, some seconds after it ended, by the subscriptions that are asked for."""

    async def scenario(face: Face) -> None:
        answer = await face.cloud.assess(target("web01"), "key-1", 5)
        assert isinstance(answer, Accepted)
        ended = await face.followed(answer.operation)
        await face.clock.sleep(90)
        listed = Assessments()
        for row in await face.cloud.patch_assessments([SUBSCRIPTION]):
            listed.take(row)
        (web01,) = listed.of([vm("web01", os=Os.WINDOWS)])
        assert web01.patches.updates == assessment_from(ended.result).updates
        assert await face.cloud.patch_assessments([OTHER]) == []

    play(scenario)


def test_an_assessment_that_is_asked_for_beside_another_one(play: Play) -> None:
    """409 settles nothing: it may be our own. A machine that is off refuses for good, and says why."""

    async def scenario(face: Face) -> None:
        assert isinstance(await face.cloud.assess(target("web01"), "key-1", 5), Accepted)
        again = await face.cloud.assess(target("web01"), "key-2", 5)
        off = await face.cloud.assess(target("off01"), "key-3", 5)
        assert isinstance(again, Unsettled)
        assert again.code == "Conflict"
        assert isinstance(off, Unsettled)
        assert off.code == "OperationNotAllowed"

    play(scenario)


@pytest.mark.parametrize(
    ("machine", "patches", "expected"),
    [
        ("web01", Patches(hotpatch_only=True, reboot=Reboot.NEVER), {"Excluded", "NotSelected"}),
        ("web01", Patches((), include_names=("*Removal?Tool*",)), {"Installed", "NotSelected"}),
        ("web01", Patches(exclude_names=("*",)), {"Excluded"}),
        ("web01", Patches(only_kbs=("890830",)), {"Installed", "NotSelected"}),
        ("web02", Patches((), include_packages=("open*",)), {"Installed", "NotSelected"}),
        ("web02", Patches(exclude_packages=("*",)), {"Excluded"}),
        ("web02", Patches(only_packages=("openssl=3.0.2-0ubuntu1.21",)), {"Installed", "NotSelected"}),
    ],
)
def test_selections(play: Play, machine: str, patches: Patches, expected: set[str]) -> None:
    """What selects patches is taken, under the names and in the spelling of the API, and does what it says."""

    async def scenario(face: Face) -> None:
        ended = await face.followed(await face.begun(target(machine), patches))
        assert ended.succeeded
        assert {patch["installationState"] for patch in ended.result["patches"]} == expected

    play(scenario)


def test_result_that_failed(play: Play) -> None:
    """An installation whose operation succeeds may still have failed: its result says so."""

    async def scenario(face: Face) -> None:
        ended = await face.followed(await face.begun(target("web01")))
        assert (ended.succeeded, ended.result["status"]) == (True, "Failed")

    play(scenario, InstallFails())


def test_operation_that_failed(play: Play) -> None:
    """An operation that fails as a whole ends with its own code and words."""

    async def scenario(face: Face) -> None:
        ended = await face.followed(await face.begun(target("web01")))
        assert not ended.succeeded
        assert (ended.error_code, ended.error_message) == ("VMGuestPatchInternalError", "Please retry later.")

    play(
        scenario,
        InstallFails(code="VMGuestPatchInternalError", message="Please retry later.", operation=True),
    )


def test_preempted_operation(play: Play) -> None:
    """A restart ends a running installation, which says so."""

    async def scenario(face: Face) -> None:
        installation = await face.begun(target("web01"))
        await face.followed(await face.begun(target("web01"), Restart()))
        ended = await face.followed(installation)
        assert (ended.succeeded, ended.error_code) == (False, "OperationPreempted")

    play(scenario, InstallNeverEnds())


def test_result_by_location_alone(play: Play) -> None:
    """An operation of which only the Location is known is followed to the same result."""

    async def scenario(face: Face) -> None:
        operation = await face.begun(target("web01"))
        by_location = Operation(operation.result_url, operation.result_url)
        assert isinstance(await face.cloud.poll(by_location), StillRunning)
        assert await face.followed(by_location) == await face.followed(operation)

    play(scenario)


# What isn't sure ------------------------------------------------------------------------------------------------------


def test_second_start_is_unsettled(play: Play) -> None:
    """A 409 may be about our own run, begun before: nobody can say from it alone."""

    async def scenario(face: Face) -> None:
        await face.begun(target("web01"))
        answer = await face.cloud.start(target("web01"), PATCHES, "key-2", 5)
        assert isinstance(answer, Unsettled)
        assert "409" in answer.why

    play(scenario)


def test_machine_that_is_off(play: Play) -> None:
    """A machine that is off refuses with 409 as well; its view shows that nothing began."""

    async def scenario(face: Face) -> None:
        assert isinstance(await face.cloud.start(target("off01"), PATCHES, "key-1", 5), Unsettled)
        assert (await face.cloud.view(target("off01"))).installation_id is None

    play(scenario)


@pytest.mark.parametrize("policy", ["compute", "arm"])
def test_throttled_start(play: Play, policy: str) -> None:
    """A 429 is surely not begun, and says when to come back."""
    storm = Throttle(on=(Asking.INSTALL,), retry_after=17, policy=policy)  # type: ignore[arg-type]

    async def scenario(face: Face) -> None:
        answer = await face.cloud.start(target("web01"), PATCHES, "key-1", 5)
        assert isinstance(answer, Rejected)
        assert (answer.transient, answer.retry_after_s) == (True, 17.0)
        assert answer.code in {"TooManyRequests", "SubscriptionRequestsThrottled"}

    play(scenario, storm)


def test_refused_body(play: Play) -> None:
    """What makes no sense for a machine is refused for good, with a reason."""

    async def scenario(face: Face) -> None:
        answer = await face.cloud.start(target("web02"), Patches(classifications=("tools",)), "key-1", 5)
        assert isinstance(answer, Rejected)
        assert not answer.transient
        assert "Linux" in answer.message

    play(scenario)


def test_lost_answer(play: Play) -> None:
    """When the answer is lost, the start is unsettled; the view shows the run, and its id leads to its operation."""

    async def scenario(face: Face) -> None:
        answer = await face.cloud.start(target("web01"), PATCHES, "key-1", 5)
        assert isinstance(answer, Unsettled)
        await face.clock.sleep(60)
        view = await face.cloud.view(target("web01"))
        assert view.installation_id is not None
        ended = await face.followed(await face.cloud.operation_of(target("web01"), view.installation_id))
        assert ended.result["installationActivityId"] == view.installation_id

    play(scenario, LostAnswer(times=1), signed=False)


def test_unsigned_url_where_urls_are_signed(play: Play) -> None:
    """Where ARM insists on its signature, an operation found by its id may not be read: the view has to do."""

    async def scenario(face: Face) -> None:
        await face.begun(target("web01"))
        await face.clock.sleep(60)
        view = await face.cloud.view(target("web01"))
        assert view.installation_id is not None
        with pytest.raises(AccessDenied):
            await face.cloud.poll(await face.cloud.operation_of(target("web01"), view.installation_id))

    play(scenario, InstallNeverEnds())


def test_unknown_operation(play: Play) -> None:
    """An operation that Azure doesn't know is a permanent error with Azure's code, never an end."""

    async def scenario(face: Face) -> None:
        unknown = await face.cloud.operation_of(target("web01"), "4e1a3ba3-6a4a-4a04-9a3c-0c3d3a3b0f10")
        with pytest.raises(CloudPermanent):
            await face.cloud.poll(unknown)

    play(scenario)


def test_cut_before_it_was_taken(play: Play) -> None:
    """A connection cut before the request was taken looks the same from here: unsettled, though nothing began."""

    async def scenario(face: Face) -> None:
        assert isinstance(await face.cloud.start(target("web01"), PATCHES, "key-1", 5), Unsettled)
        await face.clock.sleep(60)
        assert (await face.cloud.view(target("web01"))).installation_id is None

    play(scenario, Drop(on=(Asking.INSTALL,)))


def test_server_error_at_the_start(play: Play) -> None:
    """A 5xx leaves open whether it has begun, whatever its Retry-After says."""

    async def scenario(face: Face) -> None:
        assert isinstance(await face.cloud.start(target("web01"), PATCHES, "key-1", 5), Unsettled)

    play(scenario, ServerError(on=(Asking.INSTALL,), retry_after=1))


def test_silence(play: Play) -> None:
    """When no answer comes in time the start is unsettled; here it had begun."""

    async def scenario(face: Face) -> None:
        answer = await face.cloud.start(target("web01"), PATCHES, "key-1", 0.05)
        assert isinstance(answer, Unsettled)
        assert "0.05 s" in answer.why
        await face.clock.sleep(60)
        assert (await face.cloud.view(target("web01"))).installation_id is not None

    play(scenario, Slow(on=(Asking.INSTALL,), seconds=1000))


def test_cancelled_start(play: Play) -> None:
    """Whoever cancels a start gets a cancellation, no answer."""

    async def scenario(face: Face) -> None:
        task = asyncio.create_task(face.cloud.start(target("web01"), PATCHES, "key-1", 60))  # type: ignore[arg-type]
        await face.clock.sleep(1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    play(scenario, Slow(on=(Asking.INSTALL,), seconds=1000))


def test_rates(play: Play) -> None:
    """Every kind of request has a rate."""

    async def scenario(face: Face) -> None:
        assert set(Budgeted) == set(face.cloud.rates)

    play(scenario)


def test_rights(play: Play) -> None:
    """The roles at a scope, with the cloud's time; who isn't let in is told which permission it takes."""

    async def scenario(face: Face) -> None:
        told = await face.cloud.rights(target("web01").subscription, "rg-shop")
        assert told.roles == (Role(("*",)),)
        assert told.told_at is not None
        with pytest.raises(AccessDenied, match="no such subscription"):
            await face.cloud.rights("nobody-s")

    play(scenario)


def test_history_of_patch_runs(play: Play) -> None:
    """Every run of these subscriptions, whoever began it, page by page."""

    async def scenario(face: Face) -> None:
        for name in ("web01", "web02", "sql01"):
            await face.followed(await face.begun(target(name)))
        await face.clock.sleep(3600)
        rows = await face.cloud.patch_runs([SUBSCRIPTION])
        assert {str(row["id"]).split("/")[8].lower() for row in rows} == {"web01", "web02", "sql01"}
        assert await face.cloud.patch_runs([OTHER]) == []

    play(scenario)


# Scripts --------------------------------------------------------------------------------------------------------------

CACHE = RunCommand(
    script("cache.ps1", "param($days)\nWrite-Output 'cleared $days days'\n"),
    Os.WINDOWS,
    timedelta(minutes=10),
    (("days", "7"),),
)


def test_a_script_runs_under_the_name_of_its_key(play: Play) -> None:
    """It is followed by its name alone, tells what it said, and is forgotten."""

    async def scenario(face: Face) -> None:
        web = target("web01")
        answer = await face.cloud.start(web, CACHE, "r1-0-1", 5)
        assert answer == Accepted(Operation(""))
        command = await face.cloud.command_of(web, "r1-0-1")
        ended = await face.followed(command)
        assert (ended.succeeded, ended.result["exitCode"]) == (True, 0)
        assert ended.result["output"].strip() == "cleared 7 days"
        await face.cloud.forget_command(web, "r1-0-1")
        with pytest.raises(CloudPermanent) as unknown:
            await face.cloud.poll(command)
        assert unknown.value.code == "ResourceNotFound"

    play(scenario)


def test_a_name_that_was_never_taken_is_not_there(play: Play) -> None:
    """Which is how an unsettled start is settled; forgetting it is nothing."""

    async def scenario(face: Face) -> None:
        web = target("web01")
        with pytest.raises(CloudPermanent) as unknown:
            await face.cloud.poll(await face.cloud.command_of(web, "r1-0-1"))
        assert unknown.value.code == "ResourceNotFound"
        await face.cloud.forget_command(web, "r1-0-1")

    play(scenario)


def test_a_script_whose_answer_is_lost_is_found_by_its_name(play: Play) -> None:
    """Nobody knows whether it was taken, until its name is asked for."""

    async def scenario(face: Face) -> None:
        web = target("web01")
        answer = await face.cloud.start(web, CACHE, "r1-0-1", 5)
        assert isinstance(answer, Unsettled)
        ended = await face.followed(await face.cloud.command_of(web, "r1-0-1"))
        assert ended.succeeded

    play(scenario, LostAnswer(on=(Asking.RUN_COMMAND,)))


def test_a_script_that_fails_says_so_though_the_platform_carried_it_out(play: Play) -> None:
    """Its exit code and what it said on its error stream."""

    async def scenario(face: Face) -> None:
        web = target("web01")
        await face.cloud.start(web, CACHE, "r1-0-1", 5)
        ended = await face.followed(await face.cloud.command_of(web, "r1-0-1"))
        assert (ended.succeeded, ended.result["exitCode"], ended.result["error"]) == (False, 3, "no\n")

    play(scenario, CommandFails(exit_code=3, message="no"))


def test_a_refusal_says_that_nothing_began(play: Play) -> None:
    """A machine that is off is in no state for a script: 409, which could be our own, is unsettled; what is wrong is refused."""

    async def scenario(face: Face) -> None:
        assert isinstance(await face.cloud.start(target("off01"), CACHE, "r1-0-1", 5), Unsettled)
        answer = await face.cloud.start(target("web01"), CACHE, "r1-0-1", 5)
        assert isinstance(answer, Rejected)
        assert (answer.code, answer.transient) == ("AuthorizationFailed", False)

    play(
        scenario,
        Refuses(on=(Asking.RUN_COMMAND,), machines=("web01",), status=403, code="AuthorizationFailed"),
    )
