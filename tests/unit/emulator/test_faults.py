"""Each fault does what its name says, to whom it says, as often as it says."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from orchestrator.emulator.fault_file import parse_faults
from orchestrator.emulator.faults import Fault
from orchestrator.emulator.state import Delivery
from orchestrator.emulator.world import World
from orchestrator.inventory.model import Machine
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

WHOLE = ["install", "out", "back", "healthy", "install_end"]
QUIET = ["install", "install_end"]


def faults(*lines: str) -> tuple[Fault, ...]:
    """Faults as a file would list them."""
    text = "version: 1\nfaults:\n" + "".join(f"  - {line}\n" for line in lines)
    return parse_faults(text, "faults.yaml").faults


def struck(*lines: str, machines: tuple[Machine, ...] = (), share: float = 1.0) -> World:
    """A world with these faults."""
    return world(*faults(*lines), machines=machines, share=share)


def outcome(of: World, operation: str, seconds: float = 100_000) -> dict[str, Any]:
    """An operation's status body at that time."""
    return of.operation(operation, at(seconds)).body or {}


def events(of: World, name: str, until: float = 100_000) -> list[str]:
    """The audit's events of one machine, sorted."""
    return sorted(event for machine, event in story(of, at(until)) if machine == name)


def test_install_fails() -> None:
    """The result is Failed with the error, nothing restarts, the machine stays healthy and the patch pending."""
    it = struck('install_fails: {machines: [web], code: "0x80070005", message: Access denied}')
    failed, well = install(it, WEB).operation, install(it, DB).operation

    result = outcome(it, failed)["properties"]["output"]

    assert (result["status"], result["failedPatchCount"], result["rebootStatus"]) == (
        "Failed",
        1,
        "NotNeeded",
    )
    assert result["error"]["details"] == [{"code": "0x80070005", "message": "Access denied"}]
    assert outcome(it, well)["properties"]["output"]["status"] == "Succeeded"
    assert sorted(QUIET) == events(it, "web")
    assert health(it, WEB, at(100_000)) == "healthy"
    assert (
        it.view(WEB, at(100_000))["patchStatus"]["availablePatchSummary"]["criticalAndSecurityPatchCount"]
        == 1
    )


def test_install_fails_as_an_operation() -> None:
    """Where the operation itself fails, there is no result, only its error, in the instance view too."""
    it = struck(
        "install_fails: {operation: true, code: VMGuestPatchInternalError, message: Please retry later.}"
    )
    operation = install(it).operation

    body = outcome(it, operation)

    assert body["status"] == "Failed"
    assert body["error"] == {"code": "VMGuestPatchInternalError", "message": "Please retry later."}
    assert it.result(operation, at(100_000)).status == 409
    assert last_installation(it, WEB, at(100_000))["status"] == "Failed"


def test_install_never_ends() -> None:
    """It is InProgress for ever and in everybody's way, until a restart preempts it."""
    it = struck("install_never_ends: {times: 1}")
    operation = install(it).operation

    assert outcome(it, operation)["status"] == "InProgress"
    assert install(it, now=at(100_000)).status == 409
    it.restart(WEB, at(100_001))
    assert outcome(it, operation, 100_002)["status"] == "Failed"
    assert install(it, now=at(102_000)).status == 202


def test_stays_out() -> None:
    """The machine goes down and doesn't come back; the operation gives up when its maximum duration is over."""
    it = struck("stays_out: {machines: [web]}", share=0)
    operation = install(it, maximumDuration="PT2H").operation

    assert events(it, "web", 7199) == ["install", "out"]
    assert agent(it, WEB, at(7199)) == "Not Ready"
    result = outcome(it, operation, 7200)["properties"]["output"]
    assert (result["status"], result["rebootStatus"]) == ("Failed", "Failed")


