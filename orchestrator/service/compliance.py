"""Who is patched to which level, who is exposed since when, and what keeps those that aren't.

By assessments, which say what a machine lacks; by the journal, which says what rollouts made of it. A month of updates begins on its
second Tuesday: whoever wasn't assessed since then isn't known to have them, however well it stood before.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from types import MappingProxyType
from typing import Final

from orchestrator.hotpatch.model import Month
from orchestrator.inventory.model import Inventory, Machine, MachineId, Update
from orchestrator.inventory.standing import cannot_roll, is_off
from orchestrator.policy.change import Patches
from orchestrator.policy.holds import why_held
from orchestrator.policy.model import Policy
from orchestrator.policy.select import matcher
from orchestrator.reports.compliance_model import Compliance, MonthOf, Standing, State, Why
from orchestrator.rollout.state import A_PERSONS, MachineStatus
from orchestrator.service.look import Recalled, Remembered

_URGENT: Final = (State.OVERDUE, State.EXPOSED, State.UNKNOWN, State.CURRENT)
_MONTH: Final = re.compile(r"\b(20\d\d)-(0[1-9]|1[0-2])\b")
_IMPORTANT: Final = ("critical", "security")


@dataclass(frozen=True, slots=True)
class Past:
    """What the rollouts of a time made of machines, as far as compliance tells of it. `archived` are rollouts that it can't tell of."""

    rollouts: int
    archived: int
    outcomes: Mapping[MachineId, tuple[Why, str]]  # of this month's rollouts
    months: tuple[MonthOf, ...]


NO_PAST: Final = Past(0, 0, MappingProxyType({}), ())
"""Where there is no journal."""

REACH: Final = timedelta(days=400)
"""How far back months are told: thirteen of them, so that the same month of last year is among them."""


def past(remembered: Remembered, now: datetime, deadline: timedelta) -> Past:
    """What is remembered, for the compliance at `now`."""
    patching = sorted(
        (one for one in remembered.rollouts if isinstance(one.change, Patches)),
        key=lambda one: one.started_at,
    )
    released = _released(_month_at(now))
    return Past(
        len(remembered.rollouts),
        remembered.archived,
        _outcomes([one for one in patching if one.started_at >= released]),
        tuple(_months(patching, deadline)),
    )


def compliance(
    inventory: Inventory,
    past: Past,
    policies: Sequence[Policy],
    now: datetime,
    deadline: timedelta,
) -> Compliance:
    """How the fleet stands at `now`. Without `policies`, nobody is told to be selected by none."""
    month = _month_at(now)
    released = _released(month)
    told = _Told(
        dict(cannot_roll(inventory)),
        past.outcomes,
        [matcher(policy.select) for policy in policies if policy.campaign is not None],
        now,
    )
    standings = [_standing(machine, released, now, deadline) for machine in inventory.machines]
    reasoned = [
        one if one.state is State.CURRENT else replace(one, why=why, reason=reason)
        for machine, one in zip(inventory.machines, standings, strict=True)
        for why, reason in [told.of(machine, one)]
    ]
    return Compliance(
        at=now,
        month=str(month),
        released=released,
        deadline=deadline,
        machines=tuple(sorted(reasoned, key=_urgency)),
        months=past.months,
        notes=tuple(_notes(standings, past)),
    )


def _released(month: Month) -> datetime:
    """When a month's updates come out: at the end of the morning in Redmond, which is the evening in Europe."""
    return datetime.combine(month.second_tuesday, time(18), UTC)


def _urgency(one: Standing) -> tuple[object, ...]:
    far = datetime.max.replace(tzinfo=UTC)
    return _URGENT.index(one.state), one.since or far, one.name, one.machine


# One machine ----------------------------------------------------------------------------------------------------


