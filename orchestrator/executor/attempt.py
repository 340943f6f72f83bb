"""One attempt at one machine: look, send once, read back if nobody knows, follow, assess. The protocol of docs/architecture.md."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from orchestrator.cloud.port import (
    Accepted,
    Answer,
    Budgeted,
    Ended,
    Operation,
    Rejected,
    Target,
    Unsettled,
    View,
)
from orchestrator.errors import AccessDenied, CloudError, CloudPermanent
from orchestrator.executor.assessing import assess_machine
from orchestrator.executor.commands import settle_command
from orchestrator.executor.following import until_end
from orchestrator.executor.groups import SickGroup
from orchestrator.executor.hybrid import SILENCE, began_since, is_hybrid, with_patches
from orchestrator.executor.services import Services, target_of
from orchestrator.executor.settling import Settling
from orchestrator.executor.wellness import ask_network, probes_of, unwell_by_view
from orchestrator.hotpatch.selection import selected
from orchestrator.inventory.assessments import Assessment
from orchestrator.inventory.model import Agent, Os, Power
from orchestrator.planner.restarts import installation_of
from orchestrator.policy.change import WriteSettings
from orchestrator.policy.model import Change, Patches, Restart, RunCommand
from orchestrator.rollout import actions as a
from orchestrator.rollout import messages as m
from orchestrator.rollout.judge import judge
from orchestrator.rollout.parts import request_of
from orchestrator.rollout.state import Rollout

GONE = frozenset({"ResourceNotFound", "NotFound", "ResourceGroupNotFound"})


async def check(services: Services, rollout: Rollout, activity: a.Check) -> m.Observation:
    """Look at a machine right before its grant: its turn to be sent a request, its last patch run, all its probes, its groups.

    A cloud that can't be asked now says nothing of the machine: it waits, for as long as its wave does.
    """
    plan, index = rollout.planned.plan, activity.machine
    machine = rollout.planned.machine(index)
    health, probes = plan.health[machine.health], probes_of(plan, machine)
    target, forced = target_of(machine), rollout.machines[index].forced
    misses = 0
    while True:
        try:
            view = await _view_before(services, rollout, index, target)
        except CloudPermanent as error:
            return _unreadable(rollout, index, error)
        except CloudError:
            await services.clock.sleep(services.settings.settle_every.total_seconds())
            continue
        if view.installing:
            return m.FoundBusy(rollout.id, index)
        evidence = unwell_by_view(probes, view)
        mute = 0  # probes that can't be put, so that nobody knows how the machine is
        if not evidence:
            seen = await ask_network(services, machine, probes)
            evidence, mute = seen.evidence, seen.unasked
        baseline = view.installation_id or ""
        if forced:
            serves = not evidence and not mute
            return m.FoundWell(rollout.id, index, baseline, view.restart_pending, serves)
        sick = None if evidence else await services.groups.sick(plan, machine)
        if not evidence and sick is None:
            return m.FoundWell(rollout.id, index, baseline, view.restart_pending)
        misses += 1
        if misses >= health.fail_after:
            if sick is not None:
                return m.FoundGroupSick(rollout.id, index, sick.group, sick.evidence)
            if health.repair and not mute and _can_be_changed(rollout, view):
                return m.FoundBroken(rollout.id, index, view.installation_id or "", evidence)
            return m.FoundOut(rollout.id, index, evidence)
        await services.clock.sleep(health.interval.total_seconds())


def _can_be_changed(rollout: Rollout, view: View) -> bool:
    """Whether a machine that is out can be changed all the same: Azure takes requests for running ones, and all but restarts need the agent."""
    agent = view.agent is Agent.READY or isinstance(rollout.planned.plan.change, Restart)
    return view.power is Power.RUNNING and agent


async def _view_before(services: Services, rollout: Rollout, index: int, target: Target) -> View:
    """The machine's view, taken when it has its turn to be sent a request. Raises the errors of the port."""
    await services.dispatcher.turn(target.subscription, target.location, _kind(rollout, index))
    return await services.views.read(target)


def _unreadable(rollout: Rollout, index: int, error: CloudPermanent) -> m.Observation:
    return m.FoundGone(rollout.id, index) if error.code in GONE else m.FoundOut(rollout.id, index, str(error))


def _kind(rollout: Rollout, index: int) -> Budgeted:
    return Budgeted.GUEST_PATCH if isinstance(request_of(rollout, index), Patches) else Budgeted.UPDATE


