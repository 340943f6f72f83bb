"""Before time alone decides, somebody has looked.

A process may have been away for longer than anything was to wait: dead, or its host off. Meanwhile machines got well, or fell ill, and nobody
saw it. So what only a clock says (a wave waited for too long, a stage has baked) becomes a fact once the present process has looked at the
whole fleet; and a wave is given up on only after a fair look from there on.

When it looked is known to the process alone, and is said with each `messages.Advance`. It is no fact of the rollout.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from orchestrator.planner.model import Plan

Looked = datetime | None
"""When whoever asks had looked at the whole fleet; None if that is still to be done."""

ALL_THE_WHILE: Final = datetime.min.replace(tzinfo=UTC)
"""Of who has looked since the beginning."""

FAIR: Final = timedelta(minutes=10)
"""How long a look at least lasts: some requests that fail, a machine's steps after, and the look at whoever has room then."""


def fair_look(plan: Plan) -> timedelta:
    """How long is looked before a wave is given up on: a machine that got well proves it meanwhile, and gives its place to the next."""
    proves = (health.min_healthy_time + health.fail_after * health.interval for health in plan.health)
    return FAIR + max(proves, default=timedelta(0))
