"""Does a plan keep its own word? Judged from the JSON of the plan file alone.

It is held to two things: it hangs together, and its waves keep the constraints that it states, whatever lanes run at
the same time. Whether these are the constraints that it should state is another question: `floor` answers it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from orchestrator.verify.document import SHAPE, Document, read
from orchestrator.verify.finishing import Nesting
from orchestrator.verify.model import Findings, Verdict
from orchestrator.verify.schedule import Schedule, Spot, arrange
from orchestrator.verify.waves import hold_to_budget, hold_to_exclusion, hold_to_order


def judge_plan(plan: Mapping[str, Any]) -> Verdict:
    """Judge the JSON of a plan file. Never raises for what the file holds: a plan of a wrong shape is a broken rule.

    Caps (`"cap": true`) are counted and left to the audit: admission keeps them while a rollout runs, and waves are
    planned without them, or every application of a region would wait for the slowest of all others.
    """
    found = Findings()
    return judge_document(read(plan, found), found)


def judge_document(document: Document | None, found: Findings) -> Verdict:
    """As `judge_plan`, of a plan that was read; `found` is what reading it found."""
    if document is None:
        return found.verdict()
    hold_together(document, found)
    schedule = arrange(document, found)
    if schedule is None:
        found.note("which waves can coincide can't be told, so no constraint was judged")
        return found.verdict()
    found.judged("machines", len(schedule.spots))
    found.judged("lanes", len(schedule.lanes))
    found.judged("waves", sum(len(lane.waves) for lane in schedule.lanes))
    _hold_to_constraints(document, schedule, found)
    return found.verdict()


def _hold_to_constraints(document: Document, schedule: Schedule, found: Findings) -> None:
    for budget in document.budgets:
        if budget.cap:
            found.judged("caps, left to the audit")
        else:
            hold_to_budget(budget, schedule, found)
    stages = {machine: schedule.stage_of(machine) for machine in schedule.spots}
    nesting = Nesting(document.exclusions, document.orders, stages)
    for exclusion in document.exclusions:
        hold_to_exclusion(exclusion, schedule, nesting, found)
    for order in document.orders:
        hold_to_order(order, schedule, found)


def hold_together(document: Document, found: Findings) -> None:
    """Every machine that is named is known; each is changed at most once, or left out; none is forgotten."""
    placed: dict[str, Spot] = {}
    for i, lane in enumerate(document.lanes):
        for w, wave in enumerate(lane.waves):
            here = f"wave {w + 1} of lane {lane.id}"
            for machine in sorted(wave):
                if machine in placed:
                    there = placed[machine]
                    other = f"wave {there.wave + 1} of lane {document.lanes[there.lane].id}"
                    what = f"{found.name(machine)} is in {other} and in {here}; a plan changes a machine once"
                    found.broken(SHAPE, here, [machine], what)
                placed.setdefault(machine, Spot(i, w))
                if not document.change.get(machine, True):
                    what = f"{found.name(machine)} is in {here}, but marked as a machine that the plan doesn't change"
                    found.broken(SHAPE, here, [machine], what)
    for machine in sorted(placed.keys() & document.left_out):
        what = f"{found.name(machine)} is left out, and in a wave of lane {document.lanes[placed[machine].lane].id}"
        found.broken(SHAPE, "left_out", [machine], what)
    for machine in sorted(m for m, change in document.change.items() if change):
        if machine not in placed and machine not in document.left_out:
            what = f"{found.name(machine)} is to be changed, but is in no wave and not left out"
            found.broken(SHAPE, "machines", [machine], what)
    for budget in document.budgets:
        if strange := budget.spared - document.stay_up:
            what = (
                f"{budget.id} spares {found.listed(strange)}, which may go down: a machine is spared where the plan says that it never "
                "restarts, the installation may not restart it, and no steps are done around it"
            )
            found.broken(SHAPE, budget.id, strange, what)
    _known(document, frozenset(placed), found)


def _known(document: Document, placed: frozenset[str], found: Findings) -> None:
    named = [("the waves", placed)]
    named += [(budget.id, budget.machines | budget.spared) for budget in document.budgets]
    named += [(x.id, frozenset().union(*x.domains.values())) for x in document.exclusions]
    named += [(order.id, order.first | order.then) for order in document.orders]
    for where, machines in named:
        unknown = machines - document.machines
        if unknown:
            what = f"{where} name {len(unknown)} that `machines` doesn't list: {found.listed(unknown)}"
            found.broken(SHAPE, where, unknown, what)
