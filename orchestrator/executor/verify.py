"""Verification after a change: rounds of probes until the health gate says well, or its deadline is over."""

from __future__ import annotations

from datetime import datetime, timedelta

from orchestrator.errors import CloudError, CloudPermanent
from orchestrator.executor.attempt import GONE
from orchestrator.executor.commands import tidy_up
from orchestrator.executor.services import Services, target_of
from orchestrator.executor.wellness import ask_network, needs_view, probes_of, unwell_by_view
from orchestrator.health.gate import Gate, Verdict, judge, next_sample_at, sample
from orchestrator.planner.model import Plan, PlannedMachine
from orchestrator.policy.model import Health
from orchestrator.rollout import actions as a
from orchestrator.rollout import messages as m
from orchestrator.rollout.state import Rollout

HOPE_EVERY = timedelta(seconds=60)
"""How often a machine is asked that failed its verification and keeps its grant."""


async def verify(services: Services, rollout: Rollout, activity: a.Verify) -> m.Observation:
    """Ask until there is a verdict; of a machine that failed already, until there is good news."""
    plan, machine = rollout.planned.plan, rollout.planned.machine(activity.machine)
    health = plan.health[machine.health]
    gate = Gate(_opened_at(activity, health, services.clock.now()))
    asker = _Asker(
        services, plan, machine, activity.since, touched=rollout.machines[activity.machine].tries > 0
    )
    while True:
        now = services.clock.now()
        final = (
            gate.well_since is None or activity.briefly or now - gate.well_since >= health.min_healthy_time
        )
        try:
            evidence = await asker.ask(fresh=final)
        except CloudPermanent:
            return m.FoundGone(rollout.id, activity.machine)
        now = services.clock.now()
        gate = sample(gate, health, now, well=not evidence, evidence=evidence)
        verdict = judge(gate, health, now, briefly=activity.briefly)
        if verdict is Verdict.WELL:
            if activity.briefly or not rollout.planned.steps_after(activity.machine):
                await tidy_up(services, rollout, activity.machine, target_of(machine))
            return m.HealthReported(rollout.id, activity.machine, activity.attempt, well=True, evidence="")
        if verdict is Verdict.UNWELL and not activity.hoping:
            minutes = health.healthy_deadline.total_seconds() / 60
            return _report(
                rollout, activity, f"not well within {minutes:g} min: {gate.evidence or 'no clean answer'}"
            )
        if activity.hoping and gate.well_since is None:
            await services.clock.sleep(HOPE_EVERY.total_seconds())
        else:
            at = next_sample_at(gate, health, now, briefly=activity.briefly)
            await services.clock.sleep((at - now).total_seconds())


def _opened_at(activity: a.Verify, health: Health, now: datetime) -> datetime:
    """When the change ended. Where nobody has asked since, as after a crash, so much later that the machine still gets its
    healthy time, and as many tries as anybody, before the deadline.
    """
    least = min(health.healthy_deadline, health.min_healthy_time + health.fail_after * health.interval)
    return max(activity.since, now + least - health.healthy_deadline)


def _report(rollout: Rollout, activity: a.Verify, evidence: str) -> m.HealthReported:
    return m.HealthReported(rollout.id, activity.machine, activity.attempt, well=False, evidence=evidence)


class _Asker:
    """Rounds for one machine. Instance views cost ARM requests, so between the first good one and the last only those
    that somebody else's sweep brought are looked at; network probes are asked each time.
    """

    def __init__(
        self, services: Services, plan: Plan, machine: PlannedMachine, since: datetime, *, touched: bool
    ) -> None:
        self._services = services
        self._touched = touched
        self._plan = plan
        self._machine = machine
        self._since = since
        self._probes = probes_of(plan, machine)
        self._target = target_of(machine)
        self._seen_at: datetime | None = None

    async def ask(self, *, fresh: bool) -> str:
        """Why the machine isn't well in this round; empty if it is. Raises CloudPermanent if the machine is gone."""
        if needs_view(self._probes):
            evidence = await self._by_view(fresh=fresh)
            if evidence:
                return evidence
        seen = await ask_network(self._services, self._machine, self._probes)
        return seen.evidence or await self._by_groups()

    async def _by_groups(self) -> str:
        """A group that isn't well after the machine's change is a reason not to call the machine well; before any it's no fault of ours."""
        if not self._touched:
            return ""
        sick = await self._services.groups.sick(self._plan, self._machine, self._since)
        if sick is None:
            return ""
        return f"its group {self._plan.group_probes[sick.group].name} isn't well: {sick.evidence}"

    async def _by_view(self, *, fresh: bool) -> str:
        try:
            if fresh or self._seen_at is None:
                view = await self._services.views.fresh(self._target)
            else:
                known = self._services.views.latest(self._machine.id, self._seen_at)
                if known is None:
                    return ""
                view = known
        except CloudError as error:
            if isinstance(error, CloudPermanent) and error.code in GONE:
                raise
            return f"it could not be read: {error}"
        self._seen_at = self._services.clock.now()
        return unwell_by_view(self._probes, view)
