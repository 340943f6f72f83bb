"""A plan: who is changed, under which constraints, in which waves.

Nothing here depends on the time, on chance, or on the order of what comes in: the same fleet and the same policies give
the same plan, on every machine.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from types import MappingProxyType
from typing import Final, assert_never

from orchestrator.availability.model import Constraint
from orchestrator.errors import Refused, UsageError
from orchestrator.hotpatch.calendar import Calendar, built_in_calendar
from orchestrator.inventory.model import Inventory, Machine, MachineId
from orchestrator.inventory.standing import unknowns
from orchestrator.inventory.underneath import underneath
from orchestrator.planner import coverage, exposure
from orchestrator.planner.candidates import Candidates, choose, leave_out, without_frozen
from orchestrator.planner.compile import compile_constraints
from orchestrator.planner.compiled import Compiled, Dropped
from orchestrator.planner.coverage import Coverage
from orchestrator.planner.dropping import dropped_late
from orchestrator.planner.durations import Durations
from orchestrator.planner.expected import of_classes
from orchestrator.planner.facts import policies_fingerprint, read_tags
from orchestrator.planner.fitting import unfit
from orchestrator.planner.group_probes import probed_groups
from orchestrator.planner.hours import never_in_time
from orchestrator.planner.model import Exposed, LeftOut, Plan, Warned
from orchestrator.planner.pinning import pin
from orchestrator.planner.restarts import Predicted, predict, sparing
from orchestrator.planner.rules import named
from orchestrator.planner.schedule import CutShort
from orchestrator.planner.search import Solver
from orchestrator.planner.stages import Staged, assign
from orchestrator.planner.staging import lay_out, warn_of_alone, with_alone
from orchestrator.planner.tables import Tables, planned_machines
from orchestrator.policy import defaults, words
from orchestrator.policy.build import default_stages
from orchestrator.policy.change import Enrolment, Rollback
from orchestrator.policy.effective import notifications, settle, stop_when
from orchestrator.policy.model import (
    EVERYTHING,
    Change,
    Origin,
    Patches,
    Policy,
    Restart,
    RunCommand,
    Schedule,
    Selector,
    Sooner,
    Stage,
)
from orchestrator.topology.graph import Topology


@dataclass(frozen=True, slots=True)
class Planning:
    """A plan, and what a person may want to know besides, which isn't in the file.

    `dropped` are rules that say nothing to the plan, `coverage` is what each stage but the last tries of the fleet.
    """

    plan: Plan
    dropped: tuple[Dropped, ...]
    coverage: tuple[Coverage, ...]


def plan(
    topology: Topology,
    policies: Sequence[Policy],
    floor: Policy | None,
    campaign: str | None = None,
    change: Change | None = None,
    select: Selector | None = None,
    durations: Durations | None = None,
    solver: Solver | None = None,
    calendar: Calendar | None = None,
) -> Plan:
    """The plan of one campaign, or of a one-off (`change` to the machines that `select` names) under the same rules.

    `campaign` names one if there are several; `change` takes the place of the campaign's own. `durations` is what is known of how
    long changes take; it matters where machines have windows. `solver` searches lanes that are longer than their bound; without one
    they stay as they are. `calendar` is the one of hotpatch months, if it isn't the built-in one.

    Raises:
        UsageError: if it isn't clear which campaign is meant.
        PolicyError: if policies contradict each other on these machines, with every problem.
        Refused: if there is nothing to change, or rules can't hold together for these machines.
    """
    return planning(topology, policies, floor, campaign, change, select, durations, solver, calendar).plan


def planning(
    topology: Topology,
    policies: Sequence[Policy],
    floor: Policy | None,
    campaign: str | None = None,
    change: Change | None = None,
    select: Selector | None = None,
    durations: Durations | None = None,
    solver: Solver | None = None,
    calendar: Calendar | None = None,
    settled: Mapping[MachineId, str] = MappingProxyType({}),
) -> Planning:
    """As `plan`, with what was left out of it on the way. `settled` are machines that are to be left alone, each with the reason."""
    asked = _one_off(change, select) if select is not None else _campaign(policies, campaign)
    made_of = asked.change if change is None else change
    chosen = choose(topology, asked.select, _changed_by(made_of))
    chosen = leave_out(chosen, {m: LeftOut(m, why) for m, why in settled.items()})
    chosen = leave_out(
        chosen, {m: LeftOut(m, why) for m, why in unfit(topology, chosen.changed, made_of).items()}
    )
    pinned = pin(topology, chosen.changed, made_of)
    chosen = leave_out(chosen, {m: LeftOut(m, why) for m, why in pinned.left_out.items()})
    wanted = replace(asked, change=pinned.change, warnings=pinned.warnings)
    months = built_in_calendar() if calendar is None else calendar
    predicted = predict(topology, chosen.changed, wanted.change, policies, months)
    compiled = compile_constraints(topology, policies, floor, frozenset(chosen.changed), predicted.stay_up)
    chosen = without_frozen(chosen, compiled.frozen)
    takes = durations if durations is not None else Durations()
    chosen = leave_out(chosen, never_in_time(topology, policies, chosen.changed, wanted.change, takes))
    alone = tuple(sorted({one.machine for one in compiled.alone}.intersection(chosen.changed)))
    together = (machine for machine in chosen.changed if machine not in alone)
    staged = assign(map(topology.machine, together), wanted.stages, wanted.name)
    chosen = leave_out(chosen, {m: LeftOut(m, _no_stage(wanted)) for m in staged.left})
    if alone:
        wanted = replace(wanted, stages=with_alone(wanted.stages))
        staged = replace(staged, stages=(*staged.stages, alone))
    _refuse_nothing(wanted, chosen, topology)
    made = _made(topology, policies, floor, wanted, chosen, compiled, staged, takes, predicted, solver)
    return Planning(made, (*compiled.dropped, *_late(compiled, made)), staged.coverage)


# What is asked for ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A campaign of a policy, or a one-off of the command line."""

    name: str
    where: str
    select: Selector
    change: Change
    stages: tuple[Stage, ...]
    max_in_flight: int | None = None
    max_wait: timedelta = defaults.MAX_WAIT
    deadline: timedelta = defaults.DEADLINE
    schedule: Schedule | None = None
    sooner: tuple[Sooner, ...] = ()
    warnings: tuple[Warned, ...] = ()  # of its set of patches


