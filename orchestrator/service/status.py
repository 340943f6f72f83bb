"""`status`: seven questions of somebody who was woken by it, answered in their order.

1. Is anything getting worse if I do nothing, and what starts next and when?
2. Which machines are out now, by us or by others, since when?
3. Why did it stop?
4. Which groups have no room left, and who holds it?
5. What is half done?
6. Which commands may I run now, and what would each start?
7. Who started it, and from which plan?
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from orchestrator.inventory.model import MachineId
from orchestrator.rollout.admission import holders, refusal
from orchestrator.rollout.ended import still_left
from orchestrator.rollout.holding import hold_on, next_held
from orchestrator.rollout.hours import next_opening
from orchestrator.rollout.progress import leaves_held_at
from orchestrator.rollout.state import (
    A_PERSONS,
    IN_FLIGHT,
    Ended,
    MachineStatus,
    Rollout,
    RolloutStatus,
    Scope,
    StageStatus,
)
from orchestrator.service.blocking import blocked_lines
from orchestrator.service.holds import held_lines
from orchestrator.service.names import called
from orchestrator.service.narrate import replanned_for
from orchestrator.service.progress import Progress, Waiting, progress
from orchestrator.service.updates import Update, advice, of_machine, updates


@dataclass(frozen=True, slots=True)
class Out:
    """A machine that doesn't serve."""

    name: str
    rollout: str  # whose grant it is; empty: nobody's, it went out of its own or by somebody else's doing
    since: datetime
    state: str
    detail: str
    lane: str


@dataclass(frozen=True, slots=True)
class Option:
    """A command that may be run now, and what it would start."""

    command: str
    effect: str


@dataclass(frozen=True, slots=True)
class Status:
    """The answers, in the order of the questions."""

    rollout: str
    headline: str
    next: str
    out: tuple[Out, ...]
    stopped: str
    evidence: tuple[str, ...]
    full: tuple[Waiting, ...]
    untold: tuple[str, ...]  # who could not be told of something
    half_done: tuple[Out, ...]
    steps: tuple[
        str, ...
    ]  # waves, stages and the rollout that are begun: what of the steps around them is done
    plan: tuple[str, ...]  # as reviewed, or what was planned anew since, and why
    options: tuple[Option, ...]
    who: str
    reason: str
    digest: str
    progress: Progress
    advice: tuple[str, ...] = ()  # what to do about what did not take the change
    updates: tuple[Update, ...] = ()  # what became of each
    blocked: tuple[str, ...] = ()  # updates that people keep out
    commit: str = ""  # of the policies that it was planned from, if a daemon opened it
    held: tuple[str, ...] = ()  # who is held, by whom, until when and why
    emergency: str = ""  # who has it wait for less, since when and why

    def to_json(self) -> dict[str, Any]:
        """Plain values; instants stay datetimes."""
        return asdict(self)


def status(scope: Scope, rollout: Rollout, now: datetime) -> Status:
    """All answers at `now`."""
    out = _out(scope, rollout)
    return Status(
        rollout.id,
        headline(rollout),
        what_is_next(rollout, now),
        out,
        rollout.cause if rollout.status is RolloutStatus.STOPPED else "",
        _evidence(rollout),
        _full(scope, rollout),
        _untold(rollout),
        tuple(x for x in out if x.rollout == rollout.id and x.state in _HALF_DONE),
        _steps(rollout),
        as_planned(rollout),
        options(rollout, now),
        rollout.who,
        rollout.reason,
        rollout.digest,
        progress(scope, rollout, now),
        advice(rollout),
        updates(rollout),
        blocked_lines(scope),
        rollout.commit,
        held_lines(rollout, now),
        "" if rollout.emergency is None else str(rollout.emergency),
    )


_HALF_DONE = {str(s) for s in IN_FLIGHT} | {str(MachineStatus.UNDECIDED)}


def headline(rollout: Rollout) -> str:
    """One sentence: is anything getting worse if nobody does anything? An emergency comes first."""
    declared = rollout.emergency
    if declared is None or rollout.over:
        return _headline(rollout)
    return f"EMERGENCY by {declared.who} ({declared.reason}). {_headline(rollout)}"


