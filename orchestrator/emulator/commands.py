"""Run commands: the action that answers with its output, and the managed ones, which are resources with an instance view.

Scripts aren't run: what they would do to a machine's updates and to its running is read off them (`scripts`), and done. Their
limits are Azure's: of the action one at a time, 90 minutes, and of all output the last 4,096 bytes.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

from orchestrator.emulator.catalogue import family
from orchestrator.emulator.chance import COMMAND, SERVICING, STARTED
from orchestrator.emulator.choosing import applies
from orchestrator.emulator.fault_book import FaultBook, first
from orchestrator.emulator.faults import CommandFails, CommandHangs
from orchestrator.emulator.months import Calendar
from orchestrator.emulator.operations import Operations, no_agent
from orchestrator.emulator.problems import conflict, invalid, stamp
from orchestrator.emulator.scripts import Script, read_script
from orchestrator.emulator.software import find
from orchestrator.emulator.state import Answer, Happening, Json, Kind, MachineState, Operation
from orchestrator.emulator.timeline import Timeline
from orchestrator.inventory.model import MachineId, Os

LONGEST = timedelta(minutes=90)
OUTPUT_BYTES = 4096
SHELLS = {Os.WINDOWS: "RunPowerShellScript", Os.LINUX: "RunShellScript"}
NOT_INSTALLED = 2359303  # 0x240007, as wusa says it
NOT_APPLICABLE = 2359302  # 0x240006: installed already, superseded, or for another system


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a script. `state` is an `executionState`."""

    state: str
    output: str = ""
    error: str = ""
    exit_code: int = 0
    message: str = ""


@dataclass(frozen=True, slots=True)
class Run:
    """One script under way. `settled`: what comes of it whatever it says, since a fault strikes or its time is over."""

    operation: Operation
    script: Script
    ends: datetime
    settled: Outcome | None


@dataclass(slots=True, eq=False)
class Command:
    """One managed run command of one machine, as a resource. `outcome` is what came of it, once it has ended."""

    name: str
    machine: MachineId
    arm_id: str
    location: str
    properties: Json
    operation: Operation
    tags: Json = field(default_factory=dict)
    outcome: Outcome | None = None
    ended: datetime | None = None


