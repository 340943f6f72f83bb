"""Run commands, both kinds: what is answered, what becomes of the machine, what the audit says."""

from __future__ import annotations

from typing import Any

import pytest

from orchestrator.emulator.faults import CommandFails, CommandHangs, GoesOff
from orchestrator.emulator.world import World
from orchestrator.inventory.model import Image, Os
from tests.unit.emulator.callers import GROUP, OTHER, Caller, body, code
from tests.unit.emulator.worlds import START, WEB, at, install, story, windows, world

KB = "5123020"  # the cumulative update of 2026-11 for the image that worlds are made with
COMMANDS = f"{GROUP}/virtualMachines/web/runCommands"


def script(*lines: str) -> dict[str, Any]:
    """The body of the action."""
    return {"commandId": "RunPowerShellScript", "script": list(lines)}


def managed(*lines: str, **properties: Any) -> dict[str, Any]:
    """The body of a managed command."""
    return {"location": "westeurope", "properties": {"source": {"script": "\n".join(lines)}, **properties}}


def output(of: World, operation: str, seconds: float = 90_000) -> list[str]:
    """The streams that the action ended with."""
    return [stream["message"] for stream in (of.result(operation, at(seconds)).body or {})["value"]]


def found(of: World, begin: float) -> set[str]:
    """The KBs that an assessment finds."""
    operation = of.assess(WEB, at(begin)).operation
    told = of.result(operation, at(begin + 1000)).body or {}
    return {patch["kbId"] for patch in told["availablePatches"]}


# The action -----------------------------------------------------------------------------------------------------------


def test_an_update_is_taken_away() -> None:
    """It is found again, a restart is pending, the audit says which, and a restart settles it."""
    it = world()
    install(it)
    it.advance(at(5000))
    assert KB not in found(it, 5000)

    taken = it.run_command(WEB, script(f"wusa /uninstall /kb:{KB} /quiet /norestart"), at(10_000))

    assert taken.status == 202
    assert output(it, taken.operation, 11_000) == ["", ""]
    (told,) = (h for h in it.advance(at(11_000)) if h.event == "uninstalled")
    assert (told.operation, dict(told.details)) == (taken.operation, {"kbs": KB})
    assert KB in found(it, 11_000)
    assert it.view(WEB, at(13_000))["patchStatus"]["availablePatchSummary"]["rebootPending"] is True
    it.restart(WEB, at(13_000))
    found(it, 15_000)
    assert it.view(WEB, at(17_000))["patchStatus"]["availablePatchSummary"]["rebootPending"] is False


def test_what_is_not_there_cannot_be_taken_away() -> None:
    """The error stream says so, as wusa does; nothing is pending."""
    it = world()
    taken = it.run_command(WEB, script("wusa /uninstall /kb:5000001 /quiet /norestart"), START)

    assert "KB5000001 is not installed" in output(it, taken.operation)[1]
    found(it, 90_000)
    assert it.view(WEB, at(92_000))["patchStatus"]["availablePatchSummary"]["rebootPending"] is False


def test_an_update_is_installed_by_a_script() -> None:
    """And is found no longer; one that doesn't fit is refused on the error stream."""
    it = world()
    taken = it.run_command(WEB, script(f"wusa kb{KB}.msu /quiet /norestart"), START)
    again = it.run_command(WEB, script(f"wusa kb{KB}.msu /quiet /norestart"), at(5000))

    assert output(it, taken.operation) == ["", ""]
    assert "not applicable" in output(it, again.operation)[1]
    assert KB not in found(it, 90_000)


@pytest.mark.parametrize("line", ["Restart-Computer", f"wusa /uninstall /kb:{KB} /quiet"])
def test_a_script_restarts_the_machine(line: str) -> None:
    """The command ends, then the machine goes out, comes back and gets healthy."""
    it = world()
    install(it)
    it.advance(at(5000))
    it.run_command(WEB, script(line), at(5000))

    events = [event for _, event in story(it)]
    assert events[-4:] == ["run_command_end", "out", "back", "healthy"]


def test_output_is_cut_to_its_last_4096_bytes() -> None:
    """What was said first is lost."""
    it = world()
    taken = it.run_command(WEB, script(f"echo {'a' * 5000}", "echo end"), START)

    said = output(it, taken.operation)[0]
    assert (len(said), said[-6:]) == (4096, "a\nend\n")


def test_linux_answers_with_one_status_for_both_streams() -> None:
    """And takes only its own shell."""
    it = world(machines=(windows("web", os=Os.LINUX, image=Image()),))
    wrong = it.run_command(WEB, script("hostname"), START)
    taken = it.run_command(WEB, {"commandId": "RunShellScript", "script": ["echo hi"]}, START)

    assert (wrong.status, (wrong.body or {})["error"]["target"]) == (400, "commandId")
    assert output(it, taken.operation) == ["Enable succeeded: \n[stdout]\nhi\n\n[stderr]\n"]


def test_a_script_has_ninety_minutes() -> None:
    """Then the operation fails as a whole; a fault does the same at once to any script."""
    long = world()
    hangs = world(CommandHangs())
    for it, line in ((long, "Start-Sleep -Seconds 6000"), (hangs, "hostname")):
        taken = it.run_command(WEB, script(line), START)
        assert (it.operation(taken.operation, at(5399)).body or {})["status"] == "InProgress"
        told = it.operation(taken.operation, at(5400)).body or {}
        assert (told["status"], told["error"]["code"]) == ("Failed", "VMExtensionProvisioningTimeout")


