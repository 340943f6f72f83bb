"""How lanes and stages move on: gates that pass, waves that open, stages that bake, and the end."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from orchestrator.rollout import events as e
from orchestrator.rollout.emergency import least_bake
from orchestrator.rollout.holding import held_refusal, surely_held
from orchestrator.rollout.holds import Hold
from orchestrator.rollout.hours import looked_long, waited_long
from orchestrator.rollout.looking import ALL_THE_WHILE, Looked, fair_look
from orchestrator.rollout.state import (
    A_PERSONS,
    SETTLED,
    MachineStatus,
    Rollout,
    RolloutStatus,
    StageStatus,
)
from orchestrator.rollout.stopping import in_canary
from orchestrator.rollout.stretches import holds_up, under_way

SECOND_THOUGHTS: Final = timedelta(hours=1)
"""How old a hold is at least before a wave goes on without the machines that it holds."""


def advance_lane(
    rollout: Rollout, number: int, now: datetime, looked: Looked = ALL_THE_WHILE
) -> tuple[e.Event, ...]:
    """What follows for a lane: its wave passes, the next one opens, or it gives up waiting. `looked`: as in `messages.Advance`."""
    lane, planned = rollout.lanes[number], rollout.planned.lanes[number]
    if not lane_may_move(rollout, number):
        return ()
    if not lane.open:
        return (e.WaveOpened(number, lane.wave),) if _predecessors_finished(rollout, number) else ()
    if lane.left == 0:
        if holds_up(rollout, (number, lane.wave)):
            return ()
        passed = e.WavePassed(number, lane.wave)
        last = lane.wave + 1 == len(planned.waves)
        return (passed,) if last else (passed, e.WaveOpened(number, lane.wave + 1))
    deadline = given_up_at(rollout, number, looked)
    if deadline is None:
        return ()
    if now >= deadline:
        return _give_up(rollout, number, now)
    leaves = leaves_held_at(rollout, number, looked)
    return _leave_held(rollout, number, deadline) if leaves is not None and now >= leaves else ()


def lane_may_move(rollout: Rollout, number: int) -> bool:
    """Whether the rollout runs, the lane's stage is open and the lane isn't finished."""
    return (
        rollout.status is RolloutStatus.RUNNING
        and rollout.stage_status is StageStatus.OPEN
        and rollout.planned.lanes[number].stage == rollout.stage
        and not rollout.lanes[number].finished
    )


def lane_is_due(rollout: Rollout, number: int, now: datetime, looked: Looked = ALL_THE_WHILE) -> bool:
    """Whether `advance_lane` would say something: the definition that the incremental index is tested against."""
    return bool(advance_lane(rollout, number, now, looked))


def _predecessors_finished(rollout: Rollout, number: int) -> bool:
    return all(rollout.lanes[earlier].finished for earlier in rollout.planned.lanes[number].after)


def gives_up_at(rollout: Rollout, number: int) -> datetime | None:
    """When an open wave that nothing is in flight in has waited for `max_wait`; None while something goes on in it.

    Time in which calendars are closed doesn't count.
    """
    return given_up_at(rollout, number, ALL_THE_WHILE)


def given_up_at(rollout: Rollout, number: int, looked: Looked) -> datetime | None:
    """When the wave is given up on. Where it waited already while nobody looked, that takes a fair look first; None before there was any."""
    lane, planned = rollout.lanes[number], rollout.planned.lanes[number]
    if not lane.open or lane.in_flight or not lane.left or lane.moved_at is None:
        return None
    since = max(lane.moved_at, rollout.status_since or lane.moved_at)
    return _looked_and_waited(rollout, planned.waves[lane.wave], planned.calendars[lane.wave], since, looked)


def _looked_and_waited(
    rollout: Rollout,
    machines: tuple[int, ...],
    calendars: tuple[int | None, ...],
    since: datetime,
    looked: Looked,
) -> datetime | None:
    """When these machines, which wait since then, have waited for long enough, and were looked at."""
    if looked is None:
        return None
    deadline = waited_long(rollout, calendars, since)
    return deadline if since >= looked else max(deadline, looked_long(rollout, machines, calendars, looked))


def leaves_held_at(rollout: Rollout, number: int, looked: Looked = ALL_THE_WHILE) -> datetime | None:
    """When the open wave of a lane goes on without those that are held for longer than it would wait; None if it waits for anybody else.

    Whoever placed a hold by mistake has had the time to lift it by then.
    """
    deadline = given_up_at(rollout, number, looked)
    held = _held_for_long(rollout, number, deadline) if deadline is not None else None
    return max(hold.since for _, hold in held) + SECOND_THOUGHTS if held else None


def _held_for_long(rollout: Rollout, number: int, deadline: datetime) -> list[tuple[int, Hold]] | None:
    """Those of the open wave that are held until after its deadline, if nobody else of it is waited for.

    A canary of which nobody was tried yet waits as long as any wave: whatever comes after it has nothing else to learn from.
    """
    if not rollout.meant or (in_canary(rollout) and not rollout.attempted):
        return None
    found = []
    for machine in rollout.planned.lanes[number].waves[rollout.lanes[number].wave]:
        status = rollout.machines[machine].status
        if status in SETTLED:
            continue
        hold = surely_held(rollout, machine, deadline) if status is MachineStatus.PENDING else None
        if hold is None:
            return None
        found.append((machine, hold))
    return found


def _leave_held(rollout: Rollout, number: int, deadline: datetime) -> tuple[e.Event, ...]:
    """The wave goes on without them, each by name."""
    held = _held_for_long(rollout, number, deadline) or ()
    return tuple(
        e.MachineLeftOut(machine, f"{hold}; that is longer than its wave waits") for machine, hold in held
    )


def _give_up(rollout: Rollout, number: int, now: datetime) -> tuple[e.Event, ...]:
    lane, planned = rollout.lanes[number], rollout.planned.lanes[number]
    blockers = [m for m in planned.waves[lane.wave] if rollout.machines[m].status in A_PERSONS]
    names = ", ".join(rollout.planned.machine(m).name for m in blockers[:4])
    awaited = f"{names} to be well again" if blockers else _never_came(rollout, planned.waves[lane.wave], now)
    why = f"waited {_hours(rollout):g} h for {awaited}"
    left = [
        m
        for wave in planned.waves[lane.wave :]
        for m in wave
        if rollout.machines[m].status is MachineStatus.PENDING
    ]
    return (*(e.MachineLeftOut(m, why) for m in left), e.LaneGaveUp(number, why))


def _never_came(rollout: Rollout, wave: tuple[int, ...], now: datetime) -> str:
    """What a wave waited for in vain that nobody of it is to blame for."""
    for machine in wave:
        if rollout.machines[machine].status is MachineStatus.PENDING:
            if (held := held_refusal(rollout, machine, now)) is not None:
                return f"the end of a hold: {rollout.planned.machine(machine).name}: {held.what}"
            for group in rollout.planned.machine(machine).groups:
                if (sick := rollout.sick.get(group)) is not None:
                    return (
                        f"group {rollout.planned.plan.group_probes[group].name} to be well: {sick.evidence}"
                    )
    return "room that never came"


def _hours(rollout: Rollout) -> float:
    return rollout.planned.plan.max_wait.total_seconds() / 3600


def advance_stage(rollout: Rollout, now: datetime, looked: Looked = ALL_THE_WHILE) -> tuple[e.Event, ...]:
    """What follows for the stage: it bakes, asks for approval, hands over to the next, or the rollout is finished.

    A bake during which nobody looked has shown nothing: it is over once somebody has, and whoever fell ill meanwhile is known.
    """
    if rollout.status is not RolloutStatus.RUNNING or rollout.lanes_left or rollout.in_flight:
        return ()
    if rollout.stragglers and (held := _stragglers(rollout, now, looked)) is not None:
        return held
    if under_way(rollout):
        return ()
    gate = rollout.planned.plan.stages[rollout.stage]
    if rollout.stage_status is StageStatus.AWAITING:
        return _approved_by_emergency(rollout)
    if rollout.stage_status is StageStatus.OPEN:
        bake = gate.bake if rollout.emergency is None else least_bake(rollout.planned.plan, gate)
        if bake and rollout.planned.lanes_of_stage[rollout.stage]:
            return (e.StageBaking(rollout.stage, now + bake),)
    elif rollout.bake_until is None or now < rollout.bake_until or looked is None:
        return ()
    if _is_last(rollout):
        return () if _is_closing(rollout) else next_stage(rollout)
    if gate.approve:
        return _approved_by_emergency(rollout) or (e.StageAwaiting(rollout.stage),)
    return next_stage(rollout)


def _is_closing(rollout: Rollout) -> bool:
    """Whether a machine that was given up on has just got well: after its steps after and one more look it is done, and the end says so."""
    return any(run.status is MachineStatus.UNHEALTHY and run.verdict for run in rollout.machines)


def _approved_by_emergency(rollout: Rollout) -> tuple[e.Event, ...]:
    """The next stage, in the name of whoever declared the emergency; nothing where nobody did."""
    declared = rollout.emergency
    if declared is None:
        return ()
    return (
        e.StageApproved(rollout.stage, declared.who, f"emergency: {declared.reason}"),
        *next_stage(rollout),
    )


def _stragglers(rollout: Rollout, now: datetime, looked: Looked) -> tuple[e.Event, ...] | None:
    """What follows for machines that were retried after their wave: None once they hold the stage up no more.

    They wait as long as a wave would: one that is never admitted is then left out, one that a person must see to is passed by.
    """
    moments = ((machine, _straggler_gives_up_at(rollout, machine, looked)) for machine in rollout.stragglers)
    waited = [machine for machine, when in moments if when is not None and when <= now]
    left = tuple(
        e.MachineLeftOut(machine, f"waited {_hours(rollout):g} h, after it was retried, for {room}")
        for machine in waited
        if rollout.machines[machine].status is MachineStatus.PENDING
        for room in [_never_came(rollout, (machine,), now)]
    )
    if left:
        return left
    return None if len(waited) == len(rollout.stragglers) else ()


def _straggler_gives_up_at(rollout: Rollout, machine: int, looked: Looked) -> datetime | None:
    moments = (rollout.machines[machine].since, rollout.status_since, rollout.started_at)
    since = max(x for x in moments if x is not None)
    return _looked_and_waited(
        rollout, (machine,), (rollout.planned.machine(machine).calendar,), since, looked
    )


def stragglers_give_up_at(rollout: Rollout, now: datetime, looked: Looked = ALL_THE_WHILE) -> datetime | None:
    """When the next machine that was retried after its wave has waited for too long, where nothing else is to be waited for."""
    if rollout.lanes_left or rollout.in_flight:
        return None
    moments = (_straggler_gives_up_at(rollout, machine, looked) for machine in rollout.stragglers)
    return min((when for when in moments if when is not None and when > now), default=None)


def is_looking(rollout: Rollout, now: datetime, looked: Looked) -> bool:
    """Whether somebody would be given up on by now if there had been a fair look, and that look is under way."""
    until = now + fair_look(rollout.planned.plan)
    lanes = [lane for lane in rollout.planned.lanes_of_stage[rollout.stage] if rollout.lanes[lane].open]
    waits = [(gives_up_at(rollout, lane), given_up_at(rollout, lane, looked)) for lane in lanes]
    if not rollout.lanes_left and not rollout.in_flight:
        waits += [
            (
                _straggler_gives_up_at(rollout, machine, ALL_THE_WHILE),
                _straggler_gives_up_at(rollout, machine, looked),
            )
            for machine in rollout.stragglers
        ]
    return any(
        waited is not None and given_up is not None and waited <= now < given_up <= until
        for waited, given_up in waits
    )


def next_stage(rollout: Rollout) -> tuple[e.Event, ...]:
    """The stage after this one, or the end."""
    if _is_last(rollout):
        return (e.RolloutFinished(),)
    return (e.StageOpened(rollout.stage + 1),)


def _is_last(rollout: Rollout) -> bool:
    return rollout.stage + 1 == len(rollout.planned.plan.stages)