def _standing(machine: Machine, released: datetime, now: datetime, deadline: timedelta) -> Standing:
    patches = machine.patches
    important = None if patches.updates is None else [one for one in patches.updates if _is_important(one)]
    outstanding = patches.critical_and_security if important is None else len(important)
    if outstanding == 0 and patches.assessed_at is not None and patches.assessed_at >= released:
        state, since, estimated = State.CURRENT, None, False
    else:
        since, estimated = _since(machine, important or ()) if outstanding else (_unproved(machine), True)
        late = since is not None and now > since + deadline
        state = State.OVERDUE if late else State.EXPOSED if outstanding else State.UNKNOWN
    return Standing(
        machine=machine.arm_id,
        name=machine.name,
        subscription=machine.subscription,
        resource_group=machine.resource_group,
        region=machine.location,
        kind=machine.kind.value,
        os=machine.os.value,
        level=_level(machine),
        state=state,
        outstanding=outstanding,
        since=since,
        estimated=estimated and since is not None,
        deadline=None if since is None else since + deadline,
        patched_at=patches.installed_at,
    )


def _is_important(update: Update) -> bool:
    return any(word.lower().startswith(_IMPORTANT) for word in update.classifications)


def _unproved(machine: Machine) -> datetime | None:
    """When the first updates came out that a machine isn't known to have: those after its last clean assessment. None: it never had one."""
    patches = machine.patches
    if patches.assessed_at is None or patches.critical_and_security != 0:
        return None
    return _released(_month_at(patches.assessed_at).plus(1))


def _month_at(moment: datetime) -> Month:
    """The month whose updates were the newest; on the day itself those of the month before, until they are out."""
    month = Month.at(moment.date())
    return month if moment >= _released(month) else month.plus(-1)


def _since(machine: Machine, updates: Sequence[Update]) -> tuple[datetime | None, bool]:
    """When the oldest update that it lacks came out, and whether that is deduced.

    By the day on which updates say that they were published, or the month in their names; else from the first month's updates after
    its last installation, else from those that were the newest when it was assessed: at the latest since then.
    """
    published = [update.published or _named(update.name) for update in updates]
    known = [moment for moment in published if moment is not None]
    if known:
        return min(known), any(moment is None for moment in published)
    patches = machine.patches
    if patches.installed_at is not None and patches.installation_status in {
        "Succeeded",
        "CompletedWithWarnings",
    }:
        return _released(_month_at(patches.installed_at).plus(1)), True
    if patches.assessed_at is not None:
        return _released(_month_at(patches.assessed_at)), True
    return None, True


def _named(name: str) -> datetime | None:
    """The day of the month that an update is named after: `2026-11 Cumulative Update for ...`."""
    match = _MONTH.search(name)
    return _released(Month(int(match[1]), int(match[2]))) if match else None


def _level(machine: Machine) -> str:
    if machine.os_version:
        return machine.os_version
    installed = machine.patches.installed or ()
    dated = [one for one in installed if one.at is not None]
    newest = max(dated, key=lambda one: (one.at, one.kb), default=None)
    return f"KB{newest.kb}" if newest else ""


# Why it isn't current -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Told:
    """Everything that can be said of why a machine isn't current."""

    cannot: Mapping[MachineId, str]
    outcomes: Mapping[MachineId, tuple[Why, str]]
    campaigns: Sequence[Callable[[Machine], bool]]
    now: datetime

    def of(self, machine: Machine, standing: Standing) -> tuple[Why | None, str]:
        """The nearest cause first: what a person said, what the machine is, what a rollout made of it, what nobody has done."""
        if held := why_held(machine, self.now):
            return Why.HELD, held
        if machine.id in self.cannot:
            return (Why.OFF if is_off(machine) else Why.CANNOT), self.cannot[machine.id]
        if machine.id in self.outcomes:
            return self.outcomes[machine.id]
        if self.campaigns and not any(selects(machine) for selects in self.campaigns):
            return Why.UNSELECTED, "no campaign of these policies selects it"
        if standing.state is State.UNKNOWN:
            return Why.UNASSESSED, _unassessed(machine)
        return Why.WAITING, "no rollout of this month has it yet"


def _unassessed(machine: Machine) -> str:
    at = machine.patches.assessed_at
    if at is None:
        return "it was never assessed"
    return f"its last assessment, of {at:%Y-%m-%d}, is older than this month's updates"


