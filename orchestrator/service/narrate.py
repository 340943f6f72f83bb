"""A fact as a sentence: for plain output, logs and the story of a rollout."""

from __future__ import annotations

from collections.abc import Mapping

from orchestrator.inventory.model import MachineId
from orchestrator.policy.words import counted
from orchestrator.rollout import events as e
from orchestrator.rollout.patch_results import sentence as patch_sentence
from orchestrator.rollout.state import Ended, Rollout

QUIET = (
    e.Granted,
    e.Intended,
    e.Started,
    e.ChangeEnded,
    e.PartEnded,
    e.Verified,
    e.StepEnded,
    e.StretchBegun,
    e.StretchStepEnded,
    e.Told,
    e.MatterTold,
    e.Assessed,
    e.PatchesSeen,
    e.WavePassed,
    e.StageApproved,
    e.IntentLapsed,
    e.MachineEnded,
)
"""Facts of a rollout that goes well: one line each would bury the rest."""


def is_quiet(fact: e.Event) -> bool:
    """Whether the fact is told only when everything is."""
    if isinstance(fact, e.MachineEnded):
        return fact.outcome is e.Outcome.DONE
    if isinstance(fact, e.StepEnded | e.StretchStepEnded | e.Told | e.MatterTold):
        return fact.ok
    if isinstance(fact, e.ChangeEnded):
        return fact.changed
    return isinstance(fact, QUIET)


def sentence(rollout: Rollout | Ended | None, fact: e.Event) -> str:
    """What happened, in words, with machines by name. None: the fact is about no rollout, but about the scope."""
    machine = getattr(fact, "machine", -1)
    if rollout is None or isinstance(rollout, Ended):
        name = rollout.left[machine].name if rollout is not None and machine in rollout.left else ""
        return _of_scope(fact) or _of_machine(name, fact) or f"{type(fact).__name__}"
    name = rollout.planned.machine(machine).name if machine >= 0 else ""
    told = (
        _of_scope(fact)
        or _of_rollout(rollout, fact)
        or _of_others(rollout, fact)
        or _of_attempt(name, fact)
        or _of_machine(name, fact)
    )
    assert told is not None, f"no words for {type(fact).__name__}"
    return told


def _of_rollout(rollout: Rollout, fact: e.Event) -> str | None:
    stages, lanes = rollout.planned.plan.stages, rollout.planned.plan.lanes
    match fact:
        case e.RolloutStarted(who=who, reason=reason, dropped=dropped):
            gone = (
                f"; {counted(len(dropped), 'machine')} dropped, off or gone since the plan" if dropped else ""
            )
            return f"started by {who}{': ' + reason if reason else ''}{gone}"
        case e.Prepared(out):
            return (
                f"every machine was looked at: {len(out)} out already"
                if out
                else "every machine was looked at: all serve"
            )
        case e.RolloutRefused(why):
            return f"refused: {why}"
        case e.RolloutPaused(who, reason):
            return f"paused by {who}: {reason}"
        case e.RolloutResumed(who, reason):
            return f"resumed by {who}: {reason}"
        case e.RolloutStopped(why):
            return f"STOPPED: {why}"
        case e.RolloutAborted(who, reason):
            return f"aborted by {who}: {reason}"
        case e.RolloutFinished():
            return "finished"
        case e.StageOpened(stage):
            return f"stage {stages[stage].name} opened ({stage + 1} of {len(stages)})"
        case e.StageBaking(stage, until):
            return f"stage {stages[stage].name} bakes until {until:%Y-%m-%d %H:%M:%S}"
        case e.StageAwaiting(stage):
            return f"stage {stages[stage].name} is done; the next one waits for approval"
        case e.StageApproved(stage, who, reason):
            return f"stage after {stages[stage].name} approved by {who}: {reason}"
        case e.WaveOpened(lane, wave):
            waves = rollout.planned.lanes[lane].waves
            machines = counted(len(waves[wave]), "machine")
            return f"lane {lanes[lane].id}: wave {wave + 1} of {len(waves)} opened, {machines}"
        case e.WavePassed(lane, wave):
            return f"lane {lanes[lane].id}: wave {wave + 1} passed its gate"
        case e.LaneGaveUp(lane, why):
            return f"lane {lanes[lane].id} gave up: {why}"
        case e.BudgetsShrunk(budgets, limits, refused):
            return replanned_for(rollout, dict(zip(budgets, limits, strict=True)), refused)
        case e.LaneReplanned(lane, begun, _, sizes):
            return f"lane {lanes[lane].id}: planned anew from wave {begun + 1} on, {begun + len(sizes)} waves by now"
        case e.FleetSeen(out, back):
            return _seen(rollout, out, back)
        case e.MemberMoved() | e.OutsidersSeen():
            return _moved(rollout, fact)
        case e.StretchBegun(where):
            return f"the steps before {_stretch(rollout, where)} begin"
        case e.StretchStepEnded(where, after, _, ok, evidence):
            side, came = ("after" if after else "before"), ("done" if ok else "FAILED")
            return f"step {side} {_stretch(rollout, where)} {came}: {evidence}"
    return None


