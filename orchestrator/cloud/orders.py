"""What one machine is told to do: the action, its body, and how to speak of it when it goes wrong."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final, assert_never

from orchestrator.cloud.asked import Asked, Permission
from orchestrator.cloud.bodies import install_body, settings_body
from orchestrator.cloud.commands import command_body
from orchestrator.cloud.port import Rejected, Target
from orchestrator.inventory.model import Kind
from orchestrator.policy.change import Simple, WriteSettings
from orchestrator.policy.model import Patches, Restart, RunCommand


class Action(StrEnum):
    """What the machine's provider calls it, as the last part of a POST's path."""

    INSTALL = "installPatches"
    ASSESS = "assessPatches"
    RESTART = "restart"
    WRITE_SETTINGS = ""  # the machine itself, patched
    RUN_COMMAND = "runCommands"  # a resource that is put, not an action that is posted


@dataclass(frozen=True, slots=True)
class Order:
    """One order to one machine, fit to be sent."""

    action: Action
    asked: Asked
    body: Mapping[str, Any] | None = None


def change_order(target: Target, change: Simple) -> Order | Rejected:
    """The order that begins `change`; refused here where it can't be put to Azure."""
    match change:
        case Patches():
            body = install_body(change, target.os)
            if isinstance(body, Rejected):
                return body
            return _order(target, Action.INSTALL, "installing patches on", Permission.INSTALL, body)
        case Restart():
            return _order(target, Action.RESTART, "restarting", Permission.RESTART)
        case WriteSettings():
            verb, body = "writing the patch settings of", settings_body(change, target.os)
            if isinstance(body, Rejected):
                return body
            return _order(target, Action.WRITE_SETTINGS, verb, Permission.WRITE_MACHINES, body)
        case RunCommand():
            verb = f"running {change.script.file} on"
            command = command_body(change, target)
            return _order(target, Action.RUN_COMMAND, verb, Permission.WRITE_COMMANDS, command)
        case _:
            assert_never(change)


def assessment_order(target: Target) -> Order | Rejected:
    """The order that begins an assessment."""
    return _order(target, Action.ASSESS, "assessing", Permission.ASSESS)


_ON_ARC: Final[Mapping[Action, Permission]] = MappingProxyType(
    {
        Action.INSTALL: Permission.INSTALL_ON_ARC,
        Action.ASSESS: Permission.ASSESS_ARC,
        Action.RUN_COMMAND: Permission.WRITE_ARC_COMMANDS,
    }
)
"""What an Arc machine can be told over ARM, and what that takes."""


def _order(
    target: Target, action: Action, verb: str, permission: Permission, body: Mapping[str, Any] | None = None
) -> Order | Rejected:
    """An order to a machine, refused where its provider has no such action."""
    if target.kind is not Kind.AZURE_VM:
        if action not in _ON_ARC:
            why = f"{verb} {target.name} isn't possible: Azure Arc has no such action ({target.kind})"
            return Rejected("KindNotSupported", why, transient=False)
        permission = _ON_ARC[action]
    return Order(action, Asked(f"{verb} {target.name}", permission, target.arm_id), body)