def test_a_restart_brings_back_what_stays_out() -> None:
    """Somebody restarts the machine, and it recovers."""
    it = struck("stays_out: {machines: [web], times: 1}")
    install(it)
    it.restart(WEB, at(20_000))

    assert sorted([*WHOLE, "restart", "restart_end"]) == events(it, "web")
    assert it.probe(WEB, at(100_000))[0] == 200


def test_stays_out_for_a_while() -> None:
    """With `recovers_after` it comes back by itself."""
    it = struck("stays_out: {recovers_after: 30m}")
    install(it)
    when = moments(it)

    assert timedelta(minutes=30) == when["back"] - when["out"]
    assert when["back"] < when["healthy"]


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_unhealthy(share: float) -> None:
    """After the installation, with a restart or without, the application is unhealthy and stays so."""
    it = struck("unhealthy: {machines: [web]}", share=share)
    install(it)

    assert "healthy" not in events(it, "web")
    assert health(it, WEB, at(100_000)) == "unhealthy"
    assert it.probe(WEB, at(100_000))[0] == 503


def test_unhealthy_for_a_while() -> None:
    """With `recovers_after` it is healthy that long after it came back."""
    it = struck("unhealthy: {recovers_after: 10m}")
    install(it)
    when = moments(it)

    assert timedelta(minutes=10) == when["healthy"] - when["back"]


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_unhealthy_late(share: float) -> None:
    """With `delay` it is healthy first, and fails so long after."""
    it = struck("unhealthy: {delay: 15m, recovers_after: 5m}", share=share)
    install(it)
    told = [h for h in it.advance(at(100_000)) if h.event in {"healthy", "unhealthy", "install_end"}]
    ill = next(h.at for h in told if h.event == "unhealthy")
    well = [h.at for h in told if h.event == "healthy"]

    assert ill + timedelta(minutes=5) == well[-1]
    before = well[0] if share else next(h.at for h in told if h.event == "install_end")
    assert timedelta(minutes=15) == ill - before


def test_a_restart_can_fail_too() -> None:
    """Restarts have the faults of what comes back badly."""
    it = struck("stays_out: {machines: [web]}", "unhealthy: {machines: [db]}")
    it.restart(WEB, START)
    it.restart(DB, START)

    assert events(it, "web", 5000) == ["out", "restart", "restart_end"]
    assert health(it, DB, at(5000)) == "unhealthy"


def test_window_exceeded() -> None:
    """It ends Failed at its maximum duration at the latest, half done, and restarts nothing."""
    it = struck("window_exceeded: {}")
    operation = install(it, maximumDuration="PT5M").operation

    body = outcome(it, operation, 300)
    result = body["properties"]["output"]

    assert (result["status"], result["maintenanceWindowExceeded"]) == ("Failed", True)
    assert result["pendingPatchCount"] > 0
    assert sorted(QUIET) == events(it, "web")
    assert last_installation(it, WEB, at(301))["maintenanceWindowExceeded"] is True


def test_a_short_window_is_exceeded_without_a_fault() -> None:
    """An installation that takes longer than it may is cut off."""
    it = world()
    operation = install(it, maximumDuration="PT1M").operation

    assert outcome(it, operation)["properties"]["output"]["maintenanceWindowExceeded"] is True


def test_reboot_required() -> None:
    """A machine none of whose patches says so restarts all the same, or would have to."""
    it = struck("reboot_required: {}", share=0)
    install(it, WEB)
    never = install(it, DB, rebootSetting="Never").operation

    assert outcome(it, never)["properties"]["output"]["rebootStatus"] == "Required"
    assert sorted(WHOLE) == events(it, "web")


def test_visibility_delay() -> None:
    """The instance view shows the run only after so many seconds, even if it has ended by then."""
    it = struck("visibility_delay: {seconds: 900}", share=0)
    operation = install(it).operation

    assert last_installation(it, WEB, at(899)) == {}
    shown = last_installation(it, WEB, at(900))
    assert (operation, "Succeeded") == (shown["installationActivityId"], shown["status"])


