"""What Resource Graph remembers of patching in some subscriptions: every patch run of thirty days, every assessment of seven."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from orchestrator.clock import Clock
from orchestrator.cloud.asked import Asked, Permission
from orchestrator.cloud.graph import Query, Row
from orchestrator.cloud.pacing import PacedGraph
from orchestrator.inventory.installations import INSTALLATION_TYPES

_TYPES: Final = ", ".join(f"'{one}'" for one in sorted(INSTALLATION_TYPES))
_RUNS: Final = f"patchinstallationresources | where type in~ ({_TYPES}) | project id, name, type, properties"
_ASSESSMENTS: Final = "patchassessmentresources | project id, name, properties"


async def patch_runs(query: Query, clock: Clock, subscriptions: Sequence[str]) -> list[Row]:
    """The rows of patch runs, page by page; where the quota is used up, after waiting for it. Raises as `graph.page`."""
    asked = Asked("reading the history of patch runs", Permission.READ_RUNS, "the subscriptions")
    return [row async for row in PacedGraph(query, clock).rows(_RUNS, asked, subscriptions)]


async def patch_assessments(query: Query, clock: Clock, subscriptions: Sequence[str]) -> list[Row]:
    """The rows of assessments and of the updates that they found. As `patch_runs`."""
    asked = Asked("reading assessments", Permission.READ_GRAPH, "the subscriptions")
    return [row async for row in PacedGraph(query, clock).rows(_ASSESSMENTS, asked, subscriptions)]