def _headline(rollout: Rollout) -> str:
    counts = rollout.counts
    done, total = counts[MachineStatus.DONE], rollout.planned.changing
    trouble = sum(counts[s] for s in A_PERSONS)
    match rollout.status:
        case RolloutStatus.STARTING:
            return "Starting: every machine is looked at once before anything is touched."
        case RolloutStatus.RUNNING:
            worse = f", {_look(trouble)}" if trouble else ", nothing needs a look"
            return f"Running: {done} of {total} done, {rollout.in_flight} in flight{worse}."
        case RolloutStatus.PAUSED:
            return f"Paused by {rollout.by}: {done} of {total} done. {_carried(rollout)}"
        case RolloutStatus.STOPPED:
            return f"Stopped by itself: {done} of {total} done, {_look(trouble)}. {_carried(rollout)}"
        case RolloutStatus.ABORTED:
            return f"Aborted by {rollout.by}: {done} of {total} done. {_carried(rollout)}"
        case RolloutStatus.REFUSED:
            return f"Refused before anything was touched: {rollout.cause}"
        case RolloutStatus.FINISHED:
            left = total - done
            return f"Finished: {done} of {total} done" + (f", {left} not." if left else ".")


def archived_status(scope: Scope, ended: Ended) -> tuple[str, ...]:
    """What is known here of a rollout whose rows are in an archive: sentences."""
    done = ended.counts.get(MachineStatus.DONE, 0)
    why = f": {ended.cause}" if ended.cause else ""
    left = [
        f"{one.name} is {one.status}{': ' + one.detail if one.detail else ''}; it counts as out until it is seen well, or: "
        f"wavekeeper write-off {one.name} --reason ..."
        for _, one in still_left(scope, ended)
    ]
    return (
        f"{ended.id} is {ended.status} since {ended.ended_at:%Y-%m-%d %H:%M} UTC{why}; {done} of {ended.changing} done.",
        *left,
        f"Started by {ended.who}{f' ({ended.reason})' if ended.reason else ''}; plan {ended.digest[:12]}.",
        f"All that happened in it: wavekeeper status {ended.id} --journal {ended.archive}",
    )


def _look(trouble: int) -> str:
    return "1 needs a look" if trouble == 1 else f"{trouble} need a look"


def _carried(rollout: Rollout) -> str:
    if rollout.in_flight:
        return f"{rollout.in_flight} in flight are carried through; nothing new starts."
    return "Nothing is in flight, nothing new starts, nothing gets worse by waiting."


def what_is_next(rollout: Rollout, now: datetime) -> str:
    """What starts next, and when."""
    if rollout.over or rollout.status in (RolloutStatus.PAUSED, RolloutStatus.STOPPED):
        return "nothing"
    stages = rollout.planned.plan.stages
    following = stages[rollout.stage + 1].name if rollout.stage + 1 < len(stages) else ""
    after = f"stage {following}" if following else "the end"
    if rollout.stage_status is StageStatus.BAKING and rollout.bake_until is not None:
        return f"{after}, at {rollout.bake_until:%Y-%m-%d %H:%M} UTC, when stage {stages[rollout.stage].name} has baked"
    if rollout.stage_status is StageStatus.AWAITING:
        return f"{after}, once a person approves"
    opening = next_opening(rollout, now) if rollout.stage_status is StageStatus.OPEN else None
    if opening is not None and not rollout.in_flight:
        when, count = opening
        leaves = [
            at
            for lane in rollout.planned.lanes_of_stage[rollout.stage]
            if (at := leaves_held_at(rollout, lane))
        ]
        if leaves and min(leaves) < when:
            return f"the waves of stage {stages[rollout.stage].name} go on at {min(leaves):%Y-%m-%d %H:%M} UTC, without those held for longer"
        many = f"{count} machines" if count > 1 else "a machine"
        held = next_held(rollout, when)
        why = (
            f"when {held.id}, a hold of {held.who}'s, ends"
            if held is not None
            else "when the first window opens"
        )
        return f"{many} of stage {stages[rollout.stage].name}, at {when:%Y-%m-%d %H:%M} UTC, {why}"
    return f"the next waves of stage {stages[rollout.stage].name}, as their gates pass"