def test_a_late_sight_hides_no_later_run() -> None:
    """A run that becomes visible after a later one has been shown stays unseen: the last installation is the later one."""
    it = struck("visibility_delay: {seconds: 1000, times: 1}", share=0)
    install(it)
    later = install(it, now=at(500)).operation

    assert later == last_installation(it, WEB, at(600))["installationActivityId"]
    assert later == last_installation(it, WEB, at(1001))["installationActivityId"]


def test_goes_off() -> None:
    """At its time the machine is off, of its own; after a while it runs again."""
    it = struck("goes_off: {machines: [web], at: 10m, for: 1h}")

    assert it.view(WEB, at(599))["statuses"][1]["code"] == "PowerState/running"
    assert it.view(WEB, at(600))["statuses"][1]["code"] == "PowerState/stopped"
    when = moments(it)
    assert (at(600), at(4200)) == (when["out"], when["back"])
    assert health(it, WEB, when["healthy"]) == "healthy"


def test_going_off_fails_what_runs() -> None:
    """An installation on a machine that goes off ends with an error, and nothing comes back by itself."""
    it = struck('goes_off: {machines: [web], at: "2026-11-22T01:01:00Z"}')
    operation = install(it).operation

    assert outcome(it, operation)["error"]["code"] == "VMAgentStatusCommunicationError"
    assert events(it, "web") == ["install", "install_end", "out"]


def test_vanishes() -> None:
    """At its time the machine is deleted: out for good, in no list, and no request finds it. What ran on it has failed."""
    it = struck("vanishes: {machines: [web], at: 5m}")
    operation = install(it).operation

    assert it.instance_view(WEB, at(299)).status == 200
    assert it.instance_view(WEB, at(300)).status == 404
    assert it.probe(WEB, at(301))[0] == 0
    assert WEB not in it.machines()
    assert "error" in outcome(it, operation)
    assert events(it, "web")[-2:] == ["out", "vanished"]


def test_foreign_run() -> None:
    """Somebody else's installation is in the audit as such, in the instance view, and in our way."""
    it = struck("foreign_run: {machines: [web], at: 5m}")

    assert install(it, now=at(310)).status == 409
    assert last_installation(it, WEB, at(330))["status"] == "InProgress"
    told = [(h.event, h.details.get("by")) for h in it.advance(at(9000))]
    assert ("install", "foreign") in told
    assert ("install_end", "foreign") in told
    assert ("refused", None) in told


def test_throttle() -> None:
    """A storm of one region refuses there, with its Retry-After, from its begin to its end."""
    machines = (windows("web"), windows("db", location="northeurope"))
    it = struck(
        "throttle: {regions: [westeurope], from: 1m, for: 2m, retry_after: 77, on: [install]}",
        machines=machines,
    )

    assert install(it, WEB, at(59)).status == 202
    refused = install(it, WEB, at(60))
    assert (refused.status, refused.headers["Retry-After"]) == (429, "77")
    assert (refused.body or {})["error"]["details"][0]["code"] == "TooManyRequests"
    assert install(it, DB, at(61)).status == 202
    assert it.instance_view(WEB, at(62)).status == 200
    assert install(it, WEB, at(180)).status == 409  # the first one still runs


def test_throttle_by_arm() -> None:
    """ARM's own refusal has its own code."""
    refused = install(struck("throttle: {policy: arm}"))

    assert (refused.body or {})["error"]["code"] == "SubscriptionRequestsThrottled"
    assert refused.headers["x-ms-failure-cause"] == "gateway"


def test_server_error() -> None:
    """The request isn't taken; a Retry-After comes only if asked for."""
    it = struck(
        "server_error: {on: [install], status: 500, code: InternalServerError, retry_after: 5, times: 1}"
    )

    answer = install(it)

    assert (answer.status, answer.headers["Retry-After"]) == (500, "5")
    assert story(it) == []
    assert install(it, now=at(180_000)).status == 202


