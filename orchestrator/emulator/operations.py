"""Operations: how each kind begins, what it refuses, and how it ends."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial

from orchestrator.emulator import arc
from orchestrator.emulator.catalogue import Patch, family
from orchestrator.emulator.chance import ASSESSMENT, COMMAND, NOTICE, OUTAGE, SHUTDOWN, WARM_UP, guid, stream
from orchestrator.emulator.fault_book import FaultBook, first
from orchestrator.emulator.faults import Fault, StaysOut, Unhealthy
from orchestrator.emulator.install_request import read_install_request
from orchestrator.emulator.installing import Course, Outage, ail, course
from orchestrator.emulator.life import Life
from orchestrator.emulator.problems import conflict, not_allowed, stamp
from orchestrator.emulator.state import PATCHING, Answer, Happening, Json, Kind, MachineState, Operation
from orchestrator.emulator.tempo import BY_CHANCE, Tempo
from orchestrator.emulator.timeline import Timeline
from orchestrator.inventory.model import Agent, MachineId, Power

_PREEMPTED: Json = {
    "code": "OperationPreempted",
    "message": "Operation execution has been preempted by a more recent operation.",
}


class Operations:
    """All operations of one world. `begin` is the one way in; an Answer instead of an operation is a refusal."""

    def __init__(
        self,
        timeline: Timeline,
        book: FaultBook,
        life: Life,
        *,
        seed: int,
        tempos: Mapping[MachineId, Tempo],
    ) -> None:
        self._timeline = timeline
        self._book = book
        self._life = life
        self._seed = seed
        self._tempos = tempos
        self._all: dict[str, Operation] = {}
        self._of: defaultdict[MachineId, list[Operation]] = defaultdict(list)

    def get(self, operation_id: str) -> Operation | None:
        """An operation by its id, in any case."""
        return self._all.get(operation_id.lower())

    def of(self, machine: MachineId) -> Sequence[Operation]:
        """All operations of a machine, in order."""
        return self._of.get(machine, ())

    def begin(
        self,
        kind: Kind,
        machine: MachineState,
        body: Json,
        now: datetime,
        *,
        by: str = "",
        request_id: str = "",
    ) -> Operation | Answer:
        """Take a request, or refuse it. What is taken goes into the audit at once, and so does a refused conflict."""
        taken = self._begin(kind, machine, body, now, by)
        details = {"by": by} if by else {}
        if request_id:
            details["request_id"] = request_id
        if isinstance(taken, Answer):
            if taken.status == 409:
                refused = {**details, "request": str(kind), "code": str((taken.body or {})["error"]["code"])}
                self._timeline.record(Happening(now, machine.record.arm_id, "refused", details=refused))
        else:
            self._timeline.record(Happening(now, machine.record.arm_id, str(kind), taken.id, details))
        return taken

    def _begin(
        self, kind: Kind, machine: MachineState, body: Json, now: datetime, by: str
    ) -> Operation | Answer:
        request = read_install_request(body, family(machine.record)) if kind is Kind.INSTALL else None
        if isinstance(request, Answer):
            return request
        refusal = arc.refusal(machine, now) if arc.is_arc(machine.record) else _refusal(kind, machine)
        if refusal is not None:
            return refusal
        machine.operations += 1
        rng = stream(self._seed, machine.id, machine.operations)
        operation = Operation(
            guid(rng), kind, machine.id, machine.record.location, machine.record.subscription, now, by
        )
        self._all[operation.id] = operation
        self._of[machine.id].append(operation)
        faults = self._book.on_operation(kind, machine.record)
        tempo = self._tempos.get(machine.id, BY_CHANCE)
        if request is not None:
            machine.running = operation
            settled = course(request, machine.pending, faults, rng, now, operation.id, tempo)
            self._follow(operation, machine, settled)
        elif kind is Kind.ASSESS:
            machine.running = operation
            self._timeline.at(now + ASSESSMENT.draw(rng), partial(self._end_assessment, operation, machine))
        elif kind is Kind.RESTART:
            if machine.running is not None:
                self._end(machine.running, machine, now, error=_PREEMPTED)
            machine.running = operation
            out = now + SHUTDOWN.draw(rng)
            outage = _outage(out, tempo, rng)
            assert outage.back is not None
            self._restart(operation, machine, outage, outage.back + NOTICE.draw(rng), faults)
        else:
            machine.command = operation
            self._timeline.at(now + COMMAND.draw(rng), partial(self._end_command, operation, machine))
        return operation

    # An installation -------------------------------------------------------------------------------------------------

    def _follow(self, operation: Operation, machine: MachineState, settled: Course) -> None:
        self._timeline.at(settled.visible, partial(self._show, operation, machine, settled))
        if settled.outage is not None:
            self._life.plan_outage(machine, settled.outage, operation.id)
        if settled.ailment is not None:
            after = settled.outage is not None
            self._life.plan_ailment(machine, settled.ailment, operation.id, after_outage=after)
        if settled.ends is not None:
            self._timeline.at(settled.ends, partial(self._end_installation, operation, machine, settled))

    def _end_installation(
        self, operation: Operation, machine: MachineState, settled: Course, now: datetime
    ) -> None:
        if operation.ended is not None:  # preempted
            return
        if machine.reachable:
            machine.pending = tuple(p for p in machine.pending if p.id not in settled.installed)
            machine.reboot_pending = settled.reboot_pending
            machine.assessment = assessment_summary(machine, operation.id, operation.started, now)
        error = settled.error
        if not machine.reachable and settled.result["rebootStatus"] != "Failed":  # it went off meanwhile
            error = _no_agent(machine)
        self._end(operation, machine, now, output=settled.result, error=error)

    def _show(self, operation: Operation, machine: MachineState, settled: Course, now: datetime) -> None:
        operation.visible, operation.visible_since = True, now
        if machine.shown is not None and machine.shown > operation.started:  # a later run is shown already
            return
        machine.shown = operation.started
        output = settled.result if operation.ended is None else (operation.output or settled.result)
        machine.installation = _installation_summary(operation, output, now)

    # The others ------------------------------------------------------------------------------------------------------

    def _restart(
        self,
        operation: Operation,
        machine: MachineState,
        outage: Outage,
        ends: datetime,
        faults: tuple[Fault, ...],
    ) -> None:
        machine.life += 1  # whatever was to come back by itself comes back by this restart, or not at all
        stays_out = first(faults, StaysOut)
        if stays_out is not None:
            outage = Outage(outage.out, None, None)
            if stays_out.recovers_after is not None:
                back = outage.out + stays_out.recovers_after
                outage = Outage(outage.out, back, back)
        planned, ailment = ail(outage, first(faults, Unhealthy), None)
        assert planned is not None
        self._life.plan_outage(machine, planned, operation.id)
        if ailment is not None:
            self._life.plan_ailment(machine, ailment, operation.id, after_outage=True)
        # The platform has restarted the machine when the time is over; whether its system came up is another matter.
        self._timeline.at(ends, partial(self._end_restart, operation, machine))

    def _end_restart(self, operation: Operation, machine: MachineState, now: datetime) -> None:
        if operation.ended is None:
            self._end(operation, machine, now)

    def _end_assessment(self, operation: Operation, machine: MachineState, now: datetime) -> None:
        if operation.ended is not None:
            return
        if not machine.reachable:
            self._end(operation, machine, now, error=_no_agent(machine))
            return
        machine.assessment = assessment_summary(machine, operation.id, operation.started, now)
        result: Json = {
            "status": "Succeeded",
            "assessmentActivityId": operation.id,
            "rebootPending": machine.reboot_pending,
            "criticalAndSecurityPatchCount": machine.assessment["criticalAndSecurityPatchCount"],
            "otherPatchCount": machine.assessment["otherPatchCount"],
            "startDateTime": stamp(operation.started),
            "availablePatches": [_available(patch, operation.id) for patch in machine.pending],
            "error": {"details": [], "code": "Success", "message": "0 error/s reported"},
        }
        self._end(operation, machine, now, output=result)

    def _end_command(self, operation: Operation, machine: MachineState, now: datetime) -> None:
        machine.command = None
        if not machine.reachable:
            self._end(operation, machine, now, error=_no_agent(machine))
            return
        streams = [
            {
                "code": f"ComponentStatus/{stream_name}/succeeded",
                "level": "Info",
                "displayStatus": "Provisioning succeeded",
                "message": "",
            }
            for stream_name in ("StdOut", "StdErr")
        ]
        self._end(operation, machine, now, output={"value": streams})

    def _end(
        self,
        operation: Operation,
        machine: MachineState,
        now: datetime,
        *,
        output: Json | None = None,
        error: Json | None = None,
    ) -> None:
        operation.ended, operation.output, operation.error = now, output, error
        if machine.running is operation:
            machine.running = None
        status = "Failed" if error is not None else str((output or {}).get("status", "Succeeded"))
        if operation.kind is Kind.INSTALL and error is not None:
            operation.output = {"status": "Failed", "installationActivityId": operation.id, "error": error}
        if operation.kind is Kind.INSTALL and operation.visible and machine.shown == operation.started:
            machine.installation = _installation_summary(operation, operation.output or {}, now)
        details = {"status": status, **({"by": operation.by} if operation.by else {})}
        self._timeline.record(
            Happening(now, machine.record.arm_id, f"{operation.kind}_end", operation.id, details)
        )


def _outage(out: datetime, tempo: Tempo, rng: random.Random) -> Outage:
    """A restart's, drawn whole whatever is known of the machine, so that what is known shifts nothing else."""
    outage, warm_up = OUTAGE.draw(rng), WARM_UP.draw(rng)
    back = out + (outage if tempo.restarts is None else tempo.restarts)
    return Outage(out, back, back + (warm_up if tempo.warms_up is None else tempo.warms_up))


