"""The policies of a command, without a copy of the built-in rules."""

from __future__ import annotations

from collections.abc import Sequence

from orchestrator.policy.model import Policy
from orchestrator.wiring.files import FLOOR


def own(policies: Sequence[Policy]) -> tuple[Policy, ...]:
    """Without a copy of the built-in rules, which hold anyway."""
    return tuple(policy for policy in policies if policy.name.lower() != FLOOR)
