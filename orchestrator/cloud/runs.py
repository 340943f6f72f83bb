"""What Resource Graph remembers of patching in some subscriptions: every patch run of thirty days, every assessment of seven."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from orchestrator.clock import Clock
from orchestrator.cloud import graph
from orchestrator.cloud.asked import Asked, Permission
from orchestrator.cloud.graph import Page, Query, Row
from orchestrator.errors import CloudTransient
from orchestrator.inventory.installations import INSTALLATION_TYPES

GROUP: Final = 100
"""Subscriptions of one query: "Guidance for throttled requests" advises less than 300."""

TRIES: Final = 6
"""Of one page, while the quota is used up."""

_TYPES: Final = ", ".join(f"'{one}'" for one in sorted(INSTALLATION_TYPES))
_RUNS: Final = f"patchinstallationresources | where type in~ ({_TYPES}) | project id, name, type, properties"
_ASSESSMENTS: Final = "patchassessmentresources | project id, name, properties"


async def patch_runs(query: Query, clock: Clock, subscriptions: Sequence[str]) -> list[Row]:
    """The rows of patch runs, page by page; where the quota is used up, after waiting for it. Raises as `graph.page`."""
    asked = Asked("reading the history of patch runs", Permission.READ_RUNS, "the subscriptions")
    return await _rows(query, clock, _RUNS, asked, subscriptions)


async def patch_assessments(query: Query, clock: Clock, subscriptions: Sequence[str]) -> list[Row]:
    """The rows of assessments and of the updates that they found. As `patch_runs`."""
    asked = Asked("reading assessments", Permission.READ_GRAPH, "the subscriptions")
    return await _rows(query, clock, _ASSESSMENTS, asked, subscriptions)


async def _rows(
    query: Query, clock: Clock, wish: str, asked: Asked, subscriptions: Sequence[str]
) -> list[Row]:
    wanted = sorted({name.strip().lower() for name in subscriptions})
    found: list[Row] = []
    for at in range(0, len(wanted), GROUP):
        token = ""
        while True:
            page = await _page(query, clock, wish, asked, wanted[at : at + GROUP], token)
            found += page.rows
            token = page.token
            if not token:
                break
    return found


async def _page(
    query: Query, clock: Clock, wish: str, asked: Asked, subscriptions: Sequence[str], token: str
) -> Page:
    tried = 0
    while True:
        try:
            return await graph.page(query, wish, asked, subscriptions=subscriptions, token=token)
        except CloudTransient as error:
            tried += 1
            if error.code != graph.RATE_LIMITED or tried == TRIES:
                raise
            await clock.sleep(error.retry_after_s or 5.0)