def _campaign(policies: Sequence[Policy], name: str | None) -> _Wanted:
    campaigns = {policy.name: policy.campaign for policy in policies if policy.campaign is not None}
    names = ", ".join(sorted(campaigns))
    if not campaigns:
        raise UsageError(
            "no policy changes anything: give one with `change:` (patches, restart or run_command), "
            "or a one-off with --change and --select"
        )
    if name is None and len(campaigns) > 1:
        raise UsageError(f"there are several campaigns; name one with --campaign: {names}")
    chosen = [
        policy
        for policy in policies
        if policy.name in campaigns and policy.name.lower() == (name or names).lower()
    ]
    if not chosen:
        raise UsageError(f"there is no campaign {name}; there is {names}")
    campaign = campaigns[chosen[0].name]
    return _Wanted(
        chosen[0].name,
        str(campaign.origin),
        chosen[0].select,
        campaign.change,
        campaign.stages,
        campaign.max_in_flight,
        campaign.max_wait,
        campaign.deadline,
        campaign.schedule,
        campaign.sooner,
    )


def _one_off(change: Change | None, select: Selector) -> _Wanted:
    if change is None:
        raise UsageError("machines are selected, but not what to do with them; say it with --change")
    stages = SETTING_STAGES if isinstance(change, Enrolment) else default_stages()
    if isinstance(
        change, Rollback
    ):  # what is taken back has proved bad: its canaries are verified, and nothing bakes
        stages = tuple(replace(stage, bake=timedelta()) for stage in stages)
    return _Wanted(named_after(change), "the command line", select, change, stages)


