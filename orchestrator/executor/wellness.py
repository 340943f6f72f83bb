"""One round of questions to one machine: every probe of its policies, put together into one answer."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from orchestrator.cloud.port import View
from orchestrator.executor.services import Services
from orchestrator.inventory.model import Agent, AppHealth, Connection, Power
from orchestrator.planner.model import Plan, PlannedMachine
from orchestrator.policy.model import Probe, ProbeKind
from orchestrator.probes.placeholders import where
from orchestrator.probes.port import Reply, Subject

NETWORK = frozenset({ProbeKind.HTTP, ProbeKind.TCP})


@dataclass(frozen=True, slots=True)
class Round:
    """What came of a round. `unasked` counts probes that couldn't be put; `evidence` names the first that failed."""

    well: bool
    evidence: str
    asked: int = 0
    unasked: int = 0


def probes_of(plan: Plan, machine: PlannedMachine) -> tuple[Probe, ...]:
    """The machine's probes, in the plan's order."""
    return tuple(plan.probes[i] for i in machine.probes)


def needs_view(probes: tuple[Probe, ...]) -> bool:
    """Whether an instance view answers any of them."""
    return any(probe.kind not in NETWORK for probe in probes)


def unwell_by_view(probes: tuple[Probe, ...], view: View) -> str:
    """Why the machine isn't well by its instance view; empty if it is.

    A machine that isn't running serves nobody, whichever probes it has. Application health counts where the extension is.
    """
    if view.connection not in (Connection.CONNECTED, Connection.UNKNOWN):
        return f"Azure Arc calls it {view.connection.replace('_', ' ')}"
    if view.power is not Power.RUNNING:
        return f"its power state is {view.power}"
    for probe in probes:
        if probe.kind is ProbeKind.VM_AGENT and view.agent is not Agent.READY:
            return f"its guest agent is {view.agent}"
        if probe.kind is ProbeKind.APP_HEALTH and view.app_health not in (AppHealth.HEALTHY, AppHealth.NONE):
            return f"its application health is {view.app_health}"
    return ""


async def ask_network(services: Services, machine: PlannedMachine, probes: tuple[Probe, ...]) -> Round:
    """Put all network probes at once. A machine without any is well as far as this goes."""
    asked = [probe for probe in probes if probe.kind in NETWORK]
    if not asked:
        return Round(well=True, evidence="")
    subject = Subject(
        machine.name,
        machine.private_ip,
        machine.computer_name,
        tuple((machine.tags or {}).items()),
    )
    if len(asked) == 1:  # the usual case, without a task of its own
        replies: list[Reply] = [await services.probers[asked[0].kind].ask(asked[0], subject)]
    else:
        replies = await asyncio.gather(*(services.probers[probe.kind].ask(probe, subject) for probe in asked))
    unasked = sum(1 for reply in replies if not reply.asked)
    bad = next((i for i, reply in enumerate(replies) if not reply.well), None)
    if bad is None:
        return Round(well=True, evidence="", asked=len(replies))
    probe = asked[bad]
    evidence = f"{probe.kind} {where(probe, subject)}: {replies[bad].evidence}"
    return Round(well=False, evidence=evidence, asked=len(replies) - unasked, unasked=unasked)