def _out(scope: Scope, rollout: Rollout) -> tuple[Out, ...]:
    """Machines that are out now: ours by state, others by when they were seen."""
    found = []
    for identity, grant in scope.ledger.grants.items():
        if (ended := scope.ended.get(grant.rollout)) is not None:
            left = next(one for one in ended.left.values() if one.machine == identity)
            found.append(Out(_short(identity), ended.id, grant.since, str(left.status), left.detail, ""))
            continue
        mine = scope.rollouts[grant.rollout]
        index = mine.planned.index[identity]
        run = mine.machines[index]
        lane = mine.planned.plan.lanes[mine.planned.lane_of[index]].id
        found.append(Out(_short(identity), grant.rollout, grant.since, str(run.status), run.detail, lane))
    for identity, since in scope.ledger.others.items():
        if identity not in scope.ledger.grants:
            found.append(Out(_short(identity), "", since, "out", "not by us", ""))
    return tuple(sorted(found, key=lambda x: (x.rollout != rollout.id, not x.rollout, x.since, x.name)))


def _short(identity: MachineId) -> str:
    return identity.rsplit("/", 1)[-1]


def _evidence(rollout: Rollout) -> tuple[str, ...]:
    """What went wrong, machine by machine, as the probes and the cloud told it."""
    lines = []
    for index, run in enumerate(rollout.machines):
        if run.status in A_PERSONS or (
            run.status is MachineStatus.NOT_CHANGED and index in rollout.not_changed
        ):
            late = " (late: it was well when verified)" if run.late else ""
            since = f" since {run.since:%H:%M}" if run.since else ""
            lines.append(f"{rollout.planned.machine(index).name}: {run.status}{since}{late}: {run.detail}")
    return tuple(lines)


def _untold(rollout: Rollout) -> tuple[str, ...]:
    """Who doesn't know what they wanted to, and why."""
    waiting = ((webhook, len(rollout.untold.get(webhook, ())), why) for webhook, why in rollout.mute.items())
    return tuple(
        f"{webhook}: {number} {'notice is' if number == 1 else 'notices are'} not told: {why}"
        for webhook, number, why in sorted(waiting)
    )


def _steps(rollout: Rollout) -> tuple[str, ...]:
    """Of each wave, stage or rollout that was begun, and is not ended: what was done around it, and what failed."""
    lines = []
    for number, stretch in enumerate(rollout.planned.stretches.all):
        run = rollout.stretches[number]
        if run.begun and (stretch.after or run.before < len(stretch.before)):
            done = (
                f"{run.before} of {len(stretch.before)} steps before, "
                f"{len(run.after)} of {len(stretch.after)} after are done"
            )
            waits = run.undecided and not rollout.over
            held = "; those after wait for a person's word on what is undecided" if waits else ""
            failed = f"; FAILED: {run.failed}" if run.failed else ""
            lines.append(f"{rollout.planned.title(number)}: {done}{held}{failed}")
    return tuple(lines)


def as_planned(rollout: Rollout) -> tuple[str, ...]:
    """Whether it goes by its plan as that was reviewed; else how often it was planned anew, and each time for what."""
    changed = sum(bool(one.lanes) for one in rollout.replannings)
    often = f"replanned {changed} {'time' if changed == 1 else 'times'}" if changed else "as reviewed"
    lanes = rollout.planned.plan.lanes
    told = [
        f"{one.at:%Y-%m-%d %H:%M} UTC: {replanned_for(rollout, one.limits, one.refused)}; lanes that differ: "
        + (", ".join(lanes[lane].id for lane in one.lanes) or "none")
        for one in rollout.replannings
    ]
    return (often, *told)


def _full(scope: Scope, rollout: Rollout) -> tuple[Waiting, ...]:
    """Groups that have no room left, whoever takes it."""
    found = []
    for rule, taken in scope.ledger.budgets():
        if taken and taken >= rule.limit:
            who = tuple(called(scope, rollout, m) for m in scope.ledger.holders(rule.id))
            found.append(Waiting(rule.what, f"{taken} of {rule.limit} ({rule.origin})", who, None))
    for exclusion, held in scope.ledger.exclusions():
        if held:
            who = tuple(called(scope, rollout, m) for m in scope.ledger.holders(exclusion.id))
            found.append(Waiting(exclusion.what, f"{', '.join(held)} has its turn", who[:6], None))
    return tuple(found[:20])