def _outcomes(rollouts: Sequence[Recalled]) -> Mapping[MachineId, tuple[Why, str]]:
    """What this month's rollouts made of each machine; the last one has the last word."""
    found: dict[MachineId, tuple[Why, str]] = {}
    for rollout in rollouts:
        for left in rollout.left_out:
            found[left.machine] = (Why.FROZEN if left.constraint else Why.LEFT_OUT, left.reason)
        for machine, status, detail, _ in rollout.machines:
            found[machine] = _outcome(rollout, status, detail)
    return found


def _outcome(rollout: Recalled, status: MachineStatus, detail: str) -> tuple[Why, str]:
    said = f": {detail}" if detail else ""
    match status:
        case MachineStatus.DONE:
            return (
                Why.UNASSESSED,
                f"{rollout.id} patched it, and it wasn't assessed since, or lacks more than that installed",
            )
        case MachineStatus.NOT_CHANGED:
            return Why.FAILED, f"{rollout.id} couldn't change it{said}"
        case MachineStatus.LEFT_OUT:
            return Why.LEFT_OUT, f"{rollout.id} left it out{said}"
        case MachineStatus.SKIPPED | MachineStatus.GONE:
            return Why.SKIPPED, f"{status.value.replace('_', ' ')} in {rollout.id}{said}"
        case _ if status in A_PERSONS or status is MachineStatus.WRITTEN_OFF:
            return Why.FAILED, f"{status.value.replace('_', ' ')} since {rollout.id}{said}"
        case _ if rollout.over:
            return Why.SKIPPED, f"{rollout.id} ended before its turn"
        case _:
            return Why.WAITING, f"its turn in {rollout.id} is ahead{said}"


# Month over month -----------------------------------------------------------------------------------------------


def _months(rollouts: Sequence[Recalled], deadline: timedelta) -> Iterator[MonthOf]:
    by_month: dict[Month, list[Recalled]] = {}
    for rollout in rollouts:
        by_month.setdefault(_month_at(rollout.started_at), []).append(rollout)
    for month in sorted(by_month, reverse=True):
        yield _month(month, by_month[month], deadline)


def _month(month: Month, rollouts: Sequence[Recalled], deadline: timedelta) -> MonthOf:
    """A machine counts once, by the best that any of the month's rollouts made of it."""
    released = _released(month)
    wanted: set[MachineId] = set()
    failed: set[MachineId] = set()
    done: dict[MachineId, datetime] = {}
    left_out = {left.machine for rollout in rollouts for left in rollout.left_out}
    for rollout in rollouts:
        for machine, status, _, since in rollout.machines:
            wanted.add(machine)
            if status is MachineStatus.DONE and since is not None:
                done[machine] = min(since, done.get(machine, since))
            elif status is MachineStatus.NOT_CHANGED or status in A_PERSONS:
                failed.add(machine)
    days = sorted((moment - released).total_seconds() / 86_400 for moment in done.values())
    half = (len(wanted) + 1) // 2
    return MonthOf(
        month=str(month),
        rollouts=len(rollouts),
        machines=len(wanted),
        done=len(done),
        in_time=sum(day <= deadline.total_seconds() / 86_400 for day in days),
        failed=len(failed - done.keys()),
        left_out=len(left_out - done.keys() - wanted),
        half_days=round(days[half - 1], 1) if half and len(days) >= half else None,
        last_days=round(days[-1], 1) if days else None,
    )


def _notes(standings: Sequence[Standing], past: Past) -> Iterator[str]:
    if estimated := sum(one.estimated for one in standings):
        yield (
            f"of {estimated:,} machines nobody told when the updates that they lack came out: that is deduced from their last "
            "installation, or from their last assessment (read them from Resource Graph to know)"
        )
    if past.archived:
        yield f"{past.archived:,} rollouts of this time are in archives and are not told of"
    elif not past.rollouts:
        yield "the journal knows no rollout: months, failures and who was left out are told from it"
