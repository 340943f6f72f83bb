"""Who is patched, who isn't, and why."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from orchestrator.inventory.model import Machine, PatchState, Power, Update
from orchestrator.planner.model import LeftOut
from orchestrator.policy.change import Restart
from orchestrator.policy.load import load_one
from orchestrator.reports.compliance_model import Compliance, Standing, State, Why
from orchestrator.rollout.state import MachineRun, MachineStatus, Rollout, RolloutStatus
from orchestrator.service.compliance import compliance, past
from orchestrator.service.look import Remembered, recalled
from tests.builders import lane, planned_of
from tests.fleet import inventory, vm, vm_id

NOW = datetime(2026, 11, 29, tzinfo=UTC)
NOVEMBER = datetime(2026, 11, 10, 18, tzinfo=UTC)
OCTOBER = datetime(2026, 10, 13, 18, tzinfo=UTC)
MONTH = timedelta(days=30)
AFTER = NOVEMBER + timedelta(days=9)


def update(
    name: str = "an update", published: datetime | None = None, kind: str = "Security Updates"
) -> Update:
    """An update that is outstanding."""
    return Update(name, "1", (kind,), published=published)


def state(
    assessed: datetime | None, outstanding: int | None = 0, *updates: Update, **facts: object
) -> PatchState:
    """What an assessment found."""
    return PatchState(assessed, outstanding, 0, updates=updates or None, **facts)  # type: ignore[arg-type]


def of(patches: PatchState, *rollouts: Rollout, policy: str = "", **facts: object) -> Standing:
    """How one machine stands."""
    return told(vm("a", patches=patches, **facts), rollouts=rollouts, policy=policy).machines[0]


def told(*machines: Machine, rollouts: tuple[Rollout, ...] = (), policy: str = "") -> Compliance:
    """How these machines stand."""
    policies = [load_one("p.yaml", policy)] if policy else []
    known = past(Remembered(tuple(map(recalled, rollouts)), 0), NOW, MONTH)
    return compliance(inventory(*machines), known, policies, NOW, MONTH)


def rollout(**statuses: MachineStatus) -> Rollout:
    """This month's patches, with what became of each machine five days after they came out."""
    planned = planned_of(lane("west", " ".join(statuses)))
    runs = {
        vm_id(name): MachineRun(status, NOVEMBER + timedelta(days=5), detail="0x8024")
        for name, status in statuses.items()
    }
    return Rollout(
        "r1", planned, "digest", "ada", "", NOVEMBER + timedelta(days=4), status=RolloutStatus.RUNNING,
        machines=[runs[machine.id] for machine in planned.plan.machines],
    )  # fmt: skip


@pytest.mark.parametrize(
    ("patches", "stands", "since"),
    [
        (state(AFTER), State.CURRENT, None),
        (state(OCTOBER + timedelta(days=20)), State.UNKNOWN, NOVEMBER),
        (state(OCTOBER - timedelta(days=1)), State.OVERDUE, OCTOBER),
        (state(None, None), State.UNKNOWN, None),
        (state(AFTER, 1, update(published=NOVEMBER)), State.EXPOSED, NOVEMBER),
        (state(AFTER, 2, update(published=OCTOBER), update(published=NOVEMBER)), State.OVERDUE, OCTOBER),
        (state(AFTER, 1, update("2026-10 Cumulative Update (KB1)")), State.OVERDUE, OCTOBER),
        (state(AFTER, 1, update(kind="Definition Updates", published=OCTOBER)), State.CURRENT, None),
        (state(AFTER, 3), State.EXPOSED, NOVEMBER),
        (state(AFTER, 3, installed_at=OCTOBER - timedelta(days=3), installation_status="Succeeded"), State.OVERDUE, OCTOBER),
        (state(AFTER, 3, installed_at=OCTOBER - timedelta(days=3), installation_status="Failed"), State.EXPOSED, NOVEMBER),
    ],
)  # fmt: skip
def test_how_a_machine_stands(patches: PatchState, stands: State, since: datetime | None) -> None:
    """By what it lacks and since when that is out; who wasn't assessed since is not known to have it, and at last is overdue."""
    one = of(patches)
    assert (one.state, one.since) == (stands, since)
    assert one.deadline == (None if since is None else since + MONTH)


