"""What is different about machines of Azure Arc and Azure Local while an attempt at them is settled and followed.

Nothing in their API names the run that a request began: the 202 has a Location alone, under an id that isn't said to be the
run's. What patch runs there were is told by Resource Graph, late, perhaps only once they have ended. So a row that wasn't there before, and whose
run began after the intent, settles that a run began; that no such row is there settles nothing.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
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
    result = ended.result
    activity = str(result.get("installationActivityId") or "")
    counted = sum(
        value for key, value in result.items() if key.endswith("PatchCount") and isinstance(value, int)
    )
    if not activity or not counted:
        return ended
    found: list[Any] = []
    until = services.clock.now() + services.settings.patches_for
    while True:
        await services.dispatcher.turn(*GRAPH)
        try:
            found = list(await services.cloud.patches_of(target, activity))
        except CloudTransient as error:
            if error.code == RATE_LIMITED and error.retry_after_s is not None:
                services.dispatcher.hold(*GRAPH, error.retry_after_s)
        except CloudError:
            return ended  # whoever may not read them does without
        if len(found) >= counted or services.clock.now() >= until:
            return replace(ended, result={**result, "patches": found}) if found else ended
        await services.clock.sleep(services.settings.settle_every.total_seconds())