def _changed_by(change: Change) -> frozenset[MachineId] | None:
    """Whom a change is about, where it says so itself."""
    if not isinstance(change, Rollback):
        return None
    return frozenset(machine for undo in change.undo for machine in undo.machines)


SETTING_STAGES: Final = (Stage("canary", count=5, per_region=1), Stage("rest"))
"""Of an enrolment: a few first, in case Azure refuses; no bake, since a setting takes nobody down."""


def named_after(change: Change) -> str:
    """What a one-off is called, after what it does."""
    match change:
        case Patches():
            return "patches"
        case Restart():
            return "restart"
        case RunCommand():
            return "run-command"
        case Rollback():
            return f"rollback-{change.rollout}"
        case Enrolment():
            return f"unenrol-{change.undoes}" if change.undoes else "enrol"
    assert_never(change)


def _no_stage(wanted: _Wanted) -> str:
    return f"no stage takes it; the last one is {words.stage(wanted.stages[-1])}"


def _refuse_nothing(wanted: _Wanted, chosen: Candidates, topology: Topology) -> None:
    """Nothing to plan is an error: whoever asked expects something to happen."""
    if not len(topology):
        raise Refused(f"campaign {wanted.name} has nothing to change: the inventory holds no machine")
    if not len(chosen):
        raise Refused(
            f"campaign {wanted.name} selects none of {len(topology):,} machines ({words.selector(wanted.select)}, "
            f"{wanted.where}); see which there are with `wavekeeper inventory`"
        )
    if not chosen.changed:
        reasons: dict[str, int] = {}
        for left in chosen.left_out:
            reasons[left.reason] = reasons.get(left.reason, 0) + 1
        often = sorted(reasons.items(), key=lambda item: (-item[1], item[0]))
        told = "; ".join(f"{count:,} because {reason}" for reason, count in often[:5])
        more = f"; {len(often) - 5} reasons more" if len(often) > 5 else ""
        raise Refused(
            f"campaign {wanted.name} changes nothing: all {len(chosen):,} machines that it selects are left out, {told}{more}"
        )


def _late(compiled: Compiled, made: Plan) -> tuple[Dropped, ...]:
    """What says nothing since its machines have no window, or no stage takes them."""
    kept = {rule.id for rule in made.constraints}
    return dropped_late((rule for rule in compiled.constraints if rule.id not in kept), compiled.rules)


# The plan itself ------------------------------------------------------------------------------------------------


