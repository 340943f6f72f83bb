"""What an enrolment is about to set, and whether it stands there afterwards."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from orchestrator.errors import Refused, UsageError
from orchestrator.inventory.model import Inventory, MachineId
from orchestrator.planner.enrolment import differences, told
from orchestrator.planner.model import Plan
from orchestrator.policy.change import Enrolment, Settings
from orchestrator.rollout.state import MachineStatus, Rollout

_NOT_BEGUN = frozenset({MachineStatus.PENDING, MachineStatus.LEFT_OUT, MachineStatus.SKIPPED})


@dataclass(frozen=True, slots=True)
class Transition:
    """A setting that goes from one value to another on some machines."""

    key: str
    before: str
    after: str
    machines: int


def transitions(change: Enrolment) -> tuple[Transition, ...]:
    """What changes, by setting; the most frequent first."""
    counted = Counter(
        (key, told(dict(one.former)[key]), told(value))
        for one in change.settings
        for key, value in one.wanted
    )
    ordered = sorted(counted.items(), key=lambda item: (item[0][0], -item[1], item[0]))
    return tuple(Transition(key, before, after, number) for (key, before, after), number in ordered)


@dataclass(frozen=True, slots=True)
class Enrolled:
    """What a rollout set, or may have set, with how it was before; and the subscriptions of its machines."""

    rollout: str
    change: Enrolment
    subscriptions: tuple[str, ...]


def done_by(rollout: Rollout) -> Enrolled:
    """The settings that a rollout wrote, or may have written. Raises `UsageError` for one that enrolled nobody."""
    change = rollout.planned.plan.change
    if not isinstance(change, Enrolment):
        raise UsageError(f"rollout {rollout.id} wrote no settings; unenrol takes back what an enrolment set")
    if not rollout.over:
        raise Refused(f"rollout {rollout.id} isn't over: abort it first, then take back what it has set")
    begun = {
        rollout.planned.machine(index).id
        for index, run in enumerate(rollout.machines)
        if run.status not in _NOT_BEGUN
    }
    set_there = Enrolment(tuple(one for one in change.settings if one.machine in begun), change.undoes)
    concerned = {one.subscription for one in rollout.planned.plan.machines if one.change}
    return Enrolled(rollout.id, set_there, tuple(sorted(concerned)))


@dataclass(frozen=True, slots=True)
class ReadBack:
    """Machines by whether they stand as was wanted. `differing`: names, each with how it stands."""

    right: int
    differing: Mapping[str, str]
    gone: int


def read_back(settings: Iterable[Settings], fleet: Inventory) -> ReadBack:
    """How the machines stand now."""
    machines = {machine.id: machine for machine in fleet.machines}
    right, gone = 0, 0
    differing: dict[str, str] = {}
    for one in settings:
        machine = machines.get(one.machine)
        if machine is None:
            gone += 1
        elif found := differences(machine, one.wanted):
            differing[machine.name] = "; ".join(found)
        else:
            right += 1
    return ReadBack(right, differing, gone)


def moved_since(plan: Plan, fleet: Inventory) -> tuple[tuple[int, str], ...]:
    """Machines of a plan whose settings are neither what it found nor what it wants: who changed them did so after it was reviewed, and
    what stood there before would be lost. By index, each with why it is left alone.
    """
    change = plan.change
    if not isinstance(change, Enrolment):
        return ()
    machines = {machine.id: machine for machine in fleet.machines}
    moved = []
    for index, planned in enumerate(plan.machines):
        one, machine = change.of(planned.id), machines.get(planned.id)
        if one is None or machine is None or not planned.change:
            continue
        changed = differences(machine, one.former)
        if changed and differences(machine, one.wanted):
            moved.append((index, f"its settings were changed since the plan: {'; '.join(changed)}"))
    return tuple(moved)


def written_by(rollout: Rollout) -> tuple[MachineId, ...]:
    """The machines on which a rollout wrote its settings for sure."""
    return tuple(
        rollout.planned.machine(index).id
        for index, run in enumerate(rollout.machines)
        if run.status is MachineStatus.DONE
    )
