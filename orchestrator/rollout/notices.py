"""Who is to be told of what: made of facts as they are folded, kept until the fact that they were told.

So none is lost by a crash. A notice may be told twice, by a process that dies between a call and the fact that it was made; its id is the
same then, so that receivers can tell. Whoever can't be told holds nothing up: that is a fact too, for `status`, and is tried on.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from urllib.parse import quote

from orchestrator.policy.model import Occasion
from orchestrator.policy.words import counted
from orchestrator.rollout import actions as a
from orchestrator.rollout import events as e
from orchestrator.rollout import messages as m
from orchestrator.rollout.matters import Receiver
from orchestrator.rollout.stakes import options_of, stake_of
from orchestrator.rollout.state import MachineStatus, Notice, Rollout


def note(rollout: Rollout, fact: e.Event, at: datetime) -> None:
    """Keep what people are to be told of a fact that was just folded: those whom policies name, and those whom the service does."""
    if not rollout.planned.plan.notify and not rollout.receivers:
        return
    for occasion, text, machine in _told_of(rollout, fact):
        webhooks = {one.webhook: None for one in rollout.planned.plan.notify if occasion in one.on}
        webhooks |= {webhook: None for webhook, on in rollout.receivers.items() if occasion in on}
        if occasion is Occasion.PAUSED and not webhooks:
            continue  # it has no number either: journals from before there was such an occasion count without it
        rollout.notices += 1
        stake, options = stake_of(rollout, occasion, machine), options_of(rollout, occasion, machine)
        notice = Notice(rollout.notices, occasion, at, text, rollout.stage, machine, stake, options)
        for webhook in webhooks:
            rollout.untold.setdefault(webhook, {})[notice.number] = notice


def due_notices(rollout: Rollout) -> tuple[a.Tell, ...]:
    """What is to be told now: to each receiver one notice after another."""
    return tuple(
        a.Tell(rollout.id, webhook, next(iter(notices)), failing=webhook in rollout.mute)
        for webhook, notices in sorted(rollout.untold.items())
        if notices
    )


def decide_told(rollout: Rollout, message: m.NoticeTold) -> tuple[e.Event, ...]:
    """The fact of a notice that was told, or couldn't be; the latter once, however long it lasts."""
    if message.notice not in rollout.untold.get(message.webhook, {}):
        return ()
    if not message.ok and message.webhook in rollout.mute:
        return ()
    return (e.Told(message.notice, message.webhook, message.ok, message.evidence),)


def fold_told(rollout: Rollout, fact: e.Told) -> None:
    """It is told, or is known to be hard to tell."""
    if fact.ok:
        rollout.untold[fact.webhook].pop(fact.notice, None)
        rollout.mute.pop(fact.webhook, None)
    else:
        rollout.mute[fact.webhook] = fact.evidence


def decide_receivers_of(rollout: Rollout, receivers: Sequence[Receiver]) -> tuple[e.Event, ...]:
    """The fact that others are told of a rollout from now on than those of whom it knows. Of one that is over nobody new is told."""
    wanted = {one.webhook: one.on for one in receivers}
    owed = {webhook for webhook, notices in rollout.untold.items() if notices} & rollout.receivers.keys()
    if wanted == rollout.receivers or (rollout.over and owed <= wanted.keys()):
        return ()
    return (e.ReceiversNamed(tuple(receivers)),)


def fold_receivers(rollout: Rollout, fact: e.ReceiversNamed) -> None:
    """What those who aren't receivers any more weren't told is told to nobody, unless its plan names them."""
    named = {one.webhook for one in rollout.planned.plan.notify}
    gone = rollout.receivers.keys() - {one.webhook for one in fact.receivers} - named
    rollout.receivers = {one.webhook: one.on for one in fact.receivers}
    for webhook in gone:
        rollout.untold.pop(webhook, None)
        rollout.mute.pop(webhook, None)


def notice_key(rollout: Rollout, notice: int) -> str:
    """The id by which receivers tell a notice from a second one."""
    return f"{rollout.id}-notice-{notice}"


