"""What happens to machines, and what can be seen of it, without any fault."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.emulator.state import Happening
from orchestrator.emulator.world import World
from orchestrator.inventory.model import Agent, AppHealth, PatchState, Power
from tests.unit.emulator.worlds import (
    ALL,
    DB,
    START,
    WEB,
    agent,
    at,
    health,
    install,
    last_installation,
    moments,
    story,
    windows,
    world,
)

SECOND = timedelta(seconds=1)
WHOLE = ["install", "out", "back", "healthy", "install_end"]


def test_an_installation_takes_the_machine_out_while_it_restarts() -> None:
    """Between out and back nobody answers though the power is on; after it the application needs its time."""
    it = world()
    install(it)
    when = moments(world_after_install())

    out, back, healthy = when["out"], when["back"], when["healthy"]

    assert (agent(it, WEB, out - SECOND), health(it, WEB, out - SECOND)) == ("Ready", "healthy")
    assert it.probe(WEB, out - SECOND)[0] == 200
    assert (agent(it, WEB, out), health(it, WEB, out)) == ("Not Ready", "unhealthy")
    assert it.probe(WEB, out) == (0, {})
    assert it.view(WEB, back - SECOND)["statuses"][1]["code"] == "PowerState/running"
    assert (agent(it, WEB, back), health(it, WEB, back)) == ("Ready", "unhealthy")
    assert it.probe(WEB, back)[0] == 503
    assert health(it, WEB, healthy) == "healthy"
    assert it.probe(WEB, healthy)[0] == 200


def world_after_install() -> World:
    """The same world again, with the same installation begun."""
    it = world()
    install(it)
    return it


def test_durations_are_near_the_recorded_ones() -> None:
    """With a restart 600 to 1,300 s, out for 45 to 240 of them, healthy 20 to 90 s after it is back."""
    it = world(machines=tuple(windows(f"m{n}") for n in range(200)))
    for machine in it.machines():
        install(it, machine)
    by_machine: dict[str, dict[str, float]] = {}
    for happening in it.advance(at(4000)):
        by_machine.setdefault(happening.machine, {})[happening.event] = (happening.at - START).total_seconds()

    assert len(by_machine) == 200
    for when in by_machine.values():
        assert 600 <= when["install_end"] <= 1300
        assert 45 <= when["back"] - when["out"] <= 240
        assert 20 <= when["healthy"] - when["back"] <= 90
        assert 0 < when["out"] < when["install_end"]


def test_an_installation_without_a_restart_leaves_the_machine_be() -> None:
    """It takes 122 to 425 s, nothing goes out, and a later one finds nothing to do."""
    it = world(share=0)
    first = install(it)
    when = moments(it)

    assert set(when) == {"install", "install_end"}
    assert 122 <= (when["install_end"] - START).total_seconds() <= 425
    body = it.operation(first.operation, at(5000)).body
    assert body is not None
    assert (body["properties"]["output"]["rebootStatus"], body["status"]) == ("NotNeeded", "Succeeded")


def test_installed_patches_are_no_longer_pending() -> None:
    """A second installation installs nothing and restarts nothing; an assessment counts what is left."""
    it = world()
    install(it)
    it.advance(at(4000))
    again = install(it, now=at(4000))
    it.advance(at(8000))

    result = it.result(again.operation, at(8000)).body

    assert result is not None
    assert (result["installedPatchCount"], result["rebootStatus"]) == (0, "NotNeeded")
    assert (
        it.view(WEB, at(8000))["patchStatus"]["availablePatchSummary"]["criticalAndSecurityPatchCount"] == 0
    )


@pytest.mark.parametrize(
    ("setting", "share", "expected", "events"),
    [
        ("IfRequired", 1.0, "Completed", WHOLE),
        ("IfRequired", 0.0, "NotNeeded", ["install", "install_end"]),
        ("Never", 1.0, "Required", ["install", "install_end"]),
        ("Always", 0.0, "Completed", WHOLE),
    ],
)
def test_reboot_settings(setting: str, share: float, expected: str, events: list[str]) -> None:
    """Never leaves a restart required, Always restarts without need, IfRequired does what the patches ask for."""
    it = world(share=share)
    answer = install(it, rebootSetting=setting)

    assert sorted(events) == sorted(event for _, event in story(it, at(4000)))
    body = it.result(answer.operation, at(4000)).body
    assert body is not None
    assert expected == body["rebootStatus"]
    pending = it.view(WEB, at(4000))["patchStatus"]["availablePatchSummary"]["rebootPending"]
    assert pending is (expected == "Required")


def test_a_run_becomes_visible_late() -> None:
    """For 5 to 20 s the instance view shows nothing of it; then InProgress with the operation's id; then the end."""
    it = world(share=0)
    operation = install(it).operation

    assert last_installation(it, WEB, at(4)) == {}
    during = last_installation(it, WEB, at(20))
    assert (during["status"], during["installationActivityId"]) == ("InProgress", operation)
    after = last_installation(it, WEB, at(500))
    assert (after["status"], after["installationActivityId"]) == ("Succeeded", operation)
    assert after["installedPatchCount"] == 1


