"""The scripts that a plan carries."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.planner.model import Plan
from orchestrator.policy.change import RunCommand, Script


def scripts_of(plan: Plan) -> Iterator[Script]:
    """Those that came from files: of its change, and around machines. What a rollback runs was never a file."""
    if isinstance(plan.change, RunCommand):
        yield plan.change.script
    for around in plan.around:
        for step in (*around.before, *around.after):
            if step.command is not None:
                yield step.command.script