class Commands:
    """All run commands of one world."""

    def __init__(
        self, timeline: Timeline, book: FaultBook, operations: Operations, calendar: Calendar
    ) -> None:
        self._timeline = timeline
        self._book = book
        self._operations = operations
        self._calendar = calendar
        self._managed: dict[tuple[MachineId, str], Command] = {}

    # The action -------------------------------------------------------------------------------------------------------

    def run(self, machine: MachineState, body: Json, now: datetime, request_id: str) -> Operation | Answer:
        """`POST runCommand`: taken, or refused."""
        shell, own = str(body.get("commandId", "")), SHELLS[family(machine.record)]
        if shell in SHELLS.values() and shell != own:
            return invalid(
                "commandId", f"The command '{shell}' can't be run on this system; its own is '{own}'."
            )
        taken = self._operations.take(Kind.RUN_COMMAND, machine, now, request_id=request_id)
        if isinstance(taken, Answer):
            return taken
        machine.command, _ = taken
        run = self._begun(machine, _lines(body.get("script")), body, taken, now, LONGEST)
        self._timeline.at(run.ends, partial(self._end_action, run, machine))
        return run.operation

    def _end_action(self, run: Run, machine: MachineState, now: datetime) -> None:
        machine.command = None
        if not machine.reachable:
            self._operations.end(run.operation, machine, now, error=no_agent(machine))
        elif run.settled is not None and run.settled.state == "TimedOut":
            error = {"code": "VMExtensionProvisioningTimeout", "message": f"{run.settled.message}."}
            self._operations.end(run.operation, machine, now, error=error)
        else:
            outcome = self._carry_out(run, machine, now)
            self._operations.end(run.operation, machine, now, output=_streams(machine, outcome))

    # Managed ones -----------------------------------------------------------------------------------------------------

    def put(
        self, machine: MachineState, name: str, body: Json, now: datetime, request_id: str
    ) -> Command | Answer:
        """`PUT runCommands/{name}`: made anew, or run again under the same name."""
        properties = _object(body.get("properties"))
        source = _object(properties.get("source"))
        if not (source.get("script") or source.get("scriptUri") or source.get("commandId")):
            return invalid("source", "Required parameter 'source' is missing (null).")
        known = self.find(machine.id, name)
        if known is not None and known.outcome is None:
            return conflict(
                f"Run command '{name}' is in progress. Please wait for completion before updating it."
            )
        taken = self._operations.take(Kind.RUN_COMMAND, machine, now, request_id=request_id, beside=True)
        if isinstance(taken, Answer):
            return taken
        operation, rng = taken
        arm_id = f"{machine.record.arm_id}/runCommands/{name}"
        command = Command(
            name,
            machine.id,
            arm_id,
            machine.record.location,
            properties,
            operation,
            _object(body.get("tags")),
        )
        self._managed[machine.id, name.lower()] = command
        longest = timedelta(seconds=float(properties.get("timeoutInSeconds") or LONGEST.total_seconds()))
        run = self._begun(machine, _lines(source.get("script")), properties, taken, now, longest)
        if properties.get("asyncExecution"):
            self._timeline.at(
                min(now + STARTED.draw(rng), run.ends), partial(self._provisioned, command, machine)
            )
        self._timeline.at(run.ends, partial(self._end_managed, command, run, machine))
        return command

    def find(self, machine: MachineId, name: str) -> Command | None:
        """A managed command by its name, in any case."""
        return self._managed.get((machine, name.lower()))

    def of(self, machine: MachineId) -> list[Command]:
        """All managed commands of a machine, by name."""
        return [command for (owner, _), command in sorted(self._managed.items()) if owner == machine]

    def delete(self, machine: MachineId, name: str) -> bool:
        """Forget a managed command; whether there was one. What it began goes on."""
        return self._managed.pop((machine, name.lower()), None) is not None

    def _provisioned(self, command: Command, machine: MachineState, now: datetime) -> None:
        if command.operation.ended is None:
            self._operations.end(command.operation, machine, now, output=command_model(command))

    def _end_managed(self, command: Command, run: Run, machine: MachineState, now: datetime) -> None:
        if machine.reachable:
            done = self._carry_out(run, machine, now)
        else:
            done = Outcome("Failed", message=str(no_agent(machine)["message"]))
        command.outcome, command.ended = done, now
        if command.operation.ended is not None:
            return
        if done.state != "Succeeded" and command.properties.get("treatFailureAsDeploymentFailure"):
            why = done.message or f"the script ended with exit code {done.exit_code}"
            error = {
                "code": "VMRunCommandExecutionFailed",
                "message": f"Run command '{command.name}': {why}.",
            }
            self._operations.end(command.operation, machine, now, error=error)
        else:
            self._operations.end(command.operation, machine, now, output=command_model(command))

    # What scripts do --------------------------------------------------------------------------------------------------

    def _begun(
        self,
        machine: MachineState,
        lines: list[str],
        body: Json,
        taken: tuple[Operation, random.Random],
        now: datetime,
        longest: timedelta,
    ) -> Run:
        operation, rng = taken
        script = read_script(lines, _parameters(body))
        took = COMMAND.draw(rng) + script.waits
        for _ in (*script.removes, *script.installs):
            took += SERVICING.draw(rng)
        faults = self._book.on_operation(Kind.RUN_COMMAND, machine.record)
        fails = first(faults, CommandFails)
        settled = None
        if first(faults, CommandHangs) is not None or took > longest:
            minutes = longest.total_seconds() / 60
            settled = Outcome(
                "TimedOut", message=f"The script didn't end within {minutes:g} minutes", exit_code=-1
            )
            took = longest
        elif fails is not None:
            settled = Outcome("Failed", error=f"{fails.message}\n", exit_code=fails.exit_code)
        return Run(operation, script, now + took, settled)

    def _carry_out(self, run: Run, machine: MachineState, now: datetime) -> Outcome:
        """Take away and install what the script names, and restart where it says so."""
        if run.settled is not None:
            return run.settled
        script, software = run.script, machine.software
        exit_code, errors, needed = script.exit_code, [], False
        for kb in script.removes:
            after = software.without(kb)
            if after is software and kb in script.passed_over:
                continue
            if after is software:
                errors.append(f"The update KB{kb} is not installed on this computer. ({NOT_INSTALLED:#x})")
                exit_code = exit_code or NOT_INSTALLED
                continue
            software, needed = after, True
            self._witness(machine, "uninstalled", kb, run.operation, now)
        for kb in script.installs:
            patch = find(software, kb, now, self._calendar)
            if patch is None or not applies(software, patch, self._calendar):
                errors.append(f"The update KB{kb} is not applicable to your computer. ({NOT_APPLICABLE:#x})")
                exit_code = exit_code or NOT_APPLICABLE
                continue
            software, needed = software.having([patch]), needed or patch.restarts
            self._witness(machine, "installed", kb, run.operation, now)
        self._operations.change(machine, software, run.operation.id, now)
        machine.reboot_pending = machine.reboot_pending or needed
        if script.restarts or (needed and script.restarts_if_required):
            self._operations.restart_itself(run.operation, machine, now)
        error = script.error + "".join(f"{line}\n" for line in errors)
        return Outcome("Failed" if exit_code else "Succeeded", script.output, error, exit_code)

    def _witness(
        self, machine: MachineState, event: str, kb: str, operation: Operation, now: datetime
    ) -> None:
        happening = Happening(now, machine.record.arm_id, event, operation.id, {"kbs": kb})
        self._timeline.record(happening)