def test_drop() -> None:
    """The connection is cut and nothing is begun."""
    it = struck("drop: {on: [install], nth: 1}")

    assert install(it).delivery is Delivery.DROPPED
    assert story(it) == []
    assert install(it, now=at(180_000)).delivery is Delivery.DELIVERED


def test_lost_answer() -> None:
    """The answer is lost, but the installation runs, and the instance view shows it."""
    it = struck("lost_answer: {times: 1}")

    answer = install(it)

    assert answer.delivery is Delivery.LOST
    assert answer.operation == last_installation(it, WEB, at(30))["installationActivityId"]


def test_lost_answer_spares_who_looks() -> None:
    """Unless it says otherwise it is about requests that start work."""
    it = struck("lost_answer: {}")

    assert it.instance_view(WEB, START).delivery is Delivery.DELIVERED
    assert it.assess(WEB, START).delivery is Delivery.LOST


def test_slow() -> None:
    """The request is taken at once and answered late; refusals are late too."""
    it = struck("slow: {seconds: 12.5, on: [install]}")

    assert [install(it).delay_s, install(it, now=at(1)).delay_s] == [12.5, 12.5]
    assert it.assess(DB, at(2)).delay_s == 0


@pytest.mark.parametrize(
    ("selector", "expected"),
    [
        ("machines: [WEB*]", {"web1", "web2"}),
        ('machines: ["*/virtualmachines/db1"]', {"db1"}),
        ("tags: {ring: canary}", {"web1"}),
        ("regions: [NorthEurope]", {"db1"}),
        ("subscriptions: [nobody]", set()),
        ("machines: [web*], tags: {ring: broad}", {"web2"}),
        ("nth: 2", {"web1"}),
        ("after: 2", {"web2"}),
        ("times: 2", {"db1", "web1"}),
        ("after: 1, times: 1", {"web1"}),
        ("per: machine, nth: 1", {"db1", "web1", "web2"}),
        ("per: machine, after: 1", set()),
    ],
)
def test_selectors(selector: str, expected: set[str]) -> None:
    """All parts of a selector must agree; counts are over the fleet unless they are for each machine."""
    machines = (
        windows("db1", location="northeurope", tags={"ring": "broad"}),
        windows("web1", tags={"ring": "canary"}),
        windows("web2", tags={"ring": "broad"}),
    )
    it = struck(f"install_fails: {{{selector}}}", machines=machines)
    operations = {id_.rsplit("/", 1)[1]: install(it, id_).operation for id_ in it.machines()}

    failed = {
        name
        for name, operation in operations.items()
        if outcome(it, operation)["properties"]["output"]["status"] == "Failed"
    }

    assert expected == failed


def test_a_share_of_the_machines() -> None:
    """A share strikes about that many, the same ones each time, whatever the order of requests."""
    machines = tuple(windows(f"m{n:03}") for n in range(200))

    def failed(*, backwards: bool) -> set[str]:
        it = struck("install_fails: {share: 0.2}", machines=machines)
        ids = sorted(it.machines(), reverse=backwards)
        operations = {id_: install(it, id_).operation for id_ in ids}
        it.advance(at(5000))
        return {i for i in operations if last_installation(it, i, at(5000))["status"] == "Failed"}

    forwards = failed(backwards=False)

    assert forwards == failed(backwards=True)
    assert 25 <= len(forwards) <= 55


def test_lists_are_spared_by_faults_of_machines() -> None:
    """A fault that names machines isn't about a request for none of them."""
    it = struck("drop: {machines: [web]}", "server_error: {on: [list], regions: [westeurope]}")

    assert it.instance_view(WEB, START).delivery is Delivery.DROPPED
    assert it.install(DB, ALL, START).delivery is Delivery.DELIVERED
