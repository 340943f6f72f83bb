"""Does a plan keep the floor? Judged against the inventory, without believing what the plan says of its constraints.

A planner that compiles a rule wrongly writes a plan that keeps its own constraints to the letter. It is found here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from orchestrator.verify.document import Document, read
from orchestrator.verify.finishing import Nesting
from orchestrator.verify.fleet import Fleet, read_fleet
from orchestrator.verify.floor_rules import FloorRules, floor_of
from orchestrator.verify.model import Findings, Verdict
from orchestrator.verify.schedule import Schedule, arrange
from orchestrator.verify.waves import hold_to_budget, hold_to_exclusion

FLOOR = "availability-first"  # the name of the policy that states it
CHANGED = "changed-machines"


def judge_floor(plan: Mapping[str, Any], inventory: Mapping[str, Any]) -> Verdict:
    """Hold a plan's waves to the built-in rules, read off the inventory that it was made from.

    Not judged: the share of a subscription's machines in no set (a cap: `judge_audit` holds it), and everything but who is
    changed at all, if the plan says that a policy replaces the floor (`"replaces": ["availability-first"]`). What the floor
    would have said then stands in the notes.

    The plan's orders can excuse one thing alone: that a domain is not finished in one go, where they leave no other way
    (`finishing`). Two domains at the same time are never excused.

    Raises:
        InventoryError: If the inventory isn't one.
    """
    fleet = read_fleet(inventory)
    found = Findings(names_of(fleet))
    return hold_document(read(plan, found), fleet, found)


def names_of(fleet: Fleet) -> dict[str, str]:
    """What people call its machines."""
    return {machine.id: machine.name for machine in fleet.machines.values()}


def hold_document(document: Document | None, fleet: Fleet, found: Findings) -> Verdict:
    """As `judge_floor`, of a plan and an inventory that were read; `found` is what reading the plan found."""
    schedule = arrange(document, found) if document is not None else None
    if document is None or schedule is None:
        found.note("which waves can coincide can't be told, so the floor was not judged")
        return found.verdict()
    found.judged("machines", len(schedule.spots))
    hold_to_fleet(schedule, fleet, found)
    rules = floor_of(fleet, schedule.spots.keys())
    if replaced(document):
        loosened = Findings(found.names)
        _hold_to_floor(rules, document, schedule, loosened)
        note_replaced(loosened.verdict(), found)
    else:
        _hold_to_floor(rules, document, schedule, found)
    return found.verdict()


def replaced(document: Document) -> bool:
    """Whether the plan says that a policy replaces the floor."""
    return FLOOR in document.replaces


def note_replaced(verdict: Verdict, found: Findings) -> None:
    """Tell what the floor would have found, without holding it against a plan that replaces it."""
    found.note(f"a policy replaces {FLOOR}: the floor is not held against this plan")
    if not verdict.ok:
        found.note(
            f"the floor would be broken in {verdict.count} places, such as: {verdict.violations[0].what}"
        )


def hold_to_fleet(schedule: Schedule, fleet: Fleet, found: Findings) -> None:
    """Only machines that the inventory holds are changed, and none that was off when it was taken."""
    for machine, spot in sorted(schedule.spots.items()):
        standing = fleet.machines.get(machine)
        if standing is None:
            what = f"{schedule.place(spot)} changes {machine}, which the inventory doesn't hold"
            found.broken(CHANGED, machine, [machine], what)
        elif standing.off:
            what = (
                f"{schedule.place(spot)} changes {standing.name}, which was off when the inventory was taken"
            )
            found.broken(CHANGED, machine, [machine], what)


def _hold_to_floor(rules: FloorRules, document: Document, schedule: Schedule, found: Findings) -> None:
    for note in rules.notes:
        found.note(note)
    for budget in rules.budgets:
        if budget.cap:
            found.judged("caps, left to the audit")
        else:
            hold_to_budget(budget, schedule, found)
    stages = {machine: schedule.stage_of(machine) for machine in schedule.spots}
    nesting = Nesting(rules.exclusions, document.orders, stages)
    for exclusion in rules.exclusions:
        hold_to_exclusion(exclusion, schedule, nesting, found)
