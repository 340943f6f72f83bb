"""Operations: how each kind begins, what it refuses, and how it ends. Run commands have a module of their own."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from types import MappingProxyType

from orchestrator.emulator import arc
from orchestrator.emulator.catalogue import family
from orchestrator.emulator.chance import ASSESSMENT, NOTICE, OUTAGE, SHUTDOWN, WARM_UP, guid, stream
from orchestrator.emulator.choosing import chosen
from orchestrator.emulator.fault_book import FaultBook, first
from orchestrator.emulator.faults import Fault, StaysOut, Unhealthy
from orchestrator.emulator.install_request import InstallRequest, read_install_request
from orchestrator.emulator.installing import Course, Outage, ail, course
from orchestrator.emulator.life import Life
from orchestrator.emulator.months import Calendar
from orchestrator.emulator.patch_status import assess, available, installation_summary
from orchestrator.emulator.problems import conflict, not_allowed, stamp
from orchestrator.emulator.software import Software
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
        calendar: Calendar,
    ) -> None:
        self._timeline = timeline
        self._book = book
        self._life = life
        self._seed = seed
        self._tempos = tempos
        self._calendar = calendar
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
        who: str = "",
        request_id: str = "",
    ) -> Operation | Answer:
        """Take a request, or refuse it. What is taken goes into the audit at once, and so does a refused conflict."""
        request = read_install_request(body, family(machine.record)) if kind is Kind.INSTALL else None
        if isinstance(request, Answer):
            return request
        taken = self.take(kind, machine, now, by=by, who=who, request_id=request_id)
        if isinstance(taken, Answer):
            return taken
        operation, rng = taken
        machine.running = operation
        if request is not None:
            self._install(operation, machine, request, rng, now)
        elif kind is Kind.ASSESS:
            self._timeline.at(now + ASSESSMENT.draw(rng), partial(self._end_assessment, operation, machine))
        else:
            self._restart(operation, machine, rng, now)
        return operation

    def take(
        self,
        kind: Kind,
        machine: MachineState,
        now: datetime,
        *,
        by: str = "",
        who: str = "",
        request_id: str = "",
        beside: bool = False,
    ) -> tuple[Operation, random.Random] | Answer:
        """Let an operation begin, with the chance that belongs to it; or the refusal. Either goes into the audit.

        `beside`: it may go on beside others of its kind.
        """
        details = {"by": by, **({"who": who} if who else {})} if by else {}
        if request_id:
            details["request_id"] = request_id
        refusal = _refusal(kind, machine, now, beside=beside)
        if refusal is not None:
            code = str((refusal.body or {})["error"]["code"])
            refused = {**details, "request": str(kind), "code": code}
            self._timeline.record(Happening(now, machine.record.arm_id, "refused", details=refused))
            return refusal
        machine.operations += 1
        rng = stream(self._seed, machine.id, machine.operations)
        record = machine.record
        operation = Operation(guid(rng), kind, machine.id, record.location, record.subscription, now, by, who)
        self._all[operation.id] = operation
        self._of[machine.id].append(operation)
        if kind is Kind.RESTART and machine.running is not None:
            self.end(machine.running, machine, now, error=_PREEMPTED)
        self._timeline.record(Happening(now, record.arm_id, str(kind), operation.id, details))
        return operation, rng

    # An installation -------------------------------------------------------------------------------------------------

    def _install(
        self,
        operation: Operation,
        machine: MachineState,
        request: InstallRequest,
        rng: random.Random,
        now: datetime,
    ) -> None:
        settled = course(
            request,
            chosen(machine.software, request, now, self._calendar),
            self._book.on_operation(Kind.INSTALL, machine.record),
            rng,
            now,
            operation.id,
            self._tempos.get(machine.id, BY_CHANCE),
            reboot_pending=machine.reboot_pending,
        )
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
            self.change(machine, machine.software.having(settled.installed), operation.id, now)
            machine.reboot_pending = settled.reboot_pending
            assess(machine, operation.id, operation.started, now, self._calendar)
        error = settled.error
        if not machine.reachable and settled.result["rebootStatus"] != "Failed":  # it went off meanwhile
            error = no_agent(machine)
        told = {"kbs": " ".join(patch.kb or patch.name for patch in settled.installed)}
        self.end(operation, machine, now, output=settled.result, error=error, told={} if error else told)

    def _show(self, operation: Operation, machine: MachineState, settled: Course, now: datetime) -> None:
        operation.visible, operation.visible_since = True, now
        if machine.shown is not None and machine.shown > operation.started:  # a later run is shown already
            return
        machine.shown = operation.started
        output = settled.result if operation.ended is None else (operation.output or settled.result)
        machine.installation = installation_summary(operation, output, now)

    # The others ------------------------------------------------------------------------------------------------------

    def _restart(
        self, operation: Operation, machine: MachineState, rng: random.Random, now: datetime
    ) -> None:
        faults = self._book.on_operation(Kind.RESTART, machine.record)
        outage = _outage(now + SHUTDOWN.draw(rng), self._tempos.get(machine.id, BY_CHANCE), rng)
        assert outage.back is not None
        ends = outage.back + NOTICE.draw(rng)
        self._go_down(operation.id, machine, outage, faults)
        # The platform has restarted the machine when the time is over; whether its system came up is another matter.
        self._timeline.at(ends, partial(self._end_restart, operation, machine))

    def restart_itself(self, operation: Operation, machine: MachineState, now: datetime) -> None:
        """Let a machine's own system restart it, on account of an operation that has ended by then."""
        rng = stream(self._seed, operation.id, "restarts itself")
        faults = self._book.on_operation(Kind.RESTART, machine.record)
        outage = _outage(now + SHUTDOWN.draw(rng), self._tempos.get(machine.id, BY_CHANCE), rng)
        self._go_down(operation.id, machine, outage, faults)

    def _go_down(
        self, operation: str, machine: MachineState, outage: Outage, faults: tuple[Fault, ...]
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
        self._life.plan_outage(machine, planned, operation)
        if ailment is not None:
            self._life.plan_ailment(machine, ailment, operation, after_outage=True)

    def _end_restart(self, operation: Operation, machine: MachineState, now: datetime) -> None:
        if operation.ended is None:
            self.end(operation, machine, now)

    def _end_assessment(self, operation: Operation, machine: MachineState, now: datetime) -> None:
        if operation.ended is not None:
            return
        if not machine.reachable:
            self.end(operation, machine, now, error=no_agent(machine))
            return
        assess(machine, operation.id, operation.started, now, self._calendar)
        assert machine.assessment is not None
        result: Json = {
            "status": "Succeeded",
            "assessmentActivityId": operation.id,
            "rebootPending": machine.reboot_pending,
            "criticalAndSecurityPatchCount": machine.assessment["criticalAndSecurityPatchCount"],
            "otherPatchCount": machine.assessment["otherPatchCount"],
            "startDateTime": stamp(operation.started),
            "availablePatches": [available(patch, operation.id) for patch in machine.found],
            "error": {"details": [], "code": "Success", "message": "0 error/s reported"},
        }
        self.end(operation, machine, now, output=result)

    def change(self, machine: MachineState, software: Software, operation: str, now: datetime) -> None:
        """Let what is installed be this from now on; the audit tells of a machine that leaves the hotpatch track or joins it."""
        was, machine.software = machine.software, software
        if was.on_track != software.on_track:
            event = "joined_hotpatch_track" if software.on_track else "left_hotpatch_track"
            self._timeline.record(Happening(now, machine.record.arm_id, event, operation))

    def end(
        self,
        operation: Operation,
        machine: MachineState,
        now: datetime,
        *,
        output: Json | None = None,
        error: Json | None = None,
        told: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        """Let an operation be over, with its result or the error that it failed with as a whole; `told` is more for the audit."""
        operation.ended, operation.output, operation.error = now, output, error
        if machine.running is operation:
            machine.running = None
        status = "Failed" if error is not None else str((output or {}).get("status", "Succeeded"))
        if operation.kind is Kind.INSTALL and error is not None:
            operation.output = {"status": "Failed", "installationActivityId": operation.id, "error": error}
        if operation.kind is Kind.INSTALL and operation.visible and machine.shown == operation.started:
            machine.installation = installation_summary(operation, operation.output or {}, now)
        details = {"status": status, **({"by": operation.by} if operation.by else {}), **told}
        self._timeline.record(
            Happening(now, machine.record.arm_id, f"{operation.kind}_end", operation.id, details)
        )


def _outage(out: datetime, tempo: Tempo, rng: random.Random) -> Outage:
    """A restart's, drawn whole whatever is known of the machine, so that what is known shifts nothing else."""
    outage, warm_up = OUTAGE.draw(rng), WARM_UP.draw(rng)
    back = out + (outage if tempo.restarts is None else tempo.restarts)
    return Outage(out, back, back + (warm_up if tempo.warms_up is None else tempo.warms_up))


def _refusal(kind: Kind, machine: MachineState, now: datetime, *, beside: bool) -> Answer | None:
    if arc.is_arc(machine.record):
        return arc.refusal(machine, now)
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
    if kind is Kind.RUN_COMMAND and machine.command is not None and not beside:
        return conflict(
            "Run command extension execution is in progress. Please wait for completion before invoking a run command."
        )
    return None


def no_agent(machine: MachineState) -> Json:
    """The error of an operation that heard nothing of the guest agent."""
    return {
        "code": "VMAgentStatusCommunicationError",
        "message": f"VM '{machine.record.name}' has not reported status for VM agent or extensions. Verify that the OS is "
        "up and healthy, the VM has a running VM agent, and that it can establish outbound connections to Azure storage.",
    }
