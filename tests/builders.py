"""Plans made by hand: machines are named by a word, everything else is said in as few words as the test needs.

    plan_of(
        lane("west", "a b", "c"),
        rules=[budget(1, "a b c")],
    )

is one lane of two waves. A machine's place in the plan is that of its name among all names, sorted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

from orchestrator.availability.model import Budget, Constraint, Exclusion, Order
from orchestrator.hotpatch.model import Restarts
from orchestrator.inventory.model import Kind, MachineId, Os
from orchestrator.planner.model import (
    AroundSteps,
    Bound,
    Lane,
    Plan,
    PlannedMachine,
    ProbedGroup,
    StageGate,
    Wave,
)
from orchestrator.policy.change import Rollback, Undo, script
from orchestrator.policy.model import (
    Change,
    Days,
    Each,
    Health,
    Notify,
    Occasion,
    Origin,
    Patches,
    Probe,
    ProbeKind,
    Share,
    Step,
    StepWhen,
    StopWhen,
    Weekday,
    Window,
    Zone,
)
from orchestrator.policy.windows import Calendar
from orchestrator.rollout.planned import Planned, index_plan
from tests.fleet import SUBSCRIPTION, arm_id, vm_id

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
"""When rollouts of tests begin: a Sunday."""

_ORIGIN = Origin("policies/test.yaml", 1)


def ids(names: str) -> tuple[MachineId, ...]:
    """The machines of these names, sorted."""
    return tuple(sorted(vm_id(name) for name in names.split()))


def budget(limit: int, names: str, *, cap: bool = False) -> Budget:
    """Of these at most `limit`. Equal content, equal id."""
    members = ids(names)
    what = f"at most {limit} of {len(members)}"
    return Budget(f"budget:{limit}:{names}{':cap' if cap else ''}", members, limit, what, _ORIGIN, cap)


def restarts(limit: int, names: str, spared: str = "") -> Budget:
    """Of these at most `limit` that restart or are out; the `spared` ones stay up."""
    members = ids(f"{names} {spared}")
    return Budget(
        f"budget:{limit}:{' '.join(map(_name, members))}:restarts",
        ids(names),
        limit,
        f"at most {limit} of {len(members)} restarting",
        _ORIGIN,
        restarts=True,
        spared=ids(spared),
    )


def exclusion(domains: Mapping[str, str], *, level: int = 0) -> Exclusion:
    """Of these domains one at a time."""
    members = {name: ids(names) for name, names in sorted(domains.items())}
    return Exclusion(
        "exclusion:" + "|".join(f"{name}={names}" for name, names in sorted(domains.items())),
        members,
        "one of " + ", ".join(members) + " at a time",
        _ORIGIN,
        level,
    )


def order(first: str, then: str) -> Order:
    """These before those."""
    return Order(f"order:{first}>{then}", ids(first), ids(then), f"{first} before {then}", _ORIGIN)


def stage(name: str, *, bake: timedelta = timedelta(0), approve: bool = False) -> StageGate:
    """A stage, and what must hold before the next."""
    return StageGate(name, bake, approve)


def lane(name: str, *waves: str, stage: str = "broad", after: Sequence[str] = ()) -> Lane:
    """A lane; each wave is the names of its machines."""
    bound = Bound(len(waves), "as told")
    return Lane(name, stage, tuple(after), tuple(Wave(ids(wave)) for wave in waves), bound, name)


def step(webhook: str, *, when: StepWhen = StepWhen.HEALTHY) -> Step:
    """A webhook around a machine."""
    return Step(webhook, when=when)


def always(webhook: str) -> Step:
    """A step after that runs whether the machine is well or not."""
    return step(webhook, when=StepWhen.ALWAYS)


def taking_back(names: str, kb: str = "5087423") -> Rollback:
    """A rollback of one KB on these machines: uninstall it, restart, check."""
    scripts = script("uninstall.ps1", f"uninstall {kb}"), script("check.ps1", f"check {kb}")
    return Rollback("monthly-1", (Undo((kb,), ids(names), *scripts),))


def plan_of(
    *lanes: Lane,
    rules: Sequence[Constraint] = (),
    stages: Sequence[StageGate] = (),
    counted: str = "",
    before: Sequence[Step] = (),
    after: Sequence[Step] = (),
    stop_when: StopWhen | None = None,
    max_in_flight: int | None = None,
    max_wait: timedelta = timedelta(hours=24),
    health: Health | None = None,
    change: Change | None = None,
    stay_up: str = "",
) -> Plan:
    """A plan of these lanes, whose machines are all that lanes and rules name, and `counted`, which it never touches.

    Stages that aren't told are those of the lanes, in order, without bake. `before` and `after` are every machine's.
    By default nothing stops it but what always does: counts of failures are out of reach.
    """
    changed = {machine for each in lanes for wave in each.waves for machine in wave.machines}
    named = changed | set(ids(counted)) | {machine for rule in rules for machine in _members(rule)}
    around = (AroundSteps(tuple(before), tuple(after)),) if before or after else ()
    machines = tuple(
        PlannedMachine(
            id=machine,
            arm_id=arm_id(_name(machine)),
            name=_name(machine),
            subscription=SUBSCRIPTION,
            location="westeurope",
            kind=Kind.AZURE_VM,
            os=Os.LINUX,
            change=machine in changed,
            policies=("test",),
            probes=(),
            around=(0,) if around else (),
            restart=Restarts.NEVER if machine in ids(stay_up) else Restarts.UNKNOWN,
        )
        for machine in sorted(named)
    )
    return Plan(
        name="test",
        taken_at=NOON,
        inventory_fingerprint="inventory",
        policies_fingerprint="policies",
        machines=machines,
        constraints=tuple(sorted(rules, key=lambda rule: rule.id)),
        stages=tuple(stages) or tuple(stage(name) for name in dict.fromkeys(x.stage for x in lanes)),
        lanes=lanes,
        left_out=(),
        warnings=(),
        change=change or Patches(),
        stop_when=stop_when or StopWhen(Share(count=1000), Share(count=1000)),
        probes=(),
        health=(health or Health(),),
        around=around,
        max_in_flight=max_in_flight,
        max_wait=max_wait,
    )


def telling(plan: Plan, webhook: str, *on: Occasion) -> Plan:
    """The plan, with somebody who is told of these occasions, or of all."""
    return replace(plan, notify=(*plan.notify, Notify(webhook, on or tuple(Occasion))))


def surrounded(
    plan: Plan, each: Each, before: Sequence[Step] = (), after: Sequence[Step] = (), only: str = ""
) -> Plan:
    """The plan, with these steps around each wave or stage of the machines that it changes, or only of some, or the rollout."""
    place = len(plan.around)
    chosen = set(ids(only)) if only else {machine.id for machine in plan.machines if machine.change}
    machines = tuple(
        replace(machine, around=(*machine.around, place)) if machine.id in chosen else machine
        for machine in plan.machines
    )
    return replace(
        plan, machines=machines, around=(*plan.around, AroundSteps(tuple(before), tuple(after), each))
    )


def grouped(plan: Plan, name: str, members: str, url: str = "http://status/{group}") -> Plan:
    """The plan, with a question more about a group of its machines."""
    place, chosen = len(plan.group_probes), set(ids(members))
    asked = ProbedGroup(name, name, Probe(ProbeKind.HTTP, url=url))
    machines = tuple(
        replace(machine, groups=(*machine.groups, place)) if machine.id in chosen else machine
        for machine in plan.machines
    )
    return replace(plan, machines=machines, group_probes=(*plan.group_probes, asked))


def under(plan: Plan, held: Calendar, takes: timedelta = timedelta(hours=1), only: str = "") -> Plan:
    """The plan with the machines that it changes, or only some of them, under a calendar."""
    chosen = set(ids(only)) if only else {machine.id for machine in plan.machines if machine.change}
    place = len(plan.calendars)
    machines = tuple(
        replace(machine, calendar=place, takes=takes) if machine.id in chosen else machine
        for machine in plan.machines
    )
    return replace(plan, machines=machines, calendars=(*plan.calendars, held))


def night(days: Sequence[int], at: str, hours: float, line: int = 5) -> Window:
    """A window in UTC that starts on these weekdays, 0 being Monday."""
    when = Days(tuple(Weekday(day) for day in days))
    return Window(
        when, time.fromisoformat(at), timedelta(hours=hours), Zone("UTC"), Origin("monthly.yaml", line)
    )


def _name(machine: MachineId) -> str:
    return machine.rsplit("/", 1)[-1]


def _members(rule: Constraint) -> tuple[MachineId, ...]:
    match rule:
        case Budget():
            return rule.machines
        case Exclusion():
            return tuple(machine for members in rule.domains.values() for machine in members)
        case Order():
            return rule.first + rule.then


def planned_of(*lanes: Lane, **parts: object) -> Planned:
    """The same, indexed."""
    return index_plan(plan_of(*lanes, **parts))  # type: ignore[arg-type]  # handed on as they are