def _moved(rollout: Rollout, fact: e.MemberMoved | e.OutsidersSeen) -> str:
    """Of machines that the plan doesn't have, or has elsewhere."""
    if isinstance(fact, e.OutsidersSeen):
        parts = [(fact.out, "out, of nobody's grant"), (fact.back, "well again")]
        return "; ".join(f"{', '.join(map(_called, who))}: {what}" for who, what in parts if who)
    rules = rollout.planned.plan.constraints
    told = [(fact.joins, "it counts from now on in"), (fact.leaves, "it counts as out in what it left,")]
    words = [f"{what} {'; '.join(rules[n].what for n in numbers)}" for numbers, what in told if numbers]
    counts = ", and ".join(words) or "it counts as before"
    return f"{_called(fact.identity)} isn't where the plan has it, if it has it: {counts}"


def _called(machine: MachineId) -> str:
    return machine.rsplit("/", 1)[-1]


def _of_others(rollout: Rollout, fact: e.Event) -> str | None:
    """Of receivers, groups and updates."""
    match fact:
        case e.Told(notice, webhook, ok, evidence):
            return (
                f"{webhook} was told (notice {notice})"
                if ok
                else f"{webhook} can't be told, tried on: {evidence}"
            )
        case e.GroupSeen(group, well, evidence):
            name = rollout.planned.plan.group_probes[group].name
            return (
                f"group {name} is well again"
                if well
                else f"group {name} isn't well, its machines wait: {evidence}"
            )
        case e.HoldSeen():
            return _held(rollout, fact)
        case e.EmergencyDeclared(who, reason, overrides):
            shortened = "; ".join(overrides) or "it has nothing ahead that this shortens"
            return f"EMERGENCY declared by {who}: {reason}; {shortened}"
        case e.PatchesSeen(patches=patches):
            return f"updates as machines have them from here on: {patch_sentence(patches)}"
    return None


def _of_scope(fact: e.Event) -> str | None:
    """Of what is about no rollout, or may be."""
    match fact:
        case e.Archived(rollouts=rollouts, archive=archive, rows=rows):
            return (
                f"{counted(len(rollouts), 'rollout')} went into the archive {archive}, {counted(rows, 'row')}"
            )
        case e.UpdateBlocked(kb, who, reason):
            return f"KB{kb} is kept out of every campaign by {who}: {reason}"
        case e.UpdateUnblocked(kb, who, reason):
            return f"KB{kb} is let in again by {who}: {reason}"
        case e.HoldPlaced(hold, select, until, who, reason):
            return f"hold {hold}: {select} is held by {who} until {until:%Y-%m-%d %H:%M} UTC: {reason}"
        case e.HoldLifted(hold, who, reason):
            return f"hold {hold} is lifted by {who}: {reason}"
        case e.CommandRefused(_, who, why):
            return f"refused to {who}: {why}"
        case e.ReceiversNamed() | e.MatterRaised() | e.MatterSettled() | e.MatterTold():
            return _of_matter(fact)
    return None


def _of_matter(fact: e.MatterEvent) -> str:
    """Of what the service tells of itself."""
    match fact:
        case e.ReceiversNamed(receivers):
            return f"told from now on: {', '.join(one.webhook for one in receivers) or 'nobody'}"
        case e.MatterRaised(text=text):
            return text
        case e.MatterSettled(topic, key):
            return f"over: {topic.replace('_', ' ')} {key}"
        case e.MatterTold(news, webhook, ok, evidence):
            return (
                f"{webhook} was told (news {news})"
                if ok
                else f"{webhook} can't be told, tried on: {evidence}"
            )


