"""A plan's patches in the words of the emulated catalogue.

A plan of a real fleet names KBs and packages that an emulated machine never heard of: nothing would be installed, and so nothing would
restart. How often a machine restarts is an assumption; which updates do it isn't. So in a simulation whatever the catalogue has of
the classes stands in for what was named.
"""

from __future__ import annotations

from typing import Final

import orjson

from orchestrator.policy.defaults import CLASSIFICATIONS

_NAMED: Final = (
    *("include_kbs", "include_names", "include_packages", "only_kbs"),
    *("exclude_kbs", "exclude_names", "exclude_packages", "only_packages"),
)


def by_class(plan: bytes) -> bytes:
    """The plan's file with nothing named but classes; as it is if it names nothing."""
    document = orjson.loads(plan)
    change = document["change"]
    if change.get("kind") != "patches" or not any(key in change and change[key] != [] for key in _NAMED):
        return plan
    kept = {key: value for key, value in change.items() if key not in _NAMED}
    classes = change.get("classifications") or list(CLASSIFICATIONS)
    return orjson.dumps({**document, "change": {**kept, "classifications": classes}})