def test_a_fault_fails_a_script_and_nothing_is_done() -> None:
    """The action succeeds all the same, as Azure's: only the error stream tells."""
    it = world(CommandFails(message="Access is denied."))
    install(it)
    it.advance(at(5000))
    taken = it.run_command(WEB, script(f"wusa /uninstall /kb:{KB} /quiet"), at(5000))

    assert output(it, taken.operation, 9000) == ["", "Access is denied.\n"]
    assert KB not in found(it, 10_000)


def test_a_machine_that_goes_off_meanwhile_fails_the_command() -> None:
    """Nothing is heard of the agent."""
    it = world(GoesOff(machines=("web",), at=at(5)))
    taken = it.run_command(WEB, script("hostname"), START)

    told = it.operation(taken.operation, at(500)).body or {}
    assert told["error"]["code"] == "VMAgentStatusCommunicationError"


# Managed ones ---------------------------------------------------------------------------------------------------------


def test_a_managed_command_is_a_resource() -> None:
    """Made with 201, shown with its instance view while it runs and after, listed, deleted once; its operation ends with it."""
    caller = Caller(world())
    made = caller.put(f"{COMMANDS}/Check", managed("Write-Output well", timeoutInSeconds=600))

    assert (made.status, body(made)["properties"]["provisioningState"]) == (201, "Creating")
    view = "$expand=instanceView&api-version=2026-04-01"
    running = body(caller.get(f"{COMMANDS}/check", view))["properties"]["instanceView"]
    assert (running["executionState"], "endTime" in running) == ("Running", False)
    caller.now = at(100)
    assert body(caller.follow(made.headers["Azure-AsyncOperation"]))["status"] == "Succeeded"
    ended = body(caller.get(f"{COMMANDS}/check", view))["properties"]["instanceView"]
    assert (ended["executionState"], ended["exitCode"], ended["output"]) == ("Succeeded", 0, "well\n")
    assert "instanceView" not in body(caller.get(f"{COMMANDS}/check"))["properties"]
    assert [one["name"] for one in body(caller.get(COMMANDS))["value"]] == ["Check"]
    assert [caller.delete(f"{COMMANDS}/CHECK").status for _ in range(2)] == [200, 204]
    assert code(caller.get(f"{COMMANDS}/check")) == "ResourceNotFound"


def test_a_managed_command_that_runs_is_not_updated() -> None:
    """409 under the same name, while others go on beside it, an action too; afterwards it runs again, with 200."""
    caller = Caller(world())
    assert caller.put(f"{COMMANDS}/one", managed("hostname")).status == 201

    assert caller.put(f"{COMMANDS}/ONE", managed("hostname")).status == 409
    assert caller.put(f"{COMMANDS}/two", managed("hostname")).status == 201
    assert caller.post(f"{GROUP}/virtualMachines/web/runCommand", script("hostname")).status == 202
    caller.now = at(100)
    assert caller.put(f"{COMMANDS}/one", managed("hostname")).status == 200


def test_a_managed_command_tells_its_exit_code() -> None:
    """Failed with it; the operation succeeds unless it was asked to fail with the script."""
    caller = Caller(world())
    mild = caller.put(f"{COMMANDS}/mild", managed("echo tried", "exit 7"))
    strict = caller.put(f"{COMMANDS}/strict", managed("exit 7", treatFailureAsDeploymentFailure=True))
    caller.now = at(100)

    view = body(caller.get(f"{COMMANDS}/mild", "$expand=instanceView&api-version=2026-04-01"))
    told = view["properties"]["instanceView"]
    assert (told["executionState"], told["exitCode"], told["output"]) == ("Failed", 7, "tried\n")
    states = [body(caller.follow(one.headers["Azure-AsyncOperation"]))["status"] for one in (mild, strict)]
    assert states == ["Succeeded", "Failed"]
    assert body(caller.get(f"{COMMANDS}/strict"))["properties"]["provisioningState"] == "Failed"


def test_an_asynchronous_one_is_provisioned_before_it_ends() -> None:
    """And times out by its own limit."""
    caller = Caller(world())
    properties = {"asyncExecution": True, "timeoutInSeconds": 300}
    made = caller.put(f"{COMMANDS}/long", managed("Start-Sleep -Seconds 1000", **properties))
    view = "$expand=instanceView&api-version=2026-04-01"

    caller.now = at(30)
    assert body(caller.follow(made.headers["Azure-AsyncOperation"]))["status"] == "Succeeded"
    assert (
        body(caller.get(f"{COMMANDS}/long", view))["properties"]["instanceView"]["executionState"]
        == "Running"
    )
    caller.now = at(300)
    assert (
        body(caller.get(f"{COMMANDS}/long", view))["properties"]["instanceView"]["executionState"]
        == "TimedOut"
    )


def test_secrets_are_not_told() -> None:
    """Protected parameters reach the script and no answer."""
    caller = Caller(world())
    secret = managed("echo $word", protectedParameters=[{"name": "word", "value": "open"}], runAsPassword="x")
    made = caller.put(f"{COMMANDS}/secret", secret)

    assert not {"protectedParameters", "runAsPassword"} & body(made)["properties"].keys()


@pytest.mark.parametrize(
    ("path", "told", "expected"),
    [
        (f"{COMMANDS}/x", {"properties": {}}, (400, "InvalidParameter")),
        (f"{GROUP}/virtualMachines/nobody/runCommands/x", managed("hostname"), (404, "ResourceNotFound")),
        (COMMANDS, managed("hostname"), (404, "InvalidResourceType")),
        (f"{COMMANDS}/x".replace("1111", OTHER[:4]), managed("hostname"), (404, "SubscriptionNotFound")),
    ],
)
def test_refusals(path: str, told: dict[str, Any], expected: tuple[int, str]) -> None:
    """A command without a script, of nobody, without a name, elsewhere."""
    response = Caller(world()).put(path, told)

    assert expected == (response.status, code(response))