def test_a_second_patch_operation_is_a_conflict() -> None:
    """While one runs, 409 for another, which the audit shows as refused; afterwards it is taken."""
    it = world()
    install(it)
    refused = [install(it, now=at(60)), it.assess(WEB, at(61))]

    assert [answer.status for answer in refused] == [409, 409]
    assert {"Conflict"} == {(answer.body or {})["error"]["code"] for answer in refused}
    told = [dict(h.details) for h in it.advance(at(4000)) if h.event == "refused"]
    assert [details["request"] for details in told] == ["install", "assess"]
    assert install(it, now=at(4000)).status == 202


def test_a_restart_preempts_an_installation() -> None:
    """The older operation fails with OperationPreempted, and the machine goes out once, by the restart."""
    it = world()
    older = install(it).operation
    it.restart(WEB, at(30))

    body = it.operation(older, at(31)).body
    assert body is not None
    assert (body["status"], body["error"]["code"]) == ("Failed", "OperationPreempted")
    events = [event for _, event in story(it)]
    assert events == ["install", "install_end", "restart", "out", "back", "restart_end", "healthy"]
    assert last_installation(it, WEB, at(4000))["status"] == "Failed"


def test_a_restart_settles_a_pending_one() -> None:
    """After an installation with Never, a restart clears what was pending."""
    it = world()
    install(it, rebootSetting="Never")
    it.advance(at(4000))
    it.restart(WEB, at(4000))
    it.assess(WEB, at(6000))

    summary = it.view(WEB, at(8000))["patchStatus"]["availablePatchSummary"]

    assert summary["rebootPending"] is False


def test_an_assessment_says_what_a_patch_may_do() -> None:
    """After 60 to 240 s it lists every pending patch with its reboot behavior."""
    it = world()
    operation = it.assess(WEB, START).operation

    assert (it.operation(operation, at(59)).body or {})["status"] == "InProgress"
    body = it.operation(operation, at(240)).body
    assert body is not None
    output = body["properties"]["output"]
    assert (output["assessmentActivityId"], output["status"]) == (operation, "Succeeded")
    assert "CanRequestReboot" in {patch["rebootBehavior"] for patch in output["availablePatches"]}
    assert output["criticalAndSecurityPatchCount"] + output["otherPatchCount"] == len(
        output["availablePatches"]
    )


