"""What whoever asks may do: an identity with limited rights, refused as Azure Resource Manager refuses.

A role is a set of actions with wildcards less its notActions, given on a subscription or on some of its resource groups. A list
of a whole subscription shows somebody with rights on a group alone what is in that group, as Azure does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from types import MappingProxyType
from typing import Any, Final

from orchestrator.emulator.problems import GATEWAY, problem
from orchestrator.emulator.state import Answer, Json
from orchestrator.errors import UsageError

PERMISSIONS: Final = "microsoft.authorization"
_VERBS: Final = {"GET": "read", "HEAD": "read", "PUT": "write", "PATCH": "write", "DELETE": "delete"}


@dataclass(frozen=True, slots=True)
class Role:
    """Actions with wildcards, less others. Kept in lower case."""

    actions: tuple[str, ...]
    not_actions: tuple[str, ...] = ()

    def allows(self, action: str) -> bool:
        """Whether the role lets an action pass."""
        wanted = action.lower()
        return any(fnmatchcase(wanted, p.lower()) for p in self.actions) and not any(
            fnmatchcase(wanted, p.lower()) for p in self.not_actions
        )

    def shown(self) -> Json:
        """As the permissions API shows it."""
        return {
            "actions": list(self.actions),
            "notActions": list(self.not_actions),
            "dataActions": [],
            "notDataActions": [],
        }


@dataclass(frozen=True, slots=True)
class Rights:
    """Roles on every subscription, and further ones on resource groups by name in lower case."""

    roles: tuple[Role, ...] = (Role(("*",)),)
    groups: Mapping[str, tuple[Role, ...]] = field(default_factory=lambda: MappingProxyType({}))

    def at(self, group: str = "") -> tuple[Role, ...]:
        """The roles that reach a resource group, or the subscription as a whole."""
        return (*self.roles, *self.groups.get(group, ()))


ALL: Final = Rights()
NAMED: Final[Mapping[str, Rights]] = MappingProxyType(
    {
        "owner": ALL,
        "reader": Rights((Role(("*/read",)),)),
        "none": Rights(()),
    }
)
"""What can be asked for by name."""


def read_rights(document: object, name: str) -> Rights:
    """Rights from a document: `{"roles": [{"actions": [...], "notActions": [...]}], "resource_groups": {"rg": [...]}}`.

    Raises:
        UsageError: with every mistake.
    """
    wrong: list[str] = []
    if not isinstance(document, dict) or set(document) - {"roles", "resource_groups"}:
        raise UsageError(f'{name}: write {{"roles": [{{"actions": ["*/read"]}}], "resource_groups": {{}}}}')
    roles = _roles(document.get("roles", []), f"{name}: roles", wrong)
    told = document.get("resource_groups", {})
    if not isinstance(told, dict):
        wrong.append(f"{name}: resource_groups: expected an object, name -> roles")
        told = {}
    groups = {
        str(group).lower(): _roles(held, f"{name}: resource_groups.{group}", wrong)
        for group, held in told.items()
    }
    if wrong:
        raise UsageError("\n".join(wrong))
    return Rights(roles, MappingProxyType(groups))


def _roles(told: object, where: str, wrong: list[str]) -> tuple[Role, ...]:
    if not isinstance(told, list):
        wrong.append(f'{where}: expected a list such as [{{"actions": ["*/read"]}}]')
        return ()
    roles = []
    for number, row in enumerate(told):
        lists = [row.get(key, []) for key in ("actions", "notActions")] if isinstance(row, dict) else []
        if not lists or set(row) - {"actions", "notActions"} or not all(map(_is_words, lists)):
            wrong.append(f"{where}[{number}]: expected actions and notActions, each a list of strings")
        else:
            roles.append(Role(tuple(lists[0]), tuple(lists[1])))
    return tuple(roles)


def _is_words(told: object) -> bool:
    return isinstance(told, list) and all(isinstance(word, str) for word in told)


# What ARM makes of it -------------------------------------------------------------------------------------------


def refused(rights: Rights, method: str, spelled: Sequence[str]) -> Answer | None:
    """ARM's 403, unless the roles let this request pass. `spelled` is the path in parts, below the host.

    What lists a whole subscription passes with a role on any group; `seen` takes out what the role doesn't reach.
    """
    if rights is ALL:
        return None
    action, group = _action(method, spelled), _group(spelled)
    reach = rights.at(group) if group or not _lists(method, spelled) else _anywhere(rights)
    if any(role.allows(action) for role in reach):
        return None
    scope = "/" + "/".join(spelled)
    message = (
        "The client 'emulated' with object id '00000000-0000-0000-0000-000000000000' does not have authorization to perform "
        f"action '{action}' over scope '{scope}' or the scope is invalid. If access was recently granted, please refresh "
        "your credentials."
    )
    return problem(403, "AuthorizationFailed", message, headers=GATEWAY)


def seen(rights: Rights, method: str, spelled: Sequence[str], answer: Answer) -> Answer:
    """A list of a whole subscription, as somebody with rights on some of its groups sees it."""
    if rights is ALL or answer.body is None or not _lists(method, spelled) or _group(spelled):
        return answer
    action = _action(method, spelled)
    if any(role.allows(action) for role in rights.roles):
        return answer
    shown = [row for row in answer.body.get("value") or () if _reached(rights, action, row)]
    return replace(answer, body={**answer.body, "value": shown})


def reads(rights: Rights, row: Json) -> bool:
    """Whether Resource Graph shows a row: it leaves out without a word what may not be read."""
    return rights is ALL or _reached(rights, f"{row['type']}/read", row)


def permissions(rights: Rights, spelled: Sequence[str]) -> Answer:
    """What `Microsoft.Authorization/permissions` answers. Whoever has no role at all is not even told that."""
    held = rights.at(_group(spelled))
    if not held:
        scope = "/" + "/".join(spelled[: 4 if _group(spelled) else 2])
        message = (
            "The client 'emulated' with object id '00000000-0000-0000-0000-000000000000' does not have authorization to perform "
            f"action 'Microsoft.Authorization/permissions/read' over scope '{scope}' or the scope is invalid."
        )
        return problem(403, "AuthorizationFailed", message, headers=GATEWAY)
    return Answer(200, {}, {"value": [role.shown() for role in held]})


def asks_for_permissions(method: str, parts: Sequence[str]) -> bool:
    """Whether a request asks what the caller may do. `parts` in lower case."""
    return method == "GET" and list(parts[-3:]) == ["providers", PERMISSIONS, "permissions"]


def _anywhere(rights: Rights) -> tuple[Role, ...]:
    return (*rights.roles, *(role for held in rights.groups.values() for role in held))


def _reached(rights: Rights, action: str, row: Any) -> bool:
    group = _group(str(row.get("id", "")).strip("/").split("/")) if isinstance(row, dict) else ""
    return any(role.allows(action) for role in rights.at(group))


def _group(spelled: Sequence[str]) -> str:
    lower = [part.lower() for part in spelled[:4]]
    return lower[3] if len(lower) > 3 and lower[2] == "resourcegroups" else ""


def _lists(method: str, spelled: Sequence[str]) -> bool:
    """Whether it asks for all of a kind: the path ends with a type, not with a name."""
    return method == "GET" and len(_below(spelled)) == 2


def _below(spelled: Sequence[str]) -> list[str]:
    """Provider, type, name, type, name...: what stands after the last `providers`."""
    lower = [part.lower() for part in spelled]
    if "providers" not in lower:
        return []
    return list(spelled[len(lower) - lower[::-1].index("providers") :])


def _action(method: str, spelled: Sequence[str]) -> str:
    """What Azure calls a request: `Microsoft.Compute/virtualMachines/restart/action`."""
    below = _below(spelled)
    if not below:
        return "/".join(
            ["Microsoft.Resources", "subscriptions", *spelled[2::2], _VERBS.get(method, "action")]
        )
    return "/".join([below[0], *below[1::2], _VERBS.get(method, "action")])
