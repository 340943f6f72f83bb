"""How many requests Azure takes of one subscription in one region before it answers 429.

Two doors stand one behind the other, each with a token bucket, and the tighter one counts:

| door | requests | bucket | refill a minute |
|---|---|---|---|
| Azure Resource Manager, for a subscription and a principal | reads | 250 | 1,500 |
| | writes, POST among them | 200 | 600 |
| Compute, for a subscription and a region | guest patch operations | 600 | 200 |
| | updates (restart, run command) | 1,500 | 500 |
| | low-cost reads (instance view) | 24,000 | 8,000 |
| | high-cost reads (lists) | 900 | 300 |
| | operations | 15,000 | 5,000 |
| Resource Graph, for an identity | queries | 15 | 180 |

What Microsoft.HybridCompute takes isn't published: Arc machines are asked at the pace of the others, whose tighter door is ARM's.

Source: "Guidance for throttled requests in Azure Resource Graph" (15 queries in 5 seconds), "Understand how Azure Resource Manager throttles requests" and "Compute throttling limits", 2024 and later. ARM's
bucket is shared by a subscription's regions, so several busy regions may meet a 429 all the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from orchestrator.cloud.port import Budgeted, Rate

RATES: Mapping[Budgeted, Rate] = MappingProxyType(
    {
        Budgeted.GUEST_PATCH: Rate(per_minute=200, burst=200),
        Budgeted.UPDATE: Rate(per_minute=500, burst=200),
        Budgeted.GET: Rate(per_minute=1500, burst=250),
        Budgeted.LIST: Rate(per_minute=300, burst=250),
        Budgeted.OPERATION: Rate(per_minute=1500, burst=250),
        Budgeted.GRAPH: Rate(per_minute=180, burst=15),
    }
)