def _made(
    topology: Topology,
    policies: Sequence[Policy],
    floor: Policy | None,
    wanted: _Wanted,
    chosen: Candidates,
    compiled: Compiled,
    staged: Staged,
    durations: Durations,
    predicted: Predicted,
    solver: Solver | None,
) -> Plan:
    changed = frozenset(chosen.changed)
    constraints = list(_concerning(changed, compiled, predicted))
    machines = _of_concern(topology, changed, constraints)
    held = settle(machines.values(), policies)
    reading = [*policies, *([floor] if floor is not None else [])]
    read = read_tags(reading, wanted.select)
    probed = probed_groups(topology, policies, changed)
    ordered = exposure.ordered(staged.stages, machines, wanted.change, wanted.sooner)
    tables = Tables(read, wanted.change, durations, probed.of, predicted, ordered.of)
    planned = planned_machines(tables, machines, held, changed)
    laid_out = lay_out(constraints, wanted.stages, ordered.stages, machines, solver)
    alone = [one for one in compiled.alone if one.machine in changed]
    under = {policy.name: policy for machine in chosen.changed for policy in held[machine].policies}
    return Plan(
        name=wanted.name,
        taken_at=topology.inventory.taken_at,
        inventory_fingerprint=topology.fingerprint,
        policies_fingerprint=policies_fingerprint(reading),
        machines=planned,
        constraints=tuple(sorted(constraints, key=lambda rule: rule.id)),
        stages=laid_out.gates,
        lanes=laid_out.lanes,
        left_out=chosen.left_out,
        warnings=tuple(
            dict.fromkeys(
                (
                    *_of_inventory(topology.inventory, changed, wanted.change),
                    *compiled.warnings,
                    *_of_stages(wanted.stages, staged),
                    *coverage.warnings(staged.coverage),
                    *exposure.warnings(chosen.changed, machines, wanted.sooner),
                    *warn_of_alone(alone, wanted.stages[-1].name, changed, constraints),
                    *_of_cutting(laid_out.cut_short),
                    *tables.warnings(),
                    *probed.warnings,
                    *wanted.warnings,
                )
            )
        ),
        change=wanted.change,
        stop_when=stop_when([under[name] for name in sorted(under)]),
        probes=tables.probes,
        health=tables.health,
        around=tables.around,
        max_in_flight=wanted.max_in_flight,
        max_wait=wanted.max_wait,
        group_probes=probed.groups,
        calendars=tables.calendars,
        durations=of_classes(durations, wanted.change, ((m.kind, m.os) for m in planned if m.change)),
        deadline=wanted.deadline,
        schedule=wanted.schedule,
        notify=notifications(under.values()),
        replaces=tuple(sorted({name for policy in policies for name in policy.replaces})),
        read_tags=read,
        solver=laid_out.solver,
        hotpatching=tables.hotpatching,
        sooner=tuple(Exposed(words.selector(entry.select), entry.origin) for entry in wanted.sooner),
    )


def _concerning(
    changed: frozenset[MachineId], compiled: Compiled, predicted: Predicted
) -> Iterable[Constraint]:
    """The constraints of machines that the plan changes in the end; who isn't changed isn't spared."""
    for rule in compiled.constraints:
        if not changed.isdisjoint(named(rule)):
            yield sparing(rule, predicted.stay_up & changed)


def _of_concern(
    topology: Topology, changed: frozenset[MachineId], constraints: Iterable[Constraint]
) -> dict[MachineId, Machine]:
    """Everybody whom the plan changes or one of its constraints names, sorted by id."""
    everybody = changed.union(*map(named, constraints))
    return {one: topology.machine(one) for one in topology.machines if one in everybody}


def _of_inventory(inventory: Inventory, changed: frozenset[MachineId], change: Change) -> Iterable[Warned]:
    """What isn't known of the fleet, and who else patches the machines that are changed, unless that is what is changed."""
    yield from map(Warned, unknowns(inventory))
    if not isinstance(change, Enrolment):
        yield from (Warned(one.what) for one in underneath(inventory, changed))


def _of_stages(stages: Sequence[Stage], staged: Staged) -> Iterable[Warned]:
    for stage, taken in zip(stages, staged.stages, strict=True):
        if not taken and stage.select != EVERYTHING:
            yield Warned(
                f"stage {stage.name} takes no machine: none of those that are left is {words.selector(stage.select)}",
                stage.origin,
            )


def _of_cutting(cut_short: Iterable[CutShort]) -> Iterable[Warned]:
    """One warning for each rule of a policy, however many groups it is cut in."""
    by_origin: dict[Origin, list[CutShort]] = {}
    for cut in cut_short:
        by_origin.setdefault(cut.rule.origin, []).append(cut)
    for origin, cuts in sorted(by_origin.items()):
        rules = sorted({cut.rule.what for cut in cuts})
        above = sorted({rule.what for cut in cuts for rule in cut.above})
        yield Warned(
            f"{_first_of(rules)}: not every domain can be finished in one go, since other rules stand above and cut it: "
            f"{_first_of(above)}; each is finished within what these leave of it",
            origin,
        )


def _first_of(sentences: Sequence[str]) -> str:
    return sentences[0] + (f" (and {len(sentences) - 1} more like it)" if len(sentences) > 1 else "")