def _refusal(kind: Kind, machine: MachineState) -> Answer | None:
    name = machine.record.name
    if machine.power is not Power.RUNNING:
        return not_allowed(
            f"The operation requires the VM '{name}' to be running. Its power state is '{machine.power}'."
        )
    if machine.agent is Agent.MISSING and kind is not Kind.RESTART:
        return not_allowed(f"The operation requires the guest agent of VM '{name}', which isn't provisioned.")
    if kind in PATCHING and machine.running is not None:
        return conflict(
            "The request failed due to conflict with a concurrent request. To resolve it, please refer to "
            "https://aka.ms/activitylog to get more details on the conflicting requests."
        )
    if kind is Kind.RUN_COMMAND and machine.command is not None:
        return conflict(
            "Run command extension execution is in progress. Please wait for completion before invoking a run command."
        )
    return None


def _no_agent(machine: MachineState) -> Json:
    return {
        "code": "VMAgentStatusCommunicationError",
        "message": f"VM '{machine.record.name}' has not reported status for VM agent or extensions. Verify that the OS is "
        "up and healthy, the VM has a running VM agent, and that it can establish outbound connections to Azure storage.",
    }


def assessment_summary(machine: MachineState, activity: str, started: datetime, now: datetime) -> Json:
    """`availablePatchSummary` as an assessment (or the one that ends an installation) leaves it."""
    important = sum(patch.classification in {"Critical", "Security"} for patch in machine.pending)
    return {
        "status": "Succeeded",
        "assessmentActivityId": activity,
        "rebootPending": machine.reboot_pending,
        "criticalAndSecurityPatchCount": important,
        "otherPatchCount": len(machine.pending) - important,
        "startTime": stamp(started),
        "lastModifiedTime": stamp(now),
        "error": {"details": [], "code": "Success", "message": "0 error/s reported"},
    }