def _held(rollout: Rollout, fact: e.HoldSeen) -> str:
    if not fact.machines:
        return f"hold {fact.hold}: the fleet was looked at; it means no machine of this rollout besides"
    some = ", ".join(rollout.planned.machine(m).name for m in fact.machines[:5])
    more = f" and {len(fact.machines) - 5} more" if len(fact.machines) > 5 else ""
    return f"hold {fact.hold}: the fleet was looked at; it means {some}{more}"


def replanned_for(rollout: Rollout, limits: Mapping[int, int], refused: str) -> str:
    """Why what was not begun was planned anew."""
    rules = rollout.planned.plan.constraints
    rooms = "; ".join(f"{rules[place].what}: room for {room} now" for place, room in limits.items())
    came = f"stays as it was, {refused}" if refused else "is planned anew"
    return f"machines stay out, not by us, so what was not begun {came} ({rooms})"


def _stretch(rollout: Rollout, where: tuple[int, ...]) -> str:
    return rollout.planned.title(rollout.planned.stretches.at[where])


def _seen(rollout: Rollout, out: tuple[int, ...], back: tuple[int, ...]) -> str:
    def names(machines: tuple[int, ...]) -> str:
        some = ", ".join(rollout.planned.machine(m).name for m in machines[:5])
        return some + (f" and {len(machines) - 5} more" if len(machines) > 5 else "")

    parts = [f"out, not by us: {names(out)}"] if out else []
    parts += [f"serving again: {names(back)}"] if back else []
    return "; ".join(parts) or "nothing changed in the fleet"


def _of_attempt(name: str, fact: e.Event) -> str | None:
    match fact:
        case e.Granted(broken=broken, restarts=restarts):
            stays = "" if restarts else ", and stays up"
            return f"{name}: granted{stays}{', though it is out already: to be repaired' if broken else ''}"
        case e.RestartForeseen(why=why):
            return f"{name}: counts as a restart from now on: {why}"
        case e.Intended(attempt=attempt):
            return f"{name}: attempt {attempt} is about to be sent"
        case e.IntentLapsed():
            return f"{name}: the request was not sent in time"
        case e.Started():
            return f"{name}: begun"
        case e.AttemptRejected(code=code, message=message, retry_at=retry_at):
            again = f"; again at {retry_at:%H:%M:%S}" if retry_at else ""
            return f"{name}: refused by the cloud: {code}: {message}{again}"
        case e.AttemptUnsettled(why=why):
            return f"{name}: nobody knows yet whether it began: {why}"
        case e.Adopted():
            return f"{name}: it had begun; its run is followed"
        case e.NotStarted():
            return f"{name}: it had not begun"
        case e.Undecided(why=why):
            return f"{name}: UNDECIDED, a person's now: {why}"
        case e.ForeignRunSeen():
            return f"{name}: somebody else is patching it; we wait"
        case e.StepEnded(after=after, ok=ok, evidence=evidence):
            return f"{name}: step {'after' if after else 'before'} {'done' if ok else 'FAILED'}: {evidence}"
        case e.ChangeEnded(changed=changed, detail=detail):
            return f"{name}: {'changed' if changed else 'not changed'}: {detail}"
        case e.PartEnded(detail=detail):
            return f"{name}: half-way: {detail}"
        case e.Assessed(pending=pending):
            return f"{name}: assessed anew: {pending} patches missing"
    return None


def _of_machine(name: str, fact: e.Event) -> str | None:
    match fact:
        case e.Verified(well=well, evidence=evidence):
            return f"{name}: {'well' if well else 'not well: ' + evidence}; steps after follow"
        case e.MachineEnded(outcome=outcome, detail=detail):
            return f"{name}: {outcome.replace('_', ' ')}{', ' + detail if detail else ''}"
        case e.MachineUnhealthy(evidence=evidence, late=late):
            return f"{name}: UNHEALTHY{', late' if late else ''}: {evidence}"
        case e.MachineLeftOut(why=why):
            return f"{name}: left out: {why}"
        case e.MachineGone():
            return f"{name}: gone"
        case e.MachineRetried(who=who, reason=reason):
            return f"{name}: another attempt, says {who}: {reason}"
        case e.MachineSkipped(who=who, reason=reason):
            return f"{name}: skipped by {who}: {reason}"
        case e.MachineWrittenOff(who=who, reason=reason):
            return f"{name}: written off by {who}: {reason}"
    return None
