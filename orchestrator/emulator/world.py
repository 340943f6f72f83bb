"""The emulated world: machines, what is done to them, and what really becomes of them.

Pure and seeded. Time is an argument: a world that is asked for a later moment first lets everything happen that was due
until then, in order, so what happens doesn't depend on how often anybody looks. Each method that stands for a request
goes through the front door (faults, rate limits) and answers as Azure Resource Manager would; `view`, `model` and
`probe` are the truth itself, free of charge.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from types import MappingProxyType

from orchestrator.emulator import arc
from orchestrator.emulator.beginning import Beginning, set_ids
from orchestrator.emulator.catalogue import family
from orchestrator.emulator.commands import Commands, command_model
from orchestrator.emulator.dealing import Dealt, deal
from orchestrator.emulator.fault_book import FaultBook
from orchestrator.emulator.faults import NO_FAULTS, Faults, ForeignRun, GoesOff, Vanishes
from orchestrator.emulator.front_door import FrontDoor, Passage
from orchestrator.emulator.graph_pages import Pages
from orchestrator.emulator.graph_quota import Quota
from orchestrator.emulator.life import Life
from orchestrator.emulator.months import USUAL, Calendar
from orchestrator.emulator.operations import Operations
from orchestrator.emulator.others import Others
from orchestrator.emulator.problems import not_found, problem, stamp
from orchestrator.emulator.rights import ALL, Rights
from orchestrator.emulator.settings import patched
from orchestrator.emulator.signed_urls import Signer
from orchestrator.emulator.software import DEFAULT_RESTART_SHARE
from orchestrator.emulator.state import Answer, Happening, Json, Kind, MachineState, Operation
from orchestrator.emulator.tempo import BY_CHANCE, Tempo
from orchestrator.emulator.timeline import Timeline
from orchestrator.emulator.views import instance_view, machine_model
from orchestrator.inventory.model import AppHealth, Inventory, Machine, MachineId, machine_id

PUBLIC = "https://management.azure.com"
MACHINES = "Microsoft.Compute/virtualMachines"


class World:
    """Machines of one inventory from `start` on. `now` is aware everywhere; an earlier one than before means the present.

    `restart_share` of the machines wait for a patch that restarts them; `signed_urls` is off for ARM as before 2023;
    `tempos` say what is known of machines and not left to chance; `calendar` what months bring besides the usual;
    `azure_patches` whether Azure patches those whose settings let it.
    """

    def __init__(
        self,
        inventory: Inventory,
        *,
        seed: int,
        start: datetime,
        faults: Faults = NO_FAULTS,
        restart_share: float = DEFAULT_RESTART_SHARE,
        signed_urls: bool = True,
        tempos: Mapping[MachineId, Tempo] = MappingProxyType({}),
        calendar: Calendar = USUAL,
        azure_patches: bool = False,
    ) -> None:
        self.start = start.astimezone(UTC)
        self.seed = seed
        self.dealt: Dealt = deal(inventory, seed=seed)
        self.signer = Signer(seed, signed=signed_urls)
        self.rights: Rights = ALL  # of whoever asks over ARM
        self.graph_quota = Quota(self.start)
        self.graph_pages = Pages()
        book = FaultBook(faults, seed=seed, start=self.start)
        self._timeline = Timeline(self.start)
        self._door = FrontDoor(book, self.start)
        self._life = Life(self._timeline, seed=seed)
        self._operations = Operations(
            self._timeline, book, self._life, seed=seed, tempos=tempos, calendar=calendar
        )
        self._commands = Commands(self._timeline, book, self._operations, calendar)
        first = Beginning(seed, self.start, restart_share, calendar)
        self._states = {m.id: first.state(m, tempos.get(m.id, BY_CHANCE)) for m in self.dealt.machines}
        self.set_ids = set_ids(inventory)
        self._models = {
            m.id: machine_model(m, self.set_ids) for m in self.dealt.machines if not arc.is_arc(m)
        }
        self._others = Others(self._timeline, self._operations, calendar, self._models, seed=seed)
        if azure_patches:
            self._others.let_azure_patch(self._all, self.start)
        by_subscription: defaultdict[str, list[MachineId]] = defaultdict(list)
        for machine in self.dealt.machines:
            by_subscription[machine.subscription.lower()].append(machine.id)
        self._by_subscription = {owner: tuple(ids) for owner, ids in by_subscription.items()}
        self._requests = 0
        self._schedule(book)

    # What is true -----------------------------------------------------------------------------------------------------

    def machines(self, subscription: str | None = None) -> tuple[MachineId, ...]:
        """All machines, or a subscription's, sorted by id."""
        if subscription is None:
            return tuple(self._states)
        return self._by_subscription.get(subscription.lower(), ())

    def record(self, machine: str) -> Machine | None:
        """What the inventory says of a machine, with the domains it was dealt; None if there is none."""
        state = self._states.get(machine_id(machine))
        return None if state is None else state.record

    def state(self, machine: str) -> MachineState | None:
        """A machine as it really is, not to be changed; None if there is none."""
        return self._states.get(machine_id(machine))

    def operations(self, machine: str) -> Sequence[Operation]:
        """All that was begun on a machine, in order."""
        return self._operations.of(machine_id(machine))

    def model(self, machine: str) -> Json:
        """A virtual machine's model; not to be changed by the caller. KeyError if there is none."""
        return self._models[machine_id(machine)]

    def view(self, machine: str, now: datetime) -> Json:
        """The machine's instance view at `now`. KeyError if there is none."""
        now = self._timeline.run_to(now)
        return instance_view(self._states[machine_id(machine)], now)

    def appearance(self, machine: MachineId, now: datetime) -> tuple[object, ...]:
        """All that the machine's instance view is made of, but for times: while it is the same, so is what the view says."""
        self._timeline.run_to(now)
        state = self._states[machine]
        return state.power, state.agent, state.out, state.app, state.installation, state.assessment

    def probe(self, machine: str, now: datetime) -> tuple[int, Json]:
        """What the machine's own health endpoint answers: 200, 503, or 0 if nobody answers at all."""
        self._timeline.run_to(now)
        state = self._states.get(machine_id(machine))
        if state is None or not state.answers:
            return 0, {}
        healthy = state.app is AppHealth.HEALTHY
        return (200 if healthy else 503), {"machine": state.record.name, "status": str(state.app)}

    def advance(self, now: datetime) -> list[Happening]:
        """Let the world come to `now`; the audit's lines since the last call, in the order of time."""
        self._timeline.run_to(now)
        return self._timeline.take_happened()

    def next_happening(self) -> datetime | None:
        """When something happens next if nobody asks for anything before; None: nothing will."""
        return self._timeline.next()

    # What can be asked ------------------------------------------------------------------------------------------------

    def enter(self, kind: Kind, now: datetime, *, subscription: str, region: str = "") -> Passage:
        """The front door, for requests that are about no single machine (lists, sets, locations)."""
        return self._door.enter(
            kind, self._timeline.run_to(now), subscription=subscription.lower(), region=region
        )

    def get(self, machine: str, now: datetime, *, expand: bool = False) -> Answer:
        """The machine's model; `expand` adds its instance view."""
        now, state, passage = self._arrive(Kind.GET, machine, now)
        if state is None or passage.refused is not None:
            return passage.refused or _missing(machine)
        if arc.is_arc(state.record):
            return passage.out(Answer(200, {}, arc.machine_model(state, now)))
        body = self._models[state.id]
        if expand:
            view = instance_view(state, now)
            body = {**body, "properties": {**body["properties"], "instanceView": view}}
        return passage.out(Answer(200, {}, body))

    def instance_view(self, machine: str, now: datetime) -> Answer:
        """The machine's instance view, asked for over ARM."""
        now, state, passage = self._arrive(Kind.VIEW, machine, now)
        if state is None or passage.refused is not None:
            return passage.refused or _missing(machine)
        return passage.out(Answer(200, {}, instance_view(state, now)))

    def install(
        self,
        machine: str,
        body: Json,
        now: datetime,
        client_request_id: str = "",
        base: str = PUBLIC,
    ) -> Answer:
        """`installPatches`: 202 with the URLs to follow it, or a refusal."""
        return self._start(Kind.INSTALL, machine, body, now, client_request_id, base)

    def assess(self, machine: str, now: datetime, client_request_id: str = "", base: str = PUBLIC) -> Answer:
        """`assessPatches`."""
        return self._start(Kind.ASSESS, machine, {}, now, client_request_id, base)

    def restart(self, machine: str, now: datetime, client_request_id: str = "", base: str = PUBLIC) -> Answer:
        """`restart`. It preempts a patch operation that is under way."""
        return self._start(Kind.RESTART, machine, {}, now, client_request_id, base)

    def run_command(
        self,
        machine: str,
        body: Json,
        now: datetime,
        client_request_id: str = "",
        base: str = PUBLIC,
    ) -> Answer:
        """`runCommand`, the action: 202 with the URLs to follow it, or a refusal."""
        return self._start(Kind.RUN_COMMAND, machine, body, now, client_request_id, base)

    def put_command(
        self,
        machine: str,
        name: str,
        body: Json,
        now: datetime,
        client_request_id: str = "",
        base: str = PUBLIC,
    ) -> Answer:
        """`PUT runCommands/{name}`: 201 with the command as it begins, or a refusal."""
        now, state, passage = self._arrive(Kind.RUN_COMMAND, machine, now)
        if state is None or passage.refused is not None:
            return passage.refused or _missing(machine)
        known = self._commands.find(state.id, name) is not None
        made = self._commands.put(state, name, body, now, client_request_id)
        if isinstance(made, Answer):
            return passage.out(made)
        headers = {
            "Azure-AsyncOperation": self._url(made.operation, base, monitor=False),
            "Retry-After": "10",
        }
        status = 200 if known else 201
        return passage.out(Answer(status, headers, command_model(made), made.operation.id))

    def get_command(self, machine: str, name: str, now: datetime, *, expand: bool = False) -> Answer:
        """One managed run command; `expand` adds its instance view."""
        now, state, passage = self._arrive(Kind.GET, machine, now)
        if state is None or passage.refused is not None:
            return passage.refused or _missing(machine)
        command = self._commands.find(state.id, name)
        if command is None:
            return passage.out(_no_command(state.record, name))
        return passage.out(Answer(200, {}, command_model(command, expand=expand)))

    def list_commands(self, machine: str, now: datetime, *, expand: bool = False) -> Answer:
        """All managed run commands of a machine."""
        now, state, passage = self._arrive(Kind.GET, machine, now)
        if state is None or passage.refused is not None:
            return passage.refused or _missing(machine)
        value = [command_model(command, expand=expand) for command in self._commands.of(state.id)]
        return passage.out(Answer(200, {}, {"value": value}))

    def delete_command(self, machine: str, name: str, now: datetime) -> Answer:
        """`DELETE runCommands/{name}`: 200, or 204 where there is none."""
        now, state, passage = self._arrive(Kind.UPDATE, machine, now)
        if state is None or passage.refused is not None:
            return passage.refused or _missing(machine)
        return passage.out(Answer(200 if self._commands.delete(state.id, name) else 204))

    def update(self, machine: str, body: Json, now: datetime, client_request_id: str = "") -> Answer:
        """`PATCH`: patch settings and tags, at once. 200 with the model as it is now, or a refusal."""
        now, state, passage = self._arrive(Kind.UPDATE, machine, now)
        if state is None or passage.refused is not None:
            return passage.refused or _missing(machine)
        after = patched(state.record, family(state.record), self._models[state.id], body)
        if isinstance(after, Answer):
            return passage.out(after)
        self._models[state.id] = after.model
        self._timeline.record(
            Happening(now, state.record.arm_id, "updated", details={"request_id": client_request_id})
        )
        self._operations.change(state, replace(state.software, hotpatching=after.hotpatching), "", now)
        return passage.out(Answer(200, {}, after.model))

    def operation(self, operation_id: str, now: datetime) -> Answer:
        """An operation as its status URL (`Azure-AsyncOperation`) shows it: always 200."""
        operation = self.find_operation(operation_id)
        if operation is None:
            return _no_operation(operation_id)
        _, _, passage = self._arrive(Kind.OPERATION, operation.machine, now)
        if passage.refused is not None:
            return passage.refused
        body: Json = {"startTime": stamp(operation.started)}
        if operation.ended is not None:
            body["endTime"] = stamp(operation.ended)
        body["status"] = operation.status
        if operation.error is not None:
            body["error"] = operation.error
        elif operation.output is not None:
            body["properties"] = {"output": operation.output}
        body["name"] = operation.id
        return passage.out(Answer(200, {}, body, operation.id))

    def result(self, operation_id: str, now: datetime, base: str = PUBLIC) -> Answer:
        """An operation as its result URL (`Location`) shows it: 202 without a body, and at last the bare result."""
        operation = self.find_operation(operation_id)
        if operation is None:
            return _no_operation(operation_id)
        _, _, passage = self._arrive(Kind.OPERATION, operation.machine, now)
        if passage.refused is not None:
            return passage.refused
        record = self.record(operation.machine)
        hybrid = record is not None and arc.is_arc(record)
        if operation.ended is None:
            url = arc.location(operation, base) if hybrid else self._url(operation, base, monitor=True)
            answer = Answer(202, {"Location": url}, None, operation.id)
        elif operation.error is not None:
            answer = problem(409, operation.error["code"], operation.error["message"])
        else:
            told = arc.result(operation, record) if record is not None and hybrid else operation.output
            answer = Answer(200, {}, told, operation.id)
        return passage.out(answer)

    def find_operation(self, operation_id: str) -> Operation | None:
        """An operation by its id, for whoever checks the signature of its URL."""
        return self._operations.get(operation_id)

    def request_id(self) -> str:
        """A new id for a request, different for every one of this world."""
        self._requests += 1
        return f"{self.seed & 0xFFFFFFFF:08x}-0000-4000-8000-{self._requests:012x}"

    # How it is done ---------------------------------------------------------------------------------------------------

    def _start(
        self, kind: Kind, machine: str, body: Json, now: datetime, request_id: str, base: str
    ) -> Answer:
        now, state, passage = self._arrive(kind, machine, now)
        if state is None or passage.refused is not None:
            return passage.refused or _missing(machine)
        taken: Operation | Answer
        if kind is Kind.RUN_COMMAND:
            taken = self._commands.run(state, body, now, request_id)
        else:
            taken = self._operations.begin(kind, state, body, now, request_id=request_id)
        if isinstance(taken, Answer):
            return passage.out(taken)
        if arc.is_arc(state.record):
            return passage.out(Answer(202, {"Location": arc.location(taken, base)}, None, taken.id))
        headers = {
            "Azure-AsyncOperation": self._url(taken, base, monitor=False),
            "Azure-AsyncNotification": "Enabled",
            "Location": self._url(taken, base, monitor=True),
        }
        if kind in {Kind.RESTART, Kind.RUN_COMMAND}:  # patch operations were never seen to send one
            headers["Retry-After"] = "10"
        return passage.out(Answer(202, headers, None, taken.id))

    def _arrive(
        self, kind: Kind, machine: str, now: datetime
    ) -> tuple[datetime, MachineState | None, Passage]:
        now = self._timeline.run_to(now)
        state = self._states.get(machine_id(machine))
        if state is None:
            return now, None, Passage(None)
        record = state.record
        passage = self._door.enter(
            kind, now, subscription=record.subscription.lower(), region=record.location, machine=record
        )
        return now, state, passage

    def _url(self, operation: Operation, base: str, *, monitor: bool) -> str:
        return f"{base}{self.signer.path(operation)}?{self.signer.query(operation, monitor=monitor)}"

    def _schedule(self, book: FaultBook) -> None:
        """What happens of its own accord: machines that go off, and installations that somebody else starts."""
        for state in self._states.values():
            for at, off in book.timed(GoesOff, state.record):
                self._timeline.at(at, partial(self._life.switch_off, state, off.for_))
            for at, run in book.timed(ForeignRun, state.record):
                self._others.plan(state, run, at)
            for at, _ in book.timed(Vanishes, state.record):
                self._timeline.at(at, partial(self._vanish, state))

    def _all(self) -> list[MachineState]:
        return list(self._states.values())

    def _vanish(self, machine: MachineState, now: datetime) -> None:
        """The machine is off for good, and nobody finds it any more."""
        self._life.switch_off(machine, None, now)
        self._timeline.record(Happening(now, machine.record.arm_id, "vanished"))
        owner = machine.record.subscription.lower()
        self._states.pop(machine.id, None)
        self._by_subscription[owner] = tuple(m for m in self._by_subscription[owner] if m != machine.id)


def _missing(machine: str) -> Answer:
    parts = machine.strip("/").split("/")
    return not_found(MACHINES, parts[-1], parts[3] if len(parts) > 3 else "")


def _no_command(machine: Machine, name: str) -> Answer:
    return not_found(f"{MACHINES}/{machine.name}/runCommands", name, machine.resource_group)


def _no_operation(operation_id: str) -> Answer:
    return problem(404, "NotFound", f"The entity '{operation_id}' was not found in this location.")
