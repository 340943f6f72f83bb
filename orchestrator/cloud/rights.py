"""What an identity may do: Azure's own list of it, for a subscription or a resource group.

`Microsoft.Authorization/permissions` answers with an entry for each role assignment that reaches the scope, inherited ones
among them: actions with wildcards, less its own notActions. What one entry leaves out another may give. Deny assignments and
conditions aren't in the list, so it says what is lacking for sure, and what is there only as far as roles go.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any


@dataclass(frozen=True, slots=True)
class Role:
    """One entry of the list: what a role gives, and what it takes out again. `*` stands for any characters."""

    actions: tuple[str, ...]
    not_actions: tuple[str, ...] = ()

    def allows(self, action: str) -> bool:
        """Whether this role alone lets `action` pass; without regard to case, as Azure compares."""
        return _any(self.actions, action) and not _any(self.not_actions, action)


@dataclass(frozen=True, slots=True)
class Rights:
    """All roles at one scope. `told_at` is the cloud's clock when it answered, if it said so."""

    roles: tuple[Role, ...]
    told_at: datetime | None = None

    def allow(self, action: str) -> bool:
        """Whether any of the roles lets `action` pass."""
        return any(role.allows(action) for role in self.roles)


def role_from(row: Mapping[str, Any]) -> Role:
    """A role, from an entry of the list."""
    return Role(
        tuple(map(str, row.get("actions") or ())),
        tuple(map(str, row.get("notActions") or ())),
    )


def _any(patterns: Iterable[str], action: str) -> bool:
    return any(_pattern(pattern).fullmatch(action) for pattern in patterns)


@lru_cache(maxsize=4096)
def _pattern(wildcards: str) -> re.Pattern[str]:
    return re.compile(".*".join(map(re.escape, wildcards.split("*"))), re.IGNORECASE)
