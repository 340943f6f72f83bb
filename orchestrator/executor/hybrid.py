"""What is different about machines of Azure Arc and Azure Local while an attempt at them is settled and followed.

Nothing in their API names the run that a request began: the 202 has a Location alone, under an id that isn't said to be the
run's. What patch runs there were is told by Resource Graph, late, perhaps only once they have ended. So a row that wasn't there before, and whose
run began after the intent, settles that a run began; that no such row is there settles nothing.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
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
    activity = str(ended.result.get("installationActivityId") or "")
    ask = partial(services.cloud.patches_of, target, activity)
    return await _told_later(services, ended, "patches", activity, ask)


async def with_found(services: Services, target: Target, ended: Ended) -> Ended:
    """The end of an assessment with what it found, update by update, as `with_patches`."""
    activity = str(ended.result.get("assessmentActivityId") or "")
    ask = partial(services.cloud.patches_found, target, activity)
    return await _told_later(services, ended, "availablePatches", activity, ask)


async def _told_later(
    services: Services,
    ended: Ended,
    key: str,
    activity: str,
    ask: Callable[[], Awaitable[Sequence[Mapping[str, Any]] | None]],
) -> Ended:
    """The result with rows that Resource Graph has, or will have in a moment, of all that it counts."""
    told = (value for name, value in ended.result.items() if name.endswith("PatchCount"))
    counts = [value for value in told if isinstance(value, int)]
    if not activity or not counts:
        return ended
    counted = sum(counts)
    if not counted:
        return replace(ended, result={**ended.result, key: []})
    until = services.clock.now() + services.settings.patches_for
    while True:
        await services.dispatcher.turn(*GRAPH)
        try:
            found = await ask()
        except CloudTransient as error:
            found = None
            if error.code == RATE_LIMITED and error.retry_after_s is not None:
                services.dispatcher.hold(*GRAPH, error.retry_after_s)
        except CloudError:
            return ended  # whoever may not read them does without
        if found is not None and (len(found) >= counted or services.clock.now() >= until):
            return replace(ended, result={**ended.result, key: list(found)}) if found else ended
        if services.clock.now() >= until:
            return ended
        await services.clock.sleep(services.settings.settle_every.total_seconds())
