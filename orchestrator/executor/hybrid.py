"""What is different about machines of Azure Arc and Azure Local while an attempt at them is settled and followed.

Nothing in their API names the run that a request began: the 202 has a Location alone, under an id that isn't said to be the
run's. What patch runs there were is told by Resource Graph, late, perhaps only once they have ended. So a row that wasn't there before, and whose
run began after the intent, settles that a run began; that no such row is there settles nothing.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

from orchestrator.cloud.graph import RATE_LIMITED
from orchestrator.cloud.port import Ended, Target, View
from orchestrator.errors import CloudError, CloudTransient
from orchestrator.executor.services import Services
from orchestrator.executor.views import GRAPH
from orchestrator.inventory.model import Kind

SILENCE: Final = (
    "Azure Arc shows runs late and through Resource Graph alone, so that none is there doesn't mean that none was begun, and Azure "
    "keeps a request for a machine that it can't reach for up to six hours"
)

LAG: Final = timedelta(seconds=60)
"""How far Resource Graph is behind, at most."""


def is_hybrid(target: Target) -> bool:
    """Whether its provider is Microsoft.HybridCompute."""
    return target.kind is not Kind.AZURE_VM


def began_since(services: Services, view: View, not_after: datetime) -> bool:
    """Whether the last run can have been begun by the attempt whose intent allowed sending until `not_after`.

    A run from before may only now have come to be known: its id is new to us, and it isn't ours. Ids can't tell the two apart, so
    here clocks must: the machine's, which wrote the start down, and ours. A run that tells no start is taken for no proof.
    """
    if view.installation_began is None:
        return False
    settings = services.settings
    intended = not_after - settings.send_within * services.clock.scale
    return view.installation_began >= intended - settings.clock_tolerance


async def with_patches(services: Services, target: Target, ended: Ended) -> Ended:
    """The end of a run with what became of each patch, once Resource Graph knows of as many as the result counts.

    After a while without, it ends without: what decides about the machine stands in the counts.
    """
    result = ended.result
    activity = str(result.get("installationActivityId") or "")
    counted = sum(
        value for key, value in result.items() if key.endswith("PatchCount") and isinstance(value, int)
    )
    if not activity or not counted:
        return ended
    patches = await _listed(services, lambda: services.cloud.patches_of(target, activity), counted)
    return replace(ended, result={**result, "patches": patches}) if patches else ended


async def with_found(services: Services, target: Target, ended: Ended) -> Ended:
    """The end of an assessment with the patches that it found, once Resource Graph lists as many as the result counts.

    It may still list those of the assessment before, and nothing tells the two apart but the time that it needs at most: so it is
    given that first. After a while without, the assessment ends without a list.
    """
    counts = [ended.result.get(f"{which}PatchCount") for which in ("criticalAndSecurity", "other")]
    if not ended.succeeded or not all(isinstance(count, int) for count in counts):
        return ended
    counted = sum(count for count in counts if isinstance(count, int))
    await services.clock.sleep(LAG.total_seconds())
    found = await _listed(services, lambda: services.cloud.patches_found(target), counted)
    return (
        replace(ended, result={**ended.result, "availablePatches": found}) if len(found) == counted else ended
    )


async def _listed(
    services: Services, read: Callable[[], Awaitable[Sequence[Mapping[str, Any]]]], counted: int
) -> list[Mapping[str, Any]]:
    """What Resource Graph lists, once it is as many as were counted; after a while what there is; nothing for whoever may not read it."""
    found: list[Mapping[str, Any]] = []
    until = services.clock.now() + services.settings.patches_for
    while True:
        await services.dispatcher.turn(*GRAPH)
        try:
            found = list(await read())
        except CloudTransient as error:
            if error.code == RATE_LIMITED and error.retry_after_s is not None:
                services.dispatcher.hold(*GRAPH, error.retry_after_s)
        except CloudError:
            return []
        if len(found) >= counted or services.clock.now() >= until:
            return found
        await services.clock.sleep(services.settings.settle_every.total_seconds())
