"""Scripts on machines by Azure's managed run commands, whose name is a key of ours: whether one was taken, its name tells."""

from __future__ import annotations

import contextlib
from datetime import datetime, timedelta

from orchestrator.cloud.port import Accepted, Budgeted, Ended, Rejected, Target, Unsettled
from orchestrator.errors import CloudError, CloudPermanent, CloudTransient
from orchestrator.executor.following import until_end
from orchestrator.executor.services import Services
from orchestrator.executor.settling import Settling
from orchestrator.policy.change import RunCommand, parts
from orchestrator.policy.words import duration
from orchestrator.rollout import actions as a
from orchestrator.rollout import messages as m
from orchestrator.rollout.codec import request_key, step_key
from orchestrator.rollout.judge import judge
from orchestrator.rollout.state import Rollout

GONE = "ResourceNotFound"


async def settle_command(
    services: Services, rollout: Rollout, activity: a.Settle, target: Target
) -> m.Observation:
    """Whether a command that nobody answered for was taken: it is there under its name, or surely isn't.

    Sure is that it isn't once no request can be on its way any more, and `settle_for` of nothing but good reads have passed since.
    """
    index, attempt = activity.machine, activity.attempt
    key = rollout.machines[index].key
    settling = Settling(services, activity.not_after)
    while True:
        there = await is_there(services, target, key)
        if there:
            return m.ReadBack(rollout.id, index, attempt, key, "", certain=True, sure=True)
        if there is False and await _machine_is_gone(services, target):
            return m.FoundGone(rollout.id, index)
        certain = settling.looked(good=there is not None)
        if certain is not None:
            return m.ReadBack(rollout.id, index, attempt, activity.baseline, "", certain=certain, sure=False)
        await settling.pause()


async def is_there(services: Services, target: Target, key: str) -> bool | None:
    """Whether the cloud has the command that `key` stands for; None if it can't be asked now."""
    await services.dispatcher.turn(target.subscription, target.location, Budgeted.GET)
    try:
        await services.cloud.poll(await services.cloud.command_of(target, key))
    except CloudPermanent as error:
        return False if error.code == GONE else None
    except CloudTransient as error:
        if error.retry_after_s is not None:
            services.dispatcher.hold(target.subscription, target.location, Budgeted.GET, error.retry_after_s)
        return None
    except CloudError:
        return None
    return True


async def _machine_is_gone(services: Services, target: Target) -> bool:
    try:
        await services.views.read(target)
    except CloudPermanent as error:
        return error.code == GONE
    except CloudError:
        return False
    return False


async def run_command(
    services: Services, command: RunCommand, target: Target, key: str, begun: datetime
) -> tuple[bool, str]:
    """Run a script as a step, once: whether it went well, and what came of it. `begun`: when the step was due.

    It may have been put already, by this process or by one that has died since. So its name is asked for first, and put only
    if it surely isn't there; where it may be on its way still, that time is waited out before.
    """
    clock, settings = services.clock, services.settings
    until = clock.now() + command.timeout + settings.command_grace
    in_transit = timedelta(seconds=settings.in_transit_s * clock.scale)
    late = (
        clock.now() - begun > settings.step_retry
    )  # a step is begun as soon as it is due, unless a process died
    if late:
        await clock.sleep(in_transit.total_seconds())
    while (there := await is_there(services, target, key)) is not True:
        if clock.now() >= until:
            return False, f"{command.script.file}: it could not be begun in {duration(command.timeout)}"
        if there is False:
            refused = await _put(services, command, target, key)
            if refused is not None:
                return False, f"{command.script.file}: {refused}"
        await clock.sleep(settings.settle_every.total_seconds() if there is None else 0)
    try:
        operation = await services.cloud.command_of(target, key)
        ended = await until_end(services, target, operation, "command", clock.now(), until)
    except CloudError as error:
        return False, f"{command.script.file}: how it ended can't be read: {error}"
    if ended is None:
        return False, f"{command.script.file}: it has not ended in {duration(command.timeout)}"
    return ended.succeeded, f"{command.script.file}: {_told(command, ended)}"


async def _put(services: Services, command: RunCommand, target: Target, key: str) -> str | None:
    """Send the one request; why it was refused for good, if it was. Whatever else comes of it, its name tells."""
    clock, settings = services.clock, services.settings
    kind = Budgeted.UPDATE
    await services.dispatcher.turn(target.subscription, target.location, kind)
    try:
        answer = await services.cloud.start(target, command, key, settings.request_timeout_s)
    except CloudError as error:  # the port's promise: nothing was sent
        answer = Rejected(error.code, str(error), not isinstance(error, CloudPermanent))
    match answer:
        case Accepted():
            return None
        case Rejected(code, message, False):
            return f"refused: {code}: {message}"
        case Rejected(retry_after_s=seconds):
            if seconds is not None:
                services.dispatcher.hold(target.subscription, target.location, kind, seconds)
            await clock.sleep(seconds or settings.settle_every.total_seconds())
        case Unsettled():  # it may be on its way
            in_transit = timedelta(seconds=settings.in_transit_s * clock.scale)
            await clock.sleep(in_transit.total_seconds())
    return None


def _told(command: RunCommand, ended: Ended) -> str:
    return judge(command, ended.succeeded, ended.result, ended.error_code, ended.error_message).detail


async def tidy_up(services: Services, rollout: Rollout, index: int, target: Target) -> None:
    """Take away the commands of a machine whose part went well: Azure keeps no more than a few of a machine.

    What failed stays there with its output. Nothing depends on this.
    """
    if not rollout.machines[index].changed:
        return
    for key in _keys(rollout, index):
        with contextlib.suppress(CloudError):
            await services.dispatcher.turn(target.subscription, target.location, Budgeted.UPDATE)
            await services.cloud.forget_command(target, key)


def _keys(rollout: Rollout, index: int) -> list[str]:
    """Of the commands that a grant makes which goes as it should."""
    planned, run = rollout.planned, rollout.machines[index]
    asked = parts(planned.plan.change, planned.machine(index).id)
    first = run.attempt - len(asked) + 1
    keys = [
        request_key(rollout.id, index, first + place)
        for place, part in enumerate(asked)
        if isinstance(part, RunCommand)
    ]
    for after, steps in ((False, planned.steps_before(index)), (True, planned.steps_after(index))):
        keys += [
            step_key(rollout.id, index, run.grants, place, after=after)
            for place, step in enumerate(steps)
            if step.command is not None
        ]
    return keys