def test_one_run_command_at_a_time() -> None:
    """A second one meanwhile is a conflict; the result has both streams; an installation isn't in its way."""
    it = world()
    command = {"commandId": "RunPowerShellScript", "script": ["hostname"]}
    first = it.run_command(WEB, command, START)

    assert it.run_command(WEB, command, at(1)).status == 409
    assert install(it, now=at(2)).status == 202
    assert [stream["code"] for stream in (it.result(first.operation, at(60)).body or {})["value"]] == [
        "ComponentStatus/StdOut/succeeded",
        "ComponentStatus/StdErr/succeeded",
    ]
    assert it.run_command(WEB, command, at(60)).status == 202


@pytest.mark.parametrize("power", [Power.STOPPED, Power.DEALLOCATED])
def test_a_machine_that_is_off_refuses_work(power: Power) -> None:
    """It shows neither agent nor health, its endpoint is silent, and every request that starts work is a 409."""
    it = world(machines=(windows("web", power=power),))

    view = it.view(WEB, START)

    assert f"PowerState/{power}" == view["statuses"][1]["code"]
    assert not {"vmAgent", "vmHealth"} & view.keys()
    assert it.probe(WEB, START) == (0, {})
    answers = [install(it), it.assess(WEB, START), it.restart(WEB, START), it.run_command(WEB, {}, START)]
    assert [(answer.status, (answer.body or {})["error"]["code"]) for answer in answers] == [
        (409, "OperationNotAllowed")
    ] * 4


def test_an_agent_that_is_missing_refuses_patching_but_not_a_restart() -> None:
    """Without a guest agent there is nobody to install; the platform can restart the machine all the same."""
    it = world(machines=(windows("web", agent=Agent.MISSING),))

    assert "vmAgent" not in it.view(WEB, START)
    assert (install(it).status, it.restart(WEB, START).status) == (409, 202)


def test_an_agent_that_is_silent_fails_the_operation() -> None:
    """Azure takes the request, and the operation fails since nothing is heard of the agent."""
    it = world(machines=(windows("web", agent=Agent.NOT_READY),))
    operation = install(it).operation

    body = it.operation(operation, at(4000)).body

    assert body is not None
    assert (body["status"], body["error"]["code"]) == ("Failed", "VMAgentStatusCommunicationError")


def test_what_was_unhealthy_before_stays_so() -> None:
    """A machine that the inventory calls unhealthy is unhealthy after its restart too."""
    it = world(machines=(windows("web", app_health=AppHealth.UNHEALTHY),))
    install(it)

    assert "healthy" not in [event for _, event in story(it)]
    assert health(it, WEB, at(9000)) == "unhealthy"


def test_a_machine_without_the_extension_shows_no_health() -> None:
    """Only its own endpoint tells."""
    it = world(machines=(windows("web", app_health=AppHealth.NONE),))

    assert "vmHealth" not in it.view(WEB, START)
    assert it.probe(WEB, START) == (200, {"machine": "web", "status": "healthy"})


def test_the_inventory_s_patch_state_is_shown() -> None:
    """What the platform remembered before is what the emulator begins with: the baseline of the first attempt."""
    before = PatchState(
        assessed_at=at(-3600),
        critical_and_security=7,
        other=8,
        installation_id="abc",
        installation_status="Failed",
    )
    it = world(machines=(windows("web", patches=before),))

    status = it.view(WEB, START)["patchStatus"]

    assert status["availablePatchSummary"]["criticalAndSecurityPatchCount"] == 7
    assert status["lastPatchInstallationSummary"]["installationActivityId"] == "abc"
    assert status["lastPatchInstallationSummary"]["status"] == "Failed"


def test_an_unknown_machine_is_not_found() -> None:
    """404 with the gateway's name for it."""
    answer = world().instance_view(WEB.replace("web", "nobody"), START)

    assert (answer.status, answer.headers["x-ms-failure-cause"]) == (404, "gateway")
    assert (answer.body or {})["error"]["code"] == "ResourceNotFound"


def test_ids_compare_without_case() -> None:
    """A machine is found in whatever case its id comes."""
    it = world()

    assert it.view(WEB.upper(), START)["computerName"] == "web"
    assert install(it, WEB.upper()).status == 202