def _installation_summary(operation: Operation, result: Json, now: datetime) -> Json:
    running = operation.ended is None
    summary: Json = {
        "status": "InProgress" if running else result.get("status", "Unknown"),
        "installationActivityId": operation.id,
        "maintenanceWindowExceeded": not running and bool(result.get("maintenanceWindowExceeded")),
        "startTime": stamp(operation.started),
        "lastModifiedTime": stamp(now if running else operation.ended or now),
    }
    for count in ("notSelected", "excluded", "pending", "installed", "failed"):
        summary[f"{count}PatchCount"] = result.get(f"{count}PatchCount", 0)
    if running:
        summary["pendingPatchCount"] = summary["installedPatchCount"] + summary["failedPatchCount"]
        summary["installedPatchCount"] = summary["failedPatchCount"] = 0
    elif result.get("error"):
        summary["error"] = result["error"]
    return summary


def _available(patch: Patch, activity: str) -> Json:
    identity = {"kbId": patch.kb} if patch.kb else {"version": patch.version}
    return {
        "patchId": patch.id,
        "name": patch.name,
        **identity,
        "classifications": [patch.classification],
        "rebootBehavior": patch.behavior,
        "activityId": activity,
        "publishedDate": stamp(patch.published),
        "lastModifiedDateTime": stamp(patch.published),
        "assessmentState": "Available",
    }