def test_what_is_deduced_is_marked() -> None:
    """An update that says when it came out is no estimate, a count alone is one."""
    assert not of(state(AFTER, 1, update(published=NOVEMBER))).estimated
    assert of(state(AFTER, 1)).estimated
    assert "of 1 machines nobody told when" in told(vm("a", patches=state(AFTER, 1))).notes[0]


LACKS = state(AFTER, 1, update(published=NOVEMBER))
CAMPAIGN = "version: 1\nname: m\nselect: {tags: {app: shop}}\nchange: {patches: {}}\n"


@pytest.mark.parametrize(
    ("status", "why", "said"),
    [
        (MachineStatus.NOT_CHANGED, Why.FAILED, "r1 couldn't change it: 0x8024"),
        (MachineStatus.UNHEALTHY, Why.FAILED, "unhealthy since r1: 0x8024"),
        (MachineStatus.LEFT_OUT, Why.LEFT_OUT, "r1 left it out: 0x8024"),
        (MachineStatus.SKIPPED, Why.SKIPPED, "skipped in r1: 0x8024"),
        (MachineStatus.PENDING, Why.WAITING, "its turn in r1 is ahead: 0x8024"),
    ],
)
def test_why_by_the_journal(status: MachineStatus, why: Why, said: str) -> None:
    """What this month's rollout made of it."""
    one = of(LACKS, rollout(a=status))
    assert (one.why, one.reason) == (why, said)


def test_why_by_the_machine_or_by_people() -> None:
    """A hold goes before anything, then what the machine is; a plan's own reason; a fleet's policies."""
    assert of(LACKS, tags={"wavekeeper-hold": "2026-12-24 disk"}, power=Power.STOPPED).why is Why.HELD
    assert of(LACKS, rollout(a=MachineStatus.NOT_CHANGED), power=Power.STOPPED).why is Why.OFF
    assert of(LACKS, policy=CAMPAIGN).why is Why.UNSELECTED
    assert of(LACKS, policy=CAMPAIGN, tags={"app": "shop"}).why is Why.WAITING
    assert of(state(AFTER)).why is None
    left = rollout(b=MachineStatus.DONE)
    plan = replace(left.planned.plan, left_out=(LeftOut(vm_id("a"), "the group is frozen", "budget:1"),))
    frozen = of(LACKS, replace(left, planned=replace(left.planned, plan=plan)))
    assert (frozen.why, frozen.reason) == (Why.FROZEN, "the group is frozen")


def test_the_most_urgent_comes_first() -> None:
    """Overdue, exposed, unknown, current; those exposed longest first."""
    fleet = told(
        vm("current", patches=state(AFTER)),
        vm("unknown"),
        vm("exposed", patches=LACKS),
        vm("overdue", patches=state(AFTER, 1, update(published=OCTOBER))),
    )
    assert [one.name for one in fleet.machines] == ["overdue", "exposed", "unknown", "current"]
    assert (fleet.month, fleet.released, fleet.ok) == ("2026-11", NOVEMBER, False)


def test_month_over_month() -> None:
    """Of each month what its rollouts were to change and what became of it; a restart is no patch."""
    one = rollout(a=MachineStatus.DONE, b=MachineStatus.DONE, c=MachineStatus.NOT_CHANGED)
    again = replace(rollout(c=MachineStatus.DONE), id="r2")
    restarts = rollout(a=MachineStatus.DONE)
    plan = replace(restarts.planned.plan, change=Restart())
    restarts = replace(restarts, planned=replace(restarts.planned, plan=plan))
    (month,) = told(vm("a"), rollouts=(one, again, restarts)).months
    assert (month.month, month.rollouts, month.machines) == ("2026-11", 2, 3)
    assert (month.done, month.in_time, month.failed, month.half_days, month.last_days) == (3, 3, 0, 5.0, 5.0)