def test_the_next_happening_is_announced() -> None:
    """A face can sleep until something happens: nothing is announced before the first request."""
    it = world()
    assert it.next_happening() is None

    install(it)

    announced = it.next_happening()
    assert announced is not None
    assert START < announced <= at(20)


def test_time_never_goes_back() -> None:
    """A question about the past is answered about the present."""
    it = world()
    install(it)
    it.advance(at(4000))

    assert last_installation(it, WEB, START)["status"] == "Succeeded"
    install(it, DB, START)
    assert [at(4000)] == [happening.at for happening in it.advance(START)]


def witnessed(pattern: list[float], seed: int) -> list[Happening]:
    """The audit of two installations and a restart, looked at by this pattern of seconds."""
    it = world(seed=seed)
    happened = []
    looks = [(second, "look") for second in pattern] + [(0.0, WEB), (1500.0, DB), (1600.0, "restart")]
    for second, what in sorted(looks):
        now = at(second)
        if what == "look":
            it.view(WEB, now)
            happened += it.advance(now)
        elif what == "restart":
            it.restart(WEB, now)
        else:
            it.install(what, ALL, now)
    return happened + it.advance(at(9000))


@given(st.lists(st.floats(0, 5000), max_size=30), st.integers(0, 50))
def test_what_happens_ignores_who_looks(pattern: list[float], seed: int) -> None:
    """Whatever the polling, the same requests lead to the same audit, line by line and in the order of time."""
    expected = witnessed([], seed)

    found = witnessed(pattern, seed)

    assert expected == found
    assert sorted(h.at for h in found) == [h.at for h in found]


def test_a_restart_that_is_due_is_made_by_the_next_run_that_may() -> None:
    """Also by one that finds nothing to install; one that may not leaves it due."""
    it = world()
    install(it, rebootSetting="Never")
    it.advance(at(4000))
    again = install(it, now=at(4000), rebootSetting="Never")
    it.advance(at(8000))
    last = install(it, now=at(8000))

    told = [(it.result(one.operation, at(12_000)).body or {})["rebootStatus"] for one in (again, last)]

    assert told == ["Required", "Completed"]
    assert it.view(WEB, at(12_000))["patchStatus"]["availablePatchSummary"]["rebootPending"] is False


def test_the_audit_says_what_was_installed() -> None:
    """By number, in the order of the run; of a run that installed nothing, nothing."""
    it = world()
    install(it)
    it.advance(at(3999))
    install(it, now=at(4000))

    assert [h.details["kbs"] for h in it.advance(at(8000)) if h.event == "install_end"] == [""]
    it = world()
    install(it)
    (ended,) = [h for h in it.advance(at(3999)) if h.event == "install_end"]
    assert ended.details["kbs"] == "5123020 5123022"


def test_the_build_is_the_inventory_s_until_an_update_changes_it() -> None:
    """What nobody told isn't made up."""
    told = windows("web", os_version="10.0.20348.4648", os_name="Windows Server 2022 Datacenter")
    it = world(machines=(told, windows("db")))

    assert it.view(WEB, START)["osVersion"] == "10.0.20348.4648"
    assert it.view(WEB, START)["osName"] == "Windows Server 2022 Datacenter"
    assert "osVersion" not in it.view(DB, START)
    install(it)
    it.advance(at(4000))
    assert it.view(WEB, at(4000))["osVersion"] == "10.0.20348.3328"


def test_months_pass_while_it_runs() -> None:
    """After a release there is something new to find, and it is what a run installs."""
    it = world()
    install(it)
    later = START + timedelta(days=17)
    it.advance(later)
    operation = install(it, now=later).operation
    told = it.result(operation, later + timedelta(hours=1)).body or {}

    assert [patch["kbId"] for patch in told["patches"] if patch["installationState"] == "Installed"] == [
        "5124020",
        "5124022",
    ]