def options(rollout: Rollout, now: datetime) -> tuple[Option, ...]:
    """The commands that are of use now."""
    found = []
    troubled = [i for i, run in enumerate(rollout.machines) if run.status in A_PERSONS]
    if not rollout.over:
        if rollout.stage_status is StageStatus.AWAITING:
            found.append(Option(f"wavekeeper approve {rollout.id}", f"{what_is_next(rollout, now)} begins"))
        if rollout.status in (RolloutStatus.PAUSED, RolloutStatus.STOPPED):
            pending = rollout.counts[MachineStatus.PENDING]
            found.append(
                Option(f"wavekeeper resume {rollout.id}", f"{pending} machines wait; gates are asked first")
            )
        else:
            found.append(
                Option(
                    f"wavekeeper pause {rollout.id}", "no new grants; what is in flight is carried through"
                )
            )
        found.append(Option(f"wavekeeper abort {rollout.id}", "ends it; nothing is reverted"))
    if (
        rollout.patches
        and not rollout.in_flight
        and (rollout.over or rollout.status is RolloutStatus.STOPPED)
    ):
        found.append(
            Option(f"wavekeeper rollback {rollout.id}", "plans taking back what it installed; begins nothing")
        )
    for index in troubled[:3]:
        name = rollout.planned.machine(index).name
        if not rollout.over:
            found.append(Option(f"wavekeeper retry {name}", "the next attempt, under a fresh grant"))
            found.append(
                Option(f"wavekeeper skip {name}", "not this machine; it counts as out until it is well")
            )
        found.append(Option(f"wavekeeper write-off {name}", "closes its grant: it no longer counts as out"))
    return tuple(found)


def machine_status(scope: Scope, rollout: Rollout, index: int, now: datetime) -> tuple[str, ...]:
    """Why this machine is, or isn't, moving: sentences."""
    machine, run = rollout.planned.machine(index), rollout.machines[index]
    if rollout.planned.lane_of[index] < 0:
        if not scope.ledger.is_out(machine.id):
            return (f"{machine.name} is not changed by {rollout.id}; it counts in its budgets, and serves.",)
        lines = [f"{machine.name} is not changed by {rollout.id}; it counts in its budgets, and is out now."]
        if machine.id in scope.ledger.others:
            lines.append(f"If it won't come back: wavekeeper write-off {machine.name} --reason ...")
        return tuple(lines)
    lane = rollout.planned.lanes[rollout.planned.lane_of[index]]
    wave = rollout.planned.wave_of[index] + 1
    stage = rollout.planned.plan.stages[lane.stage].name
    since = f" since {run.since:%Y-%m-%d %H:%M} UTC" if run.since else ""
    lines = [
        f"{machine.name} is {run.status}{since}: stage {stage}, lane {lane.id}, wave {wave} of {len(lane.waves)}."
    ]
    if run.detail:
        lines.append(run.detail)
    lines.extend(of_machine(rollout, run))
    if run.status is MachineStatus.PENDING:
        hold = hold_on(rollout, index, now)
        if hold is not None and index in rollout.meant[hold.id].surely:
            lines.append(
                f"It is {hold}. Lift that for all that it holds: wavekeeper unhold {hold.id} --reason ..."
            )
        refused = refusal(scope, rollout, index, now=now)
        if refused is not None and (hold is None or refused.what != str(hold)):
            lines.append(f"It may not go down now: {refused.what}.")
            who = [called(scope, rollout, m) for m in holders(scope, rollout, refused)]
            if who:
                lines.append(f"In its way: {', '.join(who[:8])}.")
        waiting = [rollout.planned.lanes[x].id for x in lane.after if not rollout.lanes[x].finished]
        if waiting:
            lines.append(f"Its lane waits for {', '.join(waiting[:4])}.")
    return tuple(lines)