def body_of(rollout: Rollout, notice: Notice, page: str = "") -> dict[str, Any]:
    """What a receiver is told. `page` is where people see the service; empty if nowhere."""
    plan = rollout.planned.plan
    body: dict[str, Any] = {
        "id": notice_key(rollout, notice.number),
        "rollout": rollout.id,
        "name": plan.name,
        "occasion": notice.occasion.value,
        "at": notice.at.isoformat().replace("+00:00", "Z"),
        "stage": plan.stages[notice.stage].name,
        "text": notice.text,
        "at_stake": notice.stake,
        "you_may": list(notice.options),
    }
    if page:
        body["link"] = f"{page}/#/rollouts/{quote(rollout.id)}"
    if notice.machine >= 0:
        machine = rollout.planned.machine(notice.machine)
        body |= {"machine": machine.arm_id, "machine_name": machine.name}
    return body


# What is worth telling ------------------------------------------------------------------------------------------


def _told_of(rollout: Rollout, fact: e.Event) -> list[tuple[Occasion, str, int]]:
    """Occasions of a fact, each with a sentence and the machine that it is about, or -1."""
    told = [(Occasion.STAGE, text, -1) for text in _stage_done(rollout, fact)]
    stages = rollout.planned.plan.stages
    match fact:
        case e.RolloutStarted(who=who, reason=reason):
            machines = counted(rollout.planned.changing, "machine")
            why = f": {reason}" if reason else ""
            told.append((Occasion.STARTED, f"started by {who}, {machines}{why}", -1))
        case e.StageAwaiting(stage):
            text = f"stage {stages[stage].name} is done; the next one waits for approval: wavekeeper approve {rollout.id}"
            told.append((Occasion.APPROVAL, text, -1))
        case e.EmergencyDeclared(who, reason, overrides):
            text = f"EMERGENCY declared by {who}: {reason}; {'; '.join(overrides)}"
            told.append((Occasion.APPROVAL, text.removesuffix("; "), -1))
        case e.MachineUnhealthy(machine, evidence, late):
            what = "unhealthy, late" if late else "unhealthy"
            told.append((Occasion.UNHEALTHY, f"{_name(rollout, machine)} is {what}: {evidence}", machine))
        case e.Undecided(machine, why):
            told.append((Occasion.UNHEALTHY, f"{_name(rollout, machine)} is undecided: {why}", machine))
        case e.RolloutStopped(why, machine):
            told.append((Occasion.STOPPED, f"stopped by itself: {why}", machine))
        case e.RolloutPaused(who, reason):
            told.append((Occasion.PAUSED, f"paused by {who}: {reason}", -1))
        case e.RolloutResumed(who, reason):
            told.append((Occasion.PAUSED, f"resumed by {who}: {reason}", -1))
        case e.RolloutAborted(who, reason):
            told.append((Occasion.FINISHED, f"aborted by {who}: {reason}", -1))
        case e.RolloutRefused(why):
            told.append((Occasion.FINISHED, f"refused before anything was touched: {why}", -1))
        case e.RolloutFinished():
            done = rollout.counts[MachineStatus.DONE]
            told.append(
                (Occasion.FINISHED, f"finished: {done} of {rollout.planned.changing} machines done", -1)
            )
    return told


def _stage_done(rollout: Rollout, fact: e.Event) -> list[str]:
    """A stage is done when it begins to bake; without a bake, when whatever comes next is a fact. Each once."""
    last = len(rollout.planned.plan.stages) - 1
    match fact:
        case e.StageBaking(stage) | e.StageAwaiting(stage):
            done = stage
        case e.StageOpened(stage):
            done = stage - 1
        case e.RolloutFinished():
            done = last
        case _:
            return []
    if done < rollout.stages_done or not rollout.planned.lanes_of_stage[done]:
        return []
    rollout.stages_done = done + 1
    return [
        f"stage {rollout.planned.plan.stages[done].name} is done: all its machines are verified or settled"
    ]


def _name(rollout: Rollout, machine: int) -> str:
    return rollout.planned.machine(machine).name
