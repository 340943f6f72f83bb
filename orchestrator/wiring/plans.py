"""Making a plan and having it judged, for whoever shows it, runs it or compares it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from orchestrator.errors import Defect
from orchestrator.executor.collector import nothing_collected
from orchestrator.hotpatch.calendar import Calendar, built_in_calendar
from orchestrator.inventory.model import Inventory, MachineId
from orchestrator.planner.compiled import Dropped
from orchestrator.planner.coverage import Coverage
from orchestrator.planner.document import dump
from orchestrator.planner.durations import Durations
from orchestrator.planner.model import Plan
from orchestrator.planner.plan import planning
from orchestrator.planner.undoing import baselines_before, rollback_of
from orchestrator.policy.change import Rollback
from orchestrator.policy.model import Change, Policy, Selector
from orchestrator.policy.words import counted
from orchestrator.service.start import judge
from orchestrator.topology.graph import build
from orchestrator.verify.model import Verdict
from orchestrator.wiring.files import floor
from orchestrator.wiring.solver import solver

_SHOWN = 8
"""Broken rules that are told of."""


@dataclass(frozen=True, slots=True)
class OneOff:
    """A change that no policy asks for, to the machines that a person names."""

    change: Change
    select: Selector


@dataclass(frozen=True, slots=True)
class Made:
    """A plan that passed the judge, as a file and as what it says."""

    plan: Plan
    text: bytes  # the file's
    dropped: tuple[Dropped, ...]  # rules that say nothing to this plan
    coverage: tuple[Coverage, ...]  # what each stage but the last tries
    verdict: Verdict
    fleet: int  # machines of the inventory


def rollback_change(
    rollout: str,
    installed: Mapping[MachineId, Sequence[str]],
    inventory: Inventory,
    baseline: Sequence[str] | None,
) -> Rollback:
    """The change that takes back what a rollout installed. Without a baseline that a person names, the calendar's."""
    if baseline is None:
        baseline = baselines_before(inventory.machines, installed, built_in_calendar())
    return rollback_of(rollout, installed, baseline)


def plan_with(
    inventory: Inventory,
    policies: Sequence[Policy],
    campaign: str | None,
    change: OneOff | None,
    durations: Durations | None = None,
    calendar: Calendar | None = None,
    settled: Mapping[MachineId, str] = MappingProxyType({}),
) -> Made:
    """Plan, and hold the plan to the judge before anybody sees it. `settled` are machines to be left alone, each with the reason.

    Raises:
        UsageError, PolicyError, Refused: as `planner.plan.plan`.
        Defect: if the judge finds a rule broken. That is our mistake, whatever was typed.
    """
    with nothing_collected():
        made = planning(
            build(inventory),
            policies,
            floor(),
            campaign,
            change.change if change is not None else None,
            change.select if change is not None else None,
            durations,
            solver(),
            calendar,
            settled,
        )
        text = dump(made.plan)
        verdict = judge(text, inventory)
    if not verdict.ok:
        broken = "\n".join(f"  {violation}" for violation in verdict.violations[:_SHOWN])
        raise Defect(
            f"the plan that was made breaks {counted(verdict.count, 'rule')}, says the independent judge; nothing was written. "
            f"This is a bug of Wavekeeper's: please report it with the inventory and the policies.\n{broken}"
        )
    return Made(made.plan, text, made.dropped, made.coverage, verdict, len(inventory.machines))
