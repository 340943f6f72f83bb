"""What is asked about groups of machines: each question once for all who want to know, and again only when its answer is old."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from orchestrator.clock import Clock
from orchestrator.planner.model import Plan, PlannedMachine, ProbedGroup
from orchestrator.policy.model import ProbeKind
from orchestrator.probes.placeholders import where
from orchestrator.probes.port import Prober, Reply, Subject


@dataclass(slots=True)
class _Known:
    """The last answer about a group. One asks, and whoever comes meanwhile waits for the same answer."""

    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    asked_at: datetime | None = None
    reply: Reply | None = None

    def recent(self, now: datetime, within: timedelta, since: datetime | None) -> bool:
        """Whether the answer is good enough."""
        asked = self.asked_at
        return asked is not None and now - asked < within and (since is None or asked >= since)


@dataclass(frozen=True, slots=True)
class SickGroup:
    """A group, by its place in the plan, that isn't well, and the evidence: what was asked, and what came of it."""

    group: int
    evidence: str


class Groups:
    """Asks about groups. A machine of a thousand that all want to know costs no question of its own."""

    def __init__(self, probers: Mapping[ProbeKind, Prober], clock: Clock) -> None:
        self._probers = probers
        self._clock = clock
        self._known: dict[ProbedGroup, _Known] = {}

    async def ask(self, group: ProbedGroup, within: timedelta, since: datetime | None = None) -> Reply:
        """The answer about a group, younger than `within`, and asked for at `since` or later."""
        known = self._known.setdefault(group, _Known())
        async with known.turn:
            now = self._clock.now()
            if known.reply is None or not known.recent(now, within, since):
                subject = Subject("", "", "", group=group.value)
                known.reply = await self._probers[group.probe.kind].ask(group.probe, subject)
                known.asked_at = now
            return known.reply

    async def sick(
        self, plan: Plan, machine: PlannedMachine, since: datetime | None = None
    ) -> SickGroup | None:
        """The first of a machine's groups that isn't well now, if any is."""
        within = plan.health[machine.health].interval
        for number in machine.groups:
            group = plan.group_probes[number]
            reply = await self.ask(group, within, since)
            if not reply.well:
                return SickGroup(number, evidence(group, reply))
        return None


def evidence(group: ProbedGroup, reply: Reply) -> str:
    """What was asked about a group, and what came of it."""
    asked = where(group.probe, Subject("", "", "", group=group.value))
    return f"{group.probe.kind} {asked}: {reply.evidence}"
