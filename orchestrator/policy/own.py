"""The policies that people wrote, among those that were read."""

from __future__ import annotations

from collections.abc import Iterable

from orchestrator.policy.defaults import FLOOR
from orchestrator.policy.model import Policy


def own(policies: Iterable[Policy]) -> tuple[Policy, ...]:
    """Without a copy of the built-in rules, which hold anyway."""
    return tuple(policy for policy in policies if policy.name.lower() != FLOOR)