async def read_baseline(services: Services, rollout: Rollout, activity: a.ReadBaseline) -> m.Observation:
    """Look again before an intent under a grant of a while ago: the last patch run's id, and its groups.

    Its steps before, an attempt that never began, or hours in which no process ran may lie between the two.
    """
    index, clock = activity.machine, services.clock
    if activity.not_before is not None:
        await clock.sleep((activity.not_before - clock.now()).total_seconds())
    machine = rollout.planned.machine(index)
    target, health = target_of(machine), rollout.planned.plan.health[machine.health]
    until, misses = clock.now() + services.settings.baseline_within, 0
    while True:
        pause = services.settings.settle_every
        try:
            view = await _view_before(services, rollout, index, target)
        except CloudPermanent as error:
            return _unreadable(rollout, index, error)
        except CloudError as error:
            if clock.now() >= until:
                return m.FoundOut(rollout.id, index, f"it could not be read: {error}")
        else:
            if view.installing:
                return m.FoundBusy(rollout.id, index)
            sick = await _sick_since(services, rollout, index)
            if sick is None:
                return m.FoundWell(rollout.id, index, view.installation_id or "", view.restart_pending)
            misses += 1
            if misses >= health.fail_after:
                return m.FoundGroupSick(rollout.id, index, sick.group, sick.evidence)
            pause = health.interval
        await clock.sleep(pause.total_seconds())


async def _sick_since(services: Services, rollout: Rollout, index: int) -> SickGroup | None:
    """The group of a granted machine that isn't well; None for one whose grant asked no group either, or that is half-way."""
    run = rollout.machines[index]
    if run.forced or run.broken or run.part:
        return None
    return await services.groups.sick(rollout.planned.plan, rollout.planned.machine(index))


async def send(services: Services, rollout: Rollout, activity: a.Send) -> m.Observation:
    """Send the one request, unless its time has passed."""
    index, attempt = activity.machine, activity.attempt
    target = target_of(rollout.planned.machine(index))
    kind = _kind(rollout, index)
    if not await services.dispatcher.unheld(target.subscription, target.location, kind, activity.not_after):
        return m.SendLapsed(rollout.id, index, attempt)
    timeout_s = services.settings.request_timeout_s
    change = request_of(rollout, index)
    try:
        answer = await services.cloud.start(target, change, activity.key, timeout_s)
    except CloudError as error:  # the port's promise: nothing was sent
        answer = Rejected(
            error.code or type(error).__name__,
            str(error),
            not isinstance(error, CloudPermanent | AccessDenied),
        )
    return _answered(services, rollout, activity, target, answer)


def _answered(
    services: Services, rollout: Rollout, activity: a.Send, target: Target, answer: Answer
) -> m.Observation:
    index, attempt = activity.machine, activity.attempt
    match answer:
        case Accepted(operation):
            return m.SendAccepted(rollout.id, index, attempt, operation.status_url, operation.result_url)
        case Rejected(code, message, transient, retry_after_s):
            if retry_after_s is not None:
                services.dispatcher.hold(
                    target.subscription, target.location, _kind(rollout, index), retry_after_s
                )
            return m.SendRejected(rollout.id, index, attempt, code, message, transient, retry_after_s)
        case Unsettled(why):
            return m.SendUnsettled(rollout.id, index, attempt, why)


async def settle(services: Services, rollout: Rollout, activity: a.Settle) -> m.Observation:
    """Read an unsettled machine back until a new run shows, or one that was taken would surely have shown.

    That is sure after `settle_for` of nothing but good reads, counted from when no request can be on its way any more.
    """
    index, attempt = activity.machine, activity.attempt
    target, change = target_of(rollout.planned.machine(index)), request_of(rollout, index)
    if isinstance(change, RunCommand):
        return await settle_command(services, rollout, activity, target)
    if isinstance(change, WriteSettings):
        return _read_back(rollout, activity, certain=True)  # sent again, it changes nothing
    if isinstance(change, Restart):
        return _read_back(rollout, activity, certain=False)  # a restart leaves no id to compare
    arc = is_hybrid(target)
    settling = Settling(services, activity.not_after)
    while True:
        try:
            view = await services.views.read(target)
        except CloudPermanent as error:
            if error.code in GONE:
                return m.FoundGone(rollout.id, index)
            good = False
        except CloudError:
            good = False
        else:
            shown = view.installation_id or ""
            new = shown and shown != activity.baseline
            if new and (not arc or began_since(services, view, activity.not_after)):
                url = (await services.cloud.operation_of(target, shown)).status_url
                return m.ReadBack(rollout.id, index, attempt, shown, url, certain=True, sure=False)
            good = view.agent is Agent.READY and not arc
        certain = settling.looked(good=good)
        if certain is not None:
            return _read_back(rollout, activity, certain=certain, why=SILENCE if arc else "")
        await settling.pause()