# As it is told --------------------------------------------------------------------------------------------------------


def command_model(command: Command, *, expand: bool = False) -> Json:
    """A managed run command as a resource; `expand` adds its instance view. Protected parameters are never told."""
    hidden = {"protectedParameters", "runAsPassword"}
    properties: Json = {key: value for key, value in command.properties.items() if key not in hidden}
    properties["provisioningState"] = _provisioning(command)
    if expand:
        properties["instanceView"] = _instance_view(command)
    model: Json = {
        "id": command.arm_id,
        "name": command.name,
        "type": "Microsoft.Compute/virtualMachines/runCommands",
        "location": command.location,
        "properties": properties,
    }
    return {**model, "tags": command.tags} if command.tags else model


def _provisioning(command: Command) -> str:
    operation = command.operation
    if operation.error is not None:
        return "Failed"
    return "Creating" if operation.ended is None and command.outcome is None else "Succeeded"


def _instance_view(command: Command) -> Json:
    view: Json = {
        "executionState": "Running",
        "executionMessage": "",
        "output": "",
        "error": "",
        "startTime": stamp(command.operation.started),
        "statuses": [],
    }
    if command.outcome is not None and command.ended is not None:
        view |= {
            "executionState": command.outcome.state,
            "executionMessage": command.outcome.message,
            "exitCode": command.outcome.exit_code,
            "output": _last(command.outcome.output),
            "error": _last(command.outcome.error),
            "endTime": stamp(command.ended),
        }
    return view


def _streams(machine: MachineState, outcome: Outcome) -> Json:
    """The action's result: on Windows a status for each stream, on Linux one for both. It succeeds whatever the exit code."""
    output, error = _last(outcome.output), _last(outcome.error)
    if family(machine.record) is Os.LINUX:
        both = f"Enable succeeded: \n[stdout]\n{output}\n[stderr]\n{error}"
        return {"value": [_status("ProvisioningState/succeeded", both)]}
    named = (("StdOut", output), ("StdErr", error))
    return {"value": [_status(f"ComponentStatus/{name}/succeeded", text) for name, text in named]}


def _status(code: str, message: str) -> Json:
    return {"code": code, "level": "Info", "displayStatus": "Provisioning succeeded", "message": message}


def _last(text: str) -> str:
    return text.encode()[-OUTPUT_BYTES:].decode(errors="ignore")


def _lines(script: object) -> list[str]:
    """A script as a list of lines (the action's) or as one text (a managed one's)."""
    return [str(line) for line in script] if isinstance(script, list) else str(script or "").splitlines()


def _parameters(body: Json) -> dict[str, str]:
    told = [*(body.get("parameters") or ()), *(body.get("protectedParameters") or ())]
    return {
        str(one["name"]): str(one.get("value", "")) for one in told if isinstance(one, dict) and "name" in one
    }


def _object(told: object) -> Json:
    return dict(told) if isinstance(told, dict) else {}