def _read_back(rollout: Rollout, activity: a.Settle, *, certain: bool, why: str = "") -> m.ReadBack:
    """No run but the last one known."""
    machine, attempt, baseline = activity.machine, activity.attempt, activity.baseline
    return m.ReadBack(
        rollout.id, machine, attempt, baseline, "", certain=certain, sure=False, unsettled_by=why
    )


async def follow(services: Services, rollout: Rollout, activity: a.Follow) -> m.Observation:
    """Follow an operation to its end, and judge it."""
    index, attempt = activity.machine, activity.attempt
    change, run = request_of(rollout, index), rollout.machines[index]
    target = target_of(rollout.planned.machine(index))
    began = run.since or services.clock.now()
    operation = Operation(activity.status_url, activity.result_url)
    match change:
        case Patches():
            kind, limit = "patches", change.maximum_duration + services.settings.operation_grace
        case Restart():
            kind, limit = "restart", services.settings.restart_timeout
        case WriteSettings():
            kind, limit = "settings", services.settings.restart_timeout
        case RunCommand():
            kind, limit = "command", change.timeout + services.settings.command_grace
            operation = await services.cloud.command_of(target, run.key)
    until = _at_least_looked_at(services, began + limit)
    try:
        ended = await until_end(services, target, operation, kind, began, until)
    except CloudError as error:
        if not isinstance(change, Patches):  # no view tells how a restart ended, or a script
            return m.FollowLost(rollout.id, index, attempt, f"its operation can't be read: {error}")
        if is_hybrid(target):  # which run is ours, nothing there says
            return m.FollowLost(rollout.id, index, attempt, f"its operation can't be read: {error}")
        try:
            ended = await _by_view(services, target, run.baseline, until)
        except CloudPermanent:
            return m.FoundGone(rollout.id, index)
    if ended is None:
        hours = limit.total_seconds() / 3600
        return m.FollowLost(rollout.id, index, attempt, f"its operation has not ended after {hours:g} h")
    if is_hybrid(target) and isinstance(change, Patches):
        ended = await with_patches(services, target, ended)
    found = judge(change, ended.succeeded, ended.result, ended.error_code, ended.error_message)
    return m.ChangeReported(
        rollout.id,
        index,
        attempt,
        found.changed,
        found.passing,
        found.stops,
        found.detail,
        found.restart,
        found.meaning,
        found.patches,
    )


def _at_least_looked_at(services: Services, until: datetime) -> datetime:
    """Until when an operation is followed. Nobody may have looked for hours, and then it has long ended: it is looked at all the same."""
    return max(until, services.clock.now() + services.settings.settle_for)


async def _by_view(services: Services, target: Target, baseline: str, until: datetime) -> Ended | None:
    """Where the operation can't be read: the instance view's summary of the run after `baseline`, which tells less.

    Raises:
        CloudPermanent: The machine is gone.
    """
    while services.clock.now() < until:
        try:
            view = await services.views.read(target)
        except CloudError as error:
            if isinstance(error, CloudPermanent) and error.code in GONE:
                raise
        else:
            ours = (view.installation_id or "") != baseline
            if ours and view.installation_status is not None and not view.installing:
                return Ended(view.installation_status == "Succeeded", _summary(view))
        await services.clock.sleep(services.settings.poll_most.total_seconds())
    return None


def _summary(view: View) -> Mapping[str, Any]:
    return {"status": view.installation_status, "rebootStatus": "NotNeeded"}


async def assess(services: Services, rollout: Rollout, activity: a.Assess) -> m.Observation:
    """Have the machine assess what is missing of the set, after a run that may have been somebody else's."""
    plan = rollout.planned.plan
    machine = rollout.planned.machine(activity.machine)
    key = f"{rollout.id}-{activity.machine}-{activity.attempt}-assess"
    target = target_of(machine)
    try:
        before = (await services.views.read(target)).assessed_at
    except CloudError:
        before = None
    answer = await assess_machine(services, target, key, before, counts_do=True)
    pending = None if answer.found is None else _missing(answer.found, machine.os, plan.change)
    pending = -1 if pending is None else pending
    return m.AssessmentReported(rollout.id, activity.machine, activity.attempt, pending)


def _missing(found: Assessment, os: Os, change: Change) -> int | None:
    """How many updates of the set are still missing: what was published meanwhile, or nobody asked for, is none of it.

    Where no updates are told, only critical and security ones are counted, whatever the set.
    """
    if found.updates is None or not isinstance(change, Patches):
        return found.critical_and_security
    return sum(1 for _ in selected(os, found.updates, installation_of(change)))
